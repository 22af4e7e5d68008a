//! Requests and answers on one connection: one at a time, in order, whatever the client sends ahead.

use rustix::event::epoll::EventFlags;

use crate::answers;
use crate::connection::{Sent, State};
use crate::effects;
use crate::http::{self, Request, Stop, BODY_AT_MOST, HEAD_AT_MOST};
use crate::journey::Arrival;
use crate::model::{Answer, ConnectionRef};
use crate::routing::{Found, Tells};
use crate::server::Server;

/// More than one request of the largest size is not read ahead.
const INBOX_AT_MOST: usize = 2 * (HEAD_AT_MOST + BODY_AT_MOST);

/// What a request deserves before any work is done on it.
enum Judged {
    Refused { route: usize, status: u16 },
    Accepted { route: usize, key: Option<u64> },
}

impl Server {
    /// Something happened on a connection's socket.
    pub(crate) fn attend_connection(&mut self, meant: ConnectionRef, flags: EventFlags) {
        let found = self.connections.get(meant.place as usize).and_then(Option::as_ref);
        if found.is_none_or(|connection| connection.number != meant.number) {
            return;
        }
        if flags.contains(EventFlags::OUT) {
            self.resume(meant.place);
        }
        let ends = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        if ends || flags.contains(EventFlags::IN) {
            self.receive(meant.place, ends);
        }
    }

    fn resume(&mut self, place: u32) {
        let Some(connection) = self.connections[place as usize].as_mut() else {
            return;
        };
        if connection.state == State::Writing {
            match connection.resume() {
                Sent::All => self.answered(place),
                Sent::Part => connection.active_us = self.clock.now_us(),
                Sent::Broken => self.drop_connection(place),
            }
        }
    }

    /// Read what has come, until there is no more (the edge is told once), and when it `ends` until that end.
    fn receive(&mut self, place: u32, ends: bool) {
        let now_us = self.clock.now_us();
        self.platform.advance(now_us);
        let mut scratch = std::mem::take(&mut self.scratch);
        while let Some(connection) = self.connections[place as usize].as_mut() {
            if connection.inbox.len() > INBOX_AT_MOST {
                break;
            }
            match connection.receive(&mut scratch) {
                Ok(Some(0)) => {
                    self.client_is_done(place);
                    break;
                }
                Ok(Some(received)) => {
                    connection.active_us = now_us;
                    self.take_in(place, &scratch[..received]);
                    // Less than there was room for: the socket is empty, another call would only say so.
                    if received < scratch.len() && !ends {
                        break;
                    }
                }
                Ok(None) => break,
                Err(_) => self.drop_connection(place),
            }
        }
        self.scratch = scratch;
    }

    fn client_is_done(&mut self, place: u32) {
        let Some(connection) = self.connections[place as usize].as_mut() else {
            return;
        };
        match connection.state {
            // A client may close its half and still wait for the answer.
            State::Waiting | State::Writing => {
                (connection.client_is_done, connection.closes) = (true, true);
            }
            State::Reading | State::Lingering => self.drop_connection(place),
        }
    }

    fn take_in(&mut self, place: u32, bytes: &[u8]) {
        let Some(connection) = self.connections[place as usize].as_mut() else {
            return;
        };
        if connection.state == State::Lingering {
            return;
        }
        if connection.state == State::Reading && connection.inbox.is_empty() {
            // The usual case, without copying: a whole request in one piece.
            let taken = self.take_request(place, bytes);
            if let Some(connection) = self.connections[place as usize].as_mut() {
                if connection.state != State::Lingering {
                    connection.inbox.extend_from_slice(&bytes[taken..]);
                }
            }
            return;
        }
        connection.inbox.extend_from_slice(bytes);
        if connection.state == State::Reading {
            self.go_on(place);
        }
    }

    /// Take the next request from what has been received already.
    fn go_on(&mut self, place: u32) {
        let Some(connection) = self.connections[place as usize].as_mut() else {
            return;
        };
        let mut inbox = std::mem::take(&mut connection.inbox);
        let taken = self.take_request(place, &inbox);
        if let Some(connection) = self.connections[place as usize].as_mut() {
            if connection.state != State::Lingering {
                inbox.drain(..taken);
                connection.inbox = inbox;
            }
        }
    }

    /// Take one request from the front of `bytes`; how long was it? 0 when it is not all there.
    fn take_request(&mut self, place: u32, bytes: &[u8]) -> usize {
        if bytes.is_empty() {
            return 0;
        }
        match http::parse(bytes) {
            Ok(request) => {
                let judged = self.judge(&request);
                self.accept_request(place, &request, &judged);
                request.length
            }
            Err(Stop::Incomplete { wants_continue }) => {
                if wants_continue {
                    self.bid_continue(place);
                }
                0
            }
            Err(Stop::Refused(status)) => {
                self.refuse(place, status);
                0
            }
        }
    }

    fn accept_request(&mut self, place: u32, request: &Request<'_>, judged: &Judged) {
        let Some(connection) = self.connections[place as usize].as_mut() else {
            return;
        };
        connection.state = State::Waiting;
        connection.continued = false;
        // An answer to HEAD has no body: close, so that nobody reads ours as the next answer.
        connection.closes |= !request.keeps_alive || request.method == "HEAD";
        let answer_to = ConnectionRef { place, number: connection.number };
        let pinned_to = connection.pinned_to;
        match *judged {
            Judged::Refused { route, status } => self.platform.reject(answer_to, route, status),
            Judged::Accepted { route, key } => {
                self.platform.admit(Arrival { connection: answer_to, pinned_to, route, key });
            }
        }
    }

    fn judge(&self, request: &Request<'_>) -> Judged {
        let routes = self.platform.routes();
        let route = match routes.find(request.method, request.path) {
            Found::Route(route) => route,
            Found::OtherMethod => return Judged::Refused { route: routes.unmatched(), status: 405 },
            Found::Nothing => return Judged::Refused { route: routes.unmatched(), status: 404 },
        };
        let asked = routes.at(route);
        if !asked.open && !request.token.is_some_and(|token| self.tokens.knows(token, self.unix_s())) {
            return Judged::Refused { route, status: 401 };
        }
        let body = request.body.bytes();
        let needs_body = asked.is_login || asked.queue.is_some();
        let is_readable = if body.is_empty() { !needs_body } else { is_json(body) };
        if !is_readable || asked.needs.iter().any(|name| !request.has(name)) {
            return Judged::Refused { route, status: 400 };
        }
        if asked.is_login && !self.admits(body) {
            return Judged::Refused { route, status: 401 };
        }
        if matches!(asked.tells, Tells::State(_)) {
            return Judged::Accepted { route, key: effects::key_in(request.path) };
        }
        let key = request.idempotency_key.filter(|_| asked.keyed);
        Judged::Accepted { route, key: key.map(|key| self.fingerprints.of(route, key)) }
    }

    fn unix_s(&self) -> u64 {
        self.clock.unix_s(self.clock.now_us()) as u64
    }

    fn admits(&self, body: &[u8]) -> bool {
        let said: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let agrees = |field: &str, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| said.get(field).and_then(serde_json::Value::as_str) == Some(wanted))
        };
        agrees("username", &self.credentials.username) && agrees("password", &self.credentials.password)
    }

    fn bid_continue(&mut self, place: u32) {
        let Some(connection) = self.connections[place as usize].as_mut() else {
            return;
        };
        if !connection.continued {
            connection.continued = true;
            if connection.send(b"HTTP/1.1 100 Continue\r\n\r\n") != Sent::All {
                self.drop_connection(place);
            }
        }
    }

    /// What a connection sends is no request: say so and close.
    pub(crate) fn refuse(&mut self, place: u32, status: u16) {
        let Some(connection) = self.connections[place as usize].as_mut() else {
            return;
        };
        (connection.state, connection.closes) = (State::Waiting, true);
        let answer_to = ConnectionRef { place, number: connection.number };
        self.platform.reject(answer_to, self.platform.routes().unmatched(), status);
    }

    /// Send an answer, if its client is still there.
    pub(crate) fn answer(&mut self, answer: Answer) {
        let Answer { connection: ConnectionRef { place, number }, route, status, key, .. } = answer;
        let now_unix_s = self.unix_s();
        let Some(connection) = self.connections[place as usize].as_mut().filter(|found| found.number == number) else {
            return;
        };
        connection.answers += 1;
        connection.closes |= connection.answers >= self.requests_at_most
            || connection.pinned_to.is_some_and(|replica| !self.platform.takes_requests(replica));
        let asked = self.platform.routes().at(route);
        let sent = if asked.is_login && status == 200 {
            let lasts_s = self.credentials.token_lasts_s;
            // Seconds are whole: not a moment less than was said.
            let token = self.tokens.give(now_unix_s + lasts_s + 1);
            let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{lasts_s}}}"#);
            connection.send(&answers::whole(200, body.as_bytes(), connection.closes))
        } else if let Some(key) = key.filter(|_| status == asked.status && asked.tells != Tells::Nothing) {
            let body = match asked.tells {
                Tells::State(_) => effects::state_of(key, self.platform.effects_of(key)),
                _ => effects::accepted(key),
            };
            connection.send(&answers::whole(status, body.as_bytes(), connection.closes))
        } else if status == asked.status {
            connection.send(self.book.of_route(route, connection.closes))
        } else {
            connection.send(self.book.of_status(status, connection.closes))
        };
        match sent {
            Sent::All => self.answered(place),
            Sent::Part => connection.state = State::Writing,
            Sent::Broken => self.drop_connection(place),
        }
    }

    /// An answer is written: close, or go on with what the client sent ahead.
    fn answered(&mut self, place: u32) {
        let Some(connection) = self.connections[place as usize].as_mut() else {
            return;
        };
        connection.active_us = self.clock.now_us();
        if connection.client_is_done {
            self.drop_connection(place);
        } else if connection.closes {
            connection.linger();
        } else {
            let was_full = connection.inbox.len() > INBOX_AT_MOST;
            connection.state = State::Reading;
            self.go_on(place);
            if was_full {
                self.receive(place, true);
            }
        }
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}
