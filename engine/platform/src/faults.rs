//! What can be wrong with the platform: a whole state that replaces the former one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::leaks::{Leak, Leaks};

/// Everything that is broken now. The default is a healthy platform.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Service → its service times are multiplied by this (and a worker's rate divided).
    pub slow: BTreeMap<String, f64>,
    /// Service → a share of its answers is this status instead.
    pub errors: BTreeMap<String, Errors>,
    /// Service → share of its slots that are left (at least one slot a replica).
    pub capacity: BTreeMap<String, f64>,
    /// Queue → its working-off rate is multiplied by this; 0 stops it.
    pub queue_speed: BTreeMap<String, f64>,
    /// Queue → shares of its commands that do not take effect exactly once.
    pub effects: BTreeMap<String, Fate>,
    /// Services whose new replicas never become ready.
    pub never_ready: BTreeSet<String>,
    /// Every answer is held back so long, in milliseconds.
    pub answer_delay_ms: f64,
    /// What the process loses for good.
    pub leaks: Leaks,
}

/// Wrong answers of one service.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    pub ratio: f64,
    #[serde(default = "unavailable")]
    pub status: u16,
}

/// What becomes of a queue's commands: these shares of them take no effect at all, or two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fate {
    pub lost: f64,
    pub repeated: f64,
}

fn unavailable() -> u16 {
    503
}

/// The names that faults may speak of.
pub struct Names<'a> {
    pub services: &'a [&'a str],
    pub queues: &'a [&'a str],
}

impl Faults {
    /// Check names and ranges.
    ///
    /// # Errors
    /// The path of the first wrong field (below `faults`) and what is wrong with it.
    pub fn check(&self, names: &Names<'_>) -> Result<(), (String, String)> {
        let services = self.slow.keys().map(|name| ("slow", name));
        let services = services.chain(self.errors.keys().map(|name| ("errors", name)));
        let services = services.chain(self.capacity.keys().map(|name| ("capacity", name)));
        let mut services = services.chain(self.never_ready.iter().map(|name| ("never_ready", name)));
        if let Some((field, name)) = services.find(|(_, name)| !names.services.contains(&name.as_str())) {
            return Err((format!("{field}.{name}"), "there is no such service".to_owned()));
        }
        let queues = self.queue_speed.keys().map(|name| ("queue_speed", name));
        let mut queues = queues.chain(self.effects.keys().map(|name| ("effects", name)));
        if let Some((field, name)) = queues.find(|(_, name)| !names.queues.contains(&name.as_str())) {
            return Err((format!("{field}.{name}"), "there is no such queue".to_owned()));
        }
        self.check_ranges()
    }

    fn check_ranges(&self) -> Result<(), (String, String)> {
        for (name, factor) in &self.slow {
            within(&format!("slow.{name}"), *factor, 0.001, 100_000.0)?;
        }
        for (name, errors) in &self.errors {
            within(&format!("errors.{name}.ratio"), errors.ratio, 0.0, 1.0)?;
            within(&format!("errors.{name}.status"), f64::from(errors.status), 400.0, 599.0)?;
        }
        for (name, share) in &self.capacity {
            within(&format!("capacity.{name}"), *share, 0.0, 1.0)?;
        }
        for (name, factor) in &self.queue_speed {
            within(&format!("queue_speed.{name}"), *factor, 0.0, 1000.0)?;
        }
        for (name, Fate { lost, repeated }) in &self.effects {
            within(&format!("effects.{name}.lost"), *lost, 0.0, 1.0)?;
            within(&format!("effects.{name}.repeated"), *repeated, 0.0, 1.0 - lost)?;
        }
        within("leaks.connections", self.leaks.connections, 0.0, 1.0)?;
        check_leak("leaks.memory", self.leaks.memory, 1e9)?;
        check_leak("leaks.file_handles", self.leaks.file_handles, 1e6)?;
        within("answer_delay_ms", self.answer_delay_ms, 0.0, 600_000.0)
    }
}

fn check_leak(field: &str, leak: Leak, most: f64) -> Result<(), (String, String)> {
    within(&format!("{field}.per_request"), leak.per_request, 0.0, most)?;
    within(&format!("{field}.per_second"), leak.per_second, 0.0, most)?;
    within(&format!("{field}.at_most"), leak.at_most.unwrap_or(0.0), 0.0, f64::MAX)
}

fn within(field: &str, value: f64, least: f64, most: f64) -> Result<(), (String, String)> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err((field.to_owned(), format!("must be between {least} and {most} (got {value})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names<'static> = Names { services: &["core"], queues: &["commands"] };

    #[test]
    fn nothing_is_a_healthy_platform() {
        let faults: Faults = serde_json::from_str("{}").expect("an empty object");
        assert_eq!(faults, Faults::default());
    }

    #[test]
    fn an_unknown_service_is_named() {
        let faults: Faults = serde_json::from_str(r#"{"slow": {"cote": 2.0}}"#).expect("well-formed");
        assert_eq!(faults.check(&NAMES).expect_err("unknown").0, "slow.cote");
    }

    #[test]
    fn an_impossible_ratio_is_named() {
        let faults: Faults = serde_json::from_str(r#"{"errors": {"core": {"ratio": 1.5}}}"#).expect("well-formed");
        assert_eq!(faults.check(&NAMES).expect_err("impossible").0, "errors.core.ratio");
    }

    #[test]
    fn more_than_all_commands_cannot_fail() {
        let text = r#"{"effects": {"commands": {"lost": 0.6, "repeated": 0.5}}}"#;
        let faults: Faults = serde_json::from_str(text).expect("well-formed");
        assert_eq!(faults.check(&NAMES).expect_err("impossible").0, "effects.commands.repeated");
    }

    #[test]
    fn a_leak_that_gives_back_is_named() {
        let text = r#"{"leaks": {"memory": {"per_request": -1}}}"#;
        let faults: Faults = serde_json::from_str(text).expect("well-formed");
        assert_eq!(faults.check(&NAMES).expect_err("impossible").0, "leaks.memory.per_request");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(serde_json::from_str::<Faults>(r#"{"slov": {}}"#).is_err());
    }
}
