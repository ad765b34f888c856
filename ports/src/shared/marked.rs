//! A mark in the environment of all that a step starts, for systems that hand orphans to nobody but
//! process 1: NetBSD, OpenBSD, macOS, the Hurd. Children have it from their parents, whatever group
//! or session they make, so whoever has it belongs to the step, and is killed with it.
//!
//! Found again is who keeps his environment. Not found is who starts with a fresh one (`env -i`),
//! who writes over the place where the system looks for it (some programs do, to show a title in
//! `ps`), who runs as another user, and who forks and ends faster than we look.
//!
//! The system's file has a module `environments`: `for_each_process`, `holds`, `name_of`, and the
//! room that they need. The monitor calls the first two between fork and its end.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::environments;
use crate::unix::{Pid, kill, own_id};
use crate::{Containment, Leftover};

/// The mark of one step.
#[derive(Debug, Clone)]
pub(crate) struct Mark(Vec<u8>);

/// A mark that nobody has had yet. It is the name that differs, so that a worker that is itself part
/// of a step adds its mark to the one of that step.
pub(crate) fn new_mark() -> Option<Mark> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_nanos() as u64);
    let text = format!("CORACLE_STEP_{:x}_{now:x}_{count:x}=1", own_id());
    Some(Mark(text.into_bytes()))
}

impl Mark {
    /// The entry of the environment, `NAME=value`.
    pub(crate) fn entry(&self) -> &[u8] {
        &self.0
    }

    /// Gets the memory that a search takes. The system gives what is not touched only in name.
    pub(crate) fn search(&self) -> Search {
        Search {
            mark: self.clone(),
            list: vec![0; environments::LIST_ROOM],
            text: vec![0; environments::TEXT_ROOM],
        }
    }
}

/// What looking for the marked takes.
#[derive(Debug)]
pub(crate) struct Search {
    mark: Mark,
    /// For the list of processes.
    list: Vec<u64>,
    /// For an environment.
    text: Vec<u8>,
}

/// Rounds of killing in which an ordinary step is gone.
const PATIENT_ROUNDS: u32 = 5;
/// More leftovers than a person reads. All are killed; only so many are named.
const NAMED_AT_MOST: usize = 100;

impl Search {
    /// Calls `visit` with everybody that has the mark. Async-signal-safe if that is.
    ///
    /// Between looking and what `visit` does, a process may end and its number go to a stranger, in
    /// theory: the system gives all other numbers first, or picks one of many.
    fn for_each_holder(&mut self, mut visit: impl FnMut(Pid)) {
        let (own, mark) = (own_id(), self.mark.entry());
        let text = &mut self.text;
        environments::for_each_process(&mut self.list, |pid| {
            if pid > 1 && pid != own && environments::holds(pid, mark, text) == Some(true) {
                visit(pid);
            }
        });
    }

    /// Kills everybody that has the mark, for the `round`th time; how many they were.
    /// Async-signal-safe. What multiplies faster than it is killed is stopped before: a process that
    /// has stopped makes no others, and still counts for the limit of processes that the rest meets.
    pub(crate) fn kill(&mut self, round: u32) -> usize {
        if round >= PATIENT_ROUNDS {
            for _ in 0..2 {
                self.for_each_holder(|pid| drop(kill(pid, libc::SIGSTOP)));
            }
        }
        let mut killed = 0;
        self.for_each_holder(|pid| killed += usize::from(kill(pid, libc::SIGKILL).is_ok()));
        killed
    }

    /// Who has the mark, other than `main`, as far as can be found out until then.
    pub(crate) fn holders(&mut self, main: Pid, until: Instant) -> Vec<Leftover> {
        let mut found = Vec::new();
        self.for_each_holder(|pid| {
            if pid != main && found.len() < NAMED_AT_MOST && Instant::now() < until {
                found.push(Leftover {
                    pid: pid.unsigned_abs(),
                    name: environments::name_of(pid).unwrap_or_default(),
                });
            }
        });
        found
    }
}

pub(crate) fn containment() -> Containment {
    let mut text = vec![0; environments::TEXT_ROOM];
    let mut list = vec![0; environments::LIST_ROOM];
    // Whether processes are listed here and environments can be read at all: our own must be.
    let (own, mut listed) = (own_id(), false);
    environments::for_each_process(&mut list, |pid| listed |= pid == own);
    match environments::holds(own, b"=", &mut text) {
        Some(_) if listed => Containment::Environment,
        Some(_) | None => Containment::ProcessGroup,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::time::Duration;

    #[test]
    fn whoever_has_the_mark_is_found_and_killed_and_nobody_else() {
        if crate::system::containment() != Containment::Environment {
            return;
        }
        let (mark, other) = (new_mark().unwrap(), new_mark().unwrap());
        let text = String::from_utf8(mark.entry().to_vec()).unwrap();
        let (name, value) = text.split_once('=').unwrap();
        let mut child = Command::new("sleep")
            .arg("600")
            .env(name, value)
            .spawn()
            .unwrap();
        let pid = Pid::try_from(child.id()).unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        let (mut search, mut stranger) = (mark.search(), other.search());
        // It may still be on its way to become the program, which nobody can look into.
        let mut found = search.holders(0, until);
        while found.is_empty() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
            found = search.holders(0, until);
        }
        let others = [search.holders(pid, until), stranger.holders(0, until)].concat();
        let killed = (stranger.kill(0), search.kill(0));
        child.kill().unwrap();
        child.wait().unwrap();
        let name = "sleep".to_owned();
        let pid = pid.unsigned_abs();
        assert_eq!(found, [Leftover { pid, name }]);
        assert_eq!((others, killed), (Vec::new(), (0, 1)));
    }
}
