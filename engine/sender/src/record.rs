//! What happened to each request, added up by second of the intended start and by request.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::prelude::{Engine as _, BASE64_STANDARD};
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
use hdrhistogram::Histogram;
use serde_json::{json, Value};

use crate::exemplars::{Exemplar, Slowest};
use crate::failure::Failure;
use crate::plan::LONGEST_US;
use crate::trace::Trace;

/// Microseconds, as all latencies are kept.
pub type Latencies = Histogram<u32>;

/// Tag of the histogram of due → written.
pub const LAG: &str = "golive.lag";
/// Tag of the histogram of written → answered.
pub const SERVICE: &str = "golive.service";

/// The counts of a thread that sends. Times are ns after the start of the rate line.
#[derive(Debug)]
pub struct Record {
    requests: usize,
    seconds: Vec<(u64, Box<Second>)>, // in order; few, and nearly always the last is meant
    spare: Vec<Latencies>,
}

#[derive(Debug)]
struct Second {
    requests: Vec<Counts>,
    lag: Option<Latencies>,
    service: Option<Latencies>,
}

#[derive(Debug, Default, Clone)]
struct Counts {
    due: u64,
    sent: u64,
    ok: u64,
    unsent: u64,
    unavailable: u64,
    sent_bytes: u64,
    received_bytes: u64,
    cached: u64,
    repeated: u64,
    failed: BTreeMap<Failure, u64>,
    answered: Option<Latencies>,
    failed_latency: Option<Latencies>,
    slowest: Slowest,
    slowest_failed: Slowest,
}

/// A request that has been written.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    pub due_ns: u64,
    pub written_ns: u64,
    pub request: usize,
    pub bytes: u64,
    pub number: u64,
}

impl Record {
    /// An empty record for a plan with so many kinds of requests.
    #[must_use]
    pub fn new(requests: usize) -> Self {
        Self { requests, seconds: Vec::new(), spare: Vec::new() }
    }

    /// An arrival's instant has passed.
    pub fn due(&mut self, due_ns: u64, request: usize) {
        self.counts(due_ns, request).due += 1;
    }

    /// A request was written.
    pub fn sent(&mut self, sent: &Sent) {
        let lag_us = sent.written_ns.saturating_sub(sent.due_ns) / 1000;
        self.in_second(sent.due_ns, |second, spare| {
            let counts = &mut second.requests[sent.request];
            counts.sent += 1;
            counts.sent_bytes += sent.bytes;
            note(&mut second.lag, lag_us, spare);
        });
    }

    /// A written request was answered as expected.
    pub fn ok(&mut self, sent: &Sent, done_ns: u64, received_bytes: u64) {
        let latency_us = done_ns.saturating_sub(sent.due_ns) / 1000;
        let service_us = done_ns.saturating_sub(sent.written_ns) / 1000;
        self.in_second(sent.due_ns, |second, spare| {
            note(&mut second.service, service_us, spare);
            let counts = &mut second.requests[sent.request];
            counts.ok += 1;
            counts.received_bytes += received_bytes;
            note(&mut counts.answered, latency_us, spare);
            counts.slowest.offer(&Exemplar {
                number: sent.number,
                due_ns: sent.due_ns,
                sent_ns: Some(sent.written_ns),
                done_ns,
                failure: None,
            });
        });
    }

    /// An answer, as expected or not, came out of a cache.
    pub fn cached(&mut self, due_ns: u64, request: usize) {
        self.counts(due_ns, request).cached += 1;
    }

    /// A request was sent again, over another connection.
    pub fn repeated(&mut self, due_ns: u64, request: usize) {
        self.counts(due_ns, request).repeated += 1;
    }

    /// A request failed. `latency_us`: until the failure, or its time-out when it was not answered.
    pub fn failed(&mut self, due_ns: u64, request: usize, failure: Failure, latency_us: u64) {
        self.in_second(due_ns, |second, spare| {
            let counts = &mut second.requests[request];
            *counts.failed.entry(failure).or_default() += 1;
            counts.unavailable += u64::from(failure.is_unavailable());
            note(&mut counts.failed_latency, latency_us, spare);
        });
    }

    /// A failed request's own story, should it be among the slowest.
    pub fn example(&mut self, request: usize, exemplar: &Exemplar) {
        self.counts(exemplar.due_ns, request).slowest_failed.offer(exemplar);
    }

    /// A request could not even be written because its connection failed: it counts as sent and failed.
    pub fn never_written(&mut self, due_ns: u64, request: usize, failure: Failure, latency_us: u64) {
        self.counts(due_ns, request).sent += 1;
        self.failed(due_ns, request, failure, latency_us);
    }

    /// An arrival was not written before its time-out or the end.
    pub fn unsent(&mut self, due_ns: u64, request: usize, timeout_us: u64) {
        self.in_second(due_ns, |second, spare| {
            let counts = &mut second.requests[request];
            counts.unsent += 1;
            note(&mut counts.failed_latency, timeout_us, spare);
        });
    }

    fn counts(&mut self, due_ns: u64, request: usize) -> &mut Counts {
        &mut self.second(due_ns / 1_000_000_000).requests[request]
    }

    fn in_second(&mut self, at_ns: u64, change: impl FnOnce(&mut Second, &mut Vec<Latencies>)) {
        change(found(&mut self.seconds, at_ns / 1_000_000_000, self.requests), &mut self.spare);
    }

    fn second(&mut self, second: u64) -> &mut Second {
        found(&mut self.seconds, second, self.requests)
    }

    /// Take out all seconds before this one.
    pub fn take_before(&mut self, second: u64) -> Taken {
        let later = self.seconds.split_off(self.seconds.partition_point(|(at, _)| *at < second));
        Taken { seconds: std::mem::replace(&mut self.seconds, later).into_iter().collect() }
    }

    /// Give emptied histograms back for use.
    pub fn give_back(&mut self, spare: Vec<Latencies>) {
        self.spare.extend(spare);
        self.spare.truncate(4 * (self.requests + 2));
    }
}

/// The counts of a second, made when it is the first time.
fn found(seconds: &mut Vec<(u64, Box<Second>)>, second: u64, requests: usize) -> &mut Second {
    let place = match seconds.iter().rposition(|(at, _)| *at <= second) {
        Some(place) if seconds[place].0 == second => place,
        before => {
            let place = before.map_or(0, |before| before + 1);
            let empty = Second { requests: vec![Counts::default(); requests], lag: None, service: None };
            seconds.insert(place, (second, Box::new(empty)));
            place
        }
    };
    &mut seconds[place].1
}

/// Note a time; the histogram is made when it is the first.
pub fn note(place: &mut Option<Latencies>, value_us: u64, spare: &mut Vec<Latencies>) {
    if place.is_none() {
        *place = spare.pop().or_else(fresh);
    }
    if let Some(latencies) = place {
        latencies.saturating_record(value_us.clamp(1, LONGEST_US));
    }
}

fn fresh() -> Option<Latencies> {
    // The bounds are constants that the library accepts (tested).
    Histogram::new_with_bounds(1, LONGEST_US, 3).ok()
}

/// Seconds taken out of a record.
#[derive(Debug, Default)]
pub struct Taken {
    seconds: BTreeMap<u64, Box<Second>>,
}

impl Taken {
    /// Add another thread's.
    pub fn merge(&mut self, other: Taken) {
        for (at, second) in other.seconds {
            match self.seconds.entry(at) {
                std::collections::btree_map::Entry::Vacant(free) => {
                    free.insert(second);
                }
                std::collections::btree_map::Entry::Occupied(mut there) => {
                    there.get_mut().merge(*second);
                }
            }
        }
    }

    /// The counts and histograms as engine/DELTA.md has them; empties the histograms for use again.
    pub fn into_delta(self, start_unix_s: u64, names: &[String], trace: Option<&Trace>) -> (Delta, Vec<Latencies>) {
        let mut delta = Delta::default();
        let mut spare = Vec::new();
        let mut serializer = V2DeflateSerializer::new();
        for (at, second) in self.seconds {
            for (counts, name) in second.requests.iter().zip(names) {
                let kept = counts.slowest.iter().chain(counts.slowest_failed.iter());
                delta.exemplars.extend(kept.map(|one| one.entry(start_unix_s, name, trace)));
            }
            second.write(start_unix_s + at, names, &mut delta, &mut serializer, &mut spare);
        }
        (delta, spare)
    }
}

/// The parts of a delta.
#[derive(Debug, Default)]
pub struct Delta {
    pub counts: Vec<Value>,
    pub latency: Vec<Value>,
    pub exemplars: Vec<Value>,
}

impl Second {
    fn merge(&mut self, other: Second) {
        for (mine, theirs) in self.requests.iter_mut().zip(other.requests) {
            mine.merge(theirs);
        }
        add(&mut self.lag, other.lag);
        add(&mut self.service, other.service);
    }

    fn write(
        self,
        at: u64,
        names: &[String],
        delta: &mut Delta,
        serializer: &mut V2DeflateSerializer,
        spare: &mut Vec<Latencies>,
    ) {
        let mut keep = |tag: &str, latencies: Option<Latencies>| {
            if let Some(mut latencies) = latencies {
                delta.latency.push(json!({"second": at, "tag": tag, "hdr": encode(&latencies, serializer)}));
                latencies.reset();
                spare.push(latencies);
            }
        };
        for (counts, name) in self.requests.into_iter().zip(names) {
            if counts.is_empty() {
                continue;
            }
            delta.counts.push(counts.entry(at, name));
            let mut failed_tag = name.clone();
            let _ = write!(failed_tag, "!failed");
            keep(name, counts.answered);
            keep(&failed_tag, counts.failed_latency);
        }
        keep(LAG, self.lag);
        keep(SERVICE, self.service);
    }
}

impl Counts {
    fn is_empty(&self) -> bool {
        self.due + self.sent + self.ok + self.unsent == 0 && self.failed.is_empty()
    }

    fn merge(&mut self, other: Counts) {
        self.due += other.due;
        self.sent += other.sent;
        self.ok += other.ok;
        self.unsent += other.unsent;
        self.unavailable += other.unavailable;
        self.sent_bytes += other.sent_bytes;
        self.received_bytes += other.received_bytes;
        self.cached += other.cached;
        self.repeated += other.repeated;
        for (failure, count) in other.failed {
            *self.failed.entry(failure).or_default() += count;
        }
        add(&mut self.answered, other.answered);
        add(&mut self.failed_latency, other.failed_latency);
        self.slowest.merge(&other.slowest);
        self.slowest_failed.merge(&other.slowest_failed);
    }

    fn entry(&self, second: u64, name: &str) -> Value {
        let failed: BTreeMap<String, u64> =
            self.failed.iter().map(|(failure, count)| (failure.to_string(), *count)).collect();
        let mut entry = json!({
            "second": second, "request": name, "due": self.due, "sent": self.sent, "ok": self.ok,
            "failed": failed, "unavailable": self.unavailable, "unsent": self.unsent,
            "sent_bytes": self.sent_bytes, "received_bytes": self.received_bytes,
        });
        if self.cached > 0 {
            entry["cached"] = json!(self.cached);
        }
        if self.repeated > 0 {
            entry["repeated"] = json!(self.repeated);
        }
        entry
    }
}

fn add(mine: &mut Option<Latencies>, theirs: Option<Latencies>) {
    match (mine.as_mut(), theirs) {
        (Some(mine), Some(theirs)) => {
            // Both have the same bounds, so adding cannot fail (tested).
            let _ = mine.add(&theirs);
        }
        (None, theirs) => *mine = theirs,
        (Some(_), None) => {}
    }
}

/// A histogram as a delta holds it.
pub fn encode(latencies: &Latencies, serializer: &mut V2DeflateSerializer) -> String {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail.
    let _ = serializer.serialize(latencies, &mut bytes);
    BASE64_STANDARD.encode(bytes)
}
