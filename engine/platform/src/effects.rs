//! What became of accepted commands that clients may ask after, in bounded memory.

use std::collections::HashMap;
use std::fmt::Write;

/// One accepted command: worked off once its queue has done `place` commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    pub queue: u32,
    pub place: u64,
    /// How often it takes effect: 1, unless a fault loses or repeats it.
    pub times: u8,
}

/// So many are remembered: as long as somebody may ask.
pub const REMEMBERED: usize = 250_000;

/// The latest commands, by the fingerprint of their idempotency keys: at least `remember`, at most twice as many.
#[derive(Debug)]
pub struct Effects {
    young: HashMap<u64, Command>,
    old: HashMap<u64, Command>,
    remember: usize,
}

impl Effects {
    /// Remember at least the latest `remember` commands. Room is taken as they come: most platforms show none.
    #[must_use]
    pub fn new(remember: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), remember }
    }

    /// A command is accepted under this key.
    pub fn note(&mut self, key: u64, command: Command) {
        if self.young.len() >= self.remember {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(key, command);
    }

    /// The command accepted under this key.
    #[must_use]
    pub fn find(&self, key: u64) -> Option<Command> {
        self.young.get(&key).or_else(|| self.old.get(&key)).copied()
    }
}

/// A command's name for its client.
#[must_use]
pub fn id_of(key: u64) -> String {
    format!("{key:016x}")
}

/// The key that a path's last segment names.
#[must_use]
pub fn key_in(path: &[u8]) -> Option<u64> {
    let id = path.rsplit(|byte| *byte == b'/').next()?;
    let is_id = id.len() == 16 && id.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte));
    is_id.then(|| std::str::from_utf8(id).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok()))?
}

/// What a client is told of a command that was accepted.
#[must_use]
pub fn accepted(key: u64) -> String {
    format!(r#"{{"status":"accepted","id":"{}"}}"#, id_of(key))
}

/// What a client is told who asks after one: how often it has taken effect by now.
#[must_use]
pub fn state_of(key: u64, effects: u8) -> String {
    let status = if effects == 0 { "pending" } else { "done" };
    let mut body = format!(r#"{{"id":"{}","status":"{status}""#, id_of(key));
    // Writing to a String cannot fail.
    let _ = write!(body, r#","effects":{effects}}}"#);
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn command(place: u64) -> Command {
        Command { queue: 0, place, times: 1 }
    }

    #[test]
    fn a_command_is_found_under_the_name_its_client_was_given() {
        let mut effects = Effects::new(10);
        effects.note(7, command(3));
        let path = format!("/v1/reservations/{}", id_of(7));
        assert_eq!(key_in(path.as_bytes()).and_then(|key| effects.find(key)), Some(command(3)));
    }

    #[test]
    fn what_is_no_name_names_nothing() {
        for path in ["/v1/reservations/", "/v1/reservations/xyz", "/00000000000000FF", "/+00000000000000f", ""] {
            assert_eq!(key_in(path.as_bytes()), None, "{path}");
        }
    }

    #[test]
    fn what_is_told_is_json() {
        for told in [accepted(1), state_of(1, 0), state_of(1, 2)] {
            let said: serde_json::Value = serde_json::from_str(&told).expect("JSON");
            assert_eq!(said["id"], "0000000000000001");
        }
    }

    proptest! {
        #[test]
        fn the_latest_commands_are_remembered_and_memory_is_bounded(remember in 1usize..50, keys in 1u64..300) {
            let mut effects = Effects::new(remember);
            for key in 0..keys {
                effects.note(key, command(key));
                prop_assert!(effects.young.len() + effects.old.len() <= 2 * remember);
            }
            for key in keys.saturating_sub(remember as u64)..keys {
                prop_assert_eq!(effects.find(key), Some(command(key)));
            }
        }
    }
}
