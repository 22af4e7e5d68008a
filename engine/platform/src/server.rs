//! The server's loop: one thread, one epoll, answers leaving together on a grid.

use std::net::TcpListener;
use std::os::fd::AsFd;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{accept_with, SocketFlags};

use crate::answers::AnswerBook;
use crate::clock::Clock;
use crate::config::Config;
use crate::connection::{Connection, State};
use crate::control::{Inbox, Order, Outcome, Sealed};
use crate::idempotency::Fingerprints;
use crate::leaks::Lost;
use crate::model::{Answer, ConnectionRef, Platform};
use crate::snapshot::Snapshot;
use crate::tokens::Tokens;

/// Answers leave together, at most so often.
pub const GRID_US: u64 = 500;
/// A client that has begun a request must end it in this time.
const REQUEST_AT_MOST_US: u64 = 30_000_000;
/// An idle connection is closed after this time.
const IDLE_AT_MOST_US: u64 = 300_000_000;
const ACCEPTED_AT_ONCE: usize = 16;
const LINGER_AT_MOST_US: u64 = 2_000_000;

const LISTENER: u64 = u64::MAX;
const BELL: u64 = u64::MAX - 1;

/// Who may log in, and what tokens are made with when others must know them too.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    pub username: Option<String>,
    pub password: Option<String>,
    pub token_secret: Option<String>,
    pub token_lasts_s: u64,
}

/// Everything the serving thread owns.
#[derive(Debug)]
pub struct Server {
    pub(crate) platform: Platform,
    pub(crate) clock: Clock,
    pub(crate) connections: Vec<Option<Connection>>,
    pub(crate) free: Vec<u32>,
    pub(crate) book: AnswerBook,
    pub(crate) tokens: Tokens,
    pub(crate) fingerprints: Fingerprints,
    pub(crate) credentials: Credentials,
    pub(crate) requests_at_most: u32,
    pub(crate) scratch: Vec<u8>,
    open_at_most: usize,
    numbered: u32,
    epoll: std::os::fd::OwnedFd,
    listener: TcpListener,
    is_listening: bool,
    inbox: Inbox,
    frozen_until_us: u64,
    leaving: Vec<Answer>,
    released_tick: u64,
    swept_us: u64,
    lost: Lost,
    /// Answers when it was last looked what leaks.
    leaked_at: u64,
    drain_for_us: u64,
    stops_at_us: Option<u64>,
}

impl Server {
    /// A server for a listening socket.
    ///
    /// # Errors
    /// The kernel refuses an epoll or what belongs to it.
    pub fn new(
        config: &Config,
        credentials: Credentials,
        listener: TcpListener,
        inbox: Inbox,
        clock: Clock,
    ) -> std::io::Result<Self> {
        let platform = Platform::new(config);
        listener.set_nonblocking(true)?;
        // Accepted connections inherit it.
        rustix::net::sockopt::set_tcp_nodelay(&listener, true)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        epoll::add(&epoll, &*inbox.bell, EventData::new_u64(BELL), EventFlags::IN)?;
        // Timers are meant to the microsecond here, not to the default 50.
        rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1000))?;
        Ok(Self {
            book: AnswerBook::new(platform.routes()),
            platform,
            clock,
            connections: Vec::new(),
            free: Vec::new(),
            tokens: credentials.token_secret.as_deref().map_or_else(Tokens::default, Tokens::shared),
            fingerprints: Fingerprints::default(),
            credentials,
            requests_at_most: config.connections.requests_at_most,
            scratch: vec![0; 64 * 1024],
            open_at_most: config.connections.open_at_most,
            numbered: 0,
            epoll,
            listener,
            is_listening: true,
            inbox,
            frozen_until_us: 0,
            leaving: Vec::new(),
            released_tick: 0,
            swept_us: 0,
            lost: Lost::default(),
            leaked_at: 0,
            drain_for_us: (config.connections.drain_for_s * 1e6) as u64,
            stops_at_us: None,
        })
    }

    /// Serve until told to stop.
    ///
    /// # Errors
    /// Waiting itself fails: the process cannot go on.
    pub fn run(mut self) -> std::io::Result<()> {
        let mut events = [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; 256];
        loop {
            let now_us = self.clock.now_us();
            if self.stops_at_us.is_some_and(|stop_us| stop_us <= now_us) {
                return Ok(());
            }
            if now_us < self.frozen_until_us {
                self.wait_frozen(now_us)?;
                continue;
            }
            let timeout = timespec(self.wake_in_us(now_us));
            let ready = match epoll::wait(&self.epoll, &mut events, Some(&timeout)) {
                Ok(ready) => ready,
                Err(Errno::INTR) => 0,
                Err(error) => return Err(error.into()),
            };
            for event in &events[..ready] {
                self.attend(event.data.u64(), event.flags);
            }
            self.keep_time();
        }
    }

    /// Until the next point of the grid at which something may leave.
    fn wake_in_us(&self, now_us: u64) -> u64 {
        if self.platform.has_answers() {
            return GRID_US - now_us % GRID_US;
        }
        let next_us = self.platform.next_us().unwrap_or(now_us + 1_000_000);
        next_us.next_multiple_of(GRID_US).saturating_sub(now_us)
    }

    /// Frozen: sockets are not looked at; what is inside goes on, and orders are still obeyed.
    fn wait_frozen(&mut self, now_us: u64) -> std::io::Result<()> {
        let timeout = timespec((self.frozen_until_us - now_us).min(250_000));
        let mut bell = [PollFd::from_borrowed_fd(self.inbox.bell.as_fd(), PollFlags::IN)];
        match poll(&mut bell, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        self.platform.advance(self.clock.now_us());
        self.obey();
        Ok(())
    }

    fn attend(&mut self, what: u64, flags: EventFlags) {
        match what {
            LISTENER => self.accept_some(),
            BELL => self.obey(),
            _ => {
                let connection = ConnectionRef { place: what as u32, number: (what >> 32) as u32 };
                self.attend_connection(connection, flags);
            }
        }
    }

    fn keep_time(&mut self) {
        let now_us = self.clock.now_us();
        self.platform.advance(now_us);
        if now_us / GRID_US > self.released_tick {
            self.released_tick = now_us / GRID_US;
            self.release();
        }
        if now_us >= self.swept_us + 1_000_000 {
            let passed_s = (now_us - self.swept_us) as f64 / 1e6;
            self.swept_us = now_us;
            self.sweep(now_us);
            self.leak(passed_s);
        }
    }

    fn release(&mut self) {
        let mut answers = std::mem::take(&mut self.leaving);
        self.platform.take_answers(&mut answers);
        for answer in answers.drain(..) {
            self.answer(answer);
        }
        self.leaving = answers;
        self.sever();
    }

    fn sever(&mut self) {
        for replica in self.platform.take_severed() {
            for place in 0..self.connections.len() {
                if self.connections[place].as_ref().is_some_and(|connection| connection.pinned_to == Some(replica)) {
                    self.drop_connection(place as u32);
                }
            }
        }
    }

    /// Accept some of those who wait; the rest come with the next turn of the loop, after those who have sent something.
    fn accept_some(&mut self) {
        for _ in 0..ACCEPTED_AT_ONCE {
            if self.open() >= self.open_at_most {
                return self.listen(false);
            }
            match accept_with(&self.listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                Ok(socket) => self.welcome(socket.into()),
                Err(Errno::WOULDBLOCK) => return,
                Err(Errno::CONNABORTED | Errno::INTR) => {}
                // No file handle left: those who wait stay in the backlog until one is free.
                Err(_) => return self.listen(false),
            }
        }
    }

    /// Connections that clients have with us.
    fn open(&self) -> usize {
        self.connections.len() - self.free.len()
    }

    fn listen(&mut self, listens: bool) {
        if listens != self.is_listening {
            let flags = if listens { EventFlags::IN } else { EventFlags::empty() };
            let changed = epoll::modify(&self.epoll, &self.listener, EventData::new_u64(LISTENER), flags);
            self.is_listening = if changed.is_ok() { listens } else { self.is_listening };
        }
    }

    fn welcome(&mut self, socket: std::net::TcpStream) {
        let now_us = self.clock.now_us();
        self.platform.advance(now_us);
        let pinned_to = if self.platform.pins_connections() { self.platform.connect() } else { None };
        if pinned_to.is_none() && self.platform.pins_connections() {
            // With no gateway replica ready nobody is at home: the connection is closed at once.
            return;
        }
        self.numbered = self.numbered.wrapping_add(1);
        let place = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() as u32 - 1
        });
        let named = EventData::new_u64(u64::from(place) | u64::from(self.numbered) << 32);
        let edges = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        let is_watched = epoll::add(&self.epoll, &socket, named, edges).is_ok();
        self.connections[place as usize] = Some(Connection::new(socket, self.numbered, pinned_to, now_us));
        if !is_watched {
            self.drop_connection(place);
        }
    }

    /// Close a connection, whatever it was doing.
    pub(crate) fn drop_connection(&mut self, place: u32) {
        if let Some(connection) = self.connections[place as usize].take() {
            if let Some(replica) = connection.pinned_to {
                self.platform.disconnect(replica);
            }
            self.lost.end(&self.platform.faults.leaks, connection.socket);
            self.free.push(place);
            self.listen(true);
        }
    }

    fn sweep(&mut self, now_us: u64) {
        self.sever();
        for place in 0..self.connections.len() as u32 {
            let Some(connection) = &self.connections[place as usize] else {
                continue;
            };
            let silent_us = now_us.saturating_sub(connection.active_us);
            match connection.state {
                State::Lingering if silent_us > LINGER_AT_MOST_US => self.drop_connection(place),
                State::Reading if !connection.inbox.is_empty() && silent_us > REQUEST_AT_MOST_US => {
                    self.refuse(place, 408);
                }
                State::Reading | State::Writing if silent_us > IDLE_AT_MOST_US => {
                    self.drop_connection(place);
                }
                _ => {}
            }
        }
        self.listen(self.open() < self.open_at_most);
    }

    fn leak(&mut self, passed_s: f64) {
        let answered = self.platform.counts.answered;
        let requests = (answered - std::mem::replace(&mut self.leaked_at, answered)) as f64;
        self.lost.grow(&self.platform.faults.leaks, requests, passed_s);
    }

    fn obey(&mut self) {
        self.inbox.hush();
        while let Ok(Sealed { order, outcome }) = self.inbox.orders.try_recv() {
            self.platform.advance(self.clock.now_us());
            let came_to = self.carry_out(order);
            // Whoever asked may have gone.
            let _ = outcome.send(came_to);
        }
    }

    fn carry_out(&mut self, order: Order) -> Outcome {
        let done = match order {
            Order::Look => {
                let connections_open = self.open() + self.lost.connections();
                let connections_at_most = self.open_at_most;
                let seen = Snapshot { connections_open, connections_at_most, ..self.platform.look() };
                return Outcome::Seen(Box::new(seen));
            }
            Order::Kill { service, replicas } => match self.platform.kill(&service, replicas) {
                Ok(killed) => return Outcome::Killed(killed),
                Err(refusal) => Err(refusal),
            },
            Order::SetDesired { service, desired } => self.platform.set_desired(&service, desired),
            Order::SetScaling { service, report } => self.platform.set_scaling(&service, |status| {
                status.desired = report.desired.unwrap_or(status.desired);
                status.current_metric = report.current_metric.or(status.current_metric);
                status.target_metric = report.target_metric.unwrap_or(status.target_metric);
                status.conditions = report.conditions.unwrap_or_else(|| std::mem::take(&mut status.conditions));
            }),
            Order::SetFaults(faults) => self.platform.check_faults(&faults).map(|()| self.platform.set_faults(faults)),
            Order::Freeze { for_us } => {
                self.frozen_until_us = self.clock.now_us() + for_us;
                Ok(())
            }
            Order::Stop => {
                self.stops_at_us = Some(self.clock.now_us());
                Ok(())
            }
            Order::Drain => {
                // Every answer from now on is its connection's last.
                self.requests_at_most = 1;
                self.stops_at_us.get_or_insert(self.clock.now_us() + self.drain_for_us);
                Ok(())
            }
        };
        done.map_or_else(Outcome::Refused, |()| Outcome::Done)
    }
}

fn timespec(span_us: u64) -> Timespec {
    Timespec { tv_sec: (span_us / 1_000_000) as i64, tv_nsec: ((span_us % 1_000_000) * 1000) as i64 }
}
