//! What ends a conversation.

use std::fmt;

use crate::wire::banana::BananaError;
use crate::wire::jelly::JellyError;
use crate::wire::msgpack::MsgpackError;
use crate::wire::websocket::WebSocketError;
use crate::wire::websocket::handshake::Refusal;

/// The conversation cannot go on and the connection must be closed. All but
/// [`ProtocolError::Unsendable`] are the peer's doing: it is no master, or it broke the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProtocolError {
    /// The bytes are not Banana. At the very beginning: the peer speaks something else.
    Bytes {
        /// What we were doing.
        phase: &'static str,
        /// What is wrong with them.
        error: BananaError,
    },
    /// A value that we need cannot be read.
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
    /// The peer offers no dialect that we speak.
    NoDialect {
        /// What it offers.
        offered: Vec<String>,
    },
    /// The peer speaks another version of Perspective Broker.
    Version {
        /// Its version; ours is 6.
        got: i64,
    },
    /// An answer to a call that we did not make, or that was answered already.
    UnknownRequest {
        /// Its number.
        request: i64,
    },
    /// A call with the number of a call that is still being served.
    RepeatedRequest {
        /// Its number.
        request: i64,
    },
    /// The WebSocket handshake failed, other than by a status.
    Handshake(Refusal),
    /// The frames of the WebSocket make no sense.
    WebSocket(WebSocketError),
    /// A message is not MessagePack.
    Msgpack(MsgpackError),
    /// The master closed the WebSocket.
    Closed {
        /// Why, as a number (RFC 6455 section 7.4).
        code: Option<u16>,
        /// Why, in words.
        reason: String,
    },
    /// We cannot send something that we have to send, because of its size.
    Unsendable {
        /// What.
        what: &'static str,
        /// Why.
        error: BananaError,
    },
}

/// The phase in which the peer has not said anything yet.
pub(super) const OFFER: &str = "waiting for the master's dialects";

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProtocolError::Bytes { phase, error } => {
                write!(f, "{phase}: the peer sent {error}")?;
                hint(f, phase)
            }
            ProtocolError::Value { phase, error } => {
                write!(f, "{phase}: the master sent {error}")
            }
            ProtocolError::Unexpected {
                phase,
                expected,
                got,
            } => {
                write!(f, "{phase}: expected {expected}, the peer sent {got}")?;
                hint(f, phase)
            }
            ProtocolError::NoDialect { offered } => write!(
                f,
                "the master offers the dialects '{}', none of which is 'pb'",
                offered.join("', '")
            ),
            ProtocolError::Version { got } => write!(
                f,
                "the master speaks version {got} of Perspective Broker, needed is 6"
            ),
            ProtocolError::UnknownRequest { request } => write!(
                f,
                "the master answered call {request}, which is not waiting for an answer"
            ),
            ProtocolError::RepeatedRequest { request } => write!(
                f,
                "the master used call number {request} while that call is being served"
            ),
            ProtocolError::Handshake(refusal) => write!(
                f,
                "asking for a WebSocket: the peer sent {refusal}; is this the master's port for \
                 msgpack_experimental_v7, and does it want TLS?"
            ),
            ProtocolError::WebSocket(error) => write!(f, "the master sent {error}"),
            ProtocolError::Msgpack(error) => write!(f, "the master sent {error}"),
            ProtocolError::Closed { code, reason } => {
                f.write_str("the master closed the connection")?;
                if let Some(code) = code {
                    write!(f, " with code {code}")?;
                }
                let reason: String = reason.chars().filter(|c| !c.is_control()).collect();
                if reason.is_empty() {
                    Ok(())
                } else {
                    write!(f, ": {reason}")
                }
            }
            ProtocolError::Unsendable { what, error } => {
                write!(f, "cannot send the {what}: {error}")
            }
        }
    }
}

impl std::error::Error for ProtocolError {}

/// What to check when the first bytes already make no sense.
fn hint(f: &mut fmt::Formatter<'_>, phase: &str) -> fmt::Result {
    if phase == OFFER {
        f.write_str("; is this the worker port of a Buildbot master, and does it want TLS?")?;
    }
    Ok(())
}
