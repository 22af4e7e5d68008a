//! Bearer tokens: given at the login, recognised without being remembered.

use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};

const LENGTH: usize = 16 + 1 + 32;

/// Makes and recognises tokens; those of another process are strangers. (A rehearsal's lock, not a vault's.)
#[derive(Debug, Default)]
pub struct Tokens {
    keys: [RandomState; 2],
    given: u64,
}

impl Tokens {
    /// A new token.
    pub fn give(&mut self) -> String {
        self.given += 1;
        self.spell(self.given)
    }

    fn spell(&self, number: u64) -> String {
        let mut token = format!("{number:016x}.");
        for key in &self.keys {
            // Writing to a String cannot fail.
            let _ = write!(token, "{:016x}", key.hash_one(number));
        }
        token
    }

    /// Was this token given here?
    #[must_use]
    pub fn knows(&self, token: &[u8]) -> bool {
        let Some(token) = std::str::from_utf8(token).ok().filter(|token| token.len() == LENGTH) else {
            return false;
        };
        let hex =
            |range: std::ops::Range<usize>| token.get(range).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let (Some(number), Some(first), Some(second)) = (hex(0..16), hex(17..33), hex(33..49)) else {
            return false;
        };
        (1..=self.given).contains(&number) && [first, second] == [0, 1].map(|at: usize| self.keys[at].hash_one(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_given_is_known() {
        let mut tokens = Tokens::default();
        let token = tokens.give();
        assert!(tokens.knows(token.as_bytes()));
    }

    #[test]
    fn other_tokens_are_not() {
        let (mut tokens, mut others) = (Tokens::default(), Tokens::default());
        let _ = tokens.give();
        let mut changed = tokens.give().into_bytes();
        changed[20] = if changed[20] == b'0' { b'1' } else { b'0' };
        for stranger in [others.give().into_bytes(), changed, b"".to_vec(), b"secret".to_vec(), vec![0xff; LENGTH]] {
            assert!(!tokens.knows(&stranger));
        }
    }
}
