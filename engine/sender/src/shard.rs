//! One sending thread: its pacer puts due arrivals into the hands of connections, on the pacing grid and only there.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use tokio::task::LocalSet;

use crate::clock::{sharpen_timers, Timer};
use crate::closed_loop::ClosedLoop;
use crate::connection::serve;
use crate::control::Control;
use crate::growth::Growth;
use crate::journey::{Journeys, Pacing, Routes};
use crate::plan::{Arrivals, Plan};
use crate::policy::ConnectionPolicy;
use crate::pool::{Kind, Pool};
use crate::record::Record;
use crate::schedule::{Arrival, Schedule};
use crate::target::Target;
use crate::trunks::Trunks;

/// How often time-outs are looked for and the lease is checked, at least.
const HOUSEKEEPING_NS: u64 = 2_000_000;
const SCRATCH: usize = 16 * 1024;

/// Where a thread's arrivals come from: an open model's schedule, or a closed loop.
#[derive(Debug)]
pub enum ArrivalsOf {
    Schedule(Box<Schedule>),
    Loop(ClosedLoop),
}

impl ArrivalsOf {
    /// A thread's share of a plan.
    pub fn shard(plan: &Plan, shard: u64, shards: u64) -> Self {
        match plan.arrivals {
            Arrivals::Closed => Self::Loop(ClosedLoop::new(plan, shard, shards)),
            Arrivals::Constant | Arrivals::Poisson => Self::Schedule(Box::new(Schedule::new(plan, shard, shards))),
        }
    }
}

/// All a sending thread needs.
pub struct Shard {
    pub target: Arc<Target>,
    pub kinds: Arc<Vec<Kind>>,
    pub routes: Arc<Routes>,
    pub record: Arc<Mutex<Record>>,
    pub in_flight: Arc<AtomicU64>,
    pub control: Arc<Control>,
    pub arrivals: ArrivalsOf,
    pub start_ns: u64,
    pub grid_ns: u64,
    pub connections: usize,
    pub connect_timeout_us: u64,
    pub policy: ConnectionPolicy,
    pub growth: Growth,
}

impl Shard {
    /// Send the shard; returns when the last answer is in or given up.
    pub fn run(self) -> io::Result<()> {
        sharpen_timers();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let local = LocalSet::new();
        local.block_on(&runtime, self.pace())
    }

    async fn pace(self) -> io::Result<()> {
        let (upcoming, closed) = match self.arrivals {
            ArrivalsOf::Schedule(schedule) => (Some(schedule.peekable()), None),
            ArrivalsOf::Loop(closed) => (None, Some(RefCell::new(closed))),
        };
        let timer = Rc::new(Timer::new()?);
        let pacing = Pacing { timer: Rc::clone(&timer), start_ns: self.start_ns, grid_ns: self.grid_ns };
        let pool = Rc::new(Pool {
            target: self.target,
            kinds: self.kinds,
            record: self.record,
            control: self.control,
            start_ns: self.start_ns,
            connect_timeout_us: self.connect_timeout_us,
            growth: self.growth,
            trunks: Trunks::new(self.connections, self.policy.streams_per_connection),
            policy: self.policy,
            exact: self.grid_ns == 0,
            closed,
            done_ns: Cell::new(0),
            journeys: Journeys::new(self.routes, pacing),
            slots: RefCell::default(),
            idle: RefCell::default(),
            turn: Cell::new(0),
            free: RefCell::default(),
            queue: RefCell::new(VecDeque::new()),
            busy: Cell::new(0),
            in_flight: self.in_flight,
            scratch: RefCell::new(vec![0; SCRATCH]),
        });
        let places = pool.policy.places(self.connections);
        let mut pacer = Pacer { pool, upcoming, grid_ns: self.grid_ns, places, scheduling: true, looked_ns: 0 };
        timer.until(self.start_ns).await?;
        while pacer.step() {
            timer.until(pacer.wake_ns()).await?;
        }
        Ok(())
    }
}

struct Pacer {
    pool: Rc<Pool>,
    upcoming: Option<std::iter::Peekable<Box<Schedule>>>, // none in a closed loop
    grid_ns: u64,
    places: usize, // for requests at a time
    scheduling: bool,
    looked_ns: u64,
}

impl Pacer {
    /// Do what is due now; whether there is more to come.
    fn step(&mut self) -> bool {
        let now_ns = self.pool.now_ns();
        if self.scheduling {
            if self.pool.control.is_halted(crate::clock::now_ns()) {
                self.give_up_waiting();
            } else {
                self.take_due(now_ns);
            }
        }
        self.dispatch(now_ns);
        if now_ns - self.looked_ns >= HOUSEKEEPING_NS {
            self.looked_ns = now_ns;
            self.pool.expire_waiting(now_ns);
            self.pool.expire_running(now_ns);
        }
        self.scheduling || self.pool.busy.get() > 0 || !self.pool.queue.borrow().is_empty()
    }

    fn take_due(&mut self, now_ns: u64) {
        let Some(upcoming) = self.upcoming.as_mut() else {
            return self.keep_loop_going(now_ns);
        };
        let mut queue = self.pool.queue.borrow_mut();
        let mut due: Option<std::sync::MutexGuard<'_, Record>> = None;
        while let Some(arrival) = upcoming.next_if(|arrival| arrival.due_ns <= now_ns) {
            due.get_or_insert_with(|| crate::control::lock(&self.pool.record)).due(arrival.due_ns, arrival.request);
            queue.push_back(self.pool.journeys.begin(arrival));
        }
        while let Some(arrival) = self.pool.journeys.next_due(now_ns) {
            due.get_or_insert_with(|| crate::control::lock(&self.pool.record)).due(arrival.due_ns, arrival.request);
            queue.push_back(arrival);
        }
        drop((due, queue));
        if upcoming.peek().is_none() && self.pool.journeys.are_over(now_ns) {
            self.scheduled_all();
        }
    }

    fn scheduled_all(&mut self) {
        self.scheduling = false;
        self.pool.journeys.close();
        self.pool.control.scheduled_all();
    }

    /// A connection that ended is followed by another, so that the loop keeps its size.
    fn keep_loop_going(&mut self, now_ns: u64) {
        while let Some(slot) = self.pool.open_slot(self.places) {
            let Some(arrival) = self.pool.next_of_loop(now_ns) else {
                self.pool.free.borrow_mut().push(slot);
                return self.scheduled_all();
            };
            self.open(slot, arrival);
        }
        if self.pool.loop_is_over(now_ns) {
            self.scheduled_all();
        }
    }

    fn open(&self, slot: usize, arrival: Arrival) {
        self.pool.begin(slot, &arrival);
        tokio::task::spawn_local(serve(Rc::clone(&self.pool), slot, arrival));
    }

    /// Halted: nothing more is due, and what waits will not be sent.
    fn give_up_waiting(&mut self) {
        if let Some(closed) = &self.pool.closed {
            closed.borrow_mut().end();
        }
        self.scheduled_all();
        let waiting: Vec<Arrival> = self.pool.queue.borrow_mut().drain(..).collect();
        for arrival in &waiting {
            self.pool.unsent(arrival);
        }
    }

    fn dispatch(&self, now_ns: u64) {
        loop {
            if self.pool.queue.borrow().is_empty() {
                return;
            }
            let Some((slot, is_open)) = self.pool.slot_in_turn(self.places) else { return };
            let Some(arrival) = self.pool.next_waiting(now_ns) else {
                self.put_back(slot, is_open);
                return;
            };
            if is_open {
                self.pool.assign(slot, arrival);
            } else {
                self.open(slot, arrival);
            }
        }
    }

    fn put_back(&self, slot: usize, is_open: bool) {
        if is_open {
            self.pool.idle.borrow_mut().push(slot);
        } else {
            self.pool.free.borrow_mut().push(slot);
        }
    }

    /// When to look again, on the monotonic clock: at the next due arrival's place on the grid.
    fn wake_ns(&mut self) -> u64 {
        let now_ns = self.pool.now_ns();
        let latest_ns = now_ns + HOUSEKEEPING_NS;
        let next_ns = match self.upcoming.as_mut().and_then(std::iter::Peekable::peek) {
            Some(arrival) if self.scheduling => arrival.due_ns.min(latest_ns),
            _ => latest_ns,
        };
        let next_ns = self.pool.journeys.next_due_ns().map_or(next_ns, |due_ns| due_ns.min(next_ns));
        let waiting = !self.pool.queue.borrow().is_empty();
        let at_ns = match (self.grid_ns, waiting) {
            (0, _) => next_ns,
            (grid_ns, true) => (now_ns / grid_ns + 1) * grid_ns,
            (_, false) if self.upcoming.is_none() => latest_ns,
            (grid_ns, false) => next_ns.div_ceil(grid_ns).max(now_ns / grid_ns + 1) * grid_ns,
        };
        self.pool.start_ns + at_ns
    }
}
