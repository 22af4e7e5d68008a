//! A delta's histogram as Locust's tables take it: counts of times rounded to two digits, and their sum.

use std::collections::BTreeMap;

use base64::prelude::{Engine as _, BASE64_STANDARD};
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::Histogram;

use crate::error::EngineError;

/// What Locust wants to know of many response times.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseTimes {
    pub count: u64,
    pub total_ms: f64,
    pub min_ms: f64,
    pub max_ms: f64,
    pub by_rounded_ms: BTreeMap<u64, u64>,
}

/// Read a histogram of microseconds (V2 deflate, base64), as a delta holds it.
pub fn response_times(encoded: &str) -> Result<ResponseTimes, EngineError> {
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
    };
    for step in histogram.iter_recorded() {
        let value_us = histogram.median_equivalent(step.value_iterated_to());
        let count = step.count_since_last_iteration();
        times.total_ms += value_us as f64 / 1e3 * count as f64;
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
