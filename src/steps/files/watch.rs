//! Between two pieces of work on a tree: who wants it stopped, and is there progress.

use std::time::{Duration, Instant};

use crate::calls::ToStep;
use crate::steps::mailbox::{Notice, Stop};
use crate::steps::{Inbox, Reporter};

/// Why work ends before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The master wants it so.
    Interrupted,
    /// No progress for the longest time allowed.
    Silence,
    /// The time allowed is over.
    TotalTime,
    /// Nobody listens any more: leave at once.
    Abandoned,
}

impl From<Stop> for Stopped {
    fn from(stop: Stop) -> Stopped {
        match stop {
            Stop::Interrupt => Stopped::Interrupted,
            Stop::Abandon => Stopped::Abandoned,
        }
    }
}

/// How long work may take.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    /// Without progress. The Python worker's helper has to print for that; ours has to do something.
    pub(super) silence: Option<Duration>,
    /// In all.
    pub(super) total: Option<Duration>,
}

/// Asked again and again by whoever works.
pub(super) struct Watch<'a> {
    reporter: &'a mut Reporter,
    inbox: &'a mut Inbox,
    /// None if it would be beyond what the clock can tell.
    silence_ends: Option<Instant>,
    ends: Option<Instant>,
    limits: Limits,
}

impl<'a> Watch<'a> {
    /// The clocks start now.
    pub(super) fn new(
        reporter: &'a mut Reporter,
        inbox: &'a mut Inbox,
        limits: Limits,
    ) -> Watch<'a> {
        let now = Instant::now();
        Watch {
            reporter,
            inbox,
            silence_ends: limits.silence.and_then(|limit| now.checked_add(limit)),
            ends: limits.total.and_then(|limit| now.checked_add(limit)),
            limits,
        }
    }

    /// Notes that something was done. Cheap enough for every file.
    pub(super) fn progress(&mut self) -> Result<(), Stopped> {
        let now = Instant::now();
        self.silence_ends = self.limits.silence.and_then(|limit| now.checked_add(limit));
        self.look_at(now)
    }

    /// Whether to go on, without anything having been done.
    pub(super) fn look(&mut self) -> Result<(), Stopped> {
        self.look_at(Instant::now())
    }

    fn look_at(&mut self, now: Instant) -> Result<(), Stopped> {
        while let Some(notice) = self.inbox.try_notice(self.reporter) {
            match notice {
                Notice::Stop(stop) => return Err(stop.into()),
                Notice::Reply { .. } => {
                    log::warn!("a transfer reply came to a command without any")
                }
            }
        }
        self.reporter.post_due(now);
        if self.ends.is_some_and(|end| end <= now) {
            return Err(Stopped::TotalTime);
        }
        if self.silence_ends.is_some_and(|end| end <= now) {
            return Err(Stopped::Silence);
        }
        Ok(())
    }

    /// Output of the work, in whole lines.
    pub(super) fn output(&mut self, text: &str) -> Result<(), Stopped> {
        self.reporter.stdout(text);
        self.wait_for_room()
    }

    /// Error output, in whole lines.
    pub(super) fn complain(&mut self, text: &str) -> Result<(), Stopped> {
        self.reporter.stderr(text);
        self.wait_for_room()
    }

    /// Waits until the master has taken enough of what was said. That is no lack of progress.
    fn wait_for_room(&mut self) -> Result<(), Stopped> {
        while !self.reporter.has_room() {
            match self.inbox.wait_next(self.ends) {
                Some(ToStep::Acknowledged { cost }) => self.reporter.acknowledged(cost),
                Some(ToStep::Interrupt { .. }) => return Err(Stopped::Interrupted),
                Some(ToStep::Abandon) => return Err(Stopped::Abandoned),
                Some(ToStep::Reply { .. }) => {}
                None => return Err(Stopped::TotalTime),
            }
        }
        self.progress()
    }
}
