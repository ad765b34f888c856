//! Solaris: as illumos, from which it was parted in 2010, but without its contracts here: nobody has
//! read the present manual pages of Solaris for that. A step is contained by its process group.

#[path = "shared/load.rs"]
mod load;
#[path = "solaris/locks.rs"]
mod locks;
#[path = "shared/pages.rs"]
mod pages;
#[path = "shared/streams.rs"]
mod streams;

use std::path::PathBuf;

use crate::ServiceManager;

pub use crate::unix::*;
pub(crate) use load::load;
pub(crate) use locks::{is_locked, lock_file, lock_holder};
pub(crate) use pages::memory;
pub(crate) use streams::take_terminal;

/// As on illumos: `/proc/PID/cwd` is a link that says nothing (proc(5)).
pub(crate) fn process_directory(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/path/cwd")).ok()
}

pub(crate) fn service_manager() -> Option<ServiceManager> {
    Some(ServiceManager::Smf)
}
