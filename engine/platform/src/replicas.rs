//! A service's replicas: starting, ready, draining; which of them a request goes to; how many there should be.

use rand::rngs::SmallRng;
use rand::RngExt;

use crate::config::Service;
use crate::faults::Errors;
use crate::queueing::Station;
use crate::times::ServiceTime;
use crate::usage::Usage;

/// A stopped replica may finish and keep its connections so long (Kubernetes' default grace period).
pub const GRACE_US: u64 = 30_000_000;

/// One replica for as long as it lives: its place in the table and its number, which is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplicaRef {
    pub place: u32,
    pub number: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Ready at this instant, unless something keeps it from becoming so.
    Starting {
        due_us: u64,
    },
    Ready {
        since_us: u64,
    },
    /// Takes nothing new; finishes what it has until this instant.
    Draining {
        until_us: u64,
    },
}

/// One pod.
#[derive(Debug, Clone)]
pub struct Replica {
    pub number: u32,
    pub phase: Phase,
    pub created_us: u64,
    pub station: Station,
    /// Connections pinned to it (gateway only).
    pub connections: u32,
}

/// A service as Kubernetes runs it.
#[derive(Debug)]
pub struct Deployment {
    pub name: String,
    pub min: u32,
    pub max: u32,
    pub desired: u32,
    pub concurrency: u32,
    pub usage: Usage,
    pub time: Option<ServiceTime>,
    /// Faults, as they hold now.
    pub slow: f64,
    pub errors: Option<Errors>,
    pub never_ready: bool,
    /// Slots a replica has now: `concurrency`, or fewer by a fault.
    pub slots: u32,
    room: usize,
    ready_after_us: u64,
    replicas: Vec<Option<Replica>>,
    ready: Vec<u32>,
    /// Whose turn it is to get a connection.
    turn: usize,
    next_number: u32,
}

impl Deployment {
    /// With the replicas of the configuration ready at once.
    #[must_use]
    pub fn new(service: &Service) -> Self {
        let mut deployment = Self {
            name: service.name.clone(),
            min: service.min,
            max: service.max,
            desired: service.started(),
            concurrency: service.concurrency,
            usage: Usage::default(),
            time: service.time_ms.as_ref().map(ServiceTime::new),
            slow: 1.0,
            errors: None,
            never_ready: false,
            slots: service.concurrency,
            room: service.queue,
            ready_after_us: micros(service.ready_after_s),
            replicas: Vec::new(),
            ready: Vec::new(),
            turn: 0,
            next_number: 0,
        };
        for _ in 0..deployment.desired {
            let replica = deployment.create(0, 0);
            deployment.make_ready(replica, 0);
        }
        deployment
    }

    /// Start and stop replicas until there are as many as desired. Returns who will be ready when.
    pub fn reconcile(&mut self, now_us: u64) -> Vec<(ReplicaRef, u64)> {
        let mut started = Vec::new();
        while self.alive() < self.desired as usize {
            let due_us = now_us + self.ready_after_us;
            started.push((self.create(now_us, due_us), due_us));
        }
        while self.alive() > self.desired as usize {
            self.stop_youngest(now_us);
        }
        started
    }

    fn create(&mut self, now_us: u64, due_us: u64) -> ReplicaRef {
        let number = self.next_number;
        self.next_number += 1;
        let station = Station::new(self.slots, self.room);
        let replica =
            Replica { number, phase: Phase::Starting { due_us }, created_us: now_us, station, connections: 0 };
        let free = self.replicas.iter().position(Option::is_none);
        let place = free.unwrap_or_else(|| {
            self.replicas.push(None);
            self.replicas.len() - 1
        });
        self.replicas[place] = Some(replica);
        ReplicaRef { place: narrow(place), number }
    }

    /// A starting replica's time has come. Not when a fault keeps it from it; `revive` tries again.
    pub fn make_ready(&mut self, replica: ReplicaRef, now_us: u64) {
        let never = self.never_ready;
        let Some(found) = self.at(replica) else {
            return;
        };
        if !never && matches!(found.phase, Phase::Starting { .. }) {
            found.phase = Phase::Ready { since_us: now_us };
            self.ready.push(replica.place);
            self.usage.offer(now_us, self.ready.len(), self.slots);
        }
    }

    /// The fault that kept replicas from becoming ready is mended: those whose time has passed are ready now.
    pub fn revive(&mut self, now_us: u64) {
        let overdue: Vec<ReplicaRef> = self
            .places()
            .filter(|(_, replica)| matches!(replica.phase, Phase::Starting { due_us } if due_us <= now_us))
            .map(|(place, replica)| ReplicaRef { place, number: replica.number })
            .collect();
        for replica in overdue {
            self.make_ready(replica, now_us);
        }
    }

    fn stop_youngest(&mut self, now_us: u64) {
        let waiting = |replica: &Replica| matches!(replica.phase, Phase::Starting { .. });
        let alive = self.places().filter(|(_, replica)| !matches!(replica.phase, Phase::Draining { .. }));
        let youngest = alive.max_by_key(|(_, replica)| (waiting(replica), replica.number)).map(|(place, _)| place);
        let Some(place) = youngest else { return };
        self.withdraw(place, now_us);
        if let Some(replica) = self.replicas[place as usize].as_mut() {
            replica.phase = Phase::Draining { until_us: now_us + GRACE_US };
        }
        self.sweep(place);
    }

    fn withdraw(&mut self, place: u32, now_us: u64) {
        self.ready.retain(|&ready| ready != place);
        self.usage.offer(now_us, self.ready.len(), self.slots);
    }

    /// A draining replica with nothing left to do is gone.
    pub fn sweep(&mut self, place: u32) {
        let idle = |replica: &Replica| {
            matches!(replica.phase, Phase::Draining { .. }) && replica.station.load() == 0 && replica.connections == 0
        };
        if self.replicas[place as usize].as_ref().is_some_and(idle) {
            self.replicas[place as usize] = None;
        }
    }

    /// A replica vanishes with all that is in it.
    pub fn remove(&mut self, place: u32, now_us: u64) {
        self.withdraw(place, now_us);
        if let Some(replica) = self.replicas[place as usize].take() {
            self.usage.end(now_us, replica.station.busy());
        }
    }

    /// Change the slots of every replica. Returns whose work begins at once.
    pub fn resize(&mut self, slots: u32, now_us: u64) -> Vec<u32> {
        self.slots = slots;
        self.usage.offer(now_us, self.ready.len(), slots);
        let replicas = self.replicas.iter_mut().flatten();
        replicas.flat_map(|replica| replica.station.resize(slots)).collect()
    }

    /// The less loaded of two ready replicas drawn at random, as service meshes choose.
    pub fn pick(&self, random: &mut SmallRng) -> Option<u32> {
        let many = self.ready.len();
        if many <= 1 {
            return self.ready.first().copied();
        }
        let (first, second) = (random.random_range(0..many), random.random_range(0..many - 1));
        let second = if second >= first { second + 1 } else { second };
        let (first, second) = (self.ready[first], self.ready[second]);
        let load =
            |place: u32| self.replicas[place as usize].as_ref().map_or(usize::MAX, |replica| replica.station.load());
        Some(if load(second) < load(first) { second } else { first })
    }

    /// The next ready replica in turn gets one more connection. (Not the one with the fewest: after a scale-up all the
    /// busy connections would move to the new replicas, and the old ones would keep the idle ones.)
    pub fn connect(&mut self) -> Option<ReplicaRef> {
        let place = *self.ready.get(self.turn % self.ready.len().max(1))?;
        self.turn = self.turn.wrapping_add(1);
        let replica = self.replicas[place as usize].as_mut()?;
        replica.connections += 1;
        Some(ReplicaRef { place, number: replica.number })
    }

    /// A connection is closed.
    pub fn disconnect(&mut self, replica: ReplicaRef) {
        if let Some(found) = self.at(replica) {
            found.connections -= 1;
            self.sweep(replica.place);
        }
    }

    /// A replica, if it is still the one that was meant.
    pub fn at(&mut self, replica: ReplicaRef) -> Option<&mut Replica> {
        let found = self.replicas.get_mut(replica.place as usize)?.as_mut()?;
        (found.number == replica.number).then_some(found)
    }

    /// The station at a place; a place a request stands at is never empty.
    pub fn station(&mut self, place: u32) -> Option<&mut Station> {
        self.replicas[place as usize].as_mut().map(|replica| &mut replica.station)
    }

    /// Does it take requests?
    #[must_use]
    pub fn is_ready(&self, replica: ReplicaRef) -> bool {
        let found = self.replicas.get(replica.place as usize).and_then(Option::as_ref);
        found.is_some_and(|found| found.number == replica.number && matches!(found.phase, Phase::Ready { .. }))
    }

    /// Replicas and where they are.
    pub fn places(&self) -> impl Iterator<Item = (u32, &Replica)> {
        (0..).zip(&self.replicas).filter_map(|(place, replica)| replica.as_ref().map(|replica| (place, replica)))
    }

    /// The oldest ready replicas, at most so many.
    #[must_use]
    pub fn oldest_ready(&self, most: usize) -> Vec<ReplicaRef> {
        let ready = self.places().filter(|(_, replica)| matches!(replica.phase, Phase::Ready { .. }));
        let mut ready: Vec<ReplicaRef> =
            ready.map(|(place, replica)| ReplicaRef { place, number: replica.number }).collect();
        ready.sort_by_key(|replica| replica.number);
        ready.truncate(most);
        ready
    }

    /// Draining replicas whose grace period is over.
    #[must_use]
    pub fn overdue(&self, now_us: u64) -> Vec<ReplicaRef> {
        self.places()
            .filter(|(_, replica)| matches!(replica.phase, Phase::Draining { until_us } if until_us <= now_us))
            .map(|(place, replica)| ReplicaRef { place, number: replica.number })
            .collect()
    }

    /// Ready replicas.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Replicas that are not draining.
    #[must_use]
    pub fn alive(&self) -> usize {
        self.places().filter(|(_, replica)| !matches!(replica.phase, Phase::Draining { .. })).count()
    }
}

#[allow(clippy::cast_possible_truncation)] // never more than a few thousand replicas
fn narrow(place: usize) -> u32 {
    place as u32
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked: 0 to 3600 s
fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    fn deployment(start: u32) -> Deployment {
        let service = format!(
            r#"{{"name": "core", "min": 1, "max": 50, "start": {start}, "concurrency": 2, "ready_after_s": 5}}"#
        );
        Deployment::new(&serde_json::from_str(&service).expect("a service"))
    }

    fn settle(deployment: &mut Deployment, now_us: u64) {
        for (replica, due_us) in deployment.reconcile(now_us) {
            deployment.make_ready(replica, due_us);
        }
    }

    #[test]
    fn a_new_replica_is_ready_after_its_delay() {
        let mut deployment = deployment(2);
        deployment.desired = 3;
        let started = deployment.reconcile(1_000_000);
        assert_eq!((started[0].1, deployment.ready()), (6_000_000, 2));
        deployment.make_ready(started[0].0, started[0].1);
        assert_eq!(deployment.ready(), 3);
    }

    #[test]
    fn the_youngest_go_first_and_those_that_work_finish() {
        let mut deployment = deployment(2);
        deployment.station(1).expect("a replica").enter(7);
        deployment.desired = 1;
        deployment.reconcile(0);
        assert_eq!((deployment.ready(), deployment.alive(), deployment.places().count()), (1, 1, 2));
        deployment.station(1).expect("still working").leave();
        deployment.sweep(1);
        assert_eq!(deployment.places().count(), 1);
    }

    #[test]
    fn a_fault_keeps_new_replicas_from_becoming_ready_until_it_is_mended() {
        let mut deployment = deployment(1);
        (deployment.never_ready, deployment.desired) = (true, 3);
        settle(&mut deployment, 0);
        assert_eq!(deployment.ready(), 1);
        deployment.never_ready = false;
        deployment.revive(60_000_000);
        assert_eq!(deployment.ready(), 3);
    }

    #[test]
    fn connections_spread_evenly_over_ready_replicas() {
        let mut deployment = deployment(4);
        let pinned: Vec<u32> = (0..8).filter_map(|_| deployment.connect()).map(|replica| replica.place).collect();
        assert_eq!(
            (0..4).map(|place| pinned.iter().filter(|&&at| at == place).count()).collect::<Vec<_>>(),
            [2, 2, 2, 2]
        );
    }

    #[test]
    fn a_place_used_again_is_another_replica() {
        let mut deployment = deployment(1);
        let old = deployment.oldest_ready(1)[0];
        deployment.remove(old.place, 0);
        settle(&mut deployment, 0);
        assert!(deployment.at(old).is_none() && !deployment.is_ready(old));
    }

    proptest! {
        #[test]
        fn there_are_always_as_many_as_desired(wishes in proptest::collection::vec((1u32..40, 0usize..5), 1..40)) {
            let (mut deployment, mut random) = (deployment(3), SmallRng::seed_from_u64(1));
            for (at, (desired, killed)) in (0u64..).zip(wishes) {
                for replica in deployment.oldest_ready(killed) {
                    deployment.remove(replica.place, at);
                }
                deployment.desired = desired;
                settle(&mut deployment, at);
                prop_assert_eq!((deployment.alive(), deployment.ready()), (desired as usize, desired as usize));
                let picked = deployment.pick(&mut random).expect("one is ready");
                prop_assert!(deployment.replicas[picked as usize].is_some());
            }
        }
    }
}
