//! The graceful end without the master's help, when it refuses to let us go or has no word for it:
//! what runs is finished, no new build begins, and once nothing has run for a while the worker goes.

use std::time::{Duration, Instant};

/// How long nothing must have run. A build's next command comes within moments of the last one's end,
/// unless the master has work of its own in between.
pub const QUIET: Duration = Duration::from_secs(10);

/// Waits for the end of what runs. Time comes in as an argument.
#[derive(Debug, Default)]
pub struct Quiet {
    asked: bool,
    /// Since when nothing has run.
    since: Option<Instant>,
}

impl Quiet {
    /// From now on the end is waited for.
    pub fn ask(&mut self) {
        self.asked = true;
    }

    /// Whether it is waited for.
    pub fn is_asked(&self) -> bool {
        self.asked
    }

    /// Whether it is time to go, to be asked whenever something has happened.
    pub fn is_over(&mut self, anything_runs: bool, now: Instant) -> bool {
        if !self.asked || anything_runs {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert(now);
        now.duration_since(since) >= QUIET
    }

    /// When to ask again; none: when something has happened.
    pub fn next(&self) -> Option<Instant> {
        self.since.map(|since| since + QUIET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_when_nothing_has_run_for_a_while_after_somebody_asked() {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let mut quiet = Quiet::default();
        assert!(!quiet.is_over(false, later(100)));
        quiet.ask();
        assert!(!quiet.is_over(true, later(100)));
        assert_eq!(quiet.next(), None);
        assert!(!quiet.is_over(false, later(101)));
        assert_eq!(quiet.next(), Some(later(111)));
        // Another command of the build.
        assert!(!quiet.is_over(true, later(105)));
        assert!(!quiet.is_over(false, later(200)));
        assert!(!quiet.is_over(false, later(209)));
        assert!(quiet.is_over(false, later(210)));
    }
}
