//! Many times as two tables take them: Locust's (rounded to two digits) and a metrics page's (buckets).

use std::collections::BTreeMap;

/// What both tables want to know of many response times.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseTimes {
    pub count: u64,
    pub total_ms: f64,
    pub min_ms: f64,
    pub max_ms: f64,
    pub by_rounded_ms: BTreeMap<u64, u64>,
    /// How many lie in each bucket: up to the first bound, from there up to the second, …, above the last.
    pub by_bucket: Vec<u64>,
}

/// Whole milliseconds below 100, then two significant digits, halves to the even side: Locust's own rounding.
pub(crate) fn rounded_ms(value_us: u64) -> u64 {
    let time_ms = value_us as f64 / 1e3;
    let step = match time_ms {
        below if below < 100.0 => 1.0,
        below if below < 1000.0 => 10.0,
        below if below < 10_000.0 => 100.0,
        _ => 1000.0,
    };
    ((time_ms / step).round_ties_even() * step) as u64
}
