//! A command queue: what was accepted and is not yet done, worked off first in, first out at the workers' rate.

use std::collections::VecDeque;

use crate::faults::Fate;

/// Commands accepted in the same span of so many µs are kept as one batch.
const BATCH_US: u64 = 10_000;

#[derive(Debug, Clone, Copy)]
struct Batch {
    accepted_us: u64,
    commands: u64,
}

/// Commands waiting for one service's replicas. The flow is continuous: `rate · time` commands are done.
#[derive(Debug, Clone)]
pub struct CommandQueue {
    pub name: String,
    /// The service that works it off.
    pub worker: usize,
    pub per_replica_rps: f64,
    /// A fault: 1 is healthy, 0 stopped.
    pub speed: f64,
    /// A fault: not every command takes effect exactly once.
    pub fate: Fate,
    batches: VecDeque<Batch>,
    depth: u64,
    credit: f64,
    settled_us: u64,
    accepted: u64,
    done: u64,
    repeated: u64,
}

impl CommandQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(name: String, worker: usize, per_replica_rps: f64) -> Self {
        Self {
            name,
            worker,
            per_replica_rps,
            speed: 1.0,
            fate: Fate::default(),
            batches: VecDeque::new(),
            depth: 0,
            credit: 0.0,
            settled_us: 0,
            accepted: 0,
            done: 0,
            repeated: 0,
        }
    }

    /// A command is accepted now. Call `work_off` first.
    pub fn accept(&mut self, now_us: u64) {
        self.accepted += 1;
        self.depth += 1;
        match self.batches.back_mut() {
            Some(last) if now_us < last.accepted_us + BATCH_US => last.commands += 1,
            _ => self.batches.push_back(Batch { accepted_us: now_us, commands: 1 }),
        }
    }

    /// A key came again: accepted before, so not queued twice.
    pub fn repeat(&mut self) {
        self.repeated += 1;
    }

    /// Work at `rate_rps` since the last call; how many commands were done?
    pub fn work_off(&mut self, now_us: u64, rate_rps: f64) -> u64 {
        let span_us = now_us.saturating_sub(self.settled_us);
        self.settled_us = now_us;
        self.credit += rate_rps * micros(span_us) / 1e6;
        if rate_rps <= 0.0 {
            // Stopped in the middle of one: it is not finished later by itself.
            self.credit = 0.0;
        }
        let done = whole(self.credit).min(self.depth);
        self.credit -= micros(done);
        self.depth -= done;
        self.done += done;
        if self.depth == 0 {
            // Idle workers do not save up work for later.
            self.credit = self.credit.min(1.0);
        }
        self.drop_done(done);
        done
    }

    fn drop_done(&mut self, mut done: u64) {
        while let Some(first) = self.batches.front_mut() {
            if first.commands > done {
                first.commands -= done;
                return;
            }
            done -= first.commands;
            self.batches.pop_front();
        }
    }

    /// Commands accepted and not done.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.depth
    }

    /// Age of the oldest command not done, in µs.
    #[must_use]
    pub fn oldest_us(&self, now_us: u64) -> u64 {
        self.batches.front().map_or(0, |first| now_us.saturating_sub(first.accepted_us))
    }

    /// Commands accepted, done, and repeated so far.
    #[must_use]
    pub fn totals(&self) -> (u64, u64, u64) {
        (self.accepted, self.done, self.repeated)
    }
}

#[allow(clippy::cast_precision_loss)] // counts and µs stay far below 2^52
fn micros(whole: u64) -> f64 {
    whole as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // never negative; truncation is meant
fn whole(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn queue() -> CommandQueue {
        CommandQueue::new("commands".to_owned(), 0, 1.0)
    }

    #[test]
    fn a_backlog_drains_at_the_stated_rate() {
        let mut queue = queue();
        (0..1000).for_each(|_| queue.accept(0));
        queue.work_off(2_000_000, 100.0);
        assert_eq!(queue.depth(), 800);
        queue.work_off(10_000_000, 100.0);
        assert_eq!(queue.depth(), 0);
    }

    #[test]
    fn idle_workers_save_nothing_up() {
        let mut queue = queue();
        queue.work_off(60_000_000, 100.0);
        (0..1000).for_each(|_| queue.accept(60_000_000));
        queue.work_off(60_100_000, 100.0);
        assert!((989..=990).contains(&queue.depth()), "{}", queue.depth());
    }

    #[test]
    fn the_oldest_is_the_first_not_done() {
        let mut queue = queue();
        queue.accept(0);
        queue.accept(3_000_000);
        assert_eq!(queue.oldest_us(5_000_000), 5_000_000);
        queue.settled_us = 5_000_000;
        queue.work_off(6_000_000, 1.0);
        assert_eq!(queue.oldest_us(6_000_000), 3_000_000);
    }

    #[test]
    fn stopped_workers_do_nothing() {
        let mut queue = queue();
        queue.accept(0);
        assert_eq!(queue.work_off(100_000_000, 0.0), 0);
    }

    proptest! {
        #[test]
        fn what_was_accepted_is_done_or_waiting(steps in proptest::collection::vec((0u64..50, 0u64..2_000_000, 0.0f64..200.0), 0..60)) {
            let (mut queue, mut now_us) = (queue(), 0);
            for (commands, span_us, rate) in steps {
                (0..commands).for_each(|_| queue.accept(now_us));
                now_us += span_us;
                queue.work_off(now_us, rate);
                let (accepted, done, _) = queue.totals();
                prop_assert_eq!(accepted, done + queue.depth());
                prop_assert_eq!(queue.depth(), queue.batches.iter().map(|batch| batch.commands).sum::<u64>());
            }
        }
    }
}
