//! The addresses that the target's name stands for: which of them take load, whose turn it is, what each was given.

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{json, Value};

use crate::pool::Pool;

/// Which of the target's addresses take load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spread {
    /// All that take connections, in turn.
    #[default]
    All,
    /// The first that does.
    First,
}

/// The addresses of one resolution. Those in use come first.
#[derive(Debug, Default)]
pub struct Addresses {
    all: Vec<Given>,
    used: usize,
    told: AtomicBool,
}

#[derive(Debug)]
struct Given {
    address: SocketAddr,
    requests: AtomicU64, // since they were last taken
}

impl Addresses {
    /// `first` has taken a connection; of the others of its family (one host has one of each) those that do are used.
    #[must_use]
    pub fn of(resolved: &[SocketAddr], first: SocketAddr, spread: Spread, timeout: Duration) -> Self {
        let mut others: Vec<SocketAddr> = Vec::new();
        for address in resolved {
            if *address != first && address.is_ipv4() == first.is_ipv4() && !others.contains(address) {
                others.push(*address);
            }
        }
        let reached = match spread {
            Spread::All => reachable(&others, timeout),
            Spread::First => vec![false; others.len()],
        };
        let which =
            |wanted: bool| others.iter().zip(&reached).filter(move |(_, is)| **is == wanted).map(|(one, _)| *one);
        let all: Vec<SocketAddr> = std::iter::once(first).chain(which(true)).chain(which(false)).collect();
        let used = 1 + reached.iter().filter(|is| **is).count();
        let given = |address| Given { address, requests: AtomicU64::new(0) };
        Self { all: all.into_iter().map(given).collect(), used, told: AtomicBool::new(false) }
    }

    /// How many take load.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used
    }

    /// The address of a place; None before the target was resolved.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<SocketAddr> {
        self.all.get(place).map(|given| given.address)
    }

    /// A request was given to a connection of this place.
    pub fn give(&self, place: usize) {
        if let Some(given) = self.all.get(place) {
            given.requests.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What each was given since the last time, as engine/DELTA.md has it; the first time also those given nothing.
    #[must_use]
    pub fn take(&self, second: u64) -> Vec<Value> {
        let is_first = !self.told.swap(true, Ordering::Relaxed);
        let taken = self.all.iter().map(|given| (given.address, given.requests.swap(0, Ordering::Relaxed)));
        taken
            .filter(|(_, requests)| is_first || *requests > 0)
            .map(|(address, requests)| json!([second, address.to_string(), requests]))
            .collect()
    }
}

fn reachable(addresses: &[SocketAddr], timeout: Duration) -> Vec<bool> {
    thread::scope(|scope| {
        let asked: Vec<_> =
            addresses.iter().map(|one| scope.spawn(move || TcpStream::connect_timeout(one, timeout).is_ok())).collect();
        asked.into_iter().map(|answer| answer.join().unwrap_or(false)).collect()
    })
}

impl Pool {
    /// A slot for the next arrival, and whether it is open: at the address whose turn it is, while there is one.
    pub fn slot_in_turn(&self, limit: usize) -> Option<(usize, bool)> {
        if let Some(slot) = self.idle_in_turn() {
            return Some((slot, true));
        }
        let fresh = self.open_slot(limit).map(|slot| (slot, false));
        fresh.or_else(|| self.idle.borrow_mut().pop().map(|slot| (slot, true)))
    }

    /// The connection used last is the warmest.
    fn idle_in_turn(&self) -> Option<usize> {
        let mut idle = self.idle.borrow_mut();
        if self.target.addresses.used() < 2 {
            return idle.pop();
        }
        let place = {
            let (slots, turn) = (self.slots.borrow(), self.turn.get());
            idle.iter().rposition(|slot| slots[*slot].address == turn)?
        };
        self.next_turn();
        Some(idle.remove(place))
    }

    /// Whose turn it is; then it is the next one's.
    pub fn next_turn(&self) -> usize {
        let turn = self.turn.get();
        let next = turn + 1;
        self.turn.set(if next < self.target.addresses.used() { next } else { 0 });
        turn
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn listeners(hosts: &[&str]) -> Vec<TcpListener> {
        hosts.iter().map(|host| TcpListener::bind((*host, 0)).expect("a free port")).collect()
    }

    fn of(resolved: &[SocketAddr], spread: Spread) -> Addresses {
        Addresses::of(resolved, resolved[0], spread, Duration::from_secs(1))
    }

    fn told(addresses: &Addresses) -> Vec<(String, u64)> {
        let entries = addresses.take(7);
        entries.iter().map(|one| (one[1].as_str().expect("text").into(), one[2].as_u64().expect("a count"))).collect()
    }

    #[test]
    fn what_takes_no_connection_is_told_and_not_used() {
        let open = listeners(&["127.0.0.1", "127.0.0.2"]);
        let mut resolved: Vec<SocketAddr> = open.iter().map(|one| one.local_addr().expect("an address")).collect();
        resolved.insert(1, "127.0.0.3:1".parse().expect("an address"));
        let addresses = of(&resolved, Spread::All);
        assert_eq!(addresses.used(), 2);
        assert_eq!([addresses.at(0), addresses.at(1)], [Some(resolved[0]), Some(resolved[2])]);
        assert_eq!(told(&addresses).len(), 3);
    }

    #[test]
    fn only_the_first_is_used_when_the_plan_says_so() {
        let open = listeners(&["127.0.0.1", "127.0.0.2"]);
        let resolved: Vec<SocketAddr> = open.iter().map(|one| one.local_addr().expect("an address")).collect();
        let addresses = of(&resolved, Spread::First);
        assert_eq!((addresses.used(), told(&addresses).len()), (1, 2));
    }

    #[test]
    fn the_other_family_of_the_same_host_is_no_address_of_its_own() {
        let resolved: Vec<SocketAddr> = ["127.0.0.1:80", "[::1]:80"].map(|one| one.parse().expect("one")).into();
        assert_eq!(told(&of(&resolved, Spread::First)), [("127.0.0.1:80".into(), 0)]);
    }

    #[test]
    fn each_count_is_told_once_and_what_was_given_nothing_the_first_time_only() {
        let resolved: Vec<SocketAddr> = ["127.0.0.1:80", "127.0.0.2:80"].map(|one| one.parse().expect("one")).into();
        let addresses = of(&resolved, Spread::First);
        addresses.give(0);
        addresses.give(0);
        assert_eq!(told(&addresses), [("127.0.0.1:80".into(), 2), ("127.0.0.2:80".into(), 0)]);
        addresses.give(0);
        assert_eq!(told(&addresses), [("127.0.0.1:80".into(), 1)]);
        assert!(told(&addresses).is_empty());
    }
}
