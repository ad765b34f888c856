//! The steps that run now, each on its own thread.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::thread::JoinHandle;
use std::time::Instant;

use log::{info, warn};
use smol::channel::Sender;

use super::LoopEvent;
use super::record::Record;
use crate::calls::{BuilderName, Command, CommandId, StepEvent, StepId, ToStep, Update};
use crate::journal::{EndReason, Ending, StepNumber};
use crate::steps::{self, Context, StepHandle};

/// Bytes of stack for a step's thread. Reading, splitting and sending need a few; the compressors
/// keep their tables on the heap.
const STACK: usize = 512 * 1024;

/// The end of a step for which the system had no thread.
const NOT_STARTED: Ending = Ending {
    code: None,
    seconds: 0.0,
    reason: EndReason::Failed,
};

/// A command that a master wants run.
#[derive(Debug)]
pub struct Assignment {
    /// Our number for it.
    pub step: StepId,
    /// Where.
    pub builder: BuilderName,
    /// The master's id of it.
    pub id: CommandId,
    /// The command's name, for the log.
    pub name: String,
    /// What to do.
    pub command: Command,
}

/// A running step, as the loop sees it.
struct RunningStep {
    handle: StepHandle,
    builder: BuilderName,
    id: CommandId,
    name: String,
    began: Instant,
    exit_code: Option<i32>,
    /// Why it was ended before its time, if it said so.
    reason: Option<EndReason>,
    /// Its number in the journal, if there is one.
    number: Option<StepNumber>,
    /// Nothing of it reaches a master any more.
    silenced: bool,
}

/// All running steps, also those that are being ended because their master is lost.
pub struct RunningSteps {
    steps: BTreeMap<StepId, RunningStep>,
    events: Sender<LoopEvent>,
    record: Record,
    /// The last command of a builder that the next one there has to wait for.
    quick: BTreeMap<BuilderName, JoinHandle<()>>,
}

/// Whether the Python worker runs this command to its end before it looks at the next call. A master
/// may send several at once in one builder and rely on their order; the rest run side by side.
fn is_quick(command: &Command) -> bool {
    match command {
        Command::MakeDirectories(_)
        | Command::Stat(_)
        | Command::Glob(_)
        | Command::ListDirectory(_)
        | Command::RemoveFile(_) => true,
        Command::Shell(_)
        | Command::UploadFile(_)
        | Command::UploadDirectory(_)
        | Command::DownloadFile(_)
        | Command::RemoveDirectories(_)
        | Command::CopyDirectory(_) => false,
    }
}

impl RunningSteps {
    /// None yet; what they say will arrive in `events`.
    pub fn new(events: Sender<LoopEvent>) -> RunningSteps {
        RunningSteps {
            steps: BTreeMap::new(),
            events,
            record: Record::default(),
            quick: BTreeMap::new(),
        }
    }

    /// Writes down from now on what begins and ends.
    pub fn recorded_in(&mut self, record: Record) {
        self.record = record;
    }

    /// Starts a command on a thread of its own.
    ///
    /// # Errors
    /// The system has no thread or descriptor left.
    pub fn start(
        &mut self,
        assignment: Assignment,
        context: Context,
        now: Instant,
    ) -> io::Result<()> {
        let (handle, mut inbox) = steps::mailbox()?;
        let number = self.record.step_started(&assignment, &context.builder_dir);
        if let Some(number) = number {
            let record = self.record.clone();
            inbox.on_program(Box::new(move |pid| record.program_started(number, pid)));
        }
        let Assignment {
            step,
            builder,
            id,
            name,
            command,
        } = assignment;
        let events = self.events.clone();
        // Unbounded, but a step posts no more than its window before it is acknowledged. The loop
        // is gone only when the process ends.
        let post = move |event| drop(events.try_send(LoopEvent::Step(step, event)));
        // An ended thread keeps its stack until its handle is gone.
        self.quick.retain(|_, thread| !thread.is_finished());
        let before = self.quick.remove(&builder);
        let is_quick = is_quick(&command);
        let work = move || {
            if let Some(before) = before {
                // How it ended is its own affair.
                let _ = before.join();
            }
            steps::run(command, context, inbox, Box::new(post));
        };
        let thread = std::thread::Builder::new()
            .name(format!("step {}", step.0))
            .stack_size(STACK)
            .spawn(work)
            .inspect_err(|_| self.record_end(number, NOT_STARTED))?;
        if is_quick {
            self.quick.insert(builder.clone(), thread);
        }
        let running = RunningStep {
            handle,
            builder,
            id,
            name,
            began: now,
            exit_code: None,
            reason: None,
            number,
            silenced: false,
        };
        self.steps.insert(step, running);
        Ok(())
    }

    /// Takes note of what a step says. Returns it if the master is to hear it.
    pub fn note(&mut self, step: StepId, event: StepEvent, now: Instant) -> Option<StepEvent> {
        let running = self.steps.get_mut(&step)?;
        match &event {
            StepEvent::Updates { updates, .. } => {
                for update in updates {
                    if let Update::ExitCode(code) = update {
                        running.exit_code = Some(*code);
                    }
                    if let Update::FailureReason(reason) = update {
                        running.reason = Some((*reason).into());
                    }
                }
            }
            StepEvent::Transfer { .. } => {}
            StepEvent::Complete(_) => {
                let ended = self.steps.remove(&step)?;
                ended.log_end(&event, now);
                self.record_end(ended.number, ended.ending(&event, now));
                return (!ended.silenced).then_some(event);
            }
        }
        (!running.silenced).then_some(event)
    }

    fn record_end(&self, number: Option<StepNumber>, ending: Ending) {
        if let Some(number) = number {
            self.record.step_ended(number, ending);
        }
    }

    /// Tells a step something; a step that has just ended does not need it any more.
    pub fn tell(&self, step: StepId, message: ToStep) {
        if let Some(running) = self.steps.get(&step) {
            running.handle.send(message);
        }
    }

    /// The running command with this id of the master's: of a builder, or of any if none is given.
    pub fn find(&self, builder: Option<&BuilderName>, id: &CommandId) -> Option<StepId> {
        self.steps
            .iter()
            .filter(|(_, running)| !running.silenced && running.id == *id)
            .find(|(_, running)| builder.is_none_or(|builder| running.builder == *builder))
            .map(|(step, _)| *step)
    }

    /// The running commands of a builder. They may be several: a master asks for a number of globs at
    /// once, and waits for all.
    pub fn of(&self, builder: &BuilderName) -> Vec<StepId> {
        self.heard(builder).map(|(step, _)| *step).collect()
    }

    fn heard<'a>(
        &'a self,
        builder: &'a BuilderName,
    ) -> impl Iterator<Item = (&'a StepId, &'a RunningStep)> {
        self.steps
            .iter()
            .filter(move |(_, running)| running.builder == *builder && !running.silenced)
    }

    /// Ends a step at once, processes included, and lets no master hear of it.
    pub fn abandon(&mut self, step: StepId) {
        if let Some(running) = self.steps.get_mut(&step) {
            if !running.silenced {
                running.silenced = true;
                running.handle.send(ToStep::Abandon);
            }
        }
    }

    /// [`abandon`](Self::abandon) for all.
    pub fn abandon_all(&mut self) {
        let all: Vec<StepId> = self.steps.keys().copied().collect();
        for step in all {
            self.abandon(step);
        }
    }

    /// Whether none runs, not even an abandoned one.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Waits no longer for steps that should long have ended, with one line about each.
    pub fn give_up(&mut self) {
        for running in std::mem::take(&mut self.steps).into_values() {
            warn!(
                "(command {}): {} in builder {} has not ended yet; going on without it",
                running.id, running.name, running.builder
            );
        }
    }
}

impl fmt::Debug for RunningSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.steps.keys()).finish()
    }
}

impl RunningStep {
    fn seconds(&self, now: Instant) -> f64 {
        now.saturating_duration_since(self.began).as_secs_f64()
    }

    fn ending(&self, event: &StepEvent, now: Instant) -> Ending {
        let reason = match event {
            _ if self.silenced => EndReason::Abandoned,
            StepEvent::Complete(Err(_)) => EndReason::Failed,
            StepEvent::Complete(Ok(()))
            | StepEvent::Updates { .. }
            | StepEvent::Transfer { .. } => self.reason.unwrap_or(EndReason::Finished),
        };
        Ending {
            code: self.exit_code,
            seconds: self.seconds(now),
            reason,
        }
    }

    fn log_end(&self, event: &StepEvent, now: Instant) {
        let seconds = self.seconds(now);
        let RunningStep {
            id, name, builder, ..
        } = self;
        if self.silenced {
            info!(
                "(command {id}): {name} in builder {builder} ended, unheard, after {seconds:.1} s"
            );
            return;
        }
        match (event, self.exit_code) {
            (StepEvent::Complete(Err(failure)), _) => {
                warn!(
                    "(command {id}): {name} in builder {builder} failed after {seconds:.1} s: {}",
                    failure.message
                );
            }
            (_, Some(code)) => {
                info!(
                    "(command {id}): {name} in builder {builder} ended with rc {code} after {seconds:.1} s"
                );
            }
            (_, None) => {
                info!(
                    "(command {id}): {name} in builder {builder} ended without rc after {seconds:.1} s"
                );
            }
        }
    }
}
