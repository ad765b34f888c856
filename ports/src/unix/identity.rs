//! Telling processes apart, and ending a process group that an earlier process of ours left.

use std::io;
use std::time::{Duration, Instant};

use super::raw::{self, Pid, check};
use crate::{GroupEnd, Identity, Leftover, Traces};

/// Pause between two looks at a group that is being killed.
const PAUSE: Duration = Duration::from_millis(10);

/// A process as a list of processes shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) identity: Identity,
    pub(crate) name: String,
}

pub(crate) fn process_identity(pid: u32) -> Option<Identity> {
    let start = crate::system::process_start(pid)?;
    let number = Pid::try_from(pid).ok().filter(|pid| *pid > 0)?;
    // SAFETY: getpgid(2) takes a number.
    let group = check(unsafe { libc::getpgid(number) }).ok()?;
    // SAFETY: getsid(2) takes a number.
    let session = check(unsafe { libc::getsid(number) }).ok()?;
    // The number may have gone to another process in between.
    (crate::system::process_start(pid) == Some(start)).then_some(Identity {
        pid,
        start,
        group: group.unsigned_abs(),
        session: session.unsigned_abs(),
    })
}

pub(crate) fn process_clock() -> Option<u64> {
    None
}

pub(crate) fn boot_id() -> Option<String> {
    None
}

/// What the list of processes says of a session whose leader has ended, if it does not name the leader
/// any more.
pub(crate) const LOST_SESSION: Option<u32> = None;

/// The living processes of a group or of a session of that number; none if the system has no list.
pub(crate) fn processes_of(_group: u32) -> Option<Vec<Listed>> {
    None
}

pub(crate) fn end_group(leader: &Identity, traces: &Traces<'_>, deadline: Instant) -> GroupEnd {
    let Some(group) = Pid::try_from(leader.pid).ok().filter(|group| *group > 1) else {
        return GroupEnd::Unknown;
    };
    match whose(leader, group, traces) {
        Owner::Ours => kill_all(leader, group, deadline),
        Owner::Nobody => GroupEnd::Gone,
        Owner::Stranger => GroupEnd::Stranger,
        Owner::Unknown => GroupEnd::Unknown,
    }
}

/// To whom the number of a group belongs.
enum Owner {
    Ours,
    Nobody,
    Stranger,
    Unknown,
}

fn whose(leader: &Identity, group: Pid, traces: &Traces<'_>) -> Owner {
    // Ourselves we never end, whatever we are told.
    let own = process_group_and_session();
    if own.contains(&group) || raw::own_id() == group {
        return Owner::Stranger;
    }
    let now = crate::system::process_identity(leader.pid);
    if now.is_some_and(|now| now.start == leader.start) {
        return Owner::Ours;
    }
    if now.is_some() {
        // A number that still names a group is not given to a new process; so this one is new, and
        // the group, if there is one, is its own.
        return Owner::Stranger;
    }
    match crate::system::processes_of(leader.pid) {
        Some(members) if members.is_empty() => Owner::Nobody,
        Some(members) => {
            if members
                .iter()
                .any(|member| is_proof(leader, member, traces))
            {
                Owner::Ours
            } else {
                Owner::Stranger
            }
        }
        // Whether it is the same one cannot be told.
        None if exists(group) || crate::system::process_exists(leader.pid) => Owner::Unknown,
        None => Owner::Nobody,
    }
}

/// Whether a process in a group of the right number shows that the group is the one that is meant.
fn is_proof(leader: &Identity, member: &Listed, traces: &Traces<'_>) -> bool {
    let Identity {
        pid,
        start,
        session,
        ..
    } = member.identity;
    let was_there = || traces.seen.is_some_and(|seen| start < seen);
    let works_there = || {
        let works = crate::system::process_directory(pid);
        let place = traces.directory.zip(works);
        place.is_some_and(|(place, works)| works.starts_with(place))
    };
    let same = session == leader.session || Some(session) == crate::system::LOST_SESSION;
    same && start >= leader.start && (was_there() || works_there())
}

fn process_group_and_session() -> [Pid; 2] {
    // SAFETY: getpgid(2) takes a number; 0 is the caller, for which it cannot fail.
    let group = unsafe { libc::getpgid(0) };
    // SAFETY: getsid(2), the same.
    let session = unsafe { libc::getsid(0) };
    [group, session]
}

fn exists(group: Pid) -> bool {
    match raw::kill(-group, 0) {
        Ok(()) => true,
        Err(error) => error.raw_os_error() == Some(libc::EPERM),
    }
}

/// Kills the group again and again, since its processes may start others meanwhile.
fn kill_all(leader: &Identity, group: Pid, deadline: Instant) -> GroupEnd {
    let mut killed: Vec<Leftover> = Vec::new();
    loop {
        let left = remaining(leader, group);
        if left.is_empty() {
            return GroupEnd::Killed(killed);
        }
        for process in &left {
            if !killed.iter().any(|known| known.pid == process.pid) {
                killed.push(process.clone());
            }
        }
        if Instant::now() >= deadline {
            return GroupEnd::Survived(left);
        }
        let _ = raw::kill(-group, libc::SIGKILL);
        kill_rest_of_session(leader);
        std::thread::sleep(PAUSE);
    }
}

/// What still lives of the group. Without a list of processes: the leader stands for all.
fn remaining(leader: &Identity, group: Pid) -> Vec<Leftover> {
    if let Some(members) = crate::system::processes_of(leader.pid) {
        let named = |member: Listed| Leftover {
            pid: member.identity.pid,
            name: member.name,
        };
        return members.into_iter().map(named).collect();
    }
    if exists(group) {
        return vec![Leftover {
            pid: leader.pid,
            name: String::new(),
        }];
    }
    Vec::new()
}

/// A terminal's step leads a session, in which an interactive shell makes groups of its own.
fn kill_rest_of_session(leader: &Identity) {
    for member in crate::system::processes_of(leader.pid).unwrap_or_default() {
        let Identity { pid, group, .. } = member.identity;
        if group != leader.pid && crate::system::process_identity(pid) == Some(member.identity) {
            let _: io::Result<()> = crate::system::signal_process(pid, libc::SIGKILL);
        }
    }
}
