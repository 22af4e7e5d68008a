//! What a plan says of journeys: flows, captures, polls, and how far tokens are kept fresh.

use serde::Deserialize;

use crate::plan::Check;

/// A sequence of requests that one arrival makes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    pub name: String,
    /// Its share of the rate line's requests; not read when it has a rate of its own.
    #[serde(default)]
    pub weight: f64,
    /// Starts per second beside the rate line.
    #[serde(default)]
    pub rate_rps: Option<f64>,
    #[serde(default)]
    pub cookies: bool,
    pub steps: Vec<Step>,
}

/// A request of a flow, and how long after the answer before it is due.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub request: usize,
    #[serde(default)]
    pub think_us: (u64, u64),
}

/// A value kept from an answer under a name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    pub name: String,
    pub from: Source,
}

/// Where in an answer a value is found.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    Json(String),
    Header(String),
    Regex(String),
}

/// A step that repeats until an effect is visible.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    pub until: Vec<Check>,
    pub every_us: u64,
    pub give_up_us: u64,
    #[serde(default)]
    pub once: Vec<Check>,
    /// How long after the effect is visible `once` is looked at again.
    #[serde(default)]
    pub settle_us: u64,
}

/// How the rows of a table are given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    #[default]
    Random,
    Shared,
    Partitioned,
}

/// How tokens are renewed while the load goes on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    pub before_us: u64,
    #[serde(default)]
    pub expires_pointer: Option<String>,
    #[serde(default)]
    pub every_us: Option<u64>,
}
