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

use std::io;
use std::mem::offset_of;
use std::os::fd::AsRawFd;

pub use crate::unix::*;
pub(crate) use marked::{Mark, Search, containment, new_mark};
pub(crate) use pages::memory;

/// glibc is its C library.
pub(crate) fn c_library() -> Option<String> {
    Some("glibc".to_owned())
}

unsafe extern "C" {
    /// getdirentries(3) of glibc (`<dirent.h>`), which the libc crate does not have for the Hurd.
    fn getdirentries64(
        descriptor: libc::c_int,
        room: *mut libc::c_char,
        size: libc::size_t,
        base: *mut libc::off64_t,
    ) -> libc::ssize_t;
}

/// Room for entries of a directory, aligned as they are.
#[repr(align(8))]
struct Entries([u8; 4096]);

/// In the monitor: calls `visit` with every process. (`readdir` would ask for memory.)
pub(crate) fn listed_processes(mut visit: impl FnMut(Pid)) -> io::Result<()> {
    let directory = proc_files::open(c"/proc", libc::O_DIRECTORY)?;
    let mut entries = Entries([0; 4096]);
    loop {
        let (room, size) = (entries.0.as_mut_ptr().cast(), entries.0.len());
        let mut base = 0;
        // SAFETY: pointer and size are of the same live buffer; `base` has room for one number.
        let count = unsafe { getdirentries64(directory.as_raw_fd(), room, size, &mut base) };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        let mut rest = entries.0.get(..count).unwrap_or_default();
        if rest.is_empty() {
            return Ok(());
        }
        let (length_at, name_at) = (
            offset_of!(libc::dirent64, d_reclen),
            offset_of!(libc::dirent64, d_name),
        );
        while let Some([low, high]) = rest.get(length_at..length_at + 2) {
            let length = usize::from(u16::from_ne_bytes([*low, *high]));
            let name = rest.get(name_at..length).unwrap_or_default();
            if let Some(pid) = proc_files::leading_number(name) {
                visit(pid);
            }
            rest = rest.get(length.max(name_at)..).unwrap_or_default();
        }
    }
}
