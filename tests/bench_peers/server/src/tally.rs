//! What the server saw: every arrival against the schedule it was offered, every answer's time.

/// More than this is counted but no longer noted: 64 MB.
const NOTED_AT_MOST: usize = 4_000_000;

/// One run's requests.
#[derive(Debug, Default)]
pub struct Tally {
    rate_rps: f64,
    answered: u64,
    last_us: i64,
    late_us: Vec<i64>,
    served_us: Vec<i64>,
}

impl Tally {
    /// For a client that was asked for this many requests a second, evenly; 0 when it was asked for none.
    pub fn new(rate_rps: f64) -> Self {
        Self { rate_rps, ..Self::default() }
    }

    /// Note one answered request: when it was read, since the first, and how long its answer took.
    pub fn note(&mut self, read_us: i64, served_us: i64) {
        if self.late_us.len() < NOTED_AT_MOST && self.rate_rps > 0.0 {
            self.late_us.push(read_us - (self.answered as f64 / self.rate_rps * 1e6) as i64);
        }
        if self.served_us.len() < NOTED_AT_MOST {
            self.served_us.push(served_us);
        }
        self.answered += 1;
        self.last_us = self.last_us.max(read_us);
    }

    /// Everything as one line of JSON.
    ///
    /// Lateness: arrival k against k / rate, counted from the schedule's own origin, which the client alone knows.
    /// The earliest twentieth counts as on time, so that a burst at the start moves nothing.
    pub fn told(mut self) -> String {
        self.late_us.sort_unstable();
        let on_time_us = self.late_us.get(self.late_us.len() / 20).copied().unwrap_or(0);
        for late_us in &mut self.late_us {
            *late_us = (*late_us - on_time_us).max(0);
        }
        format!(
            "{{\"answered\":{},\"span_us\":{},\"late_us\":{},\"served_us\":{}}}",
            self.answered,
            self.last_us,
            quantiles(&mut self.late_us),
            quantiles(&mut self.served_us)
        )
    }
}

/// Median, 99th and 99.9th of all values, as JSON; null when there are none.
pub fn quantiles(values: &mut [i64]) -> String {
    if values.is_empty() {
        return "null".to_owned();
    }
    values.sort_unstable();
    let at = |ratio: f64| values[((values.len() as f64 * ratio).ceil() as usize).clamp(1, values.len()) - 1];
    format!("{{\"p50\":{},\"p99\":{},\"p999\":{}}}", at(0.5), at(0.99), at(0.999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_least_value_that_so_many_do_not_exceed() {
        let mut values: Vec<i64> = (1..=1000).collect();
        assert_eq!(quantiles(&mut values), "{\"p50\":500,\"p99\":990,\"p999\":999}");
        assert_eq!(quantiles(&mut []), "null");
    }

    #[test]
    fn an_even_schedule_is_never_late_and_a_pause_is_seen() {
        let mut tally = Tally::new(1000.0);
        for number in 0..1000 {
            tally.note(if number < 500 { number * 1000 } else { number * 1000 + 7000 }, 3);
        }
        assert!(tally.told().contains("\"late_us\":{\"p50\":0,\"p99\":7000,\"p999\":7000}"));
    }
}
