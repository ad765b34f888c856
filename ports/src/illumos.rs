//! illumos: every step runs in a process contract of its own, which the monitor holds, and which its
//! descendants are in whatever group or session they make; so nothing that a step starts gets away, even
//! if the monitor is killed, unless it makes contracts itself, as ctrun(1) does (contract(5),
//! process(5)). `/proc` tells who they are (proc(5)).

#[path = "shared/atomic.rs"]
mod atomic;
#[path = "illumos/contract.rs"]
mod contract;
#[path = "shared/load.rs"]
mod load;
#[path = "shared/pages.rs"]
mod pages;
#[path = "illumos/proc.rs"]
mod proc;
#[path = "shared/streams.rs"]
mod streams;

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::time::Instant;

use crate::{Identity, Leftover, ServiceManager};

pub use crate::unix::*;
pub(crate) use atomic::{pipe, socket_pair};
pub(crate) use contract::{become_reaper, before_exec, containment, kill_children};
pub(crate) use load::load;
pub(crate) use pages::memory;
pub(crate) use streams::take_terminal;

/// Flags for opening the leader of a terminal; posix_openpt(3C) has no more.
pub(crate) const LEADER_FLAGS: i32 = libc::O_RDWR | libc::O_NOCTTY;

/// As the common one, but without its lock: ptsname_r(3C), 2022.
pub(crate) fn follower_path(leader: &OwnedFd) -> io::Result<CString> {
    let mut path = [0 as libc::c_char; 64];
    let room = path.as_mut_ptr();
    // SAFETY: ptsname_r(3C) takes an open leader, and a buffer with its length.
    let error = unsafe { libc::ptsname_r(leader.as_raw_fd(), room, path.len()) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    // SAFETY: ptsname_r(3C) has put a text that ends with NUL into `path`.
    Ok(unsafe { CStr::from_ptr(path.as_ptr()) }.to_owned())
}

pub(crate) fn process_start(pid: u32) -> Option<u64> {
    proc::process(pid).map(|process| process.listed.identity.start)
}

pub(crate) fn process_identity(pid: u32) -> Option<Identity> {
    proc::process(pid).map(|process| process.listed.identity)
}

/// `/proc/PID/cwd` is a link that says nothing; the path is here (proc(5)).
pub(crate) fn process_directory(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/path/cwd")).ok()
}

pub(crate) fn leftovers(monitor: Pid, main: Pid, until: Instant) -> Vec<Leftover> {
    let Some(contract) = proc::contract_held_by(monitor) else {
        return Vec::new();
    };
    let members = proc::members_of(contract, until).into_iter();
    let others = members.filter(|member| Pid::try_from(member.identity.pid) != Ok(main));
    others
        .map(|member| Leftover {
            pid: member.identity.pid,
            name: member.name,
        })
        .collect()
}

pub(crate) fn service_manager() -> Option<ServiceManager> {
    Some(ServiceManager::Smf)
}
