//! The monitor as reaper: procctl(2). The structures are those of `<sys/procctl.h>`, which the libc
//! crate does not have.

use std::mem::zeroed;
use std::time::Instant;

use crate::unix::{Pid, check, exit_now, own_id, reap};
use crate::{Containment, Leftover};

/// `struct procctl_reaper_status`.
#[repr(C)]
struct Status {
    flags: libc::c_uint,
    children: libc::c_uint,
    descendants: libc::c_uint,
    reaper: libc::pid_t,
    pid: libc::pid_t,
    spare: [libc::c_uint; 15],
}

/// `struct procctl_reaper_pidinfo`.
#[repr(C)]
#[derive(Clone, Copy)]
struct PidInfo {
    pid: libc::pid_t,
    subtree: libc::pid_t,
    flags: libc::c_uint,
    spare: [libc::c_uint; 15],
}

/// `struct procctl_reaper_pids`.
#[repr(C)]
struct Pids {
    count: libc::c_uint,
    spare: [libc::c_uint; 15],
    pids: *mut PidInfo,
}

/// `struct procctl_reaper_kill`.
#[repr(C)]
struct Kill {
    signal: libc::c_int,
    flags: libc::c_uint,
    subtree: libc::pid_t,
    killed: libc::c_uint,
    failed: libc::pid_t,
    spare: [libc::c_uint; 15],
}

/// `REAPER_STATUS_OWNED`: it is a reaper itself.
const OWNED: libc::c_uint = 1;
/// The entry of the list is one.
const VALID: libc::c_uint = 1;
/// It is a child of the reaper, not a descendant further down.
const CHILD: libc::c_uint = 2;
/// So many descendants are told; a step with more has a list that is cut.
const MOST: usize = 4096;

/// One request to procctl(2) about a process; 0 is the caller.
fn request<T>(pid: Pid, what: libc::c_int, data: *mut T) -> bool {
    let pid = pid as libc::id_t;
    // SAFETY: `data` is null or points to the structure that the request takes, as each caller sees to.
    check(unsafe { libc::procctl(libc::P_PID, pid, what, data.cast()) }).is_ok()
}

/// The flags of a process, as far as reapers go.
fn flags_of(pid: Pid) -> Option<libc::c_uint> {
    // SAFETY: the structure is plain numbers, for which all zeros is a value.
    let mut status: Status = unsafe { zeroed() };
    request(pid, libc::PROC_REAP_STATUS, &raw mut status).then_some(status.flags)
}

/// Whether a process is a reaper. What one asks of another process is about its reaper, process 1 in the
/// end, and would mean the whole machine.
fn is_reaper(pid: Pid) -> bool {
    flags_of(pid).is_some_and(|flags| flags & OWNED != 0)
}

pub(crate) fn containment() -> Containment {
    match flags_of(own_id()) {
        Some(_) => Containment::Everything,
        // Only a kernel without the call refuses, in a jail or elsewhere.
        None => Containment::ProcessGroup,
    }
}

/// In the monitor: orphaned descendants of this process become its children.
pub(crate) fn become_reaper() {
    request(
        own_id(),
        libc::PROC_REAP_ACQUIRE,
        std::ptr::null_mut::<Status>(),
    );
}

/// In the child: whoever kills the monitor kills the step's process too (FreeBSD 11.2).
pub(crate) fn before_exec(monitor: Pid) {
    let mut signal: libc::c_int = libc::SIGKILL;
    request(0, libc::PROC_PDEATHSIG_CTL, &raw mut signal);
    // SAFETY: getppid(2) takes nothing and cannot fail.
    if unsafe { libc::getppid() } != monitor {
        // It died before the call above.
        exit_now(127);
    }
}

/// In the monitor: kills all its descendants, children of children too, in one call.
pub(crate) fn kill_children(_round: u32) {
    if !is_reaper(own_id()) {
        return;
    }
    // SAFETY: the structure is plain numbers, for which all zeros is a value.
    let mut order: Kill = unsafe { zeroed() };
    order.signal = libc::SIGKILL;
    request(own_id(), libc::PROC_REAP_KILL, &raw mut order);
}

/// In the monitor: reaps the children that have ended, other than `main`. `main` hides the others
/// once it has ended itself; the list of the reaper helps then.
pub(crate) fn reap_orphans(main: Pid) {
    // On the stack, as there is no memory to be had; what does not fit is reaped another time.
    // SAFETY: the structure is plain numbers, for which all zeros is a value.
    let mut room: [PidInfo; 64] = unsafe { zeroed() };
    for info in descendants_of(own_id(), &mut room) {
        if info.flags & CHILD != 0 && info.pid != main {
            let _ = reap(info.pid, false);
        }
    }
}

/// Reaps the children that have ended, other than those: as process 1 of a jail.
pub(crate) fn reap_except(known: &[Pid]) {
    for info in descendants_of(own_id(), &mut room_for_most()) {
        if info.flags & CHILD != 0 && !known.contains(&info.pid) {
            let _ = reap(info.pid, false);
        }
    }
}

/// The descendants of a reaper that are not of another reaper below it.
fn descendants_of(reaper: Pid, room: &mut [PidInfo]) -> impl Iterator<Item = PidInfo> {
    let mut list = Pids {
        count: room.len() as libc::c_uint,
        spare: [0; 15],
        pids: room.as_mut_ptr(),
    };
    let known = request(reaper, libc::PROC_REAP_GETPIDS, &raw mut list);
    let found = room.iter().take_while(|info| info.flags & VALID != 0);
    found.copied().filter(move |_| known)
}

fn room_for_most() -> Vec<PidInfo> {
    // SAFETY: the structure is plain numbers, for which all zeros is a value.
    vec![unsafe { zeroed() }; MOST]
}

pub(crate) fn leftovers(monitor: Pid, main: Pid, _until: Instant) -> Vec<Leftover> {
    if !is_reaper(monitor) {
        return Vec::new();
    }
    let mut room = room_for_most();
    let found = descendants_of(monitor, &mut room).filter(|info| info.pid != main);
    found
        .filter_map(|info| {
            let pid = info.pid.unsigned_abs();
            // None: it has ended and waits for the monitor.
            let process = super::process_table::process(pid)?;
            Some(Leftover {
                pid,
                name: process.name,
            })
        })
        .collect()
}
