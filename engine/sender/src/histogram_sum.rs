//! Many of a delta's histograms added up, without a slot of theirs being built: a master adds up thousands a second.

use std::collections::BTreeMap;
use std::io::Read;

use base64::prelude::{Engine as _, BASE64_STANDARD};
use flate2::read::ZlibDecoder;

use crate::error::EngineError;
use crate::response_times::{rounded_ms, ResponseTimes};

/// `HdrHistogram`'s V2 format: a cookie and a length, then a zlib stream of a header and the slots' counts.
const COMPRESSED_COOKIE: u32 = 0x1C84_9304;
const PLAIN_COOKIE: u32 = 0x1C84_9303;
const WORD_SIZE_BITS: u32 = 0xF0; // V2 does not use them
const OUTER_BYTES: usize = 8;
const INNER_BYTES: usize = 40;
const LARGEST_PLAIN_BYTES: u64 = 4 << 20;
/// Three significant digits from 1 µs on: 2,048 slots of their own, then 1,024 for each doubling.
const DIGITS: u32 = 3;
const HALF: usize = 1024;
const MOST_SLOTS: usize = 1 << 16; // more than 64-bit values need

/// The counts of all slots, by slot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistogramSum {
    counts: Vec<u64>,
}

impl HistogramSum {
    /// Add one histogram of microseconds (V2 deflate, base64), as a delta holds it.
    pub fn add(&mut self, encoded: &str) -> Result<(), EngineError> {
        let wrapped = BASE64_STANDARD.decode(encoded).map_err(|error| refused(&error.to_string()))?;
        let plain = inflated(&wrapped)?;
        let slots = slots_of(&plain)?;
        let mut place = 0;
        let mut rest = slots;
        while let Some(number) = next_number(&mut rest)? {
            if number < 0 {
                place += usize::try_from(number.unsigned_abs()).map_err(|_| refused("it is too long"))?;
            } else {
                self.count(place, number.unsigned_abs())?;
                place += 1;
            }
            if place > MOST_SLOTS {
                return Err(refused("it is too long"));
            }
        }
        Ok(())
    }

    fn count(&mut self, place: usize, count: u64) -> Result<(), EngineError> {
        if place >= MOST_SLOTS {
            return Err(refused("it is too long"));
        }
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += count;
        Ok(())
    }

    /// What is in it. `bounds_us` rise; a slot is in the bucket that takes its largest value: no time is understated.
    #[must_use]
    pub fn times(&self, bounds_us: &[u64]) -> ResponseTimes {
        let mut times = ResponseTimes {
            count: 0,
            total_ms: 0.0,
            min_ms: 0.0,
            max_ms: 0.0,
            by_rounded_ms: BTreeMap::new(),
            by_bucket: vec![0; bounds_us.len() + 1],
        };
        for (place, &count) in self.counts.iter().enumerate().filter(|(_, &count)| count > 0) {
            let (least_us, largest_us) = values_of(place);
            let middle_us = least_us + (largest_us - least_us).div_ceil(2);
            if times.count == 0 {
                times.min_ms = least_us as f64 / 1e3;
            }
            times.max_ms = largest_us as f64 / 1e3;
            times.count += count;
            times.total_ms += middle_us as f64 / 1e3 * count as f64;
            *times.by_rounded_ms.entry(rounded_ms(middle_us)).or_default() += count;
            times.by_bucket[bounds_us.partition_point(|&bound_us| bound_us < largest_us)] += count;
        }
        times
    }
}

/// The least and the largest value that a slot stands for.
fn values_of(place: usize) -> (u64, u64) {
    let doubling = (place / HALF).saturating_sub(1);
    let step = (place - doubling * HALF) as u64;
    (step << doubling, ((step + 1) << doubling) - 1)
}

fn inflated(wrapped: &[u8]) -> Result<Vec<u8>, EngineError> {
    let cookie = word(wrapped, 0)?;
    if cookie & !WORD_SIZE_BITS != COMPRESSED_COOKIE || word(wrapped, 4)? as usize != wrapped.len() - OUTER_BYTES {
        return Err(refused("it is not a whole compressed V2 histogram"));
    }
    let mut plain = Vec::with_capacity(4096);
    ZlibDecoder::new(&wrapped[OUTER_BYTES..])
        .take(LARGEST_PLAIN_BYTES)
        .read_to_end(&mut plain)
        .map_err(|error| refused(&error.to_string()))?;
    Ok(plain)
}

fn slots_of(plain: &[u8]) -> Result<&[u8], EngineError> {
    let length = word(plain, 4)? as usize;
    let fits = word(plain, 0)? & !WORD_SIZE_BITS == PLAIN_COOKIE
        && word(plain, 8)? == 0
        && word(plain, 12)? == DIGITS
        && (word(plain, 16)?, word(plain, 20)?) == (0, 1);
    match plain.get(INNER_BYTES..) {
        Some(slots) if fits && slots.len() == length => Ok(slots),
        _ => Err(refused("it is not one of three digits from 1 on")),
    }
}

fn word(bytes: &[u8], at: usize) -> Result<u32, EngineError> {
    let piece = bytes.get(at..at + 4).ok_or_else(|| refused("it ends early"))?;
    Ok(u32::from_be_bytes([piece[0], piece[1], piece[2], piece[3]]))
}

/// The next number (zigzag, LEB128 of at most nine octets, the ninth whole); None at the end.
fn next_number(rest: &mut &[u8]) -> Result<Option<i64>, EngineError> {
    if rest.is_empty() {
        return Ok(None);
    }
    let mut value = 0_u64;
    for octet in 0..9 {
        let (&byte, behind) = rest.split_first().ok_or_else(|| refused("it ends early"))?;
        *rest = behind;
        let last = octet == 8;
        value |= u64::from(if last { byte } else { byte & 0x7F }) << (7 * octet);
        if last || byte & 0x80 == 0 {
            break;
        }
    }
    Ok(Some((value >> 1) as i64 ^ -((value & 1) as i64)))
}

fn refused(what: &str) -> EngineError {
    EngineError::Order(format!("no histogram: {what}"))
}
