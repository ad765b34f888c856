//! Haiku: a step is contained by its process group (Haiku calls a process a team). Pseudo terminals
//! are those of POSIX, below `/dev/tt`.

use crate::ServiceManager;

pub(crate) use crate::shared::pages::memory;
pub use crate::unix::*;

pub(crate) fn service_manager() -> Option<ServiceManager> {
    Some(ServiceManager::HaikuLaunch)
}
