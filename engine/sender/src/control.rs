//! What the threads of one engine share: whether to go on, until when, and whether they have ended.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::now_ns;

/// The engine's reins.
#[derive(Debug, Default)]
pub struct Control {
    halted: AtomicBool,
    because: Mutex<String>,
    lease_until_ns: AtomicU64,
    sending: AtomicUsize,
    draining: AtomicUsize,
}

impl Control {
    /// The master lives: go on for so long.
    pub fn renew_lease(&self, lease_us: u64) {
        let until_ns = now_ns().saturating_add(lease_us.saturating_mul(1000));
        self.lease_until_ns.store(until_ns, Ordering::Relaxed);
    }

    /// Stop scheduling; the first reason stays.
    pub fn halt(&self, because: &str) {
        let mut reason = lock(&self.because);
        if !self.halted.swap(true, Ordering::SeqCst) {
            because.clone_into(&mut reason);
        }
    }

    /// Why the engine stopped early; empty when it did not.
    pub fn halted_because(&self) -> String {
        lock(&self.because).clone()
    }

    /// Whether nothing more is due. Asked before anything is sent, so that a thawed worker sends nothing.
    pub fn is_halted(&self, now_ns: u64) -> bool {
        if self.halted.load(Ordering::Relaxed) {
            return true;
        }
        if now_ns > self.lease_until_ns.load(Ordering::Relaxed) {
            self.halt("lease ended");
            return true;
        }
        false
    }

    /// So many threads begin to send.
    pub fn begin(&self, threads: usize) {
        self.sending.store(threads, Ordering::SeqCst);
        self.draining.store(threads, Ordering::SeqCst);
    }

    /// A thread has nothing more to schedule.
    pub fn scheduled_all(&self) {
        self.sending.fetch_sub(1, Ordering::SeqCst);
    }

    /// A thread has ended.
    pub fn ended(&self) {
        self.draining.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether any thread still schedules, and whether any still waits for answers.
    pub fn activity(&self) -> (bool, bool) {
        (self.sending.load(Ordering::SeqCst) > 0, self.draining.load(Ordering::SeqCst) > 0)
    }
}

/// A lock that a panicking thread cannot take away from the others: counts stay readable.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
