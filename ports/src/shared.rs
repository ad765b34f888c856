//! Answers that several systems share, one file a mechanism. A system's file takes by name what it
//! has; each mechanism says which systems those are.

#[cfg(any(
    target_os = "linux",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "illumos"
))]
pub(crate) mod atomic;
#[cfg(any(
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd"
))]
pub(crate) mod close_from;
#[cfg(any(
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "macos",
    target_os = "illumos",
    target_os = "solaris",
    target_os = "linux"
))]
pub(crate) mod load;
#[cfg(any(
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "macos",
    target_os = "illumos",
    target_os = "solaris",
    target_os = "haiku",
    target_os = "hurd"
))]
pub(crate) mod pages;
#[cfg(any(target_os = "freebsd", target_os = "dragonfly", target_os = "openbsd"))]
pub(crate) mod process_table;
#[cfg(any(target_os = "netbsd", target_os = "openbsd"))]
pub(crate) mod raise_limits;
#[cfg(any(target_os = "illumos", target_os = "solaris"))]
pub(crate) mod streams;
