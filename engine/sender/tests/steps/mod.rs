//! What engines counted of each step.

#![allow(dead_code)] // each test file uses its own part

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use golive_sender::Engine;
use serde_json::Value;

/// When the rate line begins, by the master's clock.
pub const UNIX_US: u64 = 1_790_000_000_000_000;

/// The counts of one step.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Step {
    pub due: u64,
    pub sent: u64,
    pub ok: u64,
    pub unsent: u64,
    pub unavailable: u64,
    pub repeated: u64,
    pub failed: BTreeMap<String, u64>,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Steps {
    pub of: BTreeMap<String, Step>,
    pub seconds: BTreeMap<u64, u64>,
    pub latency: BTreeMap<String, hdrhistogram::Histogram<u64>>,
    pub deltas: Vec<Value>,
    pub halted_because: String,
}

impl Steps {
    /// The counts of a step; zeros when it never was due.
    #[must_use]
    pub fn of(&self, name: &str) -> Step {
        self.of.get(name).cloned().unwrap_or_default()
    }

    /// How many values stand under a tag.
    #[must_use]
    pub fn tagged(&self, tag: &str) -> u64 {
        self.latency.get(tag).map_or(0, hdrhistogram::Histogram::len)
    }

    fn add(&mut self, delta: &str) {
        if delta.is_empty() {
            return;
        }
        let delta: Value = serde_json::from_str(delta).expect("JSON");
        for entry in delta["counts"].as_array().expect("counts") {
            let of = |field: &str| entry[field].as_u64().expect("a count");
            let step = self.of.entry(entry["request"].as_str().expect("a name").into()).or_default();
            *self.seconds.entry(of("second")).or_default() += of("due");
            step.due += of("due");
            step.sent += of("sent");
            step.ok += of("ok");
            step.unsent += of("unsent");
            step.unavailable += of("unavailable");
            step.repeated += entry.get("repeated").map_or(0, |count| count.as_u64().expect("a count"));
            for (kind, count) in entry["failed"].as_object().expect("kinds") {
                *step.failed.entry(kind.clone()).or_default() += count.as_u64().expect("a count");
            }
        }
        for entry in delta["latency"].as_array().expect("latency") {
            let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, entry["hdr"].as_str().expect("text"));
            let histogram: hdrhistogram::Histogram<u64> = hdrhistogram::serialization::Deserializer::new()
                .deserialize(&mut bytes.expect("base64").as_slice())
                .expect("a histogram");
            let tag = entry["tag"].as_str().expect("a tag").to_string();
            match self.latency.get_mut(&tag) {
                Some(there) => there.add(histogram).expect("the same bounds"),
                None => drop(self.latency.insert(tag, histogram)),
            }
        }
        self.deltas.push(delta);
    }
}

/// Run a plan over so many workers; everything they counted.
#[must_use]
pub fn walked_by(plan: &Value, workers: u64) -> Steps {
    let text = plan.to_string();
    let engines: Vec<Engine> = (0..workers).map(|shard| Engine::new(&text, shard, workers).expect("a plan")).collect();
    for engine in &engines {
        engine.prepare().expect("a target");
        engine.start(50_000, UNIX_US, 60_000_000).expect("a start");
    }
    let mut steps = Steps::default();
    for engine in &engines {
        finish(engine, &mut steps);
    }
    steps
}

/// Run a plan.
#[must_use]
pub fn walked(plan: &Value) -> Steps {
    walked_by(plan, 1)
}

/// Wait for an engine's end and add what it counted.
pub fn finish(engine: &Engine, steps: &mut Steps) {
    finish_within(engine, steps, Duration::from_secs(30));
}

/// The same, for an engine that must not take so long.
pub fn finish_within(engine: &Engine, steps: &mut Steps, within: Duration) {
    let began = Instant::now();
    while engine.state() != "done" {
        assert!(began.elapsed() < within, "the engine does not end");
        thread::sleep(Duration::from_millis(20));
        steps.add(&engine.drain(false));
    }
    steps.add(&engine.drain(true));
    steps.halted_because = engine.halted_because();
    assert_eq!(engine.drain(true), "", "each count leaves once");
    for (name, step) in &steps.of {
        let failed: u64 = step.failed.values().sum();
        assert_eq!(step.due, step.ok + failed + step.unsent, "{name}: {step:?}");
    }
}
