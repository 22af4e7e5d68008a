//! The monotonic clock in nanoseconds, and a timer that wakes on it.
//!
//! Never `tokio::time` for pacing: its wheel turns in milliseconds.

use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;

use rustix::time::{
    clock_gettime, timerfd_create, timerfd_settime, ClockId, Itimerspec, TimerfdClockId, TimerfdFlags,
    TimerfdTimerFlags, Timespec,
};
use tokio::io::unix::AsyncFd;

const NS: u64 = 1_000_000_000;

/// Nanoseconds on the monotonic clock.
#[must_use]
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * NS + now.tv_nsec as u64
}

/// Wakes a task at an instant of the monotonic clock.
#[derive(Debug)]
pub struct Timer {
    fd: AsyncFd<OwnedFd>,
    armed_ns: Cell<u64>, // when it will wake its task; 0: nobody sleeps
}

impl Timer {
    /// A timer on the current runtime.
    // `register` asks for unsafe because an fd type could close early; an OwnedFd cannot.
    #[expect(deprecated, reason = "its successor is unsafe, and this workspace forbids unsafe code")]
    pub fn new() -> io::Result<Self> {
        let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Self { fd: AsyncFd::new(fd)?, armed_ns: Cell::new(0) })
    }

    /// Sleep until then; returns at once when then has passed.
    pub async fn until(&self, at_ns: u64) -> io::Result<()> {
        if at_ns <= now_ns() {
            tokio::task::yield_now().await;
            return Ok(());
        }
        self.arm(at_ns)?;
        self.armed_ns.set(at_ns);
        // Nobody reads how often it has fired: arming it again forgets that, and the kernel calls at each firing.
        self.fd.readable().await?.clear_ready();
        self.armed_ns.set(0);
        Ok(())
    }

    /// Let the sleeping task wake at an instant, when it would sleep longer.
    pub fn no_later_than(&self, at_ns: u64) {
        // An error leaves the timer as it was: the task is late, and its lag says so.
        if at_ns < self.armed_ns.get() && self.arm(at_ns.max(1)).is_ok() {
            self.armed_ns.set(at_ns);
        }
    }

    fn arm(&self, at_ns: u64) -> io::Result<()> {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let at = Timespec { tv_sec: (at_ns / NS) as i64, tv_nsec: (at_ns % NS) as i64 };
        let setting = Itimerspec { it_interval: zero, it_value: at };
        timerfd_settime(self.fd.get_ref(), TimerfdTimerFlags::ABSTIME, &setting)?;
        Ok(())
    }
}

/// Ask the kernel not to round this thread's timers (its default slack is 50 µs).
pub fn sharpen_timers() {
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
}
