//! How late a timer fires that has nothing to do but be punctual: the machine's own noise.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::clock::{now_ns, sharpen_timers};
use crate::control::lock;

const EVERY_NS: u64 = 10_000_000;

/// Lateness samples by second after the start.
#[derive(Debug, Default)]
pub struct ControlTimer {
    samples_us: Mutex<BTreeMap<u64, Vec<u64>>>,
    stop: AtomicBool,
}

impl ControlTimer {
    /// Start sampling at `start_ns` on a thread of its own.
    pub fn start(self: &Arc<Self>, start_ns: u64) -> std::io::Result<()> {
        let timer = Arc::clone(self);
        thread::Builder::new()
            .name("golive-control".into())
            .spawn(move || timer.run(start_ns))
            .map(|_| ())
    }

    fn run(&self, start_ns: u64) {
        sharpen_timers();
        let mut at_ns = start_ns;
        while !self.stop.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_nanos(at_ns.saturating_sub(now_ns())));
            let woken_ns = now_ns();
            let late_us = woken_ns.saturating_sub(at_ns) / 1000;
            let second = (at_ns - start_ns) / 1_000_000_000;
            lock(&self.samples_us)
                .entry(second)
                .or_default()
                .push(late_us);
            at_ns += EVERY_NS;
            if woken_ns > at_ns {
                at_ns += (woken_ns - at_ns).div_ceil(EVERY_NS) * EVERY_NS;
            }
        }
    }

    /// Stop sampling.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// The P99 lateness of each second before this one, in µs.
    pub fn take_before(&self, second: u64) -> Vec<(u64, u64)> {
        let mut samples = lock(&self.samples_us);
        let later = samples.split_off(&second);
        let taken = std::mem::replace(&mut *samples, later);
        drop(samples);
        taken
            .into_iter()
            .map(|(second, mut late_us)| (second, p99(&mut late_us)))
            .collect()
    }
}

fn p99(values: &mut [u64]) -> u64 {
    values.sort_unstable();
    let rank = (values.len() * 99).div_ceil(100).max(1) - 1;
    values.get(rank).copied().unwrap_or(0)
}
