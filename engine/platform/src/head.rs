//! What a request's headers say that matters here: its length, its token, its key, whether the connection stays.

use httparse::Header;

use crate::http::{Stop, BODY_AT_MOST};

/// How a body's end is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Unsaid,
    Length(usize),
    Chunked,
}

/// The facts of one head.
#[derive(Debug)]
pub struct Head<'b> {
    pub framing: Framing,
    pub keeps_alive: bool,
    /// The client may wait for `100 Continue` before it sends the body.
    pub wants_continue: bool,
    pub token: Option<&'b [u8]>,
    pub idempotency_key: Option<&'b [u8]>,
    has_host: bool,
}

impl<'b> Head<'b> {
    /// Learn from all headers.
    pub fn learn(headers: &[Header<'b>], minor_version: u8) -> Result<Self, Stop> {
        let mut head = Self {
            framing: Framing::Unsaid,
            keeps_alive: minor_version >= 1,
            wants_continue: false,
            token: None,
            idempotency_key: None,
            has_host: false,
        };
        for header in headers {
            head.learn_one(header)?;
        }
        if minor_version >= 1 && !head.has_host {
            return Err(Stop::Refused(400));
        }
        match head.framing {
            Framing::Length(length) if length > BODY_AT_MOST => Err(Stop::Refused(413)),
            _ => Ok(head),
        }
    }

    fn learn_one(&mut self, header: &Header<'b>) -> Result<(), Stop> {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        match header.name.len() {
            4 if is("host") => self.has_host = true,
            6 if is("expect") => {
                self.wants_continue = header.value.eq_ignore_ascii_case(b"100-continue");
            }
            10 if is("connection") => self.learn_connection(header.value),
            13 if is("authorization") => self.token = bearer(header.value),
            14 if is("content-length") => self.frame(Framing::Length(length(header.value)?))?,
            17 if is("transfer-encoding") => {
                let is_chunked = header.value.eq_ignore_ascii_case(b"chunked");
                self.frame(is_chunked.then_some(Framing::Chunked).ok_or(Stop::Refused(501))?)?;
            }
            17 if is("x-idempotency-key") => {
                self.idempotency_key = Some(header.value).filter(|key| !key.is_empty());
            }
            _ => {}
        }
        Ok(())
    }

    /// Two different ends of one body are how requests are smuggled (RFC 9112, 6.3).
    fn frame(&mut self, framing: Framing) -> Result<(), Stop> {
        if self.framing != Framing::Unsaid && self.framing != framing {
            return Err(Stop::Refused(400));
        }
        self.framing = framing;
        Ok(())
    }

    fn learn_connection(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            // A keep-alive of HTTP/1.0 is not honoured: those connections close.
            self.keeps_alive &= !option.eq_ignore_ascii_case(b"close");
        }
    }
}

fn length(value: &[u8]) -> Result<usize, Stop> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let digits = std::str::from_utf8(value).ok().filter(|_| is_number);
    // More digits than a number holds are a body that is too long, not nonsense.
    Ok(digits.ok_or(Stop::Refused(400))?.parse().unwrap_or(usize::MAX))
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}
