//! MessagePack, as Buildbot uses it (PROTOCOL 5.2): `str` is text, `bin` is bytes, and there are no
//! extension types.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use std::fmt;

use super::banana::{DEPTH_LIMIT, EXPRESSION_ITEMS};

pub use decode::decode;
pub use encode::Writer;

/// Why bytes are no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MsgpackError {
    /// They end in the middle of a value.
    Incomplete,
    /// There are more of them than the value has.
    Trailing,
    /// An extension type, or the marker that means nothing.
    NoSuchType,
    /// Nested deeper than [`DEPTH_LIMIT`].
    TooDeep,
    /// More values than [`EXPRESSION_ITEMS`].
    TooManyItems,
}

impl fmt::Display for MsgpackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MsgpackError::Incomplete => f.write_str("a MessagePack value that is cut short"),
            MsgpackError::Trailing => f.write_str("bytes behind a MessagePack value"),
            MsgpackError::NoSuchType => {
                f.write_str("a MessagePack value of a type that Buildbot does not use")
            }
            MsgpackError::TooDeep => {
                write!(f, "MessagePack values nested deeper than {DEPTH_LIMIT}")
            }
            MsgpackError::TooManyItems => {
                write!(
                    f,
                    "more than {EXPRESSION_ITEMS} MessagePack values in one message"
                )
            }
        }
    }
}

impl std::error::Error for MsgpackError {}
