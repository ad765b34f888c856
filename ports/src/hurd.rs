//! GNU/Hurd: a step is contained by its process group.

pub(crate) use crate::shared::pages::memory;
pub use crate::unix::*;

/// glibc is its C library.
pub(crate) fn c_library() -> Option<String> {
    Some("glibc".to_owned())
}
