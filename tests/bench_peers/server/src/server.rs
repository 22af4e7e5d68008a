//! The loop: one thread, one epoll, answers at once or after a known delay.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::Timespec;
use rustix::io::Errno;

use crate::tally::Tally;

const LISTENER: u64 = u64::MAX;
const INPUT: u64 = u64::MAX - 1;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const FAST: Duration = Duration::from_millis(5);
const SLOW: Duration = Duration::from_millis(200);
/// Every so many'th answer of the bimodal server is slow: 2 %, so that the 99th percentile stands in the slow mode.
const SLOW_EVERY: u64 = 50;
const STALL_US: u128 = 100_000;
const STALL_EVERY_US: u128 = 1_000_000;
/// The first stall begins half a second after the first request: whole seconds hold whole stalls.
const STALL_AT_US: u128 = 500_000;
/// 205 bytes of JSON, as the figures in the notes were measured with.
pub const BODY: &[u8; 205] = b"{\"id\":\"b7c1\",\"hotel\":\"Grand\",\"room\":\"double\",\"nights\":3,\"available\":true,\"price\":{\"amount\":\"412.50\",\"currency\":\"EUR\"},\"policy\":\"free cancellation until 48 hours before arrival\",\"notes\":\"breakfast incl\"   }";

/// How the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// At once.
    Fast,
    /// After 5 ms, every fiftieth after 200 ms.
    Bimodal,
    /// At once, but for 100 ms of every second it does nothing at all.
    Stall,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// An answer that must wait.
#[derive(Debug)]
struct Held {
    until: Instant,
    read: Instant,
    token: usize,
    numbered: u64,
}

/// The server and everything it owns.
#[derive(Debug)]
pub struct Server {
    behaviour: Behaviour,
    epoll: OwnedFd,
    listener: TcpListener,
    connections: Vec<Option<(u64, Connection)>>,
    accepted: u64,
    held: [VecDeque<Held>; 2],
    asked: u64,
    first: Option<Instant>,
    tally: Tally,
    answer: Vec<u8>,
    scratch: Vec<u8>,
}

impl Server {
    /// Listen on a free loopback port and say which.
    pub fn new(behaviour: Behaviour, rate_rps: f64) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        epoll::add(&epoll, std::io::stdin(), EventData::new_u64(INPUT), EventFlags::IN)?;
        println!("port {}", listener.local_addr()?.port());
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", BODY.len());
        Ok(Self {
            behaviour,
            epoll,
            listener,
            connections: Vec::new(),
            accepted: 0,
            held: [VecDeque::new(), VecDeque::new()],
            asked: 0,
            first: None,
            tally: Tally::new(rate_rps),
            answer: [head.as_bytes(), BODY].concat(),
            scratch: vec![0; 64 * 1024],
        })
    }

    /// Serve until standard input ends, then say what was seen.
    pub fn run(mut self) -> std::io::Result<()> {
        let mut events = [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; 256];
        loop {
            let ready = match epoll::wait(&self.epoll, &mut events, self.next_release().as_ref()) {
                Ok(ready) => ready,
                Err(Errno::INTR) => continue,
                Err(wrong) => return Err(wrong.into()),
            };
            self.stall();
            let now = Instant::now();
            for event in &events[..ready] {
                match event.data.u64() {
                    LISTENER => self.accept()?,
                    INPUT => {
                        println!("{}", self.tally.told());
                        return Ok(());
                    }
                    token => self.read(token as usize, now),
                }
            }
            self.release();
        }
    }

    fn next_release(&self) -> Option<Timespec> {
        let until = self.held.iter().filter_map(|held| held.front()).map(|held| held.until).min()?;
        let wait = until.saturating_duration_since(Instant::now());
        Some(Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) })
    }

    /// Do nothing for as long as the stall that has begun lasts.
    fn stall(&self) {
        let (Behaviour::Stall, Some(first)) = (self.behaviour, self.first) else { return };
        let into_us = (first.elapsed().as_micros() + STALL_EVERY_US - STALL_AT_US) % STALL_EVERY_US;
        if into_us < STALL_US {
            sleep(Duration::from_micros((STALL_US - into_us) as u64));
        }
    }

    fn accept(&mut self) -> std::io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => self.take(stream)?,
                Err(wrong) if wrong.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(wrong) if wrong.kind() == ErrorKind::ConnectionAborted => {}
                Err(wrong) => return Err(wrong),
            }
        }
    }

    fn take(&mut self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let free = self.connections.iter().position(Option::is_none);
        let token = free.unwrap_or(self.connections.len());
        epoll::add(&self.epoll, &stream, EventData::new_u64(token as u64), EventFlags::IN)?;
        self.accepted += 1;
        let newcomer = Some((self.accepted, Connection { stream, unread: Vec::new() }));
        if free.is_some() {
            self.connections[token] = newcomer;
        } else {
            self.connections.push(newcomer);
        }
        Ok(())
    }

    fn read(&mut self, token: usize, now: Instant) {
        let Some((numbered, connection)) = self.connections[token].as_mut() else { return };
        let numbered = *numbered;
        let requests = match connection.stream.read(&mut self.scratch) {
            Ok(length) if length > 0 => heads(&mut connection.unread, &self.scratch[..length]),
            Err(wrong) if matches!(wrong.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            _ => {
                self.connections[token] = None;
                return;
            }
        };
        for _ in 0..requests {
            self.serve(token, numbered, now);
        }
    }

    fn serve(&mut self, token: usize, numbered: u64, now: Instant) {
        if self.first.is_none() {
            self.first = Some(now);
            println!("first request");
        }
        self.asked += 1;
        if self.behaviour == Behaviour::Bimodal {
            let is_slow = self.asked.is_multiple_of(SLOW_EVERY);
            let until = now + if is_slow { SLOW } else { FAST };
            self.held[usize::from(is_slow)].push_back(Held { until, read: now, token, numbered });
        } else {
            self.write(token, numbered, now);
        }
    }

    fn release(&mut self) {
        let now = Instant::now();
        for mode in 0..self.held.len() {
            while self.held[mode].front().is_some_and(|held| held.until <= now) {
                if let Some(held) = self.held[mode].pop_front() {
                    self.write(held.token, held.numbered, held.read);
                }
            }
        }
    }

    /// Answer, unless the connection is another by now.
    fn write(&mut self, token: usize, numbered: u64, read: Instant) {
        let Some((current, connection)) = self.connections[token].as_mut() else { return };
        if *current != numbered {
            return;
        }
        if connection.stream.write_all(&self.answer).is_err() {
            self.connections[token] = None;
            return;
        }
        let since_first = read.saturating_duration_since(self.first.unwrap_or(read));
        self.tally.note(since_first.as_micros() as i64, read.elapsed().as_micros() as i64);
    }
}

/// How many requests (without bodies) end in what was read; what is left of the last waits.
fn heads(unread: &mut Vec<u8>, read: &[u8]) -> usize {
    if unread.is_empty() && read.ends_with(END_OF_HEAD) {
        return read.windows(END_OF_HEAD.len()).filter(|window| *window == END_OF_HEAD).count();
    }
    unread.extend_from_slice(read);
    let mut ended = 0;
    while let Some(at) = unread.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD) {
        unread.drain(..at + END_OF_HEAD.len());
        ended += 1;
    }
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_however_they_are_cut() {
        let mut unread = Vec::new();
        assert_eq!(heads(&mut unread, b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n"), 2);
        assert_eq!(heads(&mut unread, b"GET / HTTP/1.1\r\n"), 0);
        assert_eq!(heads(&mut unread, b"\r\nGET"), 1);
        assert_eq!(unread, b"GET");
    }
}
