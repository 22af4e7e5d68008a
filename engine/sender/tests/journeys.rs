//! Journeys against a server that takes orders and does them later, twice, badly or not at all.

#![allow(clippy::needless_pass_by_value)] // JSON in place reads better than references to it

mod plans;
mod shop;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use golive_sender::Engine;
use plans::{flow_at, step};
use serde_json::{json, Value};
use shop::{Asked, Shop};
use steps::{finish, walked, walked_by, Steps, UNIX_US};

fn book_and_look(shop: &Shop, poll: Value) -> Value {
    let book = step(
        "book",
        "POST",
        json!(["/book"]),
        json!({
            "expect": [202], "body": [r#"{"guest":"a"}"#],
            "captures": [{"name": "id", "from": {"json": "/reservation/id"}}],
        }),
    );
    let look = step(
        "visible",
        "GET",
        json!(["/bookings/", {"captured": "id"}]),
        json!({
            "expect": [200, 404], "poll": poll,
        }),
    );
    flow_at(&shop.url, 40.0, 500, &[book, look])
}

/// Takes bookings; `effects(age)` says how often one of that age has taken effect.
fn booking_shop(effects: impl Fn(Duration) -> usize + Send + Sync + 'static) -> Shop {
    let taken: Mutex<BTreeMap<String, Instant>> = Mutex::default();
    let number = AtomicU64::new(0);
    shop::open(move |asked| {
        let mut taken = taken.lock().expect("no panic");
        if asked.path == "/book" {
            let id = format!("r/{}", number.fetch_add(1, Ordering::SeqCst));
            taken.insert(id.clone(), Instant::now());
            return shop::json(202, &format!(r#"{{"reservation":{{"id":"{id}"}}}}"#));
        }
        let id = asked.path["/bookings/".len()..].replace("%2F", "/");
        match taken.get(&id).map(|since| effects(since.elapsed())) {
            None | Some(0) => shop::json(404, "{}"),
            Some(times) => shop::json(200, &format!(r#"{{"id":"{id}","times":{times}}}"#)),
        }
    })
}

fn until_there() -> Value {
    json!({"until": [{"json_exists": "/id"}], "every_us": 20_000, "give_up_us": 300_000,
           "once": [{"json_equals": ["/times", 1]}]})
}

#[test]
fn an_accepted_booking_is_looked_for_until_it_is_visible() {
    let shop = booking_shop(|age| usize::from(age > Duration::from_millis(100)));
    let steps = walked(&book_and_look(&shop, until_there()));
    // 40 requests/s for half a second are 10 bookings with 10 looks: each poll counts as one step.
    assert_eq!(steps.of("book").ok, 10, "{:?}", steps.of);
    let look = steps.of("visible");
    assert!(look.failed.is_empty() && look.ok >= 10 * 3 && look.ok <= 10 * 8, "{look:?}");
    let visible = &steps.latency["visible!visible"];
    assert_eq!(visible.len(), 10);
    assert!(visible.min() >= 99_000 && visible.max() < 250_000, "{} to {}", visible.min(), visible.max());
    assert_eq!(steps.tagged("visible!missing"), 0);
}

#[test]
fn an_effect_that_never_comes_is_missing_and_one_that_comes_twice_repeated() {
    let never = walked(&book_and_look(&booking_shop(|_| 0), until_there()));
    assert_eq!(never.of("visible").failed, BTreeMap::from([("effect missing".into(), 10)]), "{:?}", never.of);
    assert_eq!((never.tagged("visible!visible"), never.tagged("visible!missing")), (0, 10));
    let twice = walked(&book_and_look(&booking_shop(|_| 2), until_there()));
    assert_eq!(twice.of("visible").failed, BTreeMap::from([("effect repeated".into(), 10)]), "{:?}", twice.of);
    assert_eq!(twice.tagged("visible!visible"), 10);
}

#[test]
fn a_second_effect_that_comes_late_is_found_after_settling() {
    let late = |age: Duration| if age > Duration::from_millis(100) { 2 } else { 1 };
    let at_once = walked(&book_and_look(&booking_shop(late), until_there()));
    assert!(at_once.of("visible").failed.is_empty());
    let mut poll = until_there();
    poll["settle_us"] = json!(250_000);
    let settled = walked(&book_and_look(&booking_shop(late), poll.clone()));
    assert_eq!(settled.of("visible").failed, BTreeMap::from([("effect repeated".into(), 10)]));
    let once = walked(&book_and_look(&booking_shop(|_| 1), poll));
    assert_eq!((once.of("visible").ok, once.tagged("visible!visible")), (20, 10));
}

#[test]
fn values_are_captured_from_json_headers_and_text_and_escaped_by_place() {
    let shop = shop::open(|asked| match asked.path.as_str() {
        "/one" => (200, vec!["Location: /a b".into()], r#"{"id": "x\"/y", "n": 7, "ok": true}"#.into()),
        "/two" => (200, Vec::new(), "<input name=csrf value=t0k>".into()),
        _ => shop::json(200, "{}"),
    });
    let capture = |name: &str, from: Value| json!({"name": name, "from": from});
    let one = step(
        "one",
        "GET",
        json!(["/one"]),
        json!({"captures": [
            capture("id", json!({"json": "/id"})), capture("n", json!({"json": "/n"})),
            capture("ok", json!({"json": "/ok"})), capture("where", json!({"header": "LOCATION"})),
        ]}),
    );
    let two =
        step("two", "GET", json!(["/two"]), json!({"captures": [capture("csrf", json!({"regex": "value=(\\w+)"}))]}));
    let three = step(
        "three",
        "POST",
        json!(["/three/", {"captured": "id"}, "?w=", {"captured": "where"}]),
        json!({
            "headers": [["X-Csrf", [{"captured": "csrf"}]]],
            "body": ["{\"id\":\"", {"captured": "id"}, "\",\"n\":", {"captured": "n"}, ",\"ok\":", {"captured": "ok"}, "}"],
        }),
    );
    let steps = walked(&flow_at(&shop.url, 60.0, 500, &[one, two, three]));
    assert_eq!(steps.of("three").ok, 10, "{:?}", steps.of);
    for asked in shop.asked_of("/three") {
        assert_eq!(asked.path, "/three/x%22%2Fy?w=%2Fa%20b");
        assert_eq!(asked.header("x-csrf"), "t0k");
        assert_eq!(asked.body, r#"{"id":"x\"/y","n":7,"ok":true}"#);
    }
}

#[test]
fn one_item_of_a_list_is_drawn_for_all_captures_of_an_answer() {
    let shop =
        shop::open(|_| shop::json(200, r#"{"all": [{"id": 1, "n": 10}, {"id": 2, "n": 20}, {"id": 3, "n": 30}]}"#));
    let capture = |name: &str| json!({"name": name, "from": {"json": format!("/all/*/{name}")}});
    let one = step("one", "GET", json!(["/one"]), json!({"captures": [capture("id"), capture("n")]}));
    let two = step("two", "GET", json!(["/two/", {"captured": "id"}, "/", {"captured": "n"}]), json!({}));
    assert_eq!(walked(&flow_at(&shop.url, 120.0, 500, &[one, two])).of("two").ok, 30);
    let drawn: BTreeSet<String> = shop.asked_of("/two").into_iter().map(|asked| asked.path).collect();
    assert_eq!(drawn, ["/two/1/10", "/two/2/20", "/two/3/30"].map(String::from).into());
}

#[test]
fn a_link_is_followed_on_the_target_and_one_that_leads_away_fails_its_step() {
    let shop = shop::open(|asked| match asked.path.as_str() {
        "/base/near" => (302, vec!["Location: /base/orders/1 7?a=b%20c#top".into()], String::new()),
        "/base/whole" => {
            (302, vec![format!("Location: http://{}/base/orders/18", asked.header("host"))], String::new())
        }
        "/base/away" => (302, vec!["Location: http://elsewhere.test/orders/19".into()], String::new()),
        _ => shop::json(200, "{}"),
    });
    for (from, reached) in [("near", "/base/orders/1%207?a=b%20c"), ("whole", "/base/orders/18"), ("away", "")] {
        let captures = json!([{"name": "next", "from": {"header": "Location"}}]);
        let expected = json!({"expect": [302], "captures": captures});
        let one = step("one", "GET", json!([format!("/{from}")]), expected);
        let two = step("two", "GET", json!([{"link": "next"}]), json!({}));
        let steps = walked(&flow_at(&format!("{}/base", shop.url), 40.0, 250, &[one, two]));
        if reached.is_empty() {
            assert_eq!(steps.of("one").failed.get("capture"), Some(&5), "{:?}", steps.of);
            assert_eq!(steps.of("two").due, 0);
        } else {
            assert_eq!((steps.of("two").ok, shop.asked_of(reached).len()), (5, 5), "{:?}", steps.of);
        }
    }
}

#[test]
fn a_value_in_a_form_is_written_as_a_form_has_it() {
    let shop = shop::open(|_| shop::json(200, r#"{"id": "a&b=c é\"\\"}"#));
    let one = step("one", "GET", json!(["/one"]), json!({"captures": [{"name": "id", "from": {"json": "/id"}}]}));
    let form = json!([["content-type", ["application/X-WWW-form-urlencoded"]]]);
    let two =
        step("two", "POST", json!(["/two"]), json!({"headers": form, "body": ["id=", {"captured": "id"}, "&n=1"]}));
    assert_eq!(walked(&flow_at(&shop.url, 40.0, 500, &[one, two])).of("two").ok, 10);
    for asked in shop.asked_of("/two") {
        assert_eq!(asked.body, "id=a%26b%3Dc%20%C3%A9%22%5C&n=1");
        assert_eq!(asked.header("content-type"), "application/X-WWW-form-urlencoded");
    }
}

#[test]
fn a_step_that_fails_ends_its_journey_and_is_counted_by_its_kind() {
    let cases: [(&str, &str, Value); 4] = [
        ("status 500", "/broken", json!({})),
        ("check", "/fine", json!({"checks": [{"json_equals": ["/state", "done"]}]})),
        ("capture", "/fine", json!({"captures": [{"name": "no", "from": {"json": "/nowhere"}}]})),
        ("timeout wait", "/slow", json!({"timeout_us": 50_000})),
    ];
    for (kind, path, more) in cases {
        let shop = shop::open(|asked| match asked.path.as_str() {
            "/broken" => shop::json(500, ""),
            "/slow" => {
                thread::sleep(Duration::from_millis(300));
                shop::json(200, "{}")
            }
            _ => shop::json(200, r#"{"state": "open"}"#),
        });
        let first = step("first", "GET", json!(["/fine"]), json!({}));
        let second = step("second", "GET", json!([path]), more);
        let third = step("third", "GET", json!(["/fine"]), json!({}));
        let steps = walked(&flow_at(&shop.url, 60.0, 500, &[first, second, third]));
        assert_eq!(steps.of("first").ok, 10, "{kind}");
        assert_eq!(steps.of("second").failed, BTreeMap::from([(kind.to_string(), 10)]), "{kind}");
        assert_eq!(steps.of("third").due, 0, "{kind}");
    }
}

#[test]
fn every_kind_of_check_can_hold_and_can_fail() {
    let told = |_: &Asked| (200, vec!["X-Kind: a; b".into()], r#"{"list":[1,2],"n":1.0,"s":"x"}"#.to_string());
    let cases = [
        (json!({"json_equals": ["/n", 1]}), json!({"json_equals": ["/n", 2]})),
        (json!({"json_equals": ["/s", "x"]}), json!({"json_equals": ["/t", "x"]})),
        (json!({"json_exists": "/list/1"}), json!({"json_exists": "/list/2"})),
        (json!({"json_length": ["/list", 2]}), json!({"json_length": ["/list", 1]})),
        (json!({"body_regex": "\"s\":\"[xy]\""}), json!({"body_regex": "^x"})),
        (json!({"header_contains": ["x-kind", "; b"]}), json!({"header_contains": ["x-other", "b"]})),
        (json!({"status": [200]}), json!({"status": [404]})),
    ];
    for (holds, fails) in cases {
        let shop = shop::open(told);
        let with = |name: &str, check: &Value| {
            plans::with(plans::request(name, "GET", &json!(["/"])), "checks", json!([check]))
        };
        let mut plan = plans::plan(&shop.url, 100.0, 200);
        plan["requests"] = json!([with("holds", &holds), with("fails", &fails)]);
        let steps = walked(&plan);
        assert!(steps.of("holds").failed.is_empty() && steps.of("holds").ok > 0, "{holds}: {:?}", steps.of);
        assert_eq!(steps.of("fails").failed.get("check"), Some(&steps.of("fails").due), "{fails}: {:?}", steps.of);
    }
}

#[test]
fn think_time_lies_between_the_answer_and_the_next_step() {
    let shop = shop::open(|_| shop::json(200, "{}"));
    let requests = [step("a", "GET", json!(["/a"]), json!({})), step("b", "GET", json!(["/b"]), json!({}))];
    let mut plan = flow_at(&shop.url, 40.0, 1000, &requests);
    plan["flows"][0]["steps"][1]["think_us"] = json!([900_000, 1_100_000]);
    let steps = walked(&plan);
    assert_eq!((steps.of("a").ok, steps.of("b").ok), (20, 20), "{:?}", steps.of);
    // Each step is due in its own second: none of the second ones was due in the first 900 ms.
    let lag = &steps.latency["golive.lag"];
    assert_eq!(lag.len(), 40);
    let first_second = steps.seconds.values().next().copied().unwrap_or(0);
    assert!((20..=22).contains(&first_second), "{:?}", steps.seconds);
}

#[test]
fn the_line_counts_requests_whatever_the_flows() {
    let shop = shop::open(|_| shop::json(200, "{}"));
    let mut requests: Vec<Value> = ["a", "b", "c", "d"].map(|name| step(name, "GET", json!(["/"]), json!({}))).into();
    requests.push(plans::with(plans::request("home", "GET", &json!(["/"])), "weight", json!(0.5)));
    let mut plan = flow_at(&shop.url, 400.0, 1000, &requests);
    plan["flows"][0]["steps"].as_array_mut().expect("steps").pop();
    plan["flows"][0]["weight"] = json!(0.5);
    let steps = walked(&plan);
    let all: u64 = steps.of.values().map(|step| step.ok).sum();
    assert!((all as f64 - 400.0).abs() < 60.0, "{:?}", steps.of);
    assert!((steps.of("home").ok as f64 - 200.0).abs() < 60.0, "{:?}", steps.of);
    assert!((40..=60).contains(&steps.of("a").ok) && steps.of("a").ok == steps.of("d").ok, "{:?}", steps.of);
}

#[test]
fn a_flow_with_a_rate_of_its_own_starts_beside_the_line() {
    let shop = shop::open(|_| shop::json(200, "{}"));
    let requests = [
        step("a", "GET", json!(["/a"]), json!({})),
        step("b", "GET", json!(["/b"]), json!({})),
        plans::request("home", "GET", &json!(["/"])),
    ];
    let mut plan = flow_at(&shop.url, 100.0, 1000, &requests);
    plan["rate_line"].as_array_mut().expect("a line").pop();
    plan["flows"][0]["steps"].as_array_mut().expect("steps").pop();
    plan["flows"][0]["rate_rps"] = json!(20.0);
    let steps = walked_by(&plan, 2);
    assert_eq!(steps.of("home").ok, 100, "{:?}", steps.of);
    assert_eq!((steps.of("a").ok, steps.of("b").ok), (20, 20), "{:?}", steps.of);
}

#[test]
fn a_halt_ends_journeys_where_they_are() {
    let shop = shop::open(|_| shop::json(200, "{}"));
    let requests = [step("a", "GET", json!(["/a"]), json!({})), step("b", "GET", json!(["/b"]), json!({}))];
    let mut plan = flow_at(&shop.url, 200.0, 20_000, &requests);
    plan["flows"][0]["steps"][1]["think_us"] = json!([10_000_000, 10_000_000]);
    let engine = Engine::new(&plan.to_string(), 0, 1).expect("a plan");
    engine.prepare().expect("a target");
    engine.start(0, UNIX_US, 60_000_000).expect("a start");
    thread::sleep(Duration::from_millis(300));
    engine.halt("enough");
    let (mut steps, began) = (Steps::default(), Instant::now());
    finish(&engine, &mut steps);
    assert!(began.elapsed() < Duration::from_secs(2), "thinking journeys hold nothing up");
    assert!(steps.of("a").ok > 10 && steps.of("b").due == 0, "{:?}", steps.of);
}

#[test]
fn journeys_end_with_the_line() {
    let shop = shop::open(|_| shop::json(200, "{}"));
    let requests = [step("a", "GET", json!(["/a"]), json!({})), step("b", "GET", json!(["/b"]), json!({}))];
    let mut plan = flow_at(&shop.url, 200.0, 1000, &requests);
    plan["rate_line"].as_array_mut().expect("a line").pop();
    plan["flows"][0]["steps"][1]["think_us"] = json!([500_000, 500_000]);
    let steps = walked(&plan);
    assert_eq!(steps.of("a").ok, 100);
    assert!((40..=52).contains(&steps.of("b").due), "{:?}", steps.of);
}

#[test]
fn each_journey_keeps_its_own_cookies() {
    let number = AtomicU64::new(0);
    let shop = shop::open(move |asked| match asked.path.as_str() {
        "/login" => {
            let session = number.fetch_add(1, Ordering::SeqCst);
            (200, vec![format!("Set-Cookie: s={session}; Path=/"), "Set-Cookie: old=1; Path=/".into()], "{}".into())
        }
        "/use" => (200, vec!["Set-Cookie: old=; Path=/; Max-Age=0".into()], "{}".into()),
        _ => shop::json(200, "{}"),
    });
    let at = |path: &str| step(&path[1..], "GET", json!([path, "?q=1"]), json!({}));
    let mut plan =
        flow_at(&shop.url, 60.0, 500, &[step("login", "GET", json!(["/login"]), json!({})), at("/use"), at("/leave")]);
    plan["requests"][1]["path"] = json!(["/use"]);
    plan["flows"][0]["cookies"] = json!(true);
    assert_eq!(walked(&plan).of("leave").ok, 10);
    let sent = |path| shop.asked_of(path).iter().map(|asked| asked.header("cookie")).collect::<BTreeSet<_>>();
    assert_eq!(sent("/login"), BTreeSet::from([String::new()]));
    assert_eq!(sent("/use").len(), 10);
    assert!(sent("/use").iter().all(|cookies| cookies.ends_with("; old=1")), "{:?}", sent("/use"));
    assert_eq!(sent("/leave").len(), 10);
    assert!(sent("/leave").iter().all(|cookies| cookies.starts_with("s=") && !cookies.contains("old")));
}

#[test]
fn exact_steps_are_due_without_waiting_for_a_grid() {
    let shop = shop::open(|_| shop::json(200, "{}"));
    let requests = ["a", "b", "c"].map(|name| step(name, "GET", json!(["/"]), json!({})));
    let steps = walked(&plans::with(flow_at(&shop.url, 60.0, 500, &requests), "grid_us", json!(0)));
    assert_eq!(steps.of("c").ok, 10, "{:?}", steps.of);
}

#[test]
fn a_trial_keeps_cookies_and_captures_like_a_journey() {
    let shop = shop::open(|asked| match (asked.path.as_str(), asked.header("cookie").as_str()) {
        ("/login", _) => (200, vec!["Set-Cookie: s=1".into()], r#"{"id":"x"}"#.into()),
        ("/x", "s=1") => shop::json(200, "{}"),
        _ => shop::json(403, "{}"),
    });
    let login = step("login", "GET", json!(["/login"]), json!({"captures": [{"name": "id", "from": {"json": "/id"}}]}));
    let mut plan =
        flow_at(&shop.url, 1.0, 100, &[login, step("use", "GET", json!(["/", {"captured": "id"}]), json!({}))]);
    plan["flows"][0]["cookies"] = json!(true);
    let engine = Engine::new(&plan.to_string(), 0, 1).expect("a plan");
    engine.prepare().expect("a target");
    let tried: Value = serde_json::from_str(&engine.trial(vec![], vec![]).expect("a trial")).expect("JSON");
    let failures: Vec<&Value> = tried.as_array().expect("steps").iter().map(|step| &step["failure"]).collect();
    assert_eq!(failures, ["", ""], "{tried}");
}

#[test]
fn a_trial_says_of_a_long_body_what_a_run_would() {
    let body = format!(r#"{{"pad":"{}","id":"needle"}}"#, "x".repeat(1_200_000));
    let size = body.len();
    let shop = shop::open(move |_| shop::json(200, &body));
    for (more, failure) in [
        (json!({"checks": [{"body_contains": "needle"}, {"body_at_most": size}]}), ""),
        (json!({"checks": [{"body_at_most": size - 1}]}), "check"),
        (json!({"checks": [{"json_exists": "/id"}]}), "too large"),
        (json!({"captures": [{"name": "id", "from": {"json": "/id"}}]}), "too large"),
    ] {
        let plan = flow_at(&shop.url, 20.0, 50, &[step("get", "GET", json!(["/"]), more)]);
        let engine = Engine::new(&plan.to_string(), 0, 1).expect("a plan");
        engine.prepare().expect("a target");
        let tried: Value = serde_json::from_str(&engine.trial(vec![], vec![]).expect("a trial")).expect("JSON");
        assert_eq!(tried[0]["failure"], failure, "{tried}");
        let run = walked(&plan).of("get");
        assert_eq!((run.ok, run.failed.get(failure)), if failure.is_empty() { (1, None) } else { (0, Some(&1)) });
    }
}
