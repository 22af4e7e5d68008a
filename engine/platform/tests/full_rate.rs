//! scenarios/rehearsals/tartware.yaml at its full rate, in virtual time: what its comments claim holds at every phase of the
//! autoscalers' sync.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::collections::{BTreeMap, VecDeque};

use golive_platform::config::{self, Config};
use golive_platform::journey::Arrival;
use golive_platform::model::{Answer, ConnectionRef, Platform};
use golive_platform::replicas::ReplicaRef;
use golive_platform::snapshot::Snapshot;

const SECOND: u64 = 1_000_000;
const FULL_RPS: f64 = 31_500.0;
const RAMP_S: f64 = 60.0;
const SYNC_US: u64 = 15 * SECOND;

/// The ota-heavy mix, in hundredths.
const MIX: [(&str, usize); 9] = [
    ("/v1/availability", 42),
    ("/v1/commands/reservation.create/execute", 10),
    ("/v1/commands/reservation.modify/execute", 7),
    ("/v1/commands/reservation.cancel/execute", 5),
    ("/v1/commands/ota.sync/execute", 14),
    ("/v1/commands/reservation.check_in/execute", 4),
    ("/v1/commands/reservation.check_out/execute", 4),
    ("/v1/billing/payments", 6),
    ("/v1/dashboard/stats", 8),
];

fn tartware() -> Config {
    // As it is when the test runs: built in a shared cache, it may outlive the folder that it was built for.
    let package = std::env::var("CARGO_MANIFEST_DIR").expect("cargo tells it");
    let yaml =
        std::fs::read_to_string(package + "/../../scenarios/rehearsals/tartware.yaml").expect("the file is there");
    let value: serde_json::Value = serde_yaml_ng::from_str(&yaml).expect("it is YAML");
    config::read(&value.to_string()).expect("it is sound")
}

/// A client that takes the connection used last, and opens one when none is free.
#[derive(Default)]
struct Client {
    open: Vec<(ReplicaRef, u32)>,
    idle: Vec<u32>,
    closed: Vec<u32>,
}

impl Client {
    fn take(&mut self, platform: &mut Platform) -> u32 {
        self.idle.pop().unwrap_or_else(|| {
            let opened = (platform.connect().expect("a gateway is ready"), 0);
            if let Some(place) = self.closed.pop() {
                self.open[place as usize] = opened;
                return place;
            }
            self.open.push(opened);
            self.open.len() as u32 - 1
        })
    }

    fn give_back(&mut self, answer: &Answer, at_most: u32, platform: &mut Platform) {
        let place = answer.connection.place;
        let (replica, answers) = &mut self.open[place as usize];
        *answers += 1;
        if *answers < at_most && platform.takes_requests(*replica) {
            self.idle.push(place);
        } else {
            platform.disconnect(*replica);
            self.closed.push(place);
        }
    }
}

/// The stage's autoscalers, as far as scaling up needs them: HPA v2's ratio, tolerance and default policies.
struct Autoscalers {
    targets: BTreeMap<String, f64>,
    history: VecDeque<(u64, BTreeMap<String, u32>)>,
    next_us: u64,
}

impl Autoscalers {
    fn new(config: &Config, phase_s: u64, held: Held) -> Self {
        let scaled = config.services.iter().filter_map(|service| Some((service, service.autoscaler.as_ref()?)));
        let scaled = scaled.filter(|(service, _)| !held(&service.name));
        let targets = scaled.map(|(service, autoscaler)| (service.name.clone(), autoscaler.target)).collect();
        Self { targets, history: VecDeque::new(), next_us: phase_s * SECOND }
    }

    fn look(&mut self, platform: &mut Platform, now_us: u64) {
        if now_us < self.next_us {
            return;
        }
        self.next_us += SYNC_US;
        let seen = platform.look();
        let before = self.history.back().map(|(_, replicas)| replicas.clone()).unwrap_or_default();
        let mut wanted = BTreeMap::new();
        for service in seen.services.iter().filter(|service| self.targets.contains_key(&service.name)) {
            let ratio = service.busy_ratio_15s / self.targets[&service.name];
            let counted = if ratio > 1.0 { service.desired } else { service.ready as u32 };
            // Replicas that are not ready yet count as idle when scaling up.
            let ratio = if ratio > 1.0 { ratio * service.ready as f64 / f64::from(counted) } else { ratio };
            let was = before.get(&service.name).copied().unwrap_or(service.desired);
            let limit = (2 * was).max(was + 4).min(service.max);
            let asked = if ratio > 1.1 { (f64::from(counted) * ratio).ceil() as u32 } else { service.desired };
            let desired = asked.clamp(service.desired, limit.max(service.desired));
            platform.set_desired(&service.name, desired).expect("it is there");
            wanted.insert(service.name.clone(), desired);
        }
        self.history.push_back((now_us, wanted));
    }
}

/// Which services keep the replicas of the start?
type Held = fn(&str) -> bool;

/// What a run came to.
struct Seen {
    at_hold: Snapshot,
    end: Snapshot,
    most_in_flight: usize,
}

/// Sixty seconds up to the full rate, then `hold_s`; autoscalers look first after `phase_s`.
fn run(phase_s: u64, hold_s: f64, held: Held) -> Seen {
    let config = tartware();
    let mut platform = Platform::new(&config);
    let mut autoscalers = Autoscalers::new(&config, phase_s, held);
    let routes: Vec<usize> = MIX.iter().flat_map(|(path, many)| vec![route(&platform, path); *many]).collect();
    let (mut client, mut answers, mut most_in_flight) = (Client::default(), Vec::new(), 0);
    let (ramp, steady) = ((FULL_RPS * RAMP_S / 2.0) as u64, (FULL_RPS * hold_s) as u64);
    let mut at_hold = platform.look();
    for number in 0..ramp + steady {
        let now_us = due_us(number, ramp);
        platform.advance(now_us);
        platform.take_answers(&mut answers);
        answers.drain(..).for_each(|answer| client.give_back(&answer, 500, &mut platform));
        autoscalers.look(&mut platform, now_us);
        if number == ramp {
            at_hold = platform.look();
        }
        let connection = ConnectionRef { place: client.take(&mut platform), number: 0 };
        let pinned_to = Some(client.open[connection.place as usize].0);
        // 37 is coprime to 100: the mix is spread evenly.
        let route = routes[(number * 37 % 100) as usize];
        platform.admit(Arrival { connection, pinned_to, route, key: Some(number) });
        most_in_flight = most_in_flight.max(platform.in_flight());
    }
    Seen { at_hold, end: platform.look(), most_in_flight }
}

/// Arrival `number` of a ramp of `ramp` arrivals and the full rate after it.
fn due_us(number: u64, ramp: u64) -> u64 {
    let at_s = if number < ramp {
        RAMP_S * (number as f64 / ramp as f64).sqrt()
    } else {
        RAMP_S + (number - ramp) as f64 / FULL_RPS
    };
    (at_s * 1e6) as u64
}

fn route(platform: &Platform, path: &str) -> usize {
    platform.routes().iter().position(|route| route.path == path).expect("it is there")
}

fn failed(seen: &Snapshot) -> u64 {
    let codes = seen.counts.gateway.iter().flat_map(|codes| &codes.0);
    codes.filter(|(code, _)| *code >= 400).map(|(_, count)| count).sum()
}

/// Answers of the hold that took longer than bucket `last` says.
fn slower_in_hold(run: &Seen, last: usize) -> u64 {
    let slower = |seen: &Snapshot| seen.counts.durations[seen.gateway].buckets[last + 1..].iter().sum::<u64>();
    slower(&run.end) - slower(&run.at_hold)
}

fn report(run: &Seen, phase_s: u64) -> String {
    let services = run.end.services.iter().map(|s| format!("{} {} ({:.2})", s.name, s.ready, s.busy_ratio_15s));
    let hold = run.end.counts.answered - run.at_hold.counts.answered;
    format!(
        "phase {phase_s} s: failed {}, most in flight {}, hold over 25 ms {:.4} %, over 100 ms {}; backlog {:?}; {}",
        failed(&run.end),
        run.most_in_flight,
        slower_in_hold(run, 4) as f64 * 100.0 / hold as f64,
        slower_in_hold(run, 6),
        run.end.queues.iter().map(|queue| queue.depth).collect::<Vec<_>>(),
        services.collect::<Vec<_>>().join(", "),
    )
}

#[test]
fn with_its_autoscalers_it_carries_the_full_rate() {
    for phase_s in [0, 5, 10] {
        let run = run(phase_s, 40.0, |_| false);
        let said = report(&run, phase_s);
        let hold = run.end.counts.answered - run.at_hold.counts.answered;
        assert_eq!(failed(&run.end), 0, "{said}");
        assert!(slower_in_hold(&run, 6) * 1000 < hold, "P99.9 under 100 ms: {said}");
        assert!(run.most_in_flight < 4000, "{said}");
        for service in &run.end.services {
            assert!(service.ready as u32 == service.desired && service.desired < service.max, "{said}");
        }
        assert!(run.end.queues.iter().all(|queue| queue.depth < 100), "{said}");
    }
}

#[test]
fn with_the_replicas_of_the_start_it_turns_away_one_in_seven() {
    let run = run(0, 10.0, |_| true);
    let hold = run.end.counts.answered - run.at_hold.counts.answered;
    let share = (failed(&run.end) - failed(&run.at_hold)) as f64 / hold as f64;
    assert!((0.1..0.2).contains(&share), "{share}");
}

#[test]
fn with_too_few_workers_the_backlog_grows_and_nothing_else_suffers() {
    let run = run(0, 20.0, |service| service == "reservations-command");
    let growth = (run.end.queues[0].depth as f64 - run.at_hold.queues[0].depth as f64) / 20.0;
    // 9,450 commands/s come, 8,800 are done.
    assert!((600.0..700.0).contains(&growth), "{growth} a second");
    assert_eq!(failed(&run.end), 0);
}
