//! The connections of one thread: who is idle, who waits for what, whose time is up.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::closed_loop::ClosedLoop;
use crate::codec::Expectations;
use crate::control::{lock, Control};
use crate::growth::Growth;
use crate::journey::Journeys;
use crate::policy::{ConnectionPolicy, Life};
use crate::record::Record;
use crate::schedule::Arrival;
use crate::target::Target;
use crate::template::Template;
use crate::trunks::Trunks;

/// One kind of request, ready to be sent and judged.
#[derive(Debug)]
pub struct Kind {
    pub template: Template,
    pub expected: Expectations,
    pub expect: Vec<u16>,
    pub timeout_us: u64,
    pub is_head: bool,
    pub may_repeat: bool,
}

/// A connection's place in the pool.
#[derive(Debug, Default)]
pub struct Slot {
    pub job: Option<Arrival>,
    pub waker: Option<Waker>,
    pub deadline_ns: u64, // after the start of the rate line; 0: nothing is running
    pub expired: bool,
    pub written: bool,  // its request is on the way
    pub address: usize, // its place among the target's addresses
}

/// What a thread's pacer and its connections share. Everything happens on one thread.
#[derive(Debug)]
pub struct Pool {
    pub target: Arc<Target>,
    pub kinds: Arc<Vec<Kind>>,
    pub record: Arc<Mutex<Record>>,
    pub control: Arc<Control>,
    pub start_ns: u64,
    pub connect_timeout_us: u64,
    pub policy: ConnectionPolicy,
    pub growth: Growth,
    pub trunks: Trunks, // none are opened for HTTP/1.1
    pub exact: bool,
    pub closed: Option<RefCell<ClosedLoop>>,
    pub done_ns: Cell<u64>, // when the last answer was in: a closed loop's next request is due then
    pub journeys: Journeys,
    pub slots: RefCell<Vec<Slot>>,
    pub idle: RefCell<Vec<usize>>,
    pub turn: Cell<usize>, // the address that is next
    pub free: RefCell<Vec<usize>>,
    pub queue: RefCell<VecDeque<Arrival>>,
    pub busy: Cell<u64>,           // connections at work, connecting ones included
    pub in_flight: Arc<AtomicU64>, // requests written and not yet answered: the L of Little's law
    pub scratch: RefCell<Vec<u8>>,
}

impl Pool {
    /// Nanoseconds after the start of the rate line.
    pub fn now_ns(&self) -> u64 {
        crate::clock::now_ns().saturating_sub(self.start_ns)
    }

    /// Write something down.
    pub fn note<R>(&self, write: impl FnOnce(&mut Record) -> R) -> R {
        write(&mut lock(&self.record))
    }

    /// What a connection that opens now has before it.
    pub fn new_life(&self) -> Life {
        Life::begin(&self.policy, self.now_ns())
    }

    /// When an arrival gives up.
    pub fn deadline_ns(&self, arrival: &Arrival) -> u64 {
        arrival.due_ns + self.kinds[arrival.request].timeout_us * 1000
    }

    /// The next waiting arrival that still has time; those that have none are written down as unsent.
    pub fn next_waiting(&self, now_ns: u64) -> Option<Arrival> {
        loop {
            let arrival = self.queue.borrow_mut().pop_front()?;
            if self.deadline_ns(&arrival) > now_ns {
                return Some(arrival);
            }
            self.unsent(&arrival);
        }
    }

    /// Give up the arrivals at the head of the queue whose time is up.
    pub fn expire_waiting(&self, now_ns: u64) {
        loop {
            let head = self.queue.borrow().front().copied();
            match head {
                Some(arrival) if self.deadline_ns(&arrival) <= now_ns => {
                    self.queue.borrow_mut().pop_front();
                    self.unsent(&arrival);
                }
                _ => return,
            }
        }
    }

    /// What a connection that has become free sends without waiting for the grid: nothing, as a rule.
    pub fn at_once(&self) -> Option<Arrival> {
        if self.closed.is_some() {
            return self.next_of_loop(self.done_ns.get());
        }
        // Without a grid whoever is free takes what waits.
        if self.exact {
            self.next_waiting(self.now_ns())
        } else {
            None
        }
    }

    /// The next arrival of the closed loop; None when it is over, or when there is no such loop.
    pub fn next_of_loop(&self, now_ns: u64) -> Option<Arrival> {
        let mut closed = self.closed.as_ref()?.borrow_mut();
        if self.control.is_halted(self.start_ns + now_ns) {
            closed.end();
        }
        let arrival = closed.next(now_ns)?;
        self.note(|record| record.due(arrival.due_ns, arrival.request));
        Some(arrival)
    }

    /// Whether the closed loop has nothing more to send.
    pub fn loop_is_over(&self, now_ns: u64) -> bool {
        self.closed.as_ref().is_none_or(|closed| closed.borrow().is_over(now_ns))
    }

    /// Write an arrival down as never sent.
    pub fn unsent(&self, arrival: &Arrival) {
        let timeout_us = self.kinds[arrival.request].timeout_us;
        self.note(|record| record.unsent(arrival.due_ns, arrival.request, timeout_us));
        self.journeys.failed(arrival);
    }

    /// Hand a job to an idle connection.
    pub fn assign(&self, slot: usize, arrival: Arrival) {
        self.begin(slot, &arrival);
        let waker = {
            let mut slots = self.slots.borrow_mut();
            slots[slot].job = Some(arrival);
            slots[slot].waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Note that a connection works on an arrival from now on.
    pub fn begin(&self, slot: usize, arrival: &Arrival) {
        let deadline_ns = self.deadline_ns(arrival);
        let mut slots = self.slots.borrow_mut();
        slots[slot].deadline_ns = deadline_ns;
        slots[slot].expired = false;
        self.busy.set(self.busy.get() + 1);
    }

    /// Note that its request has been written.
    pub fn written(&self, slot: usize) {
        self.slots.borrow_mut()[slot].written = true;
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Note that it does not any more.
    pub fn finish(&self, slot: usize) {
        let mut slots = self.slots.borrow_mut();
        slots[slot].deadline_ns = 0;
        self.busy.set(self.busy.get().saturating_sub(1));
        if std::mem::take(&mut slots[slot].written) {
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Wake the connections whose time is up.
    pub fn expire_running(&self, now_ns: u64) {
        let mut wakers = Vec::new();
        for slot in self.slots.borrow_mut().iter_mut() {
            if slot.deadline_ns != 0 && slot.deadline_ns <= now_ns && !slot.expired {
                slot.expired = true;
                wakers.extend(slot.waker.take());
            }
        }
        for waker in wakers {
            waker.wake();
        }
    }

    /// A place for a new connection, while there is one.
    pub fn open_slot(&self, limit: usize) -> Option<usize> {
        let mut slots = self.slots.borrow_mut();
        let free = self.free.borrow_mut().pop();
        let slot = match free {
            Some(slot) => slot,
            None if slots.len() >= limit || !self.growth.may_grow(self.now_ns()) => return None,
            None => {
                slots.push(Slot::default());
                slots.len() - 1
            }
        };
        slots[slot].address = self.next_turn();
        Some(slot)
    }

    /// Give a place back.
    pub fn close_slot(&self, slot: usize) {
        self.idle.borrow_mut().retain(|idle| *idle != slot);
        self.slots.borrow_mut()[slot] = Slot::default();
        self.free.borrow_mut().push(slot);
    }

    /// Whom to wake when there is a job for a slot, or its time is up.
    pub fn remember(&self, slot: usize, cx: &Context<'_>) {
        let mut slots = self.slots.borrow_mut();
        match &mut slots[slot].waker {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            other => *other = Some(cx.waker().clone()),
        }
    }

    /// The next arrival of a slot, once there is one.
    pub fn poll_job(&self, slot: usize, cx: &Context<'_>) -> Poll<Arrival> {
        let job = self.slots.borrow_mut()[slot].job.take();
        if job.is_none() {
            self.remember(slot, cx);
        }
        job.map_or(Poll::Pending, Poll::Ready)
    }

    /// Ready when the time of a slot's request is up.
    pub fn expired_or_pending(&self, slot: usize, cx: &Context<'_>) -> Poll<()> {
        if self.slots.borrow()[slot].expired {
            return Poll::Ready(());
        }
        self.remember(slot, cx);
        Poll::Pending
    }
}
