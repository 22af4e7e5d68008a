//! Whose turn it is to take a row from a shared table: counted by everybody in the same way, so that nobody must ask.

use std::collections::BTreeSet;

use crate::journey_plan::Order;
use crate::plan::{Piece, Plan, Request, Value};

/// Counts the arrivals that take rows in turn. Choices that use a table in common count together.
#[derive(Debug, Clone)]
pub struct Turns {
    group_of: Vec<Option<usize>>, // by choice of the mix
    taken: Vec<u32>,
}

impl Turns {
    /// The turns of a plan; None when it shares no table.
    pub fn of(plan: &Plan) -> Option<Self> {
        let alone = plan.requests.iter().map(|request| tables_of(plan, request));
        let flows = plan
            .flows
            .iter()
            .map(|flow| flow.steps.iter().flat_map(|step| tables_of(plan, &plan.requests[step.request])).collect());
        let used: Vec<BTreeSet<&str>> = alone.chain(flows).collect();
        if used.iter().all(BTreeSet::is_empty) {
            return None;
        }
        let groups = grouped(&used);
        let group_of = used.iter().map(|tables| groups.iter().position(|group| !group.is_disjoint(tables))).collect();
        Some(Self { group_of, taken: vec![0; groups.len()] })
    }

    /// How many of its group came before this one.
    pub fn take(&mut self, choice: usize) -> u32 {
        let Some(group) = self.group_of[choice] else { return 0 };
        let turn = self.taken[group];
        self.taken[group] = turn.wrapping_add(1);
        turn
    }
}

/// The shared tables that a request's texts use.
fn tables_of<'p>(plan: &'p Plan, request: &'p Request) -> BTreeSet<&'p str> {
    let shared = |name: &str| plan.tables.iter().any(|table| table.name == name && table.order == Order::Shared);
    request
        .texts()
        .flatten()
        .filter_map(|piece| match piece {
            Piece::Value(Value::Csv(table, _)) if shared(table) => Some(table.as_str()),
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
