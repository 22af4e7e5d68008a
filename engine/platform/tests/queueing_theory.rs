//! The model against queueing theory: what it says of waits and capacity is what mathematics says.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use golive_platform::config::{self, Config};
use golive_platform::journey::Arrival;
use golive_platform::model::{ConnectionRef, Platform};
use proptest::prelude::*;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// A gateway that costs next to nothing before one service of `replicas` × `slots`.
fn config(replicas: u32, slots: u32, queue: usize, time_ms: &str) -> Config {
    let json = format!(
        r#"{{"name": "theory", "namespace": "test", "gateway": "gateway", "connections": {{"pinned": false}},
        "services": [
          {{"name": "gateway", "min": 1, "max": 1, "concurrency": 10000, "time_ms": {{"p50": 0.001, "p99": 0.001}}}},
          {{"name": "core", "min": 1, "max": 900, "start": {replicas}, "concurrency": {slots}, "queue": {queue},
            "time_ms": {time_ms}}}],
        "routes": [{{"method": "GET", "path": "/", "service": "core"}}]}}"#
    );
    config::read(&json).expect("a sound configuration")
}

fn request() -> Arrival {
    Arrival { connection: ConnectionRef::default(), pinned_to: None, route: 0, key: None }
}

/// Offer Poisson arrivals at `rate_rps`; the mean time in the platform, in µs.
fn mean_time_us(platform: &mut Platform, rate_rps: f64, arrivals: u32) -> f64 {
    let (mut random, mut at_us) = (SmallRng::seed_from_u64(3), 0.0_f64);
    for _ in 0..arrivals {
        at_us += -(1.0 - random.random::<f64>()).ln() * 1e6 / rate_rps;
        platform.advance(at_us as u64);
        platform.admit(request());
    }
    platform.advance(at_us as u64 + 600_000_000);
    let durations = &platform.look().counts.durations[1];
    durations.sum_us as f64 / durations.count() as f64
}

/// Erlang C: the mean wait in M/M/c with offered load `erlangs` and mean service time `service_us`.
fn mmc_wait_us(slots: u32, erlangs: f64, service_us: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..slots {
        term *= erlangs / f64::from(k);
        sum += term;
    }
    let last = term * erlangs / f64::from(slots) / (1.0 - erlangs / f64::from(slots));
    let waits = last / (sum + last);
    waits * service_us / (f64::from(slots) - erlangs)
}

#[test]
fn constant_times_at_one_slot_wait_as_pollaczek_and_khinchine_say() {
    for load in [0.5, 0.8, 0.9] {
        let mut platform = Platform::new(&config(1, 1, 1_000_000, r#"{"p50": 10.0, "p99": 10.0}"#));
        let wait_us = mean_time_us(&mut platform, load * 100.0, 300_000) - 10_000.0;
        // M/D/1: ρ / (2 (1 - ρ)) service times.
        let theory_us = 10_000.0 * load / (2.0 * (1.0 - load));
        assert!((wait_us / theory_us - 1.0).abs() < 0.06, "load {load}: {wait_us} µs, theory {theory_us}");
    }
}

#[test]
fn two_kinds_of_work_wait_by_their_second_moment() {
    let time = r#"{"choices": [{"ms": 5, "weight": 9}, {"ms": 100, "weight": 1}]}"#;
    let mut platform = Platform::new(&config(1, 1, 1_000_000, time));
    let (mean_s, square_s2) = (0.9 * 0.005 + 0.1 * 0.1, 0.9 * 0.005 * 0.005 + 0.1 * 0.1 * 0.1);
    let rate = 0.6 / mean_s;
    let wait_us = mean_time_us(&mut platform, rate, 400_000) - mean_s * 1e6;
    let theory_us = 1e6 * rate * square_s2 / (2.0 * (1.0 - 0.6));
    assert!((wait_us / theory_us - 1.0).abs() < 0.06, "{wait_us} µs, theory {theory_us}");
}

#[test]
fn several_slots_wait_as_erlang_says() {
    // Sixty-four steps of the exponential's quantiles stand for it: mean 10 ms, squared variation 0.97.
    let steps: Vec<f64> = (0..64).map(|step| -10.0 * (1.0 - (f64::from(step) + 0.5) / 64.0).ln()).collect();
    let choices: Vec<String> = steps.iter().map(|ms| format!(r#"{{"ms": {ms}, "weight": 1}}"#)).collect();
    let mut platform = Platform::new(&config(1, 4, 1_000_000, &format!(r#"{{"choices": [{}]}}"#, choices.join(","))));
    let mean_ms = steps.iter().sum::<f64>() / 64.0;
    let variation = steps.iter().map(|ms| ms * ms).sum::<f64>() / 64.0 / (mean_ms * mean_ms) - 1.0;
    let erlangs = 3.4;
    let wait_us = mean_time_us(&mut platform, erlangs * 1000.0 / mean_ms, 400_000) - mean_ms * 1000.0;
    // Allen and Cunneen: M/G/c waits (1 + C²)/2 of M/M/c.
    let theory_us = mmc_wait_us(4, erlangs, mean_ms * 1000.0) * f64::midpoint(1.0, variation);
    assert!((wait_us / theory_us - 1.0).abs() < 0.08, "{wait_us} µs, theory {theory_us}");
}

/// Flood it: how many are answered well in ten seconds?
fn served_in_ten_seconds(platform: &mut Platform, rate_rps: u64) -> u64 {
    for at in 0..rate_rps * 10 {
        platform.advance(at * 1_000_000 / rate_rps);
        platform.admit(request());
    }
    platform.advance(10_000_000);
    platform.look().counts.inner[0].0.iter().filter(|(code, _)| *code == 200).map(|(_, count)| count).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn capacity_is_replicas_times_slots_over_time(replicas in 1u32..9, slots in 1u32..9, ms in 2u32..30) {
        let mut platform = Platform::new(&config(replicas, slots, 50, &format!(r#"{{"p50": {ms}, "p99": {ms}}}"#)));
        let capacity = f64::from(replicas * slots) * 1000.0 / f64::from(ms);
        let served = served_in_ten_seconds(&mut platform, (capacity * 1.5) as u64 + 10) as f64 / 10.0;
        prop_assert!((served / capacity - 1.0).abs() < 0.02, "served {} of {}", served, capacity);
    }

    #[test]
    fn every_request_is_answered_once_or_still_inside(
        slots in 1u32..4, queue in 0usize..20, gaps in proptest::collection::vec(0u64..4_000, 1..400), kills in 0usize..3,
    ) {
        let mut platform = Platform::new(&config(3, slots, queue, r#"{"p50": 4.0, "p99": 20.0}"#));
        let mut answers = Vec::new();
        let mut at_us = 0;
        for (index, gap_us) in gaps.iter().enumerate() {
            at_us += gap_us;
            platform.advance(at_us);
            platform.admit(request());
            if index == gaps.len() / 2 {
                platform.kill("core", kills).expect("core is there");
            }
            platform.take_answers(&mut answers);
            prop_assert_eq!(answers.len() + platform.in_flight(), index + 1);
        }
        platform.advance(at_us + 60_000_000);
        platform.take_answers(&mut answers);
        prop_assert_eq!((answers.len(), platform.in_flight()), (gaps.len(), 0));
        prop_assert_eq!(platform.look().counts.answered, gaps.len() as u64);
    }
}
