//! The grammar of an answer once more, from RFC 9112 and in one go: slow, plain, and nothing of it from the reader.

/// What the bytes are, all of them there and the connection closed behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    Answer { status: u16, body_len: usize, keep_alive: bool, used: usize },
    Malformed,
    Short,
}

/// Read the answer to a GET.
pub fn read(bytes: &[u8]) -> Read {
    let mut at = 0;
    for _ in 0..=8 {
        while let Some(after) = [b"\r\n".as_slice(), b"\n"].iter().find(|end| bytes[at..].starts_with(end)) {
            at += after.len();
        }
        let (lines, after) = match head_lines(&bytes[at..]) {
            Ok(lines) => lines,
            Err(read) => return read,
        };
        at += after;
        let Some((minor, status)) = status_line(lines[0]) else { return Read::Malformed };
        let Some(headers) = lines[1..].iter().map(|line| header(line)).collect::<Option<Vec<_>>>() else {
            return Read::Malformed;
        };
        match status {
            101 | 0..=99 => return Read::Malformed,
            100..=199 => {}
            _ => return body(&bytes[at..], at, minor, status, &headers),
        }
    }
    Read::Malformed
}

fn head_lines(bytes: &[u8]) -> Result<(Vec<&[u8]>, usize), Read> {
    let (mut lines, mut at) = (Vec::new(), 0);
    loop {
        let Some(end) = bytes[at..].iter().position(|byte| *byte == b'\n') else {
            return Err(unfinished(&lines, &bytes[at..]));
        };
        let line = bytes[at..at + end].strip_suffix(b"\r").unwrap_or(&bytes[at..at + end]);
        at += end + 1;
        if line.is_empty() {
            return Ok((lines, at));
        }
        lines.push(line);
    }
}

/// A head without an end: malformed when a whole line, or the opening, is.
fn unfinished(lines: &[&[u8]], rest: &[u8]) -> Read {
    let opening = b"HTTP/1.";
    let rules = |index: usize, line: &&[u8]| {
        if index == 0 {
            status_line(line).is_some()
        } else {
            header(line).is_some()
        }
    };
    let whole = lines.iter().enumerate().all(|(index, line)| rules(index, line));
    let begins = !lines.is_empty() || rest.is_empty() || opening_holds(&rest[..rest.len().min(16)], opening);
    if whole && begins {
        Read::Short
    } else {
        Read::Malformed
    }
}

fn opening_holds(start: &[u8], opening: &[u8]) -> bool {
    let shape = [b'd', b' ', b'9', b'9', b'9'];
    start == b"\r"
        || start.iter().enumerate().all(|(at, byte)| match opening.get(at) {
            Some(wanted) => byte == wanted,
            None => match shape.get(at - opening.len()) {
                Some(b'd') => matches!(byte, b'0' | b'1'),
                Some(b'9') => byte.is_ascii_digit(),
                Some(_) => *byte == b' ',
                None if at == 12 => matches!(byte, b' ' | b'\r'),
                None => start[12] == b' ' && (is_text(*byte) || (*byte == b'\r' && at + 1 == start.len())),
            },
        })
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

fn status_line(line: &[u8]) -> Option<(u8, u16)> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let (minor, rest) = rest.split_first()?;
    let rest = rest.strip_prefix(b" ")?;
    if rest.len() < 3 || !matches!(minor, b'0' | b'1') || !rest[..3].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let status = rest[..3].iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match rest[3..] {
        [] => Some((minor - b'0', status)),
        [b' ', ref reason @ ..] if reason.iter().all(|byte| is_text(*byte)) => Some((minor - b'0', status)),
        _ => None,
    }
}

fn header(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let is_token = !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b));
    (is_token && value.iter().all(|byte| is_text(*byte)))
        .then(|| (String::from_utf8_lossy(name).to_ascii_lowercase(), value.trim_ascii().to_vec()))
}

fn body(rest: &[u8], at: usize, minor: u8, status: u16, headers: &[(String, Vec<u8>)]) -> Read {
    let list = |wanted: &str| -> Vec<String> {
        let of = headers.iter().filter(|(name, _)| name == wanted);
        of.flat_map(|(_, value)| value.split(|b| *b == b',').map(lossy).collect::<Vec<_>>()).collect()
    };
    let lengths: Vec<Vec<u8>> =
        headers.iter().filter(|(name, _)| name == "content-length").map(|(_, value)| value.clone()).collect();
    let is_number = |value: &Vec<u8>| !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let numbers: Option<Vec<usize>> =
        lengths.iter().map(|value| is_number(value).then(|| lossy(value).parse().ok()).flatten()).collect();
    let Some(numbers) = numbers else { return Read::Malformed };
    let codings = list("transfer-encoding");
    let chunked = codings.last().is_some_and(|last| last == "chunked");
    let is_once = codings.iter().filter(|coding| *coding == "chunked").count() <= 1;
    if numbers.windows(2).any(|pair| pair[0] != pair[1])
        || (!codings.is_empty() && (!chunked || !is_once || minor == 0))
    {
        return Read::Malformed;
    }
    let wishes = list("connection");
    let wishes = |what: &str| wishes.iter().any(|wish| wish == what);
    let keeps = !wishes("close") && (minor == 1 || wishes("keep-alive")) && (!chunked || numbers.is_empty());
    let length = numbers.first().copied();
    let answer = |body_len, used: usize, keep_alive| Read::Answer { status, body_len, keep_alive, used: at + used };
    match (status, chunked, length) {
        (304, ..) => answer(0, 0, keeps),
        (204, ..) => answer(0, 0, keeps && !chunked && length.unwrap_or(0) == 0),
        (_, true, _) => match chunks(rest) {
            Ok((body_len, used)) => answer(body_len, used, keeps),
            Err(read) => read,
        },
        (_, _, Some(length)) if length > rest.len() => Read::Short,
        (_, _, Some(length)) => answer(length, length, keeps),
        (_, _, None) => answer(rest.len(), rest.len(), false),
    }
}

fn lossy(word: &[u8]) -> String {
    String::from_utf8_lossy(word).trim().to_ascii_lowercase()
}

fn chunks(rest: &[u8]) -> Result<(usize, usize), Read> {
    let (mut at, mut body_len) = (0, 0);
    loop {
        let (line, after) = crlf_line(&rest[at..], size_so_far, |line| size_of(line).is_some())?;
        at += after;
        let size = size_of(line).ok_or(Read::Malformed)?;
        if size == 0 {
            break;
        }
        body_len += size;
        if rest.len() < at + size {
            return Err(Read::Short);
        }
        at += size;
        match &rest[at..] {
            [b'\r', b'\n', ..] => at += 2,
            [] | [b'\r'] => return Err(Read::Short),
            _ => return Err(Read::Malformed),
        }
    }
    loop {
        let (line, after) = crlf_line(&rest[at..], |part| part.is_empty() || trailer_so_far(part), trailer_may_end)?;
        at += after;
        if line.is_empty() {
            return Ok((body_len, at));
        }
        if !trailer_so_far(line) || !line.contains(&b':') {
            return Err(Read::Malformed);
        }
    }
}

/// A line up to CR LF; a bare CR or LF in it is malformed, and so is a part that cannot become a line, or not end there.
fn crlf_line(
    rest: &[u8],
    can_be: impl Fn(&[u8]) -> bool,
    may_end: impl Fn(&[u8]) -> bool,
) -> Result<(&[u8], usize), Read> {
    let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
    if !can_be(&rest[..end]) {
        return Err(Read::Malformed);
    }
    match &rest[end..] {
        [b'\r', b'\n', ..] => Ok((&rest[..end], end + 2)),
        [] => Err(Read::Short),
        [b'\r'] if may_end(&rest[..end]) => Err(Read::Short),
        _ => Err(Read::Malformed),
    }
}

fn trailer_may_end(line: &[u8]) -> bool {
    line.is_empty() || line.contains(&b':')
}

fn trailer_so_far(part: &[u8]) -> bool {
    part[0].is_ascii_graphic() && part[0] != b':' && !part.contains(&0)
}

fn digits_of(line: &[u8]) -> usize {
    line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count()
}

fn size_so_far(part: &[u8]) -> bool {
    part.is_empty() || size_of(part).is_some()
}

fn size_of(line: &[u8]) -> Option<usize> {
    let digits = digits_of(line);
    let rest = line[digits..].iter().copied().find(|byte| !matches!(byte, b' ' | b'\t'));
    if digits == 0 || digits > 16 || rest.is_some_and(|byte| byte != b';') {
        return None;
    }
    usize::from_str_radix(std::str::from_utf8(&line[..digits]).ok()?, 16).ok()
}
