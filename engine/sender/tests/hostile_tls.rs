//! Under any hostility behind TLS: each request is counted by its kind, memory stays bounded, and it ends.
//!
//! The first connection is served well: so the trial before the load finds nothing.

mod account;
mod plans;
mod secure_servers;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use account::{finish, started};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use secure_servers::{configuration, Authority, Wanted};
use serde_json::json;

/// What 200 trapped connections and the server's own threads may take: 80 KiB each.
const GROWTH_LIMIT_KIB: u64 = 16 * 1024;

type Trap = fn(&mut TcpStream);

fn serve(good: Arc<ServerConfig>, trap: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let mut streams = listener.incoming().flatten();
        if let Some(stream) = streams.next() {
            let mut stream = StreamOwned::new(ServerConnection::new(good).expect("a session"), stream);
            let _ = stream.read(&mut [0]);
        }
        for stream in streams {
            let trap = trap.clone();
            let _ = thread::Builder::new().stack_size(256 * 1024).spawn(move || trap(stream));
        }
    });
    port
}

fn endlessly(stream: &mut TcpStream, block: &[u8]) {
    while stream.write_all(block).is_ok() {}
}

/// Read what came, so that the end of the connection is no reset.
fn hello(stream: &mut TcpStream) {
    let _ = stream.read(&mut [0u8; 4096]);
}

/// Records of one type, full of one byte.
fn records(kind: u8, content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).expect("a record's length").to_be_bytes();
    [&[kind, 3, 3], &len[..], content].concat()
}

const TRAPS: [(&str, &str, Trap); 12] = [
    ("garbage", "tls", |s| drop(s.write_all(b"\0\xff\xfe what? what? what?"))),
    ("plain HTTP", "tls", |s| drop(s.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))),
    ("an alert", "tls", |s| drop(s.write_all(&records(21, &[2, 40])))),
    ("an unknown record", "tls", |s| drop(s.write_all(&records(99, b"what?")))),
    ("endless garbage", "tls", |s| endlessly(s, &[0xff; 65536])),
    ("an endless hello", "tls", |s| {
        let _ = s.write_all(&records(22, &[2, 0xff, 0xff, 0xff, 3, 3]));
        endlessly(s, &records(22, &[b'a'; 16_000]));
    }),
    ("endless warnings", "tls", |s| endlessly(s, &records(21, &[1, 90]).repeat(1000))),
    ("endless changes of cipher", "tls", |s| endlessly(s, &records(20, &[1]).repeat(1000))),
    ("silence", "timeout connect", |_| thread::sleep(Duration::from_secs(2))),
    ("a drip", "timeout connect", |s| {
        for byte in [22, 3, 3, 0x10, 0, 2, 0, 0x0f, 0xfc].iter().chain(&[b'a'; 300]) {
            thread::sleep(Duration::from_millis(10));
            if s.write_all(&[*byte]).is_err() {
                break;
            }
        }
    }),
    ("a close", "reset", |_| {}),
    ("half a hello", "reset", |s| drop(s.write_all(&[22, 3, 3, 0x10, 0, 2, 0, 0]))),
];

fn memory_kib(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let found = status.lines().find_map(|text| text.strip_prefix(line)).expect("a line");
    found.trim_start_matches(':').trim().trim_end_matches(" kB").parse().expect("a number")
}

/// 200 requests into a trap; each must end as this kind.
fn spring(name: &str, kind: &str, authority: &Authority, trap: impl Fn(TcpStream) + Send + Sync + Clone + 'static) {
    let port = serve(configuration(&authority.identity("localhost"), &Wanted::default()), trap);
    let mut plan = plans::plan(&format!("https://localhost:{port}"), 500.0, 400);
    plan["ca_pem"] = json!(authority.pem());
    plan["connections"] = json!(200);
    std::fs::write("/proc/self/clear_refs", "5").expect("/proc");
    let before_kib = memory_kib("VmRSS");
    let account = finish(&started(&plan));
    let grown_kib = memory_kib("VmHWM").saturating_sub(before_kib);
    let _ = writeln!(std::io::stderr(), "TLS trap: {name}: {:?}, memory +{grown_kib} KiB", account.failed);
    assert_eq!((account.due, account.unsent, account.only()), (200, 0, Some((kind, 200))), "{name}: {account:?}");
    assert_eq!(account.unavailable, 200, "{name}");
    assert!(grown_kib < GROWTH_LIMIT_KIB, "{name}: {grown_kib} KiB");
}

#[test]
fn every_trap_behind_tls_is_counted_by_its_kind_in_bounded_memory() {
    let authority = Authority::new();
    for (name, kind, trap) in TRAPS {
        spring(name, kind, &authority, move |mut stream| {
            hello(&mut stream);
            trap(&mut stream);
        });
    }
    // Some 300 KiB of certificates, all of them good.
    let chain = secure_servers::configuration_of_chain(&authority.identity("localhost"), 1000);
    spring("a huge chain of certificates", "tls", &authority, move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&chain)).expect("a session"), stream);
        let _ = stream.read(&mut [0]);
    });
}
