//! Writes expressions straight into a buffer.

use super::{BananaError, DEPTH_LIMIT, Item, LIST_LIMIT, STRING_LIMIT, Word, kind};

/// Appends what `write` writes to `out`, whole or not at all. Words of the vocabulary are always used,
/// as Twisted does once the `pb` dialect is selected (PROTOCOL 1.3).
///
/// `write` must write exactly the elements its lists announce.
///
/// # Errors
/// A string, list or nesting above the limits; `out` is as it was before.
pub fn encode(out: &mut Vec<u8>, write: impl FnOnce(&mut Writer<'_>)) -> Result<(), BananaError> {
    let before = out.len();
    let mut writer = Writer { out, error: None };
    write(&mut writer);
    match writer.error {
        None => Ok(()),
        Some(error) => {
            out.truncate(before);
            Err(error)
        }
    }
}

/// Writes the elements of one or more expressions in order; see [`encode`]. The first error is kept,
/// and nothing is written after it.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    error: Option<BananaError>,
}

impl Writer<'_> {
    /// The head of a list; its elements follow.
    pub fn list(&mut self, length: usize) {
        if length > LIST_LIMIT {
            return self.fail(BananaError::ListTooLong(wide(length)));
        }
        self.element(wide(length), kind::LIST);
    }

    /// A number.
    pub fn int(&mut self, value: i64) {
        // INT and NEG hold what fits 32 bits with sign, the long types the rest (PROTOCOL 1.1).
        let short = i32::try_from(value).is_ok();
        let kind = match (value < 0, short) {
            (false, true) => kind::INT,
            (false, false) => kind::LONGINT,
            (true, true) => kind::NEG,
            (true, false) => kind::LONGNEG,
        };
        self.element(value.unsigned_abs(), kind);
    }

    /// A number with a fraction.
    pub fn float(&mut self, value: f64) {
        if self.error.is_none() {
            self.out.push(kind::FLOAT);
            self.out.extend_from_slice(&value.to_be_bytes());
        }
    }

    /// A byte string.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if let Some(word) = Word::spelled(bytes) {
            return self.element(u64::from(word.index()), kind::VOCAB);
        }
        self.plain_bytes(bytes);
    }

    /// A byte string that is spelled out even if it is a word: before a dialect is selected.
    pub fn plain_bytes(&mut self, bytes: &[u8]) {
        if bytes.len() > STRING_LIMIT {
            return self.fail(BananaError::StringTooLong(wide(bytes.len())));
        }
        self.element(wide(bytes.len()), kind::STRING);
        if self.error.is_none() {
            self.out.extend_from_slice(bytes);
        }
    }

    /// A whole expression.
    pub fn item(&mut self, item: &Item) {
        self.item_within(item, 0);
    }

    fn item_within(&mut self, item: &Item, depth: usize) {
        match item {
            Item::Int(value) => self.int(*value),
            Item::Float(value) => self.float(*value),
            Item::Bytes(bytes) => self.bytes(bytes),
            Item::List(_) if depth >= DEPTH_LIMIT => self.fail(BananaError::TooDeep),
            Item::List(items) => {
                self.list(items.len());
                for item in items {
                    self.item_within(item, depth + 1);
                }
            }
        }
    }

    /// Gives up: nothing of what was written will be kept.
    pub(in crate::wire) fn fail(&mut self, error: BananaError) {
        self.error.get_or_insert(error);
    }

    fn element(&mut self, mut prefix: u64, kind: u8) {
        if self.error.is_some() {
            return;
        }
        loop {
            // Seven bits: the cast cannot lose any.
            self.out.push((prefix & 0x7f) as u8);
            prefix >>= 7;
            if prefix == 0 {
                break;
            }
        }
        self.out.push(kind);
    }
}

/// A length as a prefix; no system has lengths of more than 64 bits.
fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
