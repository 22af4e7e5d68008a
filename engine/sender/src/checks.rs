//! What an answer is looked through for once it is whole: checks, captures, a poll's ends, cookies.

use std::cell::OnceCell;

use regex::bytes::Regex;
use serde_json::Value as Json;

use crate::capture::{pointer, regex, Finder};
use crate::error::EngineError;
use crate::plan::{Check, Request};

/// The longest body that is looked through; a longer one counts as too large.
pub const LOOKED_AT_LIMIT: u64 = 1 << 20;
/// The most headers of one answer that are kept.
const KEPT_HEADERS: usize = 64;

/// An answer, as far as it was kept.
#[derive(Debug)]
pub struct Seen<'a> {
    pub status: u16,
    pub headers: &'a [(String, Vec<u8>)],
    pub body: &'a [u8],
    json: OnceCell<Option<Json>>,
}

impl<'a> Seen<'a> {
    /// An answer to look through. The body is read as JSON at most once, and only when someone asks.
    #[must_use]
    pub fn new(status: u16, headers: &'a [(String, Vec<u8>)], body: &'a [u8]) -> Self {
        Self { status, headers, body, json: OnceCell::new() }
    }

    /// The body as JSON, if it is.
    pub fn json(&self) -> Option<&Json> {
        self.json.get_or_init(|| serde_json::from_slice(self.json_text()).ok()).as_ref()
    }

    /// The body without the mark of its encoding (BOM) that some servers put before it; a parser may ignore it (RFC 8259, 8.1).
    pub fn json_text(&self) -> &'a [u8] {
        self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.body)
    }

    /// The values of a header.
    pub fn headers<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s [u8]> {
        self.headers.iter().filter(move |(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..])
    }
}

/// One check, ready to be used.
#[derive(Debug, Clone)]
pub enum Test {
    BodyContains(Vec<u8>),
    BodyAtMost(u64),
    BodyRegex(Regex),
    HeaderEquals(String, String),
    HeaderContains(String, Vec<u8>),
    JsonEquals(String, Json),
    JsonExists(String),
    JsonLength(String, usize),
    Status(Vec<u16>),
}

impl Test {
    /// Make a check ready; `at` is its place in the plan.
    pub fn compile(at: &str, check: &Check) -> Result<Self, EngineError> {
        Ok(match check {
            Check::BodyContains(text) => Self::BodyContains(text.clone().into_bytes()),
            Check::BodyAtMost(most) => Self::BodyAtMost(*most),
            Check::BodyRegex(pattern) => Self::BodyRegex(regex(&format!("{at}.body_regex"), pattern)?),
            Check::HeaderEquals(name, value) => Self::HeaderEquals(name.clone(), value.clone()),
            Check::HeaderContains(name, text) => Self::HeaderContains(name.clone(), text.clone().into_bytes()),
            Check::JsonEquals(path, value) => {
                Self::JsonEquals(pointer(&format!("{at}.json_equals"), path)?, value.clone())
            }
            Check::JsonExists(path) => Self::JsonExists(pointer(&format!("{at}.json_exists"), path)?),
            Check::JsonLength(path, count) => Self::JsonLength(pointer(&format!("{at}.json_length"), path)?, *count),
            Check::Status(statuses) => Self::Status(statuses.clone()),
        })
    }

    /// Whether an answer passes.
    #[must_use]
    pub fn holds(&self, seen: &Seen<'_>) -> bool {
        let at = |path: &str| seen.json().and_then(|json| json.pointer(path));
        match self {
            Self::BodyContains(text) => contains(seen.body, text),
            Self::BodyAtMost(most) => seen.body.len() as u64 <= *most,
            Self::BodyRegex(regex) => regex.is_match(seen.body),
            Self::HeaderEquals(name, value) => seen.headers(name).any(|there| there == value.as_bytes()),
            Self::HeaderContains(name, text) => seen.headers(name).any(|there| contains(there, text)),
            Self::JsonEquals(path, value) => at(path).is_some_and(|there| same(there, value)),
            Self::JsonExists(path) => at(path).is_some(),
            Self::JsonLength(path, count) => at(path).and_then(length) == Some(*count),
            Self::Status(statuses) => statuses.contains(&seen.status),
        }
    }

    fn header(&self) -> Option<&str> {
        match self {
            Self::HeaderEquals(name, _) | Self::HeaderContains(name, _) => Some(name),
            _ => None,
        }
    }

    fn looks_at_body(&self) -> bool {
        !matches!(self, Self::HeaderEquals(..) | Self::HeaderContains(..) | Self::Status(_))
    }
}

/// Whether two JSON values are equal; 1 and 1.0 are. As floats 9007199254740992 and …993 would be, too.
fn same(there: &Json, value: &Json) -> bool {
    match (there, value) {
        (Json::Number(one), Json::Number(other)) if one.is_f64() || other.is_f64() => one.as_f64() == other.as_f64(),
        _ => there == value,
    }
}

fn length(value: &Json) -> Option<usize> {
    match value {
        Json::Array(items) => Some(items.len()),
        Json::Object(fields) => Some(fields.len()),
        _ => None,
    }
}

/// Whether a text stands in a body.
pub fn contains(body: &[u8], text: &[u8]) -> bool {
    memchr::memmem::find(body, text).is_some()
}

/// What the answers of one kind of request are looked through for.
#[derive(Debug, Clone, Default)]
pub struct Look {
    checks: Vec<Test>,
    captures: Vec<Finder>,
    until: Vec<Test>,
    once: Vec<Test>,
    headers: Vec<String>,
    cookies: bool,
}

/// What was found in an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    pub checks_hold: bool,
    /// The values that each of the request's captures may take, in its order.
    pub captured: Vec<Vec<Option<String>>>,
    pub until_holds: bool,
    pub once_holds: bool,
    pub cookies: Vec<String>,
}

impl Look {
    /// What a request asks of its answers beyond what is seen in passing; None when nothing.
    pub fn compile(at: &str, request: &Request, cookies: bool) -> Result<Option<Self>, EngineError> {
        let tests =
            |checks: &[Check]| checks.iter().map(|check| Test::compile(at, check)).collect::<Result<Vec<_>, _>>();
        let late: Vec<Check> = request.checks.iter().filter(|check| !check.is_seen_in_passing()).cloned().collect();
        if late.is_empty() && request.captures.is_empty() && request.poll.is_none() && !cookies {
            return Ok(None);
        }
        let mut look = Self { checks: tests(&late)?, cookies, ..Self::default() };
        for capture in &request.captures {
            look.captures.push(Finder::compile(at, &capture.from)?);
        }
        if let Some(poll) = &request.poll {
            look.until = tests(&poll.until)?;
            look.once = tests(&poll.once)?;
        }
        look.headers = look.wanted();
        Ok(Some(look))
    }

    fn wanted(&self) -> Vec<String> {
        let tested = self.checks.iter().chain(&self.until).chain(&self.once).filter_map(Test::header);
        let captured = self.captures.iter().filter_map(|finder| match finder {
            Finder::Header(name) => Some(name.as_str()),
            _ => None,
        });
        let cookies = self.cookies.then_some("set-cookie");
        tested.chain(captured).chain(cookies).map(str::to_string).collect()
    }

    /// Whether the body must be kept.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        let mut tests = self.checks.iter().chain(&self.until).chain(&self.once);
        tests.any(Test::looks_at_body) || self.captures.iter().any(|finder| !matches!(finder, Finder::Header(_)))
    }

    /// Keep what is wanted of an answer's headers.
    pub fn keep<'h>(&self, headers: impl Iterator<Item = (&'h str, &'h [u8])>, kept: &mut Vec<(String, Vec<u8>)>) {
        let wanted = headers.filter(|(name, _)| self.headers.iter().any(|header| header.eq_ignore_ascii_case(name)));
        kept.extend(wanted.take(KEPT_HEADERS).map(|(name, value)| (name.to_string(), value.to_vec())));
    }

    /// Look through a whole answer.
    #[must_use]
    pub fn at(&self, seen: &Seen<'_>) -> Found {
        let all = |tests: &[Test]| tests.iter().all(|test| test.holds(seen));
        let cookies = if self.cookies { seen.headers("set-cookie").collect() } else { Vec::new() };
        Found {
            checks_hold: all(&self.checks),
            captured: self.captures.iter().map(|finder| finder.candidates(seen)).collect(),
            until_holds: all(&self.until),
            once_holds: all(&self.once),
            cookies: cookies.into_iter().filter_map(|line| String::from_utf8(line.to_vec()).ok()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(there: &str, value: &str) -> bool {
        let json = |text| serde_json::from_str(text).expect("JSON");
        same(&json(there), &json(value))
    }

    #[test]
    fn numbers_are_equal_in_whatever_way_they_are_written_and_whole_ones_to_the_last_digit() {
        assert!(equal("1", "1.0") && equal("100.00", "100") && equal("1e3", "1000"));
        assert!(
            !equal("9007199254740993", "9007199254740992") && !equal("18446744073709551615", "18446744073709551614")
        );
        assert!(!equal("1", "true") && !equal("1", "\"1\"") && !equal("-1", "1"));
    }

    #[test]
    fn a_status_needs_no_body() {
        let needs = |until: serde_json::Value| {
            let request = serde_json::json!({
                "name": "r", "weight": 0.0, "method": "GET", "path": ["/"], "headers": [], "body": null, "expect": [200],
                "checks": [], "timeout_us": 1000, "poll": {"until": [until], "every_us": 1, "give_up_us": 1},
            });
            let request: Request = serde_json::from_value(request).expect("a request");
            Look::compile("here", &request, false).expect("a look").expect("something to look for").needs_body()
        };
        assert!(!needs(serde_json::json!({"status": [200]})));
        assert!(needs(serde_json::json!({"json_exists": "/a"})));
    }
}
