//! What ends a conversation with a worker.

use std::fmt;

use crate::wire::banana::BananaError;
use crate::wire::jelly::JellyError;

/// The conversation cannot go on and the connection must be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServeError {
    /// The bytes are not Banana.
    Bytes {
        /// What we were doing.
        phase: &'static str,
        /// What is wrong with them.
        error: BananaError,
    },
    /// A value that is needed cannot be read.
    Value {
        /// What we were doing.
        phase: &'static str,
        /// What is wrong with it.
        error: JellyError,
    },
    /// Something else than the protocol allows at this point.
    Unexpected {
        /// What we were doing.
        phase: &'static str,
        /// What the protocol allows.
        expected: &'static str,
        /// What came.
        got: String,
    },
    /// An answer to a call that we did not make, or that was answered already.
    UnknownRequest(i64),
    /// A call with the number of one that is still being served.
    RepeatedRequest(i64),
    /// A command cannot be started.
    CannotStart {
        /// The command's name.
        name: String,
        /// Why.
        why: String,
    },
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServeError::Bytes { phase, error } => write!(f, "{phase}: the worker sent {error}"),
            ServeError::Value { phase, error } => write!(f, "{phase}: the worker sent {error}"),
            ServeError::Unexpected {
                phase,
                expected,
                got,
            } => write!(f, "{phase}: expected {expected}, the worker sent {got}"),
            ServeError::UnknownRequest(request) => write!(
                f,
                "the worker answered call {request}, which is not waiting for an answer"
            ),
            ServeError::RepeatedRequest(request) => write!(
                f,
                "the worker used call number {request} while that call is being served"
            ),
            ServeError::CannotStart { name, why } => {
                write!(f, "cannot start the command {name}: {why}")
            }
        }
    }
}

impl std::error::Error for ServeError {}
