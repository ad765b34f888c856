//! DragonFly BSD: orphans come to the monitor (`PROC_REAP_ACQUIRE` of procctl(2), DragonFly 4.2),
//! so nothing that a step starts gets away. `kern.proc` tells who they are.

#[path = "shared/atomic.rs"]
mod atomic;
#[path = "shared/close_from.rs"]
mod close_from;
#[path = "shared/load.rs"]
mod load;
#[path = "shared/pages.rs"]
mod pages;
#[path = "shared/process_table.rs"]
#[allow(dead_code)] // `processes_of`, see below.
mod process_table;
#[path = "dragonfly/reaper.rs"]
mod reaper;
#[path = "shared/working_directory.rs"]
mod working_directory;

use crate::{Identity, ServiceManager};
use process_table::{microseconds, processes};

pub use crate::unix::*;
pub(crate) use atomic::{pipe, socket_pair};
pub(crate) use close_from::close_all_except;
pub(crate) use load::load;
pub(crate) use pages::memory;
pub(crate) use process_table::{boot_id, process_clock, process_identity, process_start};
pub(crate) use reaper::{become_reaper, containment, kill_children, leftovers, reap_orphans};
pub(crate) use working_directory::process_directory;

/// The words of `kern.proc`, see sysctl(3). The list of all takes no number.
pub(crate) fn table_words(kind: i32, number: i32, _room: usize) -> Vec<i32> {
    match kind {
        libc::KERN_PROC_ALL => vec![libc::CTL_KERN, libc::KERN_PROC, kind],
        _ => vec![libc::CTL_KERN, libc::KERN_PROC, kind, number],
    }
}

/// The processes of a group, and those of a session, of that number. There is no list by session.
pub(crate) fn processes_of(group: u32) -> Option<Vec<Listed>> {
    let mut found = processes(libc::KERN_PROC_ALL, 0)?;
    found.retain(|one| one.identity.group == group || one.identity.session == group);
    Some(found)
}

/// The words that ask for the directory of a process, which are answered by its path alone.
pub(crate) fn directory_words(pid: Pid) -> Vec<i32> {
    vec![libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_CWD, pid]
}

pub(crate) const PATH_AT: usize = 0;

/// A row of the list of processes (`<sys/kinfo.h>`).
pub(crate) type Row = libc::kinfo_proc;

/// What a row tells; none for a process that has ended.
pub(crate) fn listed(row: &Row) -> Option<Listed> {
    if row.kp_pid <= 0 || matches!(row.kp_stat, libc::procstat::SZOMB) {
        return None;
    }
    Some(Listed {
        identity: Identity {
            pid: row.kp_pid.unsigned_abs(),
            start: microseconds(row.kp_start.tv_sec, row.kp_start.tv_usec),
            group: row.kp_pgid.unsigned_abs(),
            session: row.kp_sid.unsigned_abs(),
        },
        name: text(&row.kp_comm),
    })
}

pub(crate) fn service_manager() -> Option<ServiceManager> {
    Some(ServiceManager::DragonFlyRc)
}
