//! Haiku: a step is contained by its process group (Haiku calls a process a team). Pseudo terminals
//! are those of POSIX, below `/dev/tt`.

#[path = "shared/pages.rs"]
mod pages;

use crate::ServiceManager;

pub use crate::unix::*;
pub(crate) use pages::memory;

/// `B_FILE_ERROR` of its terminals is this one.
pub(crate) const TERMINAL_ENDS: &[i32] = &[libc::EBADF];

pub(crate) fn service_manager() -> Option<ServiceManager> {
    Some(ServiceManager::HaikuLaunch)
}
