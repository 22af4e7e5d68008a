//! A server that understands requests: what each answers is decided by a function over its method, path and headers.

#![allow(dead_code)] // each test file uses its own part

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    /// A header's values, joined; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let there = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        there.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// An answer: status, header lines, body.
pub type Told = (u16, Vec<String>, String);

/// An answer that is only a body.
#[must_use]
pub fn json(status: u16, body: &str) -> Told {
    (status, vec!["Content-Type: application/json".into()], body.into())
}

/// A listening shop and all that it was asked.
pub struct Shop {
    pub url: String,
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

impl Shop {
    /// What was asked of paths that begin so.
    #[must_use]
    pub fn asked_of(&self, path: &str) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|asked| asked.path.starts_with(path)).cloned().collect()
    }
}

/// Open until the test process ends.
pub fn open(answer: impl Fn(&Asked) -> Told + Send + Sync + 'static) -> Shop {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (told, answer) = (Arc::clone(&asked), Arc::new(answer));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (told, answer) = (Arc::clone(&told), Arc::clone(&answer));
            thread::spawn(move || converse(stream, &*answer, &told));
        }
    });
    Shop { url, asked }
}

fn converse(mut stream: TcpStream, answer: &dyn Fn(&Asked) -> Told, told: &Mutex<Vec<Asked>>) {
    let _ = stream.set_nodelay(true);
    let (mut input, mut chunk) = (Vec::new(), [0u8; 4096]);
    loop {
        while let Some((asked, len)) = whole(&input) {
            input.drain(..len);
            told.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
            let (status, headers, body) = answer(&asked);
            let lines = headers.iter().fold(String::new(), |lines, line| lines + line + "\r\n");
            let text = format!("HTTP/1.1 {status} X\r\n{lines}Content-Length: {}\r\n\r\n{body}", body.len());
            if stream.write_all(text.as_bytes()).is_err() {
                return;
            }
        }
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => input.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
}

fn whole(input: &[u8]) -> Option<(Asked, usize)> {
    let head = input.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&input[..head]).into_owned();
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_string(), first.next()?.to_string());
    let headers: Vec<(String, String)> =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into())).collect();
    let mut asked = Asked { method, path, headers, body: String::new() };
    let len = head + asked.header("content-length").parse::<usize>().unwrap_or(0);
    if input.len() < len {
        return None;
    }
    asked.body = String::from_utf8_lossy(&input[head..len]).into_owned();
    Some((asked, len))
}
