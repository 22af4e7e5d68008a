//! A slot's place on an HTTP/2 connection: one stream after the other on it, each for one request.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use h2::client::SendRequest;
use http::uri::Scheme;

use crate::codec::AnswerReader;
use crate::exchange::{Reading, Writing};
use crate::http2_answer::Incoming;
use crate::http2_message::message;
use crate::pool::{Kind, Pool};
use crate::schedule::Arrival;
use crate::trunks::{scheme, Trunk};

/// A place on a shared connection.
#[derive(Debug)]
pub struct Lane {
    place: Place,
    sender: SendRequest<Bytes>,
    scheme: Scheme,
    slot: usize,
    was_used: bool,
    written_ns: u64,
    incoming: Option<Incoming>,
}

/// Given back however its lane ends, also when the connection never opens.
#[derive(Debug)]
struct Place(Rc<Trunk>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Lane {
    /// A place for a slot on a connection to this address, opened if need be.
    pub async fn open(pool: &Pool, slot: usize, address: usize) -> io::Result<Self> {
        let place = Place(pool.trunks.join(pool, address));
        let sender = place.0.sender(&pool.target).await?;
        let scheme = scheme(&pool.target);
        Ok(Self { place, sender, scheme, slot, was_used: false, written_ns: 0, incoming: None })
    }

    /// Whether the connection had carried a request before this one.
    pub fn is_used(&self) -> bool {
        self.was_used
    }

    /// Whether the connection takes no new request.
    pub fn is_over(&self, pool: &Pool) -> bool {
        self.place.0.is_over(pool)
    }

    /// Send a request on a stream of its own, once the server takes one more, until its time is up.
    pub async fn write(&mut self, pool: &Pool, request: &[u8]) -> Writing {
        let Some((head, body)) = message(request, &self.scheme) else { return Writing::Unspeakable };
        if self.place.0.is_over(pool) {
            return Writing::Broken { unread: true };
        }
        self.was_used = self.place.0.spend();
        let room = poll_fn(|cx| match self.sender.poll_ready(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(Writing::Done),
            Poll::Ready(Err(_)) => Poll::Ready(Writing::Broken { unread: true }),
            Poll::Pending => pool.expired_or_pending(self.slot, cx).map(|()| Writing::TimedOut),
        });
        match room.await {
            Writing::Done => {}
            Writing::Broken { unread } => {
                self.place.0.retire();
                return Writing::Broken { unread };
            }
            not => return not,
        }
        let ends = body.is_empty();
        let Ok((answer, mut stream)) = self.sender.send_request(head, ends) else {
            self.place.0.retire();
            return Writing::Broken { unread: true };
        };
        if !ends && stream.send_data(body, true).is_err() {
            return Writing::Broken { unread: false };
        }
        self.written_ns = pool.now_ns();
        self.incoming = Some(Incoming::new(answer));
        Writing::Done
    }

    /// Read the answer to the request just written.
    pub async fn read(&mut self, pool: &Pool, kind: &Kind) -> Reading {
        let mut reader = AnswerReader::new(kind.is_head);
        let Some(incoming) = self.incoming.as_mut() else { return Reading::Closed { answer_begun: false } };
        let reading = poll_fn(|cx| match incoming.poll(cx, &mut reader, &kind.expected) {
            Poll::Ready(reading) => Poll::Ready(reading),
            Poll::Pending => {
                let in_body = incoming.has_begun();
                pool.expired_or_pending(self.slot, cx).map(|()| Reading::TimedOut { in_body })
            }
        });
        let reading = reading.await;
        let trunk = &self.place.0;
        match reading {
            // Nothing at all came on the whole connection: it may be dead, and a fresh one may live.
            Reading::TimedOut { .. } if trunk.is_silent_since(self.written_ns) => trunk.retire(),
            Reading::Unread => trunk.retire(),
            Reading::TimedOut { .. } => {}
            _ => trunk.heard(pool.now_ns()),
        }
        self.incoming = None;
        reading
    }

    /// What is left of an answer is its stream's, and goes with it.
    pub fn is_clean(&mut self) -> bool {
        self.incoming.is_none()
    }

    /// Wait for the slot's next arrival. A connection that ends meanwhile is followed by another when there is one.
    pub async fn wait_for_job(&mut self, pool: &Pool) -> Option<Arrival> {
        Some(poll_fn(|cx| pool.poll_job(self.slot, cx)).await)
    }
}
