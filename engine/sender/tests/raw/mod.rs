//! Servers that write down every byte of every connection, and take it apart by the letter of RFC 9112.

#![allow(dead_code)] // each test file uses its own part

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A request as its bytes say.
#[derive(Debug)]
pub struct Request {
    pub line: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The names of its headers, in their order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The value of a header that stands there once.
    #[must_use]
    pub fn value(&self, name: &str) -> &[u8] {
        let mut values = self.headers.iter().filter(|(there, _)| there == name).map(|(_, value)| &value[..]);
        let value = values.next().expect("the header");
        assert!(values.next().is_none(), "{name} stands there twice");
        value
    }
}

type Streams = Arc<Mutex<Vec<Vec<u8>>>>;
type Say = dyn Fn(&str) -> Vec<u8> + Send + Sync;

/// A server and the bytes of each of its connections.
pub struct Recorder {
    pub url: String,
    streams: Streams,
}

impl Recorder {
    /// Answer 200 with a body that depends on the path.
    pub fn answering(body: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::saying(move |path| {
            let body = body(path);
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
        })
    }

    /// Say so many bytes. A server that says `Connection: close` ends the connection after them.
    pub fn saying(say: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (streams, say): (Streams, Arc<Say>) = (Arc::default(), Arc::new(say));
        let recorded = Arc::clone(&streams);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (recorded, say) = (Arc::clone(&recorded), Arc::clone(&say));
                thread::spawn(move || converse(stream, &recorded, &*say));
            }
        });
        Self { url, streams }
    }

    /// Every request of every connection; nothing else may have come.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let mut requests = Vec::new();
        for stream in streams.iter() {
            let mut rest = &stream[..];
            while !rest.is_empty() {
                let (request, len) = take(rest).expect("a whole request");
                requests.push(request);
                rest = &rest[len..];
            }
        }
        requests
    }
}

fn converse(mut stream: TcpStream, recorded: &Mutex<Vec<Vec<u8>>>, say: &Say) {
    let _ = stream.set_nodelay(true);
    let lock = || recorded.lock().unwrap_or_else(PoisonError::into_inner);
    let at = {
        let mut streams = lock();
        streams.push(Vec::new());
        streams.len() - 1
    };
    let (mut answered, mut chunk) = (0, [0u8; 4096]);
    loop {
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => lock()[at].extend_from_slice(&chunk[..count]),
            _ => return,
        }
        loop {
            let taken = take(&lock()[at][answered..]);
            let Some((request, len)) = taken else { break };
            answered += len;
            let said = say(request.line.split(' ').nth(1).unwrap_or_default());
            let is_last = said.windows(17).any(|window| window == b"Connection: close");
            if stream.write_all(&said).is_err() || is_last {
                return;
            }
        }
    }
}

/// The first request in some bytes, and its length: lines end where any reader might end them.
fn take(bytes: &[u8]) -> Option<(Request, usize)> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let mut lines = bytes[..head - 4].split(|byte| *byte == b'\r' || *byte == b'\n').filter(|line| !line.is_empty());
    let line = String::from_utf8(lines.next()?.to_vec()).expect("a request line of text");
    let mut request = Request { line, headers: Vec::new(), body: Vec::new() };
    for line in lines {
        assert!(!line.contains(&0), "a NUL stands in a header");
        let colon = line.iter().position(|byte| *byte == b':').expect("a header");
        let name = String::from_utf8(line[..colon].to_vec()).expect("a name");
        request.headers.push((name, line[colon + 1..].strip_prefix(b" ").expect("a space").to_vec()));
    }
    let has_len = request.names().contains(&"Content-Length");
    let len: usize =
        if has_len { String::from_utf8_lossy(request.value("Content-Length")).parse().expect("a length") } else { 0 };
    request.body = bytes.get(head..head + len)?.to_vec();
    Some((request, head + len))
}
