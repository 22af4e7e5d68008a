//! The platform as a discrete-event queueing model: what is where, and what happens next. It knows no sockets and no clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::rngs::SmallRng;
use rand::SeedableRng;

use crate::config::Config;
use crate::counts::Counts;
use crate::effects::{Effects, REMEMBERED};
use crate::faults::Faults;
use crate::idempotency::SeenKeys;
use crate::queueing::{RequestId, Station};
use crate::queues::CommandQueue;
use crate::replicas::{Deployment, ReplicaRef};
use crate::routing::RouteTable;
use crate::times::ServiceTime;

/// A client's connection, as the server numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConnectionRef {
    pub place: u32,
    pub number: u32,
}

/// A request has been worked on: answer it on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    pub connection: ConnectionRef,
    pub route: usize,
    pub status: u16,
    pub arrived_us: u64,
    /// Of a command: the fingerprint of its key.
    pub key: Option<u64>,
}

/// Where a request is and whose work on it ends next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Gateway,
    Service,
    DatabaseQueue,
    Database,
    /// Done; its answer is held back by a fault.
    Held {
        status: u16,
    },
    /// Not a request: this row of the table is free.
    Gone,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    /// How often this row was used: an event of an earlier request means nothing.
    pub generation: u32,
    pub stage: Stage,
    pub connection: ConnectionRef,
    pub route: usize,
    pub gateway: u32,
    pub replica: u32,
    pub arrived_us: u64,
    pub reached_service_us: u64,
    pub key: Option<u64>,
    pub database_calls: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Work { id: RequestId, generation: u32 },
    ReplicaDue { service: usize, place: u32, number: u32 },
    Second,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    at_us: u64,
    /// Events of one instant happen in the order they were planned.
    order: u64,
    what: What,
}

/// The shared pool and how long a call takes.
#[derive(Debug)]
pub(crate) struct Pool {
    pub station: Station,
    pub time: ServiceTime,
}

/// The last word of the autoscaler beside the platform about one service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScalingStatus {
    pub metric: String,
    pub desired: u32,
    pub current_metric: Option<f64>,
    pub target_metric: f64,
    pub conditions: Vec<Condition>,
}

/// An HPA condition, with the reason the API gives.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    pub message: String,
}

/// The whole platform. Time only moves by `advance`; every other call means the instant it has reached.
#[derive(Debug)]
pub struct Platform {
    pub(crate) now_us: u64,
    pub(crate) random: SmallRng,
    pub(crate) routes: RouteTable,
    pub(crate) services: Vec<Deployment>,
    pub(crate) gateway: usize,
    pub(crate) pinned: bool,
    pub(crate) database: Option<Pool>,
    pub(crate) queues: Vec<CommandQueue>,
    pub(crate) requests: Vec<Request>,
    pub(crate) free: Vec<RequestId>,
    pub(crate) counts: Counts,
    pub(crate) keys: SeenKeys,
    pub(crate) effects: Effects,
    pub(crate) faults: Faults,
    pub(crate) answer_delay_us: u64,
    pub(crate) scaling: Vec<Option<ScalingStatus>>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) severed: Vec<ReplicaRef>,
    events: BinaryHeap<Reverse<Event>>,
    planned: u64,
}

impl Platform {
    /// From a checked configuration, at instant 0.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let routes = RouteTable::new(config);
        let place = |name: &str| config.services.iter().position(|service| service.name == name).unwrap_or_default();
        let queues = config.queues.iter();
        let mut platform = Self {
            now_us: 0,
            random: SmallRng::seed_from_u64(config.seed),
            services: config.services.iter().map(Deployment::new).collect(),
            gateway: place(&config.gateway),
            pinned: config.connections.pinned,
            database: config.database.as_ref().map(|database| Pool {
                station: Station::new(database.connections, usize::MAX),
                time: ServiceTime::new(&database.time_ms),
            }),
            queues: queues
                .map(|queue| CommandQueue::new(queue.name.clone(), place(&queue.service), queue.per_replica_rps))
                .collect(),
            requests: Vec::new(),
            free: Vec::new(),
            counts: Counts::new(routes.len(), config.services.len()),
            keys: SeenKeys::new(config.idempotency.remember_keys),
            effects: Effects::new(REMEMBERED),
            faults: Faults::default(),
            answer_delay_us: 0,
            scaling: config.services.iter().map(first_status).collect(),
            answers: Vec::new(),
            severed: Vec::new(),
            events: BinaryHeap::new(),
            planned: 0,
            routes,
        };
        platform.set_faults(config.faults.clone());
        platform.plan(1_000_000, What::Second);
        platform
    }

    pub(crate) fn plan(&mut self, at_us: u64, what: What) {
        self.planned += 1;
        self.events.push(Reverse(Event { at_us, order: self.planned, what }));
    }

    /// When something happens next.
    #[must_use]
    pub fn next_us(&self) -> Option<u64> {
        self.events.peek().map(|Reverse(event)| event.at_us)
    }

    /// Let everything happen that is due by `now_us`, in order.
    pub fn advance(&mut self, now_us: u64) {
        while let Some(&Reverse(event)) = self.events.peek() {
            if event.at_us > now_us {
                break;
            }
            self.events.pop();
            self.now_us = self.now_us.max(event.at_us);
            self.happen(event.what);
        }
        self.now_us = self.now_us.max(now_us);
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Work { id, generation } => {
                if self.requests[id as usize].generation == generation {
                    self.work_ends(id);
                }
            }
            What::ReplicaDue { service, place, number } => {
                self.work_off_queues();
                self.services[service].make_ready(ReplicaRef { place, number }, self.now_us);
            }
            What::Second => self.second_passes(),
        }
    }

    fn second_passes(&mut self) {
        self.work_off_queues();
        for service in &mut self.services {
            service.usage.mark(self.now_us);
        }
        self.expel_overdue();
        self.plan(self.now_us + 1_000_000, What::Second);
    }

    /// Take the answers that are ready, in the order they became so. They leave now, and so are counted now: waiting
    /// for the grid, a freeze or a machine that is too busy are part of the time in the platform.
    pub fn take_answers(&mut self, into: &mut Vec<Answer>) {
        for answer in &self.answers {
            let duration_us = self.now_us - answer.arrived_us;
            let counts = &mut self.counts;
            counts.answer(self.gateway, answer.route, answer.status, duration_us);
        }
        into.append(&mut self.answers);
    }

    /// Are there answers to take?
    #[must_use]
    pub fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Gateway replicas that vanished: their connections break.
    pub fn take_severed(&mut self) -> Vec<ReplicaRef> {
        std::mem::take(&mut self.severed)
    }

    /// Requests inside the platform.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.requests.len() - self.free.len()
    }

    /// The routes, for whoever reads requests.
    #[must_use]
    pub fn routes(&self) -> &RouteTable {
        &self.routes
    }
}

fn first_status(service: &crate::config::Service) -> Option<ScalingStatus> {
    service.autoscaler.as_ref().map(|autoscaler| ScalingStatus {
        metric: autoscaler.metric.name().to_owned(),
        desired: service.started(),
        current_metric: None,
        target_metric: autoscaler.target,
        conditions: Vec::new(),
    })
}
