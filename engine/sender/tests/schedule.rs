//! What is due follows from the plan alone, whoever asks and however the work is split.

mod plans;

use std::collections::BTreeSet;

use golive_sender::{due_counts, Plan, Schedule};
use proptest::prelude::*;
use serde_json::json;

fn plan_of(segments: &[(u64, f64, f64)], arrivals: &str, seed: u64) -> Plan {
    let line: Vec<_> = segments
        .iter()
        .map(|(ms, from, to)| json!({"duration_us": ms * 1000, "from_rps": from, "to_rps": to}))
        .collect();
    let mut plan = plans::plan("http://127.0.0.1:1", 1.0, 1);
    plan["rate_line"] = json!(line);
    plan["arrivals"] = json!(arrivals);
    plan["seed"] = json!(seed);
    plan["requests"] = json!([
        plans::request("a", "GET", &json!(["/a"])),
        {"name": "b", "weight": 3.0, "method": "GET", "path": ["/b"], "headers": [], "body": null,
         "expect": [200], "checks": [], "timeout_us": 1000},
    ]);
    Plan::from_json(&plan.to_string()).expect("a good plan")
}

fn segments() -> impl Strategy<Value = Vec<(u64, f64, f64)>> {
    prop::collection::vec((1u64..3000, 0.0f64..2000.0, 0.0f64..2000.0), 1..5)
}

fn area(segments: &[(u64, f64, f64)]) -> f64 {
    segments.iter().map(|(ms, from, to)| *ms as f64 / 1000.0 * (from + to) / 2.0).sum()
}

/// The integral of the rate line up to an instant, by another road than the engine's.
fn area_by(segments: &[(u64, f64, f64)], at_s: f64) -> f64 {
    let (mut start_s, mut sum) = (0.0, 0.0);
    for (ms, from, to) in segments {
        let duration_s = *ms as f64 / 1000.0;
        let inside_s = (at_s - start_s).clamp(0.0, duration_s);
        let reached = from + (to - from) * inside_s / duration_s;
        sum += inside_s * (from + reached) / 2.0;
        start_s += duration_s;
    }
    sum
}

proptest! {
    #[test]
    fn as_many_are_due_as_the_area_under_the_line(line in segments()) {
        let due = Schedule::new(&plan_of(&line, "constant", 1), 0, 1).count() as f64;
        prop_assert!((due - area(&line)).abs() <= 0.5 + 1e-6);
    }

    #[test]
    fn arrival_k_is_due_where_the_integral_reaches_k_and_a_half(line in segments()) {
        for arrival in Schedule::new(&plan_of(&line, "constant", 1), 0, 1).step_by(97) {
            let reached = area_by(&line, arrival.due_ns as f64 / 1e9);
            // A nanosecond is cut off, during which at most 2000/s · 1 ns is due.
            prop_assert!((reached - (arrival.number as f64 + 0.5)).abs() < 1e-4, "{reached} at {}", arrival.number);
        }
    }

    #[test]
    fn shards_deal_the_arrivals_out_exactly(line in segments(), shards in 1u64..6, seed in 0u64..9) {
        for arrivals in ["constant", "poisson"] {
            let plan = plan_of(&line, arrivals, seed);
            let whole: Vec<_> = Schedule::new(&plan, 0, 1).collect();
            let mut dealt: Vec<_> = (0..shards).flat_map(|shard| Schedule::new(&plan, shard, shards)).collect();
            dealt.sort_by_key(|arrival| arrival.number);
            prop_assert_eq!(&whole, &dealt);
            prop_assert!(whole.windows(2).all(|pair| pair[0].due_ns <= pair[1].due_ns));
        }
    }

    #[test]
    fn the_counts_are_those_of_the_arrivals(line in segments(), shards in 1u64..4) {
        let plan = plan_of(&line, "poisson", 3);
        let whole: u64 = due_counts(&plan, 0, 1).iter().flatten().sum();
        let parts: u64 = (0..shards).flat_map(|shard| due_counts(&plan, shard, shards)).flatten().sum();
        prop_assert_eq!(whole, parts);
        prop_assert_eq!(whole as usize, Schedule::new(&plan, 0, 1).count());
    }
}

#[test]
fn requests_share_the_traffic_by_weight() {
    let plan = plan_of(&[(10_000, 10_000.0, 10_000.0)], "constant", 1);
    let counts = due_counts(&plan, 0, 1).iter().fold([0, 0], |sum, second| [sum[0] + second[0], sum[1] + second[1]]);
    let share = counts[1] as f64 / (counts[0] + counts[1]) as f64;
    assert!((share - 0.75).abs() < 0.01, "{share}");
}

#[test]
fn poisson_gaps_are_exponential() {
    let plan = plan_of(&[(100_000, 1000.0, 1000.0)], "poisson", 11);
    let due: Vec<f64> = Schedule::new(&plan, 0, 1).map(|arrival| arrival.due_ns as f64 / 1e6).collect();
    let gaps: Vec<f64> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    // For an exponential of mean 1 ms both are 1; 100,000 gaps know them to about 1 %.
    assert!((mean - 1.0).abs() < 0.02 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
}

#[test]
fn another_seed_is_another_poisson_process() {
    let of = |seed| Schedule::new(&plan_of(&[(1000, 500.0, 500.0)], "poisson", seed), 0, 1).collect::<Vec<_>>();
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn two_arrivals_are_two_instants_on_a_falling_line() {
    let due: BTreeSet<u64> =
        Schedule::new(&plan_of(&[(1000, 1000.0, 0.0)], "constant", 1), 0, 1).map(|arrival| arrival.due_ns).collect();
    assert_eq!(due.len(), 500);
}
