//! What can be seen of the platform from outside at one instant: for its metrics and its admin's state.

use crate::counts::Counts;
use crate::model::{Platform, ScalingStatus};
use crate::replicas::Phase;

/// One service.
#[derive(Debug, Clone)]
pub struct ServiceView {
    pub name: String,
    pub min: u32,
    pub max: u32,
    pub desired: u32,
    pub ready: usize,
    pub starting: usize,
    pub concurrency: u32,
    pub busy_ratio_15s: f64,
    pub requests_per_second_15s: f64,
    pub requests_total: u64,
    pub pods: Vec<PodView>,
    pub scaling: Option<ScalingStatus>,
}

/// One replica that is not on its way out.
#[derive(Debug, Clone, Copy)]
pub struct PodView {
    pub number: u32,
    pub created_us: u64,
    pub ready_us: Option<u64>,
}

/// One command queue.
#[derive(Debug, Clone)]
pub struct QueueView {
    pub name: String,
    pub service: String,
    pub depth: u64,
    pub oldest_us: u64,
    pub accepted: u64,
    pub done: u64,
    pub repeated: u64,
}

/// The whole platform at one instant.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub now_us: u64,
    pub services: Vec<ServiceView>,
    pub gateway: usize,
    pub queues: Vec<QueueView>,
    pub counts: Counts,
    pub database_busy: u32,
    pub database_connections: u32,
    pub in_flight: usize,
    /// Clients' connections; the server knows them, the model does not.
    pub connections_open: usize,
    pub connections_at_most: usize,
}

impl Platform {
    /// Look at everything, now.
    pub fn look(&mut self) -> Snapshot {
        self.work_off_queues();
        let services = (0..self.services.len()).map(|index| self.look_at(index)).collect();
        let queues = self.queues.iter().map(|queue| {
            let (accepted, done, repeated) = queue.totals();
            QueueView {
                name: queue.name.clone(),
                service: self.services[queue.worker].name.clone(),
                depth: queue.depth(),
                oldest_us: queue.oldest_us(self.now_us),
                accepted,
                done,
                repeated,
            }
        });
        Snapshot {
            now_us: self.now_us,
            services,
            gateway: self.gateway,
            queues: queues.collect(),
            counts: self.counts.clone(),
            database_busy: self.database.as_ref().map_or(0, |pool| pool.station.busy()),
            database_connections: self.database.as_ref().map_or(0, |pool| pool.station.slots()),
            in_flight: self.in_flight(),
            connections_open: 0,
            connections_at_most: 0,
        }
    }

    fn look_at(&mut self, index: usize) -> ServiceView {
        let now_us = self.now_us;
        let service = &mut self.services[index];
        let (busy_ratio_15s, requests_per_second_15s) =
            (service.usage.busy_ratio(now_us), service.usage.requests_per_second(now_us));
        let pods: Vec<PodView> = service.places().filter_map(|(_, replica)| pod(replica)).collect();
        ServiceView {
            name: service.name.clone(),
            min: service.min,
            max: service.max,
            desired: service.desired,
            ready: service.ready(),
            starting: pods.iter().filter(|pod| pod.ready_us.is_none()).count(),
            concurrency: service.concurrency,
            busy_ratio_15s,
            requests_per_second_15s,
            requests_total: service.usage.requests(),
            pods,
            scaling: self.scaling[index].clone(),
        }
    }
}

fn pod(replica: &crate::replicas::Replica) -> Option<PodView> {
    let ready_us = match replica.phase {
        Phase::Draining { .. } => return None,
        Phase::Starting { .. } => None,
        Phase::Ready { since_us } => Some(since_us),
    };
    Some(PodView { number: replica.number, created_us: replica.created_us, ready_us })
}
