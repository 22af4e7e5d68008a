//! One request and its answer after the other, on a connection of either protocol.

use std::io;

use crate::codec::{Answer, Fault};
use crate::failure::Failure;
use crate::http1::Http1;
use crate::http2::Lane;
use crate::pool::{Kind, Pool};
use crate::schedule::Arrival;

/// A slot's way to the target: a connection of its own, or a place on one that several share.
#[derive(Debug)]
pub enum Exchange {
    One(Http1),
    Two(Box<Lane>),
}

/// How writing a request ended.
#[derive(Debug)]
pub enum Writing {
    Done,
    TimedOut,
    /// `unread`: it is certain that the server has done nothing for it.
    Broken {
        unread: bool,
    },
    /// What the template made cannot be said in this protocol.
    Unspeakable,
}

/// How reading an answer ended.
#[derive(Debug)]
pub enum Reading {
    Whole(Answer),
    Wrong(Fault),
    TimedOut {
        in_body: bool,
    },
    Closed {
        answer_begun: bool,
    },
    /// The server said that it has not looked at the request, because it ends the connection.
    Unread,
    /// The server would not take the request at all.
    Refused,
    /// TLS was broken off: an alert, or what is no TLS.
    Insecure,
}

impl Exchange {
    /// Write a request, until its time is up.
    pub async fn write(&mut self, pool: &Pool, request: &mut Vec<u8>) -> Writing {
        match self {
            Self::One(connection) => connection.write(pool, request).await,
            Self::Two(lane) => lane.write(pool, request).await,
        }
    }

    /// Read the answer to the request just written.
    pub async fn read(&mut self, pool: &Pool, kind: &Kind) -> Reading {
        match self {
            Self::One(connection) => connection.read(pool, kind).await,
            Self::Two(lane) => lane.read(pool, kind).await,
        }
    }

    /// Whether the connection had carried a request before the one just written: one that had may have ended meanwhile.
    pub fn is_used(&self) -> bool {
        match self {
            Self::One(connection) => connection.is_used(),
            Self::Two(lane) => lane.is_used(),
        }
    }

    /// Whether it takes no new request.
    pub fn is_over(&self, pool: &Pool) -> bool {
        match self {
            Self::One(connection) => connection.is_over(pool),
            Self::Two(lane) => lane.is_over(pool),
        }
    }

    /// Forget what is left of an answer; whether there was nothing, so that the connection can be used again.
    pub fn is_clean(&mut self) -> bool {
        match self {
            Self::One(connection) => connection.is_clean(),
            Self::Two(lane) => lane.is_clean(),
        }
    }

    /// Say goodbye where the connection is this slot's own and has a word for it.
    pub async fn close(self) {
        if let Self::One(connection) = self {
            connection.close().await;
        }
    }

    /// Why a request could not be written.
    pub async fn last_word(&mut self, pool: &Pool) -> Failure {
        match self {
            Self::One(connection) => connection.last_word(pool).await,
            Self::Two(_) => Failure::Reset,
        }
    }

    /// Whether the server has ended the connection or spoken unasked; a stream of HTTP/2 knows what belongs to it.
    pub async fn has_been_spoken_on(&mut self, pool: &Pool) -> bool {
        match self {
            Self::One(connection) => connection.has_been_spoken_on(pool).await,
            Self::Two(_) => false,
        }
    }

    /// Wait for the slot's next arrival; None when the server ends the connection, or speaks without being asked.
    pub async fn wait_for_job(&mut self, pool: &Pool) -> Option<Arrival> {
        match self {
            Self::One(connection) => connection.wait_for_job(pool).await,
            Self::Two(lane) => lane.wait_for_job(pool).await,
        }
    }
}

/// Whether an error is TLS's own: rustls puts what it objects to, and every alert, into this kind.
#[must_use]
pub fn is_of_tls(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData
}
