//! A thread that has nothing to do but be punctual: how late it is shows the machine's own noise, and as nobody
//! else's clock sets its pace it samples, undisturbed by the pacing grid, how many requests are on their way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::clock::{now_ns, sharpen_timers};
use crate::control::lock;

// Between samples, drawn evenly: about a hundred a second that keep no step with any grid.
const SHORTEST_NS: u64 = 5_000_000;
const LONGEST_NS: u64 = 15_000_000;

/// The samples, by second after the start.
#[derive(Debug, Default)]
pub struct ControlTimer {
    samples: Mutex<BTreeMap<u64, Samples>>,
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct Samples {
    late_us: Vec<u64>,
    in_flight: u64,
}

/// What one second showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quiet {
    pub second: u64,
    pub late_p99_us: u64,
    pub mean_in_flight: f64,
}

impl ControlTimer {
    /// Start sampling at `start_ns` on a thread of its own; `in_flight` has one gauge a sending thread.
    pub fn start(self: &Arc<Self>, start_ns: u64, in_flight: Vec<Arc<AtomicU64>>) -> std::io::Result<()> {
        let timer = Arc::clone(self);
        thread::Builder::new().name("golive-control".into()).spawn(move || timer.run(start_ns, &in_flight)).map(|_| ())
    }

    fn run(&self, start_ns: u64, in_flight: &[Arc<AtomicU64>]) {
        sharpen_timers();
        let mut random = fastrand::Rng::new();
        let mut at_ns = start_ns;
        while !self.stop.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_nanos(at_ns.saturating_sub(now_ns())));
            let woken_ns = now_ns();
            let under_way: u64 = in_flight.iter().map(|gauge| gauge.load(Ordering::Relaxed)).sum();
            let mut seconds = lock(&self.samples);
            // Told to stop meanwhile: the last samples have been taken.
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let samples = seconds.entry((at_ns - start_ns) / 1_000_000_000).or_default();
            samples.late_us.push(woken_ns.saturating_sub(at_ns) / 1000);
            samples.in_flight += under_way;
            drop(seconds);
            at_ns = woken_ns.max(at_ns) + random.u64(SHORTEST_NS..LONGEST_NS);
        }
    }

    /// Stop sampling.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// What each second before this one showed.
    pub fn take_before(&self, second: u64) -> Vec<Quiet> {
        let mut samples = lock(&self.samples);
        let later = samples.split_off(&second);
        let taken = std::mem::replace(&mut *samples, later);
        drop(samples);
        taken.into_iter().map(|(second, samples)| samples.summed_up(second)).collect()
    }
}

impl Samples {
    fn summed_up(mut self, second: u64) -> Quiet {
        self.late_us.sort_unstable();
        let rank = (self.late_us.len() * 99).div_ceil(100).max(1) - 1;
        Quiet {
            second,
            late_p99_us: self.late_us.get(rank).copied().unwrap_or(0),
            mean_in_flight: self.in_flight as f64 / self.late_us.len().max(1) as f64,
        }
    }
}
