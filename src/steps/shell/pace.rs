//! Lets a program that prints much in small pieces fill its pipe a little before we read again, so
//! that not every one of its lines costs us a wake-up. Time comes in as an argument.

use std::time::{Duration, Instant};

/// How long we rest. At 64 KiB a pipe, a program loses nothing below 60 MB a second.
const REST: Duration = Duration::from_millis(1);
/// Reads that follow each other so closely are one stream of output.
const DENSE: Duration = Duration::from_millis(3);
/// So many of them come before the first rest: a few lines are read at once.
const WARM_UP: u32 = 16;

/// When to read again.
#[derive(Debug, Default)]
pub(super) struct Pace {
    dense_reads: u32,
    last_read: Option<Instant>,
    rest_until: Option<Instant>,
}

impl Pace {
    /// Something was read; `emptied` if it was all there was.
    pub(super) fn read(&mut self, emptied: bool, now: Instant) {
        let dense = |last: Instant| now.saturating_duration_since(last) <= DENSE;
        self.dense_reads = if self.last_read.is_some_and(dense) {
            self.dense_reads.saturating_add(1)
        } else {
            0
        };
        self.last_read = Some(now);
        let rests = emptied && self.dense_reads >= WARM_UP;
        self.rest_until = rests.then(|| now + REST);
    }

    /// When to read again, if not now.
    pub(super) fn rest(&self, now: Instant) -> Option<Instant> {
        self.rest_until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn only_a_dense_stream_of_small_reads_makes_us_rest() {
        let mut now = Instant::now();
        let mut pace = Pace::default();
        for _ in 0..=WARM_UP {
            assert_eq!(pace.rest(now), None);
            now += MILLISECOND;
            pace.read(true, now);
        }
        assert_eq!(pace.rest(now), Some(now + REST));
        assert_eq!(pace.rest(now + REST), None);
        pace.read(false, now);
        assert_eq!(pace.rest(now), None, "there is more to read");
        now += 5 * MILLISECOND;
        pace.read(true, now);
        assert_eq!(pace.rest(now), None, "a pause is the end of the stream");
    }
}
