//! The ways a request can fail: a closed list but for the status (engine/DELTA.md).

use std::fmt;
use std::io;

use crate::codec::Fault;

/// Why a request was not answered as expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    Refused,
    Reset,
    TimeoutConnect,
    TimeoutWait,
    TimeoutBody,
    Status(u16),
    Malformed,
    Check,
    Capture,
    EffectMissing,
    EffectRepeated,
    TooLarge,
    Tls,
    Redirect,
    LocalPorts,
    FileHandles,
    Unreachable,
}

/// All but the statuses, which are kinds by their number.
const KINDS: [Failure; 16] = [
    Failure::Refused,
    Failure::Reset,
    Failure::TimeoutConnect,
    Failure::TimeoutWait,
    Failure::TimeoutBody,
    Failure::Malformed,
    Failure::Check,
    Failure::Capture,
    Failure::EffectMissing,
    Failure::EffectRepeated,
    Failure::TooLarge,
    Failure::Tls,
    Failure::Redirect,
    Failure::LocalPorts,
    Failure::FileHandles,
    Failure::Unreachable,
];

/// The name of every kind but the statuses, and whether it makes the platform unavailable.
#[must_use]
pub fn failure_kinds() -> Vec<(String, bool)> {
    KINDS.iter().map(|kind| (kind.to_string(), kind.is_unavailable())).collect()
}

impl Failure {
    /// Whether a client would call the platform unavailable.
    #[must_use]
    pub fn is_unavailable(self) -> bool {
        match self {
            Self::Status(status) => status >= 500,
            Self::Refused
            | Self::Reset
            | Self::Unreachable
            | Self::Tls
            | Self::TimeoutConnect
            | Self::TimeoutWait
            | Self::TimeoutBody => true,
            _ => false,
        }
    }

    /// Whether no answer came at all, so that its latency is its time-out.
    #[must_use]
    pub fn is_timeout(self) -> bool {
        matches!(self, Self::TimeoutConnect | Self::TimeoutWait | Self::TimeoutBody)
    }

    /// What a status means that the plan does not expect.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        if (300..400).contains(&status) {
            Self::Redirect
        } else {
            Self::Status(status)
        }
    }

    /// What is wrong with an answer that cannot be read.
    #[must_use]
    pub fn of_fault(fault: Fault) -> Self {
        match fault {
            Fault::Malformed => Self::Malformed,
            Fault::TooLarge => Self::TooLarge,
        }
    }

    /// What an error while connecting means.
    #[must_use]
    pub fn of_connecting(error: &io::Error) -> Self {
        // errno of Linux: EMFILE 24, ENFILE 23, EADDRNOTAVAIL 99
        match (error.raw_os_error(), error.kind()) {
            (Some(23 | 24), _) => Self::FileHandles,
            (Some(99), _) => Self::LocalPorts,
            (_, io::ErrorKind::ConnectionRefused) => Self::Refused,
            (_, io::ErrorKind::TimedOut) => Self::TimeoutConnect,
            (_, io::ErrorKind::InvalidData) => Self::Tls,
            (_, io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) => Self::Reset,
            _ => Self::Unreachable,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Status(status) => return write!(out, "status {status}"),
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::TimeoutConnect => "timeout connect",
            Self::TimeoutWait => "timeout wait",
            Self::TimeoutBody => "timeout body",
            Self::Malformed => "malformed",
            Self::Check => "check",
            Self::Capture => "capture",
            Self::EffectMissing => "effect missing",
            Self::EffectRepeated => "effect repeated",
            Self::TooLarge => "too large",
            Self::Tls => "tls",
            Self::Redirect => "redirect",
            Self::LocalPorts => "local ports",
            Self::FileHandles => "file handles",
            Self::Unreachable => "unreachable",
        };
        out.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another kind makes this fail to compile, and then the list to be one too short.
    fn place(kind: Failure) -> Option<usize> {
        Some(match kind {
            Failure::Status(_) => return None,
            Failure::Refused => 0,
            Failure::Reset => 1,
            Failure::TimeoutConnect => 2,
            Failure::TimeoutWait => 3,
            Failure::TimeoutBody => 4,
            Failure::Malformed => 5,
            Failure::Check => 6,
            Failure::Capture => 7,
            Failure::EffectMissing => 8,
            Failure::EffectRepeated => 9,
            Failure::TooLarge => 10,
            Failure::Tls => 11,
            Failure::Redirect => 12,
            Failure::LocalPorts => 13,
            Failure::FileHandles => 14,
            Failure::Unreachable => 15,
        })
    }

    #[test]
    fn the_list_has_every_kind_once() {
        let places: Vec<_> = KINDS.iter().map(|kind| place(*kind)).collect();
        assert_eq!(places, (0..KINDS.len()).map(Some).collect::<Vec<_>>());
    }
}
