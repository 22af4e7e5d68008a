//! The admin's side door: state, scaling, faults and metrics as JSON and Prometheus text over HTTP, on threads of their own.

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::json;

use crate::admin_http::{read_request, AdminRequest};
use crate::answers::reason;
use crate::clock::Clock;
use crate::control::{Desk, Order, Outcome, ScalingReport};
use crate::faults::Faults;
use crate::routing::RouteTable;
use crate::snapshot::Snapshot;
use crate::{app_metrics, cluster_metrics};

/// What admin answers are made from.
#[derive(Debug, Clone)]
pub struct Admin {
    pub desk: Desk,
    pub clock: Clock,
    pub routes: RouteTable,
    pub namespace: String,
}

/// An answer: status, content type, body.
struct Reply {
    status: u16,
    content_type: &'static str,
    body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Desired {
    desired: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Freeze {
    for_s: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kill {
    service: String,
    replicas: usize,
}

impl Admin {
    /// Answer until the process ends: a thread for each connection, and few connect.
    pub fn serve(self, listener: &TcpListener) {
        for socket in listener.incoming().flatten() {
            let admin = self.clone();
            // A thread that cannot be started leaves this one caller without an answer.
            let _ = std::thread::Builder::new().name("admin".to_owned()).spawn(move || admin.converse(socket));
        }
    }

    fn converse(&self, mut socket: TcpStream) {
        let _ = socket.set_read_timeout(Some(Duration::from_secs(300)));
        let _ = socket.set_nodelay(true);
        let Ok(reading) = socket.try_clone() else {
            return;
        };
        let mut reading = BufReader::new(reading);
        while let Ok(Some(request)) = read_request(&mut reading) {
            let reply = self.reply(&request);
            let close = if request.closes { "connection: close\r\n" } else { "" };
            let head = format!(
                "HTTP/1.1 {} {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n{close}\r\n",
                reply.status,
                reason(reply.status),
                reply.content_type,
                reply.body.len()
            );
            if socket.write_all(&[head.as_bytes(), reply.body.as_bytes()].concat()).is_err() || request.closes {
                return;
            }
        }
    }

    fn reply(&self, request: &AdminRequest) -> Reply {
        let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        match (request.method.as_str(), path.as_slice()) {
            ("GET", ["state"]) => self.look(|seen| json_reply(200, &self.state(seen))),
            ("GET", ["metrics"]) => self.look(|seen| {
                prometheus(app_metrics::render(seen, &self.routes, &self.namespace, self.clock.unix_s(0)))
            }),
            ("GET", ["kube-state-metrics"]) => {
                self.look(|seen| prometheus(cluster_metrics::render(seen, &self.namespace, &self.clock)))
            }
            ("PUT", ["services", name]) => self.order(request, |Desired { desired }| {
                within("desired", f64::from(desired), 0.0, 1000.0)?;
                Ok(Order::SetDesired { service: (*name).to_owned(), desired })
            }),
            ("PUT", ["autoscalers", name]) => self
                .order(request, |report: ScalingReport| Ok(Order::SetScaling { service: (*name).to_owned(), report })),
            ("PUT", ["faults"]) => self.order(request, |faults: Faults| Ok(Order::SetFaults(faults))),
            ("POST", ["freeze"]) => self.order(request, |Freeze { for_s }| {
                within("for_s", for_s, 0.0, 600.0)?;
                Ok(Order::Freeze { for_us: (for_s * 1e6) as u64 })
            }),
            ("POST", ["kill"]) => {
                self.order(request, |Kill { service, replicas }: Kill| Ok(Order::Kill { service, replicas }))
            }
            _ => refusal(404, &format!("{} {} is not part of this interface", request.method, request.path)),
        }
    }

    fn look(&self, tell: impl FnOnce(&Snapshot) -> Reply) -> Reply {
        match self.desk.ask(Order::Look) {
            Some(Outcome::Seen(seen)) => tell(&seen),
            _ => refusal(503, "the platform is stopping"),
        }
    }

    fn order<T: DeserializeOwned>(
        &self,
        request: &AdminRequest,
        make: impl FnOnce(T) -> Result<Order, String>,
    ) -> Reply {
        let mut reader = serde_json::Deserializer::from_slice(&request.body);
        let wanted = serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| format!("`{}`: {}", error.path(), error.inner()));
        match wanted.and_then(make).map(|order| self.desk.ask(order)) {
            Err(problem) => refusal(400, &problem),
            Ok(Some(Outcome::Refused(refused))) => {
                refusal(if refused.is_unknown { 404 } else { 400 }, &refused.problem)
            }
            Ok(Some(Outcome::Killed(killed))) => json_reply(200, &json!({ "killed": killed })),
            Ok(Some(_)) => json_reply(200, &json!({ "done": true })),
            Ok(None) => refusal(503, "the platform is stopping"),
        }
    }

    fn state(&self, seen: &Snapshot) -> serde_json::Value {
        let services = seen.services.iter().map(|service| {
            json!({
                "name": service.name, "min": service.min, "max": service.max, "desired": service.desired,
                "ready": service.ready, "starting": service.starting, "concurrency": service.concurrency,
                "busy_ratio_15s": service.busy_ratio_15s, "requests_per_second_15s": service.requests_per_second_15s,
                "requests_total": service.requests_total,
            })
        });
        let queues = seen.queues.iter().map(|queue| {
            json!({
                "name": queue.name, "service": queue.service, "depth": queue.depth, "oldest_s": queue.oldest_us as f64 / 1e6,
                "accepted_total": queue.accepted, "done_total": queue.done, "repeated_total": queue.repeated,
            })
        });
        json!({
            "now_unix_s": self.clock.unix_s(seen.now_us), "requests_total": seen.counts.answered, "in_flight": seen.in_flight,
            "services": services.collect::<Vec<_>>(), "queues": queues.collect::<Vec<_>>(),
        })
    }
}

fn within(field: &str, value: f64, least: f64, most: f64) -> Result<(), String> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(format!("`{field}`: must be between {least} and {most} (got {value})"))
}

fn json_reply(status: u16, body: &serde_json::Value) -> Reply {
    Reply { status, content_type: "application/json", body: body.to_string() }
}

fn prometheus(body: String) -> Reply {
    Reply { status: 200, content_type: "text/plain; version=0.0.4; charset=utf-8", body }
}

fn refusal(status: u16, problem: &str) -> Reply {
    json_reply(status, &json!({ "error": problem, "remedy": "see the admin interface in docs/rehearsal.md" }))
}
