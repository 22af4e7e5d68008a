//! What becomes of connections: how many requests each carries, and for how long, as the server sees it.

mod plans;
mod secure_servers;

use std::thread;
use std::time::Duration;

use golive_sender::Engine;
use secure_servers::{configuration, serve, Authority, Seen, Wanted};
use serde_json::{json, Value};

/// What the server saw of 100 requests in half a second under a policy.
fn seen(policy: &Value) -> Vec<Seen> {
    let authority = Authority::new();
    let server = serve(configuration(&authority.identity("localhost"), &Wanted::default()));
    let plan = plans::plan(&format!("https://localhost:{}", server.port), 200.0, 500);
    let plan = plans::with(plans::with(plan, "ca_pem", json!(authority.pem())), "connection", policy.clone());
    let engine = Engine::new(&plan.to_string(), 0, 1).expect("a plan");
    engine.prepare().expect("a target");
    engine.start(10_000, 1_790_000_000_000_000, 60_000_000).expect("a start");
    while engine.state() != "done" {
        thread::sleep(Duration::from_millis(20));
    }
    let delta: Value = serde_json::from_str(&engine.drain(true)).expect("JSON");
    assert_eq!(delta["counts"][0]["ok"], json!(100), "{delta}");
    let seen = server.seen();
    assert_eq!(seen.iter().map(|client| client.requests.len()).sum::<usize>(), 100);
    seen
}

fn says_close(request: &str) -> bool {
    request.contains("\r\nConnection: close\r\n")
}

#[test]
fn by_default_connections_are_kept() {
    let seen = seen(&json!({}));
    assert!(seen.len() < 50 && !seen.iter().flat_map(|client| &client.requests).any(|request| says_close(request)));
}

#[test]
fn without_keep_alive_each_request_has_a_connection_of_its_own_and_says_so() {
    let seen = seen(&json!({"keep_alive": false}));
    assert_eq!(seen.len(), 100);
    assert!(seen.iter().all(|client| client.requests.len() == 1 && says_close(&client.requests[0])));
}

#[test]
fn a_connection_carries_no_more_requests_than_the_plan_allows() {
    let seen = seen(&json!({"requests_per_connection": 7}));
    assert!(seen.iter().all(|client| client.requests.len() <= 7), "{seen:?}");
    assert!(seen.iter().any(|client| client.requests.len() == 7 && says_close(&client.requests[6])), "{seen:?}");
}

#[test]
fn a_connection_takes_no_request_after_its_lifetime() {
    let seen = seen(&json!({"lifetime_us": 100_000}));
    assert!(seen.len() >= 4, "{seen:?}");
}

#[test]
fn a_policy_that_no_connection_can_be_held_to_is_refused() {
    for (policy, at) in [
        (json!({"requests_per_connection": 0}), "connection.requests_per_connection"),
        (json!({"lifetime_us": 0}), "connection.lifetime_us"),
    ] {
        let plan = plans::with(plans::plan("http://localhost:1", 1.0, 1000), "connection", policy);
        let refused = Engine::new(&plan.to_string(), 0, 1).expect_err("unusable").to_string();
        assert!(refused.starts_with(at), "{refused}");
    }
}
