//! The monitor as reaper: procctl(2). The structure is that of `<sys/procctl.h>`, which the libc
//! crate does not have.

use std::mem::zeroed;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

use super::Row;
use super::process_table::rows;
use crate::unix::{Pid, check, kill, own_id, reap, text};
use crate::{Containment, Leftover};

/// `union reaper_info`, which has one member.
#[repr(C)]
struct Status {
    flags: u32,
    references: u32,
    spare: [libc::c_long; 15],
    /// A child of the reaper, or -1.
    head: libc::pid_t,
    more_spare: [libc::c_int; 15],
}

/// As many children are killed in one round at most.
const MOST: u32 = 256;

/// The step's process, once the monitor knows it.
static MAIN: AtomicI32 = AtomicI32::new(0);

/// One request to procctl(2) about this process.
fn request(what: libc::c_int) -> Option<Status> {
    // SAFETY: the structure is plain numbers, for which all zeros is a value.
    let mut status: Status = unsafe { zeroed() };
    let (own, data) = (own_id() as libc::id_t, (&raw mut status).cast());
    // SAFETY: `data` has room for the union that the requests take.
    let done = check(unsafe { libc::procctl(libc::P_PID, own, what, data) });
    done.is_ok().then_some(status)
}

pub(crate) fn containment() -> Containment {
    match request(libc::PROC_REAP_STATUS) {
        Some(_) => Containment::Everything,
        None => Containment::ProcessGroup,
    }
}

/// In the monitor: orphaned descendants of this process become its children.
pub(crate) fn become_reaper() {
    let _ = request(libc::PROC_REAP_ACQUIRE);
}

/// A child of the monitor, the same one until it is reaped.
fn first_child() -> Option<Pid> {
    let status = request(libc::PROC_REAP_STATUS)?;
    (status.head > 0).then_some(status.head)
}

/// In the monitor: kills its children one after the other. Their children become ours in turn.
pub(crate) fn kill_children(_round: u32) {
    for _ in 0..MOST {
        let Some(child) = first_child() else { return };
        let _ = kill(child, libc::SIGKILL);
        // The step's process keeps its number; another one goes when it is reaped.
        let stays = child == MAIN.load(Ordering::Relaxed);
        if stays || !matches!(reap(child, false), Ok(true)) {
            return;
        }
    }
}

/// In the monitor: reaps the children that have ended, other than `main`.
pub(crate) fn reap_orphans(main: Pid) {
    MAIN.store(main, Ordering::Relaxed);
    while let Some(child) = crate::unix::peek_any().filter(|child| *child != main) {
        if reap(child, false).is_err() {
            return;
        }
    }
}

pub(crate) fn leftovers(monitor: Pid, main: Pid, _until: Instant) -> Vec<Leftover> {
    let all = rows(libc::KERN_PROC_ALL, 0).unwrap_or_default();
    let mut found: Vec<&Row> = Vec::new();
    let mut parents = vec![monitor];
    while let Some(parent) = parents.pop() {
        for row in all
            .iter()
            .filter(|row| row.kp_ppid == parent && row.kp_pid > 0)
        {
            if !found.iter().any(|known| known.kp_pid == row.kp_pid) {
                found.push(row);
                parents.push(row.kp_pid);
            }
        }
    }
    let alive = found
        .into_iter()
        .filter(|row| row.kp_pid != main && !matches!(row.kp_stat, libc::procstat::SZOMB));
    let leftover = |row: &Row| Leftover {
        pid: row.kp_pid.unsigned_abs(),
        name: text(&row.kp_comm),
    };
    alive.map(leftover).collect()
}
