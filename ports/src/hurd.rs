//! GNU/Hurd: a step is contained by its process group, and by a mark in its environment where `/proc`
//! is mounted (procfs).

#[path = "shared/environment_text.rs"]
#[cfg_attr(not(test), allow(dead_code))] // Other systems need more of it.
mod environment_text;
#[path = "shared/proc_environ.rs"]
mod environments;
#[path = "shared/marked.rs"]
mod marked;
#[path = "shared/pages.rs"]
mod pages;
#[path = "shared/proc_files.rs"]
mod proc_files;

use std::ffi::CStr;
use std::io;

pub use crate::unix::*;
pub(crate) use marked::{Mark, Search, containment, new_mark};
pub(crate) use pages::memory;

/// glibc is its C library.
pub(crate) fn c_library() -> Option<String> {
    Some("glibc".to_owned())
}

/// In the monitor: calls `visit` with every process. The C library has no getdents(2) here, so this asks
/// for memory between fork and exec, which fork(2) of glibc leaves in order.
pub(crate) fn listed_processes(mut visit: impl FnMut(Pid)) -> io::Result<()> {
    // SAFETY: the path ends with NUL.
    let directory = unsafe { libc::opendir(c"/proc".as_ptr()) };
    if directory.is_null() {
        return Err(io::Error::last_os_error());
    }
    loop {
        // SAFETY: an open directory, which nobody else reads.
        let entry = unsafe { libc::readdir64(directory) };
        if entry.is_null() {
            break;
        }
        // SAFETY: the entry stays until the next one is read.
        let name = unsafe { &raw const (*entry).d_name };
        // SAFETY: the name ends with NUL, maybe behind the end of the field.
        let name = unsafe { CStr::from_ptr(name.cast()) };
        if let Some(pid) = proc_files::leading_number(name.to_bytes()) {
            visit(pid);
        }
    }
    // SAFETY: as above; it is not used any more.
    unsafe { libc::closedir(directory) };
    Ok(())
}
