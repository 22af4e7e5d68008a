//! The platform's clock: microseconds since it started, and what that is in unix time.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Monotonic time since the start.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    start_unix_s: f64,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), start_unix_s: unix.as_secs_f64() }
    }

    /// µs since the start.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// An instant of this clock in unix time.
    #[must_use]
    pub fn unix_s(&self, at_us: u64) -> f64 {
        self.start_unix_s + at_us as f64 / 1e6
    }
}
