//! Servers for the tests: each takes connections on loopback and treats every request the same way.

#![allow(dead_code)] // each test file uses its own part

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A listening server; `requests` counts the requests that reached it whole.
pub struct Server {
    pub url: String,
    pub requests: Arc<AtomicU64>,
}

/// What a server does with a connection each time a whole request has come; false ends the connection.
pub type Treat = fn(&mut TcpStream, u64) -> bool;

/// A well-formed answer.
pub const FINE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Serve until the test process ends.
pub fn serve(treat: Treat) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let requests = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&requests);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counted = Arc::clone(&counted);
            thread::spawn(move || converse(stream, treat, &counted));
        }
    });
    Server { url, requests }
}

fn converse(mut stream: TcpStream, treat: Treat, requests: &AtomicU64) {
    let _ = stream.set_nodelay(true);
    let mut input = Vec::new();
    let mut chunk = [0u8; 4096];
    for number in 0.. {
        loop {
            if let Some(len) = whole_request(&input) {
                input.drain(..len);
                break;
            }
            match stream.read(&mut chunk) {
                Ok(count) if count > 0 => input.extend_from_slice(&chunk[..count]),
                _ => return,
            }
        }
        requests.fetch_add(1, Ordering::SeqCst);
        if !treat(&mut stream, number) {
            return;
        }
    }
}

/// The length of the first request in the buffer, when it is whole.
fn whole_request(input: &[u8]) -> Option<usize> {
    let head = input.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&input[..head]).to_ascii_lowercase();
    let body = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ").and_then(|len| len.trim().parse().ok()))
        .unwrap_or(0);
    (input.len() >= head + body).then_some(head + body)
}

/// Answer well.
pub fn fine(stream: &mut TcpStream, _: u64) -> bool {
    stream.write_all(FINE).is_ok()
}

/// Send some bytes and hang up.
pub fn say(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    let _ = stream.write_all(bytes);
    false
}

/// Say nothing for longer than any test waits.
#[must_use]
pub fn hang() -> bool {
    thread::sleep(Duration::from_secs(5));
    false
}
