//! The transfer calls of a step and the master's replies to them, several under way at a time.

use std::collections::VecDeque;

use crate::calls::{StepEvent, ToStep, Transfer, TransferReply, TransferTag};

/// Bytes of blocks under way that the master has not yet confirmed. On a link of 60 ms this allows
/// 17 MB a second; it is also what a transfer costs in memory.
const WINDOW: usize = 1 << 20;

/// Most blocks under way, however small.
const MOST_UNDER_WAY: usize = 64;

/// Blocks under way even if they are larger than the window.
const LEAST_UNDER_WAY: usize = 2;

/// Why a transfer ends before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Halt {
    /// The master wants the step stopped.
    Interrupted,
    /// The master's end failed; its words.
    Refused(String),
    /// Nobody listens any more: leave at once.
    Abandoned,
}

