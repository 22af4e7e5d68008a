//! What may be sent a second time, when a kept connection ends under it before any byte of an answer.

use crate::plan::Request;

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
