//! The steps that run now, each on its own thread.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::time::Instant;

use log::{info, warn};
use smol::channel::Sender;

use super::LoopEvent;
use crate::calls::{BuilderName, Command, CommandId, StepEvent, StepId, ToStep, Update};
use crate::steps::{self, Context, StepHandle};

/// Bytes of stack for a step's thread. Reading, splitting and sending need a few; the compressors
/// keep their tables on the heap.
const STACK: usize = 512 * 1024;

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
    /// Nothing of it reaches a master any more.
    silenced: bool,
}

/// All running steps, also those that are being ended because their master is lost.
pub struct RunningSteps {
    steps: BTreeMap<StepId, RunningStep>,
    events: Sender<LoopEvent>,
}

impl RunningSteps {
    /// None yet; what they say will arrive in `events`.
    pub fn new(events: Sender<LoopEvent>) -> RunningSteps {
        RunningSteps {
            steps: BTreeMap::new(),
            events,
        }
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
        let Assignment {
            step,
            builder,
            id,
            name,
            command,
        } = assignment;
        let (handle, inbox) = steps::mailbox()?;
        let events = self.events.clone();
        // Unbounded, but a step posts no more than its window before it is acknowledged. The loop
        // is gone only when the process ends.
        let post = move |event| drop(events.try_send(LoopEvent::Step(step, event)));
        std::thread::Builder::new()
            .name(format!("step {}", step.0))
            .stack_size(STACK)
            .spawn(move || steps::run(command, context, inbox, Box::new(post)))?;
        let running = RunningStep {
            handle,
            builder,
            id,
            name,
            began: now,
            exit_code: None,
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
                }
            }
            StepEvent::Transfer { .. } => {}
            StepEvent::Complete(_) => {
                let ended = self.steps.remove(&step)?;
                ended.log_end(&event, now);
                return (!ended.silenced).then_some(event);
            }
        }
        (!running.silenced).then_some(event)
    }

    /// Tells a step something; a step that has just ended does not need it any more.
    pub fn tell(&self, step: StepId, message: ToStep) {
        if let Some(running) = self.steps.get(&step) {
            running.handle.send(message);
        }
    }

    /// The master's id of a step.
    pub fn id(&self, step: StepId) -> Option<&CommandId> {
        self.steps.get(&step).map(|running| &running.id)
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
    fn log_end(&self, event: &StepEvent, now: Instant) {
        let seconds = now.saturating_duration_since(self.began).as_secs_f64();
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
