//! What a process may lose for good: memory, file handles, connections. Really lost, so that its own figures show it.

use std::fs::File;
use std::net::TcpStream;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

/// More memory than this is not kept, whatever a leak says: a rehearsal must not take its machine down.
pub const MEMORY_AT_MOST_BYTES: f64 = 2e9;

/// What leaks now. The default is a process that gives everything back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Leaks {
    /// In bytes.
    pub memory: Leak,
    /// In handles.
    pub file_handles: Leak,
    /// This share of the connections that end is never closed on this side.
    pub connections: f64,
}

/// How fast something is lost, and where it stops: a cache that fills is a leak with an end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Leak {
    pub per_request: f64,
    pub per_second: f64,
    pub at_most: Option<f64>,
}

impl Leak {
    /// What is lost by so many requests and seconds, when so much was lost before.
    fn loses(&self, lost: f64, requests: f64, seconds: f64) -> f64 {
        let wanted = self.per_request * requests + self.per_second * seconds;
        wanted.min(self.at_most.map_or(f64::INFINITY, |most| (most - lost).max(0.0)))
    }
}

/// What was lost so far. It is gone until the process ends, as in life: mending a leak gives nothing back.
#[derive(Debug)]
pub struct Lost {
    memory: Vec<Vec<u8>>,
    memory_bytes: f64,
    handles: Vec<File>,
    handles_owed: f64,
    connections: Vec<TcpStream>,
    chance: SmallRng,
}

impl Default for Lost {
    fn default() -> Self {
        Self {
            memory: Vec::new(),
            memory_bytes: 0.0,
            handles: Vec::new(),
            handles_owed: 0.0,
            connections: Vec::new(),
            chance: SmallRng::seed_from_u64(1),
        }
    }
}

impl Lost {
    /// So many requests were answered and seconds have passed since the last time.
    pub fn grow(&mut self, leaks: &Leaks, requests: f64, seconds: f64) {
        let room_bytes = (MEMORY_AT_MOST_BYTES - self.memory_bytes).max(0.0);
        let bytes = leaks.memory.loses(self.memory_bytes, requests, seconds).min(room_bytes);
        self.memory_bytes += bytes;
        if bytes >= 1.0 {
            // Written to, or the kernel would never give the pages.
            self.memory.push(vec![1; bytes as usize]);
        }
        self.handles_owed += leaks.file_handles.loses(self.handles.len() as f64 + self.handles_owed, requests, seconds);
        while self.handles_owed >= 1.0 {
            let Ok(file) = File::open("/dev/null") else {
                // None left: the platform goes on without, as it would for a leak of its own.
                return;
            };
            self.handles.push(file);
            self.handles_owed -= 1.0;
        }
    }

    /// A connection has ended: keep it open when the leak says so.
    pub fn end(&mut self, leaks: &Leaks, socket: TcpStream) {
        if leaks.connections > 0.0 && self.chance.random_bool(leaks.connections) {
            self.connections.push(socket);
        }
    }

    /// Connections that nobody will close.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn handles(leak: Leak) -> Leaks {
        Leaks { file_handles: leak, ..Leaks::default() }
    }

    #[test]
    fn without_a_leak_nothing_is_lost() {
        let mut lost = Lost::default();
        lost.grow(&Leaks::default(), 1e6, 1e6);
        assert_eq!((lost.memory.len(), lost.handles.len()), (0, 0));
    }

    #[test]
    fn a_slow_leak_loses_a_whole_handle_now_and_then() {
        let mut lost = Lost::default();
        let leaks = handles(Leak { per_second: 0.25, ..Leak::default() });
        for _ in 0..10 {
            lost.grow(&leaks, 0.0, 1.0);
        }
        assert_eq!(lost.handles.len(), 2);
    }

    #[test]
    fn memory_is_lost_by_requests() {
        let mut lost = Lost::default();
        let memory = Leak { per_request: 100.0, ..Leak::default() };
        lost.grow(&Leaks { memory, ..Leaks::default() }, 50.0, 1.0);
        assert_eq!(lost.memory.iter().map(Vec::len).sum::<usize>(), 5000);
    }

    proptest! {
        #[test]
        fn a_leak_with_an_end_never_passes_it(steps in proptest::collection::vec(0.0f64..40.0, 1..20), most in 0.0f64..50.0) {
            let mut lost = Lost::default();
            let leaks = handles(Leak { per_request: 1.0, at_most: Some(most), ..Leak::default() });
            for requests in steps {
                lost.grow(&leaks, requests, 1.0);
            }
            prop_assert!(lost.handles.len() as f64 <= most);
        }
    }
}
