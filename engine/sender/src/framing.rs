//! Where an answer's body ends and whether its connection goes on.

use httparse::Header;

use crate::codec::Fault;

/// How an answer's body ends, and whether the connection goes on after it (RFC 9112, 6 and 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framing {
    pub chunked: bool,
    pub length: Option<u64>,
    pub keep_alive: bool,
}

impl Framing {
    /// Read the framing off an answer's headers; `minor` is 1 for HTTP/1.1.
    pub fn of(headers: &[Header<'_>], minor: u8) -> Result<Self, Fault> {
        let (mut length, mut coding, mut wish) = (None, Coding::None, Wish::None);
        for header in headers {
            if header.name.eq_ignore_ascii_case("content-length") {
                let said = decimal(header.value)?;
                // Two different lengths: nobody knows where the next answer begins.
                if length.is_some_and(|before| before != said) {
                    return Err(Fault::Malformed);
                }
                length = Some(said);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                coding = tokens(header.value).try_fold(coding, Coding::then)?;
            } else if header.name.eq_ignore_ascii_case("connection") {
                wish = tokens(header.value).fold(wish, Wish::then);
            }
        }
        let chunked = coding == Coding::Chunked;
        // A body in a coding that is not chunked at last has no end; HTTP/1.0 knows no codings at all.
        if coding == Coding::Other || (chunked && minor == 0) {
            return Err(Fault::Malformed);
        }
        // Both ends said: someone between may believe the other one, so nothing is sent after it.
        let ambiguous = chunked && length.is_some();
        let keep_alive = !ambiguous && (wish == Wish::KeepAlive || (wish == Wish::None && minor == 1));
        Ok(Self { chunked, length, keep_alive })
    }
}

/// What the transfer codings named so far come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    None,
    Other,
    Chunked,
}

impl Coding {
    fn then(self, name: &str) -> Result<Self, Fault> {
        match (self, name.eq_ignore_ascii_case("chunked")) {
            // Chunked is the last coding and comes once.
            (Self::Chunked, _) => Err(Fault::Malformed),
            (_, true) => Ok(Self::Chunked),
            (_, false) => Ok(Self::Other),
        }
    }
}

/// What the server wishes for the connection; "close" stands whatever else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    None,
    KeepAlive,
    Close,
}

impl Wish {
    fn then(self, token: &str) -> Self {
        if self == Self::Close || token.eq_ignore_ascii_case("close") {
            Self::Close
        } else if token.eq_ignore_ascii_case("keep-alive") {
            Self::KeepAlive
        } else {
            self
        }
    }
}

/// The words of a list; one that is no text is no word we know.
fn tokens(value: &[u8]) -> impl Iterator<Item = &str> {
    value.split(|byte| *byte == b',').map(|word| std::str::from_utf8(word).unwrap_or("?").trim())
}

fn decimal(value: &[u8]) -> Result<u64, Fault> {
    let digits = value.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Fault::Malformed);
    }
    let text = std::str::from_utf8(digits).map_err(|_| Fault::Malformed)?;
    text.parse().map_err(|_| Fault::TooLarge)
}
