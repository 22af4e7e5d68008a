//! An answer that nobody asked for, on a connection that is about to be used again.
//!
//! The engine runs in a process of its own (this test, started again), so that it can be stopped just then.

mod account;
mod plans;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use account::{finish, started};
use rustix::process::{kill_process, Pid, Signal};
use serde_json::json;

const FINE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const UNASKED: &[u8] = b"HTTP/1.1 500 Nobody asked\r\nContent-Length: 0\r\n\r\n";
const URL: &str = "GOLIVE_TEST_URL";
/// The engine sends a request every 50 ms.
const STOPPED: Duration = Duration::from_millis(80);

fn request(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    let mut chunk = [0u8; 1024];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => head.extend_from_slice(&chunk[..count]),
            _ => return false,
        }
    }
    true
}

/// Answer, and stop the engine; once its next request is due, say another answer, and let it go on.
fn surprise(engine: &Child, stream: &mut TcpStream) {
    let pid = Pid::from_child(engine);
    stream.write_all(FINE).expect("an answer");
    sleep(Duration::from_millis(10));
    kill_process(pid, Signal::STOP).expect("a process");
    sleep(STOPPED);
    stream.write_all(UNASKED).expect("another");
    sleep(Duration::from_millis(10));
    kill_process(pid, Signal::CONT).expect("a process");
}

#[test]
fn an_answer_that_lies_there_before_a_request_is_written_is_not_taken_for_its_answer() {
    if let Ok(url) = std::env::var(URL) {
        let plan = plans::with(plans::plan(&url, 20.0, 1000), "connections", json!(1));
        let account = finish(&started(&plan));
        assert_eq!((account.due, account.ok), (20, 20), "{account:?}");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let mut engine = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "an_answer_that_lies_there_before_a_request_is_written_is_not_taken_for_its_answer"])
        .env(URL, url)
        .spawn()
        .expect("a process");
    let _tried_before_the_load = listener.accept().expect("a connection");
    let (mut first, _) = listener.accept().expect("a connection");
    for _ in 0..4 {
        assert!(request(&mut first));
        first.write_all(FINE).expect("an answer");
    }
    assert!(request(&mut first));
    surprise(&engine, &mut first);
    assert!(!request(&mut first), "the connection is used again");
    let (mut second, _) = listener.accept().expect("another connection");
    for _ in 5..20 {
        assert!(request(&mut second));
        second.write_all(FINE).expect("an answer");
    }
    assert!(engine.wait().expect("an end").success());
}
