//! Journeys under way: what each has captured, when its next step is due, how it ends.
//!
//! A thread keeps its own journeys; an arrival carries only the key of its own. Single requests never come here.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::sync::Arc;

use crate::checks::Found;
use crate::clock::Timer;
use crate::cookies::{Jar, Site};
use crate::failure::Failure;
use crate::path::{Path, Stop};
use crate::schedule::{hash, Arrival, Part};
use crate::template::{Occasion, Template};
use crate::turns::Turn;
use crate::visibility::{Effect, Visibility};

const THINKING: u64 = 0x0074_6869_6e6b;
const CHOOSING: u64 = 0x6368_6f6f_7365;

/// What the journeys of all threads of an engine have in common.
#[derive(Debug)]
pub struct Routes {
    pub paths: Vec<Path>,
    pub seed: u64,
    pub site: Site,
    /// After the start of the rate line: what would be due later is not due.
    pub end_ns: u64,
    pub visibility: Arc<Visibility>,
}

/// The journeys of one thread.
#[derive(Debug)]
pub struct Journeys {
    routes: Arc<Routes>,
    pacing: Pacing,
    state: RefCell<State>,
}

/// The pacer's clock, to be set earlier when a step is due before the pacer would look.
#[derive(Debug)]
pub struct Pacing {
    pub timer: Rc<Timer>,
    pub start_ns: u64,
    pub grid_ns: u64,
}

#[derive(Debug, Default)]
struct State {
    live: Vec<Option<Box<Journey>>>,
    free: Vec<u32>,
    thinking: BinaryHeap<Reverse<(u64, u32)>>,
    is_closed: bool,
}

/// One journey.
#[derive(Debug)]
struct Journey {
    path: usize,
    number: u64,
    turn: Turn,
    step: usize,
    sent: u64,
    accepted_ns: u64,
    has_appeared: bool,
    captured: Vec<Option<String>>,
    jar: Option<Jar>,
}

/// What comes after a good answer.
enum Next {
    Again(u64),
    Step,
}

impl Journeys {
    /// No journeys yet.
    pub fn new(routes: Arc<Routes>, pacing: Pacing) -> Self {
        Self { routes, pacing, state: RefCell::default() }
    }

    /// An arrival with its journey begun, where it is the first step of one.
    pub fn begin(&self, arrival: Arrival) -> Arrival {
        let Part::Starts(flow) = arrival.part else { return arrival };
        let path = &self.routes.paths[flow as usize];
        let journey = Box::new(Journey {
            path: flow as usize,
            number: arrival.number,
            turn: arrival.turn,
            step: 0,
            sent: 0,
            accepted_ns: 0,
            has_appeared: false,
            captured: vec![None; path.names],
            jar: path.has_cookies.then(Jar::default),
        });
        Arrival { part: Part::Step(self.state.borrow_mut().keep(journey)), ..arrival }
    }

    /// The next step whose instant has come.
    pub fn next_due(&self, now_ns: u64) -> Option<Arrival> {
        let mut state = self.state.borrow_mut();
        let Reverse((due_ns, key)) = *state.thinking.peek()?;
        if due_ns > now_ns {
            return None;
        }
        state.thinking.pop();
        let journey = state.live[key as usize].as_ref()?;
        let request = self.routes.paths[journey.path].stops[journey.step].request;
        Some(Arrival { number: journey.number, due_ns, request, turn: journey.turn, part: Part::Step(key) })
    }

    /// When the next step is due, as far as that is known.
    pub fn next_due_ns(&self) -> Option<u64> {
        self.state.borrow().thinking.peek().map(|Reverse((due_ns, _))| *due_ns)
    }

    /// Whether no more steps will be due.
    pub fn are_over(&self, now_ns: u64) -> bool {
        let state = self.state.borrow();
        now_ns >= self.routes.end_ns || state.is_closed || state.live.len() == state.free.len()
    }

    /// The load ends: whoever is thinking is not due any more.
    pub fn close(&self) {
        let mut state = self.state.borrow_mut();
        state.is_closed = true;
        while let Some(Reverse((_, key))) = state.thinking.pop() {
            state.forget(key);
        }
    }

    /// Write an arrival's request.
    pub fn write(&self, arrival: &Arrival, template: &Template, out: &mut Vec<u8>, scratch: &mut Vec<u8>) {
        let occasion = Occasion { number: arrival.number, turn: arrival.turn, ..Occasion::default() };
        let Part::Step(key) = arrival.part else { return template.write_for(occasion, out, scratch) };
        let mut state = self.state.borrow_mut();
        let Some(journey) = state.live[key as usize].as_mut() else { return };
        let cookies = journey.jar.as_ref().map(|jar| (jar, &self.routes.site));
        let occasion = Occasion { request: journey.sent, captured: &journey.captured, cookies, ..occasion };
        template.write_for(occasion, out, scratch);
        journey.sent += 1;
        if let Some(jar) = &mut journey.jar {
            jar.visit(crate::template::path_written(out));
        }
    }

    /// A step's answer was right so far: take from it what is wanted and go on. A failure: the step has failed after all.
    pub fn answered(&self, arrival: &Arrival, found: Option<&Found>, now: impl Fn() -> u64) -> Option<Failure> {
        let Part::Step(key) = arrival.part else { return None };
        let done_ns = now();
        let mut state = self.state.borrow_mut();
        let journey = state.live[key as usize].as_mut()?;
        let path = &self.routes.paths[journey.path];
        let next = match self.judge(journey, &path.stops[journey.step], arrival, found, done_ns) {
            Ok(next) => next,
            Err(failure) => return Some(failure),
        };
        let due_ns = match next {
            Next::Again(due_ns) => Some(due_ns),
            Next::Step => journey.advance(path, self.routes.seed, done_ns),
        };
        match due_ns {
            Some(due_ns) if due_ns < self.routes.end_ns && !state.is_closed => {
                state.thinking.push(Reverse((due_ns, key)));
                self.pacing.look_by(due_ns, done_ns);
            }
            _ => state.forget(key),
        }
        None
    }

    /// A step has failed or was never sent: its journey ends.
    pub fn failed(&self, arrival: &Arrival) {
        if let Part::Step(key) = arrival.part {
            self.state.borrow_mut().forget(key);
        }
    }

    fn judge(
        &self,
        journey: &mut Journey,
        stop: &Stop,
        arrival: &Arrival,
        found: Option<&Found>,
        done_ns: u64,
    ) -> Result<Next, Failure> {
        let Some(found) = found else { return Ok(Next::Step) };
        if let Some(jar) = &mut journey.jar {
            jar.take(&self.routes.site, &found.cookies);
        }
        if let Some(due_ns) = self.look_for_effect(journey, stop, arrival, found, done_ns)? {
            return Ok(Next::Again(due_ns));
        }
        // All captures of an answer draw the same item: a price belongs to its offer.
        let drawn = hash(hash(self.routes.seed ^ CHOOSING, journey.sent), journey.number);
        for ((slot, standing), values) in stop.captures.iter().zip(&found.captured) {
            let value = values.get((drawn % values.len().max(1) as u64) as usize);
            let fitting = value.and_then(Option::as_ref).filter(|value| standing.objection(value).is_none());
            let value = fitting.ok_or(Failure::Capture)?;
            journey.captured[*slot] = Some(value.clone());
        }
        Ok(Next::Step)
    }

    /// Whether the effect that a step waits for is there, and once; when to look again otherwise.
    fn look_for_effect(
        &self,
        journey: &mut Journey,
        stop: &Stop,
        arrival: &Arrival,
        found: &Found,
        done_ns: u64,
    ) -> Result<Option<u64>, Failure> {
        let Some(poll) = &stop.poll else { return Ok(None) };
        if journey.has_appeared {
            return if found.until_holds && found.once_holds { Ok(None) } else { Err(Failure::EffectRepeated) };
        }
        let note = |effect, wait_ns: u64| {
            self.routes.visibility.note(journey.accepted_ns, stop.request, effect, wait_ns / 1000);
        };
        if !found.until_holds {
            let again_ns = (arrival.due_ns + poll.every_ns).max(done_ns);
            if again_ns > journey.accepted_ns + poll.give_up_ns {
                note(Effect::Missing, poll.give_up_ns);
                return Err(Failure::EffectMissing);
            }
            return Ok(Some(again_ns));
        }
        note(Effect::Visible, done_ns.saturating_sub(journey.accepted_ns));
        if !found.once_holds {
            return Err(Failure::EffectRepeated);
        }
        journey.has_appeared = poll.settle_ns > 0;
        Ok(journey.has_appeared.then_some(done_ns + poll.settle_ns))
    }
}

impl Journey {
    /// Go on to the next step: when it is due; None at the end.
    fn advance(&mut self, path: &Path, seed: u64, done_ns: u64) -> Option<u64> {
        self.step += 1;
        (self.accepted_ns, self.has_appeared) = (done_ns, false);
        let (low_ns, high_ns) = path.stops.get(self.step)?.think_ns;
        let drawn = hash(hash(seed ^ THINKING, self.step as u64), self.number);
        Some(done_ns + low_ns + drawn % (high_ns - low_ns + 1))
    }
}

impl State {
    fn keep(&mut self, journey: Box<Journey>) -> u32 {
        if let Some(key) = self.free.pop() {
            self.live[key as usize] = Some(journey);
            return key;
        }
        self.live.push(Some(journey));
        self.live.len() as u32 - 1
    }

    fn forget(&mut self, key: u32) {
        if self.live[key as usize].take().is_some() {
            self.free.push(key);
        }
    }
}

impl Pacing {
    fn look_by(&self, due_ns: u64, now_ns: u64) {
        let at_ns = match self.grid_ns {
            0 => due_ns,
            grid_ns => due_ns.div_ceil(grid_ns).max(now_ns / grid_ns + 1) * grid_ns,
        };
        self.timer.no_later_than(self.start_ns + at_ns);
    }
}
