//! A closed loop: whoever is free sends the next request, and everything is still accounted for.

mod account;
mod plans;
mod servers;

use std::sync::atomic::Ordering;

use account::{finish, started};
use golive_sender::{due_counts, Plan};
use serde_json::{json, Value};
use servers::{fine, serve, FINE};

fn closed(base_url: &str, duration_ms: u64, connections: u64) -> Value {
    let plan = plans::with(plans::plan(base_url, 1.0, duration_ms), "arrivals", json!("closed"));
    plans::with(plan, "connections", json!(connections))
}

#[test]
fn what_it_counts_is_what_the_server_counts() {
    let server = serve(fine);
    let account = finish(&started(&closed(&server.url, 1000, 8)));
    assert_eq!(account.ok, server.requests.load(Ordering::SeqCst));
    assert_eq!((account.due, account.sent, account.unsent), (account.ok, account.ok, 0));
    assert!(account.ok > 1000, "eight free connections make more than {} requests in a second", account.ok);
}

#[test]
fn a_slow_answer_delays_the_next_request() {
    let server = serve(|stream, number| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        fine(stream, number)
    });
    let account = finish(&started(&closed(&server.url, 1000, 2)));
    assert!((2..=20).contains(&account.ok), "two connections of ten answers a second: {}", account.ok);
}

#[test]
fn a_connection_that_the_server_ends_is_followed_by_another() {
    let server = serve(|stream, number| {
        let _ = std::io::Write::write_all(stream, FINE);
        number < 9
    });
    let account = finish(&started(&closed(&server.url, 1000, 4)));
    assert!(account.ok > 100, "the loop went on: {}", account.ok);
    assert_eq!(account.due, account.ok + account.failed.values().sum::<u64>());
}

#[test]
fn a_halt_ends_it_at_once() {
    let server = serve(fine);
    let engine = started(&closed(&server.url, 60_000, 4));
    std::thread::sleep(std::time::Duration::from_millis(300));
    engine.halt("enough");
    let account = finish(&engine);
    assert_eq!(account.ok, server.requests.load(Ordering::SeqCst));
    assert_eq!(account.halted_because, "enough");
}

#[test]
fn several_threads_share_it() {
    let server = serve(fine);
    let account = finish(&started(&plans::with(closed(&server.url, 500, 8), "threads", json!(2))));
    assert_eq!(account.ok, server.requests.load(Ordering::SeqCst));
}

#[test]
fn a_plan_alone_does_not_know_what_is_due() {
    let plan = Plan::from_json(&closed("http://127.0.0.1:1", 3000, 4).to_string()).expect("a good plan");
    assert_eq!(due_counts(&plan, 0, 1), vec![vec![0], vec![0], vec![0]]);
}
