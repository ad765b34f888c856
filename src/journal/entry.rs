//! What is written down.
//!
//! The names of these types are not in the file, but their order is: new variants are added at the
//! end and new fields at the end of [`Event`]'s variants only, so that files of other versions stay
//! readable. A variant that is not known yet is skipped.

use serde::{Deserialize, Serialize};

use crate::calls::FailureReason;

/// Longest text in an entry, in bytes. What is longer is cut.
const LONGEST_TEXT: usize = 1000;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub moment: Moment,
    /// Whether this repeats what an older file says, because it still mattered when that file was
    /// full.
    pub carried: bool,
    /// What.
    pub event: Event,
}

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since 1970, by the clock on the wall.
    pub wall: u64,
    /// The same in the units in which the system tells when a process was started, if it does.
    pub process_clock: Option<u64>,
}

/// A number for a step, never used twice in a base directory's journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepNumber(pub u64);

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Event {
    WorkerStarted(Run),
    /// The connection to the master was made.
    Connected {
        master: String,
    },
    StepStarted(Step),
    /// A step's program runs.
    ProgramStarted {
        step: StepNumber,
        process: Process,
    },
    StepEnded {
        step: StepNumber,
        ending: Ending,
    },
    ConnectionLost {
        reason: String,
    },
    /// In order; without this a run ended in a crash.
    WorkerStopped,
}

/// One run of the worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its process.
    pub pid: u32,
    /// Names the time since the system was started, if the system has a name for it.
    pub boot: Option<String>,
    /// The worker's version.
    pub version: String,
    /// The first number for its steps.
    pub first_step: StepNumber,
}

/// A command that a master had us run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Our number for it.
    pub number: StepNumber,
    /// Where.
    pub builder: String,
    /// The master's id of it.
    pub id: String,
    /// The command's name.
    pub name: String,
    /// The builder's directory, absolute.
    pub directory: String,
    /// The command line as people may see it, without secrets; empty if there is none.
    pub line: String,
}

/// Which process runs for a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number, and that of its process group.
    pub pid: u32,
    /// When it was started, in units of the system's own, if the system tells.
    pub start: Option<u64>,
    /// Its session, if the system tells.
    pub session: Option<u32>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// The exit code, if there was one.
    pub code: Option<i32>,
    /// How long it took.
    pub seconds: f64,
    /// Why.
    pub reason: EndReason,
}

/// Why a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndReason {
    /// By itself, or because the master interrupted it.
    Finished,
    /// It was silent for too long.
    Silence,
    /// It took too long.
    TotalTime,
    /// It printed too much.
    MaxLines,
    /// The command failed before or beside its program.
    Failed,
    /// The connection was lost, or the master did not want it any more.
    Abandoned,
    /// The worker was killed while it ran.
    WorkerDied,
}

impl From<FailureReason> for EndReason {
    fn from(reason: FailureReason) -> EndReason {
        match reason {
            FailureReason::Silence => EndReason::Silence,
            FailureReason::TotalTime => EndReason::TotalTime,
            FailureReason::MaxLines => EndReason::MaxLines,
        }
    }
}

impl Event {
    /// The same with every text at most 1000 bytes long, so that an entry has a largest size
    /// whatever a master sends.
    pub(super) fn clipped(mut self) -> Event {
        match &mut self {
            Event::WorkerStarted(run) => {
                clip(&mut run.version);
                if let Some(boot) = &mut run.boot {
                    clip(boot);
                }
            }
            Event::Connected { master } => clip(master),
            Event::StepStarted(step) => {
                clip(&mut step.builder);
                clip(&mut step.id);
                clip(&mut step.name);
                clip(&mut step.directory);
                clip(&mut step.line);
            }
            Event::ConnectionLost { reason } => clip(reason),
            Event::ProgramStarted { .. } | Event::StepEnded { .. } | Event::WorkerStopped => {}
        }
        self
    }
}

fn clip(text: &mut String) {
    let mut end = LONGEST_TEXT.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        let mut text = "é".repeat(1000);
        text.insert(0, 'x');
        clip(&mut text);
        assert_eq!(text.len(), 999);
        let mut short = "short".to_owned();
        clip(&mut short);
        assert_eq!(short, "short");
    }
}
