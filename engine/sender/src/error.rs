//! Why the engine refuses something.

use thiserror::Error;

/// Everything that can be wrong before a request is sent.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EngineError {
    /// The plan cannot be used.
    #[error("{at}: {what}")]
    Plan { at: String, what: String },
    /// The engine was asked for something out of order.
    #[error("{0}")]
    Order(String),
}
