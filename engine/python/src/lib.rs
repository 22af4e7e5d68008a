//! The engine as Python sees it (loadtest/_engine.pyi): converts, releases the GIL, delegates.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use golive_sender::{
    due_counts as counts_of, failure_kinds as kinds, Engine as Sender, EngineError as Refusal, HistogramSum, Plan,
};
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

create_exception!(_engine, EngineError, PyValueError, "The engine plan is not usable, or an order came out of turn.");

// By value: `map_err` hands the refusal over.
#[allow(clippy::needless_pass_by_value)]
fn refused(refusal: Refusal) -> PyErr {
    EngineError::new_err(refusal.to_string())
}

/// Sends one worker's shard of a plan.
#[pyclass(frozen, module = "loadtest._engine")]
struct Engine {
    sender: Sender,
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (plan_json, *, shard, shards))]
    fn new(plan_json: &str, shard: u64, shards: u64) -> PyResult<Self> {
        let sender = Sender::new(plan_json, shard, shards).map_err(refused)?;
        Ok(Self { sender })
    }

    fn prepare(&self, py: Python<'_>) -> String {
        py.detach(|| self.sender.prepare()).err().unwrap_or_default()
    }

    #[pyo3(signature = (*, hidden, veiled))]
    fn trial(&self, py: Python<'_>, hidden: Vec<String>, veiled: Vec<String>) -> PyResult<String> {
        py.detach(|| self.sender.trial(hidden, veiled)).map_err(refused)
    }

    #[pyo3(signature = (*, start_in_us, start_unix_us, lease_us))]
    fn start(&self, start_in_us: u64, start_unix_us: u64, lease_us: u64) -> PyResult<()> {
        self.sender.start(start_in_us, start_unix_us, lease_us).map_err(refused)
    }

    #[pyo3(signature = (*, lease_us))]
    fn renew_lease(&self, lease_us: u64) {
        self.sender.renew_lease(lease_us);
    }

    #[pyo3(signature = (*, because))]
    fn halt(&self, because: &str) {
        self.sender.halt(because);
    }

    fn state(&self) -> &'static str {
        self.sender.state()
    }

    fn halted_because(&self) -> String {
        self.sender.halted_because()
    }

    #[pyo3(signature = (*, everything = false))]
    fn drain(&self, py: Python<'_>, everything: bool) -> String {
        py.detach(|| self.sender.drain(everything))
    }
}

#[pyfunction]
#[pyo3(signature = (plan_json, *, shard = 0, shards = 1))]
fn due_counts(py: Python<'_>, plan_json: &str, shard: u64, shards: u64) -> PyResult<Vec<Vec<u64>>> {
    let plan = Plan::from_json(plan_json).map_err(refused)?;
    Ok(py.detach(|| counts_of(&plan, shard, shards)))
}

#[pyfunction]
fn validate_plan(plan_json: &str) -> PyResult<()> {
    Sender::new(plan_json, 0, 1).map(|_| ()).map_err(refused)
}

/// Count, sum, least and greatest (ms), counts by rounded ms, counts by bucket.
type Times = (u64, f64, f64, f64, BTreeMap<u64, u64>, Vec<u64>);

/// Adds up the histograms of many deltas, by tag, until they are taken.
#[pyclass(frozen, module = "loadtest._engine")]
struct Histograms {
    by_tag: Mutex<BTreeMap<String, HistogramSum>>,
}

#[pymethods]
impl Histograms {
    #[new]
    fn new() -> Self {
        Self { by_tag: Mutex::default() }
    }

    fn add(&self, tag: &str, hdr: &str) -> PyResult<()> {
        let mut by_tag = self.by_tag.lock().unwrap_or_else(PoisonError::into_inner);
        match by_tag.get_mut(tag) {
            Some(sum) => sum.add(hdr),
            None => by_tag.entry(tag.to_owned()).or_default().add(hdr),
        }
        .map_err(refused)
    }

    fn tags(&self) -> Vec<String> {
        self.by_tag.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    #[pyo3(signature = (tag, *, bounds_us))]
    // By value: Python's list has to be converted anyway.
    #[allow(clippy::needless_pass_by_value)]
    fn take(&self, tag: &str, bounds_us: Vec<u64>) -> Times {
        let sum = self.by_tag.lock().unwrap_or_else(PoisonError::into_inner).remove(tag).unwrap_or_default();
        let times = sum.times(&bounds_us);
        (times.count, times.total_ms, times.min_ms, times.max_ms, times.by_rounded_ms, times.by_bucket)
    }
}

#[pyfunction]
fn failure_kinds() -> Vec<(String, bool)> {
    kinds()
}

#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

#[pymodule]
fn _engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Engine>()?;
    module.add_class::<Histograms>()?;
    module.add("EngineError", module.py().get_type::<EngineError>())?;
    module.add_function(wrap_pyfunction!(due_counts, module)?)?;
    module.add_function(wrap_pyfunction!(failure_kinds, module)?)?;
    module.add_function(wrap_pyfunction!(validate_plan, module)?)?;
    module.add_function(wrap_pyfunction!(version, module)?)?;
    let names = ["Engine", "EngineError", "Histograms", "due_counts", "failure_kinds", "validate_plan", "version"];
    module.add("__all__", names)
}
