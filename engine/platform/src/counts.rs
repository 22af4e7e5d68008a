//! What was answered: requests by route and status code, and durations by service.

/// Upper bounds of the duration histogram's buckets, in seconds; 0.45 and 0.9 are the objectives' thresholds.
pub const BUCKETS_S: [&str; 14] =
    ["0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.45", "0.9", "1", "2.5", "5", "10"];

const BUCKETS_US: [u64; 14] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 450_000, 900_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000,
];

/// A Prometheus histogram of durations. `buckets[i]` counts what lies between bounds i-1 and i; the last is +Inf's.
#[derive(Debug, Clone, Default)]
pub struct Durations {
    pub buckets: [u64; 15],
    pub sum_us: u64,
}

impl Durations {
    /// Count one.
    pub fn record(&mut self, duration_us: u64) {
        let bucket = BUCKETS_US.iter().position(|bound_us| duration_us <= *bound_us).unwrap_or(BUCKETS_US.len());
        self.buckets[bucket] += 1;
        self.sum_us += duration_us;
    }

    /// All that were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

/// Answers of one service at one route by status code; there are few codes, so a list is quickest.
#[derive(Debug, Clone, Default)]
pub struct Codes(pub Vec<(u16, u64)>);

impl Codes {
    fn count(&mut self, code: u16) {
        match self.0.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += 1,
            None => self.0.push((code, 1)),
        }
    }
}

/// All counters of the platform.
#[derive(Debug, Clone)]
pub struct Counts {
    /// By route: what the gateway answered.
    pub gateway: Vec<Codes>,
    /// By route: what the service behind it answered.
    pub inner: Vec<Codes>,
    /// By service.
    pub durations: Vec<Durations>,
    /// Answers of the whole platform.
    pub answered: u64,
    /// Writes whose idempotency key had come before, at routes without a queue.
    pub repeated: u64,
}

impl Counts {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(routes: usize, services: usize) -> Self {
        Self {
            gateway: vec![Codes::default(); routes],
            inner: vec![Codes::default(); routes],
            durations: vec![Durations::default(); services],
            answered: 0,
            repeated: 0,
        }
    }

    /// The gateway (service number `gateway`) answered.
    pub fn answer(&mut self, gateway: usize, route: usize, code: u16, duration_us: u64) {
        self.gateway[route].count(code);
        self.durations[gateway].record(duration_us);
        self.answered += 1;
    }

    /// A service behind the gateway answered it.
    pub fn inner_answer(&mut self, service: usize, route: usize, code: u16, duration_us: u64) {
        self.inner[route].count(code);
        self.durations[service].record(duration_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_duration_on_a_bound_belongs_to_that_bound() {
        let mut durations = Durations::default();
        durations.record(450_000);
        assert_eq!(durations.buckets[8], 1);
    }

    #[test]
    fn the_bounds_in_text_are_the_bounds_in_microseconds() {
        for (text, us) in BUCKETS_S.iter().zip(BUCKETS_US) {
            let seconds: f64 = text.parse().expect("a number");
            assert!((seconds * 1e6 - f64::from(u32::try_from(us).expect("small"))).abs() < 1e-6);
        }
    }

    proptest! {
        #[test]
        fn every_duration_is_counted_once(durations in proptest::collection::vec(0u64..20_000_000, 0..100)) {
            let mut counted = Durations::default();
            for us in &durations {
                counted.record(*us);
            }
            prop_assert_eq!(counted.count(), durations.len() as u64);
            prop_assert_eq!(counted.sum_us, durations.iter().sum::<u64>());
        }
    }
}
