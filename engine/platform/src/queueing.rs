//! A station: so many slots, a first-come queue before them, and room for so many to wait.

use std::collections::VecDeque;

/// A request's place in the platform's table.
pub type RequestId = u32;

/// What became of a request that came to a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A slot was free: its work begins now.
    Begins,
    /// It waits its turn.
    Waits,
    /// Neither a slot nor room to wait.
    Full,
}

/// One replica's workers, or the database's connections.
#[derive(Debug, Clone)]
pub struct Station {
    slots: u32,
    room: usize,
    busy: u32,
    waiting: VecDeque<RequestId>,
}

impl Station {
    /// A station with `slots` served at a time and `room` for those that wait.
    #[must_use]
    pub fn new(slots: u32, room: usize) -> Self {
        Self { slots, room, busy: 0, waiting: VecDeque::new() }
    }

    /// A request comes in.
    pub fn enter(&mut self, id: RequestId) -> Entry {
        if self.busy < self.slots {
            self.busy += 1;
            Entry::Begins
        } else if self.waiting.len() < self.room {
            self.waiting.push_back(id);
            Entry::Waits
        } else {
            Entry::Full
        }
    }

    /// A request's work is done; whose work begins in its place?
    pub fn leave(&mut self) -> Option<RequestId> {
        self.busy -= 1;
        self.begin_next()
    }

    /// Change the number of slots (work in progress is finished); whose work begins at once?
    pub fn resize(&mut self, slots: u32) -> Vec<RequestId> {
        self.slots = slots;
        std::iter::from_fn(|| self.begin_next()).collect()
    }

    /// A waiting request is gone.
    pub fn forget(&mut self, id: RequestId) {
        self.waiting.retain(|&waiting| waiting != id);
    }

    fn begin_next(&mut self) -> Option<RequestId> {
        if self.busy >= self.slots {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.busy += 1;
        Some(next)
    }

    /// Slots in use.
    #[must_use]
    pub fn busy(&self) -> u32 {
        self.busy
    }

    /// Slots there are.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Requests inside: served and waiting.
    #[must_use]
    pub fn load(&self) -> usize {
        self.busy as usize + self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_to_wait_is_the_first_to_begin() {
        let mut station = Station::new(1, 2);
        assert_eq!([station.enter(1), station.enter(2), station.enter(3)], [Entry::Begins, Entry::Waits, Entry::Waits]);
        assert_eq!([station.leave(), station.leave(), station.leave()], [Some(2), Some(3), None]);
    }

    #[test]
    fn without_room_a_request_is_turned_away() {
        let mut station = Station::new(1, 0);
        assert_eq!([station.enter(1), station.enter(2)], [Entry::Begins, Entry::Full]);
    }

    #[test]
    fn more_slots_let_those_begin_who_wait() {
        let mut station = Station::new(1, 9);
        for id in 0..4 {
            station.enter(id);
        }
        assert_eq!(station.resize(3), vec![1, 2]);
    }

    proptest! {
        #[test]
        fn slots_are_never_overrun_and_nobody_is_lost(slots in 1u32..5, room in 0usize..5, comes in proptest::collection::vec(any::<bool>(), 0..200)) {
            let (mut station, mut inside) = (Station::new(slots, room), 0usize);
            for (id, comes) in (0u32..).zip(comes) {
                if comes {
                    inside += usize::from(station.enter(id) != Entry::Full);
                } else if station.busy() > 0 {
                    station.leave();
                    inside -= 1;
                }
                prop_assert!(station.busy() <= slots);
                prop_assert_eq!(station.load(), inside);
                prop_assert!(station.load() <= slots as usize || station.busy() == slots, "nobody waits while a slot is free");
            }
        }
    }
}
