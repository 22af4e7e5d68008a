//! When arrivals start: along the rate line, and beside it for flows that have a rate of their own.

use crate::mix::Mix;
use crate::plan::{Arrivals, Plan, Segment};
use crate::schedule::hash;

/// All starts of a plan, in order.
#[derive(Debug, Clone)]
pub struct Starts {
    line: Stream,
    beside: Vec<Beside>,
    /// The line's next start, once somebody beside it has to be compared with it.
    line_next_ns: Option<u64>,
}

/// One start.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub at: At,
    /// Which choice of the mix it is, when that is settled.
    pub choice: Option<usize>,
}

/// Where a start lies. An instant is worked out only for those who need it.
#[derive(Debug, Clone, Copy)]
pub enum At {
    Area(f64),
    Instant(u64),
}

#[derive(Debug, Clone)]
struct Beside {
    stream: Stream,
    choice: usize,
    next_ns: Option<u64>,
}

impl Starts {
    /// A plan's starts.
    pub fn of(plan: &Plan, mix: &Mix) -> Self {
        let line = Stream {
            line: Line::new(&plan.rate_line),
            process: Process::new(plan.arrivals, plan.seed),
            starts_per_request: mix.starts_per_request(),
            number: 0,
        };
        let mut starts = Self { line, beside: beside(plan), line_next_ns: None };
        if !starts.beside.is_empty() {
            starts.line_next_ns = starts.line.next_ns();
        }
        starts
    }

    /// The next start; None when there is no more.
    pub fn next(&mut self) -> Option<Start> {
        if self.beside.is_empty() {
            return self.line.next_area().map(|area| Start { at: At::Area(area), choice: None });
        }
        let soonest = self.beside.iter_mut().filter(|one| one.next_ns.is_some()).min_by_key(|one| one.next_ns);
        match (self.line_next_ns, soonest) {
            (Some(at_ns), Some(one)) if one.next_ns.is_some_and(|other_ns| other_ns < at_ns) => one.take(),
            (None, Some(one)) => one.take(),
            (Some(at_ns), _) => {
                self.line_next_ns = self.line.next_ns();
                Some(Start { at: At::Instant(at_ns), choice: None })
            }
            (None, None) => None,
        }
    }

    /// When a start is due, after the start of the rate line. Asked in order.
    pub fn instant_ns(&mut self, at: At) -> u64 {
        match at {
            At::Area(area) => self.line.line.instant_ns(area),
            At::Instant(at_ns) => at_ns,
        }
    }
}

fn beside(plan: &Plan) -> Vec<Beside> {
    let flows = plan.flows.iter().enumerate().filter_map(|(index, flow)| Some((index, flow.rate_rps?)));
    flows
        .map(|(index, rate)| {
            let mut stream = Stream {
                line: Line::new(&plan.rate_line.iter().map(|segment| segment.beside(rate)).collect::<Vec<_>>()),
                process: Process::new(plan.arrivals, hash(plan.seed, u64::MAX - 1 - index as u64)),
                starts_per_request: 1.0,
                number: 0,
            };
            let next_ns = stream.next_ns();
            Beside { stream, choice: plan.requests.len() + index, next_ns }
        })
        .collect()
}

impl Beside {
    fn take(&mut self) -> Option<Start> {
        let at = At::Instant(self.next_ns?);
        self.next_ns = self.stream.next_ns();
        Some(Start { at, choice: Some(self.choice) })
    }
}

/// Starts along one line of rates.
#[derive(Debug, Clone)]
struct Stream {
    line: Line,
    process: Process,
    starts_per_request: f64,
    number: u64,
}

impl Stream {
    /// The integral of the line at the next start; None when the line ends before.
    fn next_area(&mut self) -> Option<f64> {
        let area = self.process.area_of(self.number) / self.starts_per_request;
        if area >= self.line.total {
            return None;
        }
        self.number += 1;
        Some(area)
    }

    fn next_ns(&mut self) -> Option<u64> {
        self.next_area().map(|area| self.line.instant_ns(area))
    }
}

/// The rate line with its running integral. Areas are asked for in ascending order.
#[derive(Debug, Clone)]
struct Line {
    pieces: Vec<Piece>,
    at: usize,
    total: f64,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    start_ns: f64,
    area_before: f64,
    area: f64,
    from_rps: f64,
    slope: f64, // rps per second
    duration_s: f64,
}

impl Line {
    fn new(segments: &[Segment]) -> Self {
        let (mut start_ns, mut area_before) = (0.0, 0.0);
        let mut pieces = Vec::with_capacity(segments.len());
        for segment in segments {
            let duration_s = segment.duration_us as f64 / 1e6;
            let area = duration_s * (segment.from_rps + segment.to_rps) / 2.0;
            pieces.push(Piece {
                start_ns,
                area_before,
                area,
                from_rps: segment.from_rps,
                slope: (segment.to_rps - segment.from_rps) / duration_s,
                duration_s,
            });
            start_ns += segment.duration_us as f64 * 1e3;
            area_before += area;
        }
        Self { pieces, at: 0, total: area_before }
    }

    /// Where the integral reaches this area (which must be below the total and not below the last one asked for).
    fn instant_ns(&mut self, area: f64) -> u64 {
        while self.at + 1 < self.pieces.len() && area >= self.pieces[self.at].area_before + self.pieces[self.at].area {
            self.at += 1;
        }
        let piece = &self.pieces[self.at];
        let rest = (area - piece.area_before).max(0.0);
        (piece.start_ns + piece.reach_s(rest) * 1e9) as u64
    }
}

impl Piece {
    /// Solve from·t + slope·t²/2 = rest, in the form that loses no digits for either sign of the slope.
    fn reach_s(&self, rest: f64) -> f64 {
        let root = (self.from_rps * self.from_rps + 2.0 * self.slope * rest).max(0.0).sqrt();
        let below = self.from_rps + root;
        if below > 0.0 {
            (2.0 * rest / below).min(self.duration_s)
        } else {
            0.0
        }
    }
}

#[derive(Debug, Clone)]
enum Process {
    Constant,
    Poisson { random: fastrand::Rng, area: f64 },
}

impl Process {
    fn new(arrivals: Arrivals, seed: u64) -> Self {
        match arrivals {
            Arrivals::Constant | Arrivals::Closed => Self::Constant,
            Arrivals::Poisson => Self::Poisson { random: fastrand::Rng::with_seed(hash(seed, u64::MAX)), area: 0.0 },
        }
    }

    /// The integral at which arrival `number` is due; called once for each number, in order.
    fn area_of(&mut self, number: u64) -> f64 {
        match self {
            Self::Constant => number as f64 + 0.5,
            Self::Poisson { random, area } => {
                *area -= (1.0 - random.f64()).ln();
                *area
            }
        }
    }
}
