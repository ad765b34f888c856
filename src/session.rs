//! The conversation with a master, pure: bytes and points in time come in as arguments, calls and
//! bytes come out. No socket, no file, no log and no clock.

pub mod arguments;
mod error;
pub mod keepalive;
pub mod pb;

pub use error::ProtocolError;
