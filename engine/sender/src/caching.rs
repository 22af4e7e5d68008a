//! Whether an answer's headers show that a cache gave it, and the platform had nothing to do.

use httparse::Header;

use crate::checks::contains;

/// Only what a cache says of an answer it had in store: mere `Via`, misses and revalidations reached the platform.
#[must_use]
pub fn shown_by(headers: &[Header<'_>]) -> bool {
    headers.iter().any(|header| match header.name.len() {
        // RFC 9111, 5.1: an age of 0 is also what some say who have just asked.
        3 => header.name.eq_ignore_ascii_case("age") && is_above_zero(header.value),
        // "HIT", "Hit from cloudfront", "TCP_HIT from squid", "MISS, HIT"; nginx by custom; RFC 9211: "proxy; hit".
        7 | 12 | 13 | 14 if is_status(header.name) => says_hit(header.value),
        15 if header.name.eq_ignore_ascii_case("cf-cache-status") => says_hit(header.value),
        _ => false,
    })
}

fn is_status(name: &str) -> bool {
    ["x-cache", "cache-status", "x-proxy-cache", "x-cache-status"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn is_above_zero(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    value.iter().all(u8::is_ascii_digit) && value.iter().any(|digit| *digit != b'0')
}

/// A word that ends in "hit", or one of those for an old answer given without asking first.
fn says_hit(value: &[u8]) -> bool {
    value.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').any(|word| {
        let word = word.to_ascii_lowercase();
        matches!(word.as_slice(), b"stale" | b"updating") || (word.ends_with(b"hit") && !contains(&word, b"refresh"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, value: &str) -> bool {
        shown_by(&[Header { name: "Content-Type", value: b"a/b" }, Header { name, value: value.as_bytes() }])
    }

    #[test]
    fn what_caches_say_of_a_stored_answer_is_understood() {
        for (name, value) in [
            ("Age", "12"),
            ("X-Cache", "HIT"),
            ("X-Cache", "Hit from cloudfront"),
            ("X-Cache", "TCP_MEM_HIT from squid"),
            ("X-Cache", "MISS, HIT"),
            ("CF-Cache-Status", "HIT"),
            ("cf-cache-status", "STALE"),
            ("X-Cache-Status", "UPDATING"),
            ("X-Proxy-Cache", "hit"),
            ("Cache-Status", "edge.example; hit; ttl=30"),
        ] {
            assert!(shown(name, value), "{name}: {value}");
        }
    }

    #[test]
    fn what_reached_the_platform_is_not_taken_for_cached() {
        for (name, value) in [
            ("Age", "0"),
            ("Age", ""),
            ("Age", "-3"),
            ("Via", "1.1 edge"),
            ("X-Cache", "MISS"),
            ("X-Cache", "RefreshHit from cloudfront"),
            ("X-Cache", "TCP_REFRESH_HIT"),
            ("CF-Cache-Status", "DYNAMIC"),
            ("CF-Cache-Status", "REVALIDATED"),
            ("Cache-Status", "edge; fwd=miss; stored"),
            ("X-White", "hit"),
        ] {
            assert!(!shown(name, value), "{name}: {value}");
        }
    }
}
