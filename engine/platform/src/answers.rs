//! The bytes of answers, put together once and sent many times.

use std::collections::HashMap;

use crate::routing::{Route, RouteTable};

/// The answers of every route and of every status, each for connections that stay open and for those that close.
#[derive(Debug)]
pub struct AnswerBook {
    routes: Vec<[Vec<u8>; 2]>,
    statuses: HashMap<u16, [Vec<u8>; 2]>,
}

impl AnswerBook {
    /// Write all routes' answers.
    #[must_use]
    pub fn new(routes: &RouteTable) -> Self {
        let routes = routes.iter().map(|route| both(route.status, &body_of(route))).collect();
        Self { routes, statuses: HashMap::new() }
    }

    /// What this route answers when all is well.
    #[must_use]
    pub fn of_route(&self, route: usize, closes: bool) -> &[u8] {
        &self.routes[route][usize::from(closes)]
    }

    /// What a refusal or a failure with this status looks like.
    pub fn of_status(&mut self, status: u16, closes: bool) -> &[u8] {
        let written = self
            .statuses
            .entry(status)
            .or_insert_with(|| both(status, format!(r#"{{"error":"{}"}}"#, reason(status)).as_bytes()));
        &written[usize::from(closes)]
    }
}

fn body_of(route: &Route) -> Vec<u8> {
    let Some(said) = &route.answer else {
        return padded(br#"{"status":"ok""#, route.answer_bytes);
    };
    let whole = serde_json::to_vec(said).unwrap_or_default();
    match whole.strip_suffix(b"}") {
        Some(open) if !said.is_empty() && whole.len() < route.answer_bytes => padded(open, route.answer_bytes),
        _ => whole,
    }
}

/// A JSON object, begun and left open, with filling up to exactly so many bytes (a few at least).
fn padded(open: &[u8], size: usize) -> Vec<u8> {
    let (head, tail) = ([open, br#","data":""#].concat(), br#""}"#);
    let filling = size.saturating_sub(head.len() + tail.len());
    [head.as_slice(), &vec![b'x'; filling], tail].concat()
}

fn both(status: u16, body: &[u8]) -> [Vec<u8>; 2] {
    [whole(status, body, false), whole(status, body, true)]
}

/// A whole answer with a JSON body.
#[must_use]
pub fn whole(status: u16, body: &[u8], closes: bool) -> Vec<u8> {
    let close = if closes { "connection: close\r\n" } else { "" };
    let length = body.len();
    // 204 and 304 have no body and no length (RFC 9110, 8.6).
    let head = match status {
        204 | 304 => format!("HTTP/1.1 {status} {}\r\n{close}\r\n", reason(status)),
        _ => format!(
            "HTTP/1.1 {status} {}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{close}\r\n",
            reason(status)
        ),
    };
    let body = if matches!(status, 204 | 304) { &[] } else { body };
    [head.as_bytes(), body].concat()
}

/// The words that go with a status.
#[must_use]
pub fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_size_that_was_asked_for() {
        for size in [30, 200, 5000] {
            let body = padded(br#"{"status":"ok""#, size);
            assert_eq!(body.len(), size);
            assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok());
        }
    }

    #[test]
    fn a_closing_answer_says_so() {
        let text = String::from_utf8(whole(503, b"{}", true)).expect("text");
        assert!(text.starts_with("HTTP/1.1 503 Service Unavailable\r\n") && text.contains("connection: close\r\n"));
    }
}
