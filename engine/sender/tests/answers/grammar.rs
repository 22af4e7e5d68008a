//! Answers made from HTTP's grammar, and what a mutation makes of them.

use std::fmt::Write as _;

use proptest::prelude::*;

/// An answer as it was meant, and its bytes.
#[derive(Debug, Clone)]
pub struct Made {
    pub bytes: Vec<u8>,
    pub status: u16,
    pub body_len: usize,
    pub keep_alive: bool,
}

/// How a well-formed answer says where its body ends.
#[derive(Debug, Clone)]
enum Frame {
    Length,
    Chunks(Vec<(usize, &'static str)>, Vec<&'static str>),
    Close,
}

const PLAIN_HEADERS: [&str; 8] = [
    "Content-Type: application/json",
    "X-Empty:",
    "x-spaces:  \t padded \t ",
    "Set-Cookie: a=b; Path=/",
    "Set-Cookie: c=d",
    "ETag: \"x\\\"y\"",
    "Content-Encoding: gzip",
    "X-Latin: caf\u{e9}",
];
const INTERIM: [&str; 3] =
    ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "HTTP/1.1 102 \r\n\r\n"];

fn frame() -> impl Strategy<Value = Frame> {
    let extension = prop::sample::select(vec!["", "", "", ";a", ";a=b", ";a=\"q; r\"", " ;x", "\t"]);
    let trailer = prop::sample::select(vec!["X-Sum: 1", "X-Empty:", "Expires: never: ever"]);
    prop_oneof![
        3 => Just(Frame::Length),
        3 => (prop::collection::vec((1usize..60, extension), 0..6), prop::collection::vec(trailer, 0..3))
            .prop_map(|(chunks, trailers)| Frame::Chunks(chunks, trailers)),
        1 => Just(Frame::Close),
    ]
}

/// A well-formed answer to a GET.
pub fn well_formed() -> impl Strategy<Value = Made> {
    (
        prop::collection::vec(prop::sample::select(INTERIM.to_vec()), 0..4),
        prop_oneof![4 => Just(200u16), 1 => prop::sample::select(vec![201u16, 204, 301, 304, 404, 429, 500, 503, 599, 999])],
        prop::sample::select(vec!["OK", "", "Some Reason \u{e9}"]),
        prop::collection::vec(prop::sample::select(PLAIN_HEADERS.to_vec()), 0..6),
        prop::sample::select(vec![None, None, Some("close"), Some("keep-alive"), Some("Upgrade, Close")]),
        frame(),
        prop::collection::vec(any::<u8>(), 0..200),
    )
        .prop_map(|(interim, status, reason, headers, connection, frame, body)| {
            let mut head = interim.concat();
            let _ = write!(head, "HTTP/1.1 {status} {reason}\r\n");
            for header in headers {
                let _ = write!(head, "{header}\r\n");
            }
            if let Some(wish) = connection {
                let _ = write!(head, "Connection: {wish}\r\n");
            }
            let wishes_close = connection.is_some_and(|wish| wish.to_ascii_lowercase().contains("close"));
            finish(head, status, !wishes_close, frame, &body)
        })
}

fn finish(mut head: String, status: u16, keep_alive: bool, frame: Frame, body: &[u8]) -> Made {
    if status == 204 || status == 304 {
        head += "\r\n";
        return Made { bytes: head.into_bytes(), status, body_len: 0, keep_alive };
    }
    match frame {
        Frame::Length => {
            let _ = write!(head, "content-length: {}\r\n\r\n", body.len());
            Made { bytes: [head.as_bytes(), body].concat(), status, body_len: body.len(), keep_alive }
        }
        Frame::Close => {
            head += "\r\n";
            Made { bytes: [head.as_bytes(), body].concat(), status, body_len: body.len(), keep_alive: false }
        }
        Frame::Chunks(chunks, trailers) => {
            head += "Transfer-Encoding: chunked\r\n\r\n";
            let mut bytes = head.into_bytes();
            let mut body_len = 0;
            for (size, extension) in chunks {
                bytes.extend(format!("{size:x}{extension}\r\n").bytes());
                bytes.extend(body.iter().copied().chain(std::iter::repeat(b'x')).take(size));
                bytes.extend(b"\r\n");
                body_len += size;
            }
            bytes.extend(b"0\r\n");
            for trailer in trailers {
                bytes.extend(format!("{trailer}\r\n").bytes());
            }
            bytes.extend(b"\r\n");
            Made { bytes, status, body_len, keep_alive }
        }
    }
}

/// One change to an answer's bytes; places are taken modulo their length.
#[derive(Debug, Clone)]
enum Change {
    Set(usize, u8),
    Insert(usize, &'static str),
    Remove(usize, usize),
    Repeat(usize, usize, usize),
    CutOff(usize),
    AfterHead(&'static str),
}

const PIECES: [&str; 32] = [
    "\r\n",
    "\n",
    "\r",
    "\0",
    " ",
    "\t",
    ":",
    ";",
    ",",
    "0",
    "-1",
    "+5",
    "ffffffffffffffff",
    "10000000000000000",
    "00000000000000000000001",
    "Content-Length: 5\r\n",
    "Content-Length: 5\r\nContent-Length: 6\r\n",
    "Content-Length: 5, 5\r\n",
    "Content-Length: \r\n",
    "Content-Length: 99999999999999999999999\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Transfer-Encoding: xchunked\r\n",
    "Transfer-Encoding:\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive, close\r\n",
    " folded\r\n",
    "HTTP/1.0 200 OK\r\n\r\n",
    "HTTP/1.1 101 Switching\r\n\r\n",
    "HTTP/1.1 100 \r\n\r\n",
    "0\r\n\r\n",
    "\r\n\r\n",
];

fn change() -> impl Strategy<Value = Change> {
    let at = 0usize..4000;
    prop_oneof![
        3 => (at.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        6 => (at.clone(), prop::sample::select(PIECES.to_vec())).prop_map(|(at, piece)| Change::Insert(at, piece)),
        6 => prop::sample::select(PIECES.to_vec()).prop_map(Change::AfterHead),
        2 => (at.clone(), 1usize..20).prop_map(|(at, len)| Change::Remove(at, len)),
        2 => (at.clone(), 1usize..40, 1usize..60).prop_map(|(at, len, times)| Change::Repeat(at, len, times)),
        1 => at.prop_map(Change::CutOff),
    ]
}

/// An answer with some changes that nobody meant.
pub fn mutated() -> impl Strategy<Value = Vec<u8>> {
    (well_formed(), prop::collection::vec(change(), 1..5)).prop_map(|(made, changes)| {
        let mut bytes = made.bytes;
        for change in &changes {
            apply(change, &mut bytes);
        }
        bytes
    })
}

fn apply(change: &Change, bytes: &mut Vec<u8>) {
    let len = bytes.len();
    let at = |place: &usize| place % len.max(1);
    match change {
        Change::Set(place, byte) if len > 0 => bytes[at(place)] = *byte,
        Change::Set(..) => {}
        Change::Insert(place, piece) => drop(bytes.splice(at(place)..at(place), piece.bytes())),
        Change::Remove(place, count) => drop(bytes.drain(at(place)..(at(place) + count).min(len))),
        Change::Repeat(place, count, times) => {
            let part = bytes[at(place)..(at(place) + count).min(len)].repeat(*times);
            drop(bytes.splice(at(place)..at(place), part));
        }
        Change::CutOff(place) => bytes.truncate(at(place)),
        Change::AfterHead(piece) => {
            // Behind the first line: where a header would stand.
            let end = bytes.windows(2).position(|pair| pair == b"\r\n").map_or(len, |end| end + 2);
            drop(bytes.splice(end..end, piece.bytes()));
        }
    }
}

/// Where the network cuts: anywhere, or everywhere.
pub fn cuts() -> impl Strategy<Value = Cuts> {
    prop_oneof![
        3 => prop::collection::vec(1usize..300, 0..12).prop_map(Cuts::Sizes),
        1 => Just(Cuts::EveryByte),
        1 => (1usize..5).prop_map(|size| Cuts::Sizes(vec![size; 3000])),
    ]
}

/// The sizes of the pieces that bytes come in; the rest comes at once.
#[derive(Debug, Clone)]
pub enum Cuts {
    EveryByte,
    Sizes(Vec<usize>),
}

impl Cuts {
    /// The bytes in these pieces.
    pub fn pieces<'a>(&self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let Self::Sizes(sizes) = self else { return bytes.chunks(1).collect() };
        let mut rest = bytes;
        let mut pieces = Vec::new();
        for size in sizes {
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }
}
