//! The engine alone, without Python, for those who look for where its time goes:
//! `cargo run --release --example load -- URL closed|RPS SECONDS CONNECTIONS THREADS`

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use golive_sender::Engine;
use serde_json::{json, Value};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, how, seconds, connections, threads] = words.as_slice() else {
        return Err("URL closed|RPS SECONDS CONNECTIONS THREADS".into());
    };
    let (arrivals, rps) = if how == "closed" { ("closed", 1.0) } else { ("constant", how.parse()?) };
    let plan = json!({
        "format": 1, "seed": 7, "arrivals": arrivals,
        "rate_line": [{"duration_us": seconds.parse::<u64>()? * 1_000_000, "from_rps": rps, "to_rps": rps}],
        "base_url": url, "grid_us": 500, "connections": connections.parse::<usize>()?,
        "threads": threads.parse::<usize>()?, "connect_timeout_us": 1_000_000, "ca_pem": "",
        "run_date": "2026-11-24", "tables": [], "login": null,
        "requests": [{"name": "home", "weight": 1.0, "method": "GET", "path": ["/"], "headers": [], "body": null,
                      "expect": [200], "checks": [], "timeout_us": 10_000_000}],
    });
    let engine = Engine::new(&plan.to_string(), 0, 1)?;
    engine.prepare()?;
    let unix_us = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64;
    engine.start(10_000, unix_us, 60_000_000)?;
    let (begun, mut ok) = (Instant::now(), 0);
    while engine.state() != "done" {
        std::thread::sleep(Duration::from_millis(500));
        engine.renew_lease(60_000_000);
        ok += answered(&engine.drain(false));
    }
    ok += answered(&engine.drain(true));
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let used_us = used.tv_sec as f64 * 1e6 + used.tv_nsec as f64 / 1e3;
    let rate = ok as f64 / begun.elapsed().as_secs_f64();
    eprintln!("{ok} answered, {rate:.0}/s, {:.3} us of CPU each", used_us / ok as f64);
    Ok(())
}

fn answered(delta: &str) -> u64 {
    let delta: Value = serde_json::from_str(delta).unwrap_or_default();
    let counts = delta["counts"].as_array().cloned().unwrap_or_default();
    counts.iter().filter_map(|line| line["ok"].as_u64()).sum()
}
