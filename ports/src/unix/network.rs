//! Connections.

use std::io;
use std::time::Duration;

pub use std::os::fd::AsFd as Socket;

/// POSIX has no such limit.
pub(crate) fn limit_unacknowledged(_socket: &impl Socket, _limit: Duration) -> io::Result<()> {
    Ok(())
}

/// POSIX does not tell.
pub(crate) fn unsent(_socket: &impl Socket) -> Option<u64> {
    None
}
