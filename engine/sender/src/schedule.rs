//! When each request is due and which one it is: from the plan's rate line and seed alone.
//!
//! Arrival k is due where the rate line's integral reaches k + 0.5 (constant), or at the k-th point of a
//! unit-rate Poisson process put through the inverse of the integral (time change theorem).

use crate::plan::{Arrivals, Plan, Segment};

/// One due request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its number in the whole run, over all shards.
    pub number: u64,
    /// When it is due, after the start of the rate line.
    pub due_ns: u64,
    /// Which of the plan's requests it is.
    pub request: usize,
}

/// The arrivals of one shard, in order.
#[derive(Debug, Clone)]
pub struct Schedule {
    line: Line,
    process: Process,
    mix: Mix,
    seed: u64,
    number: u64,
    shard: u64,
    shards: u64,
}

impl Schedule {
    /// The arrivals k with k % shards == shard.
    #[must_use]
    pub fn new(plan: &Plan, shard: u64, shards: u64) -> Self {
        Self {
            line: Line::new(&plan.rate_line),
            process: Process::new(plan.arrivals, plan.seed),
            mix: Mix::of(plan),
            seed: plan.seed,
            number: 0,
            shard,
            shards,
        }
    }
}

impl Iterator for Schedule {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let number = self.number;
            let area = self.process.area_of(number);
            if area >= self.line.total {
                return None;
            }
            self.number += 1;
            if number % self.shards == self.shard {
                return Some(Arrival {
                    number,
                    due_ns: self.line.instant_ns(area),
                    request: self.mix.pick(hash(self.seed, number)),
                });
            }
        }
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

/// Weighted choice among the plan's requests.
#[derive(Debug, Clone)]
pub struct Mix {
    ends: Vec<f64>, // cumulative shares; the last is 1
}

impl Mix {
    /// The plan's requests by their weights.
    pub fn of(plan: &Plan) -> Self {
        Self::new(plan.requests.iter().map(|request| request.weight))
    }

    fn new(weights: impl Iterator<Item = f64>) -> Self {
        let weights: Vec<f64> = weights.collect();
        let total: f64 = weights.iter().sum();
        let mut reached = 0.0;
        let ends = weights
            .iter()
            .map(|weight| {
                reached += weight / total;
                reached
            })
            .collect();
        Self { ends }
    }

    /// Which of them a random number means.
    pub fn pick(&self, random: u64) -> usize {
        let point = (random >> 11) as f64 / (1u64 << 53) as f64;
        self.ends.partition_point(|end| *end <= point).min(self.ends.len() - 1)
    }
}

/// A well-mixed hash of two numbers (the finalizer of splitmix64, Steele et al. 2014).
#[must_use]
pub fn hash(seed: u64, number: u64) -> u64 {
    let mut mixed = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(number.wrapping_add(1).wrapping_mul(0xD134_2543_DE82_EF95));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// How many requests of each kind are due in each second after the start, by the plan alone: `[second][request]`.
#[must_use]
pub fn due_counts(plan: &Plan, shard: u64, shards: u64) -> Vec<Vec<u64>> {
    let duration_us: u64 = plan.rate_line.iter().map(|segment| segment.duration_us).sum();
    let mut counts = vec![vec![0; plan.requests.len()]; duration_us.div_ceil(1_000_000) as usize];
    let last = counts.len() - 1;
    if plan.arrivals == Arrivals::Closed {
        return counts; // what is due depends on the answers
    }
    for arrival in Schedule::new(plan, shard, shards) {
        let second = ((arrival.due_ns / 1_000_000_000) as usize).min(last);
        counts[second][arrival.request] += 1;
    }
    counts
}
