//! Texts looked for in a body as it comes, in whatever pieces: no more is kept than a text may lie across.

use memchr::memmem;

/// Which of the texts have been seen so far.
#[derive(Debug, Default)]
pub struct BodySearch {
    seen: Vec<bool>,
    tail: Vec<u8>,
}

impl BodySearch {
    /// Look through the body's next piece.
    pub fn look(&mut self, piece: &[u8], texts: &[Vec<u8>]) {
        if texts.is_empty() || self.holds(texts) {
            return;
        }
        self.seen.resize(texts.len(), false);
        let across = texts.iter().map(Vec::len).max().unwrap_or(0).saturating_sub(1);
        let before = self.tail.len();
        self.tail.extend_from_slice(&piece[..piece.len().min(across)]);
        for (seen, text) in self.seen.iter_mut().zip(texts) {
            *seen = *seen
                || memmem::find(piece, text).is_some()
                || (before > 0 && memmem::find(&self.tail, text).is_some());
        }
        self.keep_tail(piece, across);
    }

    /// Whether all texts have been seen.
    #[must_use]
    pub fn holds(&self, texts: &[Vec<u8>]) -> bool {
        texts.iter().enumerate().all(|(at, text)| text.is_empty() || self.seen.get(at).is_some_and(|seen| *seen))
    }

    /// Keep as much of the end of what has come as could begin a text.
    fn keep_tail(&mut self, piece: &[u8], across: usize) {
        if piece.len() >= across {
            self.tail.clear();
            self.tail.extend_from_slice(&piece[piece.len() - across..]);
        } else {
            let over = self.tail.len().saturating_sub(across);
            self.tail.drain(..over);
        }
    }
}
