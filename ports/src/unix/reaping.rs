//! Reaping monitors, and whatever else may be a child of the worker.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::raw::{self, Pid};

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

/// Reaps the children that have ended, other than those. A child among those that has ended hides
/// the others until it is reaped.
pub(crate) fn reap_except(known: &[Pid]) {
    while let Some(pid) = raw::peek_any().filter(|pid| !known.contains(pid)) {
        if raw::reap(pid, false).is_err() {
            return;
        }
    }
}
