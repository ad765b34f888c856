//! OpenBSD: a step is contained by its process group and by a mark in its environment, as the system
//! hands orphans to nobody but process 1. Limits of open files are low by default and raised; see login.conf(5).

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
mod process_table;
#[path = "shared/raise_limits.rs"]
mod raise_limits;
#[path = "shared/working_directory.rs"]
mod working_directory;

use crate::{Identity, ServiceManager};
use process_table::microseconds;

pub use crate::unix::*;
pub(crate) use atomic::{pipe, socket_pair};
pub(crate) use close_from::close_all_except;
pub(crate) use environment_text::after_pointers as texts_of;
pub(crate) use load::load;
pub(crate) use marked::{Mark, Search, containment, new_mark};
pub(crate) use pages::memory;
pub(crate) use process_table::{
    boot_id, process_clock, process_identity, process_start, processes_of,
};
pub(crate) use raise_limits::raise_limits;
pub(crate) use working_directory::process_directory;

/// The list of processes, `kern.proc` of sysctl(2).
pub(crate) const LIST: libc::c_int = libc::KERN_PROC;
/// A row of it (`<sys/sysctl.h>`).
pub(crate) type Row = libc::kinfo_proc;
/// Where in a row the number of the process is.
pub(crate) const PID_AT: usize = std::mem::offset_of!(Row, p_pid);

/// The words of `kern.proc`, see sysctl(2): it wants to know the room, too.
pub(crate) fn table_words(kind: i32, number: i32, room: usize) -> Vec<i32> {
    let (size, count) = (
        size_of::<Row>() as i32,
        i32::try_from(room).unwrap_or(i32::MAX),
    );
    vec![libc::CTL_KERN, libc::KERN_PROC, kind, number, size, count]
}

/// The words that ask for the directory of a process, which are answered by its path alone.
pub(crate) fn directory_words(pid: Pid) -> Vec<i32> {
    vec![libc::CTL_KERN, libc::KERN_PROC_CWD, pid]
}

pub(crate) const PATH_AT: usize = 0;

/// The part of a `siginfo_t` that tells of a child (`<sys/siginfo.h>`). The libc crate (0.2.191) looks for
/// it behind the end of the structure.
#[repr(C)]
struct ChildInfo {
    signal: libc::c_int,
    code: libc::c_int,
    error: libc::c_int,
    child: Child,
}

#[repr(C)]
struct Child {
    pid: Pid,
    uid: libc::uid_t,
    user_time: libc::clock_t,
    system_time: libc::clock_t,
    status: libc::c_int,
}

const _: () = assert!(size_of::<ChildInfo>() <= size_of::<libc::siginfo_t>());

/// The number and the status of the child in an answer of waitid(2) (OpenBSD 7.3).
pub(crate) fn child_in(info: &libc::siginfo_t) -> (Pid, libc::c_int) {
    // SAFETY: the structure is at least as long, as aligned, and plain numbers.
    let info = unsafe { &*std::ptr::from_ref(info).cast::<ChildInfo>() };
    (info.child.pid, info.child.status)
}

/// What a row tells; none for a process that has ended.
pub(crate) fn listed(row: &Row) -> Option<Listed> {
    if row.p_pid <= 0 || i32::from(row.p_stat) == DEAD {
        return None;
    }
    Some(Listed {
        identity: Identity {
            pid: row.p_pid.unsigned_abs(),
            start: microseconds(
                i64::try_from(row.p_ustart_sec).unwrap_or(0),
                row.p_ustart_usec,
            ),
            group: row.p__pgid.unsigned_abs(),
            session: row.p_sid.unsigned_abs(),
        },
        name: text(&row.p_comm),
    })
}

pub(crate) const LOST_SESSION: Option<u32> = Some(0);

/// `SDEAD` of `<sys/proc.h>`: what waits for its parent.
const DEAD: i32 = 6;

pub(crate) fn service_manager() -> Option<ServiceManager> {
    Some(ServiceManager::OpenBsdRc)
}
