//! A server of HTTP/2 that looks at so many requests of each connection and leaves out the rest, as proxies do that
//! count the requests of a connection. Raw frames: nothing in between decides what is looked at.

mod account;
mod plans;

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;

use account::{finish, started, Account};
use serde_json::json;

const PREFACE: usize = 24;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const WHOLE: u8 = 0x1 | 0x4; // the end of the stream, and of its headers
const STATUS_200: u8 = 0x88; // by its place in the static table

fn send(stream: &mut TcpStream, kind: u8, flags: u8, id: u32, payload: &[u8]) -> io::Result<()> {
    let len = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    let mut frame = vec![len[1], len[2], len[3], kind, flags];
    frame.extend_from_slice(&id.to_be_bytes());
    frame.extend_from_slice(payload);
    stream.write_all(&frame)
}

/// Answer so many requests, then say that no other was looked at; until the client ends the connection.
fn converse(mut stream: TcpStream, most: u64, answered: &AtomicU64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.read_exact(&mut [0; PREFACE])?;
    send(&mut stream, SETTINGS, 0, 0, &[])?;
    let mut mine = 0;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload)?;
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        match (head[3], head[4] & ACK) {
            (SETTINGS, 0) => send(&mut stream, SETTINGS, ACK, 0, &[])?,
            (PING, 0) => send(&mut stream, PING, ACK, 0, &payload)?,
            (HEADERS, _) if most == 0 => send(&mut stream, GOAWAY, 0, 0, &[0; 8])?,
            (HEADERS, _) if mine < most => {
                mine += 1;
                answered.fetch_add(1, Ordering::SeqCst);
                if mine == most {
                    send(&mut stream, GOAWAY, 0, 0, &[id.to_be_bytes(), [0; 4]].concat())?;
                }
                send(&mut stream, HEADERS, WHOLE, id, &[STATUS_200])?;
            }
            _ => {}
        }
    }
}

/// A run of 500 POSTs, 50 at once, at a server that looks at so many of each connection; how many it answered.
fn at_a_server_that_looks_at(most: u64) -> (Account, u64) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answered = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&answered);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counted = Arc::clone(&counted);
            thread::spawn(move || converse(stream, most, &counted));
        }
    });
    let plan = plans::with(plans::plan(&url, 1000.0, 500), "connection", json!({"http": "2"}));
    let mut plan = plans::with(plan, "grid_us", json!(50_000));
    plan["requests"][0]["method"] = json!("POST");
    let account = finish(&started(&plan));
    (account, answered.load(Ordering::SeqCst))
}

#[test]
fn what_a_server_leaves_out_is_sent_until_it_is_looked_at_and_counts_once() {
    let (account, answered) = at_a_server_that_looks_at(10);
    assert_eq!((account.due, account.ok, account.repeated, answered), (500, 500, 0, 500), "{account:?}");
}

#[test]
fn a_server_that_looks_at_nothing_is_given_up() {
    let (account, answered) = at_a_server_that_looks_at(0);
    assert_eq!((account.ok + account.unsent, answered), (0, 0), "{account:?}");
    assert_eq!(account.only(), Some(("reset", 500)), "{account:?}");
}
