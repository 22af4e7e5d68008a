//! What a hostile server plants in the values that a journey carries on: it never becomes a header, a cookie or a request.
//!
//! The servers write down every byte that came over each connection; nothing here trusts a parser's view of them.

#![allow(clippy::needless_pass_by_value)] // JSON in place reads better than references to it

mod plans;
mod raw;
mod steps;

use golive_sender::Engine;
use raw::Recorder;
use serde_json::{json, Value};
use steps::{walked, Steps};

/// The second step's places for the value captured as `v`.
const PLACES: [&str; 6] = ["path", "query", "header", "cookie", "text", "number"];

/// A flow that captures a value and puts it into one place of its second request. Both say the journey's number.
fn plan(url: &str, place: &str, from: Value) -> Value {
    let (captured, number) = (json!({"captured": "v"}), json!({"sequence": 0}));
    let mut plant = plans::with(plans::request("plant", "GET", &json!(["/plant/", number])), "weight", json!(0.0));
    plant["captures"] = json!([{"name": "v", "from": from}]);
    let mut carry = plans::request("carry", "POST", &json!(["/carry/", number]));
    carry["weight"] = json!(0.0);
    match place {
        "path" => carry["path"] = json!(["/carry/", number, "/", captured, "/end"]),
        "query" => carry["path"] = json!(["/carry/", number, "?v=", captured, "&end=1"]),
        "header" => carry["headers"] = json!([["X-V", [captured]]]),
        "cookie" => carry["headers"] = json!([["Cookie", ["v=", captured]]]),
        "text" => carry["body"] = json!(["{\"v\":\"", captured, "\",\"end\":1}"]),
        _ => carry["body"] = json!(["{\"v\":", captured, ",\"end\":1}"]),
    }
    walk(url, &[plant, carry], false)
}

/// How many journeys of two steps begin.
const JOURNEYS: usize = 30;

/// A plan of journeys of these two steps.
fn walk(url: &str, requests: &[Value; 2], cookies: bool) -> Value {
    let mut plan = plans::plan(url, 300.0, 200);
    let line = plan["rate_line"].as_array_mut().expect("a line");
    line.push(json!({"duration_us": 400_000, "from_rps": 0.0, "to_rps": 0.0}));
    plan["requests"] = json!(requests);
    plan["flows"] =
        json!([{"name": "flow", "weight": 1.0, "cookies": cookies, "steps": [{"request": 0}, {"request": 1}]}]);
    plan
}

/// Which journey a request is of, from its path.
fn number_of(path: &str) -> usize {
    let digits = path[1..].split(['/', '?']).nth(1).expect("a number");
    digits.parse().expect("a number")
}

/// So many journeys went on to their second request; the first of all others failed as `capture`.
fn goes_on(steps: &Steps, journeys: usize, what: &str) {
    let (plant, carry) = (steps.of("plant"), steps.of("carry"));
    assert_eq!((plant.due, plant.ok), (JOURNEYS as u64, journeys as u64), "{what}: {plant:?}");
    assert_eq!((carry.due, carry.ok), (plant.ok, plant.ok), "{what}: {carry:?}");
    assert_eq!(plant.failed.get("capture").copied().unwrap_or(0), plant.due - plant.ok, "{what}: {plant:?}");
}

/// What servers plant, and the places that carry it. Every other place ends the journey.
fn planted() -> Vec<(String, &'static [&'static str])> {
    const QUOTED: &[&str] = &["path", "query", "header", "cookie", "text"];
    let of = |value: &str, places: &'static [&'static str]| (value.to_string(), places);
    vec![
        of("a\r\nX-Admin: yes", &[]),
        of("a\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n", &[]),
        of("a\nX-Admin: yes", &[]),
        of("a\rX-Admin: yes", &[]),
        of("a\0b", &[]),
        of("\t", &[]),
        of("a\u{85}X-Admin: yes", &[]),
        of("a\u{7f}", &[]),
        of(&"x".repeat(8193), &[]),
        of(&"x".repeat(8192), QUOTED),
        of("\",\"admin\":\"yes", QUOTED),
        of("\\", QUOTED),
        of("a b /c?d=e&f=g#h", QUOTED),
        of(" HTTP/1.1", QUOTED),
        of("../../admin", QUOTED),
        of("%0d%0aX-Admin: yes", QUOTED),
        of("Grüße, 世界 🎉 \u{2028}", QUOTED),
        of("a; admin=yes", &["path", "query", "header", "text"]),
        of("..", &["query", "header", "cookie", "text"]),
        of(".", &["query", "header", "cookie", "text"]),
        of("", &["query", "header", "cookie", "text"]),
        of("1,\"admin\":true", QUOTED),
        of("[]", QUOTED),
        of("null", QUOTED),
        of("17", &PLACES),
    ]
}

#[test]
fn a_value_from_json_stays_one_value_wherever_it_is_put_or_ends_the_journey() {
    for place in PLACES {
        let server = Recorder::answering(|path| {
            let (values, number) = (planted(), number_of(path));
            json!({"v": values[number % values.len()].0}).to_string()
        });
        let steps = walked(&plan(&server.url, place, json!({"json": "/v"})));
        let values = planted();
        let carried = |number: &usize| values[number % values.len()].1.contains(&place);
        goes_on(&steps, (0..JOURNEYS).filter(carried).count(), place);
        let came = server.requests();
        assert_eq!(came.len() as u64, steps.of("plant").due + steps.of("carry").due, "{place}");
        for request in came.iter().filter(|request| !request.line.starts_with("GET /plant/")) {
            let number = number_of(request.line.split(' ').nth(1).expect("a path"));
            assert!(carried(&number), "{place}: {}", request.line);
            arrives_whole(request, place, number, &values[number % values.len()].0);
        }
    }
}

/// The request is the one that was meant, with the value in its place and nowhere else.
fn arrives_whole(request: &raw::Request, place: &str, number: usize, value: &str) {
    let what = format!("{:?} in the {place}", value.chars().take(40).collect::<String>());
    let encoded = value.bytes().fold(String::new(), |text, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text + &char::from(byte).to_string(),
        _ => text + &format!("%{byte:02X}"),
    });
    let path = match place {
        "path" => format!("/carry/{number}/{encoded}/end"),
        "query" => format!("/carry/{number}?v={encoded}&end=1"),
        _ => format!("/carry/{number}"),
    };
    assert_eq!(request.line, format!("POST {path} HTTP/1.1"), "{what}");
    let (names, body) = match place {
        "header" => (vec!["Host", "X-V"], Value::Null),
        "cookie" => (vec!["Host", "Cookie"], Value::Null),
        "text" => (vec!["Host", "Content-Type", "Content-Length"], json!({"v": value, "end": 1})),
        "number" => (vec!["Host", "Content-Type", "Content-Length"], json!({"v": 17, "end": 1})),
        _ => (vec!["Host"], Value::Null),
    };
    assert_eq!(request.names(), names, "{what}");
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap_or(Value::Null), body, "{what}");
    match place {
        "header" => assert_eq!(request.value("X-V"), value.as_bytes(), "{what}"),
        "cookie" => assert_eq!(request.value("Cookie"), [b"v=", value.as_bytes()].concat(), "{what}"),
        _ => {}
    }
}

#[test]
fn what_a_body_or_a_header_plants_without_json_fares_no_better() {
    let cases: [(&[u8], Value, bool); 8] = [
        (b"\r\n\r\nv=a\r\nX-Admin: yes\r\n\r\nend", json!({"regex": "(?s)v=(.*)end"}), false),
        (b"\r\n\r\nv=a\0end", json!({"regex": "(?s-u)v=(.*)end"}), false),
        (b"\r\n\r\nv=\xff\xfeend", json!({"regex": "(?s-u)v=(.*)end"}), false),
        (b"\r\n\r\nv= padded end", json!({"regex": "v=(.*)end"}), true),
        (b"\r\nX-Sent: a\x80\r\n\r\n", json!({"header": "x-sent"}), false),
        (b"\r\nX-Sent: a\tb\r\n\r\n", json!({"header": "x-sent"}), false),
        (b"\r\nX-Sent: a\xc2\x85b\r\n\r\n", json!({"header": "x-sent"}), false),
        (b"\r\nX-Sent: a: b, \"c\"\r\n\r\n", json!({"header": "x-sent"}), true),
    ];
    for (rest, from, is_sent) in cases {
        let what = String::from_utf8_lossy(rest).into_owned();
        let server = Recorder::saying(move |path| {
            let head = b"HTTP/1.1 200 OK\r\nConnection: close".to_vec();
            if path.starts_with("/plant/") {
                [head, rest.to_vec()].concat()
            } else {
                [head, b"\r\n\r\n".to_vec()].concat()
            }
        });
        let steps = walked(&plan(&server.url, "header", from));
        goes_on(&steps, if is_sent { JOURNEYS } else { 0 }, &what);
        for request in server.requests() {
            let is_plant = request.line.starts_with("GET /plant/");
            assert_eq!(request.names(), if is_plant { vec!["Host"] } else { vec!["Host", "X-V"] }, "{what}");
        }
    }
}

#[test]
fn cookies_that_a_server_sets_stay_one_line_of_cookies() {
    let lines: [&[u8]; 8] = [
        b"good=1; Path=/",
        b"tab=a\tb; Path=/",
        b"c1=a\xc2\x85b; Path=/",
        b"latin=\xe9; Path=/",
        b"quoted=\"a b\"; Path=/",
        "umlaut=ü; Path=/".as_bytes(),
        b"=nameless; Path=/",
        b"path=1; Path=/carry%0d%0a\x01",
    ];
    let server = Recorder::saying(move |_| {
        let set = lines.iter().flat_map(|line| [b"Set-Cookie: ", *line, b"\r\n"].concat());
        b"HTTP/1.1 200 OK\r\n".iter().copied().chain(set).chain(*b"Content-Length: 0\r\n\r\n").collect()
    });
    let step = |name: &str| plans::with(plans::request(name, "GET", &json!(["/", name])), "weight", json!(0.0));
    let steps = walked(&walk(&server.url, &[step("plant"), step("carry")], true));
    // A byte that HTTP allows nowhere makes the whole answer malformed; the other lines arrive.
    let (plant, carry) = (steps.of("plant"), steps.of("carry"));
    assert_eq!(plant.failed.get("malformed"), Some(&plant.due), "{plant:?}");
    assert_eq!(carry.due, 0);
    let server = Recorder::saying(move |_| {
        let set = lines[..7].iter().flat_map(|line| [b"Set-Cookie: ", *line, b"\r\n"].concat());
        b"HTTP/1.1 200 OK\r\n".iter().copied().chain(set).chain(*b"Content-Length: 0\r\n\r\n").collect()
    });
    let steps = walked(&walk(&server.url, &[step("plant"), step("carry")], true));
    goes_on(&steps, JOURNEYS, "cookies");
    for request in server.requests().iter().filter(|request| request.line.starts_with("GET /carry ")) {
        assert_eq!(request.names(), ["Host", "Cookie"]);
        assert_eq!(request.value("Cookie"), "good=1; quoted=\"a b\"; umlaut=ü".as_bytes());
    }
}

fn with_login(url: &str, refresh: Value) -> Value {
    let mut home = plans::request("home", "GET", &json!(["/home"]));
    home["headers"] = json!([["Authorization", ["Bearer ", {"token": null}]]]);
    let login = json!({"method": "POST", "path": "/login", "headers": [], "body": ["{}"], "token_pointer": "/token",
        "tokens": 1, "expect": [200], "timeout_us": 500_000, "refresh": refresh});
    plans::with(plans::with(plans::plan(url, 50.0, 600), "requests", json!([home])), "login", login)
}

#[test]
fn a_token_that_would_end_its_header_is_no_token() {
    for token in ["a\r\nX-Admin: yes", "a\nb", "a\0b", "a\u{85}b", "", &"x".repeat(16_385)] {
        let body = json!({"token": token}).to_string();
        let server = Recorder::answering(move |_| body.clone());
        let engine = Engine::new(&with_login(&server.url, Value::Null).to_string(), 0, 1).expect("a plan");
        let problem = engine.prepare().expect_err("no token");
        assert!(problem.contains("is no token") && !problem.contains("Admin"), "{problem}");
        assert!(server.requests().iter().all(|request| request.line.starts_with("POST /login ")));
    }
}

#[test]
fn a_renewed_token_that_would_end_its_header_is_not_taken() {
    let logins = std::sync::atomic::AtomicU64::new(0);
    let server = Recorder::answering(move |path| {
        let first = path != "/login" || logins.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        json!({"token": if first { "good" } else { "a\r\nX-Admin: yes" }}).to_string()
    });
    let steps = walked(&with_login(&server.url, json!({"before_us": 0, "every_us": 100_000})));
    assert_eq!(steps.of("home").ok, 30);
    for request in server.requests().iter().filter(|request| request.line.starts_with("GET ")) {
        assert_eq!(
            (request.names(), request.value("Authorization")),
            (vec!["Host", "Authorization"], &b"Bearer good"[..])
        );
    }
    let said = |delta: &Value| delta["logins"].to_string().contains("is no token");
    assert!(steps.deltas.iter().any(said), "{:?}", steps.deltas);
}

#[test]
fn a_cell_is_refused_where_it_would_end_a_header_and_escaped_in_a_body() {
    let rows = json!([["a\r\nX-Admin: yes"]]);
    let table = json!([{"name": "guests.csv", "columns": ["email"], "rows": rows}]);
    let of = |url: &str, field: &str, text: Value| {
        let request = plans::with(plans::request("home", "POST", &json!(["/"])), field, text);
        plans::with(plans::with(plans::plan(url, 20.0, 200), "tables", table.clone()), "requests", json!([request]))
    };
    let cell = json!({"csv": ["guests.csv", "email"]});
    for (field, text) in [("headers", json!([["X-Guest", [cell]]])), ("path", json!(["/", cell]))] {
        let refused = Engine::new(&of("http://127.0.0.1:1", field, text).to_string(), 0, 1).expect_err("a line break");
        assert!(refused.to_string().contains("a control character"), "{refused}");
    }
    let server = Recorder::answering(|_| "{}".into());
    assert_eq!(walked(&of(&server.url, "body", json!(["{\"v\":\"", cell, "\"}"]))).of("home").ok, 4);
    for request in server.requests() {
        assert_eq!(serde_json::from_slice::<Value>(&request.body).expect("JSON"), json!({"v": "a\r\nX-Admin: yes"}));
        assert_eq!(request.names(), ["Host", "Content-Type", "Content-Length"]);
    }
}

#[test]
fn headers_that_say_where_a_request_ends_are_the_engines_own() {
    for name in ["Content-Length", "transfer-encoding", "HOST"] {
        let request = plans::with(plans::request("home", "GET", &json!(["/"])), "headers", json!([[name, ["1"]]]));
        let plan = plans::with(plans::plan("http://127.0.0.1:1", 1.0, 100), "requests", json!([request]));
        let refused = Engine::new(&plan.to_string(), 0, 1).expect_err("a header of the engine's own");
        assert!(refused.to_string().contains("which the engine writes itself"), "{refused}");
    }
}

#[test]
fn a_trial_says_why_a_value_is_not_carried() {
    for (value, place, why) in [
        ("a\r\nX-Admin: yes", "header", "v: \"a  X-Admin: yes\" has a control character"),
        ("..", "path", "v: \"..\" would lead a path elsewhere"),
        ("a;b", "cookie", "v: \"a;b\" would be more than one cookie"),
        ("x", "number", "v: \"x\" is no number or truth value, and would stand in JSON without quotes"),
    ] {
        let body = json!({"v": value}).to_string();
        let server = Recorder::answering(move |_| body.clone());
        let plan = plan(&server.url, place, json!({"json": "/v"}));
        let engine = Engine::new(&plan.to_string(), 0, 1).expect("a plan");
        engine.prepare().expect("a target");
        let told: Value = serde_json::from_str(&engine.trial(Vec::new(), Vec::new()).expect("a trial")).expect("JSON");
        assert_eq!((&told[0]["failure"], &told[0]["seen"]), (&json!("capture"), &json!(why)));
        assert_eq!(told[1]["skipped"], json!(true));
    }
}
