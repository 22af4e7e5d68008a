//! Whose turn it is to take a row: counted by everybody in the same way, so that nobody must ask.

use std::collections::BTreeSet;

use crate::journey_plan::Order;
use crate::plan::{Piece, Plan, Request, Value};

/// How many arrivals took rows before one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turn {
    /// Of those of the whole run that use the same shared tables.
    pub of_all: u32,
    /// Of those of the same sending thread that use the same partitioned tables.
    pub of_own: u32,
}

/// Counts the arrivals that take rows in turn, those of the whole run and a thread's own.
#[derive(Debug, Clone)]
pub struct Turns {
    shared: Option<Counts>,
    partitioned: Option<Counts>,
}

impl Turns {
    /// The turns of a plan.
    pub fn of(plan: &Plan) -> Self {
        Self { shared: Counts::of(plan, Order::Shared), partitioned: Counts::of(plan, Order::Partitioned) }
    }

    /// Whether the arrivals of others matter.
    pub fn count_all(&self) -> bool {
        self.shared.is_some()
    }

    /// The turn of the next arrival; another's takes none of one's own.
    pub fn take(&mut self, choice: usize, is_own: bool) -> Turn {
        let of = |counts: &mut Option<Counts>| counts.as_mut().map_or(0, |counts| counts.take(choice));
        let of_all = of(&mut self.shared);
        Turn { of_all, of_own: if is_own { of(&mut self.partitioned) } else { 0 } }
    }
}

/// Counts of the arrivals that use tables of one order. Choices that use a table in common count together.
#[derive(Debug, Clone)]
struct Counts {
    group_of: Vec<Option<usize>>, // by choice of the mix
    taken: Vec<u32>,
}

impl Counts {
    /// None when the plan has no such table in use.
    fn of(plan: &Plan, order: Order) -> Option<Self> {
        let used_by = |request| tables_of(plan, request, order);
        let alone = plan.requests.iter().map(used_by);
        let flows = plan
            .flows
            .iter()
            .map(|flow| flow.steps.iter().flat_map(|step| used_by(&plan.requests[step.request])).collect());
        let used: Vec<BTreeSet<&str>> = alone.chain(flows).collect();
        if used.iter().all(BTreeSet::is_empty) {
            return None;
        }
        let groups = grouped(&used);
        let group_of = used.iter().map(|tables| groups.iter().position(|group| !group.is_disjoint(tables))).collect();
        Some(Self { group_of, taken: vec![0; groups.len()] })
    }

    /// How many of its group came before this one.
    fn take(&mut self, choice: usize) -> u32 {
        let Some(group) = self.group_of[choice] else { return 0 };
        let turn = self.taken[group];
        self.taken[group] = turn.wrapping_add(1);
        turn
    }
}

/// The tables of an order that a request's texts use.
fn tables_of<'p>(plan: &'p Plan, request: &'p Request, order: Order) -> BTreeSet<&'p str> {
    let is_of_it = |name: &str| plan.tables.iter().any(|table| table.name == name && table.order == order);
    request
        .texts()
        .flatten()
        .filter_map(|piece| match piece {
            Piece::Value(Value::Csv(table, _) | Value::CsvPath(table, _)) if is_of_it(table) => Some(table.as_str()),
            _ => None,
        })
        .collect()
}

/// The tables, those together that somebody uses together.
fn grouped<'p>(used: &[BTreeSet<&'p str>]) -> Vec<BTreeSet<&'p str>> {
    let mut groups: Vec<BTreeSet<&str>> = Vec::new();
    for tables in used.iter().filter(|tables| !tables.is_empty()) {
        let (joined, mut rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| !group.is_disjoint(tables));
        rest.push(joined.into_iter().flatten().chain(tables.iter().copied()).collect());
        groups = rest;
    }
    groups
}
