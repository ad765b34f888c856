//! Writes the journal while the worker works. A journal that cannot be written is no reason to stop.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use log::warn;

use super::running::Assignment;
use crate::calls::{Command, CommandLine, Word};
use crate::journal::{
    Ending, Event, Journal, JournalError, Moment, Process, Run, Step, StepNumber,
};
use crate::steps::resolve;

/// The journal of this run, shared by the loop and the threads of the steps.
#[derive(Debug, Clone, Default)]
pub struct Record(Option<Arc<Mutex<Kept>>>);

#[derive(Debug)]
struct Kept {
    journal: Journal,
    /// Whether the log has been told that writing fails.
    warned: bool,
}

impl Record {
    /// Writes into this journal.
    pub fn keep(journal: Journal) -> Record {
        Record(Some(Arc::new(Mutex::new(Kept {
            journal,
            warned: false,
        }))))
    }

    /// A new run begins.
    pub fn worker_started(&self) {
        self.with(|kept| {
            let run = Run {
                pid: std::process::id(),
                boot: ports::boot_id(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                first_step: kept.journal.next_step(),
            };
            kept.append(Event::WorkerStarted(run));
            kept.journal.sync_in_background();
        });
    }

    /// The worker ends in order.
    pub fn worker_stopped(&self) {
        self.with(|kept| {
            kept.append(Event::WorkerStopped);
            let synced = kept.journal.sync();
            kept.note(synced);
        });
    }

    /// A master has given us its builders.
    pub fn connected(&self, master: &str) {
        let master = master.to_owned();
        self.with(|kept| kept.append(Event::Connected { master }));
    }

    /// That master is lost.
    pub fn connection_lost(&self, reason: &str) {
        let reason = reason.to_owned();
        self.with(|kept| kept.append(Event::ConnectionLost { reason }));
    }

    /// A step begins; its number in the journal, if there is a journal.
    pub fn step_started(&self, assignment: &Assignment, directory: &Path) -> Option<StepNumber> {
        self.with(|kept| {
            let number = kept.journal.next_step();
            kept.append(Event::StepStarted(Step {
                number,
                builder: assignment.builder.0.clone(),
                id: assignment.id.0.clone(),
                name: assignment.name.clone(),
                directory: directory.to_string_lossy().into_owned(),
                line: shown_line(&assignment.command, directory),
            }));
            number
        })
    }

    /// The program of a step runs.
    pub fn program_started(&self, step: StepNumber, pid: u32) {
        let identity = ports::process_identity(pid);
        let process = Process {
            pid,
            start: identity.map(|identity| identity.start),
            session: identity.map(|identity| identity.session),
        };
        self.with(|kept| kept.append(Event::ProgramStarted { step, process }));
    }

    /// A step is over.
    pub fn step_ended(&self, step: StepNumber, ending: Ending) {
        self.with(|kept| kept.append(Event::StepEnded { step, ending }));
    }

    fn with<T>(&self, write: impl FnOnce(&mut Kept) -> T) -> Option<T> {
        let kept = self.0.as_ref()?;
        Some(write(
            &mut kept.lock().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

impl Kept {
    fn append(&mut self, event: Event) {
        let written = self.journal.append(now(), event);
        self.note(written);
    }

    /// Once is enough: whoever can do something about it knows then.
    fn note(&mut self, written: Result<(), JournalError>) {
        if let (Err(error), false) = (written, self.warned) {
            warn!("{error}; going on, but after a crash not everything will be known");
            self.warned = true;
        }
    }
}

fn now() -> Moment {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH);
    let wall = wall.map_or(0, |wall| u64::try_from(wall.as_millis()).unwrap_or(0));
    Moment {
        wall,
        process_clock: ports::process_clock(),
    }
}

/// What people may see of a command: secrets as what the master shows instead of them. For a download
/// the file: after a crash its directory is looked through for what was left half done.
fn shown_line(command: &Command, directory: &Path) -> String {
    let shown = |word: &Word| word.shown.clone().unwrap_or_else(|| word.real.clone());
    match command {
        Command::Shell(shell) => match &shell.command {
            CommandLine::Text(text) => text.clone(),
            CommandLine::Words(words) => words.iter().map(shown).collect::<Vec<_>>().join(" "),
        },
        Command::DownloadFile(download) => resolve(&download.target, directory)
            .to_string_lossy()
            .into_owned(),
        Command::UploadFile(_)
        | Command::UploadDirectory(_)
        | Command::MakeDirectories(_)
        | Command::RemoveDirectories(_)
        | Command::CopyDirectory(_)
        | Command::Stat(_)
        | Command::Glob(_)
        | Command::ListDirectory(_)
        | Command::RemoveFile(_) => String::new(),
    }
}
