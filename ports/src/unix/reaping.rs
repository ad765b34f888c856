//! Reaping monitors, and whatever else may be a child of the worker.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use super::monitor::QUIET_ROUNDS;
use super::raw::{self, Pid};
use crate::system::Mark;

/// Monitors that still had something to wait for when their step was over.
static STRAGGLERS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

fn stragglers() -> MutexGuard<'static, Vec<Pid>> {
    STRAGGLERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves a monitor behind that still kills or waits; a later start reaps it.
pub(crate) fn leave_behind(monitor: Pid) {
    stragglers().push(monitor);
}

/// Reaps the stragglers that have ended meanwhile.
pub(crate) fn reap_stragglers() {
    stragglers().retain(|monitor| !reap_monitor(*monitor, false));
}

/// Monitors that were started and have not been reaped.
static MONITORS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

pub(crate) fn monitors() -> MutexGuard<'static, Vec<Pid>> {
    MONITORS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a monitor has ended and is reaped now.
pub(crate) fn reap_monitor(monitor: Pid, block: bool) -> bool {
    let reaped = raw::reap(monitor, block).unwrap_or(true);
    if reaped {
        monitors().retain(|known| *known != monitor);
    }
    reaped
}

/// Reaps the children that have ended and that are no monitors: only process 1 of a container has
/// such, orphans of others that came to it.
pub(crate) fn reap_strangers() {
    let known = monitors();
    crate::system::reap_except(&known);
}

/// From now on what a monitor leaves that somebody has killed comes to this process, where the system
/// has that. Not for process 1, which has the orphans of others, too.
pub(crate) fn adopt_orphans() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if raw::own_id() != 1 {
            crate::system::become_adopter();
        }
    });
}

/// Kills the children that are no monitors: what killed monitors have left. They were told apart from
/// other programs that this process may have started by their process group: a step's is its own.
pub(crate) fn kill_orphans() {
    if raw::own_id() == 1 {
        return;
    }
    let until = Instant::now() + ORPHAN_LIMIT;
    let mut pause = Duration::from_millis(1);
    // The children of one that was killed come to us in turn.
    while crate::system::kill_except(&monitors()) > 0 && Instant::now() < until {
        std::thread::sleep(pause);
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// Kills everybody that has the mark of a step whose monitor was killed.
pub(crate) fn kill_marked(mark: &Mark) {
    let mut search = mark.search();
    let until = Instant::now() + ORPHAN_LIMIT;
    let mut pause = Duration::from_millis(1);
    let (mut round, mut quiet) = (0, 0);
    while quiet < QUIET_ROUNDS && Instant::now() < until {
        quiet = if search.kill(round) == 0 {
            quiet + 1
        } else {
            0
        };
        round += 1;
        std::thread::sleep(pause);
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// How long killing the orphans may take; what is stuck in the kernel is reaped by nobody then.
const ORPHAN_LIMIT: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Makes this process the one that the orphans of a monitor come to, where the system has that.
pub(crate) fn become_adopter() {}

/// Kills and reaps the children of this process in groups of their own, other than those; how many are
/// left. Here none come.
pub(crate) fn kill_except(_known: &[Pid]) -> usize {
    0
}

/// Reaps the children that have ended, other than those. A child among those that has ended hides
/// the others until it is reaped.
pub(crate) fn reap_except(known: &[Pid]) {
    while let Some(pid) = raw::peek_any().filter(|pid| !known.contains(pid)) {
        if raw::reap(pid, false).is_err() {
            return;
        }
    }
}
