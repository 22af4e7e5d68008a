//! The rehearsal platform: a small, honest stand-in for a platform with finite capacity. See docs/rehearsal.md.
#![cfg_attr(test, allow(clippy::expect_used, clippy::unwrap_used))]

pub mod admin;
mod admin_http;
mod answers;
mod app_metrics;
pub mod arguments;
pub mod clock;
mod cluster_metrics;
pub mod config;
mod connection;
pub mod control;
pub mod counts;
mod effects;
mod exposition;
pub mod faults;
mod head;
mod http;
pub mod idempotency;
pub mod journey;
pub mod leaks;
pub mod model;
pub mod operations;
pub mod queueing;
pub mod queues;
pub mod replicas;
pub mod routing;
pub mod server;
mod serving;
pub mod snapshot;
pub mod times;
mod tokens;
pub mod usage;
mod validate;
