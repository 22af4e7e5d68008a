//! golive's load engine: when each request is due, send it, count it. It knows no objectives and no Python.

mod addresses;
mod caching;
mod capture;
mod checks;
mod clock;
mod closed_loop;
mod codec;
mod connection;
mod control;
mod control_timer;
mod dates;
mod engine;
mod error;
mod exchange;
mod failure;
mod flow_check;
mod framing;
mod journey_plan;
mod login;
mod plan;
mod pool;
mod record;
mod response_times;
mod schedule;
mod shard;
mod target;
mod template;
mod trial;
mod trial_words;

pub use codec::{Answer, AnswerReader, Expectations, Fault};
pub use engine::Engine;
pub use error::EngineError;
pub use plan::Plan;
pub use response_times::{response_times, ResponseTimes};
pub use schedule::{due_counts, Arrival, Schedule};
