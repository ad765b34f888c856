//! Solaris: as illumos, from which it was parted in 2010, but without its contracts here: nobody has
//! read the present manual pages of Solaris for that. A step is contained by its process group.

use crate::ServiceManager;

pub(crate) use crate::shared::load::load;
pub(crate) use crate::shared::pages::memory;
pub(crate) use crate::shared::streams::take_terminal;
pub use crate::unix::*;

pub(crate) fn service_manager() -> Option<ServiceManager> {
    Some(ServiceManager::Smf)
}
