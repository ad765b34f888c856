//! GNU/Hurd: a step is contained by its process group.

#[path = "shared/pages.rs"]
mod pages;

pub use crate::unix::*;
pub(crate) use pages::memory;

/// glibc is its C library.
pub(crate) fn c_library() -> Option<String> {
    Some("glibc".to_owned())
}
