//! One client's connection: its socket, what it has sent us and what we still have to send it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::replicas::ReplicaRef;

/// How a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Between requests, or in the middle of receiving one.
    Reading,
    /// A request is being worked on.
    Waiting,
    /// An answer is only partly written.
    Writing,
    /// All is said; waiting for the client to close, so that it can read the last answer.
    Lingering,
}

/// A client's connection.
#[derive(Debug)]
pub struct Connection {
    pub socket: TcpStream,
    pub number: u32,
    pub state: State,
    pub pinned_to: Option<ReplicaRef>,
    /// Received and not yet understood.
    pub inbox: Vec<u8>,
    outbox: Vec<u8>,
    written: usize,
    pub answers: u32,
    /// Closed after the answer under way.
    pub closes: bool,
    pub client_is_done: bool,
    pub active_us: u64,
    pub continued: bool,
}

/// What came of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    All,
    Part,
    Broken,
}

impl Connection {
    #[must_use]
    pub fn new(socket: TcpStream, number: u32, pinned_to: Option<ReplicaRef>, now_us: u64) -> Self {
        Self {
            socket,
            number,
            state: State::Reading,
            pinned_to,
            inbox: Vec::new(),
            outbox: Vec::new(),
            written: 0,
            answers: 0,
            closes: false,
            client_is_done: false,
            active_us: now_us,
            continued: false,
        }
    }

    /// Send an answer; what the socket does not take now is kept for `resume`.
    pub fn send(&mut self, bytes: &[u8]) -> Sent {
        match self.socket.write(bytes) {
            Ok(written) if written == bytes.len() => Sent::All,
            Ok(written) => self.keep(&bytes[written..]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.keep(bytes),
            Err(_) => Sent::Broken,
        }
    }

    fn keep(&mut self, rest: &[u8]) -> Sent {
        self.outbox.extend_from_slice(rest);
        Sent::Part
    }

    /// The socket takes more: go on sending.
    pub fn resume(&mut self) -> Sent {
        while self.written < self.outbox.len() {
            match self.socket.write(&self.outbox[self.written..]) {
                Ok(0) => return Sent::Broken,
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Sent::Part,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Sent::Broken,
            }
        }
        self.outbox = Vec::new();
        self.written = 0;
        Sent::All
    }

    /// Receive into `into`: `Some(0)` is the client's end, `None` nothing now.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn receive(&mut self, into: &mut [u8]) -> std::io::Result<Option<usize>> {
        loop {
            match self.socket.read(into) {
                Ok(received) => return Ok(Some(received)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Say that nothing more comes from us; the client's last bytes are still read, so that no reset eats our answer.
    pub fn linger(&mut self) {
        self.state = State::Lingering;
        self.inbox = Vec::new();
        // A connection that is gone already needs no goodbye.
        let _ = self.socket.shutdown(Shutdown::Write);
    }
}
