//! FreeBSD: orphans come to the monitor, which may kill all its descendants with one call
//! (`PROC_REAP_ACQUIRE` and `PROC_REAP_KILL` of procctl(2), FreeBSD 10.2), so nothing that a step
//! starts gets away. `kern.proc` tells who they are.

#[path = "shared/atomic.rs"]
mod atomic;
#[path = "shared/close_from.rs"]
mod close_from;
#[path = "shared/load.rs"]
mod load;
#[path = "shared/pages.rs"]
mod pages;
#[path = "shared/process_table.rs"]
mod process_table;
#[path = "freebsd/reaper.rs"]
mod reaper;
#[path = "shared/working_directory.rs"]
mod working_directory;

use crate::{Identity, ServiceManager};
use process_table::microseconds;

pub use crate::unix::*;
pub(crate) use atomic::{pipe, socket_pair};
pub(crate) use close_from::close_all_except;
pub(crate) use load::load;
pub(crate) use pages::memory;
pub(crate) use process_table::{
    boot_id, process_clock, process_identity, process_start, processes_of,
};
pub(crate) use reaper::{
    become_reaper, before_exec, containment, kill_children, leftovers, reap_except, reap_orphans,
};
pub(crate) use working_directory::process_directory;

/// Flags for opening the leader of a terminal: posix_openpt(2) has `O_CLOEXEC` since FreeBSD 10.
pub(crate) const LEADER_FLAGS: i32 = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;

/// The words of `kern.proc`, see sysctl(3).
pub(crate) fn table_words(kind: i32, number: i32, _room: usize) -> Vec<i32> {
    vec![libc::CTL_KERN, libc::KERN_PROC, kind, number]
}

/// The words that ask for the directory of a process.
pub(crate) fn directory_words(pid: Pid) -> Vec<i32> {
    vec![libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_CWD, pid]
}

/// They are answered by a `struct kinfo_file` of `<sys/user.h>`, cut behind the path.
pub(crate) const PATH_AT: usize = std::mem::offset_of!(libc::kinfo_file, kf_path);

/// A row of the list of processes (`<sys/user.h>`).
pub(crate) type Row = libc::kinfo_proc;

/// What a row tells; none for a process that has ended.
pub(crate) fn listed(row: &Row) -> Option<Listed> {
    if row.ki_pid <= 0 || row.ki_stat == libc::SZOMB {
        return None;
    }
    Some(Listed {
        identity: Identity {
            pid: row.ki_pid.unsigned_abs(),
            start: microseconds(row.ki_start.tv_sec, row.ki_start.tv_usec),
            group: row.ki_pgid.unsigned_abs(),
            session: row.ki_sid.unsigned_abs(),
        },
        name: text(&row.ki_comm),
    })
}

pub(crate) fn service_manager() -> Option<ServiceManager> {
    Some(ServiceManager::FreeBsdRc)
}
