//! Bearer tokens: given at the login for a while, recognised without being remembered.

use std::fmt::Write;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};

const LENGTH: usize = 16 + 1 + 32;
/// A token's number is the second in which it expires, and below that a count.
const COUNT_BITS: u32 = 28;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// Makes and recognises tokens; those of another process are strangers, unless it has the same secret. (A rehearsal's
/// lock, not a vault's.)
#[derive(Debug)]
pub struct Tokens {
    key: Key,
    given: u64,
}

#[derive(Debug)]
enum Key {
    /// This process's own.
    Own([RandomState; 2]),
    /// Known to every replica of one platform: a token that one has given opens the others.
    Shared(String),
}

impl Default for Tokens {
    fn default() -> Self {
        Self { key: Key::Own(Default::default()), given: 0 }
    }
}

impl Tokens {
    /// Tokens that everybody with this secret gives and recognises.
    #[must_use]
    pub fn shared(secret: &str) -> Self {
        // Numbers begin anywhere, so that two replicas do not give the same tokens in the same order.
        let begin = RandomState::new().hash_one(0) & COUNT_MASK;
        Self { key: Key::Shared(secret.to_owned()), given: begin }
    }

    /// A new token, good until this second (unix).
    pub fn give(&mut self, until_unix_s: u64) -> String {
        self.given = (self.given + 1) & COUNT_MASK;
        self.spell(until_unix_s << COUNT_BITS | self.given)
    }

    fn spell(&self, number: u64) -> String {
        let mut token = format!("{number:016x}.");
        for seal in self.seals(number) {
            // Writing to a String cannot fail.
            let _ = write!(token, "{seal:016x}");
        }
        token
    }

    fn seals(&self, number: u64) -> [u64; 2] {
        match &self.key {
            Key::Own(keys) => [keys[0].hash_one(number), keys[1].hash_one(number)],
            Key::Shared(secret) => [0_u8, 1].map(|which| {
                let mut hasher = DefaultHasher::new();
                (which, secret, number).hash(&mut hasher);
                hasher.finish()
            }),
        }
    }

    /// Was this token given here, or by somebody with the same secret, and is it still good in this second (unix)?
    #[must_use]
    pub fn knows(&self, token: &[u8], now_unix_s: u64) -> bool {
        let Some(token) = std::str::from_utf8(token).ok().filter(|token| token.len() == LENGTH) else {
            return false;
        };
        let hex =
            |range: std::ops::Range<usize>| token.get(range).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let (Some(number), Some(first), Some(second)) = (hex(0..16), hex(17..33), hex(33..49)) else {
            return false;
        };
        now_unix_s < number >> COUNT_BITS && [first, second] == self.seals(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_given_is_known_until_it_expires() {
        let mut tokens = Tokens::default();
        let token = tokens.give(100);
        assert!(tokens.knows(token.as_bytes(), 99));
        assert!(!tokens.knows(token.as_bytes(), 100));
    }

    #[test]
    fn replicas_that_share_a_secret_know_each_others_tokens() {
        let (mut one, other, stranger) = (Tokens::shared("s3"), Tokens::shared("s3"), Tokens::shared("s4"));
        let token = one.give(100);
        assert!(other.knows(token.as_bytes(), 0));
        assert!(!stranger.knows(token.as_bytes(), 0));
        assert!(!Tokens::default().knows(token.as_bytes(), 0));
    }

    #[test]
    fn a_shared_secret_does_not_make_every_token_good() {
        let mut tokens = Tokens::shared("s3");
        let mut changed = tokens.give(100).into_bytes();
        changed[48] = if changed[48] == b'0' { b'1' } else { b'0' };
        assert!(!tokens.knows(&changed, 0));
    }

    #[test]
    fn other_tokens_are_not() {
        let (mut tokens, mut others) = (Tokens::default(), Tokens::default());
        let _ = tokens.give(100);
        let mut changed = tokens.give(100).into_bytes();
        changed[20] = if changed[20] == b'0' { b'1' } else { b'0' };
        for stranger in [others.give(100).into_bytes(), changed, b"".to_vec(), b"secret".to_vec(), vec![0xff; LENGTH]] {
            assert!(!tokens.knows(&stranger, 0));
        }
    }
}
