//! Reading HTTP/1.x requests: one at a time from the front of what a connection has received.

use httparse::{Header, Status, EMPTY_HEADER};

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
    /// Does it carry this header?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(known, value)| known.eq_ignore_ascii_case(name) && !value.is_empty())
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

/// What the bytes of a connection are so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed<'b> {
    Request(Request<'b>),
    /// Not all of a request yet. The client may wait for `100 Continue` before it sends the body.
    Incomplete {
        wants_continue: bool,
    },
    /// Not a request the platform reads: answer this status and close.
    Refused(u16),
}

/// Read the request at the front of `bytes`.
#[must_use]
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    let mut headers = [EMPTY_HEADER; HEADERS_AT_MOST];
    let mut head = httparse::Request::new(&mut headers);
    let head_bytes = match head.parse(bytes) {
        Ok(Status::Complete(length)) if length <= HEAD_AT_MOST => length,
        Ok(Status::Complete(_)) | Err(httparse::Error::TooManyHeaders) => {
            return Parsed::Refused(431)
        }
        Ok(Status::Partial) if bytes.len() > HEAD_AT_MOST => return Parsed::Refused(431),
        Ok(Status::Partial) => {
            return Parsed::Incomplete {
                wants_continue: false,
            }
        }
        Err(httparse::Error::Version) => return Parsed::Refused(505),
        Err(_) => return Parsed::Refused(400),
    };
    let (Some(method), Some(path), Some(minor)) = (head.method, head.path, head.version) else {
        return Parsed::Refused(400);
    };
    let facts = match Facts::of(head.headers, minor) {
        Ok(facts) => facts,
        Err(status) => return Parsed::Refused(status),
    };
    let headers = head
        .headers
        .iter()
        .map(|header| (header.name, header.value))
        .collect();
    let (body, body_bytes) = match facts.body(&bytes[head_bytes..]) {
        Ok(body) => body,
        Err(other) => return other,
    };
    Parsed::Request(Request {
        method,
        path: plain_path(path),
        keeps_alive: facts.keeps_alive,
        token: facts.token,
        idempotency_key: facts.idempotency_key,
        body,
        length: head_bytes + body_bytes,
        headers,
    })
}

/// `http://host/path?query` and `/path?query` are both `/path`.
fn plain_path(target: &str) -> &[u8] {
    let path = match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => rest.find('/').map_or("/", |at| &rest[at..]),
        _ => target,
    };
    path.split('?').next().unwrap_or(path).as_bytes()
}

/// What the headers say.
struct Facts<'b> {
    keeps_alive: bool,
    length: Option<usize>,
    is_chunked: bool,
    wants_continue: bool,
    has_host: bool,
    token: Option<&'b [u8]>,
    idempotency_key: Option<&'b [u8]>,
}

impl<'b> Facts<'b> {
    fn of(headers: &[Header<'b>], minor_version: u8) -> Result<Self, u16> {
        let mut facts = Self {
            keeps_alive: minor_version >= 1,
            length: None,
            is_chunked: false,
            wants_continue: false,
            has_host: false,
            token: None,
            idempotency_key: None,
        };
        for header in headers {
            facts.learn(header)?;
        }
        // Both lengths at once are how requests are smuggled (RFC 9112, 6.3).
        let is_ambiguous = facts.is_chunked && facts.length.is_some();
        if is_ambiguous || (minor_version >= 1 && !facts.has_host) {
            return Err(400);
        }
        match facts.length {
            Some(length) if length > BODY_AT_MOST => Err(413),
            _ => Ok(facts),
        }
    }

    fn learn(&mut self, header: &Header<'b>) -> Result<(), u16> {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        match header.name.len() {
            4 if is("host") => self.has_host = true,
            6 if is("expect") => {
                self.wants_continue = header.value.eq_ignore_ascii_case(b"100-continue")
            }
            10 if is("connection") => self.learn_connection(header.value),
            13 if is("authorization") => self.token = bearer(header.value),
            14 if is("content-length") => self.learn_length(header.value)?,
            17 if is("transfer-encoding") => {
                if !header.value.eq_ignore_ascii_case(b"chunked") {
                    return Err(501);
                }
                self.is_chunked = true;
            }
            17 if is("x-idempotency-key") => {
                self.idempotency_key = Some(header.value).filter(|key| !key.is_empty())
            }
            _ => {}
        }
        Ok(())
    }

    fn learn_connection(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            // A keep-alive of HTTP/1.0 is not honoured: those connections close.
            self.keeps_alive &= !option.eq_ignore_ascii_case(b"close");
        }
    }

    fn learn_length(&mut self, value: &[u8]) -> Result<(), u16> {
        let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        let length = std::str::from_utf8(value).ok().filter(|_| digits);
        // More digits than a usize holds are a body that is too long, not nonsense.
        let length = length.ok_or(400_u16)?.parse().unwrap_or(usize::MAX);
        if self.length.is_some_and(|before| before != length) {
            return Err(400);
        }
        self.length = Some(length);
        Ok(())
    }

    fn body(&self, bytes: &'b [u8]) -> Result<(Body<'b>, usize), Parsed<'b>> {
        let missing = Parsed::Incomplete {
            wants_continue: self.wants_continue,
        };
        if self.is_chunked {
            let (body, length) = unchunk(bytes).map_err(Parsed::Refused)?.ok_or(missing)?;
            return Ok((Body::Chunked(body), length));
        }
        let length = self.length.unwrap_or(0);
        let body = bytes.get(..length).ok_or(missing)?;
        Ok((Body::Whole(body), length))
    }
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}

/// Put a chunked body together: its bytes and how long it was on the wire; `None` when there is more to come.
fn unchunk(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, u16> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let (line, size) = match httparse::parse_chunk_size(&bytes[at..]) {
            Ok(Status::Complete(found)) => found,
            Ok(Status::Partial) => return Ok(None),
            Err(_) => return Err(400),
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > BODY_AT_MOST - body.len() {
            return Err(413);
        }
        at += line;
        if size == 0 {
            return Ok(trailers_end(&bytes[at..])?.map(|trailers| (body, at + trailers)));
        }
        let Some(chunk) = bytes.get(at..at + size + 2) else {
            return Ok(None);
        };
        if !chunk.ends_with(b"\r\n") {
            return Err(400);
        }
        body.extend_from_slice(&chunk[..size]);
        at += size + 2;
    }
}

fn trailers_end(bytes: &[u8]) -> Result<Option<usize>, u16> {
    let mut trailers = [EMPTY_HEADER; HEADERS_AT_MOST];
    match httparse::parse_headers(bytes, &mut trailers) {
        Ok(Status::Complete((length, _))) => Ok(Some(length)),
        Ok(Status::Partial) if bytes.len() > HEAD_AT_MOST => Err(431),
        Ok(Status::Partial) => Ok(None),
        Err(_) => Err(400),
    }
}
