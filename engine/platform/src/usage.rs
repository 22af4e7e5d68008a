//! How busy a service is: slot-time used and offered, and its means over the last 15 seconds.

use std::collections::VecDeque;

/// The span metrics-server and adapters average over.
pub const WINDOW_US: u64 = 15_000_000;

#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    at_us: u64,
    busy_us: u64,
    offered_us: u64,
    ready_us: u64,
    requests: u64,
}

/// Running integrals of one service's slots. `busy`, `slots` and `ready` are what holds since the last change.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    busy: u64,
    slots: u64,
    ready: u64,
    totals: Totals,
    marks: VecDeque<Totals>,
}

impl Usage {
    fn settle(&mut self, now_us: u64) {
        let span_us = now_us.saturating_sub(self.totals.at_us);
        self.totals.busy_us += self.busy * span_us;
        self.totals.offered_us += self.slots * span_us;
        self.totals.ready_us += self.ready * span_us;
        self.totals.at_us = now_us;
    }

    /// So many slots are busy from now on.
    pub fn begin(&mut self, now_us: u64) {
        self.settle(now_us);
        self.busy += 1;
    }

    /// `ended` slots are free again from now on.
    pub fn end(&mut self, now_us: u64, ended: u32) {
        self.settle(now_us);
        self.busy -= u64::from(ended);
    }

    /// So many ready replicas, with so many slots each, from now on.
    pub fn offer(&mut self, now_us: u64, ready: usize, slots: u32) {
        self.settle(now_us);
        self.ready = ready as u64;
        self.slots = self.ready * u64::from(slots);
    }

    /// Work that was not begun and ended one by one: so much slot-time was used.
    pub fn add_busy_us(&mut self, slot_us: u64) {
        self.totals.busy_us += slot_us;
    }

    /// Requests (or commands) done.
    pub fn count(&mut self, requests: u64) {
        self.totals.requests += requests;
    }

    /// Remember this instant: called once a second.
    pub fn mark(&mut self, now_us: u64) {
        self.settle(now_us);
        self.marks.push_back(self.totals);
        while self.marks.get(1).is_some_and(|second| second.at_us + WINDOW_US <= now_us) {
            self.marks.pop_front();
        }
    }

    fn window(&mut self, now_us: u64) -> Totals {
        self.settle(now_us);
        let old = self.marks.front().copied().unwrap_or_default();
        Totals {
            at_us: now_us - old.at_us,
            busy_us: self.totals.busy_us - old.busy_us,
            offered_us: self.totals.offered_us - old.offered_us,
            ready_us: self.totals.ready_us - old.ready_us,
            requests: self.totals.requests - old.requests,
        }
    }

    /// Mean busy slots over slots of ready replicas, in the last 15 s.
    pub fn busy_ratio(&mut self, now_us: u64) -> f64 {
        let window = self.window(now_us);
        ratio(window.busy_us, window.offered_us)
    }

    /// Requests a second and ready replica, in the last 15 s.
    pub fn requests_per_second(&mut self, now_us: u64) -> f64 {
        let window = self.window(now_us);
        ratio(window.requests, window.ready_us) * 1e6
    }

    /// All requests so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.totals.requests
    }
}

#[allow(clippy::cast_precision_loss)] // 2^52 µs of slot-time are 140 years of one slot
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_the_slots_busy_is_a_half() {
        let mut usage = Usage::default();
        usage.offer(0, 2, 2);
        usage.begin(0);
        usage.begin(0);
        assert!((usage.busy_ratio(1_000_000) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn only_the_last_fifteen_seconds_speak() {
        let mut usage = Usage::default();
        usage.offer(0, 1, 1);
        usage.begin(0);
        for second in 1..=40 {
            if second == 20 {
                usage.end(second * 1_000_000, 1);
            }
            usage.mark(second * 1_000_000);
        }
        assert!(usage.busy_ratio(40_000_000) < 1e-9);
    }

    #[test]
    fn requests_are_counted_per_ready_replica() {
        let mut usage = Usage::default();
        usage.offer(0, 4, 1);
        usage.count(800);
        assert!((usage.requests_per_second(2_000_000) - 100.0).abs() < 1e-9);
    }
}
