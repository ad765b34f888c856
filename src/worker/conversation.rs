//! One connection to a master, from the first byte to the end: serves its calls and carries what
//! the steps say. Bytes, events and time come in as arguments, so it runs in tests without a
//! network and on any clock.

mod serve;

use std::ffi::OsString;
use std::time::{Duration, Instant};

use log::{debug, info, warn};

use super::builders::Builders;
use super::drain::Drain;
use super::running::RunningSteps;
use crate::basedir::Settings;
use crate::calls::{StepEvent, StepId, ToStep};
use crate::session::keepalive::{Keepalive, Liveness};
use crate::session::{Event, Session};
use crate::steps::OutputRules;

/// Longest time from the connection to the end of the login. A master that asks an older connection
/// of the same name for a sign of life takes up to 10 s over it (PROTOCOL 4.10).
const LOGIN_LIMIT: Duration = Duration::from_secs(120);

/// Longest time from the login to the list of builders. A master whose attachment failed lets the
/// login succeed all the same and never gives us work (PROTOCOL 3.6).
const ATTACH_LIMIT: Duration = Duration::from_secs(60);

/// Time for our answer to reach the master that told us to shut down (PROTOCOL 4.2).
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How a conversation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The connection, or our trust in it, is gone.
    Lost(String),
    /// The master would not have us.
    Refused(String),
    /// The master told the worker to shut down.
    Shutdown,
    /// The worker wanted to go, and its builds are over.
    Drained,
}

/// What outlives a connection.
#[derive(Debug)]
pub struct Workplace {
    /// What steps inherit.
    pub environment: Vec<(OsString, OsString)>,
    /// The builders and their directories.
    pub builders: Builders,
    /// The running steps.
    pub steps: RunningSteps,
    /// What the worker reports about itself is read anew for each connection (PROTOCOL 4.3).
    pub settings: Settings,
}

/// A conversation with a master.
#[derive(Debug)]
pub struct Conversation<'a> {
    workplace: &'a mut Workplace,
    session: Session,
    liveness: Keepalive,
    /// How the master wants the output of steps.
    output: OutputRules,
    /// The graceful end where the master has no part in it.
    drain: Drain,
    /// When we give up waiting for the login or for the builders; none once attached.
    give_up: Option<Instant>,
    logged_in: bool,
    has_builders: bool,
    /// Set once the end is certain.
    leave_at: Option<(Instant, End)>,
}

impl<'a> Conversation<'a> {
    /// Begins with a connection that has just been made.
    pub fn new(
        workplace: &'a mut Workplace,
        session: impl Into<Session>,
        liveness: Keepalive,
        now: Instant,
    ) -> Conversation<'a> {
        Conversation {
            workplace,
            session: session.into(),
            liveness,
            output: OutputRules::default(),
            drain: Drain::new(now),
            give_up: Some(now + LOGIN_LIMIT),
            logged_in: false,
            has_builders: false,
            leave_at: None,
        }
    }

    /// Whether the master has accepted us and given us its list of builders.
    pub fn is_attached(&self) -> bool {
        self.logged_in && self.has_builders
    }

    /// Bytes for the master; what was written is to be taken out by the caller.
    pub fn outgoing(&mut self) -> &mut Vec<u8> {
        self.session.outgoing()
    }

    /// The number for the first step of the next connection.
    pub fn next_step(&self) -> StepId {
        self.session.next_step()
    }

    /// Takes bytes from the master.
    ///
    /// # Errors
    /// The conversation is over.
    pub fn received(&mut self, bytes: &[u8], now: Instant) -> Result<(), End> {
        self.liveness.heard(now);
        let outcome = self.session.receive(bytes);
        while let Some(event) = self.session.next_event() {
            self.handle(event, now)?;
        }
        outcome.map_err(|error| End::Lost(error.to_string()))
    }

    /// Bytes that had to wait have left for the master: somebody takes them.
    pub fn sent_more(&mut self, now: Instant) {
        self.liveness.heard(now);
    }

    /// Takes what a step says.
    pub fn step_says(&mut self, step: StepId, event: StepEvent, now: Instant) {
        let event = self.workplace.steps.note(step, event, now);
        if let Some(StepEvent::Complete(_)) = &event {
            self.drain.ends(step, now);
        }
        match event {
            Some(StepEvent::Updates { updates, cost }) => self.session.update(step, &updates, cost),
            Some(StepEvent::Transfer { tag, transfer }) => {
                self.session.transfer(step, tag, transfer);
            }
            Some(StepEvent::Complete(result)) => self.session.complete(step, result),
            None => {}
        }
    }

    /// When [`tick`](Self::tick) has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        let liveness = if self.logged_in {
            self.liveness.next()
        } else {
            None
        };
        let leave_at = self.leave_at.as_ref().map(|(at, _)| *at);
        [self.give_up, leave_at, self.drained_at(), liveness]
            .into_iter()
            .flatten()
            .min()
    }

    /// When we go, if we want to and do not do so already.
    fn drained_at(&self) -> Option<Instant> {
        let idle = self.workplace.steps.is_empty() && self.leave_at.is_none();
        self.drain.over_at(idle)
    }

    /// Why the conversation ends: that the master closes the connection first is no reason to come back
    /// once the end is certain.
    pub fn real_end(&mut self, end: End) -> End {
        self.leave_at.take().map_or(end, |(_, certain)| certain)
    }

    /// Says goodbye, where that is more than closing the connection.
    pub fn say_goodbye(&mut self) {
        self.session.say_goodbye();
    }

    /// Does what is due. Harmless when called early.
    ///
    /// # Errors
    /// The conversation is over.
    pub fn tick(&mut self, now: Instant) -> Result<(), End> {
        if let Some((_, end)) = self.leave_at.take_if(|(at, _)| *at <= now) {
            return Err(end);
        }
        if self.drained_at().is_some_and(|at| at <= now) {
            info!("no build runs here any more, shutting down.");
            self.session.say_goodbye();
            self.leave_at = Some((now + LAST_WORDS, End::Drained));
        }
        if self.give_up.is_some_and(|at| at <= now) {
            return Err(End::Lost(if self.logged_in {
                format!(
                    "logged in, but the master has not attached us within {} s",
                    ATTACH_LIMIT.as_secs()
                )
            } else {
                format!("the login took longer than {} s", LOGIN_LIMIT.as_secs())
            }));
        }
        // The login has a limit of its own.
        if !self.logged_in {
            return Ok(());
        }
        self.keep_alive(self.liveness.check(now), now)
    }

    /// Makes sure that the master is still there: the machine was suspended, or its clock was set.
    ///
    /// # Errors
    /// The conversation is over.
    pub fn probe(&mut self, now: Instant) -> Result<(), End> {
        if !self.logged_in {
            return Ok(());
        }
        self.keep_alive(self.liveness.probe(now), now)
    }

    fn keep_alive(&mut self, liveness: Liveness, now: Instant) -> Result<(), End> {
        match liveness {
            Liveness::Fine => Ok(()),
            Liveness::SendKeepalive => {
                if self.session.keepalive() {
                    info!("{}", self.session.sign_of_life().sent);
                }
                self.liveness.sent(now);
                Ok(())
            }
            Liveness::Dead => Err(End::Lost(
                "the master has been silent and did not reply to our keepalive".to_owned(),
            )),
        }
    }

    /// Asks the master to let us go once the running builds are over (PROTOCOL 4.10). Where it cannot be
    /// asked, we see to that ourselves.
    pub fn ask_for_shutdown(&mut self) {
        if self.session.ask_for_shutdown() {
            info!("Telling the master we want to shutdown after any running builds are finished");
        } else {
            self.go_when_idle();
        }
    }

    fn go_when_idle(&mut self) {
        info!("shutting down when no build runs here any more; no new one is begun");
        self.drain.begin();
    }

    fn handle(&mut self, event: Event, now: Instant) -> Result<(), End> {
        match event {
            Event::Call(call) => self.serve(call, now),
            Event::Refused { what } => warn!("refused what the master asked: {what}"),
            Event::LoggedIn => self.logged_in(now),
            Event::Attached => {
                // PROTOCOL 5.5: nobody tells us which.
                info!("attached with builders: those that the master does not name beforehand");
                self.attached();
            }
            Event::LoginRefused {
                unauthorized,
                message,
            } => {
                return Err(End::Refused(refusal(unauthorized, &message)));
            }
            Event::Acknowledged { step, cost } => {
                self.workplace
                    .steps
                    .tell(step, ToStep::Acknowledged { cost });
            }
            Event::Replied { step, tag, reply } => {
                self.workplace
                    .steps
                    .tell(step, ToStep::Reply { tag, reply });
            }
            Event::Completed { step } => debug!("the master has taken the end of step {}", step.0),
            Event::RemoteFailure { what, message } => {
                warn!("the master failed at our {what}: {message}");
            }
            Event::KeepaliveAnswered => info!("{}", self.session.sign_of_life().answered),
            Event::ShutdownAsked { answer: Ok(()) } => {
                debug!("the master has taken our wish to shut down");
            }
            Event::ShutdownAsked {
                answer: Err(message),
            } => {
                warn!("the master refused our wish to shut down: {message}");
                self.go_when_idle();
            }
        }
        Ok(())
    }

    fn logged_in(&mut self, now: Instant) {
        info!("Connected to buildmaster; worker is ready");
        self.logged_in = true;
        if let Some(interval) = self.liveness.interval() {
            let plan = self.session.sign_of_life().plan;
            info!("{plan} every {} seconds", interval.as_secs_f64());
        }
        self.give_up = (!self.has_builders).then_some(now + ATTACH_LIMIT);
    }
}

fn refusal(unauthorized: bool, message: &str) -> String {
    if unauthorized && message.starts_with("HTTP") {
        return format!("unauthorized login ({message}); check worker name and password");
    }
    if unauthorized {
        return "unauthorized login; check worker name and password".to_owned();
    }
    if message.contains("rejecting duplicate worker") {
        return format!(
            "{message}: another live connection uses this name (a second process, or the \
             master still holds our old connection)"
        );
    }
    format!("the master refused the login: {message}")
}
