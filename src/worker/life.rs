//! The worker's life: dial, converse, lose the master, end the steps, wait, dial again.

use std::time::{Duration, Instant};

use log::{debug, info, warn};
use smol::Timer;
use smol::channel::Sender;
use smol::future::or;

use super::builders::Builders;
use super::conversation::{Conversation, End, Workplace};
use super::grace::Grace;
use super::hello;
use super::inbox::Inbox;
use super::notify::Notify;
use super::outbox::Outbox;
use super::phase::{self, Phase};
use super::record::Record;
use super::running::RunningSteps;
use super::turn::{Alarm, Happening, log_jump, next, take};
use super::uplink::Uplink;
use super::{LoopEvent, Stopped};
use crate::basedir::Settings;
use crate::calls::StepId;
use crate::link::{Backoff, Connection, Endpoint};
use crate::session::keepalive::Keepalive;
use ports::StopRequest;

/// How long a keepalive may go unanswered: as long as the time between two, within these limits.
/// Whoever asks often wants to know soon; but a busy master is no dead one.
const LEAST_PATIENCE: Duration = Duration::from_secs(5);
const MOST_PATIENCE: Duration = Duration::from_secs(30);

/// How long we wait for the steps of a lost connection to end. They are killed at once; only a
/// process stuck in the kernel takes longer.
const STEPS_END_LIMIT: Duration = Duration::from_secs(15);

/// Longest delay between two attempts, unless the base directory says otherwise.
const DEFAULT_MAX_DELAY: Duration = Duration::from_secs(60);

/// Bytes read at once; a block of a download arrives in a few reads.
const READ_SIZE: usize = 64 * 1024;

/// The worker, from start to stop.
#[derive(Debug)]
pub struct Life {
    address: Endpoint,
    inbox: Inbox,
    record: Record,
    notify: Notify,
    workplace: Workplace,
    grace: Grace,
    backoff: Backoff,
    /// Attempts since we were last attached.
    failed_attempts: u64,
    next_step: StepId,
}

/// How the time on one connection ended.
#[derive(Debug)]
enum Outcome {
    /// Try again; whether it was the login that failed, and why.
    Again { login: bool, reason: String },
    /// The worker ends.
    Stop(Stopped),
}

impl Life {
    /// Not begun yet.
    pub fn new(
        settings: Settings,
        address: Endpoint,
        events: Sender<LoopEvent>,
        inbox: Inbox,
    ) -> Life {
        let builders = Builders::new(settings.basedir.clone(), settings.deletes_leftover_dirs());
        let backoff = Backoff::new(settings.max_delay.unwrap_or(DEFAULT_MAX_DELAY));
        let grace = Grace::new(&settings, Instant::now());
        let workplace = Workplace {
            environment: settings.environment.clone(),
            builders,
            steps: RunningSteps::new(events),
            settings,
        };
        Life {
            address,
            inbox,
            record: Record::default(),
            notify: Notify::default(),
            workplace,
            grace,
            backoff,
            failed_attempts: 0,
            next_step: StepId(1),
        }
    }

    /// Writes down what happens, and keeps the service manager informed.
    pub fn with(mut self, record: Record, notify: Notify) -> Life {
        self.workplace.steps.recorded_in(record.clone());
        (self.record, self.notify) = (record, notify);
        self
    }

    /// Lives until somebody asks for the end.
    pub async fn live(mut self) -> Stopped {
        loop {
            let outcome = match self.dial().await {
                Ok(connection) => self.converse(connection).await,
                Err(outcome) => outcome,
            };
            if let Outcome::Stop(_) = outcome {
                self.notify.stopping();
            }
            let request = self.end_steps().await;
            match (outcome, request) {
                (Outcome::Stop(stopped), _) => return stopped,
                (Outcome::Again { .. }, Some(request)) => return self.stopped_by(request),
                (Outcome::Again { reason, .. }, None) if self.grace.is_asked() => {
                    warn!("{reason}");
                    info!("nothing is left to wait for, shutting down.");
                    return Stopped::Drained;
                }
                (Outcome::Again { login, reason }, None) => {
                    warn!("{reason}");
                    self.notify.ready(&format!("not attached: {reason}"));
                    self.workplace.settings.startup.problem(&reason);
                    if let Some(stopped) = self.wait(login).await {
                        return stopped;
                    }
                }
            }
        }
    }

    async fn dial(&mut self) -> Result<Connection, Outcome> {
        let address = self.address.clone();
        info!("Connecting to {address}");
        self.notify
            .status(&format!("connecting to the master at {address}"));
        phase::enter(Phase::Dialling);
        let dialed = or(async { Ok(Connection::dial(&address).await) }, async {
            Err(self.stop_request().await)
        });
        match dialed.await {
            Ok(Ok(connection)) => {
                info!("connected to the master at {}", connection.description());
                Ok(connection)
            }
            Ok(Err(error)) => Err(Outcome::Again {
                login: false,
                reason: error.to_string(),
            }),
            Err(request) => Err(Outcome::Stop(self.stopped_by(request))),
        }
    }

    /// Talks with a master until one side ends it.
    async fn converse(&mut self, mut connection: Connection) -> Outcome {
        let settings = &self.workplace.settings;
        let now = Instant::now();
        let keepalive = Keepalive::new(settings.keepalive, patience(settings.keepalive), now);
        let session = hello::session(settings, &self.address, self.next_step);
        limit_unacknowledged(&connection, keepalive.interval());
        let startup = settings.startup.clone();
        let place = self.address.master.to_string();
        let mut conversation = Conversation::new(&mut self.workplace, session, keepalive, now);
        let mut outbox = Outbox::default();
        let mut uplink = Uplink::default();
        let mut buffer = vec![0; READ_SIZE];
        let mut alarm = Alarm::new();
        let mut attached = false;
        let outcome = loop {
            let deadline = [conversation.deadline(), self.grace.next_look()]
                .into_iter()
                .flatten()
                .min();
            outbox.refill(conversation.outgoing());
            let happening = next(
                &mut connection,
                &self.inbox,
                &outbox,
                &mut buffer,
                &mut alarm,
                deadline,
            )
            .await;
            let now = Instant::now();
            if self.grace.is_asked_by_file(now) {
                if !conversation.is_attached() {
                    break Outcome::Stop(Stopped::Drained);
                }
                conversation.ask_for_shutdown();
            }
            if let Happening::Event(LoopEvent::Stop(request)) = happening {
                if conversation.is_attached() && self.grace.is_asked_by(request) {
                    conversation.ask_for_shutdown();
                    continue;
                }
                log_stop(request);
                break Outcome::Stop(stopped_by(&self.grace, request));
            }
            if let Happening::Wrote(Ok(count)) = happening {
                uplink.took(count);
            }
            let is_due = conversation.deadline().is_some_and(|at| at <= now);
            if is_due && uplink.is_moving(&outbox, ports::unsent(connection.socket())) {
                conversation.sent_more(now);
            }
            let turn = take(&mut conversation, &mut outbox, &buffer, happening, now);
            if conversation.is_attached() && !attached {
                attached = true;
                self.backoff.reset();
                self.failed_attempts = 0;
                startup.attached();
                self.notify
                    .ready(&format!("attached to the master at {place}"));
                self.record.connected(&place);
            }
            match turn.map_err(|end| conversation.real_end(end)) {
                Ok(()) => {}
                Err(End::Shutdown) => break Outcome::Stop(Stopped::ByMaster),
                Err(End::Drained) => break Outcome::Stop(Stopped::Drained),
                Err(End::Lost(reason)) => {
                    break Outcome::Again {
                        login: !attached,
                        reason,
                    };
                }
                Err(End::Refused(reason)) => {
                    break Outcome::Again {
                        login: true,
                        reason,
                    };
                }
            }
        };
        self.next_step = conversation.next_step();
        conversation.say_goodbye();
        outbox.refill(conversation.outgoing());
        // One try: a master that does not listen is not waited for.
        let _ = smol::future::poll_once(connection.writer.write(outbox.unwritten())).await;
        connection.finish();
        if let (Outcome::Again { reason, .. }, true) = (&outcome, attached) {
            self.record.connection_lost(reason);
        }
        outcome
    }

    /// Ends all steps and waits until they are gone, but not for ever. Some if somebody asked meanwhile
    /// for the end of the worker.
    async fn end_steps(&mut self) -> Option<StopRequest> {
        phase::enter(Phase::EndingSteps);
        self.workplace.steps.abandon_all();
        let mut asked = None;
        let mut limit = Timer::after(STEPS_END_LIMIT);
        while !self.workplace.steps.is_empty() {
            let event = async { self.inbox.recv().await.ok() };
            let too_late = async {
                (&mut limit).await;
                None
            };
            match or(event, too_late).await {
                Some(LoopEvent::Step(step, event)) => {
                    self.workplace.steps.note(step, event, Instant::now());
                }
                Some(LoopEvent::Stop(request)) => {
                    log_stop(request);
                    asked = Some(request);
                }
                Some(LoopEvent::ClockJumped(jump)) => log_jump(jump),
                None => self.workplace.steps.give_up(),
            }
        }
        asked
    }

    /// Waits before the next attempt. Some if the worker is to end instead.
    async fn wait(&mut self, login: bool) -> Option<Stopped> {
        self.failed_attempts = self.failed_attempts.saturating_add(1);
        if self
            .workplace
            .settings
            .max_retries
            .is_some_and(|limit| self.failed_attempts >= limit)
        {
            warn!(
                "maxretries: {} attempts have failed, stopping",
                self.failed_attempts
            );
            return Some(Stopped::RetriesUsedUp);
        }
        let delay = self.backoff.delay(fastrand::f64());
        let what = if login { "getPerspective" } else { "connect" };
        info!(
            "Scheduling retry {} to {what} in {:.1} seconds.",
            self.failed_attempts,
            delay.as_secs_f64()
        );
        let until = Instant::now() + delay;
        loop {
            let wake = self.grace.next_look().map_or(until, |look| look.min(until));
            let sleep = async {
                Timer::at(wake).await;
                None
            };
            if let Some(request) = or(sleep, async { Some(self.stop_request().await) }).await {
                return Some(self.stopped_by(request));
            }
            let now = Instant::now();
            if self.grace.is_asked_by_file(now) {
                info!("shutdown.stamp was touched, shutting down.");
                return Some(Stopped::Drained);
            }
            if now >= until {
                return None;
            }
        }
    }

    fn stopped_by(&self, request: StopRequest) -> Stopped {
        stopped_by(&self.grace, request)
    }

    /// Waits for a request to stop, taking note of what ending steps say.
    async fn stop_request(&mut self) -> StopRequest {
        loop {
            match self.inbox.recv().await {
                Ok(LoopEvent::Stop(request)) => {
                    log_stop(request);
                    return request;
                }
                Ok(LoopEvent::Step(step, event)) => {
                    self.workplace.steps.note(step, event, Instant::now());
                }
                Ok(LoopEvent::ClockJumped(jump)) => log_jump(jump),
                // Cannot be: we hold a sender ourselves.
                Err(_) => std::future::pending().await,
            }
        }
    }
}

fn patience(keepalive: Option<Duration>) -> Duration {
    keepalive.map_or(MOST_PATIENCE, |interval| {
        interval.clamp(LEAST_PATIENCE, MOST_PATIENCE)
    })
}

/// The system gives up too, some time after we do. Not before: it counts from the first byte that it
/// sent twice (`TCP_USER_TIMEOUT` of tcp(7)), and on a slow wire it catches up with that late while
/// others arrive. No limit without keepalives, which somebody may have turned off for a link that is
/// away for long.
fn limit_unacknowledged(connection: &Connection, keepalive: Option<Duration>) {
    let Some(interval) = keepalive else {
        return;
    };
    let limit = interval.saturating_add(patience(keepalive));
    let limit = limit.saturating_mul(4);
    if let Err(error) = ports::limit_unacknowledged(connection.socket(), limit) {
        debug!("the system does not limit how long the master may be silent: {error}");
    }
}

/// A graceful end that need not or must not wait is a good end all the same.
fn stopped_by(grace: &Grace, request: StopRequest) -> Stopped {
    if grace.is_graceful(request) {
        Stopped::Drained
    } else {
        Stopped::BySignal(request)
    }
}

fn log_stop(request: StopRequest) {
    let name = match request {
        StopRequest::Terminate => "SIGTERM",
        StopRequest::Interrupt => "SIGINT",
        StopRequest::Hangup => "SIGHUP",
        StopRequest::Drain => "SIGUSR2",
    };
    info!("Received {name}, shutting down.");
}
