//! Reading the admin's few and friendly requests, blocking.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

const LINE_AT_MOST: u64 = 8 * 1024;
const BODY_AT_MOST: usize = 1024 * 1024;

/// One request, whole.
#[derive(Debug, PartialEq, Eq)]
pub struct AdminRequest {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub closes: bool,
    pub body: Vec<u8>,
}

/// Read the next request; `None` when the caller has closed.
///
/// # Errors
/// The connection broke, or what came is no request.
pub fn read_request(from: &mut impl BufRead) -> Result<Option<AdminRequest>> {
    let first = line(from)?;
    if first.is_empty() {
        return Ok(None);
    }
    let mut words = first.split(' ');
    let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Err(Error::new(ErrorKind::InvalidData, "no request line"));
    };
    let path = target.split('?').next().unwrap_or(target).to_owned();
    let mut request = AdminRequest { method: method.to_owned(), path, closes: version != "HTTP/1.1", body: Vec::new() };
    let mut length = 0;
    loop {
        let header = line(from)?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().map_err(|_| Error::new(ErrorKind::InvalidData, "no length"))?;
        }
        request.closes |= name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close");
    }
    if length > BODY_AT_MOST {
        return Err(Error::new(ErrorKind::InvalidData, "too long"));
    }
    request.body = vec![0; length];
    from.read_exact(&mut request.body)?;
    Ok(Some(request))
}

fn line(from: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    from.by_ref().take(LINE_AT_MOST).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_with_a_body_is_read_whole_and_the_next_one_after_it() {
        let mut bytes =
            &b"PUT /faults?x=1 HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}GET /state HTTP/1.1\r\nConnection: close\r\n\r\n"
                [..];
        let first = read_request(&mut bytes).expect("readable").expect("there");
        assert_eq!((first.path.as_str(), first.body.as_slice(), first.closes), ("/faults", &b"{}"[..], false));
        assert!(read_request(&mut bytes).expect("readable").expect("there").closes);
        assert_eq!(read_request(&mut bytes).expect("closed"), None);
    }

    #[test]
    fn nonsense_is_an_error() {
        assert!(read_request(&mut &b"nonsense\r\n\r\n"[..]).is_err());
        assert!(read_request(&mut &b"PUT / HTTP/1.1\r\ncontent-length: x\r\n\r\n"[..]).is_err());
    }
}
