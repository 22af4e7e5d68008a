//! Engine plans for the tests, as JSON people can read.

#![allow(dead_code)] // each test file uses its own part
#![allow(clippy::needless_pass_by_value)] // JSON in place reads better than references to it

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

/// A request that is only a step.
#[must_use]
pub fn step(name: &str, method: &str, path: Value, more: Value) -> Value {
    let mut request = with(request(name, method, &path), "weight", json!(0.0));
    for (key, value) in more.as_object().expect("fields") {
        request[key] = value.clone();
    }
    request
}

/// A plan of one flow with these steps; 1.5 s of rate 0 after the load let journeys finish.
#[must_use]
pub fn flow_at(base_url: &str, rps: f64, ms: u64, requests: &[Value]) -> Value {
    let mut plan = plan(base_url, rps, ms);
    let line = plan["rate_line"].as_array_mut().expect("a line");
    line.push(json!({"duration_us": 1_500_000, "from_rps": 0.0, "to_rps": 0.0}));
    let steps: Vec<Value> = (0..requests.len()).map(|request| json!({"request": request})).collect();
    plan["requests"] = json!(requests);
    plan["flows"] = json!([{"name": "flow", "weight": 1.0, "steps": steps}]);
    plan
}

/// A port that hands its first connections to one server and the next to another, as many as stand beside each.
#[must_use]
pub fn switching(ways: &[(u16, u64)]) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let ways = ways.to_vec();
    std::thread::spawn(move || {
        let onwards = ways.into_iter().flat_map(|(to, times)| (0..times).map(move |_| to));
        for (stream, to) in listener.incoming().flatten().zip(onwards) {
            let beyond = std::net::TcpStream::connect(("127.0.0.1", to)).expect("a server");
            for (mut from, mut into) in
                [(stream.try_clone().expect("a stream"), beyond.try_clone().expect("a stream")), (beyond, stream)]
            {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut into);
                    let _ = into.shutdown(std::net::Shutdown::Both);
                });
            }
        }
    });
    port
}
