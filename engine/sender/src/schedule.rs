//! When each request is due and which one it is: from the plan's rate line and seed alone.
//!
//! Arrival k is due where the rate line's integral reaches k + 0.5 (constant), or at the k-th point of a
//! unit-rate Poisson process put through the inverse of the integral (time change theorem).

use crate::mix::Mix;
use crate::plan::{Arrivals, Plan};
use crate::starts::Starts;
use crate::turns::{Turn, Turns};

/// One due request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its number in the whole run, over all shards.
    pub number: u64,
    /// When it is due, after the start of the rate line.
    pub due_ns: u64,
    /// Which of the plan's requests it is.
    pub request: usize,
    /// How many arrivals before it take rows in turn from the tables it uses.
    pub turn: Turn,
    pub part: Part,
}

/// Whether a due request is part of a journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Alone,
    /// The first step of this one of the plan's flows.
    Starts(u32),
    /// A step of the journey that its thread keeps under this key.
    Step(u32),
}

/// The arrivals of one shard, in order.
#[derive(Debug, Clone)]
pub struct Schedule {
    starts: Starts,
    mix: Mix,
    turns: Turns,
    seed: u64,
    number: u64,
    shard: u64,
    shards: u64,
}

impl Schedule {
    /// The arrivals k with k % shards == shard.
    #[must_use]
    pub fn new(plan: &Plan, shard: u64, shards: u64) -> Self {
        let mix = Mix::of(plan);
        Self { starts: Starts::of(plan, &mix), mix, turns: Turns::of(plan), seed: plan.seed, number: 0, shard, shards }
    }
}

impl Iterator for Schedule {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let start = self.starts.next()?;
            let number = self.number;
            self.number += 1;
            let is_mine = number % self.shards == self.shard;
            // Another's arrival matters only to those who count everybody's turns.
            if !is_mine && !self.turns.count_all() {
                continue;
            }
            let choice = start.choice.unwrap_or_else(|| self.mix.pick(hash(self.seed, number)));
            let turn = self.turns.take(choice, is_mine);
            if is_mine {
                let (request, part) = self.mix.meaning(choice);
                return Some(Arrival { number, due_ns: self.starts.instant_ns(start.at), request, turn, part });
            }
        }
    }
}

/// A well-mixed hash of two numbers (the finalizer of splitmix64, Steele et al. 2014).
#[must_use]
pub fn hash(seed: u64, number: u64) -> u64 {
    let mut mixed = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(number.wrapping_add(1).wrapping_mul(0xD134_2543_DE82_EF95));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// How many requests of each kind are due in each second after the start, by the plan alone: `[second][request]`.
#[must_use]
pub fn due_counts(plan: &Plan, shard: u64, shards: u64) -> Vec<Vec<u64>> {
    let mut counts = vec![vec![0; plan.requests.len()]; plan.duration_us().div_ceil(1_000_000) as usize];
    let last = counts.len() - 1;
    if plan.arrivals == Arrivals::Closed {
        return counts; // what is due depends on the answers
    }
    for arrival in Schedule::new(plan, shard, shards) {
        let second = ((arrival.due_ns / 1_000_000_000) as usize).min(last);
        counts[second][arrival.request] += 1;
    }
    counts
}
