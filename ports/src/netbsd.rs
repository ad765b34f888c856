//! NetBSD: a step is contained by its process group, as the system hands orphans to nobody but
//! process 1. The soft limit of data is 256 MB by default, less than a build of CPython takes, and
//! raised; see login.conf(5).

#[path = "shared/atomic.rs"]
mod atomic;
#[path = "shared/close_from.rs"]
mod close_from;
#[path = "shared/load.rs"]
mod load;
#[path = "shared/pages.rs"]
mod pages;
#[path = "shared/raise_limits.rs"]
mod raise_limits;

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use crate::ServiceManager;

pub use crate::unix::*;
pub(crate) use atomic::{pipe, socket_pair};
pub(crate) use close_from::close_all_except;
pub(crate) use load::load;
pub(crate) use pages::memory;
pub(crate) use raise_limits::raise_limits;

/// Flags for opening the leader of a terminal: posix_openpt(3) of NetBSD 6 has `O_CLOEXEC`.
pub(crate) const LEADER_FLAGS: i32 = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;

/// As the common one, but without its lock: ptsname_r(3), NetBSD 8.
pub(crate) fn follower_path(leader: &OwnedFd) -> io::Result<CString> {
    let mut path = [0 as libc::c_char; 64];
    let room = path.as_mut_ptr();
    // SAFETY: ptsname_r(3) takes an open leader, and a buffer with its length.
    let error = unsafe { libc::ptsname_r(leader.as_raw_fd(), room, path.len()) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    // SAFETY: ptsname_r(3) has put a text that ends with NUL into `path`.
    Ok(unsafe { CStr::from_ptr(path.as_ptr()) }.to_owned())
}

pub(crate) fn service_manager() -> Option<ServiceManager> {
    Some(ServiceManager::NetBsdRc)
}
