//! Descriptors that are closed on exec from their first moment: `pipe2` and `SOCK_CLOEXEC`, which
//! Linux 2.6.27 had first and the 2024 edition of POSIX has. pipe2(2) of Linux, FreeBSD 10, NetBSD
//! 6, OpenBSD 5.7, DragonFly 4.2, illumos.

use std::io;
use std::os::fd::{OwnedFd, RawFd};

use crate::unix::{check, own_pair};

pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends: [RawFd; 2] = [-1; 2];
    // SAFETY: `ends` has room for two descriptors.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    own_pair(ends)
}

pub(crate) fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends: [RawFd; 2] = [-1; 2];
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
    // SAFETY: `ends` has room for two descriptors.
    check(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) })?;
    own_pair(ends)
}
