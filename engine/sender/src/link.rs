//! Where an answer says to go on: a path, or a whole URL of the one target that there is.

use std::borrow::Cow;

use crate::plan::{Piece, Request, Value};

/// The captured name that a request follows as its whole path.
pub fn followed_by(request: &Request) -> Option<&str> {
    match &request.path[..] {
        [Piece::Value(Value::Link(name))] => Some(name),
        _ => None,
    }
}

/// The path and query on the target that a link leads to; None where it leads elsewhere, or is none that stands by itself.
pub fn path_of<'l>(link: &'l str, base_url: &str) -> Option<Cow<'l, str>> {
    let link = link.split('#').next().unwrap_or_default();
    if link.starts_with('/') && !link.starts_with("//") {
        return Some(link.into());
    }
    let (secure, authority, path) = taken_apart(link)?;
    let (base_secure, base_authority, _) = taken_apart(base_url)?;
    if secure != base_secure || with_port(authority, secure) != with_port(base_authority, secure) {
        return None;
    }
    Some(if path.starts_with('/') { path.into() } else { format!("/{path}").into() })
}

/// Write such a path: what may not stand in a request's first line is percent-encoded, all else stays as the server wrote it.
pub fn write(link: &str, base_url: &str, out: &mut Vec<u8>) {
    encode(&path_of(link, base_url).unwrap_or_default(), out);
}

/// Write a path that is one already, without the part of a page that it may point to.
pub fn encode(path: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in path.split('#').next().unwrap_or_default().bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

/// Whether a URL is of https, its host and port, and what comes behind them.
fn taken_apart(url: &str) -> Option<(bool, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let secure = scheme.eq_ignore_ascii_case("https");
    let is_known = secure || scheme.eq_ignore_ascii_case("http");
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    is_known.then_some((secure, authority, path))
}

fn with_port(authority: &str, secure: bool) -> String {
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let port = if has_port {
        ""
    } else if secure {
        ":443"
    } else {
        ":80"
    };
    authority.to_ascii_lowercase() + port
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_link_is_followed_on_the_target_and_nowhere_else() {
        for (link, base_url, path) in [
            ("/orders/17?x=1&y=a%20b", "http://shop.test/base", Some("/orders/17?x=1&y=a%20b")),
            ("/a#part", "http://shop.test", Some("/a")),
            ("http://shop.test/base/a", "http://shop.test/base", Some("/base/a")),
            ("HTTP://Shop.test:80?a=1", "http://shop.test", Some("/?a=1")),
            ("https://shop.test", "https://shop.test:443", Some("/")),
            ("/go?to=http://b.test", "http://shop.test", Some("/go?to=http://b.test")),
            ("http://[::1]:8080/a", "http://[::1]:8080", Some("/a")),
            ("https://shop.test/a", "http://shop.test", None),
            ("http://shop.test:81/a", "http://shop.test", None),
            ("http://shop.test.evil.test/a", "http://shop.test", None),
            ("http://shop.test@evil.test/a", "http://shop.test", None),
            ("//evil.test/a", "http://shop.test", None),
            ("orders/17", "http://shop.test", None),
            ("?page=2", "http://shop.test", None),
            ("javascript://shop.test/a", "http://shop.test", None),
            ("", "http://shop.test", None),
        ] {
            assert_eq!(path_of(link, base_url).as_deref(), path, "{link} at {base_url}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_server_links_to_stays_one_word_of_the_first_line(link in "/.{0,60}") {
            let mut out = Vec::new();
            write(&link, "http://shop.test", &mut out);
            prop_assert!(out.iter().all(u8::is_ascii_graphic), "{:?}", String::from_utf8_lossy(&out));
        }
    }
}
