//! Bearer tokens, got before the load begins. What goes wrong is told without the token or the credentials.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::codec::read_blocking;
use crate::plan::{Login, Plan, Request};
use crate::target::Target;
use crate::template::{Sources, Template};

const ANSWER_LIMIT: usize = 1 << 20;

/// Log in as often as the plan says; the tokens in order.
pub fn tokens(plan: &Plan, login: &Login, target: &Target) -> Result<Vec<String>, String> {
    let template = template(plan, login, target)?;
    (0..login.tokens).map(|number| one(&template, login, target, number as u64)).collect()
}

fn template(plan: &Plan, login: &Login, target: &Target) -> Result<Template, String> {
    let request = Request {
        name: "login".into(),
        weight: 1.0,
        method: login.method.clone(),
        path: vec![crate::plan::Piece::Fixed(login.path.clone())],
        headers: login.headers.clone(),
        body: Some(login.body.clone()),
        expect: login.expect.clone(),
        checks: Vec::new(),
        timeout_us: login.timeout_us,
        captures: Vec::new(),
        poll: None,
    };
    Template::compile(plan, &request, &target.host_header, &target.base_path, &Sources::default())
        .map_err(|wrong| wrong.to_string())
}

fn one(template: &Template, login: &Login, target: &Target, number: u64) -> Result<String, String> {
    let (mut bytes, mut scratch) = (Vec::new(), Vec::new());
    template.write(number, &mut bytes, &mut scratch);
    let told = |what: &dyn std::fmt::Display| format!("the login at {} failed: {what}", login.path);
    let timeout = Duration::from_micros(login.timeout_us);
    let give_up = Instant::now() + timeout;
    let mut stream = target.blocking(timeout).map_err(|error| told(&error))?;
    stream.write_all(&bytes).map_err(|error| told(&error))?;
    let (answer, body) = read_blocking(&mut stream, ANSWER_LIMIT, give_up).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => told(&"no answer in time"),
        _ => told(&error),
    })?;
    if !login.expect.contains(&answer.status) {
        return Err(told(&format!("status {}", answer.status)));
    }
    let answer: serde_json::Value = serde_json::from_slice(&body).map_err(|_| told(&"the answer is no JSON"))?;
    match answer.pointer(&login.token_pointer) {
        Some(serde_json::Value::String(token)) if !token.is_empty() => Ok(token.clone()),
        _ => Err(told(&format!("the answer has no text at {:?}", login.token_pointer))),
    }
}
