//! Linux: orphans come to the monitor (`PR_SET_CHILD_SUBREAPER`, Linux 3.4), and `/proc` tells who
//! they are, so nothing that a step starts gets away. Where one of the two is missing (an emulated
//! processor, a bare chroot), the process group is what remains.

#[path = "shared/atomic.rs"]
mod atomic;
#[path = "linux/identity.rs"]
mod identity;
#[path = "linux/library.rs"]
mod library;
#[path = "shared/load.rs"]
mod load;
#[path = "linux/locks.rs"]
mod locks;
#[path = "linux/memory.rs"]
mod memory;
#[path = "linux/proc.rs"]
mod proc;
#[path = "shared/proc_files.rs"]
mod proc_files;
#[path = "linux/release.rs"]
mod release;
#[path = "linux/service.rs"]
mod service;

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::{Duration, Instant};

pub use crate::unix::*;
use crate::{Containment, Leftover, ServiceManager};
pub(crate) use atomic::{pipe, socket_pair};
pub(crate) use identity::{boot_id, process_clock, process_identity, processes_of};
pub(crate) use library::c_library;
pub(crate) use load::load;
pub(crate) use locks::lock_holder;
pub(crate) use memory::{expose_step, memory, protect_worker};
pub(crate) use release::release_memory;
pub(crate) use service::{ClockAlarm, Rouser, socket_address};

/// What `ps` and `top` show a monitor as.
const MONITOR_NAME: &CStr = c"coracle-step";

/// Flags for opening the leader of a terminal.
pub(crate) const LEADER_FLAGS: i32 = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;

/// As the common one, but without its lock.
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

/// `TCP_USER_TIMEOUT` of tcp(7), in milliseconds.
pub(crate) fn limit_unacknowledged(socket: &impl Socket, limit: Duration) -> io::Result<()> {
    let limit = libc::c_uint::try_from(limit.as_millis()).unwrap_or(libc::c_uint::MAX);
    let (value, size) = (
        (&raw const limit).cast(),
        size_of_val(&limit) as libc::socklen_t,
    );
    let (socket, option) = (socket.as_fd().as_raw_fd(), libc::TCP_USER_TIMEOUT);
    // SAFETY: `value` points to one number of `size` bytes.
    check(unsafe { libc::setsockopt(socket, libc::IPPROTO_TCP, option, value, size) }).map(drop)
}

/// `SIOCOUTQ` of tcp(7), which has the number of `TIOCOUTQ`.
pub(crate) fn unsent(socket: &impl Socket) -> Option<u64> {
    let mut count: libc::c_int = 0;
    let room: *mut libc::c_int = &mut count;
    // SAFETY: the request takes room for one number.
    check(unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::TIOCOUTQ, room) }).ok()?;
    u64::try_from(count).ok()
}

pub(crate) fn containment() -> Containment {
    let mut reaper: libc::c_int = 0;
    let room: *mut libc::c_int = &mut reaper;
    // SAFETY: PR_GET_CHILD_SUBREAPER takes room for one number.
    let known = unsafe { libc::prctl(libc::PR_GET_CHILD_SUBREAPER, room) };
    if known == 0 && std::path::Path::new("/proc/self/stat").exists() {
        Containment::Everything
    } else {
        Containment::ProcessGroup
    }
}

/// In the monitor: orphaned descendants of this process become its children.
pub(crate) fn become_reaper() {
    let name = MONITOR_NAME.as_ptr();
    // SAFETY: PR_SET_NAME takes a text that ends with NUL.
    unsafe { libc::prctl(libc::PR_SET_NAME, name) };
    // SAFETY: PR_SET_CHILD_SUBREAPER takes a number. Emulators refuse it; see the top.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1 as libc::c_ulong) };
}

/// In the child: whoever kills the monitor kills the step's process too.
pub(crate) fn before_exec(monitor: Pid) {
    // SAFETY: PR_SET_PDEATHSIG takes a number.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong) };
    // SAFETY: getppid(2) takes nothing and cannot fail.
    if unsafe { libc::getppid() } != monitor {
        // It died before the call above.
        exit_now(127);
    }
}

pub(crate) fn become_adopter() {
    // SAFETY: PR_SET_CHILD_SUBREAPER takes a number. Emulators refuse it; see the top.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1 as libc::c_ulong) };
}

/// Kills and reaps the children of this process in groups of their own, other than those; how many are
/// left.
pub(crate) fn kill_except(known: &[Pid]) -> usize {
    // SAFETY: getpgrp(2) takes nothing and cannot fail.
    let own = unsafe { libc::getpgrp() };
    let is_orphan = |pid: &Pid| {
        // SAFETY: getpgid(2) takes a number. A child that was not reaped has its group, also when it
        // has ended.
        !known.contains(pid)
            && check(unsafe { libc::getpgid(*pid) }).is_ok_and(|group| group != own)
    };
    let orphans = proc::children(own_id()).into_iter().filter(is_orphan);
    let left = orphans.filter(|pid| {
        let _ = kill(*pid, libc::SIGKILL);
        matches!(reap(*pid, false), Ok(false))
    });
    left.count()
}

/// Reaps the children that have ended, other than those.
pub(crate) fn reap_except(known: &[Pid]) {
    for pid in proc::children(own_id()) {
        if !known.contains(&pid) {
            let _ = reap(pid, false);
        }
    }
}

/// In the monitor: reaps the children that have ended, other than `main`.
pub(crate) fn reap_orphans(main: Pid) {
    loop {
        match peek_any() {
            // Nobody, or nobody can be told apart: the list of all children helps below.
            None => return,
            Some(pid) if pid == main => break,
            Some(pid) => {
                let _ = reap(pid, false);
            }
        }
    }
    // `main` has ended and hides the others.
    proc::for_each_child(own_id(), |pid| {
        if pid != main {
            let _ = reap(pid, false);
        }
    });
}

/// In the monitor: kills all its children. Their children become ours in turn and are killed in the
/// next round. Only what multiplies faster than that is also killed down the tree: there is a
/// theoretical chance that one of those numbers belongs to somebody else by the time we use it.
pub(crate) fn kill_children(round: u32) {
    let deep = if round < PATIENT_ROUNDS { 0 } else { DEEPEST };
    proc::for_each_child(own_id(), |pid| {
        let _ = kill(pid, libc::SIGKILL);
        kill_below(pid, deep);
    });
}

/// Kills the descendants of a process that was killed, hence makes no more of them.
fn kill_below(pid: Pid, levels: u32) {
    if levels > 0 {
        proc::for_each_child_of(pid, |child| {
            let _ = kill(child, libc::SIGKILL);
            kill_below(child, levels - 1);
        });
    }
}

/// Rounds of killing in which an ordinary step is gone, even a deep one.
const PATIENT_ROUNDS: u32 = 5;
/// So many levels of descendants are killed at once; each takes a descriptor and some stack.
const DEEPEST: u32 = 8;

/// In the monitor: closes every descriptor other than the first three and these two.
pub(crate) fn close_all_except(first: RawFd, second: RawFd) {
    let (low, high) = (first.min(second), first.max(second));
    let closed = close_range(3, low - 1)
        .and_then(|()| close_range(low + 1, high - 1))
        .and_then(|()| close_range(high + 1, RawFd::MAX));
    if closed.is_ok() {
        return;
    }
    // Linux before 5.9.
    let closed = proc::for_each_descriptor(|descriptor| {
        if descriptor > libc::STDERR_FILENO && descriptor != low && descriptor != high {
            close_inherited(descriptor);
        }
    });
    if closed.is_err() {
        crate::unix::close_all_except(first, second);
    }
}

/// `close_range(2)`; an empty range is fine.
fn close_range(from: RawFd, to: RawFd) -> io::Result<()> {
    if from > to {
        return Ok(());
    }
    let (from, to) = (from as libc::c_uint, to as libc::c_uint);
    // SAFETY: close_range(2) takes numbers; only the monitor, where no owner is left, calls this.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, from, to, 0 as libc::c_uint) };
    check(closed as libc::c_int).map(drop)
}

/// Both leave a mark for this question: sd_booted(3), and the state directory of OpenRC.
pub(crate) fn service_manager() -> Option<ServiceManager> {
    if Path::new("/run/systemd/system").is_dir() {
        Some(ServiceManager::Systemd)
    } else if Path::new("/run/openrc").is_dir() {
        Some(ServiceManager::OpenRc)
    } else {
        None
    }
}

pub(crate) fn leftovers(monitor: Pid, main: Pid, until: Instant) -> Vec<Leftover> {
    proc::descendants(monitor, main, until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_of_a_connection_is_the_one_asked_for() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        limit_unacknowledged(&connection, Duration::from_millis(35_001)).unwrap();
        let mut limit: libc::c_uint = 0;
        let mut size = size_of_val(&limit) as libc::socklen_t;
        let (socket, option) = (connection.as_raw_fd(), libc::TCP_USER_TIMEOUT);
        let room = (&raw mut limit).cast();
        // SAFETY: `room` has room for `size` bytes.
        let got = unsafe { libc::getsockopt(socket, libc::IPPROTO_TCP, option, room, &mut size) };
        assert_eq!((got, limit), (0, 35_001));
    }
}
