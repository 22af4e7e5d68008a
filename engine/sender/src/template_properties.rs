//! Whatever a server put into captured values: what is written is the one request that was meant (template.rs).

use proptest::prelude::*;
use serde_json::{json, Value};

use crate::capture::objection;
use crate::plan::Plan;
use crate::standing::Standing;
use crate::template::{Occasion, Sources, Template};

/// A text: fixed parts, and which of the captured values stands behind each.
type Made = Vec<(String, usize)>;

const VALUES: usize = 3;

fn text(fixed: &'static str) -> impl Strategy<Value = Made> {
    prop::collection::vec((fixed, 0..VALUES), 0..4)
}

/// What hostile servers like to say, and anything else.
fn value() -> impl Strategy<Value = String> {
    let said =
        ["\r\n\r\n", "\r\nX-Admin: yes", "\0", "\"", "\\", "%0d%0a", " HTTP/1.1\r\n", "../", "..", ";", "é", "\u{85}"];
    prop_oneof![
        3 => prop::collection::vec(prop_oneof![prop::sample::select(said.to_vec()).prop_map(String::from), ".{0,3}"], 0..5)
            .prop_map(|parts| parts.concat()),
        1 => any::<String>(),
        1 => prop_oneof![any::<i64>().prop_map(|number| number.to_string()), any::<bool>().prop_map(|is| is.to_string())],
    ]
}

fn pieces(made: &Made, first: &str) -> Value {
    let pieces = made.iter().flat_map(|(fixed, slot)| [json!(fixed), json!({"captured": format!("v{slot}")})]);
    [json!(first)].into_iter().chain(pieces).collect()
}

/// The text with the values in their places.
fn meant(made: &Made, values: &[String]) -> String {
    made.iter().map(|(fixed, slot)| fixed.clone() + &values[*slot]).collect()
}

fn plan(path: &Made, header: &Made, body: &Made, bare: usize) -> Plan {
    let captures: Value =
        (0..VALUES).map(|slot| json!({"name": format!("v{slot}"), "from": {"json": format!("/{slot}")}})).collect();
    let mut content = pieces(body, "{\"text\":\"").as_array().expect("pieces").clone();
    content.extend([json!("\",\"number\":"), json!({"captured": format!("v{bare}")}), json!("}")]);
    let request = |name: &str, more: Value| {
        let mut request = json!({"name": name, "weight": 0.0, "method": "POST", "path": ["/"], "headers": [],
            "body": null, "expect": [200], "checks": [], "timeout_us": 1});
        more.as_object().expect("fields").iter().for_each(|(key, value)| request[key] = value.clone());
        request
    };
    let plan = json!({
        "format": 1, "seed": 7, "arrivals": "constant", "base_url": "http://127.0.0.1:1", "grid_us": 500,
        "rate_line": [{"duration_us": 1, "from_rps": 1.0, "to_rps": 1.0}], "connections": 1, "threads": 1,
        "connect_timeout_us": 1, "ca_pem": "", "run_date": "2026-11-24", "tables": [], "login": null,
        "requests": [
            request("plant", json!({"captures": captures})),
            request("carry", json!({"path": pieces(path, "/a/"), "headers": [["X-V", pieces(header, "v")]], "body": content})),
        ],
        "flows": [{"name": "flow", "weight": 1.0, "steps": [{"request": 0}, {"request": 1}]}],
    });
    Plan::from_json(&plan.to_string()).expect("a good plan")
}

/// Whether a step with these captures goes on to the next.
fn are_carried(plan: &Plan, values: &[String]) -> bool {
    values.iter().enumerate().all(|(slot, value)| {
        let standing = Standing::of(plan, &plan.flows[0], &format!("v{slot}"));
        objection(value).or_else(|| standing.objection(value)).is_none()
    })
}

fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        if *first == b'%' {
            let code = u8::from_str_radix(std::str::from_utf8(&more[..2]).expect("digits"), 16);
            bytes.push(code.expect("digits"));
            rest = &more[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).expect("text")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_carried_is_written_as_the_one_request_that_was_meant(
        path in text("[a-z/]{0,4}"), header in text("[ -~]{0,4}"), body in text("[a-z ]{0,4}"),
        values in prop::collection::vec(value(), VALUES), number in any::<i32>(), bare in 0..VALUES,
    ) {
        let plan = plan(&path, &header, &body, bare);
        let mut values = values;
        values[bare] = number.to_string();
        let values: Vec<String> = values.into_iter().map(|value| value.replace(char::is_control, "")).collect();
        prop_assume!(are_carried(&plan, &values));
        let request = &plan.requests[1];
        let template = Template::compile(&plan, request, "host", "/base", &Sources::default()).expect("a template");
        let captured: Vec<Option<String>> = values.iter().cloned().map(Some).collect();
        let (mut out, mut scratch) = (Vec::new(), Vec::new());
        template.write_for(Occasion { captured: &captured, ..Occasion::default() }, &mut out, &mut scratch);

        let mut lines = [httparse::EMPTY_HEADER; 8];
        let mut read = httparse::Request::new(&mut lines);
        let end = read.parse(&out).expect("a request").unwrap();
        let content = &out[end..];
        let there: Vec<&str> = read.headers.iter().map(|line| line.name).collect();
        prop_assert_eq!(there, ["Host", "X-V", "Content-Type", "Content-Length"]);
        prop_assert_eq!((read.method, read.version), (Some("POST"), Some(1)));
        prop_assert_eq!(percent_decoded(read.path.expect("a path")), format!("/base/a/{}", meant(&path, &values)));
        // Spaces around a header's value are no part of it.
        let value = std::str::from_utf8(read.headers[1].value).expect("text");
        let wanted = format!("v{}", meant(&header, &values));
        prop_assert_eq!(value.trim_matches(' '), wanted.trim_matches(' '));
        let len = content.len().to_string();
        prop_assert_eq!(read.headers[3].value, len.as_bytes());
        let told: Value = serde_json::from_slice(content).expect("JSON");
        prop_assert_eq!(told, json!({"text": meant(&body, &values), "number": number}));
    }

    #[test]
    fn what_could_end_a_line_is_never_carried(value in value(), at in 0usize..40, control in "[\\x00-\\x1f\\x7f-\\u{9f}]") {
        let mut value: Vec<char> = value.chars().collect();
        value.insert(at.min(value.len()), control.chars().next().expect("a character"));
        prop_assert!(objection(&value.into_iter().collect::<String>()).is_some());
    }
}
