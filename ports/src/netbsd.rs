//! NetBSD: a step is contained by its process group and by a mark in its environment, as the system
//! hands orphans to nobody but process 1. The soft limit of data is 256 MB by default, less than a build of CPython takes, and
//! raised; see login.conf(5).

#[path = "shared/atomic.rs"]
mod atomic;
#[path = "shared/close_from.rs"]
mod close_from;
#[path = "shared/environment_text.rs"]
#[cfg_attr(not(test), allow(dead_code))] // Other systems need more of it.
mod environment_text;
#[path = "shared/sysctl_environments.rs"]
mod environments;
#[path = "shared/load.rs"]
mod load;
#[path = "shared/marked.rs"]
mod marked;
#[path = "shared/pages.rs"]
mod pages;
#[path = "shared/process_table.rs"]
#[allow(dead_code)] // `process_start`, see below.
mod process_table;
#[path = "shared/raise_limits.rs"]
mod raise_limits;
#[path = "shared/working_directory.rs"]
mod working_directory;

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use crate::{Identity, ServiceManager};
use process_table::microseconds;

pub use crate::unix::*;
pub(crate) use atomic::{pipe, socket_pair};
pub(crate) use close_from::close_all_except;
pub(crate) use load::load;
pub(crate) use marked::{Mark, Search, containment, new_mark};
pub(crate) use pages::memory;
pub(crate) use process_table::{boot_id, process_clock, processes_of};
pub(crate) use raise_limits::raise_limits;
pub(crate) use working_directory::process_directory;

/// The list of processes, `kern.proc2` of sysctl(7).
pub(crate) const LIST: libc::c_int = libc::KERN_PROC2;
/// A row of it (`<sys/sysctl.h>`).
pub(crate) type Row = libc::kinfo_proc2;
/// Where in a row the number of the process is.
pub(crate) const PID_AT: usize = std::mem::offset_of!(Row, p_pid);

/// The words of `kern.proc2`, see sysctl(7): it wants to know the room, too.
pub(crate) fn table_words(kind: i32, number: i32, room: usize) -> Vec<i32> {
    let count = i32::try_from(room).unwrap_or(i32::MAX);
    let size = size_of::<Row>() as i32;
    vec![libc::CTL_KERN, LIST, kind, number, size, count]
}

/// What a row tells; none for a process that has ended.
pub(crate) fn listed(row: &Row) -> Option<Listed> {
    if row.p_pid <= 0 || ENDED.contains(&row.p_realstat) {
        return None;
    }
    Some(Listed {
        identity: Identity {
            pid: row.p_pid.unsigned_abs(),
            start: microseconds(row.p_ustart_sec, row.p_ustart_usec),
            group: row.p__pgid.unsigned_abs(),
            session: row.p_sid.unsigned_abs(),
        },
        name: text(&row.p_comm),
    })
}

/// `SDYING`, `SZOMB` and `SDEAD` of `<sys/proc.h>`.
const ENDED: [u64; 3] = [3, 5, 6];

pub(crate) fn process_start(pid: u32) -> Option<u64> {
    process_identity(pid).map(|identity| identity.start)
}

/// While a process becomes another program, the list does not say when it was started; then a moment
/// later. May block for that long.
pub(crate) fn process_identity(pid: u32) -> Option<Identity> {
    const TRIES: u32 = 50;
    const BETWEEN: Duration = Duration::from_millis(1);
    for _ in 0..TRIES {
        let found = process_table::process_identity(pid)?;
        if found.start != 0 {
            return Some(found);
        }
        std::thread::sleep(BETWEEN);
    }
    None
}

/// The words that ask for the directory of a process (NetBSD 9), answered by its path alone.
pub(crate) fn directory_words(pid: Pid) -> Vec<i32> {
    /// `<sys/sysctl.h>`; the libc crate does not have it.
    const KERN_PROC_CWD: i32 = 6;
    vec![libc::CTL_KERN, libc::KERN_PROC_ARGS, pid, KERN_PROC_CWD]
}

pub(crate) const PATH_AT: usize = 0;

/// The texts in an answer of `kern.proc_args`, which has nothing else (sysctl(7)).
pub(crate) fn texts_of(answer: &[u8], _address: usize) -> Option<&[u8]> {
    Some(answer)
}

/// Flags for opening the leader of a terminal: posix_openpt(3) of NetBSD 6 has `O_CLOEXEC`.
pub(crate) const LEADER_FLAGS: i32 = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;

/// As the common one, but without its lock: ptsname_r(3), NetBSD 8.
pub(crate) fn follower_path(leader: &OwnedFd) -> io::Result<CString> {
    let mut path = [0 as libc::c_char; 64];
    let room = path.as_mut_ptr();
    // SAFETY: ptsname_r(3) takes an open leader, and a buffer with its length.
    let error = unsafe { libc::ptsname_r(leader.as_raw_fd(), room, path.len()) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    // SAFETY: ptsname_r(3) has put a text that ends with NUL into `path`.
    Ok(unsafe { CStr::from_ptr(path.as_ptr()) }.to_owned())
}

pub(crate) fn service_manager() -> Option<ServiceManager> {
    Some(ServiceManager::NetBsdRc)
}
