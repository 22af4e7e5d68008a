//! How fast the number of connections grows, where opening one costs much: a TLS handshake takes a quarter of a
//! millisecond of CPU from the thread that sends.
//!
//! After a stall hundreds of requests wait, and a connection for each would keep that thread from sending for as long
//! again, while the ones there are would soon be free. What has ended may be replaced at once: only growth is slowed.

use std::cell::Cell;

use crate::plan::Plan;
use crate::policy::Http;

/// Half of a thread's time, at a quarter of a millisecond each.
const TLS_EVERY_NS: u64 = 500_000;
/// So many may be made up for after a pause.
const AT_ONCE: u64 = 4;

/// When another connection may be opened beside the most there have been.
#[derive(Debug, Default)]
pub struct Growth {
    every_ns: u64, // 0: as fast as needed
    next_ns: Cell<u64>,
}

impl Growth {
    /// As a plan's connections need it. Those of HTTP/2 are few.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let is_dear = plan.base_url.starts_with("https://") && plan.connection.http == Http::One;
        Self { every_ns: if is_dear { TLS_EVERY_NS } else { 0 }, next_ns: Cell::new(0) }
    }

    /// Whether there may be one more now; counts as opened when so.
    pub fn may_grow(&self, now_ns: u64) -> bool {
        let next_ns = self.next_ns.get().max(now_ns.saturating_sub(AT_ONCE * self.every_ns));
        let may = next_ns <= now_ns;
        if may {
            self.next_ns.set(next_ns + self.every_ns);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slowed() -> Growth {
        Growth { every_ns: TLS_EVERY_NS, next_ns: Cell::new(0) }
    }

    #[test]
    fn without_need_nothing_is_slowed() {
        let growth = Growth::default();
        assert!((0..10_000).all(|_| growth.may_grow(5)));
    }

    proptest! {
        #[test]
        fn in_any_time_it_grows_by_the_rate_and_a_few(gaps_us in prop::collection::vec(0u64..3000, 1..400)) {
            let (growth, mut now_ns, mut grown) = (slowed(), 10_000_000_000, 0);
            let began_ns = now_ns;
            for gap_us in gaps_us {
                now_ns += gap_us * 1000;
                grown += u64::from(growth.may_grow(now_ns));
            }
            prop_assert!(grown <= (now_ns - began_ns) / TLS_EVERY_NS + AT_ONCE + 1);
        }

        #[test]
        fn who_asks_often_gets_all_of_it(asked_us in 1u64..100) {
            let (growth, mut grown) = (slowed(), 0);
            for step in 0..1_000_000 / asked_us {
                grown += u64::from(growth.may_grow(step * asked_us * 1000));
            }
            prop_assert!((1999..=2005).contains(&grown), "{grown}");
        }
    }
}
