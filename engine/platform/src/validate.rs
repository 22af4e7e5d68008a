//! What a configuration must satisfy beyond its types; every refusal names the field and a remedy.

use std::collections::BTreeSet;

use crate::config::{Config, ConfigError, Queue, Route, Service, TimeMs};
use crate::faults::Names;

type Checked = Result<(), ConfigError>;

/// Check a configuration as a whole.
///
/// # Errors
/// The first field that cannot be meant.
pub fn check(config: &Config) -> Checked {
    check_services(config)?;
    check_database(config)?;
    check_queues(config)?;
    check_routes(config)?;
    check_connections(config)?;
    let services: Vec<&str> = config.services.iter().map(|service| service.name.as_str()).collect();
    let queues: Vec<&str> = config.queues.iter().map(|queue| queue.name.as_str()).collect();
    let names = Names { services: &services, queues: &queues };
    config.faults.check(&names).map_err(|(field, problem)| {
        ConfigError::new(format!("faults.{field}"), problem, "see the faults in docs/rehearsal.md")
    })
}

fn require(holds: bool, path: &str, problem: impl Into<String>, remedy: &str) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(ConfigError::new(path, problem, remedy))
    }
}

fn check_services(config: &Config) -> Checked {
    let mut seen = BTreeSet::new();
    for (index, service) in config.services.iter().enumerate() {
        let at = format!("services[{index}]");
        let is_dns_label = !service.name.is_empty()
            && service.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let name = format!("must be a Kubernetes name (got {:?})", service.name);
        require(is_dns_label, &format!("{at}.name"), name, "use a-z, 0-9 and -")?;
        let twice = format!("is there twice (got {:?})", service.name);
        require(seen.insert(service.name.as_str()), &format!("{at}.name"), twice, "give each service its own name")?;
        check_replicas(&at, service)?;
    }
    let known = config.services.iter().any(|service| service.name == config.gateway);
    let problem = format!("is no service (got {:?})", config.gateway);
    require(known, "gateway", problem, "name the service that every request passes first")?;
    require(
        config.login.as_ref().is_none_or(|login| login.path.starts_with('/')),
        "login.path",
        "must begin with /",
        "write /v1/auth/login",
    )?;
    let lasts_s = config.login.as_ref().map_or(1, |login| login.token_lasts_s);
    let problem = format!("must be 1 to 31536000 (got {lasts_s})");
    require((1..=31_536_000).contains(&lasts_s), "login.token_lasts_s", problem, "leave it out for a day")
}

fn check_replicas(at: &str, service: &Service) -> Checked {
    let (min, start, max) = (service.min, service.started(), service.max);
    let counts = format!("needs 1 <= min <= start <= max <= 1000 (got min {min}, start {start}, max {max})");
    let ordered = 1 <= min && min <= start && start <= max && max <= 1000;
    require(ordered, &format!("{at}.min"), counts, "correct the replica counts")?;
    let limits = [
        ("concurrency", f64::from(service.concurrency), 1.0, 1e4, "give the requests one replica works on at a time"),
        ("queue", service.queue as f64, 0.0, 1e6, "give the requests that may wait at one replica"),
        ("ready_after_s", service.ready_after_s, 0.0, 3600.0, "give the seconds until a new replica is ready"),
    ];
    for (field, value, least, most, remedy) in limits {
        let problem = format!("must be {least} to {most} (got {value})");
        require((least..=most).contains(&value), &format!("{at}.{field}"), problem, remedy)?;
    }
    service.time_ms.as_ref().map_or(Ok(()), |time| check_time(&format!("{at}.time_ms"), time))?;
    let target = service.autoscaler.as_ref().map_or(1.0, |autoscaler| autoscaler.target);
    let problem = format!("must be above 0 (got {target})");
    let usable = target > 0.0 && target.is_finite();
    require(usable, &format!("{at}.autoscaler.target"), problem, "0.6 is usual for a busy ratio")
}

fn check_time(at: &str, time: &TimeMs) -> Checked {
    let sane = |ms: f64| ms > 0.0 && ms <= 600_000.0;
    match (time.p50, time.p99, time.choices.as_slice()) {
        (Some(p50), Some(p99), []) => {
            let problem = format!("needs 0 < p50 <= p99 <= 600000 (got p50 {p50}, p99 {p99})");
            require(sane(p50) && sane(p99) && p50 <= p99, at, problem, "equal values make a constant time")
        }
        (None, None, [_, ..]) => {
            let good =
                time.choices.iter().all(|choice| sane(choice.ms) && choice.weight > 0.0 && choice.weight.is_finite());
            require(
                good,
                &format!("{at}.choices"),
                "needs ms above 0 and weights above 0",
                "write [{ms: 5, weight: 9}, {ms: 200, weight: 1}]",
            )
        }
        _ => Err(ConfigError::new(at, "needs p50 and p99, or choices, and not both", "write {p50: 2.0, p99: 8.0}")),
    }
}

fn check_database(config: &Config) -> Checked {
    let Some(database) = &config.database else {
        return Ok(());
    };
    let problem = format!("must be 1 to 1000000 (got {})", database.connections);
    require(
        (1..=1_000_000).contains(&database.connections),
        "database.connections",
        problem,
        "give the size of the shared pool",
    )?;
    check_time("database.time_ms", &database.time_ms)
}

fn check_queues(config: &Config) -> Checked {
    let mut seen = BTreeSet::new();
    for (index, queue) in config.queues.iter().enumerate() {
        let at = format!("queues[{index}]");
        let twice = format!("is there twice (got {:?})", queue.name);
        require(seen.insert(queue.name.as_str()), &format!("{at}.name"), twice, "give each queue its own name")?;
        check_worker(config, &at, queue)?;
    }
    Ok(())
}

fn check_worker(config: &Config, at: &str, queue: &Queue) -> Checked {
    let known = config.services.iter().any(|service| service.name == queue.service);
    let unknown = format!("is no service (got {:?})", queue.service);
    require(known, &format!("{at}.service"), unknown, "name the service that works this queue off")?;
    let serves = config.gateway == queue.service || config.routes.iter().any(|route| route.service == queue.service);
    require(!serves, &format!("{at}.service"), "also answers requests", "let a service of its own work the queue off")?;
    let shared = config.queues.iter().filter(|other| other.service == queue.service).count() > 1;
    require(!shared, &format!("{at}.service"), "works another queue off too", "give each queue a service of its own")?;
    let rate = format!("must be above 0 and at most 1000000 (got {})", queue.per_replica_rps);
    require(
        queue.per_replica_rps > 0.0 && queue.per_replica_rps <= 1e6,
        &format!("{at}.per_replica_rps"),
        rate,
        "give the commands one replica does in a second",
    )
}

fn check_routes(config: &Config) -> Checked {
    let mut seen = BTreeSet::new();
    for (index, route) in config.routes.iter().enumerate() {
        let at = format!("routes[{index}]");
        let method = format!("must be GET, POST, PUT, PATCH or DELETE (got {:?})", route.method);
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&route.method.as_str());
        require(known, &format!("{at}.method"), method, "write the method in capitals")?;
        let plain = route.path.starts_with('/')
            && route.path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"\\".contains(&byte));
        let path = format!("must be a path without query (got {:?})", route.path);
        require(plain, &format!("{at}.path"), path, "write /v1/rooms; the query is not part of a route")?;
        let fresh = seen.insert((route.method.as_str(), route.path.as_str()));
        let is_login = config.login.as_ref().is_some_and(|login| login.path == route.path && route.method == "POST");
        require(
            fresh && !is_login,
            &at,
            format!("{} {} is there twice", route.method, route.path),
            "keep one of them",
        )?;
        check_route(config, &at, route)?;
    }
    Ok(())
}

fn check_route(config: &Config, at: &str, route: &Route) -> Checked {
    let service = config.services.iter().find(|service| service.name == route.service);
    let unknown = format!("is no service (got {:?})", route.service);
    require(service.is_some(), &format!("{at}.service"), unknown, "name one of services")?;
    let needs = [service, config.services.iter().find(|service| service.name == config.gateway)];
    if let Some(timeless) = needs.into_iter().flatten().find(|service| service.time_ms.is_none()) {
        let problem = format!("{:?} has no time_ms", timeless.name);
        return Err(ConfigError::new(
            format!("{at}.service"),
            problem,
            "give time_ms to every service that answers requests",
        ));
    }
    let queue = route.queue.as_ref();
    let queued = queue.is_none_or(|name| config.queues.iter().any(|queue| queue.name == *name));
    require(queued, &format!("{at}.queue"), format!("is no queue (got {queue:?})"), "name one of queues")?;
    check_shown(config, at, route)?;
    let keyed = route.needs.iter().any(|name| name.eq_ignore_ascii_case("x-idempotency-key"));
    let remedy = "give it a queue, and needs: [X-Idempotency-Key]: commands are named by that";
    require(!route.named || (keyed && queue.is_some()), &format!("{at}.named"), "has no keyed commands", remedy)?;
    let database = config.database.is_some() || route.database_calls == 0;
    require(
        database,
        &format!("{at}.database_calls"),
        "there is no database",
        "describe the database, or call it 0 times",
    )?;
    let status = format!("must be 200 to 599 (got {})", route.status);
    require((200..=599).contains(&route.status), &format!("{at}.status"), status, "200, 201 and 202 are usual")?;
    let size = format!("must be at most 67108864 (got {})", route.answer_bytes);
    require(
        route.answer_bytes <= 64 << 20,
        &format!("{at}.answer_bytes"),
        size,
        "answers are kept in memory: make them smaller",
    )
}

fn check_shown(config: &Config, at: &str, route: &Route) -> Checked {
    let at = format!("{at}.shows");
    let open = route.path.ends_with("/{id}");
    let Some(queue) = &route.shows else {
        let problem = format!("is missing for {:?}", route.path);
        return require(!open, &at, problem, "name the queue of whose commands it tells, or close the path");
    };
    require(open, &at, "needs a path that ends in /{id}", "write /v1/reservations/{id}")?;
    let known = config.queues.iter().any(|known| known.name == *queue);
    require(known, &at, format!("is no queue (got {queue:?})"), "name one of queues")?;
    let named = config.routes.iter().any(|other| other.named && other.queue.as_ref() == Some(queue));
    require(named, &at, format!("no route names its commands to {queue:?}"), "give one of that queue named: true")
}

fn check_connections(config: &Config) -> Checked {
    let connections = &config.connections;
    require(connections.requests_at_most >= 1, "connections.requests_at_most", "must be at least 1", "1000 is usual")?;
    require(connections.open_at_most >= 1, "connections.open_at_most", "must be at least 1", "leave it out for 16384")?;
    let drain = connections.drain_for_s;
    let problem = format!("must be 0 to 3600 (got {drain})");
    require((0.0..=3600.0).contains(&drain), "connections.drain_for_s", problem, "leave it out to end at once")?;
    let keys = config.idempotency.remember_keys;
    let problem = format!("must be 1 to 10000000 (got {keys})");
    require((1..=10_000_000).contains(&keys), "idempotency.remember_keys", problem, "leave it out for 500000")
}
