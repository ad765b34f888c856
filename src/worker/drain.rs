//! A graceful end without the master's help (MessagePack, PROTOCOL 5.4): builds that run are run to
//! their end, and none is begun.
//!
//! A master says "ping" before each build and waits for the answer as long as it takes. When the
//! connection closes instead, it gives the build to another worker. So the answer is kept back, and
//! no build is lost. That a build has ended is said by nobody: there is a time without commands then.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::calls::StepId;

/// How long a build may have nothing for us to do until it counts as over. Between two steps a busy
/// master takes a second or two; a build that waits longer for something else is begun anew elsewhere.
const QUIET: Duration = Duration::from_secs(20);

/// Whether we want to go, and when there is nothing left to do.
#[derive(Debug)]
pub(super) struct Drain {
    wanted: bool,
    /// The commands of builds that run; what a master does for itself is no build.
    running: BTreeSet<StepId>,
    /// When no build is left if nothing more happens.
    over_at: Instant,
}

impl Drain {
    /// Nobody wants to go. A new connection has no builds.
    pub(super) fn new(now: Instant) -> Drain {
        Drain {
            wanted: false,
            running: BTreeSet::new(),
            over_at: now,
        }
    }

    /// From now on, we want to go.
    pub(super) fn begin(&mut self) {
        self.wanted = true;
    }

    /// A build has us run a command.
    pub(super) fn begins(&mut self, step: StepId) {
        self.running.insert(step);
    }

    /// A command is over, perhaps one of a build.
    pub(super) fn ends(&mut self, step: StepId, now: Instant) {
        if self.running.remove(&step) {
            self.over_at = now + QUIET;
        }
    }

    /// Whether a build that is about to begin must not; otherwise it begins.
    pub(super) fn holds_build(&mut self, now: Instant) -> bool {
        if !self.wanted {
            self.over_at = now + QUIET;
        }
        self.wanted
    }

    /// When we may go, if we want to and no command runs.
    pub(super) fn over_at(&self, idle: bool) -> Option<Instant> {
        (self.wanted && idle).then_some(self.over_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_idle_worker_goes_at_once() {
        let now = Instant::now();
        let mut drain = Drain::new(now);
        assert_eq!(drain.over_at(true), None);
        drain.begin();
        assert_eq!(drain.over_at(true), Some(now));
        assert_eq!(drain.over_at(false), None);
    }

    #[test]
    fn a_build_is_over_some_time_after_its_last_command() {
        let now = Instant::now();
        let mut drain = Drain::new(now);
        drain.begins(StepId(1));
        drain.begin();
        drain.ends(StepId(1), now + SECOND);
        assert_eq!(drain.over_at(true), Some(now + SECOND + QUIET));
        // What the master did for itself keeps nobody.
        drain.ends(StepId(2), now + 2 * SECOND);
        assert_eq!(drain.over_at(true), Some(now + SECOND + QUIET));
    }

    #[test]
    fn a_build_is_begun_before_and_held_back_after_the_wish_to_go() {
        let now = Instant::now();
        let mut drain = Drain::new(now);
        assert!(!drain.holds_build(now));
        drain.begin();
        assert_eq!(drain.over_at(true), Some(now + QUIET));
        assert!(drain.holds_build(now + SECOND));
        // It has no part in how long we wait.
        assert_eq!(drain.over_at(true), Some(now + QUIET));
    }
}
