//! Plain POSIX and the mark of `shared/marked.rs`: what NetBSD, OpenBSD, macOS and the Hurd have, on a
//! machine with the `/proc` of Linux, so that it is tested (`--cfg ports_marked`).

#[path = "shared/environment_text.rs"]
#[cfg_attr(not(test), allow(dead_code))] // Half of it is for systems without `/proc`.
mod environment_text;
#[path = "shared/proc_environ.rs"]
mod environments;
#[path = "shared/marked.rs"]
mod marked;
#[path = "linux/proc.rs"]
#[allow(dead_code)] // Only the list of processes.
mod proc;
#[path = "shared/proc_files.rs"]
mod proc_files;

pub use crate::unix::*;
pub(crate) use marked::{Mark, Search, containment, new_mark};

/// In the monitor: calls `visit` with every process.
pub(crate) fn listed_processes(visit: impl FnMut(Pid)) -> std::io::Result<()> {
    proc::for_each_entry(c"/proc", visit)
}
