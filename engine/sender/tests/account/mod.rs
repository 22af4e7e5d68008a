//! What an engine counted in all, whatever the kind of request.

#![allow(dead_code)] // each test file uses its own part

use std::collections::BTreeMap;
use std::time::Duration;

use golive_sender::Engine;
use serde_json::Value;

#[path = "../steps/mod.rs"]
mod steps;

pub use steps::UNIX_US;
use steps::{finish_within, Steps};

/// What a run came to.
#[derive(Debug, Default)]
pub struct Account {
    pub due: u64,
    pub sent: u64,
    pub ok: u64,
    pub unsent: u64,
    pub unavailable: u64,
    pub repeated: u64,
    pub failed: BTreeMap<String, u64>,
    pub halted_because: String,
}

impl Account {
    /// The steps added up.
    fn of(steps: &Steps) -> Self {
        let mut account = Self { halted_because: steps.halted_because.clone(), ..Self::default() };
        for step in steps.of.values() {
            account.due += step.due;
            account.sent += step.sent;
            account.ok += step.ok;
            account.unsent += step.unsent;
            account.unavailable += step.unavailable;
            account.repeated += step.repeated;
            for (kind, count) in &step.failed {
                *account.failed.entry(kind.clone()).or_default() += count;
            }
        }
        account
    }

    /// The kind of failure and its count, when there is just one kind.
    #[must_use]
    pub fn only(&self) -> Option<(&str, u64)> {
        let mut kinds = self.failed.iter();
        let only = kinds.next().map(|(kind, count)| (kind.as_str(), *count));
        kinds.next().is_none().then_some(only).flatten()
    }
}

/// An engine on its way.
#[must_use]
pub fn started(plan: &Value) -> Engine {
    let engine = Engine::new(&plan.to_string(), 0, 1).expect("a good plan");
    engine.prepare().expect("a target");
    engine.start(50_000, UNIX_US, 60_000_000).expect("a start");
    engine
}

/// Wait for its end; everything it counted.
#[must_use]
pub fn finish(engine: &Engine) -> Account {
    let mut steps = Steps::default();
    finish_within(engine, &mut steps, Duration::from_secs(20));
    let account = Account::of(&steps);
    let failed: u64 = account.failed.values().sum();
    assert_eq!(account.due, account.sent + account.unsent, "{account:?}");
    assert_eq!(account.sent, account.ok + failed, "{account:?}");
    assert_eq!(steps.tagged("home"), account.ok, "{account:?}");
    assert_eq!(steps.tagged("home!failed"), failed + account.unsent, "{account:?}");
    account
}
