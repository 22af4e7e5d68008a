//! How long effects took to become visible, by second of their acceptance and by the request that looks for them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::Histogram;
use serde_json::{json, Value};

use crate::control::lock;
use crate::plan::LONGEST_US;
use crate::record::encode;

type Latencies = Histogram<u32>;

/// What became of an effect that was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    Visible,
    Missing,
}

/// The waits of all threads of an engine.
#[derive(Debug, Default)]
pub struct Visibility {
    waits: Mutex<BTreeMap<(u64, usize, Effect), Latencies>>,
}

impl Visibility {
    /// An effect that was accepted then has been waited for so long.
    pub fn note(&self, accepted_ns: u64, request: usize, effect: Effect, wait_us: u64) {
        let mut waits = lock(&self.waits);
        let place = waits.entry((accepted_ns / 1_000_000_000, request, effect));
        // The bounds are those of all latencies (tested there).
        if let Ok(fresh) = Histogram::new_with_bounds(1, LONGEST_US, 3) {
            place.or_insert(fresh).saturating_record(wait_us.clamp(1, LONGEST_US));
        }
    }

    /// What was accepted before a second, as a delta's latency entries; each leaves once.
    pub fn take_before(&self, second: u64, start_unix_s: u64, names: &[String]) -> Vec<Value> {
        let mut waits = lock(&self.waits);
        let later = waits.split_off(&(second, 0, Effect::Visible));
        let taken = std::mem::replace(&mut *waits, later);
        drop(waits);
        let mut serializer = V2DeflateSerializer::new();
        let mut entry = |((second, request, effect), latencies): ((u64, usize, Effect), Latencies)| {
            let what = match effect {
                Effect::Visible => "visible",
                Effect::Missing => "missing",
            };
            let tag = format!("{}!{what}", names[request]);
            json!({"second": start_unix_s + second, "tag": tag, "hdr": encode(&latencies, &mut serializer)})
        };
        taken.into_iter().map(&mut entry).collect()
    }
}
