//! Where a captured value stands in later requests, and what it must therefore not be: the server chose it, not the plan.

use serde_json::Value as Json;

use crate::journey_plan::Flow;
use crate::link;
use crate::plan::{Piece, Plan, Request, Text, Value};

/// The places of one captured name over all steps of its flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    in_path: bool,
    in_cookie: bool,
    is_bare: bool,
    /// Where it is followed as a link: the base URL that it must not lead away from.
    followed_at: Option<String>,
}

impl Standing {
    /// Look for a name in everything that a flow sends.
    #[must_use]
    pub fn of(plan: &Plan, flow: &Flow, name: &str) -> Self {
        let mut standing = Self::default();
        for step in &flow.steps {
            let request = &plan.requests[step.request];
            standing.look_in(request, name);
            if link::followed_by(request) == Some(name) {
                standing.followed_at = Some(plan.base_url.clone());
            }
        }
        standing
    }

    fn look_in(&mut self, request: &Request, name: &str) {
        self.in_path |= before_query(&request.path).any(|piece| is_it(piece, name));
        for (header, text) in &request.headers {
            self.in_cookie |= header.eq_ignore_ascii_case("cookie") && text.iter().any(|piece| is_it(piece, name));
        }
        if let Some(body) = request.body.as_ref().filter(|_| is_json(request)) {
            self.is_bare |= is_bare_in(body, name);
        }
    }

    /// Why a value may not be carried there; None when it may.
    #[must_use]
    pub fn objection(&self, value: &str) -> Option<&'static str> {
        if self.followed_at.as_ref().is_some_and(|base_url| link::path_of(value, base_url).is_none()) {
            return Some("leads away from the target, or is no path");
        }
        if self.in_path && matches!(value, "" | "." | "..") {
            return Some("would lead a path elsewhere");
        }
        if self.in_cookie && value.contains(';') {
            return Some("would be more than one cookie");
        }
        if self.is_bare && !is_number_or_truth(value) {
            return Some("is no number or truth value, and would stand in JSON without quotes");
        }
        None
    }
}

fn is_it(piece: &Piece, name: &str) -> bool {
    matches!(piece, Piece::Value(Value::Captured(there)) if there == name)
}

/// The pieces of a path up to its query. There each stands for itself; in a query there is nowhere to be led.
fn before_query(path: &Text) -> impl Iterator<Item = &Piece> {
    path.iter().take_while(|piece| !matches!(piece, Piece::Fixed(fixed) if fixed.contains('?')))
}

/// A body is JSON unless its request says otherwise.
fn is_json(request: &Request) -> bool {
    content_types(request).all(|text| says(text, "json"))
}

/// Whether a body is what a browser's form sends: values in it are percent-encoded.
pub fn is_form(request: &Request) -> bool {
    content_types(request).any(|text| says(text, "x-www-form-urlencoded"))
}

fn content_types(request: &Request) -> impl Iterator<Item = &Text> {
    request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type")).map(|(_, text)| text)
}

fn says(text: &Text, word: &str) -> bool {
    text.iter().any(|piece| matches!(piece, Piece::Fixed(fixed) if fixed.to_ascii_lowercase().contains(word)))
}

/// Whether a name stands outside the quotes of a body: what is written there is read as JSON, not as text.
fn is_bare_in(body: &Text, name: &str) -> bool {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for piece in body {
        match piece {
            Piece::Fixed(fixed) => {
                for byte in fixed.bytes() {
                    is_quoted ^= byte == b'"' && !is_escaped;
                    is_escaped = is_quoted && byte == b'\\' && !is_escaped;
                }
            }
            value if !is_quoted && is_it(value, name) => return true,
            Piece::Value(_) => {}
        }
    }
    false
}

fn is_number_or_truth(value: &str) -> bool {
    matches!(serde_json::from_str(value), Ok(Json::Number(_) | Json::Bool(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pieces: &str) -> Text {
        serde_json::from_str(pieces).expect("pieces")
    }

    #[test]
    fn what_stands_between_quotes_is_not_bare() {
        for (body, is_bare) in [
            (r#"["{\"a\":\"", {"captured": "x"}, "\"}"]"#, false),
            (r#"["{\"a\":", {"captured": "x"}, "}"]"#, true),
            (r#"["{\"a\\\"b\":\"", {"captured": "x"}, "\"}"]"#, false),
            (r#"["{\"a\\\\\":", {"captured": "x"}, "}"]"#, true),
            (r#"["{\"a\":\"", {"captured": "y"}, "\",\"b\":", {"captured": "x"}, "}"]"#, true),
            (r#"["{\"a\":", {"captured": "y"}, "}"]"#, false),
        ] {
            assert_eq!(is_bare_in(&text(body), "x"), is_bare, "{body}");
        }
    }

    #[test]
    fn a_query_is_no_path() {
        let stands = |path: &str| before_query(&text(path)).any(|piece| is_it(piece, "x"));
        assert!(stands(r#"["/a/", {"captured": "x"}]"#) && stands(r#"["/", {"captured": "x"}, "/b?c=1"]"#));
        assert!(!stands(r#"["/a?b=", {"captured": "x"}]"#));
    }

    #[test]
    fn each_place_objects_to_what_would_change_more_than_itself() {
        let anywhere = Standing::default();
        let path = Standing { in_path: true, ..Standing::default() };
        let cookie = Standing { in_cookie: true, ..Standing::default() };
        let bare = Standing { is_bare: true, ..Standing::default() };
        let link = Standing { followed_at: Some("http://a.test".into()), ..Standing::default() };
        for (standing, fits, objects) in [
            (anywhere, &["", "..", "a;b", "{}"][..], &[][..]),
            (path, &["a", "...", "a/../b", "é"], &["", ".", ".."]),
            (cookie, &["", "a=b"], &["a; admin=1"]),
            (link, &["/a?b=1", "http://a.test/x"], &["", "a", "//b.test/", "http://b.test/x"]),
            (bare, &["1", "-2.5e3", "true"], &["", "x", "null", "[1]", "1,2", "1}", "\"a\""]),
        ] {
            for value in fits {
                assert_eq!(standing.objection(value), None, "{value:?}");
            }
            for value in objects {
                assert!(standing.objection(value).is_some(), "{value:?}");
            }
        }
    }
}
