//! What a trial saw, in words: short, and on one line.

use serde_json::Value as Json;

use crate::checks::Seen;
use crate::journey_plan::{Capture, Source};
use crate::plan::{Check, Request};

/// So much of a text is shown.
const SHOWN: usize = 60;

/// What must not be shown.
#[derive(Debug, Default)]
pub struct Veil {
    /// Texts: tokens, passwords.
    pub hidden: Vec<String>,
    /// Names of captured values.
    pub veiled: Vec<String>,
}

impl Veil {
    /// What `words` say of an answer once everything hidden is taken out of it.
    pub fn told(&self, request: &Request, seen: &Seen<'_>, words: impl Fn(&Seen<'_>) -> String) -> String {
        let is_veiled = request.captures.iter().any(|capture| self.veiled.contains(&capture.name));
        let headers: Vec<_> = seen.headers.iter().map(|(name, value)| (name.clone(), self.without(value))).collect();
        // Where something veiled is expected, it may stand anywhere.
        let body = if is_veiled { b"(not shown)".to_vec() } else { self.without(seen.body) };
        words(&Seen::new(seen.status, &headers, &body)) + &unreadable(seen)
    }

    /// A captured value, as far as it may be shown.
    pub fn value(&self, name: &str, value: &str) -> String {
        if self.veiled.iter().any(|veiled| veiled == name) {
            return format!("(not shown, {} characters)", value.chars().count());
        }
        short(&String::from_utf8_lossy(&self.without(value.as_bytes())))
    }

    fn without(&self, bytes: &[u8]) -> Vec<u8> {
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        for hidden in self.hidden.iter().filter(|hidden| !hidden.is_empty()) {
            text = text.replace(hidden.as_str(), "(hidden)");
        }
        text.into_bytes()
    }
}

/// Why a check does not hold.
pub fn of_check(check: &Check, seen: &Seen<'_>) -> String {
    match check {
        Check::BodyContains(text) => format!("the body does not hold {}: {}", quoted(text), excerpt(seen)),
        Check::BodyRegex(pattern) => format!("nothing matches {}: {}", quoted(pattern), excerpt(seen)),
        Check::BodyAtMost(most) => format!("the body has {} bytes, more than {most}", seen.body.len()),
        Check::JsonEquals(path, value) => format!("{path} is {}, not {}", at(seen, path), short(&value.to_string())),
        Check::JsonExists(path) => format!("there is nothing at {path}: {}", excerpt(seen)),
        Check::JsonLength(path, count) => format!("{path} has {}, not {count} entries", entries(seen, path)),
        Check::HeaderEquals(name, value) => format!("{name} is {}, not {}", header(seen, name), quoted(value)),
        Check::HeaderContains(name, text) => format!("{name} is {}, without {}", header(seen, name), quoted(text)),
        Check::Status(statuses) => format!("the status is {}, not {statuses:?}", seen.status),
    }
}

/// Why there is nothing to capture.
pub fn of_capture(capture: &Capture, seen: &Seen<'_>) -> String {
    let name = &capture.name;
    match &capture.from {
        Source::Json(path) => format!("{name}: {path} is {}", at(seen, path)),
        Source::Header(wanted) => format!("{name}: {wanted} is {}", header(seen, wanted)),
        Source::Regex(pattern) => format!("{name}: nothing matches {}: {}", quoted(pattern), excerpt(seen)),
    }
}

/// What came with a status that is not expected: where it points, or the beginning of the body.
pub fn of_status(seen: &Seen<'_>) -> String {
    match seen.headers("location").next() {
        Some(place) if (300..400).contains(&seen.status) => format!("to {}", quoted(&String::from_utf8_lossy(place))),
        _ => excerpt(seen),
    }
}

/// Why what one expects to read in a body may not be found there; empty when nothing speaks against it.
fn unreadable(seen: &Seen<'_>) -> String {
    let codings = seen.headers("content-encoding").map(String::from_utf8_lossy);
    match codings.into_iter().find(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity")) {
        Some(coding) => format!(" (the body came as {}, which golive does not unpack)", short(&coding)),
        None if std::str::from_utf8(seen.body).is_err() => " (the body is not UTF-8)".into(),
        None => String::new(),
    }
}

/// The beginning of the body.
pub fn excerpt(seen: &Seen<'_>) -> String {
    if seen.body.is_empty() {
        return "the body is empty".into();
    }
    short(&String::from_utf8_lossy(seen.body))
}

fn at(seen: &Seen<'_>, path: &str) -> String {
    match seen.json() {
        None => format!("not there (no JSON: {})", excerpt(seen)),
        Some(json) => json.pointer(path).map_or_else(|| "not there".into(), |value| short(&value.to_string())),
    }
}

fn entries(seen: &Seen<'_>, path: &str) -> String {
    match seen.json().and_then(|json| json.pointer(path)) {
        Some(Json::Array(items)) => items.len().to_string(),
        Some(Json::Object(fields)) => fields.len().to_string(),
        _ => at(seen, path),
    }
}

fn header(seen: &Seen<'_>, name: &str) -> String {
    seen.headers(name).next().map_or_else(|| "not there".into(), |value| quoted(&String::from_utf8_lossy(value)))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", short(text))
}

/// A text on one line, cut where it is long.
fn short(text: &str) -> String {
    let line: String = text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"{"name": "a", "weight": 1, "method": "GET", "path": [], "headers": [], "body": null,
        "expect": [200], "checks": [], "timeout_us": 1, "captures": [{"name": "id", "from": {"json": "/id"}}]}"#;

    fn told(check: &str, body: &str) -> String {
        let headers = [("Content-Type".to_string(), b"text/html".to_vec())];
        let check: Check = serde_json::from_str(check).expect("a check");
        of_check(&check, &Seen::new(200, &headers, body.as_bytes()))
    }

    #[test]
    fn each_check_says_what_was_there_instead() {
        for (check, body, words) in [
            (r#"{"json_equals": ["/a", 1]}"#, r#"{"a": "x"}"#, r#"/a is "x", not 1"#),
            (r#"{"json_equals": ["/a", 1]}"#, "<p>", "/a is not there (no JSON: <p>), not 1"),
            (r#"{"json_length": ["/a", 1]}"#, r#"{"a": [1, 2]}"#, "/a has 2, not 1 entries"),
            (r#"{"json_exists": "/b"}"#, "{}", "there is nothing at /b: {}"),
            (r#"{"body_contains": "ok"}"#, "", r#"the body does not hold "ok": the body is empty"#),
            (r#"{"body_at_most": 1}"#, "abc", "the body has 3 bytes, more than 1"),
            (r#"{"header_equals": ["content-type", "a"]}"#, "", r#"content-type is "text/html", not "a""#),
            (r#"{"header_contains": ["x", "a"]}"#, "", r#"x is not there, without "a""#),
            (r#"{"status": [201]}"#, "", "the status is 200, not [201]"),
        ] {
            assert_eq!(told(check, body), words);
        }
    }

    #[test]
    fn a_redirect_says_where_to_and_any_other_status_what_it_came_with() {
        let headers = [("Location".to_string(), b"https://a/b".to_vec())];
        let told = |status, headers| of_status(&Seen::new(status, headers, b"<html>"));
        assert_eq!((told(301, &headers), told(301, &[])), (r#"to "https://a/b""#.into(), "<html>".into()));
        assert_eq!(told(201, &headers), "<html>");
    }

    #[test]
    fn a_body_that_cannot_be_read_as_it_came_says_why() {
        let request: Request = serde_json::from_str(REQUEST).expect("a request");
        let coded = [("Content-Encoding".to_string(), b"gzip".to_vec())];
        let told = |headers, body| Veil::default().told(&request, &Seen::new(200, headers, body), excerpt);
        assert_eq!(told(&coded, b"x"), "x (the body came as gzip, which golive does not unpack)");
        assert_eq!(told(&[], b"caf\xe9"), "caf\u{fffd} (the body is not UTF-8)");
        assert_eq!(told(&[], "café".as_bytes()), "café");
    }

    #[test]
    fn what_is_hidden_is_shown_nowhere_not_even_in_part() {
        let veil = Veil { hidden: vec!["s3cr3t-token".into()], veiled: vec!["csrf".into()] };
        let body = format!("{}s3cr3t-token", "x".repeat(55));
        let headers = [("Via".to_string(), b"s3cr3t-token".to_vec())];
        let seen = Seen::new(200, &headers, body.as_bytes());
        let mut request: Request = serde_json::from_str(REQUEST).expect("a request");
        let words = |request: &Request| veil.told(request, &seen, |seen| excerpt(seen) + &header(seen, "via"));
        assert!(!words(&request).contains("s3c") && words(&request).contains("xxx"), "{}", words(&request));
        assert_eq!(veil.value("id", "a s3cr3t-token"), "a (hidden)");
        assert_eq!(veil.value("csrf", "abc"), "(not shown, 3 characters)");
        request.captures[0].name = "csrf".into();
        assert!(!words(&request).contains("xxx"));
    }

    #[test]
    fn what_is_long_or_on_several_lines_is_cut_and_joined() {
        let words = told(r#"{"body_regex": "never"}"#, &format!("a\r\n\x1b[31m{}", "é".repeat(200)));
        assert!(words.chars().count() < 100 && words.ends_with('…') && !words.contains(char::is_control), "{words}");
    }
}
