//! One connection: takes arrivals one after the other, writes each, reads its answer, writes down what happened.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::codec::{Answer, AnswerReader, Fault};
use crate::failure::Failure;
use crate::pool::Pool;
use crate::record::Sent;
use crate::schedule::Arrival;
use crate::target::Stream;

const READ_AT_ONCE: usize = 16 * 1024;
const KEEP_ROOM: usize = 64 * 1024;

/// Serve a slot of the pool until its connection ends. `first` is already under way.
pub async fn serve(pool: Rc<Pool>, slot: usize, first: Arrival) {
    let mut guard = Guard { pool, slot, busy: true };
    let mut connection = Connection {
        pool: Rc::clone(&guard.pool),
        slot,
        stream: None,
        output: Vec::new(),
        body: Vec::new(),
        input: Vec::new(),
    };
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
    stream: Option<Stream>,
    output: Vec<u8>,
    body: Vec<u8>,
    input: Vec<u8>,
}

/// How reading an answer ended.
enum Reading {
    Whole(Answer),
    Wrong(Fault),
    TimedOut { in_body: bool },
    Closed { answer_begun: bool },
}

impl Connection {
    /// Carry one arrival through; whether the connection can take another.
    async fn perform(&mut self, arrival: Arrival) -> bool {
        let pool = Rc::clone(&self.pool);
        let kind = &pool.kinds[arrival.request];
        let mut reused = self.stream.is_some();
        kind.template.write(arrival.number, &mut self.output, &mut self.body);
        let mut sent: Option<Sent> = None;
        loop {
            if self.stream.is_none() {
                if let Err(failure) = self.connect(&arrival).await {
                    self.fail(&arrival, sent.as_ref(), failure);
                    return false;
                }
            }
            match self.write().await {
                Ok(true) => {}
                Ok(false) => {
                    self.fail(&arrival, sent.as_ref(), Failure::TimeoutWait);
                    return false;
                }
                Err(_) if reused && kind.may_repeat => {
                    (self.stream, reused) = (None, false);
                    continue;
                }
                Err(_) => {
                    self.fail(&arrival, sent.as_ref(), Failure::Reset);
                    return false;
                }
            }
            let written = *sent.get_or_insert_with(|| self.note_sent(&arrival));
            match self.read(&arrival).await {
                // The server closed a kept connection just as we used it again. What may be repeated is, once,
                // on a fresh one, and counts once; a write may have been taken, so it counts as reset.
                Reading::Closed { answer_begun: false } if reused && kind.may_repeat => {
                    (self.stream, reused) = (None, false);
                    self.input.clear();
                }
                reading => return self.conclude(&arrival, &written, reading),
            }
        }
    }

    async fn connect(&mut self, arrival: &Arrival) -> Result<(), Failure> {
        let left_us = self.pool.deadline_ns(arrival).saturating_sub(self.pool.now_ns()) / 1000;
        let timeout = Duration::from_micros(self.pool.connect_timeout_us.min(left_us).max(1));
        let target = std::sync::Arc::clone(&self.pool.target);
        match tokio::time::timeout(timeout, target.connect()).await {
            Err(_) => Err(Failure::TimeoutConnect),
            Ok(Err(error)) => Err(Failure::of_connecting(&error)),
            Ok(Ok(stream)) => {
                self.stream = Some(stream);
                Ok(())
            }
        }
    }

    /// Write the request; false when its time is up first.
    async fn write(&mut self) -> io::Result<bool> {
        let (pool, slot) = (&self.pool, self.slot);
        let Some(stream) = self.stream.as_mut() else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let output = &self.output;
        let mut at = 0;
        poll_fn(|cx| {
            while at < output.len() {
                match Pin::new(&mut *stream).poll_write(cx, &output[at..]) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(count)) => at += count,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return expired_or_pending(pool, slot, cx).map(|()| Ok(false)),
                }
            }
            match Pin::new(&mut *stream).poll_flush(cx) {
                Poll::Ready(done) => Poll::Ready(done.map(|()| true)),
                Poll::Pending => expired_or_pending(pool, slot, cx).map(|()| Ok(false)),
            }
        })
        .await
    }

    fn note_sent(&self, arrival: &Arrival) -> Sent {
        let sent = Sent {
            due_ns: arrival.due_ns,
            written_ns: self.pool.now_ns(),
            request: arrival.request,
            bytes: self.output.len() as u64,
        };
        self.pool.note(|record| record.sent(&sent));
        self.pool.written(self.slot);
        sent
    }

    async fn read(&mut self, arrival: &Arrival) -> Reading {
        let pool = Rc::clone(&self.pool);
        let kind = &pool.kinds[arrival.request];
        let mut reader = AnswerReader::new(kind.is_head);
        let slot = self.slot;
        let (input, Some(stream)) = (&mut self.input, self.stream.as_mut()) else {
            return Reading::Closed { answer_begun: false };
        };
        let mut begun = false;
        poll_fn(|cx| loop {
            let mut scratch = pool.scratch.borrow_mut();
            let mut buffer = ReadBuf::new(&mut scratch[..READ_AT_ONCE]);
            match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                Poll::Pending => {
                    let in_body = reader.in_body() || begun;
                    return expired_or_pending(&pool, slot, cx).map(|()| Reading::TimedOut { in_body });
                }
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    begun = true;
                    input.extend_from_slice(buffer.filled());
                    match reader.feed(input, &kind.expected) {
                        Ok(Some(answer)) => return Poll::Ready(Reading::Whole(answer)),
                        Ok(None) => {}
                        Err(fault) => return Poll::Ready(Reading::Wrong(fault)),
                    }
                }
                Poll::Ready(Ok(())) => {
                    return Poll::Ready(match reader.close(&kind.expected) {
                        Some(answer) => Reading::Whole(answer),
                        None => Reading::Closed { answer_begun: begun },
                    });
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Reading::Closed { answer_begun: begun }),
            }
        })
        .await
    }

    /// Write down how it ended; whether the connection can take another arrival.
    fn conclude(&mut self, arrival: &Arrival, sent: &Sent, reading: Reading) -> bool {
        let failure = match reading {
            Reading::Whole(answer) => {
                let reusable = answer.keep_alive && self.input.is_empty();
                self.input.clear();
                self.input.shrink_to(KEEP_ROOM);
                match self.judge(arrival, &answer) {
                    None => {
                        let done_ns = self.pool.now_ns();
                        self.pool.note(|record| record.ok(sent, done_ns, answer.body_len));
                    }
                    Some(failure) => self.fail(arrival, Some(sent), failure),
                }
                return reusable;
            }
            Reading::Wrong(Fault::Malformed) => Failure::Malformed,
            Reading::Wrong(Fault::TooLarge) => Failure::TooLarge,
            Reading::TimedOut { in_body: true } => Failure::TimeoutBody,
            Reading::TimedOut { in_body: false } => Failure::TimeoutWait,
            Reading::Closed { .. } => Failure::Reset,
        };
        self.fail(arrival, Some(sent), failure);
        false
    }

    fn judge(&self, arrival: &Arrival, answer: &Answer) -> Option<Failure> {
        let kind = &self.pool.kinds[arrival.request];
        if !kind.expect.contains(&answer.status) {
            let is_redirect = (300..400).contains(&answer.status);
            return Some(if is_redirect { Failure::Redirect } else { Failure::Status(answer.status) });
        }
        (!answer.checks_hold).then_some(Failure::Check)
    }

    fn fail(&self, arrival: &Arrival, sent: Option<&Sent>, failure: Failure) {
        let timeout_us = self.pool.kinds[arrival.request].timeout_us;
        let passed_us = self.pool.now_ns().saturating_sub(arrival.due_ns) / 1000;
        // The unanswered stand at their time-out, however early a connect time-out came.
        let latency_us = if failure.is_timeout() { timeout_us } else { passed_us.min(timeout_us) };
        self.pool.note(|record| {
            if sent.is_none() {
                record.never_written(arrival.due_ns, arrival.request, failure, latency_us);
            } else {
                record.failed(arrival.due_ns, arrival.request, failure, latency_us);
            }
        });
    }

    /// Wait for another arrival; None when the server ends the connection first.
    async fn next_job(&mut self) -> Option<Arrival> {
        let (pool, slot) = (Rc::clone(&self.pool), self.slot);
        if pool.exact {
            // Without a grid whoever is free takes what waits, at once.
            if let Some(arrival) = pool.next_waiting(pool.now_ns()) {
                pool.begin(slot, &arrival);
                return Some(arrival);
            }
        }
        pool.idle.borrow_mut().push(slot);
        let stream = self.stream.as_mut()?;
        poll_fn(|cx| {
            if let Some(arrival) = pool.slots.borrow_mut()[slot].job.take() {
                return Poll::Ready(Some(arrival));
            }
            let mut scratch = pool.scratch.borrow_mut();
            let mut buffer = ReadBuf::new(&mut scratch[..1]);
            match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                // Closed, or speaking without being asked: of no use either way.
                Poll::Ready(_) => {
                    pool.idle.borrow_mut().retain(|idle| *idle != slot);
                    Poll::Ready(None)
                }
                Poll::Pending => {
                    remember(&pool, slot, cx);
                    Poll::Pending
                }
            }
        })
        .await
    }
}

fn remember(pool: &Pool, slot: usize, cx: &Context<'_>) {
    let mut slots = pool.slots.borrow_mut();
    match &mut slots[slot].waker {
        Some(waker) if waker.will_wake(cx.waker()) => {}
        other => *other = Some(cx.waker().clone()),
    }
}

fn expired_or_pending(pool: &Pool, slot: usize, cx: &Context<'_>) -> Poll<()> {
    if pool.slots.borrow()[slot].expired {
        return Poll::Ready(());
    }
    remember(pool, slot, cx);
    Poll::Pending
}
