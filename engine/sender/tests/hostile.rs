//! Under any hostility: each request is counted by its kind, memory stays bounded, other requests go through, and it ends.
//!
//! `--nocapture` prints what each trap cost (docs/hostile-servers.md).

mod plans;
mod traps;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use golive_sender::Engine;
use serde_json::{json, Value};

/// Memory is the whole process's, so one test at a time.
static ALONE: Mutex<()> = Mutex::new(());
/// What 300 trapped connections and the server's own threads may take: 200 KiB each.
const GROWTH_LIMIT_KIB: u64 = 64 * 1024;
const CONNECTIONS: usize = 600;

/// One kind of request, added up.
#[derive(Debug, Default)]
struct Kind {
    due: u64,
    ok: u64,
    unsent: u64,
    received_bytes: u64,
    failed: BTreeMap<String, u64>,
}

/// Half the requests go to the trap, 300 in all; what came of each kind, and the lag's P99.
fn spring(url: &str) -> (BTreeMap<String, Kind>, u64) {
    let mut plan = plans::with(plans::plan(url, 1000.0, 600), "connections", json!(CONNECTIONS));
    let trap = plans::request("trap", "GET", &json!(["/trap"]));
    // The floods share this machine's cores with their victim: here it may be late, it may not be lost.
    plan["connect_timeout_us"] = json!(10_000_000);
    plan["requests"][0]["timeout_us"] = json!(10_000_000);
    plan["requests"].as_array_mut().expect("requests").push(trap);
    let engine = Engine::new(&plan.to_string(), 0, 1).expect("a plan");
    engine.prepare().expect("a target");
    engine.start(20_000, 1_790_000_000_000_000, 60_000_000).expect("a start");
    let began = Instant::now();
    while engine.state() != "done" {
        assert!(began.elapsed() < Duration::from_secs(30), "the engine does not end");
        thread::sleep(Duration::from_millis(20));
    }
    let delta: Value = serde_json::from_str(&engine.drain(true)).expect("JSON");
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    for entry in delta["counts"].as_array().expect("counts") {
        let kind = kinds.entry(entry["request"].as_str().expect("a name").into()).or_default();
        let of = |field: &str| entry[field].as_u64().expect("a count");
        kind.due += of("due");
        kind.ok += of("ok");
        kind.unsent += of("unsent");
        kind.received_bytes += of("received_bytes");
        for (failure, count) in entry["failed"].as_object().expect("kinds") {
            *kind.failed.entry(failure.clone()).or_default() += count.as_u64().expect("a count");
        }
    }
    (kinds, lag_p99_us(&delta))
}

fn lag_p99_us(delta: &Value) -> u64 {
    let mut lag = hdrhistogram::Histogram::<u64>::new(3).expect("a histogram");
    for entry in delta["latency"].as_array().expect("latency") {
        if entry["tag"] == "golive.lag" {
            let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, entry["hdr"].as_str().expect("text"));
            let part: hdrhistogram::Histogram<u64> = hdrhistogram::serialization::Deserializer::new()
                .deserialize(&mut bytes.expect("base64").as_slice())
                .expect("a histogram");
            lag.add(&part).expect("added");
        }
    }
    lag.value_at_quantile(0.99)
}

fn memory_kib(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let found = status.lines().find_map(|text| text.strip_prefix(line)).expect("a line");
    found.trim_start_matches(':').trim().trim_end_matches(" kB").parse().expect("a number")
}

fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("/proc");
}

#[test]
fn every_trap_is_counted_by_its_kind_in_bounded_memory_while_the_rest_goes_through() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for (name, kind, trap) in traps::TRAPS {
        let server = traps::lay(trap);
        forget_peak();
        let before_kib = memory_kib("VmRSS");
        let (kinds, lag_us) = spring(&server.url);
        let grown_kib = memory_kib("VmHWM").saturating_sub(before_kib);
        let _ = writeln!(std::io::stderr(), "trap: {name}: {kind:?}, memory +{grown_kib} KiB, lag P99 {lag_us} us");
        let (home, caught) = (&kinds["home"], &kinds["trap"]);
        assert_eq!((home.ok, home.unsent), (home.due, 0), "{name}: the others suffer: {home:?}");
        let heavy = name == "an endless body" || name == "endless chunks";
        let is_expected = |failure: &str| {
            // 16 MiB for each of 300 are more than a core takes in before their time is up.
            failure == kind || (heavy && failure.starts_with("timeout"))
        };
        let count: u64 = caught.failed.iter().filter(|(failure, _)| is_expected(failure)).map(|(_, count)| count).sum();
        assert_eq!(if kind.is_empty() { caught.ok } else { count }, caught.due, "{name}: {caught:?}");
        assert!(grown_kib < GROWTH_LIMIT_KIB, "{name}: {grown_kib} KiB");
    }
}

#[test]
fn a_zip_bomb_costs_what_travels_and_nobody_asked_for_it() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = traps::lay(traps::explode);
    let (kinds, _) = spring(&server.url);
    assert_eq!(kinds["trap"].received_bytes, kinds["trap"].ok * traps::bomb_len());
    assert_eq!(server.asked_for_coding.load(Ordering::SeqCst), 0);
}

#[test]
fn nothing_is_sent_on_a_connection_whose_answer_had_two_ends() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = traps::lay(traps::smuggle);
    let (kinds, _) = spring(&server.url);
    assert!(server.connections.load(Ordering::SeqCst) >= kinds["trap"].ok, "{kinds:?}");
}

/// Serve bare connections, each on a thread of its own.
fn serve_bare(treat: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = thread::Builder::new().stack_size(128 * 1024).spawn(move || treat(stream));
        }
    });
    url
}

fn failures(kinds: &BTreeMap<String, Kind>) -> BTreeMap<&str, u64> {
    let mut all = BTreeMap::new();
    for (kind, count) in kinds.values().flat_map(|kind| &kind.failed) {
        *all.entry(kind.as_str()).or_default() += count;
    }
    all
}

#[test]
fn a_reset_before_the_answer_is_a_reset() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // To close with the request unread is to reset.
    let (kinds, _) = spring(&serve_bare(|stream| {
        let _ = stream.peek(&mut [0u8; 1]);
    }));
    assert_eq!(failures(&kinds), BTreeMap::from([("reset", 600)]));
}

#[test]
fn an_answer_before_the_request_is_taken_for_its_answer_and_nothing_more_is_sent_there() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (kinds, _) = spring(&serve_bare(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 408 Too Slow\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    }));
    assert_eq!(failures(&kinds), BTreeMap::from([("status 408", 600)]));
}

#[test]
fn a_server_that_never_accepts_ends_in_time_outs_of_both_kinds_and_nothing_else() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let mut plan = plans::with(plans::plan(&url, 1000.0, 600), "connections", json!(CONNECTIONS));
    plan["requests"][0]["timeout_us"] = json!(600_000);
    let engine = Engine::new(&plan.to_string(), 0, 1).expect("a plan");
    engine.prepare().expect("room in the queue of connections");
    engine.start(20_000, 1_790_000_000_000_000, 60_000_000).expect("a start");
    while engine.state() != "done" {
        thread::sleep(Duration::from_millis(20));
    }
    let delta: Value = serde_json::from_str(&engine.drain(true)).expect("JSON");
    let mut met: BTreeMap<String, u64> = BTreeMap::new();
    for entry in delta["counts"].as_array().expect("counts") {
        for (kind, count) in entry["failed"].as_object().expect("kinds") {
            *met.entry(kind.clone()).or_default() += count.as_u64().expect("a count");
        }
    }
    // The kernel takes some connections in without the server, and lets the rest knock.
    assert_eq!(met.values().sum::<u64>(), 600, "{met:?}");
    assert!(met.keys().all(|kind| kind == "timeout wait" || kind == "timeout connect"), "{met:?}");
    assert!(met.contains_key("timeout connect"), "{met:?}");
}

#[test]
fn a_login_that_drips_ends_at_its_time_out() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let url = serve_bare(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nA: ");
        while stream.write_all(b"a").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let login = json!({"method": "POST", "path": "/login", "headers": [], "body": ["{}"], "token_pointer": "/t",
                       "tokens": 1, "expect": [200], "timeout_us": 400_000});
    let plan = plans::with(plans::plan(&url, 10.0, 100), "login", login);
    let problem = Engine::new(&plan.to_string(), 0, 1).expect("a plan").prepare().expect_err("no token");
    assert!(problem.contains("no answer in time"), "{problem}");
}
