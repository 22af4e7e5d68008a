//! One HTTP/1.1 connection: a request goes out on it, its answer comes back, until the request's time is up.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::codec::{Answer, AnswerReader, Fault};
use crate::exchange::{is_of_tls, Reading, Writing};
use crate::failure::Failure;
use crate::policy::{announce_close, Life};
use crate::pool::{Kind, Pool};
use crate::schedule::Arrival;
use crate::target::Stream;

const KEEP_ROOM: usize = 64 * 1024;
/// After so many reads in a row the other connections, and the pacer, have their turn: a flood must not delay them.
const READS_IN_A_ROW: u32 = 4;

/// A stream in a slot of the pool, and what the server sent beyond the answers understood so far.
#[derive(Debug)]
pub struct Http1 {
    stream: Stream,
    slot: usize,
    life: Life,
    carries: bool,
    was_used: bool,
    input: Vec<u8>,
}

impl Http1 {
    /// Exchanges over a fresh stream.
    pub fn new(stream: Stream, slot: usize, life: Life) -> Self {
        Self { stream, slot, life, carries: false, was_used: false, input: Vec::new() }
    }

    /// Whether it had carried a request before this one.
    pub fn is_used(&self) -> bool {
        self.was_used
    }

    /// Whether it takes no new request.
    pub fn is_over(&self, pool: &Pool) -> bool {
        self.life.is_over(|| pool.now_ns())
    }

    /// Write a request, until its time is up; the last one says so.
    pub async fn write(&mut self, pool: &Pool, request: &mut Vec<u8>) -> Writing {
        self.was_used = std::mem::replace(&mut self.carries, true);
        if self.life.spend() {
            announce_close(request);
        }
        let mut at = 0;
        poll_fn(|cx| {
            while at < request.len() {
                match Pin::new(&mut self.stream).poll_write(cx, &request[at..]) {
                    Poll::Ready(Ok(count)) if count > 0 => at += count,
                    Poll::Ready(_) => return Poll::Ready(Writing::Broken { unread: false }),
                    Poll::Pending => return pool.expired_or_pending(self.slot, cx).map(|()| Writing::TimedOut),
                }
            }
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => Poll::Ready(Writing::Done),
                Poll::Ready(Err(_)) => Poll::Ready(Writing::Broken { unread: false }),
                Poll::Pending => pool.expired_or_pending(self.slot, cx).map(|()| Writing::TimedOut),
            }
        })
        .await
    }

    /// Read the answer to the request just written.
    pub async fn read(&mut self, pool: &Pool, kind: &Kind) -> Reading {
        let mut reader = AnswerReader::new(kind.is_head);
        let mut begun = false;
        let mut reads = 0;
        poll_fn(|cx| loop {
            if reads == READS_IN_A_ROW {
                reads = 0;
                cx.waker().wake_by_ref();
                return pool.expired_or_pending(self.slot, cx).map(|()| Reading::TimedOut { in_body: true });
            }
            reads += 1;
            let mut scratch = pool.scratch.borrow_mut();
            let mut buffer = ReadBuf::new(&mut scratch[..]);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Pending => {
                    reads = 0;
                    let in_body = reader.in_body() || begun;
                    return pool.expired_or_pending(self.slot, cx).map(|()| Reading::TimedOut { in_body });
                }
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    begun = true;
                    match self.understand(&mut reader, buffer.filled(), kind) {
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
                Poll::Ready(Err(error)) if is_of_tls(&error) => return Poll::Ready(Reading::Insecure),
                Poll::Ready(Err(_)) => return Poll::Ready(Reading::Closed { answer_begun: begun }),
            }
        })
        .await
    }

    /// Take what is whole straight from what was read; only what is not is kept.
    fn understand(&mut self, reader: &mut AnswerReader, read: &[u8], kind: &Kind) -> Result<Option<Answer>, Fault> {
        if self.input.is_empty() {
            let (taken, answer) = reader.take(read, &kind.expected)?;
            self.input.extend_from_slice(&read[taken..]);
            return Ok(answer);
        }
        self.input.extend_from_slice(read);
        reader.feed(&mut self.input, &kind.expected)
    }

    /// Forget what is left of an answer; whether there was nothing, so that the stream can be used again.
    pub fn is_clean(&mut self) -> bool {
        let is_clean = self.input.is_empty();
        self.input.clear();
        self.input.shrink_to(KEEP_ROOM);
        is_clean
    }

    /// Say goodbye where the stream has a word for it, and close.
    pub async fn close(mut self) {
        // Whatever keeps the goodbye from leaving at once is no reason to keep the slot.
        let _ = poll_fn(|cx| Poll::Ready(Pin::new(&mut self.stream).poll_shutdown(cx))).await;
    }

    /// Wait for the slot's next arrival; None when the server ends the connection, or speaks without being asked.
    pub async fn wait_for_job(&mut self, pool: &Pool) -> Option<Arrival> {
        poll_fn(|cx| match pool.poll_job(self.slot, cx) {
            Poll::Pending if self.has_ended(pool, cx) => Poll::Ready(None),
            job => job.map(Some),
        })
        .await
    }

    /// Why a request could not be written: a server that breaks TLS off says so before it closes.
    pub async fn last_word(&mut self, pool: &Pool) -> Failure {
        poll_fn(|cx| {
            let mut scratch = pool.scratch.borrow_mut();
            let mut buffer = ReadBuf::new(&mut scratch[..]);
            Poll::Ready(match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Err(error)) if is_of_tls(&error) => Failure::Tls,
                _ => Failure::Reset,
            })
        })
        .await
    }

    /// Whether the server has ended the connection or spoken unasked, as far as the kernel has told by now: what lies
    /// there before a request is written cannot be its answer.
    pub async fn has_been_spoken_on(&mut self, pool: &Pool) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.has_news(),
            Stream::Tls(_) => poll_fn(|cx| Poll::Ready(self.has_ended(pool, cx))).await,
        }
    }

    fn has_ended(&mut self, pool: &Pool, cx: &mut Context<'_>) -> bool {
        let mut scratch = pool.scratch.borrow_mut();
        let mut buffer = ReadBuf::new(&mut scratch[..1]);
        Pin::new(&mut self.stream).poll_read(cx, &mut buffer).is_ready()
    }
}
