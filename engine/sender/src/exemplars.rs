//! The slowest requests of a second and kind, kept one by one: what a percentile cannot be asked.

use serde_json::{json, Value};

use crate::failure::Failure;
use crate::trace::Trace;

/// So many are kept of those answered as expected, and so many of those that failed: per second and kind of request.
const KEPT: usize = 2;

/// One request's own story. Times are ns after the start of the rate line.
#[derive(Debug, Clone, Copy)]
pub struct Exemplar {
    pub number: u64,
    pub due_ns: u64,
    pub sent_ns: Option<u64>,
    pub done_ns: u64,
    pub failure: Option<Failure>,
}

/// The slowest so far. For all others it costs one comparison.
#[derive(Debug, Default, Clone)]
pub struct Slowest {
    floor_ns: u64,
    kept: Vec<Exemplar>,
}

impl Exemplar {
    fn took_ns(&self) -> u64 {
        self.done_ns.saturating_sub(self.due_ns)
    }

    /// As engine/DELTA.md has it.
    pub fn entry(&self, start_unix_s: u64, request: &str, trace: Option<&Trace>) -> Value {
        let unix_us = |at_ns: u64| start_unix_s * 1_000_000 + at_ns / 1000;
        json!({
            "second": start_unix_s + self.due_ns / 1_000_000_000, "request": request, "number": self.number,
            "trace_id": trace.map(|trace| trace.text(self.number)).unwrap_or_default(),
            "sampled": trace.is_some_and(|trace| trace.is_sampled(self.number)),
            "outcome": self.failure.map_or_else(|| "ok".to_string(), |failure| failure.to_string()),
            "due_unix_us": unix_us(self.due_ns), "sent_unix_us": self.sent_ns.map(unix_us),
            "done_unix_us": unix_us(self.done_ns),
        })
    }
}

impl Slowest {
    /// Keep a request if it is among the slowest.
    pub fn offer(&mut self, exemplar: &Exemplar) {
        let took_ns = exemplar.took_ns();
        if took_ns > self.floor_ns || self.kept.len() < KEPT {
            self.insert(*exemplar);
        }
    }

    #[cold]
    fn insert(&mut self, exemplar: Exemplar) {
        let at = self.kept.partition_point(|kept| kept.took_ns() >= exemplar.took_ns());
        self.kept.insert(at, exemplar);
        self.kept.truncate(KEPT);
        if let [.., last] = &self.kept[..] {
            self.floor_ns = if self.kept.len() == KEPT { last.took_ns() } else { 0 };
        }
    }

    /// Add another thread's.
    pub fn merge(&mut self, other: &Slowest) {
        for exemplar in &other.kept {
            self.offer(exemplar);
        }
    }

    /// The slowest first.
    pub fn iter(&self) -> impl Iterator<Item = &Exemplar> {
        self.kept.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Exemplar, Slowest, KEPT};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn however_they_come_and_are_merged_the_slowest_are_kept(
            mut took in prop::collection::vec((0u64..50, any::<bool>()), 0..60),
        ) {
            let (mut mine, mut theirs) = (Slowest::default(), Slowest::default());
            for (number, (done_ns, is_mine)) in took.iter().enumerate() {
                let exemplar =
                    Exemplar { number: number as u64, due_ns: 0, sent_ns: None, done_ns: *done_ns, failure: None };
                if *is_mine { &mut mine } else { &mut theirs }.offer(&exemplar);
            }
            mine.merge(&theirs);
            took.sort_unstable_by(|a, b| b.cmp(a));
            let slowest: Vec<u64> = took.iter().take(KEPT).map(|(done_ns, _)| *done_ns).collect();
            prop_assert_eq!(mine.iter().map(|kept| kept.done_ns).collect::<Vec<_>>(), slowest);
        }
    }
}
