//! Servers that mean harm: each treats a request for "/trap" its own way and any other one well.

#![allow(dead_code)] // each test file uses its own part

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// What is done with a connection when a request for the trap has come whole; false ends the connection.
pub type Trap = fn(&mut TcpStream) -> bool;

/// A listening server and what it has met.
pub struct Trapped {
    pub url: String,
    pub connections: Arc<AtomicU64>,
    pub asked_for_coding: Arc<AtomicU64>,
}

/// Lay a trap.
pub fn lay(trap: Trap) -> Trapped {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (connections, asked_for_coding) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let met = (Arc::clone(&connections), Arc::clone(&asked_for_coding));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            met.0.fetch_add(1, Ordering::SeqCst);
            let asked = Arc::clone(&met.1);
            // Small stacks: what the server takes is not what is measured.
            let _ = thread::Builder::new().stack_size(128 * 1024).spawn(move || converse(stream, trap, &asked));
        }
    });
    Trapped { url, connections, asked_for_coding }
}

fn converse(mut stream: TcpStream, trap: Trap, asked_for_coding: &AtomicU64) {
    let _ = stream.set_nodelay(true);
    let mut head = [0u8; 2048];
    loop {
        let mut len = 0;
        while !head[..len].ends_with(b"\r\n\r\n") {
            match stream.read(&mut head[len..]) {
                Ok(count) if count > 0 => len += count,
                _ => return,
            }
        }
        let text = String::from_utf8_lossy(&head[..len]).to_ascii_lowercase();
        asked_for_coding.fetch_add(u64::from(text.contains("accept-encoding")), Ordering::SeqCst);
        let lives = if text.starts_with("get /trap") { trap(&mut stream) } else { stream.write_all(FINE).is_ok() };
        if !lives {
            return;
        }
    }
}

/// A well-formed answer.
pub const FINE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Write something again and again until the other side has had enough.
fn endlessly(stream: &mut TcpStream, start: &[u8], block: &[u8]) -> bool {
    let mut lives = stream.write_all(start).is_ok();
    while lives {
        lives = stream.write_all(block).is_ok();
    }
    false
}

fn drip(stream: &mut TcpStream, start: &[u8], drops: &[u8]) -> bool {
    let _ = stream.write_all(start);
    for drop in drops.chunks(1) {
        thread::sleep(Duration::from_millis(10));
        if stream.write_all(drop).is_err() {
            break;
        }
    }
    false
}

fn say(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    stream.write_all(bytes).is_ok()
}

fn say_and_leave(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    let _ = stream.write_all(bytes);
    false
}

static BLOCK: [u8; 65536] = [b'a'; 65536];

/// A zip bomb: 64 MiB of zeros.
fn bomb() -> &'static [u8] {
    static BOMB: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    BOMB.get_or_init(|| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..1024 {
            packed.write_all(&vec![0u8; 65536]).expect("packed");
        }
        let packed = packed.finish().expect("packed");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len());
        [head.as_bytes(), &packed].concat()
    })
}

/// The length of the bomb as it travels.
#[must_use]
pub fn bomb_len() -> u64 {
    let head = bomb().windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    (bomb().len() - head) as u64
}

/// Light the bomb.
pub fn explode(stream: &mut TcpStream) -> bool {
    stream.write_all(bomb()).is_ok()
}

/// Both ends said at once.
pub fn smuggle(stream: &mut TcpStream) -> bool {
    say(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
}

/// Every trap by name, with what it is counted as.
pub const TRAPS: [(&str, &str, Trap); 26] = [
    ("a head that drips", "timeout body", |s| drip(s, b"HTTP/1.1 200 OK\r\nA: ", &BLOCK[..300])),
    ("a body that drips", "timeout body", |s| {
        drip(s, b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n", &BLOCK[..300])
    }),
    ("chunks that drip", "timeout body", |s| drip(s, CHUNKED, &b"1\r\na\r\n".repeat(50))),
    ("endless headers", "too large", |s| endlessly(s, b"HTTP/1.1 200 OK\r\n", &b"A: b\r\n".repeat(1000))),
    ("an endless header", "too large", |s| endlessly(s, b"HTTP/1.1 200 OK\r\nA: ", &BLOCK)),
    ("endless empty lines", "too large", |s| endlessly(s, b"", &b"\r\n".repeat(1000))),
    ("an endless body", "too large", |s| endlessly(s, b"HTTP/1.1 200 OK\r\n\r\n", &BLOCK)),
    ("endless chunks", "too large", |s| endlessly(s, CHUNKED, &[b"f000\r\n", &BLOCK[..0xf000], b"\r\n"].concat())),
    ("an endless chunk extension", "too large", |s| endlessly(s, &[CHUNKED, b"1;"].concat(), &BLOCK)),
    ("endless trailers", "too large", |s| endlessly(s, &[CHUNKED, b"0\r\n"].concat(), &b"A: b\r\n".repeat(1000))),
    ("a length beyond the limit", "too large", |s| say(s, b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")),
    ("a flood of interim answers", "malformed", |s| endlessly(s, b"", &b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100))),
    ("garbage", "malformed", |s| say_and_leave(s, b"\0\xff\xfe what?")),
    ("a TLS alert", "malformed", |s| say_and_leave(s, b"\x15\x03\x03\0\x02\x02\x50")),
    ("a negative length", "malformed", |s| say(s, b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n")),
    ("two lengths", "malformed", |s| say(s, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")),
    ("a switch of protocol", "malformed", |s| say(s, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")),
    ("a length too long", "reset", |s| say_and_leave(s, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")),
    ("a close in the head", "reset", |s| say_and_leave(s, b"HTTP/1.1 200 OK\r\nConte")),
    ("a close instead of an answer", "reset", |_| false),
    ("a half-closed connection", "reset", |s| s.shutdown(std::net::Shutdown::Write).is_ok()),
    ("no answer", "timeout wait", |_| {
        thread::sleep(Duration::from_secs(2));
        false
    }),
    ("a length too short", "", |s| say(s, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nok and more")),
    ("two answers at once", "", |s| say(s, &FINE.repeat(2))),
    ("both ends said at once", "", smuggle),
    ("a zip bomb", "", explode),
];
