//! Texts of a column that no number tells: each of them once, by its code.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Keys whose codes are remembered, so that a text that just came is not hashed again.
const RECENT: usize = 256;
/// Marks the key of a text that has to be compared.
const COMPARED: u64 = 1 << 63;

/// The distinct texts of a column.
#[derive(Clone, Default)]
pub(super) struct Words {
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    /// Codes by text.
    index: HashTable<u32>,
    /// Keys with their codes, each in the slot that it hashes to.
    recent: Vec<(u64, u32)>,
    hasher: RandomState,
}

impl Words {
    /// The code of a word that this key, below 2⁶³, stands for until [`Words::forget`].
    #[inline]
    pub fn known(&mut self, key: u64, word: &str) -> u64 {
        let slot = slot(key);
        match self.recent.get(slot) {
            Some((known, code)) if *known == key => u64::from(*code),
            _ => self.enter(key, slot, word.as_bytes()),
        }
    }

    /// The code of a text. A long one is told by a part of it, and then compared as a whole.
    pub fn text(&mut self, bytes: &[u8]) -> u64 {
        let key = part_of(bytes) | COMPARED;
        let slot = slot(key);
        match self.recent.get(slot) {
            Some((known, code)) if *known == key && self.get((*code).into()) == bytes => u64::from(*code),
            _ => self.enter(key, slot, bytes),
        }
    }

    /// The code of a text, which is a new one unless the text was here before.
    fn enter(&mut self, key: u64, slot: usize, bytes: &[u8]) -> u64 {
        let Self { bytes: all, ends, index, hasher, .. } = self;
        let of = |code: u32| word(all, ends, code as usize);
        let entry = index.entry(
            hasher.hash_one(bytes),
            |known| of(*known) == bytes,
            |known| hasher.hash_one(of(*known)),
        );
        let code = match entry {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let code = ends.len() as u32;
                place.insert(code);
                all.extend_from_slice(bytes);
                ends.push(all.len());
                code
            }
        };
        if self.recent.is_empty() {
            self.recent.resize(RECENT, (u64::MAX, 0));
        }
        if let Some(recent) = self.recent.get_mut(slot) {
            *recent = (key, code);
        }
        code.into()
    }

    /// The text with this code; nothing for a code that is none.
    pub fn get(&self, code: u64) -> &[u8] {
        word(&self.bytes, &self.ends, code as usize)
    }

    /// Bytes that the texts take.
    pub const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets what keys stand for.
    pub fn forget(&mut self) {
        self.recent.clear();
    }

    /// Removes every text; what was allocated stays.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.index.clear();
        self.forget();
    }
}

fn word<'w>(bytes: &'w [u8], ends: &[usize], code: usize) -> &'w [u8] {
    let start = code.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(code).and_then(|end| bytes.get(start..*end)).unwrap_or_default()
}

const fn slot(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - RECENT.ilog2())) as usize
}

/// The length and the last bytes of a text: what differs in sentences is mostly near the end.
fn part_of(bytes: &[u8]) -> u64 {
    let end = bytes.last_chunk::<8>().copied().unwrap_or_else(|| {
        let mut end = [0; 8];
        end.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        end
    });
    u64::from_le_bytes(end) ^ ((bytes.len() as u64) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_code_however_many_come_between() {
        let mut words = Words::default();
        for _round in 0..3 {
            for number in 0..500 {
                for _again in 0..2 {
                    assert_eq!(words.text(format!("client {number}").as_bytes()), number);
                    // What was just written is not remembered by a key.
                    words.forget();
                }
            }
        }
        assert_eq!(words.get(7), b"client 7");
        assert_eq!(words.get(500), b"");
    }

    #[test]
    fn what_a_key_stands_for_is_forgotten_but_not_the_text() {
        let mut words = Words::default();
        assert_eq!((words.known(1, "a"), words.known(1, "b"), words.known(2, "b")), (0, 0, 1));
        words.forget();
        assert_eq!((words.known(1, "b"), words.text(b"a")), (1, 0));
    }

    #[test]
    fn no_text_passes_for_a_key() {
        let mut words = Words::default();
        let text = b"89abcdef";
        let key = part_of(text);
        assert_eq!((words.text(text), words.known(key, "known"), words.text(text)), (0, 1, 0));
    }
}
