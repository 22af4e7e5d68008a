//! Bearer tokens: given at the login, recognised without being remembered.

use std::fmt::Write;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};

const LENGTH: usize = 16 + 1 + 32;

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
        let begin = RandomState::new().hash_one(0) >> 1;
        Self { key: Key::Shared(secret.to_owned()), given: begin }
    }

    /// A new token.
    pub fn give(&mut self) -> String {
        self.given += 1;
        self.spell(self.given)
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

    fn may_be_given(&self, number: u64) -> bool {
        match self.key {
            Key::Own(_) => (1..=self.given).contains(&number),
            Key::Shared(_) => true,
        }
    }

    /// Was this token given here, or by somebody with the same secret?
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
        self.may_be_given(number) && [first, second] == self.seals(number)
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
    fn replicas_that_share_a_secret_know_each_others_tokens() {
        let (mut one, other, stranger) = (Tokens::shared("s3"), Tokens::shared("s3"), Tokens::shared("s4"));
        let token = one.give();
        assert!(other.knows(token.as_bytes()));
        assert!(!stranger.knows(token.as_bytes()));
        assert!(!Tokens::default().knows(token.as_bytes()));
    }

    #[test]
    fn a_shared_secret_does_not_make_every_token_good() {
        let mut tokens = Tokens::shared("s3");
        let mut changed = tokens.give().into_bytes();
        changed[48] = if changed[48] == b'0' { b'1' } else { b'0' };
        assert!(!tokens.knows(&changed));
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
