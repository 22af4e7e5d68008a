//! Values found in answers: by JSON pointer, header or regular expression.

use std::borrow::Cow;

use regex::bytes::Regex;
use serde_json::Value as Json;

use crate::as_written::as_written;
use crate::checks::Seen;
use crate::error::EngineError;
use crate::journey_plan::Source;
use crate::plan::refuse;

/// The longest value that is carried into a later request.
pub const LONGEST_VALUE: usize = 8 * 1024;
/// So many items of a list are drawn from, the first ones.
const MOST_CANDIDATES: usize = 1000;
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

    /// The values that it may take, of which a journey draws one: a single one, or one an item of a list. None: an item
    /// that has none, or none that may stand in a request.
    pub fn candidates(&self, seen: &Seen<'_>) -> Vec<Option<String>> {
        let fitting = |found: Option<String>| found.filter(|found| objection(found).is_none());
        match self {
            Self::Json(path) => places(seen, path).map(|place| fitting(at(seen, &place))).collect(),
            _ => vec![fitting(self.look(seen))],
        }
    }

    /// What is there, in the first item of a list, if it is a text, a number or a truth value.
    pub fn look(&self, seen: &Seen<'_>) -> Option<String> {
        match self {
            Self::Json(path) => at(seen, &places(seen, path).next()?),
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

/// The pointers that one with a `*` for the items of a list comes to.
fn places<'p>(seen: &Seen<'_>, path: &'p str) -> std::vec::IntoIter<Cow<'p, str>> {
    let list_of = |front: &str| seen.json().and_then(|json| json.pointer(front)).and_then(Json::as_array);
    let star = path
        .match_indices("/*")
        .map(|(star, _)| path.split_at(star))
        .find(|(front, rest)| matches!(rest.as_bytes().get(2), None | Some(b'/')) && list_of(front).is_some());
    let Some((front, rest)) = star else { return vec![Cow::Borrowed(path)].into_iter() };
    let items = list_of(front).map_or(0, Vec::len).min(MOST_CANDIDATES);
    let places: Vec<_> = (0..items).map(|item| Cow::Owned(format!("{front}/{item}{}", &rest[2..]))).collect();
    places.into_iter()
}

fn at(seen: &Seen<'_>, place: &str) -> Option<String> {
    of_json(seen.json()?.pointer(place)?, || as_written(seen.json_text(), place))
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
        candidates(source, body).into_iter().next().flatten()
    }

    fn candidates(source: &Source, body: &str) -> Vec<Option<String>> {
        Finder::compile("here", source).expect("a capture").candidates(&Seen::new(200, &[], body.as_bytes()))
    }

    #[test]
    fn a_star_stands_for_each_item_of_a_list() {
        let body = r#"{"all": [{"id": 1.50, "*": "x"}, {"id": "b"}, {}, {"id": "c\n"}], "none": [], "*": {"*a": 7}}"#;
        let of = |path: &str| candidates(&Source::Json(path.into()), body);
        let some = |value: &str| Some(value.to_string());
        assert_eq!(of("/all/*/id"), [some("1.50"), some("b"), None, None]);
        assert_eq!((of("/none/*/id"), of("/all/*/no").len()), (vec![], 4));
        assert_eq!((of("/*/*a"), of("/all/0/*"), of("/no/*/id")), (vec![some("7")], vec![some("x")], vec![None]));
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
