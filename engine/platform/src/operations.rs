//! What operators and accidents do to the platform: scale, kill, break, mend.

use crate::faults::{Faults, Names};
use crate::model::{Platform, ScalingStatus, Stage, What};
use crate::queueing::RequestId;
use crate::replicas::ReplicaRef;

/// Why an order was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub problem: String,
    pub is_unknown: bool,
}

impl Platform {
    fn service_named(&self, name: &str) -> Result<usize, Refusal> {
        let found = self.services.iter().position(|service| service.name == name);
        found.ok_or_else(|| Refusal { problem: format!("there is no service {name:?}"), is_unknown: true })
    }

    /// So many replicas should there be.
    ///
    /// # Errors
    /// There is no such service.
    pub fn set_desired(&mut self, name: &str, desired: u32) -> Result<(), Refusal> {
        let service = self.service_named(name)?;
        self.services[service].desired = desired;
        self.reconcile(service);
        Ok(())
    }

    fn reconcile(&mut self, service: usize) {
        self.work_off_queues();
        for (ReplicaRef { place, number }, due_us) in self.services[service].reconcile(self.now_us) {
            self.plan(due_us, What::ReplicaDue { service, place, number });
        }
    }

    /// What the autoscaler beside the platform decided, for its metrics.
    ///
    /// # Errors
    /// There is no such service, or it has no autoscaler.
    pub fn set_scaling(&mut self, name: &str, change: impl FnOnce(&mut ScalingStatus)) -> Result<(), Refusal> {
        let service = self.service_named(name)?;
        let problem = format!("service {name:?} has no autoscaler");
        let status = self.scaling[service].as_mut().ok_or(Refusal { problem, is_unknown: true })?;
        change(status);
        Ok(())
    }

    /// Check faults against this platform's names.
    ///
    /// # Errors
    /// The first field that cannot be meant.
    pub fn check_faults(&self, faults: &Faults) -> Result<(), Refusal> {
        let services: Vec<&str> = self.services.iter().map(|service| service.name.as_str()).collect();
        let queues: Vec<&str> = self.queues.iter().map(|queue| queue.name.as_str()).collect();
        let checked = faults.check(&Names { services: &services, queues: &queues });
        checked.map_err(|(field, problem)| Refusal { problem: format!("`{field}`: {problem}"), is_unknown: false })
    }

    /// These faults, and no others, hold from now on. They were checked.
    pub fn set_faults(&mut self, faults: Faults) {
        self.work_off_queues();
        for index in 0..self.services.len() {
            self.ail(index, &faults);
        }
        for queue in &mut self.queues {
            queue.fate = faults.effects.get(&queue.name).copied().unwrap_or_default();
            queue.speed = faults.queue_speed.get(&queue.name).copied().unwrap_or(1.0);
        }
        self.answer_delay_us = whole(faults.answer_delay_ms * 1000.0);
        self.faults = faults;
    }

    fn ail(&mut self, index: usize, faults: &Faults) {
        let service = &mut self.services[index];
        service.slow = faults.slow.get(&service.name).copied().unwrap_or(1.0);
        service.errors = faults.errors.get(&service.name).copied();
        service.never_ready = faults.never_ready.contains(&service.name);
        service.revive(self.now_us);
        let share = faults.capacity.get(&service.name).copied().unwrap_or(1.0);
        let slots = u32::try_from(whole(f64::from(service.concurrency) * share)).unwrap_or(1).max(1);
        for id in service.resize(slots, self.now_us) {
            self.begin(id, index);
        }
    }

    /// Ready replicas vanish, the oldest first; as many are started anew. Returns how many were there to kill.
    ///
    /// # Errors
    /// There is no such service.
    pub fn kill(&mut self, name: &str, replicas: usize) -> Result<usize, Refusal> {
        let service = self.service_named(name)?;
        let killed = self.services[service].oldest_ready(replicas);
        for &replica in &killed {
            self.vanish(service, replica);
        }
        self.reconcile(service);
        Ok(killed.len())
    }

    /// Draining replicas whose grace period is over are cut off.
    pub(crate) fn expel_overdue(&mut self) {
        for service in 0..self.services.len() {
            for replica in self.services[service].overdue(self.now_us) {
                self.vanish(service, replica);
            }
        }
    }

    fn vanish(&mut self, service: usize, replica: ReplicaRef) {
        self.work_off_queues();
        for id in self.inside(service, replica.place) {
            self.free_database(id);
            if service == self.gateway && self.pinned {
                self.lose(id);
            } else {
                self.fail(id, service);
            }
        }
        self.services[service].remove(replica.place, self.now_us);
        if service == self.gateway && self.pinned {
            self.severed.push(replica);
        }
    }

    /// The requests that a replica has in hand. A gateway replica has them until they are answered.
    fn inside(&self, service: usize, place: u32) -> Vec<RequestId> {
        let is_gateway = service == self.gateway;
        let rows = (0..).zip(&self.requests);
        let inside = rows.filter(|(_, request)| match request.stage {
            Stage::Gone => false,
            _ if is_gateway => request.gateway == place,
            Stage::Service | Stage::Database | Stage::DatabaseQueue => {
                request.replica == place && self.routes.at(request.route).service == service
            }
            Stage::Gateway | Stage::Held { .. } => false,
        });
        inside.map(|(id, _)| id).collect()
    }

    fn free_database(&mut self, id: RequestId) {
        let stage = self.requests[id as usize].stage;
        let Some(pool) = self.database.as_mut() else {
            return;
        };
        let next = match stage {
            Stage::Database => pool.station.leave(),
            Stage::DatabaseQueue => {
                pool.station.forget(id);
                None
            }
            _ => None,
        };
        if let Some(next) = next {
            self.query(next);
        }
    }

    /// Its connection breaks: nobody answers it. What it still holds behind the gateway is let go.
    fn lose(&mut self, id: RequestId) {
        self.let_go(id);
        self.drop_request(id);
    }

    /// A dead replica's request is answered 502 by who sent it there.
    fn fail(&mut self, id: RequestId, dead: usize) {
        if dead == self.gateway {
            self.let_go(id);
        }
        let row = &mut self.requests[id as usize];
        row.generation = row.generation.wrapping_add(1);
        self.finish(id, 502);
    }

    /// A dead gateway's request leaves the service it stands at.
    fn let_go(&mut self, id: RequestId) {
        let request = self.requests[id as usize];
        if !matches!(request.stage, Stage::Service | Stage::Database | Stage::DatabaseQueue) {
            return;
        }
        let service = self.routes.at(request.route).service;
        let Some(station) = self.services[service].station(request.replica) else {
            return;
        };
        let before = station.load();
        station.forget(id);
        if station.load() == before {
            self.release(service, request.replica);
        }
    }

    /// Connect a client to a gateway replica; `None` when none is ready.
    pub fn connect(&mut self) -> Option<ReplicaRef> {
        self.services[self.gateway].connect()
    }

    /// A client's connection is closed.
    pub fn disconnect(&mut self, replica: ReplicaRef) {
        self.services[self.gateway].disconnect(replica);
    }

    /// Does this gateway replica still take requests?
    #[must_use]
    pub fn takes_requests(&self, replica: ReplicaRef) -> bool {
        self.services[self.gateway].is_ready(replica)
    }

    /// Are connections pinned to a gateway replica?
    #[must_use]
    pub fn pins_connections(&self) -> bool {
        self.pinned
    }

    pub(crate) fn work_off_queues(&mut self) {
        for index in 0..self.queues.len() {
            self.work_off(index);
        }
    }

    /// Bring a queue up to now. Waiting for something slow (`speed`) does not keep a worker's slots busy; being slow does.
    #[allow(clippy::cast_precision_loss)] // few replicas, few commands at a time
    pub(crate) fn work_off(&mut self, index: usize) {
        let queue = &mut self.queues[index];
        let worker = &mut self.services[queue.worker];
        let per_replica_rps =
            queue.per_replica_rps / worker.slow * f64::from(worker.slots) / f64::from(worker.concurrency);
        let done = queue.work_off(self.now_us, per_replica_rps * queue.speed * worker.ready() as f64);
        if done > 0 {
            worker.usage.count(done);
            worker.usage.add_busy_us(whole(done as f64 * f64::from(worker.slots) * 1e6 / per_replica_rps));
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // never negative; checked ranges
fn whole(number: f64) -> u64 {
    number.round() as u64
}
