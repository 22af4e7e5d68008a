//! Tokens renewed while the load goes on: before they expire, off its path, and told when that fails.

#![allow(clippy::needless_pass_by_value)] // JSON in place reads better than references to it

mod plans;
mod shop;
mod steps;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use golive_sender::Engine;
use serde_json::{json, Value};
use shop::Shop;
use steps::{walked, Steps};

/// Gives tokens that live for 400 ms and takes only those; the login fails for a while when told so.
fn token_shop(fails_after: Option<Duration>) -> Shop {
    let (opened, number) = (Instant::now(), AtomicU64::new(0));
    let given: Mutex<BTreeMap<String, Instant>> = Mutex::default();
    shop::open(move |asked| {
        let mut given = given.lock().expect("no panic");
        if asked.path == "/login" {
            if fails_after.is_some_and(|after| opened.elapsed() > after) {
                return shop::json(503, "{}");
            }
            let token = format!("t{}", number.fetch_add(1, Ordering::SeqCst));
            given.insert(token.clone(), Instant::now());
            return shop::json(200, &format!(r#"{{"token":"{token}","expires_in":0.4}}"#));
        }
        let since = asked.header("authorization").strip_prefix("Bearer ").and_then(|token| given.get(token).copied());
        let is_good = since.is_some_and(|since| since.elapsed() < Duration::from_millis(400));
        shop::json(if is_good { 200 } else { 401 }, "{}")
    })
}

fn with_tokens(shop: &Shop, refresh: Value) -> Value {
    let home = plans::with(
        plans::request("home", "GET", &json!(["/"])),
        "headers",
        json!([["Authorization", ["Bearer ", {"token": null}]]]),
    );
    let login = json!({"method": "POST", "path": "/login", "headers": [], "body": ["{}"], "token_pointer": "/token",
        "tokens": 3, "expect": [200], "timeout_us": 500_000, "refresh": refresh});
    let mut plan = plans::with(plans::plan(&shop.url, 100.0, 2500), "login", login);
    plan["requests"] = json!([home]);
    plan
}

#[test]
fn tokens_are_renewed_before_they_expire() {
    for refresh in [
        json!({"before_us": 150_000, "expires_pointer": "/expires_in", "every_us": null}),
        json!({"before_us": 0, "expires_pointer": null, "every_us": 200_000}),
    ] {
        let shop = token_shop(None);
        let steps = walked(&with_tokens(&shop, refresh));
        assert_eq!(steps.of("home").ok, 250, "{:?}", steps.of);
        let renewed: u64 = logins(&steps).iter().filter_map(|entry| entry["ok"].as_u64()).sum();
        let asked = shop.asked_of("/login").len() as u64;
        // Three before the load; one may be under way when the last delta is taken.
        assert!(renewed >= 3 * 6 && renewed + 3 <= asked && asked <= renewed + 4, "{renewed} of {asked}");
    }
}

fn logins(steps: &Steps) -> Vec<Value> {
    steps.deltas.iter().filter_map(|delta| delta["logins"].as_array()).flatten().cloned().collect()
}

#[test]
fn a_renewal_that_fails_is_told_and_stalls_nothing() {
    let shop = token_shop(Some(Duration::from_millis(300)));
    let refresh = json!({"before_us": 100_000, "expires_pointer": "/expires_in", "every_us": null});
    let steps = walked(&with_tokens(&shop, refresh));
    let home = steps.of("home");
    assert!(home.due == 250 && home.unsent == 0 && home.ok >= 30, "{home:?}");
    assert!(home.failed.keys().eq(["status 401"]), "{home:?}");
    let told: Vec<Value> = logins(&steps).into_iter().filter(|entry| entry["failed"].as_u64() > Some(0)).collect();
    assert!(!told.is_empty() && told[0]["said"] == "the login at /login failed: status 503", "{told:?}");
}

#[test]
fn a_login_that_does_not_tell_when_its_token_expires_is_refused_before_the_load() {
    let shop = token_shop(None);
    let plan = with_tokens(&shop, json!({"before_us": 1, "expires_pointer": "/ttl"}));
    let engine = Engine::new(&plan.to_string(), 0, 1).expect("a plan");
    let problem = engine.prepare().expect_err("no such field");
    assert!(problem.contains("no number of seconds above 0 at \"/ttl\""), "{problem}");
}
