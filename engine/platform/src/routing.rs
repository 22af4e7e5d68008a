//! Which route a request means: by method and path, exactly.

use std::collections::HashMap;

use crate::config::Config;

/// The last segment of a route's path that stands for any.
pub const ID: &[u8] = b"{id}";

/// What the model must know of a route.
#[derive(Debug, Clone)]
pub struct Route {
    pub method: String,
    pub path: String,
    /// The service's number, or the gateway's own.
    pub service: usize,
    pub database_calls: u8,
    pub status: u16,
    pub answer_bytes: usize,
    pub answer: Option<serde_json::Map<String, serde_json::Value>>,
    pub queue: Option<usize>,
    pub tells: Tells,
    pub needs: Vec<String>,
    /// Repeated idempotency keys are recognised.
    pub keyed: bool,
    pub open: bool,
    pub is_login: bool,
}

/// What a route's answer says of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tells {
    Nothing,
    /// The name of the one it has accepted: it can be asked after.
    Name,
    /// What became of the one that the path names, in this queue.
    State(usize),
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Route(usize),
    /// The path is known, the method is not.
    OtherMethod,
    Nothing,
}

/// All routes; the last is the row under which whatever matches none is counted.
#[derive(Debug, Clone)]
pub struct RouteTable {
    routes: Vec<Route>,
    by_path: HashMap<Vec<u8>, Vec<usize>>,
}

impl RouteTable {
    /// From a checked configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let service = |name: &str| config.services.iter().position(|service| service.name == name).unwrap_or_default();
        let gateway = service(&config.gateway);
        let queue = |name: &Option<String>| {
            name.as_ref().and_then(|name| config.queues.iter().position(|queue| queue.name == *name))
        };
        let asked = config.routes.iter().map(|route| Route {
            method: route.method.clone(),
            path: route.path.clone(),
            service: service(&route.service),
            database_calls: route.database_calls,
            status: route.status,
            answer_bytes: route.answer_bytes,
            answer: route.answer.clone(),
            queue: queue(&route.queue),
            tells: match queue(&route.shows) {
                Some(queue) => Tells::State(queue),
                None if route.named => Tells::Name,
                None => Tells::Nothing,
            },
            needs: route.needs.clone(),
            keyed: route.needs.iter().any(|name| name.eq_ignore_ascii_case("x-idempotency-key")),
            open: route.open || config.login.is_none(),
            is_login: false,
        });
        let mut routes: Vec<Route> = asked.collect();
        if let Some(login) = &config.login {
            routes.push(Route { is_login: true, ..bare("POST", &login.path, gateway) });
        }
        routes.push(bare("", "unmatched", gateway));
        let mut by_path: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (index, route) in routes.iter().enumerate().filter(|(_, route)| !route.method.is_empty()) {
            by_path.entry(route.path.clone().into_bytes()).or_default().push(index);
        }
        Self { routes, by_path }
    }

    /// The route of a method and a path without its query.
    #[must_use]
    pub fn find(&self, method: &str, path: &[u8]) -> Found {
        let Some(candidates) = self.by_path.get(path).or_else(|| self.by_path.get(&with_id(path)?)) else {
            return Found::Nothing;
        };
        let found = candidates.iter().find(|&&index| self.routes[index].method == method);
        found.map_or(Found::OtherMethod, |&index| Found::Route(index))
    }

    /// The row of what matches no route.
    #[must_use]
    pub fn unmatched(&self) -> usize {
        self.routes.len() - 1
    }

    /// A route by its number.
    #[must_use]
    pub fn at(&self, index: usize) -> &Route {
        &self.routes[index]
    }

    /// How many rows there are.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // there always is the row of what matches none
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }
}

/// The path with its last segment left open, as routes that show a command are written.
fn with_id(path: &[u8]) -> Option<Vec<u8>> {
    let parent = path.iter().rposition(|byte| *byte == b'/')?;
    Some([&path[..=parent], ID].concat())
}

fn bare(method: &str, path: &str, gateway: usize) -> Route {
    Route {
        method: method.to_owned(),
        path: path.to_owned(),
        service: gateway,
        database_calls: 0,
        status: 200,
        answer_bytes: 0,
        answer: None,
        queue: None,
        tells: Tells::Nothing,
        needs: Vec::new(),
        keyed: false,
        open: true,
        is_login: false,
    }
}
