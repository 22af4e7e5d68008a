//! The platform as a person describes it: services, routes, queues, faults; read strictly.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::faults::Faults;

/// What is wrong with a configuration: where, what, and what to do. Shown as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub path: String,
    pub problem: String,
    pub remedy: String,
}

impl ConfigError {
    pub fn new(path: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}`: {}. Remedy: {}", self.path, self.problem, self.remedy)
    }
}

impl std::error::Error for ConfigError {}

/// The whole configuration; `validate::check` has looked at what types cannot say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub name: String,
    pub namespace: String,
    #[serde(default = "one")]
    pub seed: u64,
    /// The service that every request passes first.
    #[serde(default = "api_gateway")]
    pub gateway: String,
    #[serde(default)]
    pub connections: Connections,
    #[serde(default)]
    pub login: Option<Login>,
    #[serde(default)]
    pub database: Option<Database>,
    #[serde(default)]
    pub idempotency: Idempotency,
    pub services: Vec<Service>,
    pub routes: Vec<Route>,
    #[serde(default)]
    pub queues: Vec<Queue>,
    #[serde(default)]
    pub faults: Faults,
}

/// How clients' connections are treated.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connections {
    /// A connection stays on one gateway replica until it is reopened.
    pub pinned: bool,
    /// After so many answers the platform closes a connection.
    pub requests_at_most: u32,
    /// Further connections wait in the kernel's backlog.
    pub open_at_most: usize,
    /// Told to end, it goes on for so long, closing each connection with its next answer.
    pub drain_for_s: f64,
}

impl Default for Connections {
    fn default() -> Self {
        Self { pinned: true, requests_at_most: 1000, open_at_most: 16_384, drain_for_s: 0.0 }
    }
}

/// Where tokens are given; with a login every route that is not `open` asks for one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    pub path: String,
    /// Any user is let in when no name is given.
    #[serde(default)]
    pub username: Option<String>,
    /// The environment variable that holds the password; any password will do when none is named.
    #[serde(default)]
    pub password_env: Option<String>,
    /// The environment variable that holds the secret of the tokens: processes that share it know each other's.
    #[serde(default)]
    pub token_secret_env: Option<String>,
    /// How long a token is good.
    #[serde(default = "a_day_s")]
    pub token_lasts_s: u64,
}

/// The one database all services share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub connections: u32,
    pub time_ms: TimeMs,
}

/// How repeated keys are recognised, in bounded memory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Idempotency {
    /// At least so many of the latest keys are remembered (at most twice as many).
    pub remember_keys: usize,
}

impl Default for Idempotency {
    fn default() -> Self {
        Self { remember_keys: 500_000 }
    }
}

/// A service time: lognormal by its P50 and P99 (equal: constant), or a choice of fixed times.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeMs {
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    pub choices: Vec<TimeChoice>,
}

/// One of several fixed times, as often as its weight says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeChoice {
    pub ms: f64,
    pub weight: f64,
}

/// A Deployment: replicas of finite capacity.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub name: String,
    pub min: u32,
    pub max: u32,
    /// Ready when the platform starts; `min` when not given.
    #[serde(default)]
    pub start: Option<u32>,
    /// Requests one replica works on at a time.
    pub concurrency: u32,
    /// Requests that may wait at one replica; beyond that it answers 503.
    #[serde(default = "queue_room")]
    pub queue: usize,
    /// Not needed by a service that only works a queue off.
    #[serde(default)]
    pub time_ms: Option<TimeMs>,
    #[serde(default)]
    pub ready_after_s: f64,
    #[serde(default)]
    pub autoscaler: Option<Autoscaler>,
}

impl Service {
    /// Replicas ready at the start.
    #[must_use]
    pub fn started(&self) -> u32 {
        self.start.unwrap_or(self.min)
    }
}

/// What the autoscaler beside the platform follows; the platform only shows it in its metrics.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Autoscaler {
    pub metric: ScalingMetric,
    pub target: f64,
    #[serde(default)]
    pub tolerance: Option<f64>,
    #[serde(default)]
    pub sync_period_s: Option<f64>,
    #[serde(default, alias = "behavior")]
    pub behaviour: Option<BTreeMap<String, Value>>,
}

/// A metric as metrics-server or an adapter would give it, a mean over the ready replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScalingMetric {
    BusyRatio,
    RequestsPerSecond,
}

impl ScalingMetric {
    /// The metric's name in kube-state-metrics' label.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BusyRatio => "busy_ratio",
            Self::RequestsPerSecond => "requests_per_second",
        }
    }
}

/// One thing the platform can be asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    pub method: String,
    pub path: String,
    pub service: String,
    #[serde(default)]
    pub database_calls: u8,
    #[serde(default = "ok")]
    pub status: u16,
    #[serde(default = "small_answer")]
    pub answer_bytes: usize,
    /// Accepted commands go here to be worked off later.
    #[serde(default)]
    pub queue: Option<String>,
    /// The body, an object, filled up to `answer_bytes`; left out: nothing but filling.
    #[serde(default)]
    pub answer: Option<serde_json::Map<String, Value>>,
    /// Its commands can be asked after: the answer names each.
    #[serde(default)]
    pub named: bool,
    /// Answers what became of the command of this queue that the path's last segment, `{id}`, names.
    #[serde(default)]
    pub shows: Option<String>,
    /// Headers without which the answer is 400.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Answered without a token.
    #[serde(default)]
    pub open: bool,
}

/// Accepted commands, worked off by a service's replicas.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    pub name: String,
    pub service: String,
    pub per_replica_rps: f64,
}

fn one() -> u64 {
    1
}

fn a_day_s() -> u64 {
    86_400
}

fn api_gateway() -> String {
    "api-gateway".to_owned()
}

fn queue_room() -> usize {
    256
}

fn ok() -> u16 {
    200
}

fn small_answer() -> usize {
    200
}

/// Read a configuration from JSON and check it.
///
/// # Errors
/// A `ConfigError` naming the first field that is unknown, of the wrong type or impossible.
pub fn read(json: &str) -> Result<Config, ConfigError> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let config: Config = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        ConfigError::new(
            error.path().to_string(),
            error.inner().to_string(),
            "compare with scenarios/rehearsals/tartware.yaml and docs/rehearsal.md",
        )
    })?;
    crate::validate::check(&config)?;
    Ok(config)
}
