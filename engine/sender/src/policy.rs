//! How connections are used: how many requests each carries, and for how long.

use serde::Deserialize;

use crate::error::EngineError;
use crate::plan::{refuse, Plan};

/// The protocol spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Http {
    #[serde(rename = "1.1")]
    One,
    #[serde(rename = "2")]
    Two,
}

/// What becomes of a connection after a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionPolicy {
    pub http: Http,
    pub streams_per_connection: usize, // of HTTP/2
    pub keep_alive: bool,
    pub requests_per_connection: Option<u64>,
    pub lifetime_us: Option<u64>,
}

impl Default for ConnectionPolicy {
    fn default() -> Self {
        Self {
            http: Http::One,
            streams_per_connection: 100,
            keep_alive: true,
            requests_per_connection: None,
            lifetime_us: None,
        }
    }
}

impl ConnectionPolicy {
    /// How many requests at a time so many connections can carry.
    #[must_use]
    pub fn places(&self, connections: usize) -> usize {
        match self.http {
            Http::One => connections,
            Http::Two => connections.saturating_mul(self.streams_per_connection),
        }
    }

    /// How many requests a connection carries at most.
    #[must_use]
    pub fn most_requests(&self) -> u64 {
        if self.keep_alive {
            self.requests_per_connection.unwrap_or(u64::MAX)
        } else {
            1
        }
    }
}

/// What one connection has left of its life.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    requests_left: u64,
    ends_ns: u64,
}

impl Life {
    /// A connection that is born now. Lives are spread over the last tenth of the plan's, so that connections opened
    /// together do not all end together.
    pub fn begin(policy: &ConnectionPolicy, now_ns: u64) -> Self {
        let ends_ns = policy.lifetime_us.map_or(u64::MAX, |lifetime_us| {
            let lifetime_ns = lifetime_us.saturating_mul(1000);
            now_ns.saturating_add(lifetime_ns - fastrand::u64(0..=lifetime_ns / 10))
        });
        Self { requests_left: policy.most_requests(), ends_ns }
    }

    /// How many requests it can still carry.
    #[must_use]
    pub fn requests_left(&self) -> usize {
        usize::try_from(self.requests_left).unwrap_or(usize::MAX)
    }

    /// Whether it takes no new request.
    #[must_use]
    pub fn is_over(&self, now_ns: impl FnOnce() -> u64) -> bool {
        self.requests_left == 0 || (self.ends_ns != u64::MAX && now_ns() >= self.ends_ns)
    }

    /// Count a request that it carries; whether it is the last.
    pub fn spend(&mut self) -> bool {
        self.requests_left = self.requests_left.saturating_sub(1);
        self.requests_left == 0
    }
}

/// Tell a server with a connection's last request that no other will come (RFC 9112, 9.6).
pub fn announce_close(request: &mut Vec<u8>) {
    if let Some(end) = request.windows(2).position(|pair| pair == b"\r\n") {
        request.splice(end + 2..end + 2, *b"Connection: close\r\n");
    }
}

/// Refuse what no connection can be held to.
pub fn check(plan: &Plan) -> Result<(), EngineError> {
    let policy = &plan.connection;
    if !(1..=10_000).contains(&policy.streams_per_connection) {
        return refuse("connection.streams_per_connection", "must be 1 to 10,000".into());
    }
    if policy.requests_per_connection == Some(0) {
        return refuse("connection.requests_per_connection", "must be at least 1".into());
    }
    if policy.lifetime_us.is_some_and(|lifetime_us| lifetime_us < 1000) {
        return refuse("connection.lifetime_us", "must be at least 1000".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn life(policy: &ConnectionPolicy) -> Life {
        Life::begin(policy, 1000)
    }

    #[test]
    fn without_keep_alive_the_first_request_is_the_last() {
        let policy = ConnectionPolicy { keep_alive: false, ..ConnectionPolicy::default() };
        assert!(life(&policy).spend());
    }

    #[test]
    fn by_default_a_connection_lives_for_ever() {
        let mut life = life(&ConnectionPolicy::default());
        assert!(!life.spend() && !life.is_over(|| u64::MAX));
    }

    #[test]
    fn the_last_request_says_so_in_its_head() {
        let mut request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec();
        announce_close(&mut request);
        assert_eq!(request, b"GET / HTTP/1.1\r\nConnection: close\r\nHost: a\r\n\r\n");
    }

    proptest! {
        #[test]
        fn a_connection_carries_as_many_requests_as_the_policy_says(most in 1u64..500) {
            let policy = ConnectionPolicy { requests_per_connection: Some(most), ..ConnectionPolicy::default() };
            let mut life = life(&policy);
            let mut carried = 0;
            while !life.is_over(|| 1000) {
                life.spend();
                carried += 1;
            }
            prop_assert_eq!(carried, most);
        }

        #[test]
        fn no_connection_outlives_its_lifetime_nor_dies_much_before(lifetime_us in 1000u64..10_000_000) {
            let policy = ConnectionPolicy { lifetime_us: Some(lifetime_us), ..ConnectionPolicy::default() };
            let life = life(&policy);
            prop_assert!(life.is_over(|| 1000 + lifetime_us * 1000));
            prop_assert!(!life.is_over(|| 1000 + lifetime_us * 1000 * 8 / 10));
        }
    }
}
