//! Answers, read from whatever pieces the network brings. Bounded in memory whatever the server sends.

use std::io;

use httparse::{Header, Status};

use crate::checks::{contains, Found, Look, Seen, LOOKED_AT_LIMIT};
use crate::framing::Framing;

/// The most a server may send in headers.
pub const HEAD_LIMIT: usize = 64 * 1024;
/// The most it may send in a body.
pub const BODY_LIMIT: u64 = 16 * 1024 * 1024;
const HEADERS_LIMIT: usize = 100;
const INFORMATIONAL_LIMIT: u32 = 8;

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Malformed,
    TooLarge,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body_len: u64,
    pub keep_alive: bool,
    pub checks_hold: bool,
    /// What the kind's look found, where it has one.
    pub found: Option<Box<Found>>,
    pub from_cache: bool,
}

/// What an answer is checked for while it is read.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    pub body_contains: Vec<Vec<u8>>,
    pub body_at_most: Option<u64>,
    pub headers: Vec<(String, String)>,
    /// What the whole answer is looked through for, beside what is seen in passing.
    pub look: Option<Box<Look>>,
}

impl Expectations {
    fn needs_body(&self) -> bool {
        !self.body_contains.is_empty() || self.looks_at_body()
    }

    fn looks_at_body(&self) -> bool {
        self.look.as_ref().is_some_and(|look| look.needs_body())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Length(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    UntilClose,
    Done,
}

/// Reads one answer. Fed with a growing buffer, from which it takes what it has understood.
// Each is one fact of a head, none a state.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug)]
pub struct AnswerReader {
    stage: Stage,
    answers_head: bool,
    informational: u32,
    status: u16,
    keep_alive: bool,
    headers_hold: bool,
    from_cache: bool,
    body_len: u64,
    head_seen: usize,
    body: Vec<u8>,
    kept: Vec<(String, Vec<u8>)>,
}

impl AnswerReader {
    /// A reader of the answer to a request; to HEAD there is no body.
    #[must_use]
    pub fn new(answers_head: bool) -> Self {
        Self {
            stage: Stage::Head,
            answers_head,
            informational: 0,
            status: 0,
            keep_alive: true,
            headers_hold: true,
            from_cache: false,
            body_len: 0,
            head_seen: 0,
            body: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Whether the status line has been understood.
    #[must_use]
    pub fn in_body(&self) -> bool {
        self.stage != Stage::Head
    }

    /// The answer's status; 0 before it is known.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What was kept of its body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Take what is whole from the front of the buffer. `Ok(None)`: more bytes are needed.
    pub fn feed(&mut self, buffer: &mut Vec<u8>, expected: &Expectations) -> Result<Option<Answer>, Fault> {
        let (taken, answer) = self.take(buffer, expected)?;
        buffer.drain(..taken);
        Ok(answer)
    }

    /// Understand what is whole at the front of `bytes`: how many of them, and the answer when they end it.
    pub fn take(&mut self, bytes: &[u8], expected: &Expectations) -> Result<(usize, Option<Answer>), Fault> {
        let mut taken = 0;
        self.advance(bytes, &mut taken, expected)?;
        Ok((taken, (self.stage == Stage::Done).then(|| self.answer(expected))))
    }

    /// The server has closed the connection: for some answers that is their end.
    pub fn close(&mut self, expected: &Expectations) -> Option<Answer> {
        if self.stage != Stage::UntilClose {
            return None;
        }
        self.stage = Stage::Done;
        Some(self.answer(expected))
    }

    fn answer(&self, expected: &Expectations) -> Answer {
        let body_holds = expected.body_contains.iter().all(|text| contains(&self.body, text))
            && expected.body_at_most.is_none_or(|most| self.body_len <= most);
        let found =
            expected.look.as_ref().map(|look| Box::new(look.at(&Seen::new(self.status, &self.kept, &self.body))));
        Answer {
            status: self.status,
            body_len: self.body_len,
            keep_alive: self.keep_alive,
            checks_hold: self.headers_hold && body_holds && found.as_ref().is_none_or(|found| found.checks_hold),
            found,
            from_cache: self.from_cache,
        }
    }

    fn advance(&mut self, buffer: &[u8], taken: &mut usize, expected: &Expectations) -> Result<(), Fault> {
        loop {
            let rest = &buffer[*taken..];
            let went_on = match self.stage {
                Stage::Head => self.head(rest, taken, expected)?,
                Stage::Length(left) => {
                    let now = self.body_bytes(rest, left, taken, expected)?;
                    self.stage = if left == now { Stage::Done } else { Stage::Length(left - now) };
                    now > 0 || left == 0
                }
                Stage::UntilClose => self.body_bytes(rest, u64::MAX, taken, expected)? > 0,
                Stage::ChunkSize => self.chunk_size(rest, taken)?,
                Stage::Chunk(left) => {
                    let now = self.body_bytes(rest, left, taken, expected)?;
                    self.stage = if left == now { Stage::ChunkEnd } else { Stage::Chunk(left - now) };
                    now > 0
                }
                Stage::ChunkEnd => self.chunk_end(rest, taken)?,
                Stage::Trailers => self.trailer(rest, taken)?,
                Stage::Done => false,
            };
            if !went_on {
                return Ok(());
            }
        }
    }

    fn head(&mut self, rest: &[u8], taken: &mut usize, expected: &Expectations) -> Result<bool, Fault> {
        if rest.is_empty() {
            return Ok(false);
        }
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_LIMIT];
        let mut response = httparse::Response::new(&mut headers);
        let len = match response.parse(rest) {
            Ok(Status::Complete(len)) => len,
            Ok(Status::Partial) if rest.len() > HEAD_LIMIT => return Err(Fault::TooLarge),
            Ok(Status::Partial) => return Ok(false),
            Err(httparse::Error::TooManyHeaders) => return Err(Fault::TooLarge),
            Err(_) => return Err(Fault::Malformed),
        };
        let status = response.code.ok_or(Fault::Malformed)?;
        let minor = response.version.ok_or(Fault::Malformed)?;
        *taken += len;
        self.head_seen += len;
        if (100..200).contains(&status) {
            self.informational += 1;
            // 101 switches to a protocol nobody asked for.
            if status == 101 || self.informational > INFORMATIONAL_LIMIT || self.head_seen > HEAD_LIMIT {
                return Err(Fault::Malformed);
            }
            return Ok(true);
        }
        self.status = status;
        let framing = Framing::of(response.headers, minor)?;
        self.keep_alive = framing.keep_alive;
        self.headers_hold = expected.headers.iter().all(|(name, value)| has(response.headers, name, value));
        if let Some(look) = &expected.look {
            look.keep(response.headers.iter().map(|header| (header.name, header.value)), &mut self.kept);
        }
        self.from_cache = crate::caching::shown_by(response.headers);
        self.stage = self.body_stage(&framing)?;
        Ok(true)
    }

    fn body_stage(&mut self, framing: &Framing) -> Result<Stage, Fault> {
        if self.answers_head || self.status == 204 || self.status == 304 {
            return Ok(Stage::Done);
        }
        Ok(match (framing.chunked, framing.length) {
            (true, _) => Stage::ChunkSize,
            (false, Some(0)) => Stage::Done,
            (false, Some(length)) if length > BODY_LIMIT => return Err(Fault::TooLarge),
            (false, Some(length)) => Stage::Length(length),
            (false, None) => {
                self.keep_alive = false;
                Stage::UntilClose
            }
        })
    }

    fn body_bytes(&mut self, rest: &[u8], left: u64, taken: &mut usize, expected: &Expectations) -> Result<u64, Fault> {
        let now = (rest.len() as u64).min(left);
        self.body_len += now;
        if self.body_len > BODY_LIMIT || (self.body_len > LOOKED_AT_LIMIT && expected.looks_at_body()) {
            return Err(Fault::TooLarge);
        }
        if expected.needs_body() {
            self.body.extend_from_slice(&rest[..now as usize]);
        }
        *taken += now as usize;
        Ok(now)
    }

    fn chunk_size(&mut self, rest: &[u8], taken: &mut usize) -> Result<bool, Fault> {
        match httparse::parse_chunk_size(rest) {
            Ok(Status::Complete((len, size))) => {
                *taken += len;
                self.stage = if size == 0 { Stage::Trailers } else { Stage::Chunk(size) };
                if self.body_len.saturating_add(size) > BODY_LIMIT {
                    return Err(Fault::TooLarge);
                }
                Ok(true)
            }
            Ok(Status::Partial) if rest.len() > HEAD_LIMIT => Err(Fault::TooLarge),
            Ok(Status::Partial) => Ok(false),
            Err(_) => Err(Fault::Malformed),
        }
    }

    fn chunk_end(&mut self, rest: &[u8], taken: &mut usize) -> Result<bool, Fault> {
        match rest {
            [b'\r', b'\n', ..] => {
                *taken += 2;
                self.stage = Stage::ChunkSize;
                Ok(true)
            }
            [] | [b'\r'] => Ok(false),
            _ => Err(Fault::Malformed),
        }
    }

    fn trailer(&mut self, rest: &[u8], taken: &mut usize) -> Result<bool, Fault> {
        let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else {
            return if rest.len() > HEAD_LIMIT { Err(Fault::TooLarge) } else { Ok(false) };
        };
        *taken += end + 2;
        self.head_seen += end + 2;
        if self.head_seen > 2 * HEAD_LIMIT {
            return Err(Fault::TooLarge);
        }
        if end == 0 {
            self.stage = Stage::Done;
        } else if !rest[..end].contains(&b':') {
            return Err(Fault::Malformed);
        }
        Ok(true)
    }
}

fn has(headers: &[Header<'_>], name: &str, value: &str) -> bool {
    headers.iter().any(|header| header.name.eq_ignore_ascii_case(name) && header.value == value.as_bytes())
}

/// Read a whole answer from a blocking stream (the login).
pub fn read_blocking(stream: &mut impl io::Read, keep: usize) -> io::Result<(Answer, Vec<u8>)> {
    // An empty text is in every body: it makes the reader keep the body.
    let expected = Expectations { body_contains: vec![Vec::new()], ..Expectations::default() };
    let mut reader = AnswerReader::new(false);
    let (mut buffer, mut chunk) = (Vec::new(), [0u8; 8192]);
    loop {
        let count = stream.read(&mut chunk)?;
        buffer.extend_from_slice(&chunk[..count]);
        let answer = if count == 0 {
            reader.close(&expected)
        } else {
            reader
                .feed(&mut buffer, &expected)
                .map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, format!("{fault:?} answer")))?
        };
        if let Some(answer) = answer {
            reader.body.truncate(keep);
            return Ok((answer, reader.body));
        }
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
