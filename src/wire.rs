//! Bytes and values, pure: nothing here touches a socket, a file, a log or a clock.
//!
//! [`banana`] frames bytes as expressions, [`jelly`] reads expressions as Python values.

pub mod banana;
mod fuzz;
pub mod jelly;

#[doc(hidden)]
pub use fuzz::fuzz_values;
