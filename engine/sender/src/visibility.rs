//! How long effects took to become visible, by second of their acceptance and by the request that looks for them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use hdrhistogram::serialization::V2DeflateSerializer;
use serde_json::{json, Value};

use crate::control::lock;
use crate::record::{encode, note, Latencies};

/// What became of an effect that was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    Visible,
    Missing,
}

/// The waits of all threads of an engine.
#[derive(Debug, Default)]
pub struct Visibility {
    waits: Mutex<BTreeMap<(u64, usize, Effect), Option<Latencies>>>,
}

impl Visibility {
    /// An effect that was accepted then has been waited for so long.
    pub fn note(&self, accepted_ns: u64, request: usize, effect: Effect, wait_us: u64) {
        let mut waits = lock(&self.waits);
        let place = waits.entry((accepted_ns / 1_000_000_000, request, effect)).or_default();
        note(place, wait_us, &mut Vec::new());
    }

    /// What was accepted before a second, as a delta's latency entries; each leaves once.
    pub fn take_before(&self, second: u64, start_unix_s: u64, names: &[String]) -> Vec<Value> {
        let mut waits = lock(&self.waits);
        let later = waits.split_off(&(second, 0, Effect::Visible));
        let taken = std::mem::replace(&mut *waits, later);
        drop(waits);
        let mut serializer = V2DeflateSerializer::new();
        let mut entry = |((second, request, effect), latencies): ((u64, usize, Effect), Option<Latencies>)| {
            let what = match effect {
                Effect::Visible => "visible",
                Effect::Missing => "missing",
            };
            let tag = format!("{}!{what}", names[request]);
            let hdr = encode(&latencies?, &mut serializer);
            Some(json!({"second": start_unix_s + second, "tag": tag, "hdr": hdr}))
        };
        taken.into_iter().filter_map(&mut entry).collect()
    }
}
