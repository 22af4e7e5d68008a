//! `/metrics`: what the platform's own processes would export.

use rustix::process::{getrlimit, Resource};

use crate::counts::{Codes, Durations, BUCKETS_S};
use crate::exposition::Exposition;
use crate::routing::RouteTable;
use crate::snapshot::{QueueView, Snapshot};

/// Render the application's metrics.
#[must_use]
pub fn render(seen: &Snapshot, routes: &RouteTable, namespace: &str, started_unix_s: f64) -> String {
    let mut text = Exposition::default();
    requests(&mut text, seen, routes, namespace);
    durations(&mut text, seen);
    queues(&mut text, &seen.queues);
    text.family("idempotency_repeated_total", "counter", "Writes without a queue whose key had come before.");
    text.sample(&[], seen.counts.repeated);
    text.family("http_requests_in_flight", "gauge", "Requests inside the platform.");
    text.sample(&[], seen.in_flight);
    text.family("database_connections_busy", "gauge", "Connections of the shared pool in use.");
    text.sample(&[], seen.database_busy);
    text.family("database_connections_max", "gauge", "Connections of the shared pool.");
    text.sample(&[], seen.database_connections);
    text.family("http_connections_open", "gauge", "Clients' connections, those that wait for a request too.");
    text.sample(&[], seen.connections_open);
    text.family("http_connections_max", "gauge", "Clients' connections that are open at most; further ones wait.");
    text.sample(&[], seen.connections_at_most);
    process(&mut text, started_unix_s);
    text.into_text()
}

fn requests(text: &mut Exposition, seen: &Snapshot, routes: &RouteTable, namespace: &str) {
    text.family("http_requests_total", "counter", "Requests answered, by service, route and status code.");
    let gateway = seen.services[seen.gateway].name.as_str();
    for (index, route) in routes.iter().enumerate() {
        let method = if route.method.is_empty() { "other" } else { route.method.as_str() };
        let mut samples = |service: &str, codes: &Codes| {
            for (code, count) in &codes.0 {
                let code = code.to_string();
                let labels =
                    [("service", service), ("method", method), ("route", route.path.as_str()), ("code", &code)];
                text.sample(&[labels[0], labels[1], labels[2], labels[3], ("namespace", namespace)], count);
            }
        };
        samples(gateway, &seen.counts.gateway[index]);
        samples(&seen.services[route.service].name, &seen.counts.inner[index]);
    }
}

fn durations(text: &mut Exposition, seen: &Snapshot) {
    let help = "Time from a request's arrival to its answer; of the gateway, the whole time in the platform.";
    text.family("http_request_duration_seconds", "histogram", help);
    for (service, durations) in seen.services.iter().zip(&seen.counts.durations) {
        histogram(text, &service.name, durations);
    }
}

fn histogram(text: &mut Exposition, service: &str, durations: &Durations) {
    let mut below = 0;
    for (bound, count) in BUCKETS_S.iter().chain(&["+Inf"]).zip(durations.buckets) {
        below += count;
        text.suffixed("_bucket", &[("service", service), ("le", bound)], below);
    }
    text.suffixed("_sum", &[("service", service)], durations.sum_us as f64 / 1e6);
    text.suffixed("_count", &[("service", service)], below);
}

type Reading = fn(&QueueView) -> f64;

fn queues(text: &mut Exposition, queues: &[QueueView]) {
    let families: [(&'static str, &str, &str, Reading); 5] = [
        ("command_queue_depth", "gauge", "Commands accepted and not done.", |queue| queue.depth as f64),
        ("command_queue_oldest_seconds", "gauge", "Age of the oldest command not done.", |queue| {
            queue.oldest_us as f64 / 1e6
        }),
        ("command_accepted_total", "counter", "Commands accepted.", |queue| queue.accepted as f64),
        ("command_done_total", "counter", "Commands done.", |queue| queue.done as f64),
        ("command_repeated_total", "counter", "Commands whose key had come before: not queued twice.", |queue| {
            queue.repeated as f64
        }),
    ];
    for (name, kind, help, value) in families {
        text.family(name, kind, help);
        for queue in queues {
            text.sample(&[("queue", &queue.name)], value(queue));
        }
    }
}

fn process(text: &mut Exposition, started_unix_s: f64) {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    text.family("process_cpu_seconds_total", "counter", "CPU time this process has used.");
    text.sample(&[], used.tv_sec as f64 + used.tv_nsec as f64 / 1e9);
    text.family("process_resident_memory_bytes", "gauge", "Memory this process has in RAM.");
    text.sample(&[], resident_bytes());
    text.family("process_open_fds", "gauge", "File handles this process has open.");
    text.sample(&[], open_handles());
    text.family("process_max_fds", "gauge", "File handles this process may have open.");
    text.sample(&[], most_handles());
    text.family("process_start_time_seconds", "gauge", "When this process began, in Unix time.");
    text.sample(&[], started_unix_s);
}

/// Less the one that looks.
fn open_handles() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count().saturating_sub(1))
}

fn most_handles() -> f64 {
    getrlimit(Resource::Nofile).current.map_or(f64::INFINITY, |most| most as f64)
}

fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    resident.unwrap_or(0) * rustix::param::page_size()
}
