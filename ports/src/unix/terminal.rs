//! Pseudo terminals.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use super::raw::{self, check};

/// What programs see that ask for the window size; nobody looks through a window.
const WINDOW: libc::winsize = libc::winsize {
    ws_row: 24,
    ws_col: 80,
    ws_xpixel: 0,
    ws_ypixel: 0,
};

/// Flags for opening the leader of a terminal; all that POSIX allows.
pub(crate) const LEADER_FLAGS: i32 = libc::O_RDWR | libc::O_NOCTTY;

/// Errors by which some systems end a terminal when nobody has its follower open any more.
pub(crate) const TERMINAL_ENDS: &[i32] = &[libc::EIO];

/// Opens a new pseudo terminal: the leader and the follower's path. Not async-signal-safe.
pub(crate) fn open_terminal() -> io::Result<(OwnedFd, CString)> {
    // SAFETY: posix_openpt(3) takes flags.
    let leader = check(unsafe { libc::posix_openpt(crate::system::LEADER_FLAGS) })?;
    let leader = raw::own(leader)?;
    raw::set_close_on_exec(leader.as_fd())?;
    // SAFETY: grantpt(3) takes an open leader.
    check(unsafe { libc::grantpt(leader.as_raw_fd()) })?;
    // SAFETY: unlockpt(3) takes an open leader.
    check(unsafe { libc::unlockpt(leader.as_raw_fd()) })?;
    let path = crate::system::follower_path(&leader)?;
    Ok((leader, path))
}

/// The follower's path. `ptsname(3)` answers in a buffer of its own, hence the lock; nothing else
/// in the worker calls it.
pub(crate) fn follower_path(leader: &OwnedFd) -> io::Result<CString> {
    static PTSNAME: Mutex<()> = Mutex::new(());
    let _alone = PTSNAME.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: ptsname(3) takes an open leader; nobody else calls it while we hold the lock.
    let path = unsafe { libc::ptsname(leader.as_raw_fd()) };
    if path.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: not null, so it is a text that ends with NUL and stays until the next call.
    Ok(unsafe { CStr::from_ptr(path) }.to_owned())
}

/// Makes the follower the controlling terminal of the calling session leader and sets its window
/// size. Called in the child: async-signal-safe.
pub(crate) fn take_terminal(follower: RawFd) -> io::Result<()> {
    // SAFETY: TIOCSCTTY takes a number. The request's type differs between systems.
    check(unsafe { libc::ioctl(follower, libc::TIOCSCTTY as _, 0) })?;
    // SAFETY: TIOCSWINSZ takes a window size, which lives through the call.
    check(unsafe { libc::ioctl(follower, libc::TIOCSWINSZ as _, &WINDOW) }).map(drop)
}
