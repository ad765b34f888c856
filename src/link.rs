//! Carries bytes between the worker and a master's address, and knows no protocol.

mod backoff;
mod connection;
mod error;

pub use backoff::Backoff;
pub use connection::{Connection, Reader, Writer};
pub use error::LinkError;
