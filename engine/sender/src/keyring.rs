//! Tokens that are renewed before they expire, by a thread that sends nothing else: the load's path only reads them.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::clock::now_ns;
use crate::control::{lock, Control};
use crate::journey_plan::Refresh;
use crate::login::Granted;

const NS_IN_US: u64 = 1000;
const AGAIN_AFTER_NS: u64 = 1_000_000_000;
/// How often the thread looks whether the load has ended.
const LOOK_NS: u64 = 100_000_000;

/// The tokens in use, and what became of renewing them.
#[derive(Debug)]
pub struct Keyring {
    keys: Vec<RwLock<Key>>,
    renewals: Mutex<BTreeMap<u64, Renewals>>, // by second after the start of the rate line
}

#[derive(Debug, Default)]
struct Key {
    text: String,
    renew_at_ns: u64,
}

#[derive(Debug, Default)]
struct Renewals {
    ok: u64,
    failed: u64,
    said: String,
}

impl Keyring {
    /// Take the first tokens in.
    #[must_use]
    pub fn of(granted: &[Granted], refresh: &Refresh) -> Self {
        let key = |granted: &Granted| {
            let renew_at_ns = renewal_ns(granted, refresh);
            RwLock::new(Key { text: granted.token.clone(), renew_at_ns })
        };
        Self { keys: granted.iter().map(key).collect(), renewals: Mutex::default() }
    }

    /// Use the token of an arrival.
    pub fn with<R>(&self, number: u64, using: impl FnOnce(&str) -> R) -> R {
        let at = (number % self.keys.len().max(1) as u64) as usize;
        using(&self.keys[at].read().unwrap_or_else(PoisonError::into_inner).text)
    }

    /// Renew tokens on a thread of its own until the load ends. `log_in` gets the token of this number.
    pub fn keep_fresh(
        self: &Arc<Self>,
        refresh: Refresh,
        start_ns: u64,
        control: Arc<Control>,
        log_in: impl Fn(u64) -> Result<Granted, String> + Send + 'static,
    ) -> io::Result<()> {
        let keyring = Arc::clone(self);
        let renew = move || {
            while control.activity().0 {
                let (number, at_ns) = keyring.soonest();
                let now = now_ns();
                if now < at_ns {
                    thread::sleep(Duration::from_nanos((at_ns - now).min(LOOK_NS)));
                    continue;
                }
                keyring.take(number, log_in(number as u64), &refresh, start_ns);
            }
        };
        thread::Builder::new().name("golive-login".into()).spawn(renew).map(|_| ())
    }

    fn soonest(&self) -> (usize, u64) {
        let due = |key: &RwLock<Key>| key.read().unwrap_or_else(PoisonError::into_inner).renew_at_ns;
        self.keys.iter().map(due).enumerate().min_by_key(|(_, at_ns)| *at_ns).unwrap_or((0, u64::MAX))
    }

    fn take(&self, number: usize, granted: Result<Granted, String>, refresh: &Refresh, start_ns: u64) {
        let now = now_ns();
        let mut renewals = lock(&self.renewals);
        let second = renewals.entry(now.saturating_sub(start_ns) / 1_000_000_000).or_default();
        let mut key = self.keys[number].write().unwrap_or_else(PoisonError::into_inner);
        match granted {
            Ok(granted) => {
                second.ok += 1;
                key.renew_at_ns = renewal_ns(&granted, refresh);
                key.text = granted.token;
            }
            Err(said) => {
                second.failed += 1;
                second.said = said;
                key.renew_at_ns = now + AGAIN_AFTER_NS;
            }
        }
    }

    /// What became of renewing before a second, as engine/DELTA.md has it; each leaves once.
    pub fn take_before(&self, second: u64, start_unix_s: u64) -> Vec<Value> {
        let mut renewals = lock(&self.renewals);
        let later = renewals.split_off(&second);
        let taken = std::mem::replace(&mut *renewals, later);
        let entry = |(second, done): (u64, Renewals)| json!({"second": start_unix_s + second, "ok": done.ok, "failed": done.failed, "said": done.said});
        taken.into_iter().map(entry).collect()
    }
}

/// When a token is to be renewed: before it expires, but not in the first half of its life.
fn renewal_ns(granted: &Granted, refresh: &Refresh) -> u64 {
    let before_ns = refresh.before_us.saturating_mul(NS_IN_US);
    let expires = granted.life_ns.map(|life_ns| life_ns.saturating_sub(before_ns).max(life_ns / 2));
    let every = refresh.every_us.map(|every_us| every_us.saturating_mul(NS_IN_US));
    let after_ns = expires.into_iter().chain(every).min().unwrap_or(u64::MAX);
    granted.at_ns.saturating_add(after_ns)
}
