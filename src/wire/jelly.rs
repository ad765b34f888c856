//! Jelly, the meaning of expressions as Python values (PROTOCOL section 2).

mod encode;
mod failure;
#[cfg(test)]
mod tests;
mod unjelly;

use std::fmt;

pub use failure::RemoteFailure;
pub use unjelly::unjelly;

/// Most bytes that the copies made for `dereference` may have in one value, counted as
/// [`Value::cost`] counts them: what a value shares is small (an empty tuple, an argument list).
pub const EXPANSION_LIMIT: usize = 1024 * 1024;

/// A Python value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// A byte string; with a Python 2 master also a text (PROTOCOL 2.4).
    Bytes(Vec<u8>),
    /// A text.
    Text(String),
    /// A list, a set or a frozen set.
    List(Vec<Value>),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A dictionary, in the order sent.
    Dict(Vec<(Value, Value)>),
    /// An object of the sender, by its number there.
    Remote(i64),
    /// An object of the receiver, by its number there.
    Local(i64),
    /// A copied exception.
    Failure(Box<RemoteFailure>),
    /// Something the sender could not send, with its reason.
    Unpersistable(String),
}

impl Value {
    /// The text, whichever way it was sent (PROTOCOL 2.4). Bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// Returns the value if it is no text.
    pub fn into_text(self) -> Result<String, Value> {
        match self {
            Value::Text(text) => Ok(text),
            Value::Bytes(bytes) => Ok(text_from(bytes)),
            other => Err(other),
        }
    }

    /// A measure of the memory it takes, in bytes.
    pub fn cost(&self) -> usize {
        let own = std::mem::size_of::<Value>();
        own + match self {
            Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Remote(_)
            | Value::Local(_) => 0,
            Value::Bytes(bytes) => bytes.len(),
            Value::Text(text) | Value::Unpersistable(text) => text.len(),
            Value::List(values) | Value::Tuple(values) => values.iter().map(Value::cost).sum(),
            Value::Dict(pairs) => pairs
                .iter()
                .map(|(key, value)| key.cost() + value.cost())
                .sum(),
            Value::Failure(failure) => failure.cost(),
        }
    }

    /// How deep it is nested; 0 for what holds no values.
    pub fn depth(&self) -> usize {
        match self {
            Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Bytes(_)
            | Value::Text(_)
            | Value::Remote(_)
            | Value::Local(_)
            | Value::Failure(_)
            | Value::Unpersistable(_) => 0,
            Value::List(values) | Value::Tuple(values) => {
                1 + values.iter().map(Value::depth).max().unwrap_or(0)
            }
            Value::Dict(pairs) => {
                1 + pairs
                    .iter()
                    .map(|(key, value)| key.depth().max(value.depth()))
                    .max()
                    .unwrap_or(0)
            }
        }
    }
}

impl fmt::Display for Value {
    /// What kind of value it is, for an error. Data is not shown: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::None => f.write_str("None"),
            Value::Bool(value) => f.write_str(if *value { "True" } else { "False" }),
            Value::Int(number) => write!(f, "the number {number}"),
            Value::Float(number) => write!(f, "the number {number:?}"),
            Value::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Value::Text(_) => f.write_str("a text"),
            Value::List(values) => write!(f, "a list of {}", values.len()),
            Value::Tuple(values) => write!(f, "a tuple of {}", values.len()),
            Value::Dict(pairs) => write!(f, "a dictionary of {}", pairs.len()),
            Value::Remote(_) => f.write_str("a reference"),
            Value::Local(_) => f.write_str("a reference to an object of ours"),
            Value::Failure(failure) => write!(f, "the failure {failure}"),
            Value::Unpersistable(reason) => {
                write!(f, "something the sender could not send ({reason})")
            }
        }
    }
}

/// Why an expression is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JellyError {
    /// A list without a type word at its head.
    NoTypeWord,
    /// A type word that is known, but not accepted: classes, instances, cached objects, dates.
    Refused(String),
    /// A type word that nobody knows.
    UnknownType(String),
    /// A form whose content is not what its type word asks for.
    Malformed {
        /// The type word.
        form: &'static str,
        /// What it should have been.
        expected: &'static str,
    },
    /// A `dereference` of something that has not come yet, or that contains it.
    UnknownReference(i64),
    /// Two things with the same `reference` number.
    RepeatedReference(i64),
    /// Values nested deeper than [`DEPTH_LIMIT`](super::banana::DEPTH_LIMIT).
    TooDeep,
    /// Copies above [`EXPANSION_LIMIT`].
    TooLarge,
}

impl fmt::Display for JellyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JellyError::NoTypeWord => f.write_str("a list without a type"),
            JellyError::Refused(word) => {
                write!(
                    f,
                    "a value of type '{word}', which a worker does not accept"
                )
            }
            JellyError::UnknownType(word) => write!(f, "a value of unknown type '{word}'"),
            JellyError::Malformed { form, expected } => {
                write!(f, "a malformed '{form}': expected {expected}")
            }
            JellyError::UnknownReference(number) => write!(
                f,
                "a 'dereference' of {number}, which is not complete at this point"
            ),
            JellyError::RepeatedReference(number) => {
                write!(f, "two values with the 'reference' number {number}")
            }
            JellyError::TooDeep => f.write_str("values nested too deep"),
            JellyError::TooLarge => write!(
                f,
                "repeated values of more than {EXPANSION_LIMIT} bytes in all"
            ),
        }
    }
}

impl std::error::Error for JellyError {}

/// Text from bytes; without a copy if they are UTF-8, as they nearly always are.
fn text_from(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
