//! The plan's flows, made ready to be walked.

use crate::journey_plan::{Flow, Poll};
use crate::plan::Plan;
use crate::standing::Standing;

/// A flow.
#[derive(Debug)]
pub struct Path {
    pub stops: Vec<Stop>,
    pub has_cookies: bool,
    /// How many values its steps capture.
    pub names: usize,
}

/// A step of a flow.
#[derive(Debug)]
pub struct Stop {
    pub request: usize,
    pub think_ns: (u64, u64),
    /// Where each of the request's captures goes, and where it will stand.
    pub captures: Vec<(usize, Standing)>,
    pub poll: Option<Pace>,
}

/// When a poll looks again, and how long.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_field_names)] // the unit belongs in every name
pub struct Pace {
    pub every_ns: u64,
    pub give_up_ns: u64,
    pub settle_ns: u64,
}

/// All flows of a plan.
pub fn paths(plan: &Plan) -> Vec<Path> {
    plan.flows.iter().map(|flow| path(plan, flow)).collect()
}

fn path(plan: &Plan, flow: &Flow) -> Path {
    let names = plan.captured_names(flow);
    let stops = flow
        .steps
        .iter()
        .map(|step| {
            let request = &plan.requests[step.request];
            let place = |name: &str| {
                let slot = names.iter().position(|known| *known == name)?;
                Some((slot, Standing::of(plan, flow, name)))
            };
            Stop {
                request: step.request,
                think_ns: (step.think_us.0 * 1000, step.think_us.1 * 1000),
                captures: request.captures.iter().filter_map(|capture| place(&capture.name)).collect(),
                poll: request.poll.as_ref().map(pace),
            }
        })
        .collect();
    Path { stops, has_cookies: flow.cookies, names: names.len() }
}

fn pace(poll: &Poll) -> Pace {
    Pace { every_ns: poll.every_us * 1000, give_up_ns: poll.give_up_us * 1000, settle_ns: poll.settle_us * 1000 }
}
