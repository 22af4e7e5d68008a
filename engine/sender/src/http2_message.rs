//! A request as the templates write it, said in HTTP/2 (RFC 9113, 8.3): the same words, without those of a connection.

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Request, Uri};

const HEADERS_LIMIT: usize = 100;
/// Words about one connection of HTTP/1.1: an HTTP/2 message that has them is malformed (RFC 9113, 8.2.2).
const OF_A_CONNECTION: [&str; 6] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host"];

/// Take a written request apart into a head and a body; None when its head cannot be said.
#[must_use]
pub fn message(written: &[u8], scheme: &Scheme) -> Option<(Request<()>, Bytes)> {
    let whole = Bytes::copy_from_slice(written);
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_LIMIT];
    let mut parsed = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head_len) = parsed.parse(&whole).ok()? else { return None };
    let part = |text: &[u8]| whole.slice_ref(text);
    let mut map = HeaderMap::with_capacity(parsed.headers.len());
    let mut authority = None;
    for header in parsed.headers.iter() {
        if header.name.eq_ignore_ascii_case("host") {
            authority = Some(Authority::from_maybe_shared(part(header.value)).ok()?);
        } else if !OF_A_CONNECTION.iter().any(|name| header.name.eq_ignore_ascii_case(name)) {
            let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
            map.append(name, HeaderValue::from_maybe_shared(part(header.value)).ok()?);
        }
    }
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(scheme.clone());
    uri.authority = Some(authority?);
    uri.path_and_query = Some(PathAndQuery::from_maybe_shared(part(parsed.path?.as_bytes())).ok()?);
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(parsed.method?.as_bytes()).ok()?;
    *request.uri_mut() = Uri::from_parts(uri).ok()?;
    *request.headers_mut() = map;
    *request.version_mut() = http::Version::HTTP_2;
    Some((request, whole.slice(head_len..)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(written: &str) -> (Request<()>, Bytes) {
        message(written.as_bytes(), &Scheme::HTTPS).expect("can be said")
    }

    #[test]
    fn the_request_line_and_the_host_become_its_target() {
        let (request, body) = said("GET /a/b?c=d%20e HTTP/1.1\r\nHost: api.example:8443\r\nAccept: */*\r\n\r\n");
        assert_eq!(request.uri(), "https://api.example:8443/a/b?c=d%20e");
        assert_eq!((request.method().as_str(), request.headers()["accept"].as_bytes()), ("GET", b"*/*".as_slice()));
        assert!(!request.headers().contains_key("host") && body.is_empty());
    }

    #[test]
    fn the_body_is_kept_and_so_is_a_header_that_comes_twice() {
        let (request, body) = said("POST / HTTP/1.1\r\nHost: a\r\nX: 1\r\nx: 2\r\nContent-Length: 2\r\n\r\nhi");
        let twice: Vec<_> = request.headers().get_all("x").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!((twice, body.as_ref()), (vec![b"1".as_slice(), b"2"], b"hi".as_slice()));
        assert_eq!(request.headers()["content-length"], "2");
    }

    #[test]
    fn the_words_of_a_connection_are_left_out() {
        let (request, _) = said("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nKeep-Alive: timeout=5\r\n\r\n");
        assert!(request.headers().is_empty());
    }

    #[test]
    fn what_is_no_request_is_not_said() {
        for written in ["", "GET /", "GET / HTTP/1.1\r\n\r\n", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"] {
            assert!(message(written.as_bytes(), &Scheme::HTTP).is_none(), "{written:?}");
        }
    }

    proptest! {
        #[test]
        fn every_header_value_arrives_as_it_was_written(value in "[!-~\u{e4}\u{20ac}]{0,40}") {
            let (request, _) = said(&format!("GET / HTTP/1.1\r\nHost: a\r\nX-V: {value}\r\n\r\n"));
            prop_assert_eq!(request.headers()["x-v"].as_bytes(), value.as_bytes());
        }
    }
}
