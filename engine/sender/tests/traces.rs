//! Requests say which trace they belong to, and the slowest of them are told one by one with it.

mod plans;
mod servers;

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use golive_sender::Engine;
use serde_json::{json, Value};

fn run(plan: &Value) -> Vec<Value> {
    let engine = Engine::new(&plan.to_string(), 0, 1).expect("a plan");
    engine.prepare().expect("a target");
    engine.start(20_000, 1_790_000_000_000_000, 60_000_000).expect("a start");
    while engine.state() != "done" {
        thread::sleep(Duration::from_millis(20));
    }
    let delta: Value = serde_json::from_str(&engine.drain(true)).expect("JSON");
    delta["exemplars"].as_array().expect("exemplars").clone()
}

/// A server that answers well, and keeps the `traceparent` of each request ("" when it has none).
fn listening() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heard);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let kept = Arc::clone(&kept);
            thread::spawn(move || {
                let mut chunk = [0u8; 2048];
                while let Ok(count @ 1..) = stream.read(&mut chunk) {
                    let text = String::from_utf8_lossy(&chunk[..count]).to_string();
                    let mark = text.lines().find_map(|line| line.strip_prefix("traceparent: ")).unwrap_or("");
                    kept.lock().expect("kept").push(mark.to_string());
                    if stream.write_all(servers::FINE).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, heard)
}

fn traced(url: &str, ratio: f64) -> Value {
    plans::with(plans::plan(url, 200.0, 1000), "trace", json!({"sampled_ratio": ratio}))
}

#[test]
fn every_request_carries_a_trace_of_its_own_in_the_standards_form() {
    let (url, heard) = listening();
    run(&traced(&url, 0.25));
    let heard = heard.lock().expect("heard").clone();
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let mut ids = HashSet::new();
    let mut sampled = 0;
    for mark in &heard {
        let parts: Vec<&str> = mark.split('-').collect();
        let [version, trace, span, flags] = parts[..] else { panic!("{mark:?}") };
        assert!(version == "00" && trace.len() == 32 && span.len() == 16 && is_hex(trace) && is_hex(span), "{mark:?}");
        assert!(trace.bytes().any(|b| b != b'0') && span.bytes().any(|b| b != b'0'), "{mark:?}");
        sampled += match flags {
            "01" => 1,
            "00" => 0,
            _ => panic!("{mark:?}"),
        };
        ids.insert((trace.to_string(), span.to_string()));
    }
    assert_eq!((heard.len(), ids.len()), (200, 200));
    // A quarter of 200, within four standard deviations.
    assert!((25..=75).contains(&sampled), "{sampled}");
}

#[test]
fn a_plan_without_traces_sends_no_mark_and_one_of_the_requests_own_stays() {
    let (url, heard) = listening();
    run(&plans::plan(&url, 50.0, 500));
    assert!(heard.lock().expect("heard").drain(..).all(|mark| mark.is_empty()));
    let mut plan = traced(&url, 1.0);
    plan["requests"][0]["headers"] = json!([["Traceparent", ["mine"]]]);
    run(&plan);
    assert!(heard.lock().expect("heard").iter().all(String::is_empty), "the name is written as the plan has it");
}

#[test]
fn the_same_seed_gives_the_same_traces_and_another_seed_others() {
    let marks = |seed: u64| {
        let (url, heard) = listening();
        run(&plans::with(traced(&url, 1.0), "seed", json!(seed)));
        let heard: HashSet<String> = heard.lock().expect("heard").drain(..).collect();
        heard
    };
    let first = marks(7);
    assert_eq!(first, marks(7));
    assert!(first.is_disjoint(&marks(8)));
}

#[test]
fn the_slowest_of_a_second_are_told_with_their_traces_and_instants() {
    // Every fiftieth request of a connection is answered 60 ms late.
    let server = servers::serve(|stream, number| {
        if number % 50 == 49 {
            thread::sleep(Duration::from_millis(60));
        }
        stream.write_all(servers::FINE).is_ok()
    });
    let exemplars = run(&plans::with(traced(&server.url, 1.0), "connections", json!(1)));
    let of = |one: &Value, field: &str| one[field].as_u64().expect("an instant");
    assert_eq!(exemplars.len(), 2, "{exemplars:?}");
    for one in &exemplars {
        assert_eq!((one["outcome"].as_str(), one["request"].as_str()), (Some("ok"), Some("home")));
        assert!(
            of(one, "due_unix_us") <= of(one, "sent_unix_us") && of(one, "sent_unix_us") <= of(one, "done_unix_us")
        );
        assert!(of(one, "done_unix_us") - of(one, "due_unix_us") >= 40_000, "{one}");
        assert_eq!(one["trace_id"].as_str().expect("a trace").len(), 32);
    }
}

#[test]
fn the_slowest_failures_are_told_by_kind_beside_those_answered() {
    let server = servers::serve(|stream, number| {
        let busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".as_slice();
        stream.write_all(if number % 2 == 0 { servers::FINE } else { busy }).is_ok()
    });
    let exemplars = run(&plans::with(plans::plan(&server.url, 100.0, 1000), "connections", json!(1)));
    let outcomes: Vec<&str> = exemplars.iter().filter_map(|one| one["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["ok", "ok", "status 503", "status 503"]);
    assert!(exemplars.iter().all(|one| one["trace_id"] == "" && one["sampled"] == false));
}

#[test]
fn a_share_of_traces_that_is_none_is_refused() {
    let refused = Engine::new(&traced("http://127.0.0.1:1", 1.5).to_string(), 0, 1).expect_err("no share");
    assert!(refused.to_string().contains("trace.sampled_ratio"), "{refused}");
}
