//! How other threads speak to the platform: an order goes in, an answer comes back, a bell wakes the server.

use std::os::fd::OwnedFd;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;

use rustix::event::{eventfd, EventfdFlags};

use crate::faults::Faults;
use crate::model::Condition;
use crate::operations::Refusal;
use crate::snapshot::Snapshot;

/// What may be asked of the platform.
#[derive(Debug)]
pub enum Order {
    Look,
    SetDesired {
        service: String,
        desired: u32,
    },
    SetScaling {
        service: String,
        report: ScalingReport,
    },
    SetFaults(Faults),
    Freeze {
        for_us: u64,
    },
    Kill {
        service: String,
        replicas: usize,
    },
    /// End once clients have had time to go elsewhere.
    Drain,
    Stop,
}

/// An autoscaler's decision; what is left out stays as it was.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScalingReport {
    pub desired: Option<u32>,
    pub current_metric: Option<f64>,
    pub target_metric: Option<f64>,
    pub conditions: Option<Vec<Condition>>,
}

/// What an order came to.
#[derive(Debug)]
pub enum Outcome {
    Seen(Box<Snapshot>),
    Killed(usize),
    Done,
    Refused(Refusal),
}

/// An order and where its outcome goes.
#[derive(Debug)]
pub struct Sealed {
    pub order: Order,
    pub outcome: Sender<Outcome>,
}

/// The side of those who give orders.
#[derive(Debug, Clone)]
pub struct Desk {
    orders: Sender<Sealed>,
    bell: Arc<OwnedFd>,
}

/// The side of the server.
#[derive(Debug)]
pub struct Inbox {
    pub orders: Receiver<Sealed>,
    pub bell: Arc<OwnedFd>,
}

/// Open a line to the server.
///
/// # Errors
/// The kernel has no file handle left.
pub fn line() -> std::io::Result<(Desk, Inbox)> {
    let bell = Arc::new(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?);
    let (orders, inbox) = channel();
    Ok((Desk { orders, bell: Arc::clone(&bell) }, Inbox { orders: inbox, bell }))
}

impl Desk {
    /// Give an order and wait for its outcome; `None` when the server is gone.
    #[must_use]
    pub fn ask(&self, order: Order) -> Option<Outcome> {
        let (outcome, answer) = channel();
        self.orders.send(Sealed { order, outcome }).ok()?;
        self.ring();
        answer.recv().ok()
    }

    fn ring(&self) {
        // A bell that is full has been rung often enough.
        let _ = rustix::io::write(&*self.bell, &1_u64.to_ne_bytes());
    }
}

impl Inbox {
    /// Stop the bell.
    pub fn hush(&self) {
        let mut rings = [0; 8];
        // Nothing to read means that it was quiet.
        let _ = rustix::io::read(&*self.bell, &mut rings);
    }
}
