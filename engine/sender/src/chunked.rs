//! The chunked coding of a body (RFC 9112, 7.1), byte by byte: nothing is kept and nothing is read twice.

use crate::codec::{Fault, BODY_LIMIT, HEAD_LIMIT};

/// Where in the coding we are. Carries what is known of the chunk whose size line is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Size { size: u64, digits: u8 },
    Padding(u64),
    Extension(u64),
    SizeEnd(u64),
    Data(u64),
    DataCr,
    DataEnd,
    TrailerStart,
    Trailer { has_colon: bool },
    TrailerEnd,
    LastEnd,
}

/// What the bytes at the front were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// So many bytes of the coding itself.
    Coding(usize),
    /// So many bytes of the body.
    Data(usize),
    /// So many bytes of the coding, and the body ends after them.
    End(usize),
}

/// Reads the chunked coding. What a server may add to it (extensions, trailers) has a limit of its own.
#[derive(Debug)]
pub struct Chunks {
    place: Place,
    announced: u64,
    extras: usize,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { place: Place::FIRST, announced: 0, extras: 0 }
    }
}

impl Place {
    const FIRST: Self = Self::Size { size: 0, digits: 0 };
}

impl Chunks {
    /// Understand the front of some bytes, at least one.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Span, Fault> {
        if let Place::Data(left) = self.place {
            let now = (bytes.len() as u64).min(left);
            self.place = if now == left { Place::DataCr } else { Place::Data(left - now) };
            return Ok(Span::Data(now as usize));
        }
        for (index, byte) in bytes.iter().enumerate() {
            let ends = self.place == Place::LastEnd;
            self.place = self.after(*byte)?;
            if ends {
                return Ok(Span::End(index + 1));
            }
            if matches!(self.place, Place::Data(_)) {
                return Ok(Span::Coding(index + 1));
            }
        }
        Ok(Span::Coding(bytes.len()))
    }

    fn after(&mut self, byte: u8) -> Result<Place, Fault> {
        match (self.place, byte) {
            (Place::Size { size, digits }, _) => self.in_size(size, digits, byte),
            (Place::Padding(size) | Place::Extension(size), b'\r') => Ok(Place::SizeEnd(size)),
            (Place::Padding(size), b';') => self.extra(Place::Extension(size)),
            (Place::Padding(size), b' ' | b'\t') => self.extra(Place::Padding(size)),
            (Place::Extension(size), other) if other != b'\n' => self.extra(Place::Extension(size)),
            (Place::SizeEnd(0) | Place::TrailerEnd, b'\n') => Ok(Place::TrailerStart),
            (Place::SizeEnd(size), b'\n') => self.announce(size),
            (Place::DataCr, b'\r') => Ok(Place::DataEnd),
            (Place::DataEnd | Place::LastEnd, b'\n') => Ok(Place::FIRST),
            (Place::TrailerStart, b'\r') => Ok(Place::LastEnd),
            (Place::Trailer { has_colon: true }, b'\r') => Ok(Place::TrailerEnd),
            (Place::TrailerStart, other) if other.is_ascii_graphic() && other != b':' => {
                self.extra(Place::Trailer { has_colon: false })
            }
            (Place::Trailer { has_colon }, other) if !matches!(other, b'\r' | b'\n' | 0) => {
                self.extra(Place::Trailer { has_colon: has_colon || other == b':' })
            }
            _ => Err(Fault::Malformed),
        }
    }

    fn in_size(&mut self, size: u64, digits: u8, byte: u8) -> Result<Place, Fault> {
        let digit = (byte as char).to_digit(16);
        match (digit, byte) {
            // Sixteen digits are all that 64 bits hold.
            (Some(digit), _) if digits < 16 => {
                Ok(Place::Size { size: (size << 4) | u64::from(digit), digits: digits + 1 })
            }
            (_, b'\r') if digits > 0 => Ok(Place::SizeEnd(size)),
            (_, b';') if digits > 0 => self.extra(Place::Extension(size)),
            (_, b' ' | b'\t') if digits > 0 => self.extra(Place::Padding(size)),
            _ => Err(Fault::Malformed),
        }
    }

    fn announce(&mut self, size: u64) -> Result<Place, Fault> {
        self.announced = self.announced.saturating_add(size);
        if self.announced > BODY_LIMIT {
            return Err(Fault::TooLarge);
        }
        Ok(Place::Data(size))
    }

    fn extra(&mut self, place: Place) -> Result<Place, Fault> {
        self.extras += 1;
        if self.extras > HEAD_LIMIT {
            return Err(Fault::TooLarge);
        }
        Ok(place)
    }
}
