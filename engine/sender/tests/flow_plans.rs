//! Flows that cannot be walked are refused before a request is sent, with the place in the plan.

mod plans;

use golive_sender::Plan;
use serde_json::{json, Value};

fn booking() -> Value {
    let step = |name: &str, path: Value| plans::with(plans::request(name, "GET", &path), "weight", json!(0.0));
    let mut plan = plans::plan("http://127.0.0.1:1", 10.0, 1000);
    plan["requests"] = json!([
        plans::request("home", "GET", &json!(["/"])),
        plans::with(step("book", json!(["/book"])), "captures", json!([{"name": "id", "from": {"json": "/id"}}])),
        plans::with(
            step("visible", json!(["/bookings/", {"captured": "id"}])),
            "poll",
            json!({"until": [{"json_exists": "/id"}], "every_us": 1000, "give_up_us": 1_000_000})
        ),
    ]);
    plan["flows"] = json!([
        {"name": "book", "weight": 1.0, "steps": [{"request": 1}, {"request": 2, "think_us": [1000, 2000]}]}
    ]);
    plan
}

fn refused(change: impl FnOnce(&mut Value)) -> String {
    let mut plan = booking();
    change(&mut plan);
    Plan::from_json(&plan.to_string()).expect_err("a plan to refuse").to_string()
}

#[test]
fn a_booking_flow_is_taken() {
    Plan::from_json(&booking().to_string()).expect("a good plan");
}

#[test]
fn everything_a_flow_may_say_is_taken() {
    let mut plan = booking();
    plan["tables"] = json!([{"name": "guests", "columns": ["email"], "rows": [["a"]], "order": "shared"}]);
    plan["login"] = json!({"method": "POST", "path": "/login", "headers": [], "body": ["{}"], "token_pointer": "/t",
        "tokens": 1, "expect": [200], "timeout_us": 1000,
        "refresh": {"before_us": 1, "expires_pointer": "/expires_in", "every_us": null}});
    plan["flows"][0]["rate_rps"] = json!(2.5);
    plan["flows"][0]["weight"] = json!(0.0);
    plan["flows"][0]["cookies"] = json!(true);
    plan["requests"][1]["captures"] = json!([
        {"name": "id", "from": {"json": "/id"}},
        {"name": "place", "from": {"header": "location"}},
        {"name": "key", "from": {"regex": "key=(\\d+)"}},
    ]);
    plan["requests"][2]["poll"]["once"] = json!([
        {"json_equals": ["/count", 1]}, {"json_length": ["/items", 1]}, {"body_regex": "ok"}, {"status": [200]},
        {"header_contains": ["content-type", "json"]}, {"body_contains": "x"}, {"body_at_most": 10},
        {"header_equals": ["a", "b"]},
    ]);
    plan["requests"][2]["poll"]["settle_us"] = json!(1000);
    Plan::from_json(&plan.to_string()).expect("a good plan");
}

#[test]
fn what_cannot_be_walked_is_refused_with_its_place() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 17] = [
        ("flows[0].steps[1].request: there is no requests[9]", |p| p["flows"][0]["steps"][1]["request"] = json!(9)),
        ("\"visible\" uses \"id\", which no step before it captures", |p| p["requests"][1]["captures"] = json!([])),
        ("requests[1].captures[0].from.regex: \"(\" is no regular", |p| {
            p["requests"][1]["captures"][0]["from"] = json!({"regex": "("});
        }),
        ("no JSON pointer: it begins with a slash", |p| {
            p["requests"][1]["captures"][0]["from"] = json!({"json": "id"});
        }),
        ("\"id\" is captured twice", |p| {
            let once = p["requests"][1]["captures"][0].clone();
            p["requests"][1]["captures"] = json!([once, once]);
        }),
        ("flows[0].steps[0]: \"visible\" polls, but a first step", |p| {
            p["requests"][2]["path"] = json!(["/"]);
            p["flows"][0]["steps"] = json!([{"request": 2}, {"request": 1}]);
        }),
        ("is a step of flows[0] already", |p| {
            let again = json!({"name": "again", "weight": 1.0, "steps": [{"request": 1}]});
            p["flows"].as_array_mut().expect("flows").push(again);
        }),
        ("\"book\" is the name of two flows", |p| {
            let again = json!({"name": "book", "weight": 1.0, "steps": [{"request": 0}]});
            p["flows"].as_array_mut().expect("flows").push(again);
        }),
        ("flows[0].steps: is empty", |p| p["flows"][0]["steps"] = json!([])),
        ("flows[0].weight: must be above 0", |p| p["flows"][0]["weight"] = json!(0.0)),
        ("flows[0].rate_rps: must be above 0", |p| p["flows"][0]["rate_rps"] = json!(-1.0)),
        ("2 to 1 is no range", |p| p["flows"][0]["steps"][1]["think_us"] = json!([2, 1])),
        ("requests[2].poll.until: is empty", |p| p["requests"][2]["poll"]["until"] = json!([])),
        ("requests[2].poll.give_up_us: must be 1 to", |p| p["requests"][2]["poll"]["give_up_us"] = json!(61_000_000)),
        ("is sent by itself: nothing was captured", |p| p["requests"][2]["weight"] = json!(1.0)),
        ("requests[0].weight: is 0, and no flow has it", |p| p["requests"][0]["weight"] = json!(0.0)),
        ("flows[0]", |p| p["flows"][0]["stepz"] = json!([])),
    ];
    for (says, change) in cases {
        let problem = refused(change);
        assert!(problem.contains(says), "{says:?} is not in {problem:?}");
    }
}

#[test]
fn a_refresh_needs_to_know_when() {
    let problem = refused(|plan| {
        plan["login"] = json!({"method": "POST", "path": "/login", "headers": [], "body": ["{}"], "token_pointer": "/t",
            "tokens": 1, "expect": [200], "timeout_us": 1000, "refresh": {"before_us": 1}});
    });
    assert!(problem.contains("needs expires_pointer or every_us"), "{problem}");
}
