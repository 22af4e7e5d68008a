//! Thousands of connections to a server that never answers: each costs so much memory and no more.
//!
//! The engine runs in a process of its own (this test, started again): what the server takes is not measured.

mod account;
mod plans;
mod secure_servers;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use account::{finish, started};
use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
use rustls::{ServerConfig, ServerConnection};
use secure_servers::{configuration, Authority, Wanted};
use serde_json::json;

const CONNECTIONS: u64 = 3000;
/// Of the engine, for each connection: with its request on the way, and its slot, task and buffers.
const LIMIT_KIB: [(&str, u64); 2] = [("http", 8), ("https", 24)];
const URL: &str = "GOLIVE_TEST_URL";
const CA: &str = "GOLIVE_TEST_CA";

/// Both sides' file handles: those that this process may have at all, at most.
fn make_room() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.map_or(1 << 20, |most| most.min(1 << 20));
    let wanted = Rlimit { current: Some(most), maximum: limit.maximum };
    setrlimit(Resource::Nofile, wanted).expect("room for file handles");
    assert!(most >= CONNECTIONS + 100, "only {most} file handles are allowed here (ulimit -Hn)");
}

fn memory_kib(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let found = status.lines().find_map(|text| text.strip_prefix(line)).expect("a line");
    found.trim_start_matches(':').trim().trim_end_matches(" kB").parse().expect("a number")
}

/// What the other process does: 3,000 requests in two seconds, each waiting for an answer on a connection of its own.
fn drive(url: &str) {
    make_room();
    let mut plan = plans::plan(url, CONNECTIONS as f64 / 2.0, 2000);
    plan["ca_pem"] = json!(std::env::var(CA).expect("an authority"));
    plan["connections"] = json!(CONNECTIONS);
    plan["connect_timeout_us"] = json!(10_000_000);
    plan["requests"][0]["timeout_us"] = json!(6_000_000);
    let engine = started(&plan);
    let before_kib = memory_kib("VmRSS");
    let account = finish(&engine);
    let each_kib = memory_kib("VmHWM").saturating_sub(before_kib) as f64 / CONNECTIONS as f64;
    let scheme = url.split(':').next().expect("a scheme");
    let _ = writeln!(std::io::stderr(), "{CONNECTIONS} connections by {scheme}: {each_kib:.1} KiB each");
    assert_eq!(account.only(), Some(("timeout wait", CONNECTIONS)), "{account:?}");
    let limit_kib = LIMIT_KIB.iter().find(|(there, _)| *there == scheme).expect("a limit").1;
    assert!(each_kib < limit_kib as f64, "{scheme}: {each_kib:.1} KiB for each connection");
}

/// Take connections, shake hands where wanted, and say nothing for as long as the test lasts.
fn hold(listener: &TcpListener, secured: Option<&Arc<ServerConfig>>) {
    let mut held: Vec<TcpStream> = Vec::new();
    for mut stream in listener.incoming().flatten() {
        if let Some(config) = secured {
            let mut session = ServerConnection::new(Arc::clone(config)).expect("a session");
            while session.is_handshaking() && session.complete_io(&mut stream).is_ok() {}
            while session.wants_write() && session.write_tls(&mut stream).is_ok() {}
        }
        held.push(stream);
    }
}

#[test]
fn thousands_of_connections_cost_so_much_memory_each_and_no_more() {
    if let Ok(url) = std::env::var(URL) {
        return drive(&url);
    }
    make_room();
    let authority = Authority::new();
    for secured in [None, Some(configuration(&authority.identity("localhost"), &Wanted::default()))] {
        let scheme = if secured.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || hold(&listener, secured.as_ref()));
        let done = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "thousands_of_connections_cost_so_much_memory_each_and_no_more", "--nocapture"])
            .env(URL, format!("{scheme}://localhost:{port}"))
            .env(CA, authority.pem())
            .status()
            .expect("a process");
        assert!(done.success(), "{scheme}");
    }
}
