//! Bearer tokens, got before the load begins. What goes wrong is told without the token or the credentials.

use std::io::ErrorKind;
use std::time::Duration;

use crate::clock::now_ns;
use crate::once::{once, Unanswered};
use crate::plan::{Login, Plan, Request};
use crate::target::Target;
use crate::template::{Sources, Template};

const ANSWER_LIMIT: usize = 1 << 20;
/// Every request carries one: no server takes a longer header.
const LONGEST_TOKEN: usize = 16 * 1024;

/// A token that was got.
#[derive(Debug, Clone)]
pub struct Granted {
    pub token: String,
    /// How long it is good for, when the plan says where the answer tells.
    pub life_ns: Option<u64>,
    /// When it was asked for, on the monotonic clock.
    pub at_ns: u64,
}

/// Somebody who can log in.
#[derive(Debug)]
pub struct Door {
    login: Login,
    target: Target,
    template: Template,
}

impl Door {
    /// Make the login of a plan ready.
    pub fn of(plan: &Plan, login: &Login, target: &Target) -> Result<Self, String> {
        Ok(Self { login: login.clone(), target: target.clone(), template: template(plan, login, target)? })
    }

    /// Log in as often as the plan says; the tokens in order.
    pub fn all(&self) -> Result<Vec<Granted>, String> {
        (0..self.login.tokens).map(|number| self.one(number as u64)).collect()
    }

    /// Log in for the token of this number.
    pub fn one(&self, number: u64) -> Result<Granted, String> {
        one(&self.template, &self.login, &self.target, number)
    }
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

fn one(template: &Template, login: &Login, target: &Target, number: u64) -> Result<Granted, String> {
    let at_ns = now_ns();
    let (mut bytes, mut scratch) = (Vec::new(), Vec::new());
    template.write(number, &mut bytes, &mut scratch);
    let told = |what: &dyn std::fmt::Display| format!("the login at {} failed: {what}", login.path);
    let timeout = Duration::from_micros(login.timeout_us);
    let answer = once(target, &bytes, false, ANSWER_LIMIT, timeout).map_err(|why| match why {
        Unanswered::Late => told(&"no answer in time"),
        Unanswered::Broken(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            told(&"no answer in time")
        }
        Unanswered::Broken(error) => told(&error),
        Unanswered::Wrong(fault) => told(&format!("{fault:?} answer")),
        Unanswered::Closed => told(&std::io::Error::from(ErrorKind::UnexpectedEof)),
    })?;
    if !login.expect.contains(&answer.status) {
        return Err(told(&format!("status {}", answer.status)));
    }
    let answer: serde_json::Value = serde_json::from_slice(&answer.body).map_err(|_| told(&"the answer is no JSON"))?;
    let Some(serde_json::Value::String(token)) = answer.pointer(&login.token_pointer) else {
        return Err(told(&format!("the answer has no text at {:?}", login.token_pointer)));
    };
    if token.is_empty() || token.len() > LONGEST_TOKEN || token.chars().any(char::is_control) {
        return Err(told(&format!("the text at {:?} is no token", login.token_pointer)));
    }
    let life_ns = life_ns(login, &answer).map_err(|what| told(&what))?;
    Ok(Granted { token: token.clone(), life_ns, at_ns })
}

/// How long the answer says that its token is good for; None when nobody asks.
fn life_ns(login: &Login, answer: &serde_json::Value) -> Result<Option<u64>, String> {
    let Some(pointer) = login.refresh.as_ref().and_then(|refresh| refresh.expires_pointer.as_ref()) else {
        return Ok(None);
    };
    let seconds = match answer.pointer(pointer) {
        Some(serde_json::Value::String(text)) => text.parse().ok(),
        other => other.and_then(serde_json::Value::as_f64),
    };
    match seconds.filter(|seconds| *seconds > 0.0) {
        Some(seconds) => Ok(Some((seconds * 1e9) as u64)),
        None => Err(format!("the answer has no number of seconds above 0 at {pointer:?}")),
    }
}
