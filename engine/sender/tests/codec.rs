//! Answers are understood however the network cuts them, and nonsense is refused in bounded memory.

use golive_sender::{Answer, AnswerReader, Expectations, Fault};
use proptest::prelude::*;

fn read(bytes: &[u8], cuts: &[usize], expected: &Expectations) -> Result<Option<Answer>, Fault> {
    let mut reader = AnswerReader::new(false);
    let mut buffer = Vec::new();
    let mut at = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        let end = end.clamp(at, bytes.len());
        buffer.extend_from_slice(&bytes[at..end]);
        at = end;
        if let Some(answer) = reader.feed(&mut buffer, expected)? {
            return Ok(Some(answer));
        }
    }
    Ok(reader.close(expected))
}

fn whole(bytes: &[u8]) -> Result<Option<Answer>, Fault> {
    read(bytes, &[], &Expectations::default())
}

fn chunked(body: &[u8], sizes: &[usize], trailer: &str) -> Vec<u8> {
    let mut out = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let mut at = 0;
    for size in sizes.iter().copied().chain([body.len()]) {
        let end = (at + size).min(body.len());
        if end > at {
            out.extend(format!("{:x};note=1\r\n", end - at).bytes());
            out.extend(&body[at..end]);
            out.extend(b"\r\n");
        }
        at = end;
    }
    out.extend(format!("0\r\n{trailer}\r\n").bytes());
    out
}

proptest! {
    #[test]
    fn the_cuts_do_not_matter(
        body in prop::collection::vec(any::<u8>(), 0..400),
        sizes in prop::collection::vec(1usize..50, 0..8),
        mut cuts in prop::collection::vec(0usize..700, 0..12),
        is_chunked in any::<bool>(),
    ) {
        cuts.sort_unstable();
        let bytes = if is_chunked {
            chunked(&body, &sizes, "X-Sum: 1\r\n")
        } else {
            [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), &body].concat()
        };
        let answer = read(&bytes, &cuts, &Expectations::default()).expect("well formed").expect("whole");
        prop_assert_eq!(answer.body_len, body.len() as u64);
        prop_assert!(answer.keep_alive && answer.checks_hold && answer.status == 200);
    }

    #[test]
    fn garbage_never_panics_and_never_passes_for_two_answers(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = whole(&bytes);
        let _ = whole(&[b"HTTP/1.1 200 OK\r\n".as_slice(), &bytes].concat());
        let _ = whole(&[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice(), &bytes].concat());
    }
}

#[test]
fn what_follows_an_answer_stays_in_the_buffer() {
    let mut reader = AnswerReader::new(false);
    let mut buffer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 500".to_vec();
    let answer = reader.feed(&mut buffer, &Expectations::default());
    assert!(matches!(answer, Ok(Some(Answer { status: 200, .. }))));
    assert_eq!(buffer, b"HTTP/1.1 500");
}

#[test]
fn a_connection_ends_when_either_side_says_so() {
    let keep_alive = |bytes: &[u8]| whole(bytes).ok().flatten().map(|answer| answer.keep_alive);
    assert_eq!(keep_alive(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), Some(false));
    assert_eq!(keep_alive(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), Some(false));
    assert_eq!(keep_alive(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n"), Some(true));
    assert_eq!(keep_alive(b"HTTP/1.1 200 OK\r\n\r\nuntil the end"), Some(false));
}

#[test]
fn nothing_is_sent_after_an_answer_whose_end_another_reader_may_see_elsewhere() {
    for bytes in [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".as_slice(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close, keep-alive\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let answer = whole(bytes).expect("understood").expect("whole");
        assert!(!answer.keep_alive, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn informational_answers_are_passed_over_up_to_a_limit() {
    let hints = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n";
    let last = b"HTTP/1.1 204 No Content\r\n\r\n";
    let after = |count: usize| whole(&[hints.repeat(count).as_slice(), last].concat());
    assert!(matches!(after(3), Ok(Some(Answer { status: 204, .. }))));
    assert_eq!(after(1000), Err(Fault::Malformed));
}

#[test]
fn nonsense_is_malformed() {
    for bytes in [
        b"hello\r\n\r\n".as_slice(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n;no size\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\nx\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nx\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
        b"HTTP/1.1 099 Odd\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"\x15\x03\x03\x00\x02\x02\x50",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ] {
        assert_eq!(whole(bytes), Err(Fault::Malformed), "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_server_cannot_make_the_reader_hold_more_than_the_limits() {
    let endless_header = [b"HTTP/1.1 200 OK\r\nA: ".as_slice(), &vec![b'a'; 70_000]].concat();
    assert_eq!(whole(&endless_header), Err(Fault::TooLarge));
    let many = "A: 1\r\n".repeat(200);
    assert_eq!(whole(format!("HTTP/1.1 200 OK\r\n{many}\r\n").as_bytes()), Err(Fault::TooLarge));
    assert_eq!(whole(b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n"), Err(Fault::TooLarge));
    let huge_chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFF\r\n";
    assert_eq!(whole(huge_chunk), Err(Fault::TooLarge));
}

#[test]
fn checks_look_at_body_size_and_headers() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX-Kind: good\r\n\r\nhello world";
    let holds = |expected: &Expectations| {
        read(bytes, &[20, 60, 64], expected).ok().flatten().is_some_and(|answer| answer.checks_hold)
    };
    let body = |text: &str| Expectations { body_contains: vec![text.into()], ..Expectations::default() };
    assert!(holds(&body("lo wo")));
    assert!(!holds(&body("goodbye")));
    assert!(!holds(&Expectations { body_at_most: Some(10), ..Expectations::default() }));
    let header =
        |value: &str| Expectations { headers: vec![("x-kind".into(), value.into())], ..Expectations::default() };
    assert!(holds(&header("good")));
    assert!(!holds(&header("bad")));
}

#[test]
fn the_answer_to_head_has_no_body() {
    let mut reader = AnswerReader::new(true);
    let mut buffer = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n".to_vec();
    assert!(matches!(reader.feed(&mut buffer, &Expectations::default()), Ok(Some(_))));
}
