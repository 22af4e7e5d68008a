//! W3C Trace Context: which trace a request belongs to, from (seed, arrival) alone, so that it can be found again.

use crate::error::EngineError;
use crate::plan::{refuse, Plan, Request, TracePlan};
use crate::schedule::hash;

/// The bits of a trace id that a tracer decides by (W3C Trace Context 2, "random-trace-id").
const RANDOM_BITS: u64 = (1 << 56) - 1;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// How requests are marked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trace {
    seed: u64,
    sampled_from: u64,
}

impl Trace {
    /// The marks of a plan's requests, if it wants any. They are the run's own, for its seed is.
    #[must_use]
    pub fn of(plan: &Plan) -> Option<Self> {
        plan.trace.map(|trace| {
            // Consistent with tracers that sample by ratio: those whose random bits reach a threshold.
            let sampled_from = ((1.0 - trace.sampled_ratio) * (RANDOM_BITS as f64 + 1.0)) as u64;
            Self { seed: plan.seed, sampled_from }
        })
    }

    /// The trace of an arrival; all requests of a journey share it.
    #[must_use]
    pub fn id(&self, number: u64) -> u128 {
        let high = hash(self.seed ^ 0x7AC3_0000_0000_0001, number);
        let low = hash(self.seed ^ 0x7AC3_0000_0000_0002, number);
        // All zeros is no trace.
        (u128::from(high) << 64 | u128::from(low)).max(1)
    }

    /// Whether an arrival's trace is marked to be kept.
    #[must_use]
    pub fn is_sampled(&self, number: u64) -> bool {
        (self.id(number) as u64) & RANDOM_BITS >= self.sampled_from
    }

    /// Write the header's value: version, trace, this request's span, flags.
    pub fn write(&self, number: u64, request: u64, out: &mut Vec<u8>) {
        let span = hash(self.seed ^ 0x7AC3_0000_0000_0003 ^ number, request).max(1);
        out.extend_from_slice(b"00-");
        hex(self.id(number), 32, out);
        out.push(b'-');
        hex(u128::from(span), 16, out);
        out.extend_from_slice(if self.is_sampled(number) { b"-01" } else { b"-00" });
    }

    /// An arrival's trace as people and tracers write it.
    #[must_use]
    pub fn text(&self, number: u64) -> String {
        format!("{:032x}", self.id(number))
    }
}

/// How a kind of request is marked, and what tells its spans from those of other kinds; not when it brings its own mark.
#[must_use]
pub fn trace_of(plan: &Plan, request: &Request) -> Option<(Trace, u64)> {
    if request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("traceparent")) {
        return None;
    }
    let salt = request.name.bytes().fold(0, |salt, byte| hash(salt, u64::from(byte)));
    Trace::of(plan).map(|trace| (trace, salt))
}

impl TracePlan {
    /// Refuse what is no share.
    pub fn check(self) -> Result<(), EngineError> {
        if (0.0..=1.0).contains(&self.sampled_ratio) {
            return Ok(());
        }
        refuse("trace.sampled_ratio", format!("must be 0 to 1, not {}", self.sampled_ratio))
    }
}

fn hex(value: u128, digits: u32, out: &mut Vec<u8>) {
    for digit in (0..digits).rev() {
        out.push(HEX[((value >> (4 * digit)) & 0xF) as usize]);
    }
}
