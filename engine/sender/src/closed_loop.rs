//! The closed loop: whoever is free sends the next request at once. It measures a speed, not a service:
//! a slow answer delays the next request, so its latencies hide what a schedule would have shown.

use crate::mix::Mix;
use crate::plan::Plan;
use crate::schedule::{hash, Arrival, Part};
use crate::turns::Turn;

/// The arrivals of one shard of a closed loop: due when somebody is free, until its time has passed.
#[derive(Debug)]
pub struct ClosedLoop {
    mix: Mix,
    seed: u64,
    number: u64,
    shards: u64,
    end_ns: u64,
}

impl ClosedLoop {
    /// A loop for as long as the plan's rate line is, whatever its rates.
    pub fn new(plan: &Plan, shard: u64, shards: u64) -> Self {
        Self { mix: Mix::of(plan), seed: plan.seed, number: shard, shards, end_ns: plan.duration_us() * 1000 }
    }

    /// The next arrival, due now; None when the loop is over.
    pub fn next(&mut self, now_ns: u64) -> Option<Arrival> {
        if self.is_over(now_ns) {
            return None;
        }
        let number = self.number;
        self.number += self.shards;
        let request = self.mix.pick(hash(self.seed, number));
        Some(Arrival { number, due_ns: now_ns, request, turn: Turn::default(), part: Part::Alone })
    }

    /// Whether nothing more will be due.
    pub fn is_over(&self, now_ns: u64) -> bool {
        now_ns >= self.end_ns
    }

    /// Nothing more is due.
    pub fn end(&mut self) {
        self.end_ns = 0;
    }
}
