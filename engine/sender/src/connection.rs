//! One connection: takes arrivals one after the other, writes each, reads its answer, writes down what happened.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use crate::codec::Answer;
use crate::exchange::{Exchange, Reading, Writing};
use crate::exemplars::Exemplar;
use crate::failure::Failure;
use crate::http1::Http1;
use crate::http2::Lane;
use crate::policy::Http;
use crate::pool::Pool;
use crate::record::Sent;
use crate::repeat::Chances;
use crate::schedule::Arrival;

/// Serve a slot of the pool until its connection ends. `first` is already under way.
pub async fn serve(pool: Rc<Pool>, slot: usize, first: Arrival) {
    let mut guard = Guard { pool, slot, busy: true };
    let mut connection =
        Connection { pool: Rc::clone(&guard.pool), slot, exchange: None, output: Vec::new(), body: Vec::new() };
    let mut next = Some(first);
    while let Some(arrival) = next.take() {
        let lives = connection.perform(arrival).await;
        guard.rest();
        if !lives {
            break;
        }
        next = connection.next_job().await;
        guard.busy = next.is_some();
    }
}

/// Gives the slot back however the connection ends; a panic in it halts the engine instead of hanging it.
struct Guard {
    pool: Rc<Pool>,
    slot: usize,
    busy: bool,
}

impl Guard {
    fn rest(&mut self) {
        self.busy = false;
        self.pool.finish(self.slot);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.busy {
            self.pool.finish(self.slot);
        }
        if std::thread::panicking() {
            self.pool.control.halt("engine fault: a connection panicked");
        }
        self.pool.close_slot(self.slot);
    }
}

struct Connection {
    pool: Rc<Pool>,
    slot: usize,
    exchange: Option<Exchange>,
    output: Vec<u8>,
    body: Vec<u8>,
}

/// Why a request was not written.
enum Unwritten {
    Broken { unread: bool },
    Failed(Failure),
}

impl Connection {
    /// Carry one arrival through; whether the connection can take another.
    async fn perform(&mut self, arrival: Arrival) -> bool {
        let pool = Rc::clone(&self.pool);
        let kind = &pool.kinds[arrival.request];
        self.end_old_life().await;
        self.leave_spoken_on().await;
        pool.target.addresses.give(self.address());
        pool.journeys.write(&arrival, &kind.template, &mut self.output, &mut self.body);
        let mut sent: Option<Sent> = None;
        let mut chances = Chances::of(kind);
        loop {
            match self.write(&arrival).await {
                Ok(()) => {}
                Err(Unwritten::Broken { unread }) if self.goes_again(&arrival, &mut chances, unread) => continue,
                Err(unwritten) => {
                    let failure = self.why(unwritten).await;
                    self.fail(&arrival, sent.as_ref(), failure);
                    return false;
                }
            }
            let written = *sent.get_or_insert_with(|| self.note_sent(&arrival));
            let Some(exchange) = self.exchange.as_mut() else { return false };
            match exchange.read(&pool, kind).await {
                Reading::Closed { answer_begun: false } if self.goes_again(&arrival, &mut chances, false) => {}
                Reading::Unread if self.goes_again(&arrival, &mut chances, true) => {}
                reading => return self.conclude(&arrival, &written, reading),
            }
        }
    }

    /// Whether an arrival whose connection ended under it is to be sent again, on a fresh one, and counts once.
    /// `unread`: something says that the server did not look at it. Where nothing does, a kept connection was closed
    /// just as it was used again: what may be repeated is, and anything else may have been taken, so it counts as reset.
    fn goes_again(&mut self, arrival: &Arrival, chances: &mut Chances, unread: bool) -> bool {
        let again = if unread { chances.take_left_out() } else { self.is_used() && chances.take_lost() };
        if again && !unread {
            self.pool.note(|record| record.repeated(arrival.due_ns, arrival.request));
        }
        if again {
            self.exchange = None;
        }
        again
    }

    async fn why(&mut self, unwritten: Unwritten) -> Failure {
        match (unwritten, self.exchange.as_mut()) {
            (Unwritten::Failed(failure), _) => failure,
            (Unwritten::Broken { .. }, Some(exchange)) => exchange.last_word(&self.pool).await,
            (Unwritten::Broken { .. }, None) => Failure::Reset,
        }
    }

    /// Whether the connection at hand had carried a request before this one.
    fn is_used(&self) -> bool {
        self.exchange.as_ref().is_some_and(Exchange::is_used)
    }

    /// Connect if there is no connection, and write the request.
    async fn write(&mut self, arrival: &Arrival) -> Result<(), Unwritten> {
        let exchange = if let Some(exchange) = self.exchange.as_mut() {
            exchange
        } else {
            let fresh = self.connect(arrival).await.map_err(Unwritten::Failed)?;
            self.exchange.insert(fresh)
        };
        match exchange.write(&self.pool, &mut self.output).await {
            Writing::Done => Ok(()),
            Writing::TimedOut => Err(Unwritten::Failed(Failure::TimeoutWait)),
            Writing::Unspeakable => Err(Unwritten::Failed(Failure::Malformed)),
            Writing::Broken { unread } => Err(Unwritten::Broken { unread }),
        }
    }

    fn has_lived(&self) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| exchange.is_over(&self.pool))
    }

    /// A connection at the end of its life takes no new request: it is closed, and the next request opens another.
    async fn end_old_life(&mut self) {
        if self.has_lived() {
            if let Some(exchange) = self.exchange.take() {
                exchange.close().await;
            }
        }
    }

    /// A kept connection on which the server has spoken unasked is not used: its next answer would be taken for another's.
    async fn leave_spoken_on(&mut self) {
        if let Some(exchange) = self.exchange.as_mut() {
            if exchange.has_been_spoken_on(&self.pool).await {
                self.exchange = None;
            }
        }
    }

    async fn connect(&self, arrival: &Arrival) -> Result<Exchange, Failure> {
        let left_us = self.pool.deadline_ns(arrival).saturating_sub(self.pool.now_ns()) / 1000;
        let timeout = Duration::from_micros(self.pool.connect_timeout_us.min(left_us).max(1));
        match tokio::time::timeout(timeout, self.open()).await {
            Err(_) => Err(Failure::TimeoutConnect),
            Ok(Err(error)) => Err(Failure::of_connecting(&error)),
            Ok(Ok(exchange)) => Ok(exchange),
        }
    }

    async fn open(&self) -> io::Result<Exchange> {
        let (pool, slot) = (&self.pool, self.slot);
        match pool.policy.http {
            Http::One => {
                let stream = pool.target.connect(self.address()).await?;
                Ok(Exchange::One(Http1::new(stream, slot, pool.new_life())))
            }
            Http::Two => Ok(Exchange::Two(Box::new(Lane::open(pool, slot, self.address()).await?))),
        }
    }

    fn address(&self) -> usize {
        self.pool.slots.borrow()[self.slot].address
    }

    fn note_sent(&self, arrival: &Arrival) -> Sent {
        let sent = Sent {
            due_ns: arrival.due_ns,
            written_ns: self.pool.now_ns(),
            request: arrival.request,
            bytes: self.output.len() as u64,
            number: arrival.number,
        };
        self.pool.note(|record| record.sent(&sent));
        self.pool.written(self.slot);
        sent
    }

    /// Write down how it ended; whether the connection can take another arrival.
    fn conclude(&mut self, arrival: &Arrival, sent: &Sent, reading: Reading) -> bool {
        let failure = match reading {
            Reading::Whole(answer) => {
                if answer.from_cache {
                    self.pool.note(|record| record.cached(arrival.due_ns, arrival.request));
                }
                let is_clean = self.exchange.as_mut().is_some_and(Exchange::is_clean);
                let reusable = answer.keep_alive && is_clean;
                match self.judge(arrival, &answer) {
                    None => {
                        let done_ns = self.pool.now_ns();
                        self.pool.done_ns.set(done_ns);
                        self.pool.note(|record| record.ok(sent, done_ns, answer.body_len));
                    }
                    Some(failure) => self.fail(arrival, Some(sent), failure),
                }
                return reusable;
            }
            Reading::Wrong(fault) => Failure::of_fault(fault),
            Reading::TimedOut { in_body: true } => Failure::TimeoutBody,
            Reading::TimedOut { in_body: false } => Failure::TimeoutWait,
            Reading::Closed { .. } | Reading::Unread => Failure::Reset,
            Reading::Refused => Failure::Refused,
            Reading::Insecure => Failure::Tls,
        };
        self.fail(arrival, Some(sent), failure);
        false
    }

    fn judge(&self, arrival: &Arrival, answer: &Answer) -> Option<Failure> {
        let kind = &self.pool.kinds[arrival.request];
        if !kind.expect.contains(&answer.status) {
            return Some(Failure::of_status(answer.status));
        }
        if !answer.checks_hold {
            return Some(Failure::Check);
        }
        self.pool.journeys.answered(arrival, answer.found.as_deref(), || self.pool.now_ns())
    }

    fn fail(&self, arrival: &Arrival, sent: Option<&Sent>, failure: Failure) {
        let timeout_us = self.pool.kinds[arrival.request].timeout_us;
        let now_ns = self.pool.now_ns();
        self.pool.done_ns.set(now_ns);
        let passed_us = now_ns.saturating_sub(arrival.due_ns) / 1000;
        // The unanswered stand at their time-out, however early a connect time-out came.
        let latency_us = if failure.is_timeout() { timeout_us } else { passed_us.min(timeout_us) };
        let exemplar = Exemplar {
            number: arrival.number,
            due_ns: arrival.due_ns,
            sent_ns: sent.map(|sent| sent.written_ns),
            done_ns: now_ns,
            failure: Some(failure),
        };
        self.pool.note(|record| {
            record.example(arrival.request, &exemplar);
            if sent.is_none() {
                record.never_written(arrival.due_ns, arrival.request, failure, latency_us);
            } else {
                record.failed(arrival.due_ns, arrival.request, failure, latency_us);
            }
        });
        self.pool.journeys.failed(arrival);
    }

    /// The connection's next arrival; None when the server ends the connection first.
    async fn next_job(&mut self) -> Option<Arrival> {
        let (pool, slot) = (Rc::clone(&self.pool), self.slot);
        if let Some(arrival) = (!self.has_lived()).then(|| pool.at_once()).flatten() {
            pool.begin(slot, &arrival);
            return Some(arrival);
        }
        if self.has_lived() {
            self.end_old_life().await;
            return None;
        }
        pool.idle.borrow_mut().push(slot);
        let job = self.exchange.as_mut()?.wait_for_job(&pool).await;
        if job.is_none() {
            pool.idle.borrow_mut().retain(|idle| *idle != slot);
        }
        job
    }
}
