//! Which row of a table an arrival takes: it follows from the arrival alone, so that no worker must ask another.

use crate::journey_plan::Order;
use crate::place::Place;
use crate::plan::Plan;
use crate::schedule::hash;
use crate::template::Occasion;

/// How rows are taken from a table.
#[derive(Debug, Clone, Copy)]
pub struct Feed {
    table: usize,
    order: Order,
    /// Over how many sending threads, of all workers, a partitioned table is spread.
    lanes: u64,
}

impl Feed {
    /// That of the table at this place, in a run over so many workers; 0: not known yet. Refused in words.
    pub fn of(plan: &Plan, table: usize, workers: u64) -> Result<Self, String> {
        let (workers, threads) = (workers.max(1), plan.threads as u64);
        let (order, rows) = (plan.tables[table].order, plan.tables[table].rows.len());
        let lanes = workers * threads;
        if order == Order::Partitioned && (rows as u64) < lanes {
            let threads = if threads == 1 { String::new() } else { format!(" of {threads} threads") };
            let name = &plan.tables[table].name;
            return Err(format!("table {name:?} is parted among {workers} workers{threads}, but has {rows} rows"));
        }
        Ok(Self { table, order, lanes })
    }

    /// The first row whose cell may not stand where it is written, and why: there it would be another path, or request.
    pub fn misplaced(cells: &[String], place: Place) -> Option<(usize, &'static str)> {
        let why = |cell: &String| match place {
            Place::Path if matches!(cell.as_str(), "" | "." | "..") => Some("would lead a path elsewhere"),
            Place::WholePath if !cell.starts_with('/') => Some("is no path from the root"),
            Place::Path | Place::WholePath | Place::Query | Place::Header if cell.chars().any(char::is_control) => {
                Some("has a control character, and stands in a path or header")
            }
            _ => None,
        };
        cells.iter().zip(1..).find_map(|(cell, row)| Some((row, why(cell)?)))
    }

    /// The row of an arrival: the same in all columns, and in all steps of a journey.
    pub fn row(&self, seed: u64, occasion: &Occasion<'_>, rows: u64) -> usize {
        let row = match self.order {
            Order::Random => hash(seed.wrapping_add(self.table as u64 + 1), occasion.number) % rows,
            Order::Shared => u64::from(occasion.turn.of_all) % rows,
            Order::Partitioned => {
                let lane = occasion.number % self.lanes;
                // At least one: a table with fewer rows than lanes is refused.
                let own = rows.saturating_sub(lane).div_ceil(self.lanes).max(1);
                (lane + u64::from(occasion.turn.of_own) % own * self.lanes) % rows
            }
        };
        row as usize
    }
}
