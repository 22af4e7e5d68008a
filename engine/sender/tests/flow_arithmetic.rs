//! Whatever mix of requests, weights, flows and rates of their own: what is due adds up exactly over any number of workers.

mod plans;

use std::collections::BTreeMap;

use golive_sender::{due_counts, Arrival, Part, Plan, Schedule};
use proptest::prelude::*;
use serde_json::{json, Value};

/// A mix: single requests with their weights, flows with their steps, weight and rate, and whether tables are shared.
#[derive(Debug, Clone)]
struct Made {
    line: Vec<(u64, f64, f64)>,
    weights: Vec<f64>,
    flows: Vec<(usize, f64, Option<f64>)>,
    arrivals: &'static str,
    shares_a_table: bool,
    seed: u64,
}

impl Made {
    fn plan(&self) -> Plan {
        let line =
            self.line.iter().map(|(ms, from, to)| json!({"duration_us": ms * 1000, "from_rps": from, "to_rps": to}));
        let mut plan = plans::plan("http://127.0.0.1:1", 1.0, 1);
        plan["rate_line"] = line.collect();
        plan["arrivals"] = json!(self.arrivals);
        plan["seed"] = json!(self.seed);
        plan["tables"] = json!([{"name": "t", "columns": ["c"], "rows": [["a"], ["b"], ["c"]], "order": "shared"}]);
        let path = |which: bool| if which { json!(["/", {"csv": ["t", "c"]}]) } else { json!(["/"]) };
        let mut requests: Vec<Value> = Vec::new();
        for (index, weight) in self.weights.iter().enumerate() {
            let request =
                plans::request(&format!("r{index}"), "GET", &path(self.shares_a_table && index.is_multiple_of(2)));
            requests.push(plans::with(request, "weight", json!(weight)));
        }
        let mut flows = Vec::new();
        for (index, (steps, weight, rate_rps)) in self.flows.iter().enumerate() {
            let first = requests.len();
            for step in 0..*steps {
                let request =
                    plans::request(&format!("f{index}/{step}"), "GET", &path(self.shares_a_table && step == 1));
                requests.push(plans::with(request, "weight", json!(0.0)));
            }
            let steps: Vec<Value> = (first..requests.len()).map(|request| json!({"request": request})).collect();
            flows.push(json!({"name": format!("f{index}"), "weight": weight, "rate_rps": rate_rps, "steps": steps}));
        }
        plan["requests"] = json!(requests);
        plan["flows"] = json!(flows);
        Plan::from_json(&plan.to_string()).expect("a good plan")
    }

    fn area(&self) -> f64 {
        self.line.iter().map(|(ms, from, to)| *ms as f64 / 1000.0 * (from + to) / 2.0).sum()
    }

    fn duration_s(&self) -> f64 {
        self.line.iter().map(|(ms, ..)| *ms as f64 / 1000.0).sum()
    }

    /// The flows that share in the line: steps and weight.
    fn weighted(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.flows.iter().filter(|(.., rate)| rate.is_none()).map(|(steps, weight, _)| (*steps, *weight))
    }

    /// The sum of all weights, and how many starts that many requests take.
    fn shares(&self) -> (f64, f64) {
        let alone: f64 = self.weights.iter().sum();
        let of_flows: f64 = self.weighted().map(|(_, weight)| weight).sum();
        let starts: f64 = self.weighted().map(|(steps, weight)| weight / steps as f64).sum();
        (alone + of_flows, alone + starts)
    }
}

fn made() -> impl Strategy<Value = Made> {
    let line = prop::collection::vec((1u64..2000, 0.0f64..800.0, 0.0f64..800.0), 1..4);
    let flow = (1usize..6, 0.01f64..3.0, prop::option::of(0.5f64..300.0));
    (
        line,
        prop::collection::vec(0.01f64..3.0, 1..4),
        prop::collection::vec(flow, 0..4),
        prop::sample::select(vec!["constant", "poisson"]),
        any::<bool>(),
        any::<u64>(),
    )
        .prop_map(|(line, weights, flows, arrivals, shares_a_table, seed)| Made {
            line,
            weights,
            flows,
            arrivals,
            shares_a_table,
            seed,
        })
}

fn all(plan: &Plan) -> Vec<Arrival> {
    Schedule::new(plan, 0, 1).collect()
}

fn started(arrivals: &[Arrival]) -> BTreeMap<Option<u32>, u64> {
    let mut started = BTreeMap::new();
    for arrival in arrivals {
        let flow = if let Part::Starts(flow) = arrival.part { Some(flow) } else { None };
        *started.entry(flow).or_default() += 1;
    }
    started
}

#[test]
fn a_flow_with_a_rate_of_its_own_rests_with_the_line_and_is_as_careful_as_its_canary() {
    let mut plan =
        plans::flow_at("http://127.0.0.1:1", 10.0, 1000, &[plans::step("a", "GET", json!(["/"]), json!({}))]);
    plan["flows"][0]["rate_rps"] = json!(100.0);
    plan["rate_line"] = json!([
        {"duration_us": 10_000_000, "from_rps": 1.0, "to_rps": 1.0, "beside_share": 0.01},
        {"duration_us": 2_000_000, "from_rps": 0.0, "to_rps": 10.0},
        {"duration_us": 3_000_000, "from_rps": 0.0, "to_rps": 0.0},
        {"duration_us": 1_000_000, "from_rps": 10.0, "to_rps": 10.0},
        {"duration_us": 1_000_000, "from_rps": 0.0, "to_rps": 0.0},
    ]);
    let arrivals = all(&Plan::from_json(&plan.to_string()).expect("a good plan"));
    let between = |from_s: u64, to_s: u64| {
        let within = |arrival: &&Arrival| (from_s..to_s).contains(&(arrival.due_ns / 1_000_000_000));
        arrivals.iter().filter(within).count()
    };
    assert_eq!(
        [(0, 10), (10, 12), (12, 15), (15, 16), (16, 99)].map(|(from, to)| between(from, to)),
        [10, 200, 0, 100, 0]
    );
}

proptest! {
    #[test]
    fn workers_deal_out_each_arrival_once_and_know_the_same_of_it(made in made(), workers in 1u64..14) {
        let plan = made.plan();
        let whole = all(&plan);
        let mut dealt: Vec<Arrival> = (0..workers).flat_map(|worker| Schedule::new(&plan, worker, workers)).collect();
        dealt.sort_by_key(|arrival| arrival.number);
        prop_assert_eq!(&dealt, &whole);
        prop_assert!(whole.iter().map(|arrival| arrival.number).eq(0..whole.len() as u64), "numbers without a gap");
        prop_assert!(whole.windows(2).all(|pair| pair[0].due_ns <= pair[1].due_ns), "in the order of their instants");
        let end_ns = (made.duration_s() * 1e9) as u64 + 1;
        prop_assert!(whole.iter().all(|arrival| arrival.due_ns <= end_ns));
    }

    #[test]
    fn the_seconds_of_all_workers_are_those_of_the_plan(made in made(), workers in 1u64..14) {
        let plan = made.plan();
        let mut sum = due_counts(&plan, 0, workers);
        for worker in 1..workers {
            for (second, more) in sum.iter_mut().zip(due_counts(&plan, worker, workers)) {
                second.iter_mut().zip(more).for_each(|(there, count)| *there += count);
            }
        }
        let whole = due_counts(&plan, 0, 1);
        prop_assert_eq!(&sum, &whole);
        prop_assert_eq!(whole.iter().flatten().sum::<u64>() as usize, all(&plan).len());
    }

    #[test]
    fn a_flow_with_a_rate_of_its_own_starts_so_often_whatever_else_is_due(made in made()) {
        let made = Made { arrivals: "constant", ..made };
        let started = started(&all(&made.plan()));
        for (index, (.., rate)) in made.flows.iter().enumerate() {
            if let Some(rate) = rate {
                let starts = started.get(&Some(index as u32)).copied().unwrap_or(0) as f64;
                prop_assert!((starts - rate * made.duration_s()).abs() <= 0.5 + 1e-6, "{starts} at {rate}/s");
            }
        }
    }

    #[test]
    fn weights_are_in_requests(made in made()) {
        let made = Made { arrivals: "constant", ..made };
        let started = started(&all(&made.plan()));
        let own = |flow: &u32| made.flows[*flow as usize].2.is_some();
        let on_line: u64 = started.iter().filter(|(flow, _)| !flow.as_ref().is_some_and(own)).map(|(_, count)| count).sum();
        // A flow of n steps is n of the line's requests, and one start.
        let (weights, starts) = made.shares();
        prop_assert!((on_line as f64 - made.area() * starts / weights).abs() <= 0.5 + 1e-6, "{on_line} starts");
        // Which start is which flow's is drawn: within six sigmas of its share.
        for (index, (steps, weight, rate)) in made.flows.iter().enumerate() {
            let share = weight / *steps as f64 / starts;
            let drawn = started.get(&Some(index as u32)).copied().unwrap_or(0) as f64;
            let sigma = (on_line as f64 * share * (1.0 - share)).sqrt();
            prop_assert!(rate.is_some() || (drawn - on_line as f64 * share).abs() <= 6.0 * sigma + 1.0, "{drawn}");
        }
    }

    #[test]
    fn rows_taken_in_turn_are_taken_once_over_all_workers(made in made(), workers in 1u64..14) {
        let plan = Made { shares_a_table: true, ..made }.plan();
        let uses_it = |arrival: &&Arrival| match arrival.part {
            Part::Starts(flow) => plan.flows[flow as usize].steps.len() > 1,
            _ => arrival.request.is_multiple_of(2),
        };
        let mut turns: Vec<u32> = (0..workers)
            .flat_map(|worker| Schedule::new(&plan, worker, workers).collect::<Vec<_>>())
            .filter(|arrival| uses_it(&arrival))
            .map(|arrival| arrival.turn.of_all)
            .collect();
        turns.sort_unstable();
        prop_assert!(turns.iter().copied().eq(0..turns.len() as u32), "{turns:?}");
    }
}
