//! Engine plans for the tests, as JSON people can read.

#![allow(dead_code)] // each test file uses its own part

use serde_json::{json, Value};

/// A plan at one rate for so long, of one GET request that gives up after 500 ms.
#[must_use]
pub fn plan(base_url: &str, rps: f64, duration_ms: u64) -> Value {
    json!({
        "format": 1, "seed": 7, "arrivals": "constant",
        "rate_line": [{"duration_us": duration_ms * 1000, "from_rps": rps, "to_rps": rps}],
        "base_url": base_url, "grid_us": 500, "connections": 64, "threads": 1, "connect_timeout_us": 200_000,
        "ca_pem": "", "run_date": "2026-11-24", "tables": [], "login": null,
        "requests": [request("home", "GET", &json!(["/"]))],
    })
}

/// One request of weight 1.
#[must_use]
pub fn request(name: &str, method: &str, path: &Value) -> Value {
    json!({
        "name": name, "weight": 1.0, "method": method, "path": path, "headers": [], "body": null,
        "expect": [200], "checks": [], "timeout_us": 500_000,
    })
}

/// The same plan with one field changed.
#[must_use]
pub fn with(mut plan: Value, field: &str, value: Value) -> Value {
    plan[field] = value;
    plan
}
