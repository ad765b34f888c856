//! The worker's life: dial, converse, lose the master, end the steps, wait, dial again.

use std::io;
use std::time::{Duration, Instant};

use log::{info, warn};
use smol::Timer;
use smol::channel::{Receiver, Sender};
use smol::future::or;

use super::builders::Builders;
use super::conversation::{Conversation, End, Workplace};
use super::grace::Grace;
use super::outbox::Outbox;
use super::running::RunningSteps;
use super::{LoopEvent, Stopped, WorkerError};
use crate::basedir::{MasterAddress, Protocol, Settings};
use crate::calls::StepId;
use crate::link::{Backoff, Connection, LinkError};
use crate::session::keepalive::Keepalive;
use crate::session::pb::{Login, PbSession};
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

/// Bytes waiting for the master above which we take no more of its calls.
const OUTGOING_LIMIT: usize = 4 * 1024 * 1024;

/// Bytes read at once; a block of a download arrives in a few reads.
const READ_SIZE: usize = 64 * 1024;

/// The worker, from start to stop.
#[derive(Debug)]
pub struct Life {
    address: Address,
    inbox: Receiver<LoopEvent>,
    workplace: Workplace,
    backoff: Backoff,
    /// Attempts since we were last attached.
    failed_attempts: u64,
    next_step: StepId,
}

/// Where the master listens.
#[derive(Debug, Clone)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

/// The address to dial.
///
/// # Errors
/// The settings ask for a way to the master that this program does not have.
pub fn address(settings: &Settings) -> Result<Address, WorkerError> {
    let lacks = |what: &str| {
        Err(WorkerError::Settings(format!(
            "{what}; this version reaches a master over plain TCP with protocol 'pb' only: give \
             buildmaster_host and port"
        )))
    };
    match settings.protocol {
        Protocol::Pb => {}
        Protocol::MsgpackV7 => return lacks("protocol 'msgpack_experimental_v7' is asked for"),
    }
    if settings.proxy.is_some() {
        return lacks("proxy_connection_string is set");
    }
    match &settings.master {
        MasterAddress::Tcp {
            host,
            port,
            tls: false,
        } => Ok(Address {
            host: host.clone(),
            port: *port,
        }),
        MasterAddress::Tcp { tls: true, .. } => lacks("use_tls is set"),
        MasterAddress::Endpoint(_) => lacks("connection_string is set"),
    }
}

/// How the time on one connection ended.
#[derive(Debug)]
enum Outcome {
    /// Try again; whether it was the login that failed, and why.
    Again { login: bool, reason: String },
    /// The worker ends.
    Stop(Stopped),
}

/// What the loop woke up for.
#[derive(Debug)]
enum Happening {
    Event(LoopEvent),
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
    Deadline,
}

impl Life {
    /// Not begun yet.
    pub fn new(
        settings: Settings,
        address: Address,
        events: Sender<LoopEvent>,
        inbox: Receiver<LoopEvent>,
    ) -> Life {
        let builders = Builders::new(settings.basedir.clone(), settings.deletes_leftover_dirs());
        let backoff = Backoff::new(settings.max_delay.unwrap_or(DEFAULT_MAX_DELAY));
        let workplace = Workplace {
            environment: settings.environment.clone(),
            builders,
            steps: RunningSteps::new(events),
            settings,
        };
        Life {
            address,
            inbox,
            workplace,
            backoff,
            failed_attempts: 0,
            next_step: StepId(1),
        }
    }

    /// Lives until somebody asks for the end.
    pub async fn live(mut self) -> Stopped {
        loop {
            let outcome = match self.dial().await {
                Ok(connection) => self.converse(connection).await,
                Err(outcome) => outcome,
            };
            let stop = self.end_steps().await;
            match outcome {
                Outcome::Stop(stopped) => return stopped,
                Outcome::Again { login, reason } => {
                    warn!("{reason}");
                    if let Some(request) = stop {
                        log_stop(request);
                        return Stopped::BySignal;
                    }
                    if let Some(stopped) = self.wait(login).await {
                        return stopped;
                    }
                }
            }
        }
    }

    async fn dial(&mut self) -> Result<Connection, Outcome> {
        let Address { host, port } = self.address.clone();
        info!("Connecting to {host}:{port}");
        let dialed = or(async { Ok(Connection::dial(&host, port).await) }, async {
            Err(self.stop_request().await)
        });
        match dialed.await {
            Ok(Ok(connection)) => {
                info!("connected to the master at {}", connection.peer());
                Ok(connection)
            }
            Ok(Err(
                error @ (LinkError::UnknownHost { .. }
                | LinkError::Connect { .. }
                | LinkError::Timeout { .. }),
            )) => Err(Outcome::Again {
                login: false,
                reason: error.to_string(),
            }),
            Err(_) => Err(Outcome::Stop(Stopped::BySignal)),
        }
    }

    /// Talks with a master until one side ends it.
    async fn converse(&mut self, mut connection: Connection) -> Outcome {
        let settings = &self.workplace.settings;
        let login = Login {
            name: settings.name.clone(),
            password: settings.password.expose().to_owned(),
        };
        let now = Instant::now();
        let keepalive = Keepalive::new(settings.keepalive, patience(settings.keepalive), now);
        let session = PbSession::new(login, self.next_step);
        let mut grace = Grace::new(settings, now);
        let mut conversation = Conversation::new(&mut self.workplace, session, keepalive, now);
        let mut outbox = Outbox::default();
        let mut buffer = vec![0; READ_SIZE];
        let mut attached = false;
        let outcome = loop {
            let deadline = [conversation.deadline(), grace.next_look()]
                .into_iter()
                .flatten()
                .min();
            outbox.refill(conversation.outgoing());
            let happening =
                next(&mut connection, &self.inbox, &outbox, &mut buffer, deadline).await;
            let now = Instant::now();
            if grace.is_asked_by_file(now) {
                conversation.ask_for_shutdown();
            }
            if let Happening::Event(LoopEvent::Stop(request)) = happening {
                if conversation.is_attached() && grace.is_asked_by(request) {
                    conversation.ask_for_shutdown();
                    continue;
                }
                log_stop(request);
                break Outcome::Stop(Stopped::BySignal);
            }
            let turn = take(&mut conversation, &mut outbox, &buffer, happening, now);
            if conversation.is_attached() && !attached {
                attached = true;
                self.backoff.reset();
                self.failed_attempts = 0;
            }
            match turn {
                Ok(()) => {}
                Err(End::Shutdown) => break Outcome::Stop(Stopped::ByMaster),
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
        connection.finish();
        outcome
    }

    /// Ends all steps and waits until they are gone, but not for ever. Returns the first request to
    /// stop that came meanwhile.
    async fn end_steps(&mut self) -> Option<StopRequest> {
        self.workplace.steps.abandon_all();
        self.workplace.builders.finish_all();
        let until = Instant::now() + STEPS_END_LIMIT;
        let mut stop = None;
        while !self.workplace.steps.is_empty() {
            let event = async { self.inbox.recv().await.ok() };
            let limit = async {
                Timer::at(until).await;
                None
            };
            match or(event, limit).await {
                Some(LoopEvent::Step(step, event)) => {
                    self.workplace.steps.note(step, event, Instant::now());
                }
                Some(LoopEvent::Stop(request)) => stop = stop.or(Some(request)),
                None => self.workplace.steps.give_up(),
            }
        }
        stop
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
        let sleep = async {
            Timer::after(delay).await;
            None
        };
        let stop = async {
            self.stop_request().await;
            Some(Stopped::BySignal)
        };
        or(sleep, stop).await
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

fn log_stop(request: StopRequest) {
    let name = match request {
        StopRequest::Terminate => "SIGTERM",
        StopRequest::Interrupt => "SIGINT",
        StopRequest::Hangup => "SIGHUP",
    };
    info!("Received {name}, shutting down.");
}

/// Hands what has happened to the conversation.
fn take(
    conversation: &mut Conversation<'_>,
    outbox: &mut Outbox,
    buffer: &[u8],
    happening: Happening,
    now: Instant,
) -> Result<(), End> {
    match happening {
        Happening::Event(LoopEvent::Step(step, event)) => conversation.step_says(step, event, now),
        // The loop has seen to it.
        Happening::Event(LoopEvent::Stop(_)) => {}
        Happening::Read(Ok(0)) => {
            return Err(End::Lost("the master closed the connection".to_owned()));
        }
        Happening::Read(Ok(count)) => conversation.received(&buffer[..count], now)?,
        Happening::Wrote(Ok(count)) => {
            if outbox.len() > OUTGOING_LIMIT {
                // While we do not listen, this is the master's sign of life.
                conversation.sent_more(now);
            }
            outbox.written(count);
        }
        // A signal came in between; nothing is lost.
        Happening::Read(Err(error)) | Happening::Wrote(Err(error))
            if error.kind() == io::ErrorKind::Interrupted => {}
        Happening::Read(Err(error)) | Happening::Wrote(Err(error)) => {
            return Err(End::Lost(format!(
                "lost the connection to the master: {error}"
            )));
        }
        Happening::Deadline => {}
    }
    // Also when traffic never pauses.
    if conversation.deadline().is_some_and(|at| at <= now) {
        conversation.tick(now)?;
    }
    Ok(())
}

/// Waits for whatever comes first. What a step says comes before more work from the master, and
/// reading before writing; steps are held by their windows, so nobody starves.
async fn next(
    connection: &mut Connection,
    inbox: &Receiver<LoopEvent>,
    outbox: &Outbox,
    buffer: &mut [u8],
    deadline: Option<Instant>,
) -> Happening {
    let event = async {
        match inbox.recv().await {
            Ok(event) => Happening::Event(event),
            // Cannot be: the steps' side is held as long as the loop runs.
            Err(_) => std::future::pending().await,
        }
    };
    let read = async {
        if outbox.len() > OUTGOING_LIMIT {
            return Happening::Read(connection.reader.ended().await.map(|()| 0));
        }
        Happening::Read(connection.reader.read(buffer).await)
    };
    let write = async {
        if outbox.is_empty() {
            return std::future::pending().await;
        }
        Happening::Wrote(connection.writer.write(outbox.unwritten()).await)
    };
    let alarm = async {
        match deadline {
            Some(at) => {
                Timer::at(at).await;
                Happening::Deadline
            }
            None => std::future::pending().await,
        }
    };
    or(event, or(read, or(write, alarm))).await
}
