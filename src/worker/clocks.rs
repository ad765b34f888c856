//! Notices that the machine was suspended or its clock was set, by two clocks that should agree.

use std::time::{Duration, Instant, SystemTime};

/// A difference that no ordinary adjustment of a clock makes between two looks.
const LEAST: Duration = Duration::from_secs(5);

/// What two clocks showed when they were looked at last: one that only goes on while the machine
/// runs (where the system has such a clock: Linux, macOS, BSDs), and the one on the wall.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    steady: Instant,
    wall: SystemTime,
}

/// The clock on the wall went this much further than the steady one, or was set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jump {
    /// Forward; also a suspend.
    Ahead(Duration),
    /// Back.
    Back(Duration),
}

impl Clocks {
    /// The first look.
    pub fn new(steady: Instant, wall: SystemTime) -> Clocks {
        Clocks { steady, wall }
    }

    /// The next look: the jump since the one before, if there was one.
    pub fn look(&mut self, steady: Instant, wall: SystemTime) -> Option<Jump> {
        let before = std::mem::replace(self, Clocks { steady, wall });
        let ran = steady.saturating_duration_since(before.steady);
        let jump = match wall.duration_since(before.wall) {
            Ok(shown) if shown >= ran => Jump::Ahead(shown - ran),
            Ok(shown) => Jump::Back(ran - shown),
            Err(back) => Jump::Back(ran.saturating_add(back.duration())),
        };
        let (Jump::Ahead(by) | Jump::Back(by)) = jump;
        (by > LEAST).then_some(jump)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn clocks() -> (Clocks, Instant, SystemTime) {
        let (steady, wall) = (Instant::now(), SystemTime::now());
        (Clocks::new(steady, wall), steady, wall)
    }

    #[test]
    fn clocks_that_agree_have_not_jumped_however_long_it_was() {
        let (mut clocks, steady, wall) = clocks();
        let day = 86_400 * SECOND;
        assert_eq!(clocks.look(steady + day, wall + day), None);
        assert_eq!(clocks.look(steady + day, wall + day), None);
    }

    #[test]
    fn suspend_is_time_that_only_the_wall_has_seen() {
        let (mut clocks, steady, wall) = clocks();
        let jump = clocks.look(steady + SECOND, wall + 3601 * SECOND);
        assert_eq!(jump, Some(Jump::Ahead(3600 * SECOND)));
        let jump = clocks.look(steady + 2 * SECOND, wall + 3602 * SECOND);
        assert_eq!(jump, None, "told twice");
    }

    #[test]
    fn clock_that_is_set_back_has_jumped_too() {
        let (mut clocks, steady, wall) = clocks();
        let jump = clocks.look(steady + SECOND, wall - 9 * SECOND);
        assert_eq!(jump, Some(Jump::Back(10 * SECOND)));
        let jump = clocks.look(steady + 60 * SECOND, wall + SECOND);
        assert_eq!(jump, Some(Jump::Back(49 * SECOND)));
    }

    #[test]
    fn small_corrections_are_none_and_do_not_add_up() {
        let (mut clocks, mut steady, mut wall) = clocks();
        for _ in 0..100 {
            steady += 10 * SECOND;
            wall += 14 * SECOND;
            assert_eq!(clocks.look(steady, wall), None);
        }
    }

    #[test]
    fn board_without_a_clock_that_learns_the_year_has_jumped() {
        let (mut clocks, steady, _) = clocks();
        clocks.look(steady, SystemTime::UNIX_EPOCH);
        let jump = clocks.look(steady, SystemTime::UNIX_EPOCH + 1_700_000_000 * SECOND);
        assert_eq!(jump, Some(Jump::Ahead(1_700_000_000 * SECOND)));
    }
}
