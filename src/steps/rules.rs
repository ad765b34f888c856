//! How a master wants the output of steps (PROTOCOL 5.3).

use std::time::Duration;

use super::lines::LineEnds;
use crate::calls::WorkerSettings;

/// A batch of so many bytes is posted at once. The Python worker's buffer has the same size
/// (PROTOCOL 6.2.10).
const BATCH_SIZE: usize = 64 * 1024;

/// Largest batch, whatever the master says: half of what a step may have under way.
const LARGEST_BATCH: usize = 128 * 1024;

/// Shortest time between two batches that are not full. What comes after a longer silence, the
/// first output in particular, does not wait.
const BATCH_INTERVAL: Duration = Duration::from_millis(200);

/// Most characters of a line, its newline not counted; a longer one goes in pieces of this size.
/// PROTOCOL 6.2.9: max_line_length is 4096 with the newline.
const LONGEST_LINE: usize = 4095;

/// Longest line, whatever the master says: a step keeps the unfinished line of each stream in memory.
const LONGEST_LINE_LIMIT: usize = 1024 * 1024;

/// What a master wants of the output of steps. The default is for masters that have no say in it (PB).
#[derive(Debug, Clone)]
pub struct OutputRules {
    /// Whether the master wants the time at which each line began.
    pub line_times: bool,
    /// Cost at which a batch is posted.
    pub(super) batch_size: usize,
    /// Shortest time between two batches that are not full, which is also the longest that output
    /// waits.
    pub(super) batch_interval: Duration,
    /// Most characters of a line, its newline not counted.
    pub(super) longest_line: usize,
    /// What ends a line.
    pub(super) line_ends: LineEnds,
}

impl Default for OutputRules {
    fn default() -> OutputRules {
        OutputRules {
            line_times: false,
            batch_size: BATCH_SIZE,
            batch_interval: BATCH_INTERVAL,
            longest_line: LONGEST_LINE,
            line_ends: LineEnds::Usual,
        }
    }
}

impl OutputRules {
    /// What these settings of a master mean; lines have times (PROTOCOL 5.4). Output never waits longer
    /// than the master allows, and usually not so long.
    ///
    /// # Errors
    /// One line: the newline expression cannot be used, or lines would have no characters.
    pub fn wanted(settings: &WorkerSettings) -> Result<OutputRules, String> {
        if settings.max_line_length < 2 {
            return Err("max_line_length leaves no room for a character".to_owned());
        }
        let longest_wait = settings.buffer_timeout.value().clamp(0.0, 60.0);
        Ok(OutputRules {
            line_times: true,
            batch_size: settings.buffer_size.clamp(1, LARGEST_BATCH),
            batch_interval: BATCH_INTERVAL.min(Duration::from_secs_f64(longest_wait)),
            longest_line: settings.max_line_length.min(LONGEST_LINE_LIMIT) - 1,
            line_ends: LineEnds::parse(&settings.newline_re)?,
        })
    }
}
