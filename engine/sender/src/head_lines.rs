//! Which part of a growing head is worth parsing: whole lines, once for each new one, so that a head that comes byte
//! by byte is not parsed 64 thousand times, and is judged the same however it comes.

/// In a line without an end only so many bytes are looked at: enough for "HTTP/1.1 200 ".
const OPENING: usize = 16;

/// What has been looked at of the head that is being read.
#[derive(Debug, Default)]
pub struct HeadLines {
    looked: usize,
    has_line: bool,
}

impl HeadLines {
    /// Whether nothing of the head has been looked at.
    pub fn is_fresh(&self) -> bool {
        self.looked == 0
    }

    /// So much of what has come of the head is worth parsing; None: no more than before.
    pub fn worth_parsing(&mut self, seen: &[u8]) -> Option<usize> {
        let from = self.looked.min(seen.len());
        self.looked = seen.len();
        match memchr::memrchr(b'\n', &seen[from..]) {
            Some(at) => {
                self.has_line = true;
                Some(from + at + 1)
            }
            None if self.has_line || from >= OPENING => None,
            None => Some(seen.len().min(OPENING)),
        }
    }
}

/// The length of the empty lines before a head.
pub fn blank(seen: &[u8]) -> usize {
    let mut len = 0;
    loop {
        match &seen[len..] {
            [b'\r', b'\n', ..] => len += 2,
            [b'\n', ..] => len += 1,
            _ => return len,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HeadLines;

    /// How many bytes are parsed of a head that comes byte by byte.
    fn parsed(head: &[u8]) -> usize {
        let mut lines = HeadLines::default();
        (1..=head.len()).filter_map(|len| lines.worth_parsing(&head[..len])).sum()
    }

    #[test]
    fn a_head_that_drips_is_parsed_once_for_each_line() {
        let one_line = [b"HTTP/1.1 200 OK\r\nA: ".as_slice(), &vec![b'a'; 65_000], b"\r\n\r\n"].concat();
        assert!(parsed(&one_line) < 3 * one_line.len());
        let hundred_lines =
            ["HTTP/1.1 200 OK\r\n", &format!("A: {}\r\n", "a".repeat(600)).repeat(100), "\r\n"].concat();
        assert!(parsed(hundred_lines.as_bytes()) < 60 * hundred_lines.len());
    }
}
