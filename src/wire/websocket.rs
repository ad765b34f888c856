//! WebSocket, the client's end (RFC 6455): the opening handshake, and messages in frames.

pub mod handshake;
mod receive;
#[cfg(test)]
mod tests;

use std::fmt;

use websocket_sans_io::{FrameInfo, Opcode, WebsocketFrameEncoder};

pub use receive::Receiver;

/// Longest message that we take, in bytes. A master sends a command line, an environment and an
/// `initial_stdin`, or a block of a file.
pub const MESSAGE_LIMIT: usize = 16 * 1024 * 1024;

/// Longest payload of a control frame, in bytes (RFC 6455 section 5.5).
pub const CONTROL_LIMIT: usize = 125;

/// The code of a close that nothing is wrong with (RFC 6455 section 7.4.1).
pub const NORMAL_CLOSE: u16 = 1000;

/// Something that the server has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A message for us.
    Binary(Vec<u8>),
    /// A text of so many bytes. What it says is not kept: masters have nothing to say so.
    Text(usize),
    /// To be answered with a pong of the same payload.
    Ping(Vec<u8>),
    /// The answer to a ping of ours.
    Pong(Vec<u8>),
    /// The last that comes.
    Close {
        /// Why, as a number.
        code: Option<u16>,
        /// Why, in words.
        reason: String,
    },
}

/// Something to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A message.
    Binary(&'a [u8]),
    /// Asks for a sign of life; at most [`CONTROL_LIMIT`] bytes.
    Ping(&'a [u8]),
    /// Answers a ping.
    Pong(&'a [u8]),
    /// The last that is said.
    Close(u16),
}

/// Appends a frame, with its payload under this mask (RFC 6455 section 5.3).
pub fn write(out: &mut Vec<u8>, frame: Frame<'_>, mask: [u8; 4]) {
    let code;
    let (opcode, payload) = match frame {
        Frame::Binary(payload) => (Opcode::Binary, payload),
        Frame::Ping(payload) => (Opcode::Ping, &payload[..payload.len().min(CONTROL_LIMIT)]),
        Frame::Pong(payload) => (Opcode::Pong, &payload[..payload.len().min(CONTROL_LIMIT)]),
        Frame::Close(reason) => {
            code = reason.to_be_bytes();
            (Opcode::ConnectionClose, &code[..])
        }
    };
    let mut encoder = WebsocketFrameEncoder::new();
    let header = encoder.start_frame(&FrameInfo {
        opcode,
        payload_length: payload.len() as u64,
        mask: Some(mask),
        fin: true,
        reserved: 0,
    });
    out.reserve(header.len() + payload.len());
    out.extend_from_slice(&header);
    let start = out.len();
    out.extend_from_slice(payload);
    encoder.transform_frame_payload(&mut out[start..]);
}

/// The server broke the rules of the framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebSocketError {
    /// A message above [`MESSAGE_LIMIT`].
    TooLong,
    /// A masked frame, which only clients send.
    Masked,
    /// A reserved bit or an unknown kind of frame: an extension that was not agreed upon.
    Unknown,
    /// A control frame that is too long or comes in pieces.
    BadControl,
    /// A piece of a message out of order.
    OutOfOrder,
}

impl fmt::Display for WebSocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WebSocketError::TooLong => {
                write!(f, "a WebSocket message of more than {MESSAGE_LIMIT} bytes")
            }
            WebSocketError::Masked => f.write_str("a masked WebSocket frame, as only clients do"),
            WebSocketError::Unknown => {
                f.write_str("a WebSocket frame of an extension that was not agreed upon")
            }
            WebSocketError::BadControl => {
                f.write_str("a WebSocket control frame that is too long or in pieces")
            }
            WebSocketError::OutOfOrder => {
                f.write_str("a piece of a WebSocket message out of order")
            }
        }
    }
}

impl std::error::Error for WebSocketError {}
