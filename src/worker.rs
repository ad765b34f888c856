//! The worker itself: reaches the master, serves its calls, runs its steps, and comes back after
//! every loss. The only code that knows session, steps and link.
//!
//! One thread runs the loop: the socket, the timers, and one channel on which steps and stop
//! requests arrive as [`LoopEvent`]s. Each running step is a thread of its own.

mod address;
pub mod builders;
mod clocks;
pub mod conversation;
mod drain;
mod grace;
mod hello;
mod inbox;
mod life;
pub mod login;
mod notify;
mod outbox;
mod phase;
mod pulse;
pub mod record;
pub mod recovery;
pub mod running;
mod turn;
mod uplink;
mod watchdog;

use std::fmt;
use std::io;
use std::sync::Arc;

use self::inbox::Inbox;
use self::notify::Notify;
use self::pulse::Pulse;
use crate::basedir::Settings;
use crate::calls::{StepEvent, StepId};
use crate::steps::TextEncoding;

pub use address::place;
pub use clocks::Jump;

/// Something that reaches the loop from another thread.
#[derive(Debug)]
pub enum LoopEvent {
    /// A running step has something to say.
    Step(StepId, StepEvent),
    /// Somebody wants the worker to stop.
    Stop(ports::StopRequest),
    /// The machine was suspended, or its clock was set.
    ClockJumped(Jump),
}

/// Why the worker ended, when it ended in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// A signal asked for it.
    BySignal(ports::StopRequest),
    /// The master asked for it, perhaps because we had asked for a graceful end.
    ByMaster,
    /// A graceful end was asked for, and there is no master that could be waited for.
    Drained,
    /// As many attempts as `maxretries` allows have failed.
    RetriesUsedUp,
}

/// Why the worker could not run at all.
#[derive(Debug)]
pub enum WorkerError {
    /// The settings ask for something that this program does not have.
    Settings(String),
    /// The system refused what the worker cannot do without.
    System {
        /// What was to be done.
        what: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WorkerError::Settings(what) => f.write_str(what),
            WorkerError::System { what, error } => write!(f, "cannot {what}: {error}"),
        }
    }
}

impl std::error::Error for WorkerError {}

/// Runs the worker until it is asked to stop. Blocks; uses this thread for the loop.
///
/// # Errors
/// Only what makes it impossible to begin. A master that cannot be reached is no error: it is tried
/// again for ever, or `maxretries` times.
pub fn run(mut settings: Settings) -> Result<Stopped, WorkerError> {
    let address = address::address(&settings)?;
    known_encoding(settings.encoding.as_deref())?;
    let (events, receiver) = smol::channel::unbounded();
    pass_on_stop_requests(events.clone())?;
    let notify = Notify::new(|name| std::env::var_os(name), std::process::id());
    settings
        .environment
        .retain(|(name, _)| !notify::VARIABLES.iter().any(|variable| name == variable));
    notify.starting();
    let record = recovery::begin(&settings.directory);
    let pulse = Arc::new(Pulse::new(notify.clone()));
    let patience = notify.patience();
    watchdog::watch(Arc::clone(&pulse), watchdog::LIMIT, patience).map_err(|error| {
        WorkerError::System {
            what: "start the thread that watches the loop",
            error,
        }
    })?;
    let inbox = Inbox::new(receiver);
    let life = life::Life::new(settings, address, events, inbox);
    let living = life.with(record.clone(), notify.clone()).live();
    let stopped = smol::block_on(pulse.of(living));
    notify.stopping();
    record.worker_stopped();
    Ok(stopped)
}

/// Makes sure that we have the coding that the settings name.
fn known_encoding(name: Option<&str>) -> Result<(), WorkerError> {
    match name {
        Some(name) if TextEncoding::named(name).is_none() => Err(WorkerError::Settings(format!(
            "unicode_encoding '{name}' in buildbot.tac is not a coding that programs can be given \
             words in, or not known here; known are utf-8 (the rule), ascii, latin-1, iso8859-2 to \
             -16, cp1250 to cp1258, koi8-r, koi8-u, euc-jp, shift_jis, iso2022_jp, gbk, gb18030, \
             big5, euc-kr and their other names in Python"
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Signals arrive in the loop as values, through a thread that does nothing else.
fn pass_on_stop_requests(events: smol::channel::Sender<LoopEvent>) -> Result<(), WorkerError> {
    let failed = |error| WorkerError::System {
        what: "listen to signals",
        error,
    };
    let mut requests = ports::stop_requests().map_err(failed)?;
    let listen = move || {
        while let Ok(request) = requests.next() {
            if events.try_send(LoopEvent::Stop(request)).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .stack_size(64 * 1024)
        .spawn(listen)
        .map_err(failed)?;
    Ok(())
}
