//! `bench-target fast|bimodal|stall|http2 RATE`: serve on a free loopback port until standard input ends, then say what was seen.
//! `bench-target timer`: an idle timer of 1 ms until standard input ends, then how late it fired.
//!
//! Says "port N" first, "first request" at the first request, and one line of JSON at the end.

mod http2;
mod server;
mod tally;

use std::io::{stdin, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use server::{Behaviour, Server};
use tally::quantiles;

const PERIOD: Duration = Duration::from_millis(1);

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rate_rps = arguments.get(1).and_then(|rate| rate.parse().ok()).unwrap_or(0.0);
    rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1000))?;
    match arguments.first().map(String::as_str) {
        Some("timer") => {
            println!("{{\"late_us\":{}}}", time_idly());
            Ok(())
        }
        Some("fast") => Server::new(Behaviour::Fast, rate_rps)?.run(),
        Some("bimodal") => Server::new(Behaviour::Bimodal, rate_rps)?.run(),
        Some("stall") => Server::new(Behaviour::Stall, rate_rps)?.run(),
        Some("http2") => http2::run(rate_rps),
        _ => Err(std::io::Error::other("bench-target fast|bimodal|stall|http2 RATE, or bench-target timer")),
    }
}

/// Sleep a period at a time and tell how much later than that it woke.
fn time_idly() -> String {
    let ended = Arc::new(AtomicBool::new(false));
    let waits = spawn({
        let ended = Arc::clone(&ended);
        move || {
            let _ = stdin().read_to_end(&mut Vec::new());
            ended.store(true, Ordering::Relaxed);
        }
    });
    let mut late_us = Vec::new();
    while !ended.load(Ordering::Relaxed) {
        let asleep = Instant::now();
        sleep(PERIOD);
        late_us.push(asleep.elapsed().saturating_sub(PERIOD).as_micros() as i64);
    }
    let _ = waits.join();
    quantiles(&mut late_us)
}
