//! The vocabulary of the `pb` dialect (PROTOCOL 1.3).

/// A word of the vocabulary, by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word(u8);

/// The words, the first one has index 1.
const WORDS: [&[u8]; 31] = [
    b"None",
    b"class",
    b"dereference",
    b"reference",
    b"dictionary",
    b"function",
    b"instance",
    b"list",
    b"module",
    b"persistent",
    b"tuple",
    b"unpersistable",
    b"copy",
    b"cache",
    b"cached",
    b"remote",
    b"local",
    b"lcache",
    b"version",
    b"login",
    b"password",
    b"challenge",
    b"logged_in",
    b"not_logged_in",
    b"cachemessage",
    b"message",
    b"answer",
    b"error",
    b"decref",
    b"decache",
    b"uncache",
];

/// Length of the longest word and of the shortest one: most strings are told apart by this alone.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=13;

impl Word {
    /// The word that is spelled so.
    pub fn spelled(bytes: &[u8]) -> Option<Word> {
        if !LENGTHS.contains(&bytes.len()) {
            return None;
        }
        let position = WORDS.iter().position(|word| *word == bytes)?;
        u8::try_from(position + 1).ok().map(Word)
    }

    /// The word of this index.
    pub fn at(index: u64) -> Option<Word> {
        let index = u8::try_from(index).ok()?;
        (1..=WORDS.len())
            .contains(&usize::from(index))
            .then_some(Word(index))
    }

    /// Its index.
    pub fn index(self) -> u8 {
        self.0
    }

    /// Its spelling.
    pub fn spelling(self) -> &'static [u8] {
        WORDS[usize::from(self.0) - 1]
    }
}
