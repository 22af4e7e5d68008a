//! What may be sent again, when a kept connection ends under it before any byte of an answer, and how often.

use crate::plan::Request;
use crate::pool::Kind;

/// Methods that change no more the second time than the first (RFC 9110, 9.2.2).
const IDEMPOTENT: [&str; 6] = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];
/// Headers by which a request of any method says that the server tells its repetition from another request.
const KEYS: [&str; 2] = ["idempotency-key", "x-idempotency-key"];

/// Whether a client may repeat a request of which it does not know whether the server has seen it.
#[must_use]
pub fn may_repeat(request: &Request) -> bool {
    let has_key = || request.headers.iter().any(|(name, _)| KEYS.iter().any(|key| name.eq_ignore_ascii_case(key)));
    IDEMPOTENT.contains(&request.method.as_str()) || has_key()
}

/// So often the server may say that it has not looked at a request: where many are due at once, the next connection may
/// be at its end, too. It is bounded, since a server that looks at none would be given one connection after the other.
const LEFT_OUT: u8 = 20;

/// How often one request may still be sent again.
#[derive(Debug)]
pub struct Chances {
    left_out: u8,
    lost: u8,
}

impl Chances {
    /// Those of a request of this kind that has not been sent yet.
    pub fn of(kind: &Kind) -> Self {
        Self { left_out: LEFT_OUT, lost: u8::from(kind.may_repeat) }
    }

    /// Whether it may go out again after the server, or its connection, said that it was not looked at.
    pub fn take_left_out(&mut self) -> bool {
        take(&mut self.left_out)
    }

    /// Whether it may go out again when nobody knows.
    pub fn take_lost(&mut self) -> bool {
        take(&mut self.lost)
    }
}

fn take(left: &mut u8) -> bool {
    let may = *left > 0;
    *left = left.saturating_sub(1);
    may
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(method: &str, headers: &[&str]) -> Request {
        let headers: Vec<_> = headers.iter().map(|name| json!([name, [{"uuid": null}]])).collect();
        let request = json!({
            "name": "r", "weight": 1.0, "method": method, "path": ["/"], "headers": headers, "body": null,
            "expect": [200], "checks": [], "timeout_us": 1000,
        });
        serde_json::from_value(request).expect("a request")
    }

    #[test]
    fn a_method_that_is_idempotent_may_be_repeated_and_another_may_not() {
        let repeated = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH", "CONNECT", "get"];
        assert_eq!(repeated.map(|method| may_repeat(&request(method, &[]))).iter().filter(|may| **may).count(), 6);
        assert!(!may_repeat(&request("POST", &["Content-Type"])));
    }

    #[test]
    fn a_key_that_tells_the_server_of_a_repetition_allows_it_whatever_the_method() {
        assert!(may_repeat(&request("POST", &["Accept", "Idempotency-Key"])));
        assert!(may_repeat(&request("PATCH", &["x-idempotency-KEY"])));
    }
}
