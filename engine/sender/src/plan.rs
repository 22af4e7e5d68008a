//! The engine plan: what people's plans are compiled to. Read strictly: an unknown key is an error with its path.

use serde::Deserialize;

use crate::addresses::Spread;
use crate::error::EngineError;
use crate::flow_check::{check_flows, check_refresh};
use crate::journey_plan::{Capture, Flow, Order, Poll, Refresh};
use crate::policy::{self, ConnectionPolicy};
use crate::tls::TlsPlan;

/// The whole plan of a run (engine/PLAN.md).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub format: u32,
    pub seed: u64,
    pub arrivals: Arrivals,
    pub rate_line: Vec<Segment>,
    pub base_url: String,
    pub grid_us: u64,
    pub connections: usize,
    pub threads: usize,
    pub connect_timeout_us: u64,
    pub ca_pem: String,
    #[serde(default)]
    pub tls: TlsPlan,
    #[serde(default)]
    pub connection: ConnectionPolicy,
    pub run_date: String,
    pub tables: Vec<Table>,
    pub login: Option<Login>,
    pub requests: Vec<Request>,
    #[serde(default)]
    pub trace: Option<TracePlan>,
    #[serde(default)]
    pub flows: Vec<Flow>,
    #[serde(default)]
    pub addresses: Spread,
}

/// Whether requests carry a trace context, and which share of the traces asks to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracePlan {
    pub sampled_ratio: f64,
}

/// How arrivals are spread along the rate line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arrivals {
    Constant,
    Poisson,
    /// No schedule: each connection sends its next request when the last one is answered.
    Closed,
}

/// A straight piece of the rate line.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    pub duration_us: u64,
    pub from_rps: f64,
    pub to_rps: f64,
    /// Of the rates of flows that have one of their own.
    #[serde(default = "whole")]
    pub beside_share: f64,
}

fn whole() -> f64 {
    1.0
}

impl Segment {
    /// The same piece for a flow of this rate of its own: none where nothing is due on the line.
    #[must_use]
    pub fn beside(&self, rate_rps: f64) -> Self {
        let is_quiet = self.from_rps == 0.0 && self.to_rps == 0.0;
        let rps = if is_quiet { 0.0 } else { rate_rps * self.beside_share };
        Self { from_rps: rps, to_rps: rps, ..*self }
    }
}

/// Rows of a CSV file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub name: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
    #[serde(default)]
    pub order: Order,
}

/// A piece of a text: fixed, or fresh in every request.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Piece {
    Fixed(String),
    Value(Value),
}

/// A value that changes from request to request.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Value {
    RandomInt(i64, i64),
    Sequence(u64),
    Choice(Vec<String>),
    Date(i64, i64),
    Csv(String, String),
    /// A column of whole paths.
    CsvPath(String, String),
    Uuid(()),
    Token(()),
    Captured(String),
    /// A captured link, followed: the whole of a path.
    Link(String),
}

/// A text made of pieces.
pub type Text = Vec<Piece>;

/// What an answer must show besides its status.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Check {
    BodyContains(String),
    BodyAtMost(u64),
    BodyRegex(String),
    HeaderEquals(String, String),
    HeaderContains(String, String),
    JsonEquals(String, serde_json::Value),
    JsonExists(String),
    JsonLength(String, usize),
    Status(Vec<u16>),
}

impl Check {
    /// Whether it is judged while the answer is read, at no cost.
    #[must_use]
    pub fn is_seen_in_passing(&self) -> bool {
        matches!(self, Self::BodyContains(_) | Self::BodyAtMost(_) | Self::HeaderEquals(..))
    }
}

/// One kind of request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub name: String,
    pub weight: f64,
    pub method: String,
    pub path: Text,
    pub headers: Vec<(String, Text)>,
    pub body: Option<Text>,
    pub expect: Vec<u16>,
    pub checks: Vec<Check>,
    pub timeout_us: u64,
    #[serde(default)]
    pub captures: Vec<Capture>,
    #[serde(default)]
    pub poll: Option<Poll>,
}

/// How tokens are got before the load.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, Text)>,
    pub body: Text,
    pub token_pointer: String,
    pub tokens: usize,
    pub expect: Vec<u16>,
    pub timeout_us: u64,
    #[serde(default)]
    pub refresh: Option<Refresh>,
}

/// The longest time anything may take: the end of the latency histogram.
pub const LONGEST_US: u64 = 60_000_000;

impl Request {
    /// Everything that is written fresh for each arrival.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.headers.iter().map(|(_, text)| text).chain([&self.path]).chain(&self.body)
    }
}

impl Plan {
    /// Read and check a plan.
    pub fn from_json(text: &str) -> Result<Self, EngineError> {
        let reader = &mut serde_json::Deserializer::from_str(text);
        let plan: Self = serde_path_to_error::deserialize(reader)
            .map_err(|wrong| EngineError::Plan { at: wrong.path().to_string(), what: wrong.inner().to_string() })?;
        plan.check()?;
        Ok(plan)
    }

    /// How long its rate line is.
    #[must_use]
    pub fn duration_us(&self) -> u64 {
        self.rate_line.iter().map(|segment| segment.duration_us).sum()
    }

    /// The flow that a request of this plan is a step of.
    #[must_use]
    pub fn flow_of(&self, request: &Request) -> Option<&Flow> {
        let is_it = |index: usize| self.requests.get(index).is_some_and(|there| std::ptr::eq(there, request));
        self.flows.iter().find(|flow| flow.steps.iter().any(|step| is_it(step.request)))
    }

    /// The names of all values that a flow's steps capture, in a fixed order.
    #[must_use]
    pub fn captured_names(&self, flow: &Flow) -> Vec<&str> {
        let captures = flow.steps.iter().flat_map(|step| &self.requests[step.request].captures);
        let names: std::collections::BTreeSet<&str> = captures.map(|capture| capture.name.as_str()).collect();
        names.into_iter().collect()
    }

    fn check(&self) -> Result<(), EngineError> {
        if self.format != 1 {
            return refuse("format", format!("this engine reads format 1, not {}", self.format));
        }
        if self.rate_line.is_empty() {
            return refuse("rate_line", "has no segment".into());
        }
        for (index, segment) in self.rate_line.iter().enumerate() {
            let rates = [segment.from_rps, segment.to_rps, segment.beside_share];
            if segment.duration_us == 0 || rates.iter().any(|rate| !rate.is_finite() || *rate < 0.0) {
                return refuse(
                    &format!("rate_line[{index}]"),
                    "needs a duration above 0 and finite rates and shares of 0 or more".into(),
                );
            }
        }
        if !(1..=64).contains(&self.threads) {
            return refuse("threads", format!("must be 1 to 64, not {}", self.threads));
        }
        policy::check(self)?;
        if self.connections < self.threads {
            return refuse("connections", "must be at least one for each thread".into());
        }
        if self.grid_us > 100_000 {
            return refuse("grid_us", "must be at most 100,000".into());
        }
        if self.requests.is_empty() {
            return refuse("requests", "is empty".into());
        }
        for (index, request) in self.requests.iter().enumerate() {
            check_request(&format!("requests[{index}]"), request)?;
        }
        if let Some(trace) = self.trace {
            trace.check()?;
        }
        if let Some(login) = &self.login {
            check_timeout("login.timeout_us", login.timeout_us)?;
            if !(1..=10_000).contains(&login.tokens) {
                return refuse("login.tokens", "must be 1 to 10,000".into());
            }
            if let Some(refresh) = &login.refresh {
                check_refresh(refresh)?;
            }
        }
        check_flows(self)
    }
}

fn check_request(at: &str, request: &Request) -> Result<(), EngineError> {
    if !request.weight.is_finite() || request.weight < 0.0 {
        return refuse(&format!("{at}.weight"), format!("must be 0 or more, not {}", request.weight));
    }
    if request.method.is_empty() || !request.method.bytes().all(|b| b.is_ascii_uppercase()) {
        return refuse(&format!("{at}.method"), format!("{:?} is no HTTP method", request.method));
    }
    if request.expect.is_empty() {
        return refuse(&format!("{at}.expect"), "is empty: no answer could be right".into());
    }
    check_timeout(&format!("{at}.timeout_us"), request.timeout_us)
}

fn check_timeout(at: &str, timeout_us: u64) -> Result<(), EngineError> {
    if timeout_us == 0 || timeout_us > LONGEST_US {
        return refuse(at, format!("must be 1 to {LONGEST_US}, not {timeout_us}"));
    }
    Ok(())
}

pub(crate) fn refuse<T>(at: &str, what: String) -> Result<T, EngineError> {
    Err(EngineError::Plan { at: at.into(), what })
}
