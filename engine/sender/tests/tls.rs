//! https: the certificate is checked against the plan's authority, and the load goes through.

mod plans;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use golive_sender::Engine;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{json, Value};

/// A server with a certificate of its own for "localhost"; gives its port and the certificate as PEM.
fn serve() -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_string()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            thread::spawn(move || {
                let session = ServerConnection::new(config).expect("a session");
                let mut stream = StreamOwned::new(session, stream);
                let mut chunk = [0u8; 4096];
                while matches!(stream.read(&mut chunk), Ok(count) if count > 0) {
                    if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
                        break;
                    }
                }
            });
        }
    });
    (port, made.cert.pem())
}

fn run(port: u16, ca_pem: &str) -> Value {
    let plan = plans::plan(&format!("https://localhost:{port}"), 200.0, 500);
    let engine = Engine::new(&plans::with(plan, "ca_pem", json!(ca_pem)).to_string(), 0, 1).expect("a plan");
    engine.prepare().expect("a target");
    engine.start(10_000, 1_790_000_000_000_000, 60_000_000).expect("a start");
    while engine.state() != "done" {
        thread::sleep(Duration::from_millis(20));
    }
    let delta: Value = serde_json::from_str(&engine.drain(true)).expect("JSON");
    delta["counts"][0].clone()
}

#[test]
fn with_the_plans_own_authority_all_is_answered() {
    let (port, ca_pem) = serve();
    let counts = run(port, &ca_pem);
    assert_eq!((&counts["ok"], &counts["due"]), (&json!(100), &json!(100)), "{counts}");
}

#[test]
fn a_certificate_of_another_authority_is_refused_by_kind() {
    let (port, _) = serve();
    let (_, stranger) = serve();
    let counts = run(port, &stranger);
    assert_eq!(counts["failed"], json!({"tls": 100}), "{counts}");
}

#[test]
fn what_is_no_certificate_is_refused_before_the_load() {
    let plan = plans::with(plans::plan("https://localhost:1", 1.0, 1000), "ca_pem", json!("hello"));
    let refused = Engine::new(&plan.to_string(), 0, 1).expect_err("no certificate");
    assert!(refused.to_string().starts_with("ca_pem:"), "{refused}");
}
