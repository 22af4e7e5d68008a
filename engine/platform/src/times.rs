//! How long work takes: lognormal by its P50 and P99, constant, or one of several fixed times.

use rand::rngs::SmallRng;
use rand::RngExt;
use rand_distr::{Distribution, LogNormal};

use crate::config::TimeMs;

/// The standard normal's 99th percentile: P99 = P50 · exp(σ · 2.3263…) for a lognormal time.
const NORMAL_P99: f64 = 2.326_347_874_040_841;

/// A distribution of service times, in microseconds.
#[derive(Debug, Clone)]
pub enum ServiceTime {
    Constant(f64),
    LogNormal(LogNormal<f64>),
    /// (cumulative share, µs), rising to 1.
    Choices(Vec<(f64, f64)>),
}

impl ServiceTime {
    /// From a checked configuration.
    #[must_use]
    pub fn new(time: &TimeMs) -> Self {
        let (Some(p50), Some(p99)) = (time.p50, time.p99) else {
            return Self::choices(time);
        };
        let sigma = (p99 / p50).ln() / NORMAL_P99;
        match LogNormal::new((p50 * 1000.0).ln(), sigma) {
            Ok(lognormal) if sigma > 0.0 => Self::LogNormal(lognormal),
            _ => Self::Constant(p50 * 1000.0),
        }
    }

    fn choices(time: &TimeMs) -> Self {
        let whole: f64 = time.choices.iter().map(|choice| choice.weight).sum();
        let mut share = 0.0;
        let cumulative = time.choices.iter().map(|choice| {
            share += choice.weight / whole;
            (share, choice.ms * 1000.0)
        });
        Self::Choices(cumulative.collect())
    }

    /// Draw one time, in µs.
    pub fn draw_us(&self, random: &mut SmallRng) -> f64 {
        match self {
            Self::Constant(us) => *us,
            Self::LogNormal(lognormal) => lognormal.sample(random),
            Self::Choices(cumulative) => {
                let at: f64 = random.random();
                let chosen = cumulative.iter().find(|(share, _)| at < *share).or(cumulative.last());
                chosen.map_or(0.0, |(_, us)| *us)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TimeChoice;
    use rand::SeedableRng;

    fn drawn(time: &TimeMs) -> Vec<f64> {
        let (mut random, time) = (SmallRng::seed_from_u64(7), ServiceTime::new(time));
        let mut drawn: Vec<f64> = (0..100_000).map(|_| time.draw_us(&mut random)).collect();
        drawn.sort_by(f64::total_cmp);
        drawn
    }

    #[test]
    fn a_lognormal_time_has_the_percentiles_it_was_given() {
        let drawn = drawn(&TimeMs { p50: Some(2.0), p99: Some(8.0), choices: vec![] });
        assert!((drawn[50_000] / 2000.0 - 1.0).abs() < 0.02, "P50 {}", drawn[50_000]);
        assert!((drawn[99_000] / 8000.0 - 1.0).abs() < 0.04, "P99 {}", drawn[99_000]);
    }

    #[test]
    fn equal_percentiles_make_a_constant_time() {
        let drawn = drawn(&TimeMs { p50: Some(5.0), p99: Some(5.0), choices: vec![] });
        assert!((drawn[0] - 5000.0).abs() < 1e-9 && (drawn[99_999] - 5000.0).abs() < 1e-9);
    }

    #[test]
    fn choices_come_as_often_as_their_weights_say() {
        let choices = vec![TimeChoice { ms: 5.0, weight: 9.0 }, TimeChoice { ms: 200.0, weight: 1.0 }];
        let drawn = drawn(&TimeMs { p50: None, p99: None, choices });
        let slow = drawn.iter().filter(|us| **us > 100_000.0).count();
        assert!((9_500..10_500).contains(&slow), "{slow} of 100,000");
    }
}
