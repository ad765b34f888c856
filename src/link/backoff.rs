//! How long to wait before the next attempt to reach the master.

use std::time::Duration;

/// Grows with each failed attempt, is reset once attached, and carries jitter so that a fleet does
/// not come back in one instant after the master's restart.
#[derive(Debug, Clone)]
pub struct Backoff {
    next: Duration,
    cap: Duration,
    /// The sum of the delays so far.
    waited: Duration,
}

const FIRST: Duration = Duration::from_secs(1);
const FACTOR: f64 = 1.5;

/// However long the delays would grow, one is at most this or [`SHARE`] of what was waited before:
/// a master that was restarted has its workers back soon, and one that is away for hours is not
/// bothered.
const SHORT: Duration = Duration::from_secs(5);
const SHARE: u32 = 10;

impl Backoff {
    /// One second first, never more than `cap` (before jitter).
    pub fn new(cap: Duration) -> Backoff {
        Backoff {
            next: FIRST.min(cap),
            cap,
            waited: Duration::ZERO,
        }
    }

    /// The time to wait now. `jitter` is a random number from 0 to 1; up to a second is added, and
    /// never more than the delay itself.
    pub fn delay(&mut self, jitter: f64) -> Duration {
        let delay = self.next.min(SHORT.max(self.waited / SHARE));
        self.next = self.next.mul_f64(FACTOR).min(self.cap);
        self.waited += delay;
        delay
            + delay
                .min(Duration::from_secs(1))
                .mul_f64(jitter.clamp(0.0, 1.0))
    }

    /// The connection proved good: begin anew.
    pub fn reset(&mut self) {
        self.next = FIRST.min(self.cap);
        self.waited = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_by_half_up_to_the_cap() {
        let mut backoff = Backoff::new(Duration::from_secs(3));
        let delays: Vec<f64> = (0..5).map(|_| backoff.delay(0.0).as_secs_f64()).collect();
        assert_eq!(delays, [1.0, 1.5, 2.25, 3.0, 3.0]);
    }

    #[test]
    fn jitter_adds_at_most_a_second() {
        let mut backoff = Backoff::new(Duration::from_secs(60));
        assert_eq!(backoff.delay(1.0).as_secs_f64(), 2.0);
        for _ in 0..200 {
            backoff.delay(0.0);
        }
        assert_eq!(backoff.delay(1.0).as_secs_f64(), 61.0);
    }

    #[test]
    fn after_a_minute_without_a_master_the_next_attempt_is_near() {
        let mut backoff = Backoff::new(Duration::from_secs(300));
        let mut waited = Duration::ZERO;
        while waited < Duration::from_secs(60) {
            waited += backoff.delay(0.0);
        }
        assert!(backoff.delay(1.0) < Duration::from_secs(8));
    }

    #[test]
    fn a_reset_begins_at_one_second() {
        let mut backoff = Backoff::new(Duration::from_secs(60));
        backoff.delay(0.3);
        backoff.delay(0.3);
        backoff.reset();
        assert_eq!(backoff.delay(0.0).as_secs_f64(), 1.0);
    }

    #[test]
    fn a_cap_below_a_second_holds() {
        let mut backoff = Backoff::new(Duration::from_millis(200));
        assert_eq!(backoff.delay(0.0).as_millis(), 200);
        assert_eq!(backoff.delay(1.0).as_millis(), 400);
    }
}
