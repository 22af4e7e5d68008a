//! The HTTP/2 connections of one thread, each shared by several slots.
//!
//! A connection is filled before another is opened: a slot joins the first one at its address that has room.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use http::uri::Scheme;
use tokio::sync::OnceCell;

use crate::codec::HEAD_LIMIT;
use crate::policy::Life;
use crate::pool::Pool;
use crate::target::{Stream, Target};

/// What a stream may send before it is read: more than any answer that is common, and bounded.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// What the pieces of bodies that wait to be read may cost beside their bytes, for each stream: 64 small ones.
const SMALL_PIECES: usize = 64 * 256;
/// What is read of a head before the stream is given up: more than the reader takes, so that it is the reader's to say.
const HEADS_READ: u32 = 4 * HEAD_LIMIT as u32;
/// A connection of few streams is still allowed so many in one burst.
const LEAST_STREAMS: usize = 100;

/// Those of one thread.
#[derive(Debug)]
pub struct Trunks {
    open: RefCell<Vec<Rc<Trunk>>>,
    streams: usize,
    limit: usize,
}

/// One connection; opened by the first that needs it, while the others who want it wait.
#[derive(Debug)]
pub struct Trunk {
    sender: OnceCell<SendRequest<Bytes>>,
    address: usize,
    streams: usize,
    lanes: Cell<usize>,
    life: Cell<Life>,
    is_used: Cell<bool>,
    is_gone: Rc<Cell<bool>>,
    heard_ns: Cell<u64>,
}

impl Trunks {
    /// At most `limit` connections of `streams` requests at a time.
    #[must_use]
    pub fn new(limit: usize, streams: usize) -> Self {
        Self { open: RefCell::default(), streams, limit }
    }

    /// A place on a connection to this address.
    pub fn join(&self, pool: &Pool, address: usize) -> Rc<Trunk> {
        let mut open = self.open.borrow_mut();
        open.retain(|trunk| !trunk.is_over(pool));
        let there = || open.iter().filter(|trunk| trunk.address == address);
        let with_room = there().find(|trunk| trunk.lanes.get() < self.streams.min(trunk.room()));
        let found = match with_room {
            Some(trunk) => Some(Rc::clone(trunk)),
            None if open.len() < self.limit => None,
            // The server takes fewer streams than the plan wants, and there are all the connections it allows: they
            // wait there for their turn.
            None => there().min_by_key(|trunk| trunk.lanes.get()).map(Rc::clone),
        };
        let trunk = found.unwrap_or_else(|| {
            open.push(Rc::new(Trunk::to(address, self.streams, pool)));
            Rc::clone(&open[open.len() - 1])
        });
        trunk.lanes.set(trunk.lanes.get() + 1);
        trunk
    }
}

impl Trunk {
    fn to(address: usize, streams: usize, pool: &Pool) -> Self {
        Self {
            sender: OnceCell::new(),
            address,
            streams,
            lanes: Cell::new(0),
            life: Cell::new(pool.new_life()),
            is_used: Cell::new(false),
            is_gone: Rc::default(),
            heard_ns: Cell::new(pool.now_ns()),
        }
    }

    /// What sends on it, when it is open.
    pub async fn sender(&self, target: &Target) -> io::Result<SendRequest<Bytes>> {
        let opened = self.sender.get_or_try_init(|| async {
            let (sender, connection) = greet(target.connect(self.address).await?, self.streams).await?;
            let is_gone = Rc::clone(&self.is_gone);
            tokio::task::spawn_local(async move {
                // How it ended is told by the requests that were on it.
                let _ = connection.await;
                is_gone.set(true);
            });
            Ok::<_, io::Error>(sender)
        });
        opened.await.cloned()
    }

    /// A place is given back.
    pub fn leave(&self) {
        self.lanes.set(self.lanes.get() - 1);
    }

    /// Count a request that it carries; whether it has carried one before.
    pub fn spend(&self) -> bool {
        let mut life = self.life.get();
        life.spend();
        self.life.set(life);
        self.is_used.replace(true)
    }

    /// Whether it takes no new request.
    pub fn is_over(&self, pool: &Pool) -> bool {
        self.is_gone.get() || self.life.get().is_over(|| pool.now_ns())
    }

    /// It takes no new request from now on.
    pub fn retire(&self) {
        self.is_gone.set(true);
    }

    /// Something came from the server.
    pub fn heard(&self, now_ns: u64) {
        self.heard_ns.set(now_ns);
    }

    /// Whether nothing has come since then.
    pub fn is_silent_since(&self, since_ns: u64) -> bool {
        self.heard_ns.get() <= since_ns
    }

    /// How many at a time the server takes, and the policy leaves.
    fn room(&self) -> usize {
        let taken = self.sender.get().map_or(usize::MAX, SendRequest::current_max_send_streams);
        taken.min(self.life.get().requests_left())
    }
}

/// Open HTTP/2 on a stream. The server's word is not waited for.
pub async fn greet(stream: Stream, streams: usize) -> io::Result<(SendRequest<Bytes>, Connection<Stream, Bytes>)> {
    Builder::new()
        .data_frame_budget(streams.max(LEAST_STREAMS) * SMALL_PIECES)
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(HEADS_READ)
        .handshake(stream)
        .await
        .map_err(into_io)
}

/// The error of a connection as one of its stream.
#[must_use]
pub fn into_io(error: h2::Error) -> io::Error {
    if error.is_io() {
        return error.into_io().unwrap_or_else(|| io::ErrorKind::Other.into());
    }
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// The scheme that requests to a target name.
#[must_use]
pub fn scheme(target: &Target) -> Scheme {
    if target.site().is_secure {
        Scheme::HTTPS
    } else {
        Scheme::HTTP
    }
}
