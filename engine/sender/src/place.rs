//! Where in a request a text stands, and how its values are spelled there.

use crate::link;
use crate::spelling::{json_inner, percent};

/// Where a text stands; decides how its values are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Path,
    /// The whole of a path with its query, as somebody wrote it down.
    WholePath,
    /// Behind a path's question mark, where nothing leads elsewhere.
    Query,
    Header,
    Body,
    Form,
}

/// A value as it is written there.
pub fn escape(text: &str, place: Place) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    escape_into(text, place, &mut out);
    out
}

/// The same, behind what is written already.
pub fn escape_into(text: &str, place: Place, out: &mut Vec<u8>) {
    match place {
        Place::Header => out.extend_from_slice(text.as_bytes()),
        Place::Path | Place::Query | Place::Form => percent(text, out),
        Place::WholePath => link::encode(text, out),
        Place::Body => json_inner(text, out),
    }
}
