//! Bytes and values, pure: nothing here touches a socket, a file, a log or a clock.
//!
//! [`banana`] frames bytes as expressions, [`jelly`] reads expressions as Python values.

pub mod banana;
pub mod jelly;
