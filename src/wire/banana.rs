//! Banana, the framing below Perspective Broker (PROTOCOL section 1): integers, floats, byte strings
//! and lists of them.
//!
//! [`Decoder`] takes bytes as they come and keeps nothing but the expression in progress. [`encode`]
//! appends whole expressions to a buffer, without a tree in between.

mod decode;
mod encode;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;

pub use decode::Decoder;
pub use encode::{Writer, encode};
pub use words::Word;

/// Longest prefix of an element, in bytes (PROTOCOL 1.2).
pub const PREFIX_LIMIT: usize = 64;

/// Longest string, in bytes, in both directions (PROTOCOL 1.2).
pub const STRING_LIMIT: usize = 640 * 1024;

/// Longest list, in elements, in both directions (PROTOCOL 1.2).
pub const LIST_LIMIT: usize = 640 * 1024;

/// Deepest nesting of lists, in both directions. Twisted has none; recorded masters stay below 12.
pub const DEPTH_LIMIT: usize = 64;

/// Most string bytes in one expression of a peer. A call of a master carries a command line, an
/// environment and perhaps an `initial_stdin` of at most [`STRING_LIMIT`]; file data comes in
/// expressions of its own.
pub const EXPRESSION_BYTES: usize = 4 * 1024 * 1024;

/// Most elements in one expression of a peer: room for a list of 16,000 builders, or 40,000
/// environment variables. Each costs up to about 100 bytes while the expression is in progress, so
/// that one expression never holds more than about 16 MiB, string bytes included.
pub const EXPRESSION_ITEMS: usize = 128 * 1024;

/// One expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A byte string; words of the vocabulary are spelled out.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Item>),
}

impl fmt::Display for Item {
    /// What kind of thing it is, for an error. Data is not shown: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Int(number) => write!(f, "the number {number}"),
            Item::Float(number) => write!(f, "the number {number:?}"),
            Item::Bytes(bytes) => write!(f, "a string of {} bytes", bytes.len()),
            Item::List(items) => match items.first() {
                Some(Item::Bytes(word)) if word.len() <= 64 => {
                    write!(f, "a list headed '{}'", word.escape_ascii())
                }
                Some(_) => write!(f, "a list of {} without a head word", items.len()),
                None => f.write_str("an empty list"),
            },
        }
    }
}

/// Why bytes are not Banana, or a value cannot become Banana.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BananaError {
    /// More than [`PREFIX_LIMIT`] bytes before a type byte. Typical for a peer that speaks something
    /// else, like HTTP.
    PrefixTooLong,
    /// A type byte that does not exist.
    UnknownType(u8),
    /// An index that is not in the vocabulary.
    UnknownWord(u64),
    /// A vocabulary word before the dialect was selected.
    EarlyWord,
    /// An integer outside of 64 bits.
    IntegerTooLarge,
    /// A string above [`STRING_LIMIT`]; its length as far as it is known.
    StringTooLong(u64),
    /// A list above [`LIST_LIMIT`]; its length as far as it is known.
    ListTooLong(u64),
    /// Lists nested deeper than [`DEPTH_LIMIT`].
    TooDeep,
    /// An expression with more than [`EXPRESSION_BYTES`] string bytes.
    TooManyBytes,
    /// An expression with more than [`EXPRESSION_ITEMS`] elements.
    TooManyItems,
}

impl fmt::Display for BananaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BananaError::PrefixTooLong => {
                write!(f, "more than {PREFIX_LIMIT} bytes without a type")
            }
            BananaError::UnknownType(byte) => write!(f, "unknown type {byte:#04x}"),
            BananaError::UnknownWord(index) => write!(f, "unknown vocabulary word {index}"),
            BananaError::EarlyWord => {
                f.write_str("a vocabulary word before a dialect was selected")
            }
            BananaError::IntegerTooLarge => f.write_str("an integer of more than 64 bits"),
            BananaError::StringTooLong(length) => {
                write!(f, "a string of {length} bytes, allowed are {STRING_LIMIT}")
            }
            BananaError::ListTooLong(length) => {
                write!(f, "a list of {length} elements, allowed are {LIST_LIMIT}")
            }
            BananaError::TooDeep => write!(f, "lists nested deeper than {DEPTH_LIMIT}"),
            BananaError::TooManyBytes => {
                write!(f, "an expression of more than {EXPRESSION_BYTES} bytes")
            }
            BananaError::TooManyItems => {
                write!(f, "an expression of more than {EXPRESSION_ITEMS} elements")
            }
        }
    }
}

impl std::error::Error for BananaError {}

/// The type bytes (PROTOCOL 1.1).
mod kind {
    pub const LIST: u8 = 0x80;
    pub const INT: u8 = 0x81;
    pub const STRING: u8 = 0x82;
    pub const NEG: u8 = 0x83;
    pub const FLOAT: u8 = 0x84;
    pub const LONGINT: u8 = 0x85;
    pub const LONGNEG: u8 = 0x86;
    pub const VOCAB: u8 = 0x87;
}
