//! Bytes and values, pure: nothing here touches a socket, a file, a log or a clock.
//!
//! [`banana`] frames bytes as expressions, [`jelly`] reads expressions as Python values. The other
//! way to a master: [`websocket`] frames bytes as messages, [`msgpack`] reads messages as the same
//! values.

pub mod banana;
mod fuzz;
pub mod jelly;
pub mod msgpack;
pub mod websocket;

#[doc(hidden)]
pub use fuzz::{fuzz_messages, fuzz_values};
