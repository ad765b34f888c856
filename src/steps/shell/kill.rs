//! Ends a program before its time (PROTOCOL 6.2.7).

use std::time::{Duration, Instant};

use ports::Signal;

use super::clocks::duration;
use super::output::Stream;
use super::running::Running;
use crate::calls::FailureReason;
use crate::steps::header::argv_repr;

/// How long a program may take to end after the last signal.
const BACKUP_TIME: Duration = Duration::from_secs(5);

/// Why a program is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// It has been silent for too long.
    Silence,
    /// It has run for too long.
    TotalTime,
    /// It has said too much: so many lines.
    MaxLines(i64),
    /// The master wants it.
    Interrupt,
}

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Killing {
    /// It has been asked with SIGTERM, and has time until then; none for ever.
    Asked {
        until: Option<Instant>,
        cause: Cause,
    },
    /// It has got the last signal, and has time until then; nothing is tried any more if that is the last.
    Forced { until: Instant, last: bool },
}

impl Killing {
    /// When something is to be done.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Killing::Asked { until, .. } => *until,
            Killing::Forced { until, .. } => Some(*until),
        }
    }
}

impl Running<'_> {
    /// The master wants an end. If it says so once more, or while the program is being ended
    /// anyway, there is no more time to obey.
    pub(super) fn interrupt(&mut self, now: Instant) {
        if self.process.is_none() {
            self.hurried = true;
            return;
        }
        match self.killing {
            None => self.kill(Cause::Interrupt, now),
            Some(Killing::Asked { cause, .. }) => self.force(cause, now),
            Some(Killing::Forced { .. }) => {}
        }
    }

    /// Begins to end the program, unless that has begun.
    pub(super) fn kill(&mut self, cause: Cause, now: Instant) {
        if self.killing.is_some() {
            return;
        }
        if self.exit.is_none() {
            self.clocks.stop();
        }
        if let Some(reason) = failure_reason(cause) {
            self.reporter.failure_reason(reason);
        }
        let message = self.message(cause);
        self.reporter
            .header(&format!("\n{message}, attempting to kill\n"));
        if matches!(cause, Cause::MaxLines(_)) && !self.shell.use_pty {
            self.output.close(Stream::Stdout);
        }
        match self.shell.sigterm_time {
            None => self.force(cause, now),
            Some(time) => {
                self.signal(Signal::TERM);
                let until = duration(time).and_then(|time| now.checked_add(time));
                self.killing = Some(Killing::Asked { until, cause });
            }
        }
    }

    /// Goes on with the end when it is time; true if nothing more can be done.
    pub(super) fn escalate(&mut self, now: Instant) -> bool {
        let passed = |killing: &Killing| killing.deadline().is_some_and(|until| until <= now);
        match self.killing.filter(passed) {
            None => false,
            Some(Killing::Asked { cause, .. }) => {
                self.force(cause, now);
                false
            }
            Some(Killing::Forced { .. }) if self.process.is_none() || self.exit.is_some() => false,
            Some(Killing::Forced { last: true, .. }) => true,
            Some(Killing::Forced { last: false, .. }) => {
                // Some systems let nobody end before what he has written to a terminal was read.
                if self.shell.use_pty && !self.reporter.has_room() {
                    self.let_go_of_terminal(now);
                }
                self.give_time(true, now);
                false
            }
        }
    }

    /// Gives the first or the last half of the time.
    fn give_time(&mut self, last: bool, now: Instant) {
        let until = now + BACKUP_TIME / 2;
        self.killing = Some(Killing::Forced { until, last });
    }

    /// Sends the last signal. Output is read on until the program is gone, except when there was
    /// too much of it.
    fn force(&mut self, cause: Cause, now: Instant) {
        let name = &self.shell.interrupt_signal;
        let signal = Signal::named(name).unwrap_or_else(|| {
            log::warn!("this system has no signal {name}; the program gets SIGKILL");
            Signal::KILL
        });
        self.signal(signal);
        if matches!(cause, Cause::MaxLines(_)) {
            self.output.close_all();
        }
        self.give_time(false, now);
    }

    fn signal(&mut self, signal: Signal) {
        let Some(process) = &mut self.process else {
            return;
        };
        if let Err(error) = process.signal(signal) {
            // Most often it has just ended. If not, the deadline comes.
            log::debug!(
                "signal {} did not reach the program: {error}",
                signal.number()
            );
        }
    }

    fn message(&self, cause: Cause) -> String {
        let command = || argv_repr(&self.shell.command, self.encoding);
        let limit = |limit: Option<_>| limit.map_or_else(String::new, |limit| format!("{limit}"));
        match cause {
            Cause::Silence => {
                let seconds = limit(self.shell.timeout);
                let command = command();
                format!("command timed out: {seconds} seconds without output running {command}")
            }
            Cause::TotalTime => {
                let seconds = limit(self.shell.max_time);
                format!(
                    "command timed out: {seconds} seconds elapsed running {}",
                    command()
                )
            }
            Cause::MaxLines(lines) => {
                let most = self.shell.max_lines.unwrap_or_default();
                let command = command();
                format!(
                    "command exceeds max lines: {lines}/{most} written/allowed running {command}"
                )
            }
            Cause::Interrupt => "command interrupted".to_owned(),
        }
    }
}

fn failure_reason(cause: Cause) -> Option<FailureReason> {
    match cause {
        Cause::Silence => Some(FailureReason::Silence),
        Cause::TotalTime => Some(FailureReason::TotalTime),
        Cause::MaxLines(_) => Some(FailureReason::MaxLines),
        Cause::Interrupt => None,
    }
}
