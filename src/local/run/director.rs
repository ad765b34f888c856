//! Goes through the steps of a plan.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::judge::judge;
use super::progress::Progress;
use super::step::Running;
use super::{Job, NAME, Observer, Report, RunEvent, StepEnd, has_any};
use crate::calls::{Fact, Update};
use crate::local::master::Director;
use crate::local::recipe::{Action, Outcome, Plan, Step};
use crate::local::serve::{CommandNumber, ServeEvent, Serving};

const TICK: Duration = Duration::from_millis(500);

/// A run under way.
pub(super) struct Run {
    job: Job,
    observer: Box<dyn Observer>,
    progress: Progress,
    done: Vec<StepEnd>,
    outcome: Outcome,
    /// A step has ended so that only those are run that always are.
    halted: bool,
    running: Option<Running>,
    facts: Vec<(String, Fact)>,
    trouble: Option<String>,
    over: bool,
    next_tick: Option<Instant>,
}

impl Run {
    /// Makes the directory of the results.
    ///
    /// # Errors
    /// The path and the system's error.
    pub fn new(job: Job, observer: Box<dyn Observer>) -> Result<Run, (PathBuf, io::Error)> {
        let results = job.results.clone();
        let fail = |error| (results.clone(), error);
        std::fs::create_dir_all(&job.results).map_err(fail)?;
        let progress = Progress::begin(&job.results, &job.earlier).map_err(fail)?;
        Ok(Run {
            job,
            observer,
            progress,
            done: Vec::new(),
            outcome: Outcome::Success,
            halted: false,
            running: None,
            facts: Vec::new(),
            trouble: None,
            over: false,
            next_tick: None,
        })
    }

    /// What has become of it.
    pub fn report(self) -> Report {
        Report {
            outcome: self.outcome,
            steps: self.done,
            facts: self.facts,
            trouble: self.trouble,
            stopped: None,
        }
    }

    fn plan(&self) -> &Plan {
        &self.job.plan
    }

    /// The step that runs or comes next.
    fn step(&self) -> Option<Step> {
        self.plan().steps.get(self.done.len()).cloned()
    }

    /// Starts the next step that is to be run; the run is over if there is none.
    fn advance(&mut self, serving: &mut Serving, now: Instant) {
        while self.running.is_none() && !self.over {
            let Some(step) = self.step() else {
                self.finish();
                return;
            };
            if let Some(end) = self.job.earlier.iter().find(|end| end.name == step.name) {
                let end = end.clone();
                self.add(&step, end, false);
            } else if let Some(note) = self.reason_to_skip(&step) {
                let end = without_run(&step, Outcome::Skipped, note);
                self.add(&step, end, true);
            } else if let Err(why) = self.start(serving, &step, now) {
                let end = without_run(&step, Outcome::Exception, why);
                self.add(&step, end, false);
            }
        }
    }

    fn finish(&mut self) {
        self.over = true;
        if let Err(error) = self.progress.end() {
            self.trouble = Some(format!("cannot write down that it is done: {error}"));
        }
    }

    fn reason_to_skip(&self, step: &Step) -> Option<String> {
        if self.halted && !step.rules.always_run {
            return Some("not run, for an earlier step has failed".to_owned());
        }
        let environment = &self.job.environment;
        let lacking = step.needs.iter().find(|name| !has_any(environment, name));
        if let Some(program) = lacking {
            return Some(format!("there is no {}", program.replace('|', ", ")));
        }
        let failed = step.after.iter().find(|name| {
            let end = self.done.iter().find(|end| end.name == **name);
            !end.is_some_and(|end| matches!(end.outcome, Outcome::Success | Outcome::Warnings))
        });
        failed.map(|name| format!("needs the step {name}"))
    }

    fn start(&mut self, serving: &mut Serving, step: &Step, now: Instant) -> Result<(), String> {
        let (number, total) = (self.done.len() + 1, self.plan().steps.len());
        let event = RunEvent::Started {
            number,
            total,
            step,
        };
        self.observer.observe(&event);
        let request = step.action.request();
        let command = serving
            .start_command(NAME, request.name, request.arguments, request.peer)
            .map_err(|error| error.to_string())?;
        let same_as = self.bytes_of(&step.action);
        let results = self.job.results.clone();
        let running = Running::begin(command, step, &results, number, same_as.as_deref(), now);
        match running {
            Ok(running) => self.running = Some(running),
            Err(error) => {
                // Nothing is known of what it does; it must not go on.
                let _ = serving.interrupt(NAME, command, "the master cannot write the log");
                return Err(format!("cannot write into {}: {error}", results.display()));
            }
        }
        Ok(())
    }

    /// What an upload must be equal to.
    fn bytes_of(&self, action: &Action) -> Option<Vec<u8>> {
        let Action::Upload { same_as, .. } = action else {
            return None;
        };
        let name = same_as.as_ref()?;
        let step = self.plan().steps.iter().find(|step| step.name == *name)?;
        match &step.action {
            Action::Download { content, .. } => Some(content.bytes()),
            _ => None,
        }
    }

    /// A step has ended, or is left out.
    fn add(&mut self, step: &Step, end: StepEnd, remember: bool) {
        self.outcome = step.rules.add(self.outcome, end.outcome);
        self.halted |= step.rules.halts(end.outcome);
        if remember && let_it_be_remembered(&end) {
            if let Err(error) = self.progress.add(&end) {
                self.trouble = Some(format!("cannot write down what is done: {error}"));
            }
        }
        self.done.push(end);
        let (number, total) = (self.done.len(), self.plan().steps.len());
        if let Some(end) = self.done.last() {
            let event = RunEvent::Ended { number, total, end };
            self.observer.observe(&event);
        }
    }

    fn updates(&mut self, serving: &mut Serving, command: CommandNumber, updates: Vec<Update>) {
        let (Some(step), Some(running)) = (self.step(), self.running.as_mut()) else {
            return;
        };
        if running.command != command {
            return;
        }
        let observer = &mut self.observer;
        for update in updates {
            let taken = running.update(&step, update, &mut |line| {
                observer.observe(&RunEvent::Line(line));
            });
            if let (Err(error), None) = (taken, &running.evidence.trouble) {
                let path = running.log_path.display();
                running.evidence.trouble = Some(format!("cannot write {path}: {error}"));
                let _ = serving.interrupt(NAME, command, "the master cannot write the log");
            }
        }
    }

    /// The step that runs is over.
    fn ended(&mut self, failure: Option<String>, now: Instant) {
        let (Some(step), Some(mut running)) = (self.step(), self.running.take()) else {
            return;
        };
        if let Err(error) = running.finish(&step) {
            let path = running.log_path.display();
            let trouble = format!("cannot write {path}: {error}");
            running.evidence.trouble.get_or_insert(trouble);
        }
        running.evidence.failure = failure;
        let (outcome, note) = judge(&step, &running.evidence);
        let end = StepEnd {
            name: step.name.clone(),
            outcome,
            code: running.evidence.code,
            seconds: now.duration_since(running.started).as_secs_f64(),
            note,
            log: Some(running.log_path),
            earlier: false,
        };
        self.add(&step, end, true);
    }
}

/// What the world did to a step says nothing about the step: it is run again.
fn let_it_be_remembered(end: &StepEnd) -> bool {
    match end.outcome {
        Outcome::Success | Outcome::Skipped | Outcome::Warnings | Outcome::Failure => true,
        Outcome::Exception | Outcome::Cancelled => false,
    }
}

fn without_run(step: &Step, outcome: Outcome, note: String) -> StepEnd {
    StepEnd {
        name: step.name.clone(),
        outcome,
        code: None,
        seconds: 0.0,
        note,
        log: None,
        earlier: false,
    }
}

impl Director for Run {
    fn happened(&mut self, serving: &mut Serving, event: ServeEvent, now: Instant) {
        match event {
            ServeEvent::Attached { facts } => {
                self.observer.observe(&RunEvent::Attached(&facts));
                self.facts = facts;
                self.next_tick = Some(now + TICK);
                if let Err(error) = serving.start_build(NAME) {
                    self.trouble = Some(error.to_string());
                    self.over = true;
                }
                self.advance(serving, now);
            }
            ServeEvent::LoginRefused { name } => {
                let what = format!("'{name:.64}' tried to log in");
                self.observer.observe(&RunEvent::Odd(&what));
            }
            ServeEvent::NotAttached { why } => {
                self.trouble = Some(format!("the worker could not be attached: {why}"));
            }
            ServeEvent::Updates { command, updates } => self.updates(serving, command, updates),
            ServeEvent::Transfer {
                command,
                reply,
                transfer,
            } => {
                let running = self.running.as_mut();
                let served = match running.filter(|running| running.command == command) {
                    Some(running) => running.transfer(transfer),
                    None => Err("this command is over".to_owned()),
                };
                serving.reply(reply, served);
            }
            ServeEvent::NotStarted { command, failure } => {
                if self
                    .running
                    .as_ref()
                    .is_some_and(|it| it.command == command)
                {
                    self.ended(Some(failure), now);
                    self.advance(serving, now);
                }
            }
            ServeEvent::Completed { command, failure } => {
                if self
                    .running
                    .as_ref()
                    .is_some_and(|it| it.command == command)
                {
                    self.ended(failure, now);
                    self.advance(serving, now);
                }
            }
            ServeEvent::ShutdownWanted => self.over = self.running.is_none(),
            ServeEvent::InterruptTaken { .. }
            | ServeEvent::Keepalive
            | ServeEvent::ShutdownTaken => {}
            ServeEvent::Odd { what } => self.observer.observe(&RunEvent::Odd(&what)),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let interrupt = self.running.as_ref().and_then(|it| it.interrupt_at);
        [interrupt, self.next_tick].into_iter().flatten().min()
    }

    fn time(&mut self, serving: &mut Serving, now: Instant) {
        if self.next_tick.is_some_and(|tick| now >= tick) {
            self.next_tick = Some(now + TICK);
            self.observer.observe(&RunEvent::Tick);
        }
        let Some(running) = &mut self.running else {
            return;
        };
        if running.interrupt_at.is_some_and(|at| now >= at) {
            running.interrupt_at = None;
            let _ = serving.interrupt(NAME, running.command, "the recipe says so");
        }
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn lost(&mut self, why: &str, now: Instant) {
        if self.over {
            return;
        }
        self.over = true;
        self.trouble.get_or_insert_with(|| why.to_owned());
        if let Some(running) = &mut self.running {
            running.evidence.cancelled = true;
            self.ended(None, now);
        }
        self.outcome = self.outcome.max(Outcome::Cancelled);
    }
}
