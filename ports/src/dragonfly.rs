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
mod process_table;
#[path = "dragonfly/reaper.rs"]
mod reaper;

use crate::{Identity, ServiceManager};
use process_table::{Row, microseconds};

pub use crate::unix::*;
pub(crate) use atomic::{pipe, socket_pair};
pub(crate) use close_from::close_all_except;
pub(crate) use load::load;
pub(crate) use pages::memory;
pub(crate) use process_table::{
    boot_id, process_clock, process_identity, process_start, processes_of,
};
pub(crate) use reaper::{become_reaper, containment, kill_children, leftovers, reap_orphans};

/// The words of `kern.proc`, see sysctl(3).
pub(crate) fn table_words(kind: i32, number: i32, _room: usize) -> Vec<i32> {
    vec![libc::CTL_KERN, libc::KERN_PROC, kind, number]
}

/// A row of the list of processes (`<sys/kinfo.h>`); none for one that has ended.
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
