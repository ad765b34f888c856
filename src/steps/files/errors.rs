//! What the system said, as a master is told it.

use std::io;

/// EINVAL, which has this number on every POSIX system: for what the standard library refuses on
/// its own, such as a path with a NUL byte.
const INVALID_ARGUMENT: i32 = 22;

/// The error number, which is the exit code of a file command (PROTOCOL 6.1).
pub(in crate::steps) fn number(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(INVALID_ARGUMENT)
}
