//! Every due arrival ends as exactly one of ok, failed by kind, or unsent: with good servers and hostile ones.

mod account;
mod plans;
mod servers;

use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use account::{finish, started, Account, UNIX_US};
use golive_sender::Engine;
use serde_json::{json, Value};
use servers::{fine, hang, say, serve};

fn run(plan: &Value) -> Account {
    finish(&started(plan))
}

#[test]
fn a_good_server_answers_all_of_it() {
    let server = serve(fine);
    let account = run(&plans::plan(&server.url, 500.0, 1000));
    assert_eq!((account.due, account.ok), (500, 500));
    assert_eq!(server.requests.load(Ordering::SeqCst), 500);
}

#[test]
fn every_hostility_is_counted_by_its_kind() {
    let cases: [(&str, servers::Treat); 11] = [
        ("status 503", |s, _| s.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n").is_ok()),
        ("redirect", |s, _| {
            s.write_all(b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n").is_ok()
        }),
        ("malformed", |s, _| say(s, b"\x16\x03\x01 what?\r\n\r\n")),
        ("reset", |_, _| false),
        ("reset", |s, _| say(s, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")),
        ("timeout wait", |_, _| hang()),
        ("timeout body", |s, _| {
            let _ = s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
            hang()
        }),
        ("too large", |s, _| say(s, b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n")),
        ("too large", |s, _| {
            let block = vec![b'x'; 65536];
            let _ = s.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            for _ in 0..500 {
                if s.write_all(&block).is_err() {
                    break;
                }
            }
            false
        }),
        ("too large", |s, _| {
            for _ in 0..4000 {
                if s.write_all(b"X-Endless: aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n").is_err() {
                    break;
                }
            }
            false
        }),
        ("malformed", |s, _| {
            for _ in 0..2000 {
                if s.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").is_err() {
                    break;
                }
            }
            false
        }),
    ];
    for (index, (kind, treat)) in cases.into_iter().enumerate() {
        let server = serve(treat);
        // The head of case 9 begins without a status line, which is malformed at once.
        let expected = if index == 9 { "malformed" } else { kind };
        let account = run(&plans::plan(&server.url, 20.0, 500));
        assert_eq!(account.only(), Some((expected, 10)), "case {index} {kind}: {account:?}");
    }
}

#[test]
fn a_slow_drip_ends_at_the_time_out() {
    let server = serve(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
        for _ in 0..100 {
            thread::sleep(Duration::from_millis(50));
            if stream.write_all(b".").is_err() {
                break;
            }
        }
        false
    });
    let account = run(&plans::plan(&server.url, 20.0, 500));
    assert_eq!(account.only(), Some(("timeout body", 10)));
}

#[test]
fn a_failed_check_is_a_failure_of_its_own_kind() {
    let server = serve(fine);
    let mut plan = plans::plan(&server.url, 20.0, 500);
    plan["requests"][0]["checks"] = json!([{"body_contains": "gold"}]);
    assert_eq!(run(&plan).only(), Some(("check", 10)));
}

#[test]
fn a_server_that_goes_away_is_refused_and_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let engine = Engine::new(&plans::plan(&url, 20.0, 500).to_string(), 0, 1).expect("a plan");
    engine.prepare().expect("a target");
    drop(listener);
    engine.start(10_000, UNIX_US, 60_000_000).expect("a start");
    let account = finish(&engine);
    assert_eq!(account.only(), Some(("refused", 10)));
    assert_eq!(account.unavailable, 10);
}

#[test]
fn nobody_there_is_told_before_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let engine = Engine::new(&plans::plan(&url, 20.0, 500).to_string(), 0, 1).expect("a plan");
    let problem = engine.prepare().expect_err("nobody listens");
    assert!(problem.contains("connection refused"), "{problem}");
}

#[test]
fn arrivals_that_find_no_connection_in_time_are_unsent_and_nothing_is_dropped() {
    let server = serve(|_, _| hang());
    let plan = plans::with(plans::plan(&server.url, 4000.0, 500), "connections", json!(1));
    let account = run(&plan);
    assert_eq!(account.due, 2000);
    // The one connection waits for an answer until its arrival's time is up; four more arrivals run out each ms.
    assert!(account.unsent > 1000, "{account:?}");
    assert_eq!(account.failed.get("timeout wait").copied().unwrap_or(0) + account.unsent, 2000);
}

#[test]
fn a_connection_the_server_closes_between_requests_costs_no_failure() {
    let server = serve(|stream, number| {
        let _ = stream.write_all(servers::FINE);
        number < 2
    });
    let account = run(&plans::plan(&server.url, 300.0, 1000));
    assert_eq!((account.ok, account.due), (300, 300), "{account:?}");
}

/// A run at a server that ends each connection with its second request unanswered, and how many requests reached it.
fn at_a_server_that_drops_every_second_request(method: &str, headers: &Value) -> (Account, u64) {
    let server = serve(|stream, number| number == 0 && stream.write_all(servers::FINE).is_ok());
    let mut plan = plans::plan(&server.url, 100.0, 500);
    plan["requests"][0]["method"] = json!(method);
    plan["requests"][0]["headers"] = headers.clone();
    (run(&plan), server.requests.load(Ordering::SeqCst))
}

#[test]
fn what_may_be_repeated_is_when_a_kept_connection_ends_under_it_and_the_repetitions_are_told() {
    let key = json!([["X-Idempotency-Key", [{"uuid": null}]]]);
    for (method, headers) in [("GET", json!([])), ("OPTIONS", json!([])), ("PUT", json!([])), ("POST", key)] {
        let (account, reached) = at_a_server_that_drops_every_second_request(method, &headers);
        assert_eq!((account.due, account.sent, account.ok), (50, 50, 50), "{method}: {account:?}");
        assert!(account.repeated > 20, "{method}: {account:?}");
        assert_eq!(reached, account.sent + account.repeated, "{method}: {account:?}");
    }
}

#[test]
fn what_may_have_been_done_is_not_repeated_and_counts_as_reset() {
    let (account, reached) = at_a_server_that_drops_every_second_request("POST", &json!([]));
    assert_eq!((account.only(), account.repeated, reached), (Some(("reset", 25)), 0, 50), "{account:?}");
}

#[test]
fn connection_close_is_obeyed() {
    let server = serve(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        false
    });
    let account = run(&plans::plan(&server.url, 200.0, 500));
    assert_eq!(account.ok, 100, "{account:?}");
}

#[test]
fn halting_makes_nothing_more_due_and_accounts_for_the_rest() {
    let server = serve(fine);
    let engine = started(&plans::plan(&server.url, 1000.0, 60_000));
    thread::sleep(Duration::from_millis(500));
    engine.halt("enough");
    let account = finish(&engine);
    assert!(account.due > 100 && account.due < 2000, "{account:?}");
    assert_eq!(account.halted_because, "enough");
}

#[test]
fn without_a_renewed_lease_the_engine_halts_by_itself() {
    let server = serve(fine);
    let engine = Engine::new(&plans::plan(&server.url, 100.0, 60_000).to_string(), 0, 1).expect("a plan");
    engine.prepare().expect("a target");
    engine.start(0, UNIX_US, 300_000).expect("a start");
    let account = finish(&engine);
    assert_eq!(account.halted_because, "lease ended");
    assert!((20..=60).contains(&account.due), "{account:?}");
}

#[test]
fn several_threads_share_the_arrivals_exactly() {
    let server = serve(fine);
    let plan = plans::with(plans::plan(&server.url, 600.0, 1000), "threads", json!(3));
    assert_eq!(run(&plan).ok, 600);
}

#[test]
fn without_a_grid_each_is_sent_at_its_instant() {
    let server = serve(fine);
    let account = run(&plans::with(plans::plan(&server.url, 200.0, 500), "grid_us", json!(0)));
    assert_eq!(account.ok, 100);
}

#[test]
fn a_second_start_is_refused() {
    let server = serve(fine);
    let engine = started(&plans::plan(&server.url, 10.0, 100));
    assert!(engine.start(0, UNIX_US, 1).is_err());
    let _ = finish(&engine);
}

#[test]
fn a_login_brings_the_token_and_never_tells_it() {
    let server = serve(|stream, _| {
        let body = br#"{"access_token":"s3cret"}"#;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), body].concat()).is_ok()
    });
    let login = |pointer: &str| {
        json!({"method": "POST", "path": "/login", "headers": [], "body": [r#"{"password":"hidden"}"#],
               "token_pointer": pointer, "tokens": 2, "expect": [200], "timeout_us": 1_000_000})
    };
    let engine = |pointer| {
        let plan = plans::with(plans::plan(&server.url, 10.0, 100), "login", login(pointer));
        Engine::new(&plan.to_string(), 0, 1).expect("a plan")
    };
    assert_eq!(engine("/access_token").prepare(), Ok(()));
    let problem = engine("/token").prepare().expect_err("no such field");
    assert!(problem.contains("/login") && !problem.contains("s3cret") && !problem.contains("hidden"), "{problem}");
}
