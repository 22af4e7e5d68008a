//! Whether a plan's flows can be walked: every step there, every captured name known before it is used.

use std::collections::{BTreeMap, BTreeSet};

use crate::capture::Finder;
use crate::checks::Test;
use crate::error::EngineError;
use crate::journey_plan::{Capture, Flow, Poll, Refresh, Step};
use crate::plan::{refuse, Arrivals, Check, Piece, Plan, Request, Text, Value, LONGEST_US};

/// No think time is longer: beyond an hour it is a mistake of units.
const LONGEST_THINK_US: u64 = 3_600_000_000;

/// Look through everything a plan says of flows.
pub fn check_flows(plan: &Plan) -> Result<(), EngineError> {
    if plan.arrivals == Arrivals::Closed && !plan.flows.is_empty() {
        return refuse("flows", "need arrivals that follow a schedule, not a closed loop".into());
    }
    let owners = owners(plan)?;
    for (index, flow) in plan.flows.iter().enumerate() {
        check_flow(&format!("flows[{index}]"), plan, flow)?;
    }
    for (index, request) in plan.requests.iter().enumerate() {
        let at = format!("requests[{index}]");
        check_answers(&at, request)?;
        if request.weight > 0.0 || !owners.contains_key(&index) {
            check_alone(&at, request, owners.contains_key(&index))?;
        }
    }
    let started = plan.requests.iter().any(|request| request.weight > 0.0)
        || plan.flows.iter().any(|flow| flow.rate_rps.is_some() || flow.weight > 0.0);
    if !started {
        return refuse("requests", "no request and no flow has a weight above 0".into());
    }
    Ok(())
}

/// Which flow each request is a step of.
fn owners(plan: &Plan) -> Result<BTreeMap<usize, usize>, EngineError> {
    let mut owners = BTreeMap::new();
    for (index, flow) in plan.flows.iter().enumerate() {
        for (step, Step { request, .. }) in flow.steps.iter().enumerate() {
            let at = format!("flows[{index}].steps[{step}].request");
            if *request >= plan.requests.len() {
                return refuse(&at, format!("there is no requests[{request}]: the plan has {}", plan.requests.len()));
            }
            let owner = *owners.entry(*request).or_insert(index);
            if owner != index {
                let name = &plan.requests[*request].name;
                return refuse(&at, format!("{name:?} is a step of flows[{owner}] already: give each flow its own"));
            }
        }
    }
    Ok(owners)
}

fn check_flow(at: &str, plan: &Plan, flow: &Flow) -> Result<(), EngineError> {
    if flow.steps.is_empty() {
        return refuse(&format!("{at}.steps"), "is empty".into());
    }
    if plan.flows.iter().filter(|other| other.name == flow.name).count() > 1 {
        return refuse(&format!("{at}.name"), format!("{:?} is the name of two flows", flow.name));
    }
    match flow.rate_rps {
        Some(rate) if !rate.is_finite() || rate <= 0.0 => {
            return refuse(&format!("{at}.rate_rps"), format!("must be above 0, not {rate}"));
        }
        None if !flow.weight.is_finite() || flow.weight <= 0.0 => {
            return refuse(&format!("{at}.weight"), format!("must be above 0, not {}", flow.weight));
        }
        _ => {}
    }
    check_steps(at, plan, flow)
}

fn check_steps(at: &str, plan: &Plan, flow: &Flow) -> Result<(), EngineError> {
    let mut known = BTreeSet::new();
    for (index, step) in flow.steps.iter().enumerate() {
        let at = format!("{at}.steps[{index}]");
        let request = &plan.requests[step.request];
        let (low, high) = step.think_us;
        if low > high || high > LONGEST_THINK_US {
            return refuse(&format!("{at}.think_us"), format!("{low} to {high} is no range within an hour"));
        }
        if index == 0 && request.poll.is_some() {
            return refuse(&at, format!("{:?} polls, but a first step has nothing to wait for", request.name));
        }
        for name in captured_in(request) {
            if !known.contains(name) {
                return refuse(&at, format!("{:?} uses {name:?}, which no step before it captures", request.name));
            }
        }
        known.extend(request.captures.iter().map(|capture| capture.name.as_str()));
    }
    Ok(())
}

/// A request that is sent by itself knows nothing of what went before.
fn check_alone(at: &str, request: &Request, is_step: bool) -> Result<(), EngineError> {
    if request.weight == 0.0 && !is_step {
        return refuse(&format!("{at}.weight"), "is 0, and no flow has it as a step: it would never be sent".into());
    }
    if let Some(name) = captured_in(request).first() {
        return refuse(at, format!("{:?} uses {name:?}, but is sent by itself: nothing was captured", request.name));
    }
    if request.poll.is_some() {
        return refuse(
            &format!("{at}.poll"),
            "is for steps of flows: a request by itself has nothing to wait for".into(),
        );
    }
    Ok(())
}

/// What a request's answer is looked through for.
fn check_answers(at: &str, request: &Request) -> Result<(), EngineError> {
    check_tests(&format!("{at}.checks"), &request.checks)?;
    check_captures(&format!("{at}.captures"), &request.captures)?;
    match &request.poll {
        Some(poll) => check_poll(&format!("{at}.poll"), poll),
        None => Ok(()),
    }
}

fn check_captures(at: &str, captures: &[Capture]) -> Result<(), EngineError> {
    let mut names = BTreeSet::new();
    for (index, capture) in captures.iter().enumerate() {
        let at = format!("{at}[{index}]");
        if !names.insert(&capture.name) {
            return refuse(&format!("{at}.name"), format!("{:?} is captured twice", capture.name));
        }
        Finder::compile(&format!("{at}.from"), &capture.from)?;
    }
    Ok(())
}

fn check_poll(at: &str, poll: &Poll) -> Result<(), EngineError> {
    if poll.until.is_empty() {
        return refuse(&format!("{at}.until"), "is empty: the first answer would end it".into());
    }
    let limits = [("every_us", poll.every_us, 1), ("give_up_us", poll.give_up_us, 1), ("settle_us", poll.settle_us, 0)];
    for (name, value, least) in limits {
        if !(least..=LONGEST_US).contains(&value) {
            return refuse(&format!("{at}.{name}"), format!("must be {least} to {LONGEST_US}, not {value}"));
        }
    }
    check_tests(&format!("{at}.until"), &poll.until)?;
    check_tests(&format!("{at}.once"), &poll.once)
}

fn check_tests(at: &str, checks: &[Check]) -> Result<(), EngineError> {
    for (index, check) in checks.iter().enumerate() {
        Test::compile(&format!("{at}[{index}]"), check)?;
    }
    Ok(())
}

/// How tokens are kept fresh.
pub fn check_refresh(refresh: &Refresh) -> Result<(), EngineError> {
    match (&refresh.expires_pointer, refresh.every_us) {
        (None, None) => refuse("login.refresh", "needs expires_pointer or every_us".into()),
        (_, Some(0)) => refuse("login.refresh.every_us", "must be above 0".into()),
        (Some(pointer), _) => crate::capture::pointer("login.refresh.expires_pointer", pointer).map(|_| ()),
        _ => Ok(()),
    }
}

/// The captured names a request's texts use.
fn captured_in(request: &Request) -> Vec<&str> {
    request.texts().flat_map(names_in).collect()
}

fn names_in(text: &Text) -> impl Iterator<Item = &str> {
    text.iter().filter_map(|piece| match piece {
        Piece::Value(Value::Captured(name) | Value::Link(name)) => Some(name.as_str()),
        _ => None,
    })
}
