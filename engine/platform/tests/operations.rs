//! Scaling, faults and accidents, as the model suffers them.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use golive_platform::config;
use golive_platform::faults::Faults;
use golive_platform::journey::Arrival;
use golive_platform::model::{Answer, ConnectionRef, Platform};
use golive_platform::replicas::ReplicaRef;
use golive_platform::snapshot::{QueueView, ServiceView};

const SECOND: u64 = 1_000_000;
const READ: usize = 0;
const COMMAND: usize = 1;

/// Gateway 1 ms, core 10 ms with a 1 ms database call, workers at 100 commands/s each; all times constant.
fn platform() -> Platform {
    let json = r#"{"name": "test", "namespace": "test", "connections": {"pinned": true},
        "database": {"connections": 4, "time_ms": {"p50": 1, "p99": 1}},
        "services": [
          {"name": "api-gateway", "min": 2, "max": 9, "concurrency": 4, "queue": 100, "time_ms": {"p50": 1, "p99": 1}, "ready_after_s": 3},
          {"name": "core", "min": 2, "max": 9, "concurrency": 2, "queue": 10, "time_ms": {"p50": 9, "p99": 9}, "ready_after_s": 5},
          {"name": "worker", "min": 2, "max": 9, "concurrency": 1, "ready_after_s": 5}],
        "queues": [{"name": "commands", "service": "worker", "per_replica_rps": 100}],
        "routes": [
          {"method": "GET", "path": "/read", "service": "core", "database_calls": 1},
          {"method": "POST", "path": "/command", "service": "core", "status": 202, "queue": "commands", "needs": ["X-Idempotency-Key"]}]}"#;
    Platform::new(&config::read(json).expect("a sound configuration"))
}

fn ask(platform: &mut Platform, route: usize, key: Option<u64>) {
    platform.admit(Arrival { connection: ConnectionRef::default(), pinned_to: None, route, key });
}

fn answers(platform: &mut Platform, until_us: u64) -> Vec<Answer> {
    platform.advance(until_us);
    let mut answers = Vec::new();
    platform.take_answers(&mut answers);
    answers
}

fn statuses(platform: &mut Platform, until_us: u64) -> Vec<u16> {
    answers(platform, until_us).iter().map(|answer| answer.status).collect()
}

fn service(platform: &mut Platform, name: &str) -> ServiceView {
    platform.look().services.into_iter().find(|service| service.name == name).expect("it is there")
}

fn queue(platform: &mut Platform) -> QueueView {
    platform.look().queues.remove(0)
}

fn break_with(platform: &mut Platform, faults: &str) {
    let faults: Faults = serde_json::from_str(faults).expect("well-formed");
    platform.check_faults(&faults).expect("meant");
    platform.set_faults(faults);
}

#[test]
fn a_request_takes_the_time_of_gateway_service_and_database() {
    let mut platform = platform();
    ask(&mut platform, READ, None);
    assert!(statuses(&mut platform, 10_999).is_empty());
    assert_eq!(statuses(&mut platform, 11_000), [200]);
}

#[test]
fn new_replicas_are_ready_after_their_delay() {
    let mut platform = platform();
    platform.set_desired("core", 5).expect("core is there");
    platform.advance(5 * SECOND - 1);
    assert_eq!((service(&mut platform, "core").ready, service(&mut platform, "core").starting), (2, 3));
    platform.advance(5 * SECOND);
    assert_eq!((service(&mut platform, "core").ready, service(&mut platform, "core").starting), (5, 0));
}

#[test]
fn a_full_queue_turns_away_with_503() {
    let mut platform = platform();
    (0..40).for_each(|_| ask(&mut platform, READ, None));
    let found = statuses(&mut platform, 10 * SECOND);
    // Two replicas with two slots and room for ten each.
    assert_eq!((found.iter().filter(|status| **status == 200).count(), found.len()), (24, 40));
    assert!(found.iter().all(|status| [200, 503].contains(status)));
}

#[test]
fn killed_replicas_lose_what_they_had_and_are_replaced() {
    let mut platform = platform();
    (0..4).for_each(|_| ask(&mut platform, READ, None));
    platform.advance(5_000);
    assert_eq!(platform.kill("core", 1), Ok(1));
    assert_eq!(statuses(&mut platform, SECOND), [502, 502, 200, 200]);
    assert_eq!(service(&mut platform, "core").starting, 1);
    platform.advance(6 * SECOND);
    assert_eq!(service(&mut platform, "core").ready, 2);
}

#[test]
fn a_killed_gateway_replica_severs_its_connections_and_answers_nothing() {
    let mut platform = platform();
    let pinned: ReplicaRef = platform.connect().expect("a gateway is ready");
    platform.admit(Arrival { connection: ConnectionRef::default(), pinned_to: Some(pinned), route: READ, key: None });
    platform.advance(5_000);
    platform.kill("api-gateway", 1).expect("it is there");
    assert_eq!(platform.take_severed(), [pinned]);
    assert_eq!((statuses(&mut platform, SECOND), platform.in_flight()), (vec![], 0));
}

#[test]
fn with_no_service_behind_it_the_gateway_says_503() {
    let mut platform = platform();
    break_with(&mut platform, r#"{"never_ready": ["core"]}"#);
    platform.kill("core", 2).expect("core is there");
    platform.advance(60 * SECOND);
    ask(&mut platform, READ, None);
    assert_eq!(statuses(&mut platform, 61 * SECOND), [503]);
    break_with(&mut platform, "{}");
    assert_eq!(service(&mut platform, "core").ready, 2);
}

#[test]
fn a_slow_service_answers_later() {
    let mut platform = platform();
    break_with(&mut platform, r#"{"slow": {"core": 3.0}}"#);
    ask(&mut platform, READ, None);
    assert!(statuses(&mut platform, 28_999).is_empty());
    assert_eq!(statuses(&mut platform, 29_000), [200]);
}

#[test]
fn errors_come_as_often_as_the_fault_says() {
    let mut platform = platform();
    break_with(&mut platform, r#"{"errors": {"core": {"ratio": 0.25, "status": 500}}}"#);
    for step in 0..4000 {
        platform.advance(step * 20_000);
        ask(&mut platform, READ, None);
    }
    let wrong = statuses(&mut platform, 100 * SECOND).iter().filter(|status| **status == 500).count();
    assert!((900..1100).contains(&wrong), "{wrong} of 4000");
}

#[test]
fn less_capacity_serves_fewer_at_a_time() {
    let mut platform = platform();
    break_with(&mut platform, r#"{"capacity": {"core": 0.5}}"#);
    (0..4).for_each(|_| ask(&mut platform, READ, None));
    assert_eq!(statuses(&mut platform, 11_000), [200, 200]);
    assert_eq!(statuses(&mut platform, 21_000), [200, 200]);
}

#[test]
fn held_answers_leave_later() {
    let mut platform = platform();
    break_with(&mut platform, r#"{"answer_delay_ms": 600}"#);
    ask(&mut platform, READ, None);
    assert!(statuses(&mut platform, 610_999).is_empty());
    assert_eq!(statuses(&mut platform, 611_000), [200]);
}

#[test]
fn a_repeated_key_is_accepted_and_not_queued_twice() {
    let mut platform = platform();
    for key in [7, 7, 8] {
        ask(&mut platform, COMMAND, Some(key));
    }
    assert_eq!(statuses(&mut platform, SECOND), [202, 202, 202]);
    assert_eq!((queue(&mut platform).accepted, queue(&mut platform).repeated), (2, 1));
}

#[test]
fn a_command_that_failed_may_come_again() {
    let mut platform = platform();
    break_with(&mut platform, r#"{"errors": {"core": {"ratio": 1.0, "status": 503}}}"#);
    ask(&mut platform, COMMAND, Some(7));
    assert_eq!(statuses(&mut platform, SECOND), [503]);
    break_with(&mut platform, "{}");
    ask(&mut platform, COMMAND, Some(7));
    assert_eq!((statuses(&mut platform, 2 * SECOND), queue(&mut platform).accepted), (vec![202], 1));
}

/// 300 commands/s come for ten seconds; two workers do 200/s.
fn overloaded_queue(platform: &mut Platform) -> u64 {
    for step in 0..3000 {
        platform.advance(step * SECOND / 300);
        ask(platform, COMMAND, Some(step));
    }
    platform.advance(10 * SECOND);
    queue(platform).depth
}

#[test]
fn a_backlog_grows_by_what_the_workers_cannot_do_and_drains_at_their_rate() {
    let mut platform = platform();
    let depth = overloaded_queue(&mut platform);
    assert!((980..=1000).contains(&depth), "{depth}");
    platform.advance(12 * SECOND);
    // A few were still on their way to the queue.
    let drained = depth - queue(&mut platform).depth;
    assert!((390..=400).contains(&drained), "{drained}");
}

#[test]
fn waiting_workers_are_not_busy_and_slow_ones_are() {
    let mut waiting = platform();
    break_with(&mut waiting, r#"{"queue_speed": {"commands": 0.1}}"#);
    overloaded_queue(&mut waiting);
    let mut slow = platform();
    break_with(&mut slow, r#"{"slow": {"worker": 10.0}}"#);
    overloaded_queue(&mut slow);
    assert_eq!(queue(&mut waiting).depth, queue(&mut slow).depth);
    assert!((service(&mut waiting, "worker").busy_ratio_15s - 0.1).abs() < 0.01);
    assert!((service(&mut slow, "worker").busy_ratio_15s - 1.0).abs() < 0.02);
}

#[test]
fn a_draining_gateway_replica_serves_its_connections_until_the_grace_period_ends() {
    let mut platform = platform();
    let pinned = [platform.connect(), platform.connect()].map(|replica| replica.expect("a gateway is ready"));
    platform.set_desired("api-gateway", 1).expect("it is there");
    let leaving = pinned.into_iter().find(|replica| !platform.takes_requests(*replica)).expect("one leaves");
    platform.admit(Arrival { connection: ConnectionRef::default(), pinned_to: Some(leaving), route: READ, key: None });
    assert_eq!(statuses(&mut platform, SECOND), [200]);
    platform.advance(31 * SECOND);
    assert_eq!(platform.take_severed(), [leaving]);
}

#[test]
fn unknown_names_are_refused() {
    let mut platform = platform();
    assert!(platform.set_desired("cote", 3).is_err() && platform.kill("cote", 1).is_err());
    assert!(platform.check_faults(&serde_json::from_str(r#"{"slow": {"cote": 2}}"#).expect("well-formed")).is_err());
    assert!(platform.set_scaling("worker", |_| ()).is_err(), "it has no autoscaler");
}
