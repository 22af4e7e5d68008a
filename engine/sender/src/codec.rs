//! Answers, read from whatever pieces the network brings. Bounded in memory whatever the server sends, and in work:
//! how the pieces are cut changes neither what is understood nor, by more than a constant, what it costs.

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Status};

use crate::body_search::BodySearch;
use crate::checks::{Found, Look, Seen, LOOKED_AT_LIMIT};
use crate::chunked::{Chunks, Span};
use crate::framing::Framing;
use crate::head_lines::{blank, HeadLines};

/// The most a server may send in headers, interim answers included; and the most in chunk extensions and trailers.
pub const HEAD_LIMIT: usize = 64 * 1024;
/// The most it may send in a body.
pub const BODY_LIMIT: u64 = 16 * 1024 * 1024;
const HEADERS_LIMIT: usize = 100;
/// How many interim answers it may send before the answer proper.
pub const INFORMATIONAL_LIMIT: u32 = 8;

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

/// What an answer is checked for while it is read, and how much of its body's beginning is kept.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    pub body_contains: Vec<Vec<u8>>,
    pub body_at_most: Option<u64>,
    pub headers: Vec<(String, String)>,
    pub keep_body: usize,
    /// What the whole answer is looked through for, beside what is seen in passing.
    pub look: Option<Box<Look>>,
}

impl Expectations {
    fn looks_at_body(&self) -> bool {
        self.look.as_ref().is_some_and(|look| look.needs_body())
    }

    fn kept_of_body(&self) -> usize {
        if self.looks_at_body() {
            LOOKED_AT_LIMIT as usize
        } else {
            self.keep_body
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Length(u64),
    Chunked,
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
    lines: HeadLines,
    chunks: Chunks,
    search: BodySearch,
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
            lines: HeadLines::default(),
            chunks: Chunks::default(),
            search: BodySearch::default(),
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
    /// What is not taken must stand at the front again the next time.
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
        let body_holds = self.search.holds(&expected.body_contains)
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
            if rest.is_empty() || self.stage == Stage::Done {
                return Ok(());
            }
            *taken += match self.stage {
                Stage::Head => match self.head(rest, expected)? {
                    0 => return Ok(()),
                    len => len,
                },
                Stage::Length(left) => {
                    let now = self.body_bytes(rest, left, expected)?;
                    self.stage = if left == now as u64 { Stage::Done } else { Stage::Length(left - now as u64) };
                    now
                }
                Stage::UntilClose => self.body_bytes(rest, u64::MAX, expected)?,
                Stage::Chunked => self.chunked(rest, expected)?,
                Stage::Done => 0,
            };
        }
    }

    /// Read a head, when it is whole; how many bytes it took.
    fn head(&mut self, rest: &[u8], expected: &Expectations) -> Result<usize, Fault> {
        let room = HEAD_LIMIT - self.head_seen;
        let seen = &rest[..rest.len().min(room + 1)];
        match blank(seen) {
            0 => {}
            len => return self.passed(len),
        }
        if self.lines.is_fresh() {
            // Nearly always the head is whole. Where it is not, an unfinished line is not judged.
            let read = self.parse(seen, expected, false)?;
            if read > 0 {
                return Ok(read);
            }
        }
        let read = match self.lines.worth_parsing(seen) {
            Some(len) => self.parse(&seen[..len], expected, true)?,
            None => 0,
        };
        if read == 0 && seen.len() > room {
            Err(Fault::TooLarge)
        } else {
            Ok(read)
        }
    }

    /// Parse a head; 0 when it is not whole.
    fn parse(&mut self, seen: &[u8], expected: &Expectations, judged: bool) -> Result<usize, Fault> {
        let mut headers = [const { MaybeUninit::uninit() }; HEADERS_LIMIT];
        let mut response = httparse::Response::new(&mut []);
        let parser = ParserConfig::default();
        match parser.parse_response_with_uninit_headers(&mut response, seen, &mut headers) {
            Ok(Status::Complete(len)) => self.whole_head(len, &response, expected),
            Ok(Status::Partial) => Ok(0),
            Err(_) if !judged => Ok(0),
            Err(httparse::Error::TooManyHeaders) => Err(Fault::TooLarge),
            Err(_) => Err(Fault::Malformed),
        }
    }

    fn passed(&mut self, len: usize) -> Result<usize, Fault> {
        self.head_seen += len;
        if self.head_seen > HEAD_LIMIT {
            return Err(Fault::TooLarge);
        }
        self.lines = HeadLines::default();
        Ok(len)
    }

    fn whole_head(
        &mut self,
        len: usize,
        response: &httparse::Response<'_, '_>,
        expected: &Expectations,
    ) -> Result<usize, Fault> {
        self.passed(len)?;
        let (Some(status @ 100..), Some(minor)) = (response.code, response.version) else {
            return Err(Fault::Malformed);
        };
        if status < 200 {
            self.informational += 1;
            // 101 switches to a protocol nobody asked for.
            let is_wrong = status == 101 || self.informational > INFORMATIONAL_LIMIT;
            return if is_wrong { Err(Fault::Malformed) } else { Ok(len) };
        }
        let framing = Framing::of(response.headers, minor)?;
        self.keep_alive = framing.keep_alive;
        self.look_at_head(status, response.headers, expected);
        self.stage = self.body_stage(framing)?;
        Ok(len)
    }

    fn look_at_head(&mut self, status: u16, headers: &[Header<'_>], expected: &Expectations) {
        self.status = status;
        self.headers_hold = expected.headers.iter().all(|(name, value)| has(headers, name, value));
        if let Some(look) = &expected.look {
            look.keep(headers.iter().map(|header| (header.name, header.value)), &mut self.kept);
        }
        self.from_cache = crate::caching::shown_by(headers);
    }

    /// Take a head that others have read: that of HTTP/2, where an answer ends with its stream.
    pub fn take_head(&mut self, status: u16, headers: &[Header<'_>], expected: &Expectations) -> Result<(), Fault> {
        let len: usize = headers.iter().map(|header| header.name.len() + header.value.len()).sum();
        let is_large = headers.len() > HEADERS_LIMIT || len > HEAD_LIMIT;
        if is_large || Framing::of(headers, 1)?.length.is_some_and(|length| length > BODY_LIMIT) {
            return Err(Fault::TooLarge);
        }
        self.look_at_head(status, headers, expected);
        self.stage = Stage::UntilClose;
        Ok(())
    }

    /// Take a piece of the body of such an answer.
    pub fn take_body(&mut self, piece: &[u8], expected: &Expectations) -> Result<(), Fault> {
        self.body_bytes(piece, u64::MAX, expected).map(|_| ())
    }

    /// Such an answer has ended.
    pub fn end(&mut self, expected: &Expectations) -> Answer {
        self.stage = Stage::Done;
        self.answer(expected)
    }

    fn body_stage(&mut self, framing: Framing) -> Result<Stage, Fault> {
        if self.answers_head || self.status == 304 {
            return Ok(Stage::Done);
        }
        if self.status == 204 {
            // It has no body. What announces one may send it, and the next answer would begin with it.
            self.keep_alive &= !framing.chunked && framing.length.unwrap_or(0) == 0;
            return Ok(Stage::Done);
        }
        Ok(match (framing.chunked, framing.length) {
            (true, _) => Stage::Chunked,
            (false, Some(0)) => Stage::Done,
            (false, Some(length)) if length > BODY_LIMIT => return Err(Fault::TooLarge),
            (false, Some(length)) => Stage::Length(length),
            (false, None) => {
                self.keep_alive = false;
                Stage::UntilClose
            }
        })
    }

    fn chunked(&mut self, rest: &[u8], expected: &Expectations) -> Result<usize, Fault> {
        match self.chunks.next(rest)? {
            Span::Coding(len) => Ok(len),
            Span::Data(len) => self.body_bytes(&rest[..len], len as u64, expected),
            Span::End(len) => {
                self.stage = Stage::Done;
                Ok(len)
            }
        }
    }

    fn body_bytes(&mut self, rest: &[u8], left: u64, expected: &Expectations) -> Result<usize, Fault> {
        let now = (rest.len() as u64).min(left) as usize;
        self.body_len += now as u64;
        if self.body_len > BODY_LIMIT || (self.body_len > LOOKED_AT_LIMIT && expected.looks_at_body()) {
            return Err(Fault::TooLarge);
        }
        let piece = &rest[..now];
        self.search.look(piece, &expected.body_contains);
        let wanted = expected.kept_of_body().saturating_sub(self.body.len());
        self.body.extend_from_slice(&piece[..now.min(wanted)]);
        Ok(now)
    }
}

fn has(headers: &[Header<'_>], name: &str, value: &str) -> bool {
    headers.iter().any(|header| header.name.eq_ignore_ascii_case(name) && header.value == value.as_bytes())
}
