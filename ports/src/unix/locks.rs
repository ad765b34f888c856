//! Locks on files: flock(2), which POSIX has not but every system here save Solaris.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use super::raw::{self, check};

pub(crate) fn lock_file(file: &File) -> io::Result<bool> {
    lock(file, libc::LOCK_EX)
}

pub(crate) fn is_locked(file: &File) -> io::Result<bool> {
    if !lock(file, libc::LOCK_SH)? {
        return Ok(true);
    }
    let descriptor = file.as_fd().as_raw_fd();
    // SAFETY: flock(2) takes two numbers.
    check(unsafe { libc::flock(descriptor, libc::LOCK_UN) })?;
    Ok(false)
}

/// Takes a lock of this kind if that is possible now.
fn lock(file: &File, kind: libc::c_int) -> io::Result<bool> {
    let descriptor = file.as_fd().as_raw_fd();
    // SAFETY: flock(2) takes two numbers.
    match raw::retry(|| check(unsafe { libc::flock(descriptor, kind | libc::LOCK_NB) })) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}
