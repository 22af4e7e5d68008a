//! What an engine counted, added up from its deltas.

#![allow(dead_code)] // each test file uses its own part

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use golive_sender::Engine;
use serde_json::Value;

/// When the rate line begins, by the master's clock.
pub const UNIX_US: u64 = 1_790_000_000_000_000;

/// What a run came to.
#[derive(Debug, Default)]
pub struct Account {
    pub due: u64,
    pub sent: u64,
    pub ok: u64,
    pub unsent: u64,
    pub unavailable: u64,
    pub failed: BTreeMap<String, u64>,
    pub tags: BTreeMap<String, u64>,
    pub halted_because: String,
}

impl Account {
    /// Add a delta.
    pub fn add(&mut self, delta: &str) {
        if delta.is_empty() {
            return;
        }
        let delta: Value = serde_json::from_str(delta).expect("JSON");
        for entry in delta["counts"].as_array().expect("counts") {
            let of = |field: &str| entry[field].as_u64().expect("a count");
            self.due += of("due");
            self.sent += of("sent");
            self.ok += of("ok");
            self.unsent += of("unsent");
            self.unavailable += of("unavailable");
            for (kind, count) in entry["failed"].as_object().expect("kinds") {
                *self.failed.entry(kind.clone()).or_default() += count.as_u64().expect("a count");
            }
        }
        for entry in delta["latency"].as_array().expect("latency") {
            let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, entry["hdr"].as_str().expect("text"));
            let histogram: hdrhistogram::Histogram<u64> = hdrhistogram::serialization::Deserializer::new()
                .deserialize(&mut bytes.expect("base64").as_slice())
                .expect("a histogram");
            *self.tags.entry(entry["tag"].as_str().expect("a tag").into()).or_default() += histogram.len();
        }
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
    let mut account = Account::default();
    let began = Instant::now();
    while engine.state() != "done" {
        assert!(began.elapsed() < Duration::from_secs(20), "the engine does not end");
        thread::sleep(Duration::from_millis(50));
        account.add(&engine.drain(false));
    }
    account.add(&engine.drain(true));
    account.halted_because = engine.halted_because();
    assert_eq!(engine.drain(true), "", "each count leaves once");
    let failed: u64 = account.failed.values().sum();
    assert_eq!(account.due, account.sent + account.unsent, "{account:?}");
    assert_eq!(account.sent, account.ok + failed, "{account:?}");
    let of = |tag: &str| account.tags.get(tag).copied().unwrap_or(0);
    assert_eq!(of("home"), account.ok, "{account:?}");
    assert_eq!(of("home!failed"), failed + account.unsent, "{account:?}");
    account
}
