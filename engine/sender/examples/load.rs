//! The engine alone, without Python, for those who look for where its time goes:
//! `cargo run --release --example load -- URL closed|RPS SECONDS CONNECTIONS THREADS [MORE OF THE PLAN, AS JSON]`
//! Prints what was answered and its cost, then the schedule lag of each second (P50, P99, most).

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::prelude::{Engine as _, BASE64_STANDARD};
use golive_sender::Engine;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::Histogram;
use serde_json::{json, Map, Value};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, how, seconds, connections, threads, more @ ..] = words.as_slice() else {
        return Err("URL closed|RPS SECONDS CONNECTIONS THREADS [JSON]".into());
    };
    let (arrivals, rps) = if how == "closed" { ("closed", 1.0) } else { ("constant", how.parse()?) };
    let mut plan = json!({
        "format": 1, "seed": 7, "arrivals": arrivals,
        "rate_line": [{"duration_us": seconds.parse::<u64>()? * 1_000_000, "from_rps": rps, "to_rps": rps}],
        "base_url": url, "grid_us": 500, "connections": connections.parse::<usize>()?,
        "threads": threads.parse::<usize>()?, "connect_timeout_us": 1_000_000, "ca_pem": "",
        "run_date": "2026-11-24", "tables": [], "login": null,
        "requests": [{"name": "home", "weight": 1.0, "method": "GET", "path": ["/"], "headers": [], "body": null,
                      "expect": [200], "checks": [], "timeout_us": 10_000_000}],
    });
    for (key, value) in more.first().map_or(Ok(Map::new()), |json| serde_json::from_str(json))? {
        plan[key] = value;
    }
    let engine = Engine::new(&plan.to_string(), 0, 1)?;
    engine.prepare()?;
    let unix_us = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64;
    engine.start(10_000, unix_us, 60_000_000)?;
    let (begun, mut ok, mut lags) = (Instant::now(), 0, BTreeMap::new());
    let mut take = |delta: &str| -> Result<(), Box<dyn std::error::Error>> {
        let delta: Value = serde_json::from_str(delta).unwrap_or_default();
        ok += answered(&delta);
        lag(&delta, &mut lags)
    };
    while engine.state() != "done" {
        std::thread::sleep(Duration::from_millis(500));
        engine.renew_lease(60_000_000);
        take(&engine.drain(false))?;
    }
    take(&engine.drain(true))?;
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let used_us = used.tv_sec as f64 * 1e6 + used.tv_nsec as f64 / 1e3;
    let rate = ok as f64 / begun.elapsed().as_secs_f64();
    eprintln!("{ok} answered, {rate:.0}/s, {:.3} us of CPU each", used_us / ok as f64);
    for (second, lag) in lags.values().enumerate() {
        let at = |quantile| lag.value_at_quantile(quantile);
        eprintln!("second {second}: lag P50 {} us, P99 {} us, most {} us", at(0.5), at(0.99), lag.max());
    }
    Ok(())
}

type Lags = BTreeMap<u64, Histogram<u64>>;

fn lag(delta: &Value, lags: &mut Lags) -> Result<(), Box<dyn std::error::Error>> {
    for entry in delta["latency"].as_array().into_iter().flatten().filter(|entry| entry["tag"] == "golive.lag") {
        let bytes = BASE64_STANDARD.decode(entry["hdr"].as_str().unwrap_or_default())?;
        let part: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice())?;
        match lags.get_mut(&entry["second"].as_u64().unwrap_or_default()) {
            Some(lag) => lag.add(part)?,
            None => drop(lags.insert(entry["second"].as_u64().unwrap_or_default(), part)),
        }
    }
    Ok(())
}

fn answered(delta: &Value) -> u64 {
    let counts = delta["counts"].as_array().cloned().unwrap_or_default();
    counts.iter().filter_map(|line| line["ok"].as_u64()).sum()
}
