//! Where an answer's body ends and whether its connection goes on.

use httparse::Header;

use crate::codec::Fault;

/// How an answer's body ends, and whether the connection goes on after it (RFC 9112, 6 and 9).
pub struct Framing {
    pub chunked: bool,
    pub length: Option<u64>,
    pub keep_alive: bool,
}

impl Framing {
    /// Read the framing off an answer's headers; `minor` is 1 for HTTP/1.1.
    pub fn of(headers: &[Header<'_>], minor: u8) -> Result<Self, Fault> {
        let mut framing = Self { chunked: false, length: None, keep_alive: minor == 1 };
        for header in headers {
            if header.name.eq_ignore_ascii_case("content-length") {
                let length = decimal(header.value)?;
                // Two different lengths: nobody knows where the next answer begins.
                if framing.length.is_some_and(|before| before != length) {
                    return Err(Fault::Malformed);
                }
                framing.length = Some(length);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                framing.chunked =
                    tokens(header.value).last().is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
                if !framing.chunked {
                    return Err(Fault::Malformed);
                }
            } else if header.name.eq_ignore_ascii_case("connection") {
                for token in tokens(header.value) {
                    framing.keep_alive = match token.to_ascii_lowercase().as_str() {
                        "close" => false,
                        "keep-alive" => true,
                        _ => framing.keep_alive,
                    };
                }
            }
        }
        Ok(framing)
    }
}

fn tokens(value: &[u8]) -> impl Iterator<Item = &str> {
    std::str::from_utf8(value).unwrap_or("").split(',').map(str::trim)
}

fn decimal(value: &[u8]) -> Result<u64, Fault> {
    let text = std::str::from_utf8(value).map_err(|_| Fault::Malformed)?.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::Malformed);
    }
    text.parse().map_err(|_| Fault::TooLarge)
}
