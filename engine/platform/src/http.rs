//! Reading HTTP/1.x requests: one at a time from the front of what a connection has received.

use httparse::{Status, EMPTY_HEADER};

use crate::head::{Framing, Head};

/// A request's head may be so long.
pub const HEAD_AT_MOST: usize = 16 * 1024;
/// A request's body may be so long.
pub const BODY_AT_MOST: usize = 1024 * 1024;
const HEADERS_AT_MOST: usize = 64;

/// One request, read as far as the platform cares.
#[derive(Debug, PartialEq, Eq)]
pub struct Request<'b> {
    pub method: &'b str,
    /// Without the query, and without scheme and host.
    pub path: &'b [u8],
    pub keeps_alive: bool,
    pub token: Option<&'b [u8]>,
    pub idempotency_key: Option<&'b [u8]>,
    pub body: Body<'b>,
    /// So many bytes of the connection's were this request.
    pub length: usize,
    headers: Vec<(&'b str, &'b [u8])>,
}

impl Request<'_> {
    /// Does it carry this header, and not empty?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let mut headers = self.headers.iter();
        headers.any(|(known, value)| known.eq_ignore_ascii_case(name) && !value.is_empty())
    }
}

/// A body as it came, or put together from its chunks.
#[derive(Debug, PartialEq, Eq)]
pub enum Body<'b> {
    Whole(&'b [u8]),
    Chunked(Vec<u8>),
}

impl Body<'_> {
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Chunked(bytes) => bytes,
        }
    }
}

/// Why there is no request at the front of what was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// There is more to come; the client may wait to be told to go on.
    Incomplete { wants_continue: bool },
    /// Not a request the platform reads: answer this status and close.
    Refused(u16),
}

/// Read the request at the front of `bytes`.
pub fn parse(bytes: &[u8]) -> Result<Request<'_>, Stop> {
    let mut headers = [EMPTY_HEADER; HEADERS_AT_MOST];
    let mut request = httparse::Request::new(&mut headers);
    let head_bytes = head_length(request.parse(bytes), bytes.len())?;
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(Stop::Refused(400));
    };
    let head = Head::learn(request.headers, minor)?;
    let (body, body_bytes) = body(&head, &bytes[head_bytes..])?;
    let headers = request.headers.iter();
    Ok(Request {
        method,
        path: plain_path(target),
        keeps_alive: head.keeps_alive,
        token: head.token,
        idempotency_key: head.idempotency_key,
        body,
        length: head_bytes + body_bytes,
        headers: headers.map(|header| (header.name, header.value)).collect(),
    })
}

fn head_length(parsed: httparse::Result<usize>, received: usize) -> Result<usize, Stop> {
    match parsed {
        Ok(Status::Complete(length)) if length <= HEAD_AT_MOST => Ok(length),
        Ok(Status::Partial) if received <= HEAD_AT_MOST => Err(Stop::Incomplete { wants_continue: false }),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => Err(Stop::Refused(431)),
        Err(httparse::Error::Version) => Err(Stop::Refused(505)),
        Err(_) => Err(Stop::Refused(400)),
    }
}

/// `http://host/path?query` and `/path?query` are both `/path`.
fn plain_path(target: &str) -> &[u8] {
    let path = match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => rest.find('/').map_or("/", |at| &rest[at..]),
        _ => target,
    };
    path.split('?').next().unwrap_or(path).as_bytes()
}

fn body<'b>(head: &Head<'b>, bytes: &'b [u8]) -> Result<(Body<'b>, usize), Stop> {
    let missing = Stop::Incomplete { wants_continue: head.wants_continue };
    match head.framing {
        Framing::Chunked => {
            let (body, length) = unchunk(bytes)?.ok_or(missing)?;
            Ok((Body::Chunked(body), length))
        }
        Framing::Length(length) => Ok((Body::Whole(bytes.get(..length).ok_or(missing)?), length)),
        Framing::Unsaid => Ok((Body::Whole(&[]), 0)),
    }
}

/// Put a chunked body together: its bytes and how long it was on the wire; `None` when there is more to come.
fn unchunk(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Stop> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let (line, size) = match httparse::parse_chunk_size(&bytes[at..]) {
            Ok(Status::Complete(found)) => found,
            Ok(Status::Partial) => return Ok(None),
            Err(_) => return Err(Stop::Refused(400)),
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > BODY_AT_MOST - body.len() {
            return Err(Stop::Refused(413));
        }
        at += line;
        if size == 0 {
            return Ok(trailers_length(&bytes[at..])?.map(|trailers| (body, at + trailers)));
        }
        let Some(chunk) = bytes.get(at..at + size + 2) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk.strip_suffix(b"\r\n").ok_or(Stop::Refused(400))?);
        at += size + 2;
    }
}

fn trailers_length(bytes: &[u8]) -> Result<Option<usize>, Stop> {
    let mut trailers = [EMPTY_HEADER; HEADERS_AT_MOST];
    match httparse::parse_headers(bytes, &mut trailers) {
        Ok(Status::Complete((length, _))) => Ok(Some(length)),
        Ok(Status::Partial) if bytes.len() > HEAD_AT_MOST => Err(Stop::Refused(431)),
        Ok(Status::Partial) => Ok(None),
        Err(_) => Err(Stop::Refused(400)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WAITS: Result<Request<'static>, Stop> = Err(Stop::Incomplete { wants_continue: false });

    fn refusal(bytes: &[u8]) -> Option<u16> {
        match parse(bytes) {
            Err(Stop::Refused(status)) => Some(status),
            _ => None,
        }
    }

    #[test]
    fn a_request_is_read_with_its_token_its_key_and_its_body() {
        let bytes = b"POST /v1/x?y=1 HTTP/1.1\r\nHost: a\r\nauthorization: bearer abc\r\n\
            X-Idempotency-Key: k\r\nContent-Length: 2\r\n\r\n{}GET";
        let request = parse(bytes).expect("whole");
        assert_eq!((request.method, request.path, request.body.bytes()), ("POST", &b"/v1/x"[..], &b"{}"[..]));
        assert_eq!((request.token, request.idempotency_key), (Some(&b"abc"[..]), Some(&b"k"[..])));
        assert!(request.has("x-idempotency-KEY") && !request.has("x-other") && request.keeps_alive);
        assert_eq!(request.length, bytes.len() - 3);
    }

    #[test]
    fn a_target_with_scheme_and_host_means_its_path() {
        for target in ["http://host:1/v1/x?y", "/v1/x", "/v1/x?a://b"] {
            assert_eq!(plain_path(target), b"/v1/x");
        }
        assert_eq!(plain_path("http://host"), b"/");
    }

    #[test]
    fn chunks_are_put_together() {
        let bytes = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n!";
        let request = parse(bytes).expect("whole");
        assert_eq!((request.body.bytes(), request.length), (&b"abcde"[..], bytes.len() - 1));
    }

    #[test]
    fn http_1_0_and_close_end_the_connection() {
        assert!(!parse(b"GET / HTTP/1.0\r\n\r\n").expect("whole").keeps_alive);
        let close = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n";
        assert!(!parse(close).expect("whole").keeps_alive);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (bytes, status) in [
            (&b"\x16\x03\x01\x02\x00"[..], 400),
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
            (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413),
        ] {
            assert_eq!(refusal(bytes), Some(status), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_head_without_end_is_refused_in_time() {
        let long = [&b"GET / HTTP/1.1\r\nHost: a\r\nX: "[..], &[b'x'; HEAD_AT_MOST]].concat();
        assert_eq!(refusal(&long), Some(431));
        assert_eq!(parse(&long[..1000]), WAITS);
    }

    #[test]
    fn a_client_that_waits_to_go_on_is_known() {
        let bytes = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(parse(bytes), Err(Stop::Incomplete { wants_continue: true }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
            let _ = unchunk(&bytes);
        }

        #[test]
        fn a_request_in_pieces_is_complete_exactly_when_all_is_there(body in "[a-z]{0,40}", chunked: bool) {
            let framed = if chunked && !body.is_empty() {
                format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
            } else {
                format!("Content-Length: {}\r\n\r\n{body}", body.len())
            };
            let bytes = format!("POST /x HTTP/1.1\r\nHost: a\r\n{framed}");
            for end in 0..bytes.len() {
                prop_assert_eq!(parse(&bytes.as_bytes()[..end]), WAITS);
            }
            let request = parse(bytes.as_bytes()).expect("whole");
            prop_assert_eq!((request.body.bytes(), request.length), (body.as_bytes(), bytes.len()));
        }
    }
}
