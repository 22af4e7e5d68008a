//! Values found in answers: by JSON pointer, header or regular expression.

use regex::bytes::Regex;
use serde_json::Value as Json;

use crate::as_written::as_written;
use crate::checks::Seen;
use crate::error::EngineError;
use crate::journey_plan::Source;
use crate::plan::refuse;

/// The longest value that is carried into a later request.
pub const LONGEST_VALUE: usize = 8 * 1024;
/// A compiled expression may take so much memory; it bounds what a search can cost, too.
const REGEX_LIMIT: usize = 1 << 20;

/// Finds a value in an answer.
#[derive(Debug, Clone)]
pub enum Finder {
    Json(String),
    Header(String),
    Regex(Regex),
}

impl Finder {
    /// Make ready to look; `at` is the place in the plan.
    pub fn compile(at: &str, source: &Source) -> Result<Self, EngineError> {
        Ok(match source {
            Source::Json(path) => Self::Json(pointer(&format!("{at}.json"), path)?),
            Source::Header(name) if name.is_empty() => return refuse(&format!("{at}.header"), "is empty".into()),
            Source::Header(name) => Self::Header(name.clone()),
            Source::Regex(pattern) => Self::Regex(regex(&format!("{at}.regex"), pattern)?),
        })
    }

    /// The value, when there is one that may stand in a request.
    pub fn find(&self, seen: &Seen<'_>) -> Option<String> {
        self.look(seen).filter(|found| objection(found).is_none())
    }

    /// What is there, if it is a text, a number or a truth value.
    pub fn look(&self, seen: &Seen<'_>) -> Option<String> {
        match self {
            Self::Json(path) => of_json(seen.json()?.pointer(path)?, || as_written(seen.json_text(), path)),
            Self::Header(name) => text(seen.headers(name).next()?),
            Self::Regex(regex) => {
                let groups = regex.captures(seen.body)?;
                // A group that took no part in the match found nothing; all of the match would be something else.
                text(groups.get(usize::from(groups.len() > 1))?.as_bytes())
            }
        }
    }
}

/// Why a value may stand in no request; None when it may. A control character could end a header, or the request.
pub fn objection(value: &str) -> Option<&'static str> {
    if value.len() > LONGEST_VALUE {
        return Some("is longer than 8 KiB");
    }
    value.chars().any(char::is_control).then_some("has a control character")
}

/// A value of JSON as text. `as_written`: the digits of a number that a float may not hold as they are.
fn of_json(value: &Json, as_written: impl FnOnce() -> Option<String>) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) if number.is_f64() => as_written(),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(|text| text.trim().to_string())
}

/// A JSON pointer (RFC 6901), checked.
pub fn pointer(at: &str, path: &str) -> Result<String, EngineError> {
    if path.is_empty() || path.starts_with('/') {
        return Ok(path.to_string());
    }
    refuse(at, format!("{path:?} is no JSON pointer: it begins with a slash"))
}

/// A regular expression, checked and bounded.
pub fn regex(at: &str, pattern: &str) -> Result<Regex, EngineError> {
    let built = regex::bytes::RegexBuilder::new(pattern).size_limit(REGEX_LIMIT).dfa_size_limit(REGEX_LIMIT).build();
    built.or_else(|wrong| refuse(at, format!("{pattern:?} is no regular expression: {wrong}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &Source, body: &str) -> Option<String> {
        Finder::compile("here", source).expect("a capture").find(&Seen::new(200, &[], body.as_bytes()))
    }

    #[test]
    fn a_number_is_carried_as_the_server_wrote_it() {
        for written in
            ["7", "-1", "100.00", "1e3", "18446744073709551615", "12345678901234567890123", "0.1234567890123456789"]
        {
            let body = format!("{{\"a\": [{{\"id\": {written} }}]}}");
            assert_eq!(found(&Source::Json("/a/0/id".into()), &body).as_deref(), Some(written));
        }
    }

    #[test]
    fn json_behind_a_mark_of_its_encoding_is_json() {
        assert_eq!(found(&Source::Json("/id".into()), "\u{feff}{\"id\": 2.50}").as_deref(), Some("2.50"));
    }

    #[test]
    fn a_group_that_took_no_part_in_the_match_finds_nothing() {
        for (pattern, body, value) in [
            (r"id=(\d+)", "id=17", Some("17")),
            (r"id=\d+", "id=17", Some("id=17")),
            (r"id=(\d+)?", "id=", None),
            ("a=(x)|b=y", "b=y", None),
            ("v=(.*?);", "v=  x ;", Some("x")),
        ] {
            assert_eq!(found(&Source::Regex(pattern.into()), body).as_deref(), value, "{pattern}");
        }
    }
}
