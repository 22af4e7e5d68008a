//! What clients can ask after: whether a command that was accepted has taken effect, and how often.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use golive_platform::config;
use golive_platform::faults::Faults;
use golive_platform::journey::Arrival;
use golive_platform::model::{ConnectionRef, Platform};

const SECOND: u64 = 1_000_000;
const COMMAND: usize = 0;
const SHOW: usize = 1;

/// Everything is quick but the worker: ten commands a second.
fn described(show: &str) -> String {
    format!(
        r#"{{"name": "test", "namespace": "test",
        "services": [
          {{"name": "api-gateway", "min": 1, "max": 1, "concurrency": 4, "time_ms": {{"p50": 1, "p99": 1}}}},
          {{"name": "worker", "min": 1, "max": 1, "concurrency": 1}}],
        "queues": [{{"name": "commands", "service": "worker", "per_replica_rps": 10}}],
        "routes": [
          {{"method": "POST", "path": "/c", "service": "api-gateway", "status": 202, "queue": "commands", "named": true, "needs": ["X-Idempotency-Key"]}},
          {{"method": "GET", "service": "api-gateway", {show}}}]}}"#
    )
}

fn platform() -> Platform {
    let text = described(r#""path": "/c/{id}", "shows": "commands""#);
    Platform::new(&config::read(&text).expect("a sound configuration"))
}

fn ask(platform: &mut Platform, route: usize, key: u64, at_us: u64) -> u16 {
    platform.advance(at_us);
    platform.admit(Arrival { connection: ConnectionRef::default(), pinned_to: None, route, key: Some(key) });
    platform.advance(at_us + SECOND / 100);
    let mut answers = Vec::new();
    platform.take_answers(&mut answers);
    answers[0].status
}

fn broken(faults: &str) -> Platform {
    let mut platform = platform();
    platform.set_faults(serde_json::from_str::<Faults>(faults).expect("well-formed"));
    platform
}

#[test]
fn a_command_is_unknown_then_pending_then_done_once() {
    let mut platform = platform();
    assert_eq!(ask(&mut platform, SHOW, 7, 0), 404);
    assert_eq!(ask(&mut platform, COMMAND, 6, SECOND), 202);
    assert_eq!(ask(&mut platform, COMMAND, 7, SECOND + SECOND / 50), 202);
    assert_eq!((ask(&mut platform, SHOW, 7, SECOND + SECOND / 20), platform.effects_of(7)), (200, 0));
    assert_eq!((ask(&mut platform, SHOW, 7, 2 * SECOND), platform.effects_of(7)), (200, 1));
}

#[test]
fn a_repeated_command_takes_effect_once() {
    let mut platform = platform();
    for at in 1..4 {
        ask(&mut platform, COMMAND, 7, at * SECOND);
    }
    ask(&mut platform, SHOW, 7, 5 * SECOND);
    assert_eq!(platform.effects_of(7), 1);
}

#[test]
fn a_lost_command_is_worked_off_and_never_shows() {
    let mut platform = broken(r#"{"effects": {"commands": {"lost": 1.0}}}"#);
    ask(&mut platform, COMMAND, 7, 0);
    assert_eq!((ask(&mut platform, SHOW, 7, 9 * SECOND), platform.effects_of(7)), (200, 0));
    assert_eq!(platform.look().queues[0].depth, 0);
}

#[test]
fn a_command_that_is_carried_out_twice_shows_it() {
    let mut platform = broken(r#"{"effects": {"commands": {"repeated": 1.0}}}"#);
    ask(&mut platform, COMMAND, 7, 0);
    ask(&mut platform, SHOW, 7, SECOND);
    assert_eq!(platform.effects_of(7), 2);
}

#[test]
fn a_route_that_shows_needs_a_name_in_its_path_and_a_queue_of_named_commands() {
    for (show, told) in [
        (r#""path": "/c/{id}""#, "routes[1].shows"),
        (r#""path": "/d", "shows": "commands""#, "{id}"),
        (r#""path": "/c/{id}", "shows": "other""#, "is no queue"),
    ] {
        let refused = config::read(&described(show)).expect_err("it cannot be meant").to_string();
        assert!(refused.contains(told), "{refused}");
    }
    for (said, instead, told) in [
        ("X-Idempotency-Key", "X-Other", "routes[0].named"),
        (r#""named": true"#, r#""named": false"#, "no route names its commands"),
    ] {
        let nameless = described(r#""path": "/c/{id}", "shows": "commands""#).replace(said, instead);
        let refused = config::read(&nameless).expect_err("nameless").to_string();
        assert!(refused.contains(told), "{refused}");
    }
}
