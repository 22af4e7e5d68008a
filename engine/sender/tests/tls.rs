//! https: both sides' certificates are checked, versions and names are those of the plan, and the load goes through.

mod plans;
mod secure_servers;

use std::thread;
use std::time::Duration;

use golive_sender::Engine;
use secure_servers::{configuration, serve, Authority, Identity, Server, Wanted};
use serde_json::{json, Value};

fn plan(server: &Server, authority: &Authority, tls: &Value) -> Value {
    let plan = plans::plan(&format!("https://localhost:{}", server.port), 200.0, 500);
    plans::with(plans::with(plan, "ca_pem", json!(authority.pem())), "tls", tls.clone())
}

fn run(plan: &Value) -> Result<Value, String> {
    let engine = Engine::new(&plan.to_string(), 0, 1).expect("a plan");
    engine.prepare()?;
    engine.start(10_000, 1_790_000_000_000_000, 60_000_000).expect("a start");
    while engine.state() != "done" {
        thread::sleep(Duration::from_millis(20));
    }
    let delta: Value = serde_json::from_str(&engine.drain(true)).expect("JSON");
    Ok(delta["counts"][0].clone())
}

fn all_is_answered(plan: &Value) {
    let counts = run(plan).expect("a target");
    assert_eq!((&counts["ok"], &counts["due"]), (&json!(100), &json!(100)), "{counts}");
}

fn certified(identity: &Identity) -> Value {
    json!({"client_certificate_pem": identity.certificate_pem, "client_key_pem": identity.key_pem})
}

#[test]
fn with_the_plans_own_authority_all_is_answered() {
    let authority = Authority::new();
    let server = serve(configuration(&authority.identity("localhost"), &Wanted::default()));
    all_is_answered(&plan(&server, &authority, &json!({})));
}

#[test]
fn a_certificate_of_another_authority_keeps_the_load_from_starting() {
    let server = serve(configuration(&Authority::new().identity("localhost"), &Wanted::default()));
    let refused = run(&plan(&server, &Authority::new(), &json!({}))).expect_err("no trust");
    assert!(refused.contains("handshake") && refused.contains("invalid peer certificate"), "{refused}");
}

#[test]
fn a_certificate_that_stops_to_convince_is_counted_by_kind() {
    let authority = Authority::new();
    let good = serve(configuration(&authority.identity("localhost"), &Wanted::default()));
    let bad = serve(configuration(&Authority::new().identity("localhost"), &Wanted::default()));
    let server = plans::switching(&[(good.port, 1), (bad.port, u64::MAX)]);
    let plan =
        plans::with(plan(&good, &authority, &json!({})), "base_url", json!(format!("https://localhost:{server}")));
    assert_eq!(run(&plan).expect("a target")["failed"], json!({"tls": 100}));
}

#[test]
fn a_server_that_breaks_tls_off_in_mid_load_is_told_from_one_that_resets() {
    let authority = Authority::new();
    let identity = authority.identity("localhost");
    for versions in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13]] {
        let good = serve(configuration(&identity, &Wanted { versions, ..Wanted::default() }));
        // From the second connection on it asks for a certificate that the plan does not have. With TLS 1.3 it says so
        // only when the client takes the connection for made.
        let wanted = Wanted { versions, clients_of: Some(&authority), ..Wanted::default() };
        let server = plans::switching(&[(good.port, 1), (serve(configuration(&identity, &wanted)).port, u64::MAX)]);
        let plan =
            plans::with(plan(&good, &authority, &json!({})), "base_url", json!(format!("https://localhost:{server}")));
        let counts = run(&plan).expect("a target");
        assert_eq!((&counts["failed"], &counts["unavailable"]), (&json!({"tls": 100}), &json!(100)), "{counts}");
    }
}

#[test]
fn insecure_takes_any_certificate() {
    let server = serve(configuration(&Authority::new().identity("elsewhere"), &Wanted::default()));
    all_is_answered(&plan(&server, &Authority::new(), &json!({"insecure": true})));
}

#[test]
fn the_version_is_within_the_plans_bounds() {
    let authority = Authority::new();
    let identity = authority.identity("localhost");
    for (bounds, seen) in
        [(json!({}), "TLSv1_3"), (json!({"maximum": "1.2"}), "TLSv1_2"), (json!({"minimum": "1.3"}), "TLSv1_3")]
    {
        let server = serve(configuration(&identity, &Wanted::default()));
        all_is_answered(&plan(&server, &authority, &bounds));
        assert!(server.seen().iter().all(|client| client.version == seen), "{bounds}: {:?}", server.seen());
    }
}

#[test]
fn a_server_without_the_plans_version_keeps_the_load_from_starting() {
    let authority = Authority::new();
    let wanted = Wanted { versions: &[&rustls::version::TLS12], ..Wanted::default() };
    let server = serve(configuration(&authority.identity("localhost"), &wanted));
    let refused = run(&plan(&server, &authority, &json!({"minimum": "1.3"}))).expect_err("no version");
    assert!(refused.contains("handshake"), "{refused}");
}

#[test]
fn the_server_is_asked_for_by_the_name_of_the_plan() {
    let authority = Authority::new();
    let server = serve(configuration(&authority.identity("api.example.com"), &Wanted::default()));
    all_is_answered(&plan(&server, &authority, &json!({"server_name": "api.example.com"})));
    assert!(server.seen().iter().all(|client| client.name.as_deref() == Some("api.example.com")));
    assert!(server.seen()[0].requests[0].contains(&format!("Host: localhost:{}\r\n", server.port)));
}

#[test]
fn a_server_that_asks_for_a_client_certificate_gets_the_plans() {
    let authority = Authority::new();
    let client = authority.identity("golive");
    for versions in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13]] {
        let wanted = Wanted { versions, clients_of: Some(&authority), ..Wanted::default() };
        let server = serve(configuration(&authority.identity("localhost"), &wanted));
        all_is_answered(&plan(&server, &authority, &certified(&client)));
        let shown = Some(client.certificate.to_vec());
        assert!(server.seen().iter().all(|seen| seen.certificate == shown));
    }
}

#[test]
fn a_client_without_the_certificate_that_is_asked_for_never_begins() {
    let authority = Authority::new();
    let stranger = Authority::new().identity("golive");
    for versions in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13]] {
        let wanted = Wanted { versions, clients_of: Some(&authority), ..Wanted::default() };
        let server = serve(configuration(&authority.identity("localhost"), &wanted));
        for tls in [json!({}), certified(&stranger)] {
            let refused = run(&plan(&server, &authority, &tls)).expect_err("no certificate");
            assert!(refused.contains("handshake"), "{refused}");
        }
    }
}

#[test]
fn a_server_that_ends_the_connection_without_a_word_after_the_handshake_never_begins_either() {
    let authority = Authority::new();
    let config = configuration(&authority.identity("localhost"), &Wanted::default());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut session = rustls::ServerConnection::new(config.clone()).expect("a session");
            while session.is_handshaking() && session.complete_io(&mut stream).is_ok() {}
        }
    });
    let plan =
        plans::with(plans::plan(&format!("https://localhost:{port}"), 200.0, 500), "ca_pem", json!(authority.pem()));
    let refused = run(&plan).expect_err("no welcome");
    assert!(refused.contains("the server ended the connection right after it"), "{refused}");
}

#[test]
fn sessions_are_resumed_unless_the_plan_says_no() {
    let authority = Authority::new();
    for (tls, resumed) in [(json!({}), true), (json!({"resumption": false}), false)] {
        let server = serve(configuration(&authority.identity("localhost"), &Wanted::default()));
        all_is_answered(&plan(&server, &authority, &tls));
        assert_eq!(server.seen().iter().any(|client| client.resumed), resumed, "{:?}", server.seen());
    }
}

#[test]
fn what_cannot_be_used_is_refused_before_the_load_and_without_the_key() {
    let identity = Authority::new().identity("golive");
    let other = Authority::new().identity("golive");
    let certificate = &identity.certificate_pem;
    for (tls, at) in [
        (json!({"minimum": "1.3", "maximum": "1.2"}), "tls.minimum"),
        (json!({"minimum": "1.1"}), "tls.minimum"),
        (json!({"server_name": "no such name!"}), "tls.server_name"),
        (json!({"client_certificate_pem": certificate}), "tls.client_key_pem"),
        (json!({"client_key_pem": identity.key_pem}), "tls.client_certificate_pem"),
        (json!({"client_certificate_pem": certificate, "client_key_pem": other.key_pem}), "tls.client_key_pem"),
        (json!({"client_certificate_pem": certificate, "client_key_pem": "SECRET"}), "tls.client_key_pem"),
    ] {
        let plan = plans::with(plans::plan("https://localhost:1", 1.0, 1000), "tls", tls);
        let refused = Engine::new(&plan.to_string(), 0, 1).expect_err("unusable").to_string();
        assert!(refused.starts_with(at), "{refused}");
        assert!(!refused.contains("SECRET") && !refused.contains("PRIVATE"), "{refused}");
    }
    let plan = plans::with(plans::plan("https://localhost:1", 1.0, 1000), "ca_pem", json!("hello"));
    let refused = Engine::new(&plan.to_string(), 0, 1).expect_err("no certificate");
    assert!(refused.to_string().starts_with("ca_pem:"), "{refused}");
}
