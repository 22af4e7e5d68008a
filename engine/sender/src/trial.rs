//! One request of each kind, before any load: flow by flow, with the engine's own templates, checks and captures.
//!
//! What is tried here is what would be sent. Think times are not waited for; polls are.

use std::io::ErrorKind;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::capture::{objection, Finder};
use crate::checks::{Look, Seen, Test, LOOKED_AT_LIMIT};
use crate::codec::BODY_LIMIT;
use crate::cookies::Jar;
use crate::error::EngineError;
use crate::failure::Failure;
use crate::journey_plan::{Capture, Poll};
use crate::once::{once, Once, Unanswered};
use crate::plan::{Check, Plan, Request};
use crate::standing::Standing;
use crate::target::Target;
use crate::template::{path_written, Occasion, Sources, Template};
use crate::trial_words::{of_capture, of_check, of_status, Veil};

/// What became of one request of the trial.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tried {
    pub request: String,
    /// Empty: answered as the plan expects. Otherwise a kind of engine/DELTA.md, or what went wrong in words.
    pub failure: String,
    /// What was seen instead of what the plan expects.
    pub seen: String,
    /// 0: no answer.
    pub status: u16,
    pub took_us: u64,
    pub attempts: u32,
    /// Of a poll: from the answer before it to the one that showed the effect.
    pub visible_us: Option<u64>,
    pub captured: Vec<(String, String)>,
    /// A step before it failed: it was not sent.
    pub skipped: bool,
}

/// A plan with everything that is needed to try it.
pub struct Trial<'a> {
    pub plan: &'a Plan,
    pub target: &'a Target,
    pub sources: &'a Sources,
    pub veil: &'a Veil,
}

/// How far a journey has come.
struct Journey<'a> {
    names: Vec<&'a str>,
    captured: Vec<Option<String>>,
    number: u64,
    requests: u64,
    jar: Option<Jar>,
    answered: Instant,
}

impl Trial<'_> {
    /// Try every request by itself and every flow once, in the plan's order.
    ///
    /// # Errors
    /// The plan cannot be used.
    pub fn run(&self) -> Result<Vec<Tried>, EngineError> {
        let mut tried = Vec::new();
        for (request, number) in self.plan.requests.iter().zip(0..) {
            if request.weight > 0.0 {
                tried.push(self.step(request, &mut Journey::of(Vec::new(), number))?);
            }
        }
        for (flow, number) in self.plan.flows.iter().zip(self.plan.requests.len() as u64..) {
            let mut journey = Journey::of(self.plan.captured_names(flow), number);
            journey.jar = flow.cookies.then(Jar::default);
            let mut broken = false;
            for step in &flow.steps {
                let request = &self.plan.requests[step.request];
                let outcome = if broken { Tried::skipped(request) } else { self.step(request, &mut journey)? };
                broken |= !outcome.failure.is_empty();
                tried.push(outcome);
            }
        }
        Ok(tried)
    }

    fn step(&self, request: &Request, journey: &mut Journey<'_>) -> Result<Tried, EngineError> {
        let (target, plan) = (self.target, self.plan);
        let template = Template::compile(plan, request, &target.host_header, &target.base_path, self.sources)?;
        let mut tried = Tried { request: request.name.clone(), ..Tried::default() };
        let from = journey.answered;
        loop {
            tried.attempts += 1;
            let (answered, took) = match self.exchange(request, &template, journey) {
                Ok(answered) => answered,
                Err(failure) => return Ok(Tried { failure, ..tried }),
            };
            (tried.status, tried.took_us) = (answered.status, us(took));
            let seen = Seen::new(answered.status, &answered.headers, &answered.body);
            if let Some(told) = self.too_long(request, &seen)? {
                return Ok(Tried { failure: Failure::TooLarge.to_string(), seen: told, ..tried });
            }
            if let Some((failure, told)) = self.wrong(request, &seen)? {
                return Ok(Tried { failure, seen: told, ..tried });
            }
            let Some(poll) = &request.poll else {
                return self.take(request, &seen, journey, tried);
            };
            match self.unmet(request, &poll.until, &seen)? {
                None => return self.settled(request, poll, (&template, &seen), journey, tried),
                Some(told) if from.elapsed() + Duration::from_micros(poll.every_us) > give_up(poll) => {
                    return Ok(Tried { failure: Failure::EffectMissing.to_string(), seen: told, ..tried });
                }
                Some(_) => sleep(Duration::from_micros(poll.every_us)),
            }
        }
    }

    /// The effect is visible: exactly once, also after a while?
    fn settled(
        &self,
        request: &Request,
        poll: &Poll,
        (template, seen): (&Template, &Seen<'_>),
        journey: &mut Journey<'_>,
        mut tried: Tried,
    ) -> Result<Tried, EngineError> {
        tried.visible_us = Some(us(journey.answered.elapsed()));
        if let Some(told) = self.unmet(request, &poll.once, seen)? {
            return Ok(Tried { failure: Failure::EffectRepeated.to_string(), seen: told, ..tried });
        }
        let tried = self.take(request, seen, journey, tried)?;
        if poll.settle_us == 0 || !tried.failure.is_empty() {
            return Ok(tried);
        }
        sleep(Duration::from_micros(poll.settle_us));
        let answered = match self.exchange(request, template, journey) {
            Ok((answered, _)) => answered,
            Err(failure) => return Ok(Tried { failure, ..tried }),
        };
        let later = Seen::new(answered.status, &answered.headers, &answered.body);
        let checks: Vec<Check> = poll.until.iter().chain(&poll.once).cloned().collect();
        Ok(match self.unmet(request, &checks, &later)? {
            Some(told) => Tried { failure: Failure::EffectRepeated.to_string(), seen: told, ..tried },
            None => tried,
        })
    }

    /// One request on a connection of its own; a failure in words.
    fn exchange(
        &self,
        request: &Request,
        template: &Template,
        journey: &mut Journey<'_>,
    ) -> Result<(Once, Duration), String> {
        let (mut bytes, mut scratch) = (Vec::new(), Vec::new());
        let Journey { number, requests, captured, jar, .. } = &mut *journey;
        let site = self.target.site();
        let cookies = jar.as_ref().map(|jar| (jar, &site));
        let occasion = Occasion { number: *number, request: *requests, captured, cookies, ..Occasion::default() };
        template.write_for(occasion, &mut bytes, &mut scratch);
        *requests += 1;
        let within = Duration::from_micros(request.timeout_us);
        let began = Instant::now();
        let is_head = request.method == "HEAD";
        let answer = once(self.target, &bytes, is_head, BODY_LIMIT as usize, within).map_err(unanswered)?;
        if let Some(jar) = jar {
            jar.visit(path_written(&bytes));
            jar.take(&site, &cookies_in(&answer.headers));
        }
        Ok((answer, began.elapsed()))
    }

    /// A body that a run would not look through to its end.
    fn too_long(&self, request: &Request, seen: &Seen<'_>) -> Result<Option<String>, EngineError> {
        let has_cookies = self.plan.flow_of(request).is_some_and(|flow| flow.cookies);
        let look = Look::compile("checks", request, has_cookies)?;
        let is_long = seen.body.len() as u64 > LOOKED_AT_LIMIT && look.is_some_and(|look| look.needs_body());
        let told = || format!("the body has {} bytes; {LOOKED_AT_LIMIT} are looked through", seen.body.len());
        Ok(is_long.then(told))
    }

    /// What is wrong with an answer: the kind of failure, and what was seen.
    fn wrong(&self, request: &Request, seen: &Seen<'_>) -> Result<Option<(String, String)>, EngineError> {
        if !request.expect.contains(&seen.status) {
            return Ok(Some((Failure::of_status(seen.status).to_string(), self.veil.told(request, seen, of_status))));
        }
        Ok(self.unmet(request, &request.checks, seen)?.map(|told| (Failure::Check.to_string(), told)))
    }

    /// The first check that does not hold, and what was seen instead.
    fn unmet(&self, request: &Request, checks: &[Check], seen: &Seen<'_>) -> Result<Option<String>, EngineError> {
        for check in checks {
            if !Test::compile("checks", check)?.holds(seen) {
                return Ok(Some(self.veil.told(request, seen, |seen| of_check(check, seen))));
            }
        }
        Ok(None)
    }

    /// Take the captures out of an answer that is right.
    fn take(
        &self,
        request: &Request,
        seen: &Seen<'_>,
        journey: &mut Journey<'_>,
        mut tried: Tried,
    ) -> Result<Tried, EngineError> {
        for capture in &request.captures {
            let value = match self.captured(request, capture, seen)? {
                Ok(value) => value,
                Err(told) => return Ok(Tried { failure: Failure::Capture.to_string(), seen: told, ..tried }),
            };
            tried.captured.push((capture.name.clone(), self.veil.value(&capture.name, &value)));
            if let Some(place) = journey.names.iter().position(|name| *name == capture.name) {
                journey.captured[place] = Some(value);
            }
        }
        journey.answered = Instant::now();
        Ok(tried)
    }

    /// A value that later requests may carry, or what there is instead.
    fn captured(
        &self,
        request: &Request,
        capture: &Capture,
        seen: &Seen<'_>,
    ) -> Result<Result<String, String>, EngineError> {
        let Some(value) = Finder::compile("captures", &capture.from)?.look(seen) else {
            return Ok(Err(self.veil.told(request, seen, |seen| of_capture(capture, seen))));
        };
        let flow = self.plan.flow_of(request);
        let standing = flow.map(|flow| Standing::of(self.plan, flow, &capture.name)).unwrap_or_default();
        Ok(match objection(&value).or_else(|| standing.objection(&value)) {
            Some(why) => Err(format!("{}: \"{}\" {why}", capture.name, self.veil.value(&capture.name, &value))),
            None => Ok(value),
        })
    }
}

impl<'a> Journey<'a> {
    fn of(names: Vec<&'a str>, number: u64) -> Self {
        let captured = vec![None; names.len()];
        Self { names, captured, number, requests: 0, jar: None, answered: Instant::now() }
    }
}

impl Tried {
    fn skipped(request: &Request) -> Self {
        Self { request: request.name.clone(), skipped: true, ..Self::default() }
    }
}

fn cookies_in(headers: &[(String, Vec<u8>)]) -> Vec<String> {
    let lines = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    lines.filter_map(|(_, line)| String::from_utf8(line.clone()).ok()).collect()
}

fn give_up(poll: &Poll) -> Duration {
    Duration::from_micros(poll.give_up_us)
}

fn us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn unanswered(why: Unanswered) -> String {
    match why {
        Unanswered::Broken(error) => told(&error),
        Unanswered::Wrong(fault) => Failure::of_fault(fault).to_string(),
        Unanswered::Closed => Failure::Reset.to_string(),
        Unanswered::Late => Failure::TimeoutBody.to_string(),
    }
}

fn told(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Failure::TimeoutWait.to_string(),
        ErrorKind::ConnectionRefused => Failure::Refused.to_string(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => Failure::Reset.to_string(),
        _ => error.to_string(),
    }
}
