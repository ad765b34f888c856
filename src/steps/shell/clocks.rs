//! How long a program may be silent, how long it may run, and how long its output may stay open
//! after it has ended. Time comes in as an argument.

use std::time::{Duration, Instant};

use crate::calls::{FailureReason, Seconds};
use crate::steps::mailbox::earlier;

/// Silence after which output that something keeps open after the end of the program is closed.
const LINGER_SILENCE: Duration = Duration::from_secs(5);
/// Longest time that output stays open after the end of the program.
const LINGER_LIMIT: Duration = Duration::from_secs(60);

/// Both clocks of a program, running.
#[derive(Debug)]
pub(super) struct Clocks {
    silence: Option<Duration>,
    silent_until: Option<Instant>,
    runs_until: Option<Instant>,
    /// Since when we do not read what the program writes, so that its silence is our own doing.
    held_since: Option<Instant>,
}

impl Clocks {
    /// Both start now.
    pub(super) fn new(timeout: Option<Seconds>, max_time: Option<Seconds>, now: Instant) -> Clocks {
        let silence = timeout.and_then(duration);
        Clocks {
            silence,
            silent_until: silence.and_then(|limit| now.checked_add(limit)),
            runs_until: max_time
                .and_then(duration)
                .and_then(|limit| now.checked_add(limit)),
            held_since: None,
        }
    }

    /// The program has said something.
    pub(super) fn heard(&mut self, now: Instant) {
        if self.silent_until.is_some() {
            self.silent_until = self.silence.and_then(|limit| now.checked_add(limit));
        }
    }

    /// Says whether we are holding the program back.
    pub(super) fn hold(&mut self, held: bool, now: Instant) {
        match (held, self.held_since) {
            (true, None) => self.held_since = Some(now),
            (false, Some(since)) => {
                self.held_since = None;
                let pause = now.saturating_duration_since(since);
                self.silent_until = self.silent_until.and_then(|until| until.checked_add(pause));
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// The program has ended: from now on the clocks limit how long its output stays open.
    pub(super) fn linger(&mut self, now: Instant) {
        self.silence = Some(LINGER_SILENCE);
        self.silent_until = Some(now + LINGER_SILENCE);
        self.runs_until = earlier(self.runs_until, Some(now + LINGER_LIMIT));
        self.held_since = self.held_since.map(|_| now);
    }

    /// Both stop for good.
    pub(super) fn stop(&mut self) {
        self.silent_until = None;
        self.runs_until = None;
    }

    /// The limit that is passed, if any.
    pub(super) fn passed(&self, now: Instant) -> Option<FailureReason> {
        if self.silence_end().is_some_and(|until| until <= now) {
            Some(FailureReason::Silence)
        } else if self.runs_until.is_some_and(|until| until <= now) {
            Some(FailureReason::TotalTime)
        } else {
            None
        }
    }

    /// When a limit will be passed.
    pub(super) fn deadline(&self) -> Option<Instant> {
        earlier(self.silence_end(), self.runs_until)
    }

    fn silence_end(&self) -> Option<Instant> {
        self.silent_until.filter(|_| self.held_since.is_none())
    }
}

/// A limit as the master gave it; none if it is longer than any clock. A negative one has passed.
pub(super) fn duration(seconds: Seconds) -> Option<Duration> {
    let seconds = seconds.value();
    if seconds < 0.0 {
        return Some(Duration::ZERO);
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn clocks(timeout: i64, max_time: i64, now: Instant) -> Clocks {
        let limit = |seconds: i64| (seconds > 0).then_some(Seconds::Int(seconds));
        Clocks::new(limit(timeout), limit(max_time), now)
    }

    #[test]
    fn silence_is_counted_from_the_last_word_and_run_time_from_the_start() {
        let start = Instant::now();
        let mut clocks = clocks(3, 5, start);
        clocks.heard(start + 2 * SECOND);
        assert_eq!(clocks.passed(start + 4 * SECOND), None);
        assert_eq!(clocks.deadline(), Some(start + 5 * SECOND));
        assert_eq!(
            clocks.passed(start + 5 * SECOND),
            Some(FailureReason::Silence)
        );
        clocks.heard(start + 4 * SECOND);
        assert_eq!(
            clocks.passed(start + 5 * SECOND),
            Some(FailureReason::TotalTime)
        );
    }

    #[test]
    fn silence_does_not_count_while_we_do_not_read() {
        let start = Instant::now();
        let mut clocks = clocks(3, 0, start);
        clocks.hold(true, start + SECOND);
        assert_eq!(clocks.deadline(), None);
        assert_eq!(clocks.passed(start + 100 * SECOND), None);
        clocks.hold(false, start + 100 * SECOND);
        assert_eq!(clocks.passed(start + 101 * SECOND), None);
        assert_eq!(clocks.deadline(), Some(start + 102 * SECOND));
    }

    #[test]
    fn run_time_counts_even_while_we_do_not_read() {
        let start = Instant::now();
        let mut clocks = clocks(0, 5, start);
        clocks.hold(true, start);
        assert_eq!(
            clocks.passed(start + 5 * SECOND),
            Some(FailureReason::TotalTime)
        );
    }

    #[test]
    fn output_stays_open_for_five_seconds_of_silence_and_sixty_in_all() {
        let start = Instant::now();
        let mut clocks = clocks(0, 0, start);
        assert_eq!(clocks.deadline(), None);
        clocks.linger(start);
        assert_eq!(clocks.deadline(), Some(start + 5 * SECOND));
        clocks.heard(start + 58 * SECOND);
        assert_eq!(clocks.deadline(), Some(start + 60 * SECOND));
    }

    #[test]
    fn no_number_of_seconds_is_too_odd() {
        for (seconds, limit) in [
            (Seconds::Float(-1.5), Some(Duration::ZERO)),
            (Seconds::Int(i64::MIN), Some(Duration::ZERO)),
            (Seconds::Float(0.25), Some(Duration::from_millis(250))),
            (Seconds::Float(f64::INFINITY), None),
            (Seconds::Float(f64::NAN), None),
        ] {
            assert_eq!(duration(seconds), limit);
        }
        let now = Instant::now();
        assert_eq!(clocks(i64::MAX, i64::MAX, now).passed(now), None);
    }
}
