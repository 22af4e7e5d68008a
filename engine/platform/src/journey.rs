//! A request's way through the platform: gateway, service, database, and back.

use rand::RngExt;

use crate::effects::Command;
use crate::faults::{Errors, Fate};
use crate::model::{Answer, ConnectionRef, Platform, Request, Stage, What};
use crate::queueing::{Entry, RequestId};
use crate::replicas::ReplicaRef;
use crate::routing::Tells;

/// A request as the server hands it over.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    pub connection: ConnectionRef,
    /// The gateway replica the connection is pinned to.
    pub pinned_to: Option<ReplicaRef>,
    pub route: usize,
    /// The fingerprint of its idempotency key.
    pub key: Option<u64>,
}

impl Platform {
    /// A request comes in now.
    pub fn admit(&mut self, arrival: Arrival) {
        let pinned = arrival.pinned_to.filter(|&replica| self.services[self.gateway].at(replica).is_some());
        let gateway =
            pinned.map(|replica| replica.place).or_else(|| self.services[self.gateway].pick(&mut self.random));
        let Some(gateway) = gateway else {
            self.reject(arrival.connection, arrival.route, 503);
            return;
        };
        let id = self.store(arrival, gateway);
        self.enter(id, self.gateway, gateway);
    }

    /// Answer at once, without work: what is wrong with the request shows on its face.
    pub fn reject(&mut self, connection: ConnectionRef, route: usize, status: u16) {
        let arrived_us = self.now_us;
        self.services[self.gateway].usage.count(1);
        self.answers.push(Answer { connection, route, status, arrived_us, key: None });
    }

    fn store(&mut self, arrival: Arrival, gateway: u32) -> RequestId {
        let row = Request {
            generation: 0,
            stage: Stage::Gateway,
            connection: arrival.connection,
            route: arrival.route,
            gateway,
            replica: 0,
            arrived_us: self.now_us,
            reached_service_us: 0,
            key: arrival.key,
            database_calls: self.routes.at(arrival.route).database_calls,
        };
        if let Some(id) = self.free.pop() {
            let generation = self.requests[id as usize].generation;
            self.requests[id as usize] = Request { generation, ..row };
            return id;
        }
        self.requests.push(row);
        u32::try_from(self.requests.len() - 1).unwrap_or(u32::MAX)
    }

    /// A request comes to a replica.
    fn enter(&mut self, id: RequestId, service: usize, place: u32) {
        match self.services[service].station(place).map_or(Entry::Full, |station| station.enter(id)) {
            Entry::Begins => self.begin(id, service),
            Entry::Waits => {}
            Entry::Full if service == self.gateway => self.finish(id, 503),
            Entry::Full => self.served(id, service, 503),
        }
    }

    /// A slot works on it from now on.
    pub(crate) fn begin(&mut self, id: RequestId, service: usize) {
        let deployment = &mut self.services[service];
        deployment.usage.begin(self.now_us);
        let drawn_us = deployment.time.as_ref().map_or(0.0, |time| time.draw_us(&mut self.random));
        let takes_us = whole_us(drawn_us * deployment.slow);
        self.work(id, takes_us);
    }

    fn work(&mut self, id: RequestId, takes_us: u64) {
        let generation = self.requests[id as usize].generation;
        self.plan(self.now_us + takes_us, What::Work { id, generation });
    }

    /// What was being done to a request is done.
    pub(crate) fn work_ends(&mut self, id: RequestId) {
        let request = self.requests[id as usize];
        match request.stage {
            Stage::Gateway => self.gateway_done(id, request),
            Stage::Service => self.call_database(id, request),
            Stage::Database => self.database_done(id, request),
            Stage::Held { status } => self.send(id, status),
            Stage::DatabaseQueue | Stage::Gone => {}
        }
    }

    fn gateway_done(&mut self, id: RequestId, request: Request) {
        self.release(self.gateway, request.gateway);
        let service = self.routes.at(request.route).service;
        if let Some(status) = self.mistake(self.gateway) {
            self.finish(id, status);
        } else if service == self.gateway {
            let status = self.carry_out(request);
            self.finish(id, status);
        } else if let Some(place) = self.services[service].pick(&mut self.random) {
            let stored = &mut self.requests[id as usize];
            (stored.stage, stored.replica, stored.reached_service_us) = (Stage::Service, place, self.now_us);
            self.enter(id, service, place);
        } else {
            self.finish(id, 503);
        }
    }

    fn call_database(&mut self, id: RequestId, request: Request) {
        let Some(pool) = self.database.as_mut().filter(|_| request.database_calls > 0) else {
            self.service_done(id, request);
            return;
        };
        if pool.station.enter(id) == Entry::Begins {
            self.query(id);
        } else {
            self.requests[id as usize].stage = Stage::DatabaseQueue;
        }
    }

    /// A database connection works for it from now on.
    pub(crate) fn query(&mut self, id: RequestId) {
        let Some(pool) = &self.database else { return };
        let takes_us = whole_us(pool.time.draw_us(&mut self.random));
        self.requests[id as usize].stage = Stage::Database;
        self.work(id, takes_us);
    }

    fn database_done(&mut self, id: RequestId, request: Request) {
        if let Some(next) = self.database.as_mut().and_then(|pool| pool.station.leave()) {
            self.query(next);
        }
        let stored = &mut self.requests[id as usize];
        stored.database_calls -= 1;
        self.call_database(id, Request { database_calls: request.database_calls - 1, ..request });
    }

    fn service_done(&mut self, id: RequestId, request: Request) {
        let service = self.routes.at(request.route).service;
        self.release(service, request.replica);
        let status = self.mistake(service).unwrap_or_else(|| self.carry_out(request));
        self.served(id, service, status);
    }

    /// A replica's slot is free: the next in its queue begins.
    pub(crate) fn release(&mut self, service: usize, place: u32) {
        let deployment = &mut self.services[service];
        deployment.usage.end(self.now_us, 1);
        let next = deployment.station(place).and_then(super::queueing::Station::leave);
        match next {
            Some(next) => self.begin(next, service),
            None => self.services[service].sweep(place),
        }
    }

    /// Does a fault make this service answer wrongly?
    fn mistake(&mut self, service: usize) -> Option<u16> {
        let Errors { ratio, status } = self.services[service].errors?;
        (self.random.random::<f64>() < ratio).then_some(status)
    }

    /// Do what the request asks for; its status.
    fn carry_out(&mut self, request: Request) -> u16 {
        let route = self.routes.at(request.route);
        let (status, queue, tells) = (route.status, route.queue, route.tells);
        if let Tells::State(queue) = tells {
            self.work_off(queue);
            return if self.command(queue, request.key).is_some() { status } else { 404 };
        }
        let is_new = request.key.is_none_or(|key| self.keys.is_new(key));
        if let Some(queue) = queue {
            self.work_off(queue);
            if is_new {
                self.queues[queue].accept(self.now_us);
                if let Some(key) = request.key.filter(|_| tells == Tells::Name) {
                    self.note(queue, key);
                }
            } else {
                self.queues[queue].repeat();
            }
        } else if !is_new {
            self.counts.repeated += 1;
        }
        status
    }

    /// Remember a command that was just accepted: clients may ask after it.
    fn note(&mut self, queue: usize, key: u64) {
        let Fate { lost, repeated } = self.queues[queue].fate;
        let drawn = self.random.random::<f64>();
        let times = if drawn < lost { 0 } else { 1 + u8::from(drawn < lost + repeated) };
        let (place, _, _) = self.queues[queue].totals();
        self.effects.note(key, Command { queue: numbered(queue), place, times });
    }

    fn command(&self, queue: usize, key: Option<u64>) -> Option<Command> {
        self.effects.find(key?).filter(|command| command.queue == numbered(queue))
    }

    /// How often the command under this key has taken effect by now.
    #[must_use]
    pub fn effects_of(&self, key: u64) -> u8 {
        let command = self.effects.find(key);
        command.map_or(0, |command| {
            let (_, done, _) = self.queues[command.queue as usize].totals();
            if done >= command.place {
                command.times
            } else {
                0
            }
        })
    }

    fn served(&mut self, id: RequestId, service: usize, status: u16) {
        let request = self.requests[id as usize];
        self.counts.inner_answer(service, request.route, status, self.now_us - request.reached_service_us);
        self.services[service].usage.count(1);
        self.finish(id, status);
    }

    /// The platform is done with it: answer, or hold the answer back.
    pub(crate) fn finish(&mut self, id: RequestId, status: u16) {
        if self.answer_delay_us == 0 {
            self.send(id, status);
        } else {
            self.requests[id as usize].stage = Stage::Held { status };
            self.work(id, self.answer_delay_us);
        }
    }

    fn send(&mut self, id: RequestId, status: u16) {
        let Request { connection, route, arrived_us, key, .. } = self.requests[id as usize];
        self.services[self.gateway].usage.count(1);
        self.answers.push(Answer { connection, route, status, arrived_us, key });
        self.drop_request(id);
    }

    /// Its row is free for another; whatever was planned for it means nothing.
    pub(crate) fn drop_request(&mut self, id: RequestId) {
        let row = &mut self.requests[id as usize];
        row.generation = row.generation.wrapping_add(1);
        row.stage = Stage::Gone;
        self.free.push(id);
    }
}

/// A queue's number in few bytes: a configuration has a handful.
fn numbered(queue: usize) -> u32 {
    u32::try_from(queue).unwrap_or(u32::MAX)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a drawn time is positive and short
fn whole_us(us: f64) -> u64 {
    us.round() as u64
}
