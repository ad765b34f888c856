//! Locks on files by fcntl(2), as the libc crate has no flock for Solaris. Such a lock belongs to the
//! process and ends when it closes any descriptor of the file.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};

use crate::unix::{check, retry};

/// A lock of this kind on the whole file.
fn whole(kind: i32) -> libc::flock {
    let lock = MaybeUninit::<libc::flock>::zeroed();
    // SAFETY: flock is plain numbers, for which all zeros is a value: from the start to the end.
    let mut lock = unsafe { lock.assume_init() };
    lock.l_type = kind as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock
}

pub(crate) fn lock_file(file: &File) -> io::Result<bool> {
    let lock = whole(i32::from(libc::F_WRLCK));
    let descriptor = file.as_fd().as_raw_fd();
    // SAFETY: F_SETLK takes a filled lock, which lives through the call.
    match retry(|| check(unsafe { libc::fcntl(descriptor, libc::F_SETLK, &lock) })) {
        Ok(_) => Ok(true),
        // EAGAIN or EACCES: somebody else has it.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(false),
        Err(error) => Err(error),
    }
}

/// The lock that keeps others from having one; none if there is none.
fn found(file: &File) -> io::Result<Option<libc::flock>> {
    let mut lock = whole(i32::from(libc::F_WRLCK));
    let descriptor = file.as_fd().as_raw_fd();
    // SAFETY: F_GETLK takes a filled lock and writes into it.
    retry(|| check(unsafe { libc::fcntl(descriptor, libc::F_GETLK, &mut lock) }))?;
    let free = i32::from(lock.l_type) == i32::from(libc::F_UNLCK);
    Ok((!free).then_some(lock))
}

pub(crate) fn is_locked(file: &File) -> io::Result<bool> {
    Ok(found(file)?.is_some())
}

pub(crate) fn lock_holder(file: &File) -> Option<u32> {
    let lock = found(file).ok().flatten()?;
    u32::try_from(lock.l_pid).ok().filter(|pid| *pid > 0)
}
