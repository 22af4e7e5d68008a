//! One worker's engine: compile a plan, reach the target, send a shard of it on threads of its own, hand out counts.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use http::uri::Scheme;
use serde_json::json;

use crate::checks::Look;
use crate::clock::now_ns;
use crate::codec::Expectations;
use crate::control::{lock, Control};
use crate::control_timer::ControlTimer;
use crate::error::EngineError;
use crate::growth::Growth;
use crate::http2_message::message;
use crate::journey::Routes;
use crate::keyring::Keyring;
use crate::login::Door;
use crate::path::paths;
use crate::plan::{refuse, Check, Plan, Request};
use crate::policy::Http;
use crate::pool::Kind;
use crate::record::{Record, Taken};
use crate::repeat::may_repeat;
use crate::shard::{ArrivalsOf, Shard};
use crate::target::Target;
use crate::template::{Sources, Template};
use crate::trace::Trace;
use crate::trial::Trial;
use crate::trial_words::Veil;
use crate::visibility::Visibility;

/// Sends arrivals k with k % shards == shard of a plan.
#[derive(Debug)]
pub struct Engine {
    plan: Plan,
    shard: u64,
    shards: u64,
    pid: u32,
    target: Mutex<Target>,
    sources: Mutex<Sources>,
    control: Arc<Control>,
    control_timer: Arc<ControlTimer>,
    visibility: Arc<Visibility>,
    records: OnceLock<Vec<Arc<Mutex<Record>>>>,
    started: OnceLock<Started>,
}

#[derive(Debug, Clone, Copy)]
struct Started {
    start_ns: u64,
    start_unix_s: u64,
}

impl Engine {
    /// Compile a plan. Starts no thread.
    pub fn new(plan_json: &str, shard: u64, shards: u64) -> Result<Self, EngineError> {
        let plan = Plan::from_json(plan_json)?;
        if shard >= shards {
            return Err(EngineError::Order(format!("shard {shard} of {shards} does not exist")));
        }
        let target = Target::of(&plan)?;
        let sources = Sources { workers: shards, ..Sources::default() };
        kinds(&plan, &target, &sources)?;
        Ok(Self {
            plan,
            shard,
            shards,
            pid: std::process::id(),
            target: Mutex::new(target),
            sources: Mutex::new(sources),
            control: Arc::default(),
            control_timer: Arc::default(),
            visibility: Arc::default(),
            records: OnceLock::new(),
            started: OnceLock::new(),
        })
    }

    /// Resolve the target, reach it and log in; one sentence when it cannot be used.
    pub fn prepare(&self) -> Result<(), String> {
        let mut target = lock(&self.target).clone();
        target.resolve(Duration::from_micros(self.plan.connect_timeout_us))?;
        if let Some(login) = &self.plan.login {
            let granted = Door::of(&self.plan, login, &target)?.all()?;
            let mut sources = lock(&self.sources);
            sources.keyring = login.refresh.as_ref().map(|refresh| Arc::new(Keyring::of(&granted, refresh)));
            sources.tokens = granted.into_iter().map(|granted| granted.token).collect();
        }
        *lock(&self.target) = target;
        Ok(())
    }

    /// Try every request and every flow once, after `prepare` (engine/PLAN.md); the outcomes as JSON.
    ///
    /// What stands in `hidden` is shown nowhere, nor is what is captured under a name of `veiled`.
    pub fn trial(&self, hidden: Vec<String>, veiled: Vec<String>) -> Result<String, EngineError> {
        let (target, sources) = (lock(&self.target).clone(), lock(&self.sources).clone());
        if target.address.is_none() {
            return Err(EngineError::Order("a trial before prepare has succeeded".into()));
        }
        let veil = Veil { hidden: [hidden, sources.tokens.clone()].concat(), veiled };
        let tried = Trial { plan: &self.plan, target: &target, sources: &sources, veil: &veil }.run()?;
        Ok(json!(tried).to_string())
    }

    /// Begin the rate line `start_in_us` from now; seconds are labelled from `start_unix_us`.
    pub fn start(&self, start_in_us: u64, start_unix_us: u64, lease_us: u64) -> Result<(), EngineError> {
        if std::process::id() != self.pid {
            let what = "this engine was built in another process: build it after the fork";
            return Err(EngineError::Order(what.into()));
        }
        let target = Arc::new(lock(&self.target).clone());
        if target.address.is_none() {
            return Err(EngineError::Order("start before prepare has succeeded".into()));
        }
        let kinds = Arc::new(kinds(&self.plan, &target, &lock(&self.sources))?);
        let started = Started { start_ns: now_ns() + start_in_us * 1000, start_unix_s: start_unix_us / 1_000_000 };
        if self.started.set(started).is_err() {
            return Err(EngineError::Order("started already".into()));
        }
        self.control.renew_lease(lease_us);
        self.spawn(&target, &kinds, started.start_ns)
    }

    fn spawn(&self, target: &Arc<Target>, kinds: &Arc<Vec<Kind>>, start_ns: u64) -> Result<(), EngineError> {
        let threads = self.plan.threads;
        let records: Vec<_> =
            (0..threads).map(|_| Arc::new(Mutex::new(Record::new(self.plan.requests.len())))).collect();
        let gauges: Vec<Arc<AtomicU64>> = (0..threads).map(|_| Arc::default()).collect();
        let routes = Arc::new(self.routes(target));
        self.control.begin(threads);
        for (index, (record, gauge)) in records.iter().zip(&gauges).enumerate() {
            let part = Shard {
                target: Arc::clone(target),
                kinds: Arc::clone(kinds),
                routes: Arc::clone(&routes),
                record: Arc::clone(record),
                in_flight: Arc::clone(gauge),
                control: Arc::clone(&self.control),
                arrivals: ArrivalsOf::shard(
                    &self.plan,
                    self.shard + index as u64 * self.shards,
                    self.shards * threads as u64,
                ),
                start_ns,
                grid_ns: self.plan.grid_us * 1000,
                connections: self.plan.connections / threads,
                connect_timeout_us: self.plan.connect_timeout_us,
                policy: self.plan.connection.clone(),
                growth: Growth::of(&self.plan),
            };
            let control = Arc::clone(&self.control);
            thread::Builder::new()
                .name(format!("golive-send-{index}"))
                .spawn(move || run_guarded(part, &control))
                .map_err(|error| EngineError::Order(format!("no thread could be started: {error}")))?;
        }
        let _ = self.records.set(records);
        self.keep_tokens_fresh(target, start_ns)?;
        self.control_timer
            .start(start_ns, gauges)
            .map_err(|error| EngineError::Order(format!("no thread could be started: {error}")))
    }

    fn keep_tokens_fresh(&self, target: &Target, start_ns: u64) -> Result<(), EngineError> {
        let Some(keyring) = lock(&self.sources).keyring.clone() else { return Ok(()) };
        let Some((login, refresh)) = self.plan.login.as_ref().and_then(|login| Some((login, login.refresh.clone()?)))
        else {
            return Ok(());
        };
        let door = Door::of(&self.plan, login, target).map_err(EngineError::Order)?;
        keyring
            .keep_fresh(refresh, start_ns, Arc::clone(&self.control), move |number| door.one(number))
            .map_err(|error| EngineError::Order(format!("no thread could be started: {error}")))
    }

    fn routes(&self, target: &Target) -> Routes {
        Routes {
            paths: paths(&self.plan),
            seed: self.plan.seed,
            site: target.site(),
            end_ns: self.plan.duration_us() * 1000,
            visibility: Arc::clone(&self.visibility),
        }
    }

    /// Keep sending for so long.
    pub fn renew_lease(&self, lease_us: u64) {
        self.control.renew_lease(lease_us);
    }

    /// Stop scheduling at once.
    pub fn halt(&self, because: &str) {
        self.control.halt(because);
    }

    /// new, waiting, running, draining or done.
    pub fn state(&self) -> &'static str {
        let Some(started) = self.started.get() else {
            return "new";
        };
        match self.control.activity() {
            (_, false) => "done",
            (false, true) => "draining",
            (true, true) if now_ns() < started.start_ns => "waiting",
            (true, true) => "running",
        }
    }

    /// Why the engine stopped before its plan ended; empty when it did not.
    pub fn halted_because(&self) -> String {
        self.control.halted_because()
    }

    /// What was counted since the last drain (engine/DELTA.md); empty when nothing.
    pub fn drain(&self, everything: bool) -> String {
        let (Some(started), Some(records)) = (self.started.get(), self.records.get()) else {
            return String::new();
        };
        let now_s = now_ns().saturating_sub(started.start_ns) / 1_000_000_000;
        let before = if everything { u64::MAX } else { now_s.saturating_sub(1) };
        let done = everything && self.state() == "done";
        if done {
            self.control_timer.stop();
        }
        let mut taken = Taken::default();
        for record in records {
            let part = lock(record).take_before(before);
            taken.merge(part);
        }
        let names: Vec<String> = self.plan.requests.iter().map(|request| request.name.clone()).collect();
        let (mut delta, spare) = taken.into_delta(started.start_unix_s, &names, Trace::of(&self.plan).as_ref());
        delta.latency.extend(self.visibility.take_before(before, started.start_unix_s, &names));
        lock(&records[0]).give_back(spare);
        let quiet = self.control_timer.take_before(before);
        if delta.counts.is_empty() && delta.latency.is_empty() && quiet.is_empty() {
            return String::new();
        }
        let at = |second: u64| started.start_unix_s + second;
        let in_flight: Vec<_> = quiet.iter().map(|seen| (at(seen.second), seen.mean_in_flight)).collect();
        let timers: Vec<_> = quiet.iter().map(|seen| (at(seen.second), seen.late_p99_us)).collect();
        let addresses = lock(&self.target).addresses.take(at(now_s));
        let mut told = json!({
            "counts": delta.counts, "latency": delta.latency, "in_flight": in_flight, "control_timer_us": timers,
            "addresses": addresses, "exemplars": delta.exemplars,
        });
        let renewed = lock(&self.sources).keyring.as_ref().map(|keyring| keyring.take_before(before, at(0)));
        if let Some(renewed) = renewed.filter(|renewed| !renewed.is_empty()) {
            told["logins"] = json!(renewed);
        }
        told.to_string()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.control.halt("the engine was dropped");
        self.control_timer.stop();
    }
}

/// Run a shard; whatever happens in it, the engine ends and says why.
fn run_guarded(part: Shard, control: &Control) {
    match catch_unwind(AssertUnwindSafe(|| part.run())) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => control.halt(&format!("engine fault: {error}")),
        Err(_) => control.halt("engine fault: a sending thread panicked"),
    }
    control.ended();
}

fn kinds(plan: &Plan, target: &Target, sources: &Sources) -> Result<Vec<Kind>, EngineError> {
    plan.requests
        .iter()
        .map(|request| {
            let template = Template::compile(plan, request, &target.host_header, &target.base_path, sources)?;
            if plan.connection.http == Http::Two && !can_be_said(&template) {
                return refuse(&format!("request {:?}", request.name), "cannot be said in HTTP/2".into());
            }
            Ok(Kind {
                template,
                expected: expectations(plan, request)?,
                expect: request.expect.clone(),
                timeout_us: request.timeout_us,
                is_head: request.method == "HEAD",
                may_repeat: may_repeat(request),
            })
        })
        .collect()
}

/// Whether a request is one in HTTP/2, too: HTTP/1.1 lets more pass, in paths above all.
fn can_be_said(template: &Template) -> bool {
    let (mut written, mut scratch) = (Vec::new(), Vec::new());
    template.write(0, &mut written, &mut scratch);
    message(&written, &Scheme::HTTP).is_some()
}

fn expectations(plan: &Plan, request: &Request) -> Result<Expectations, EngineError> {
    let cookies = plan.flow_of(request).is_some_and(|flow| flow.cookies);
    let look = Look::compile(&format!("request {:?}", request.name), request, cookies)?;
    let mut expected = Expectations { look: look.map(Box::new), ..Expectations::default() };
    for check in &request.checks {
        match check {
            Check::BodyContains(text) => expected.body_contains.push(text.clone().into_bytes()),
            Check::BodyAtMost(most) => expected.body_at_most = Some(*most),
            Check::HeaderEquals(name, value) => {
                expected.headers.push((name.clone(), value.clone()));
            }
            _ => {}
        }
    }
    Ok(expected)
}
