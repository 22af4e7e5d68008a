//! One request on a connection of its own, waited for: a login's, a trial's.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use crate::codec::{Answer, AnswerReader, Expectations, Fault};
use crate::http2_once;
use crate::policy::Http;
use crate::target::Target;

/// A whole answer.
#[derive(Debug)]
pub struct Once {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// Why there is no whole answer.
#[derive(Debug)]
pub enum Unanswered {
    Broken(io::Error),
    Wrong(Fault),
    Closed,
    Late,
}

/// Send what was written for HTTP/1.1, in the target's protocol, and wait for the answer; of its body so much is kept.
pub fn once(
    target: &Target,
    written: &[u8],
    is_head: bool,
    keep_body: usize,
    within: Duration,
) -> Result<Once, Unanswered> {
    let expected = Expectations { keep_body, ..Expectations::default() };
    let mut reader = AnswerReader::new(is_head);
    let headers = match target.http {
        Http::One => by_http1(target, written, (&mut reader, &expected), within)?,
        Http::Two => http2_once::ask(target, written, (&mut reader, &expected), within)?,
    };
    Ok(Once { status: reader.status(), headers, body: reader.body().to_vec() })
}

fn by_http1(
    target: &Target,
    written: &[u8],
    (reader, expected): (&mut AnswerReader, &Expectations),
    within: Duration,
) -> Result<Vec<(String, Vec<u8>)>, Unanswered> {
    let give_up = Instant::now() + within;
    let mut stream = target.blocking(within).map_err(Unanswered::Broken)?;
    stream.write_all(written).map_err(Unanswered::Broken)?;
    let (_, raw) = read(&mut stream, reader, expected, give_up)?;
    Ok(headers_of(&raw))
}

/// Read a whole answer until `give_up`; with it the bytes as they came.
fn read(
    stream: &mut impl Read,
    reader: &mut AnswerReader,
    expected: &Expectations,
    give_up: Instant,
) -> Result<(Answer, Vec<u8>), Unanswered> {
    let (mut raw, mut at, mut chunk) = (Vec::new(), 0, [0u8; 8192]);
    // Each read has a time-out of its own; a drip would outlive any number of them.
    while Instant::now() < give_up {
        let count = match stream.read(&mut chunk) {
            Ok(count) => count,
            // An answer that began and stands still is late; one that never began is told by its error.
            Err(error) if is_time_out(&error) && !raw.is_empty() => return Err(Unanswered::Late),
            Err(error) => return Err(Unanswered::Broken(error)),
        };
        raw.extend_from_slice(&chunk[..count]);
        let (taken, answer) = reader.take(&raw[at..], expected).map_err(Unanswered::Wrong)?;
        at += taken;
        let ended_by_close = || if count == 0 { reader.close(expected) } else { None };
        if let Some(answer) = answer.or_else(ended_by_close) {
            return Ok((answer, raw));
        }
        if count == 0 {
            return Err(Unanswered::Closed);
        }
    }
    Err(Unanswered::Late)
}

/// A blocking socket's time-out comes as either.
pub fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The headers of the answer proper, behind any that only inform.
fn headers_of(raw: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut rest = raw;
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut response = httparse::Response::new(&mut headers);
        let Ok(httparse::Status::Complete(len)) = response.parse(rest) else {
            return Vec::new();
        };
        if response.code.is_some_and(|status| status >= 200) {
            return response.headers.iter().map(|header| (header.name.to_string(), header.value.to_vec())).collect();
        }
        rest = &rest[len..];
    }
}
