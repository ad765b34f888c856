//! Haiku: a step is contained by its process group (Haiku calls a process a team). Pseudo terminals
//! are those of POSIX, below `/dev/tt`.

#[path = "shared/pages.rs"]
mod pages;

use crate::ServiceManager;

pub use crate::unix::*;
pub(crate) use pages::memory;

pub(crate) fn service_manager() -> Option<ServiceManager> {
    Some(ServiceManager::HaikuLaunch)
}
