//! Serves the master's calls.

use std::path::PathBuf;
use std::time::Instant;

use log::{debug, info, warn};

use super::{Conversation, End, LAST_WORDS};
use crate::basedir;
use crate::calls::{
    Answer, BuilderName, CommandId, Fact, Failure, FailureKind, MasterCall, ReplyTo, StepId,
    ToStep, WorkerSettings,
};
use crate::steps::{Context, OutputRules, TextEncoding};
use crate::worker::phase::{self, Phase};
use crate::worker::running::Assignment;

/// What a master says before each build (PROTOCOL 4.10, 5.5).
const BEFORE_BUILD: &str = "ping";

/// The builder of commands that a master runs for itself (PROTOCOL 5.5).
const NO_BUILDER: &str = "(none)";

impl Conversation<'_> {
    /// Does what the master asks, or has a step begin to do it.
    pub(super) fn serve(&mut self, call: MasterCall, now: Instant) {
        phase::enter(Phase::serving(&call));
        match call {
            MasterCall::Print { reply, message } => self.print(reply, &message, now),
            MasterCall::GetWorkerInfo { reply } => {
                let facts = basedir::facts(&self.workplace.settings);
                self.session.answer(reply, Answer::Facts(facts));
            }
            MasterCall::GetCommands { reply } => {
                self.session.answer(reply, Answer::Facts(self.commands()));
            }
            MasterCall::GetVersion { reply } => {
                self.session
                    .answer(reply, Answer::Text(env!("CARGO_PKG_VERSION").to_owned()));
            }
            MasterCall::SetBuilderList { reply, builders } => self.set_builders(reply, &builders),
            MasterCall::SetWorkerSettings { reply, settings } => {
                self.set_output(reply, &settings);
            }
            // The master waits for the answer before it sends a command. When the connection ends
            // without one, it tries the build again elsewhere or later.
            MasterCall::StartBuild { builder, .. } if self.drain.holds_build(now) => {
                info!("not beginning a build in builder {builder}: shutting down");
            }
            MasterCall::StartBuild { reply, builder } => {
                debug!("a build begins in builder {builder}");
                self.session.answer(reply, Answer::Nothing);
            }
            MasterCall::StartCommand {
                reply,
                step,
                builder,
                id,
                name,
                command,
            } => {
                if builder.is_some() {
                    self.drain.begins(step);
                }
                let assignment = Assignment {
                    step,
                    builder: builder.unwrap_or_else(|| BuilderName(NO_BUILDER.to_owned())),
                    id,
                    name,
                    command: *command,
                };
                self.start(reply, assignment, now);
            }
            MasterCall::InterruptCommand {
                reply,
                builder,
                id,
                reason,
            } => {
                self.interrupt(reply, builder.as_ref(), &id, reason);
            }
            MasterCall::Shutdown { reply } => {
                info!("worker shutting down on command from master");
                self.session.answer(reply, Answer::Nothing);
                self.leave_at = Some((now + LAST_WORDS, End::Shutdown));
            }
        }
    }

    fn print(&mut self, reply: ReplyTo, message: &str, now: Instant) {
        info!("message from master: {message}");
        if message == BEFORE_BUILD && self.drain.holds_build(now) {
            info!("a build was about to begin; it is left to another worker");
            return;
        }
        self.session.answer(reply, Answer::Nothing);
    }

    /// What we can do, as masters asked before there was the worker's info (PROTOCOL 4.4).
    fn commands(&self) -> Vec<(String, Fact)> {
        let facts = basedir::facts(&self.workplace.settings).into_iter();
        let mut maps = facts.filter_map(|(name, fact)| match fact {
            Fact::Map(commands) if name == "worker_commands" => Some(commands),
            _ => None,
        });
        let commands = maps.next().unwrap_or_default().into_iter();
        commands
            .map(|(name, version)| (name, Fact::Text(version)))
            .collect()
    }

    fn set_builders(&mut self, reply: ReplyTo, builders: &[(BuilderName, String)]) {
        for gone in self.workplace.builders.set(builders) {
            for step in self.workplace.steps.of(&gone) {
                // The master does not wait for it any more.
                self.workplace.steps.abandon(step);
                self.session.forget(step);
            }
        }
        let names = builders.iter().map(|(name, _)| name.clone()).collect();
        self.session.answer(reply, Answer::Builders(names));
        let shown: Vec<&str> = builders.iter().map(|(name, _)| name.0.as_str()).collect();
        info!("attached with builders: {}", shown.join(", "));
        self.attached();
    }

    /// From now on the master may give us work.
    pub(super) fn attached(&mut self) {
        self.has_builders = true;
        if self.logged_in {
            self.give_up = None;
        }
    }

    fn set_output(&mut self, reply: ReplyTo, settings: &WorkerSettings) {
        let answer = match OutputRules::wanted(settings) {
            Ok(rules) => {
                self.output = rules;
                Answer::Nothing
            }
            Err(message) => {
                warn!("cannot do as the master's worker settings say: {message}");
                let kind = FailureKind::BadArgument;
                Answer::Failure(Failure { kind, message })
            }
        };
        self.session.answer(reply, answer);
    }

    fn start(&mut self, reply: ReplyTo, assignment: Assignment, now: Instant) {
        let Assignment {
            step,
            builder,
            id,
            name,
            ..
        } = &assignment;
        let step = *step;
        info!("(command {id}): startCommand:{name}");
        self.session.answer(reply, Answer::Nothing);
        let Some(builder_dir) = self.builder_directory(builder) else {
            let message = format!("builder {builder} is not in the list the master gave us");
            return self.fail(step, FailureKind::UnknownObject, message);
        };
        let context = Context {
            base_dir: self.workplace.settings.basedir.clone(),
            builder_dir,
            environment: self.workplace.environment.clone(),
            output: self.output.clone(),
            encoding: self.encoding(),
        };
        if let Err(error) = self.workplace.steps.start(assignment, context, now) {
            let message = format!("cannot start a thread for the command: {error}");
            self.fail(step, FailureKind::System, message);
        }
    }

    /// Where relative paths of a command begin.
    fn builder_directory(&self, builder: &BuilderName) -> Option<PathBuf> {
        if self.session.has_builder_directories() {
            self.workplace.builders.directory(builder)
        } else {
            Some(self.workplace.settings.basedir.clone())
        }
    }

    fn encoding(&self) -> TextEncoding {
        let name = self.workplace.settings.encoding.as_deref();
        // An unknown one keeps the worker from starting.
        name.and_then(TextEncoding::named).unwrap_or_default()
    }

    fn fail(&mut self, step: StepId, kind: FailureKind, message: String) {
        warn!("{message}");
        self.session.complete(step, Err(Failure { kind, message }));
    }

    fn interrupt(
        &mut self,
        reply: ReplyTo,
        builder: Option<&BuilderName>,
        id: &CommandId,
        reason: String,
    ) {
        info!("(command {id}): asked to interrupt: reason {reason}");
        match self.workplace.steps.find(builder, id) {
            Some(step) => self
                .workplace
                .steps
                .tell(step, ToStep::Interrupt { reason }),
            None => info!("(command {id}): .. but none was running"),
        }
        self.session.answer(reply, Answer::Nothing);
    }
}
