//! Whatever bytes come, in whatever pieces: the reader neither panics nor grows, and says what an independent one says.
//!
//! Bounded in time: `GOLIVE_FUZZ_SECONDS` for each property (2 when it is not set); `make fuzz SECONDS=…` goes on longer.

#[path = "answers/grammar.rs"]
mod grammar;
#[path = "answers/hyper_client.rs"]
mod hyper_client;
#[path = "answers/reference.rs"]
mod reference;

use std::cell::Cell;
use std::fmt::Debug;
use std::io::Write;
use std::time::{Duration, Instant};

use golive_sender::{Answer, AnswerReader, Expectations, Fault, BODY_LIMIT, HEAD_LIMIT};
use grammar::Cuts;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use reference::Read;

/// Everything that a reader made of some bytes.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    said: Result<Option<Answer>, Fault>,
    used: Option<usize>,
}

/// Try cases until the time is up, and say how many there were.
fn for_a_while<S: Strategy>(name: &str, strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>)
where
    S::Value: Debug,
{
    let seconds = std::env::var("GOLIVE_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let until = Instant::now() + Duration::from_secs(seconds);
    let tried = Cell::new(0u64);
    while Instant::now() < until {
        // A runner counts its cases over all its runs, so each batch has its own, and its own randomness.
        let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
        let counted = |value| {
            tried.set(tried.get() + 1);
            property(value)
        };
        if let Err(broken) = TestRunner::new(config).run(strategy, counted) {
            panic!("{name}, after {} cases: {broken}", tried.get());
        }
    }
    let _ = writeln!(std::io::stderr(), "fuzz: {name}: {} cases in {seconds} s, none broken", tried.get());
}

/// Read bytes in pieces, as a connection does: what is not taken stands at the front again. The connection closes then.
fn read(pieces: &[&[u8]], expected: &Expectations) -> Result<Outcome, TestCaseError> {
    let mut reader = AnswerReader::new(false);
    let mut buffer = Vec::new();
    let mut fed = 0;
    for piece in pieces {
        buffer.extend_from_slice(piece);
        fed += piece.len();
        match reader.feed(&mut buffer, expected) {
            Ok(None) => prop_assert!(buffer.len() <= HEAD_LIMIT, "{} bytes are held", buffer.len()),
            Ok(said) => return Ok(Outcome { said: Ok(said), used: Some(fed - buffer.len()) }),
            Err(fault) => return Ok(Outcome { said: Err(fault), used: None }),
        }
    }
    let said = reader.close(expected);
    let used = said.is_some().then_some(fed);
    Ok(Outcome { said: Ok(said), used })
}

fn expected() -> Expectations {
    Expectations {
        body_contains: vec![b"xx".to_vec(), b"x".to_vec(), vec![0, 1, 2]],
        keep_body: 100,
        ..Expectations::default()
    }
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => grammar::mutated(),
        2 => grammar::well_formed().prop_map(|made| made.bytes),
        1 => prop::collection::vec(any::<u8>(), 0..300),
        1 => prop::collection::vec(prop::sample::select(b"HTP/1.0 2:;,\r\n\0aF9".to_vec()), 0..300),
    ]
}

#[test]
fn the_cuts_never_matter() {
    for_a_while("the cuts never matter", &(any_bytes(), grammar::cuts()), |(bytes, cuts): (Vec<u8>, Cuts)| {
        let whole = read(&[&bytes], &expected())?;
        prop_assert_eq!(read(&cuts.pieces(&bytes), &expected())?, whole);
        Ok(())
    });
}

#[test]
fn what_is_read_is_what_the_grammar_says() {
    let met: [Cell<u64>; 4] = Default::default();
    for_a_while("the reference agrees", &any_bytes(), |bytes: Vec<u8>| {
        let outcome = read(&[&bytes], &Expectations::default())?;
        let kind = &met[match &outcome.said {
            Ok(Some(_)) => 0,
            Ok(None) => 1,
            Err(Fault::Malformed) => 2,
            Err(Fault::TooLarge) => 3,
        }];
        kind.set(kind.get() + 1);
        match (reference::read(&bytes), outcome.said) {
            // Limits are the reader's own.
            (_, Err(Fault::TooLarge)) => {}
            (Read::Malformed, said) => prop_assert_eq!(said, Err(Fault::Malformed)),
            (Read::Short, said) => prop_assert_eq!(said, Ok(None)),
            (Read::Answer { status, body_len, keep_alive, used }, Ok(Some(answer))) => {
                prop_assert_eq!(
                    (answer.status, answer.body_len, answer.keep_alive),
                    (status, body_len as u64, keep_alive)
                );
                prop_assert_eq!(outcome.used, Some(used));
            }
            (meant, said) => prop_assert!(false, "{:?} was read as {:?}", meant, said),
        }
        Ok(())
    });
    let [answers, short, malformed, large] = met.map(|count| count.get());
    let _ =
        writeln!(std::io::stderr(), "fuzz: {answers} answers, {short} short, {malformed} malformed, {large} too large");
    assert!([answers, short, malformed, large].iter().all(|count| *count > 0), "the cases are of one kind");
}

#[test]
fn a_line_of_the_chunked_coding_that_cannot_end_where_it_does_is_malformed_however_short() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (rest, is_short) in
        [("\r", false), ("1\r", true), ("0\r\n1\r", false), ("0\r\nA: b\r", true), ("0\r\n\r", true)]
    {
        let bytes = [head.as_slice(), rest.as_bytes()].concat();
        let (meant, said) = if is_short { (Read::Short, Ok(None)) } else { (Read::Malformed, Err(Fault::Malformed)) };
        assert_eq!(read(&[&bytes], &Expectations::default()).expect("no growth").said, said, "{rest:?}");
        assert_eq!(reference::read(&bytes), meant, "{rest:?}");
    }
}

#[test]
fn well_formed_answers_are_understood_by_hyper_and_the_reader_alike() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for_a_while("hyper agrees on what is well formed", &grammar::well_formed(), |made: grammar::Made| {
        let answer = read(&[&made.bytes], &Expectations::default())?.said;
        let Ok(Some(answer)) = answer else { return Err(TestCaseError::fail(format!("{answer:?}"))) };
        prop_assert_eq!((answer.status, answer.body_len as usize), (made.status, made.body_len));
        prop_assert_eq!(answer.keep_alive, made.keep_alive);
        prop_assert_eq!(hyper_client::read(&runtime, &made.bytes), Some((made.status, made.body_len)));
        Ok(())
    });
}

#[test]
fn what_hyper_and_the_reader_both_accept_is_the_same_answer() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for_a_while("hyper agrees on what both accept", &grammar::mutated(), |bytes: Vec<u8>| {
        let said = read(&[&bytes], &Expectations::default())?.said;
        if let (Ok(Some(answer)), Some(hypers)) = (said, hyper_client::read(&runtime, &bytes)) {
            prop_assert_eq!((answer.status, answer.body_len as usize), hypers);
        }
        Ok(())
    });
}

/// Things that go on for ever: how each begins, and what comes then, again and again.
const ENDLESS: [(&str, &[u8]); 16] = [
    ("", b"\r\n"),
    ("", b"\n"),
    ("HTTP/1.1 200 ", b"reason "),
    ("HTTP/1.1 200 OK\r\nA", b"a"),
    ("HTTP/1.1 200 OK\r\nA:", b" "),
    ("HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    ("", b"HTTP/1.1 100 \r\n\r\n"),
    ("", b"HTTP/1.1 103 \r\nLink: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n"),
    ("HTTP/1.1 200 OK\r\n\r\n", b"0123456789abcdef"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"extension"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;extension\r\nx\r\n"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1 \r\nx\r\n"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA:", b"bbbb"),
];

#[test]
fn nothing_goes_on_for_ever() {
    // The dearest is a body of chunks of one byte: six bytes on the wire for each.
    let most = 6 * BODY_LIMIT as usize + (1 << 20);
    for (start, again) in ENDLESS {
        let mut reader = AnswerReader::new(false);
        let mut buffer = start.as_bytes().to_vec();
        let block = again.repeat(700);
        let mut fed = start.len();
        while let Ok(said) = reader.feed(&mut buffer, &expected()) {
            assert!(said.is_none() && buffer.len() <= HEAD_LIMIT, "{start:?}: {said:?}, {} bytes held", buffer.len());
            buffer.extend_from_slice(&block);
            fed += block.len();
            assert!(fed <= most + block.len(), "{start:?}: {fed} bytes were taken");
        }
    }
}
