//! HTTP/2: the same requests, checks and counts as by HTTP/1.1, on connections that carry several at a time.

mod http2_servers;
mod plans;
mod secure_servers;
mod servers;
mod steps;

use golive_sender::Engine;
use http::HeaderValue;
use http2_servers::{serve, How, Server, Ways};
use secure_servers::{configuration, Authority, Wanted};
use serde_json::{json, Value};
use steps::{walked, Step, Steps};

/// A plan in HTTP/2 for a server without TLS.
fn plan(server: &Server, rps: f64, connection: &Value) -> Value {
    lasting(server, rps, 500, connection)
}

fn lasting(server: &Server, rps: f64, ms: u64, connection: &Value) -> Value {
    let mut policy = json!({"http": "2"});
    for (key, value) in connection.as_object().expect("an object") {
        policy[key] = value.clone();
    }
    let url = format!("http://127.0.0.1:{}", server.port);
    plans::with(plans::plan(&url, rps, ms), "connection", policy)
}

fn treated(how: How) -> Step {
    let server = serve(Ways { how, ..Ways::default() }, None);
    let mut plan = plan(&server, 40.0, &json!({}));
    if how == How::EndlessBody {
        // 16 MiB each is more than two busy cores bring in half a second.
        plan["requests"][0]["timeout_us"] = json!(20_000_000);
    }
    walked(&plan).of("home")
}

fn said(value: &'static str) -> HeaderValue {
    HeaderValue::from_static(value)
}

fn failed(step: &Step, kind: &str) -> u64 {
    step.failed.get(kind).copied().unwrap_or(0)
}

fn refused_to_begin(plan: &Value) -> String {
    Engine::new(&plan.to_string(), 0, 1).expect("a plan").prepare().expect_err("no HTTP/2")
}

#[test]
fn all_is_answered_on_one_connection_that_carries_many_at_a_time() {
    let server = serve(Ways { how: How::Slow, ..Ways::default() }, None);
    let step = walked(&plan(&server, 600.0, &json!({}))).of("home");
    assert_eq!((step.due, step.sent, step.ok), (300, 300, 300), "{step:?}");
    let seen = server.seen();
    assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [300]);
}

#[test]
fn a_request_is_said_as_the_workload_has_it() {
    let server = serve(Ways::default(), None);
    let mut plan = plan(&server, 10.0, &json!({}));
    let mut request = plans::request("book", "POST", &json!(["/rooms?free=a%20b"]));
    request["headers"] = json!([["X-Key", ["k-", {"sequence": 5}]], ["Accept", ["*/*"]]]);
    request["body"] = json!(["{\"n\": ", {"sequence": 5}, "}"]);
    request["checks"] =
        json!([{"body_contains": "\"n\""}, {"header_equals": ["X-Kind", "fine"]}, {"json_exists": "/n"}]);
    plan["requests"] = json!([request]);
    let step = walked(&plan).of("book");
    assert_eq!((step.ok, step.due), (5, 5), "{step:?}");
    let came = &server.seen()[0][0];
    assert_eq!((came.method.as_str(), came.body.as_slice()), ("POST", b"{\"n\": 5}".as_slice()));
    assert_eq!(came.uri, format!("http://127.0.0.1:{}/rooms?free=a%20b", server.port));
    assert_eq!((&came.headers["x-key"], &came.headers["content-length"]), (&said("k-5"), &said("8")));
}

#[test]
fn checks_and_statuses_are_judged_as_ever() {
    assert_eq!(failed(&treated(How::NotFound), "status 404"), 20);
    let server = serve(Ways::default(), None);
    let mut plan = plan(&server, 200.0, &json!({}));
    plan["requests"][0]["checks"] = json!([{"body_contains": "not there"}]);
    assert_eq!(failed(&walked(&plan).of("home"), "check"), 100);
}

#[test]
fn by_tls_it_is_agreed_upon_in_the_handshake() {
    let authority = Authority::new();
    let wanted = Wanted { alpn: &[b"h2", b"http/1.1"], ..Wanted::default() };
    let server = serve(Ways::default(), Some(configuration(&authority.identity("localhost"), &wanted)));
    let plan = plans::with(plan(&server, 200.0, &json!({})), "ca_pem", json!(authority.pem()));
    let plan = plans::with(plan, "base_url", json!(format!("https://localhost:{}", server.port)));
    assert_eq!(walked(&plan).of("home").ok, 100);
    assert!(server.seen()[0][0].uri.starts_with("https://localhost:"), "{:?}", server.seen()[0][0]);
}

#[test]
fn a_server_that_does_not_speak_it_keeps_the_load_from_starting() {
    let plain =
        servers::serve(|stream, _| servers::say(stream, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
    let mut asked = plan(&serve(Ways::default(), None), 1.0, &json!({}));
    asked["base_url"] = json!(plain.url);
    assert!(refused_to_begin(&asked).contains("does not speak HTTP/2"), "{}", refused_to_begin(&asked));

    let authority = Authority::new();
    for alpn in [&[][..], &[b"http/1.1".as_slice()]] {
        let wanted = Wanted { alpn, ..Wanted::default() };
        let server = secure_servers::serve(configuration(&authority.identity("localhost"), &wanted));
        let mut asked = plans::with(asked.clone(), "ca_pem", json!(authority.pem()));
        asked["base_url"] = json!(format!("https://localhost:{}", server.port));
        let told = refused_to_begin(&asked);
        assert!(told.contains("HTTP/2") || told.contains("NoApplicationProtocol"), "{told}");
    }
}

#[test]
fn another_connection_is_opened_when_all_are_full() {
    let server = serve(Ways { how: How::Slow, ..Ways::default() }, None);
    // 60 at a time: 600 a second, each for 0.1 s.
    let step = walked(&plan(&server, 600.0, &json!({"streams_per_connection": 20}))).of("home");
    assert_eq!((step.ok, step.due), (300, 300), "{step:?}");
    assert!((3..=5).contains(&server.seen().len()), "{:?}", server.seen().iter().map(Vec::len).collect::<Vec<_>>());
}

#[test]
fn a_server_that_takes_fewer_at_a_time_gets_more_connections() {
    let server = serve(Ways { how: How::Slow, most_streams: 10, ..Ways::default() }, None);
    let step = walked(&plan(&server, 400.0, &json!({}))).of("home");
    assert_eq!((step.ok, step.due), (200, 200), "{step:?}");
    assert!(server.seen().len() >= 4, "{:?}", server.seen().len());
}

#[test]
fn without_keep_alive_each_request_has_a_connection_of_its_own() {
    let server = serve(Ways::default(), None);
    assert_eq!(walked(&plan(&server, 200.0, &json!({"keep_alive": false}))).of("home").ok, 100);
    assert_eq!(server.seen().iter().map(Vec::len).collect::<Vec<_>>(), [1; 100]);
}

#[test]
fn a_connection_carries_no_more_requests_than_the_plan_allows() {
    let server = serve(Ways::default(), None);
    assert_eq!(walked(&plan(&server, 200.0, &json!({"requests_per_connection": 7}))).of("home").ok, 100);
    let carried: Vec<usize> = server.seen().iter().map(Vec::len).collect();
    assert!(carried.iter().all(|count| *count <= 7) && carried.contains(&7), "{carried:?}");
}

#[test]
fn a_connection_that_the_server_ends_in_order_costs_no_request() {
    for goes_away_after in [1, 10] {
        let server = serve(Ways { goes_away_after, ..Ways::default() }, None);
        let mut plan = plan(&server, 400.0, &json!({}));
        plan["requests"][0]["method"] = json!("POST");
        let step = walked(&plan).of("home");
        assert_eq!((step.ok, step.due, step.sent), (200, 200, 200), "after {goes_away_after}: {step:?}");
        assert!(server.seen().len() >= 10, "{}", server.seen().len());
    }
}

#[test]
fn what_goes_wrong_is_counted_by_its_kind() {
    for (how, kind) in [
        (How::Silent, "timeout wait"),
        (How::Refused, "refused"),
        (How::ResetInBody, "reset"),
        (How::DrippingBody, "timeout body"),
        (How::EndlessBody, "too large"),
        (How::Interim, "malformed"),
        (How::BigHead(101), "too large"),
        (How::BigHead(700), "too large"),
        (How::BigHead(6000), "too large"),
        (How::WrongLength, "malformed"),
    ] {
        let step = treated(how);
        assert_eq!((failed(&step, kind), step.due), (20, 20), "{how:?}: {step:?}");
    }
}

#[test]
fn the_time_of_a_request_is_up_whatever_the_others_on_its_connection_do() {
    let server = serve(Ways { how: How::Slow, ..Ways::default() }, None);
    let mut plan = plan(&server, 200.0, &json!({}));
    let mut hasty = plans::request("hasty", "GET", &json!(["/"]));
    hasty["timeout_us"] = json!(20_000);
    plan["requests"].as_array_mut().expect("requests").push(hasty);
    let steps = walked(&plan);
    let (home, hasty) = (steps.of("home"), steps.of("hasty"));
    assert_eq!((home.ok, failed(&hasty, "timeout wait")), (home.due, hasty.due), "{home:?} {hasty:?}");
}

#[test]
fn a_closed_loop_keeps_every_place_busy() {
    let server = serve(Ways { how: How::Slow, ..Ways::default() }, None);
    let plan = plan(&server, 1.0, &json!({"streams_per_connection": 10}));
    let plan = plans::with(plans::with(plan, "arrivals", json!("closed")), "connections", json!(2));
    let steps: Steps = walked(&plan);
    let ok = steps.of("home").ok;
    // 20 places, each for 0.1 s, over half a second
    assert!((60..=120).contains(&ok), "{ok}");
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn what_is_lost_with_a_kept_connection_is_repeated_once_when_it_changes_nothing() {
    for (method, ok) in [("GET", 200), ("POST", 180)] {
        let server = serve(Ways { drops_after: 9, ..Ways::default() }, None);
        // So slowly that a machine which was busy for a moment sends no burst: that would lose a GET twice.
        let mut plan = lasting(&server, 100.0, 2000, &json!({}));
        plan["requests"][0]["method"] = json!(method);
        let step = walked(&plan).of("home");
        // One in ten meets the end of its connection; those on the way beside it are lost with it.
        assert_eq!((step.due, step.sent, step.ok + failed(&step, "reset")), (200, 200, 200), "{method}: {step:?}");
        assert!(if method == "GET" { step.ok == ok } else { step.ok <= ok }, "{method}: {step:?}");
    }
}

#[test]
fn a_login_and_a_trial_speak_it_too() {
    let server = serve(Ways::default(), None);
    let mut plan = plan(&server, 10.0, &json!({}));
    plan["login"] = json!({
        "method": "POST", "path": "/login", "headers": [], "body": ["{\"token\": \"t-1\"}"], "token_pointer": "/token",
        "tokens": 1, "expect": [200], "timeout_us": 1_000_000,
    });
    plan["requests"][0]["headers"] = json!([["Authorization", ["Bearer ", {"token": null}]]]);
    let engine = Engine::new(&plan.to_string(), 0, 1).expect("a plan");
    engine.prepare().expect("a login");
    let tried: Value = serde_json::from_str(&engine.trial(Vec::new(), Vec::new()).expect("a trial")).expect("JSON");
    assert_eq!((&tried[0]["failure"], &tried[0]["status"]), (&json!(""), &json!(200)), "{tried}");
    let authorized = server.seen().concat().into_iter().filter_map(|came| came.headers.get("authorization").cloned());
    assert_eq!(authorized.collect::<Vec<_>>(), [said("Bearer t-1")]);
}

#[test]
fn a_trial_tells_silence_from_an_answer_that_does_not_end() {
    for (how, kind) in [(How::Silent, "timeout wait"), (How::DrippingBody, "timeout body")] {
        let server = serve(Ways { how, ..Ways::default() }, None);
        let engine = Engine::new(&plan(&server, 10.0, &json!({})).to_string(), 0, 1).expect("a plan");
        engine.prepare().expect("a target");
        let tried: Value = serde_json::from_str(&engine.trial(Vec::new(), Vec::new()).expect("a trial")).expect("JSON");
        assert_eq!(tried[0]["failure"], json!(kind), "{tried}");
    }
}

#[test]
fn what_cannot_be_said_in_it_is_refused_before_the_load() {
    let server = serve(Ways::default(), None);
    for path in ["/a b", "no/slash", ""] {
        let mut plan = plan(&server, 1.0, &json!({}));
        plan["requests"][0]["path"] = json!([path]);
        let refused = Engine::new(&plan.to_string(), 0, 1).expect_err("no request").to_string();
        assert!(refused.contains("\"home\"") && refused.contains("HTTP/2"), "{path:?}: {refused}");
    }
}
