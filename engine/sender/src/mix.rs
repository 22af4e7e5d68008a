//! Which request or flow an arrival is.

use crate::plan::Plan;
use crate::schedule::Part;

/// Weighted choice among the plan's requests, and after them its flows.
#[derive(Debug, Clone)]
pub struct Mix {
    ends: Vec<f64>, // cumulative shares; the last is 1
    last: usize,    // the last choice that has a share
    requests: usize,
    first_steps: Vec<usize>,
    starts_per_request: f64,
}

impl Mix {
    /// The plan's choices by their weights. A flow's weight counts its requests, so its share of starts is smaller.
    pub fn of(plan: &Plan) -> Self {
        let alone = plan.requests.iter().map(|request| request.weight);
        let flows = || plan.flows.iter().map(|flow| if flow.rate_rps.is_some() { 0.0 } else { flow.weight });
        let starts = flows().zip(&plan.flows).map(|(weight, flow)| weight / flow.steps.len() as f64);
        let weights: Vec<f64> = alone.clone().chain(starts).collect();
        let of_requests: f64 = alone.chain(flows()).sum();
        let of_starts: f64 = weights.iter().sum();
        let mut reached = 0.0;
        let ends = weights
            .iter()
            .map(|weight| {
                reached += weight / of_starts;
                reached
            })
            .collect();
        Self {
            ends,
            last: weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0),
            requests: plan.requests.len(),
            first_steps: plan.flows.iter().map(|flow| flow.steps[0].request).collect(),
            starts_per_request: if of_requests > 0.0 { of_starts / of_requests } else { 0.0 },
        }
    }

    /// How many arrivals there are for each request of the rate line: 1 without flows.
    pub fn starts_per_request(&self) -> f64 {
        self.starts_per_request
    }

    /// Which of the choices a random number means.
    pub fn pick(&self, random: u64) -> usize {
        let point = (random >> 11) as f64 / (1u64 << 53) as f64;
        self.ends.partition_point(|end| *end <= point).min(self.last)
    }

    /// The request that a choice sends first, and what it is part of.
    pub fn meaning(&self, choice: usize) -> (usize, Part) {
        match choice.checked_sub(self.requests) {
            None => (choice, Part::Alone),
            Some(flow) => (self.first_steps[flow], Part::Starts(flow as u32)),
        }
    }
}
