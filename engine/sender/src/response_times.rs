//! A delta's histogram, read once for two tables: Locust's (times rounded to two digits) and a metrics page's (buckets).

use std::collections::BTreeMap;

use base64::prelude::{Engine as _, BASE64_STANDARD};
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::Histogram;

use crate::error::EngineError;

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

/// Read a histogram of microseconds (V2 deflate, base64), as a delta holds it. `bounds_us` rise.
///
/// A slot is in the bucket that takes its largest value, so that a time is never understated.
pub fn response_times(encoded: &str, bounds_us: &[u64]) -> Result<ResponseTimes, EngineError> {
    let refused = |what: String| EngineError::Order(format!("no histogram: {what}"));
    let bytes = BASE64_STANDARD.decode(encoded).map_err(|error| refused(error.to_string()))?;
    let histogram: Histogram<u64> =
        Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|error| refused(error.to_string()))?;
    let mut times = ResponseTimes {
        count: histogram.len(),
        total_ms: 0.0,
        min_ms: histogram.min() as f64 / 1e3,
        max_ms: histogram.max() as f64 / 1e3,
        by_rounded_ms: BTreeMap::new(),
        by_bucket: vec![0; bounds_us.len() + 1],
    };
    for step in histogram.iter_recorded() {
        let value_us = histogram.median_equivalent(step.value_iterated_to());
        let count = step.count_since_last_iteration();
        times.total_ms += value_us as f64 / 1e3 * count as f64;
        let largest_us = histogram.highest_equivalent(value_us);
        times.by_bucket[bounds_us.partition_point(|&bound_us| bound_us < largest_us)] += count;
        *times.by_rounded_ms.entry(rounded_ms(value_us)).or_default() += count;
    }
    Ok(times)
}

/// Whole milliseconds below 100, then two significant digits, halves to the even side: Locust's own rounding.
fn rounded_ms(value_us: u64) -> u64 {
    let time_ms = value_us as f64 / 1e3;
    let step = match time_ms {
        below if below < 100.0 => 1.0,
        below if below < 1000.0 => 10.0,
        below if below < 10_000.0 => 100.0,
        _ => 1000.0,
    };
    ((time_ms / step).round_ties_even() * step) as u64
}
