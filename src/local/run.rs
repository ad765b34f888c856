//! Runs a plan: the embedded master directs this program's own worker through it, in a base directory.
//!
//! Every step has its log in the directory of the results. What is done is written down there too, so
//! that a run that was cut off goes on at the step where it was.

mod director;
mod judge;
mod progress;
mod step;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::master::{ListenError, Master, challenge};
use super::recipe::{Outcome, Plan, Step};
use super::serve::Account;
use crate::basedir::{LogTarget, MasterAddress, Protocol, Secret, Settings, Startup};
use crate::calls::Fact;
use crate::worker::{self, Stopped, WorkerError};
use director::Run;
pub use progress::{Done, done};

/// The worker's name and its builder's, where nobody sees them but the log.
const NAME: &str = "local";

/// What to run, and where.
#[derive(Debug, Clone)]
pub struct Job {
    /// The steps.
    pub plan: Plan,
    /// The worker's base directory; absolute, exists.
    pub base: PathBuf,
    /// The builder's directory in it.
    pub directory: String,
    /// Where logs and uploads go, and the notes of what is done; made if it is not there.
    pub results: PathBuf,
    /// The environment of the steps.
    pub environment: Vec<(OsString, OsString)>,
    /// What earlier runs have done, see [`done`]: steps of these names are not run again.
    pub earlier: Vec<StepEnd>,
}

/// What happens in a run, for whoever shows it.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// The worker is attached: what it tells about itself.
    Attached(&'a [(String, Fact)]),
    /// A step begins.
    Started {
        /// From 1 on.
        number: usize,
        /// How many there are.
        total: usize,
        /// Which.
        step: &'a Step,
    },
    /// A line of output of the step that runs, without its end.
    Line(&'a str),
    /// A step has ended, was skipped, or was done in an earlier run.
    Ended {
        /// From 1 on.
        number: usize,
        /// How many there are.
        total: usize,
        /// What became of it.
        end: &'a StepEnd,
    },
    /// Half a second has passed.
    Tick,
    /// The worker did something odd.
    Odd(&'a str),
}

/// Shows a run.
pub trait Observer: Send {
    /// Something has happened.
    fn observe(&mut self, event: &RunEvent<'_>);
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepEnd {
    /// The step's name.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The exit code, if there was one.
    pub code: Option<i32>,
    /// How long it took.
    pub seconds: f64,
    /// What it shows, or why it is no success; one line, perhaps empty.
    pub note: String,
    /// Its log; none if it did not run.
    pub log: Option<PathBuf>,
    /// Whether it was done in an earlier run that this one continues.
    pub earlier: bool,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// All steps together.
    pub outcome: Outcome,
    /// The steps that there was a decision about.
    pub steps: Vec<StepEnd>,
    /// What the worker told about itself.
    pub facts: Vec<(String, Fact)>,
    /// Why the run ended before its end.
    pub trouble: Option<String>,
    /// A signal has stopped it.
    pub stopped: Option<ports::StopRequest>,
}

/// Why a run could not begin.
#[derive(Debug)]
pub enum RunError {
    /// No loopback.
    Listen(ListenError),
    /// The worker.
    Worker(WorkerError),
    /// A directory or file.
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The system.
    System(io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Listen(error) => error.fmt(f),
            RunError::Worker(error) => error.fmt(f),
            RunError::File { path, error } => write!(f, "cannot use {}: {error}", path.display()),
            RunError::System(error) => write!(f, "cannot start a thread: {error}"),
        }
    }
}

impl std::error::Error for RunError {}

/// Runs a job to its end. Blocks; at most once in a process, for it takes the stop signals.
///
/// # Errors
/// Only what makes it impossible to begin; see [`Report`] for the rest.
pub fn run(job: Job, observer: Box<dyn Observer>) -> Result<Report, RunError> {
    let master = Master::listen(0).map_err(RunError::Listen)?;
    let password: String = challenge()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let account = Account {
        name: NAME.to_owned(),
        password: password.clone(),
        challenge: Vec::new(),
        builders: vec![(NAME.to_owned(), job.directory.clone())],
    };
    let settings = settings(&job, master.port(), password);
    let mut run =
        Run::new(job, observer).map_err(|(path, error)| RunError::File { path, error })?;
    let (ended, cancel) = smol::channel::bounded::<()>(1);
    let thread = std::thread::Builder::new()
        .name("master".to_owned())
        .spawn(move || {
            master.direct(&account, &mut run, &cancel);
            run
        })
        .map_err(RunError::System)?;
    let worked = worker::run(settings);
    drop(ended);
    let run = thread
        .join()
        .map_err(|_| RunError::System(io::Error::other("the master's thread has panicked")))?;
    let mut report = run.report();
    match worked.map_err(RunError::Worker)? {
        Stopped::BySignal(request) => report.stopped = Some(request),
        Stopped::ByMaster | Stopped::Drained | Stopped::RetriesUsedUp => {}
    }
    Ok(report)
}

/// Has somebody else's worker, which has to dial `port`, do the job; for comparisons.
///
/// # Errors
/// As [`run`].
pub fn direct(
    job: Job,
    port: u16,
    name: &str,
    password: &str,
    observer: Box<dyn Observer>,
) -> Result<Report, RunError> {
    let master = Master::listen(port).map_err(RunError::Listen)?;
    let account = Account {
        name: name.to_owned(),
        password: password.to_owned(),
        challenge: Vec::new(),
        builders: vec![(NAME.to_owned(), job.directory.clone())],
    };
    let mut run =
        Run::new(job, observer).map_err(|(path, error)| RunError::File { path, error })?;
    let (_ended, cancel) = smol::channel::bounded::<()>(1);
    master.direct(&account, &mut run, &cancel);
    Ok(run.report())
}

fn settings(job: &Job, port: u16, password: String) -> Settings {
    Settings {
        directory: job.base.clone(),
        basedir: job.base.clone(),
        master: MasterAddress::Tcp {
            host: "127.0.0.1".to_owned(),
            port,
            tls: false,
        },
        proxy: None,
        protocol: Protocol::Pb,
        path: None,
        name: NAME.to_owned(),
        password: Secret::new(password),
        keepalive: None,
        max_delay: None,
        // A master that is gone does not come back.
        max_retries: Some(1),
        umask: None,
        cpus: None,
        encoding: None,
        allow_shutdown: None,
        delete_leftover_dirs: Fact::Bool(false),
        log: LogTarget::Unset,
        environment: job.environment.clone(),
        told_environment: None,
        step_limits: ports::StepLimits::default(),
        tls_ca_file: None,
        tls_pins: Vec::new(),
        proxy_from_environ: false,
        notes: Vec::new(),
        startup: Startup::silent(),
    }
}

/// Whether one of these programs, with `|` between them, is there.
fn has_any(environment: &[(OsString, OsString)], names: &str) -> bool {
    names.split('|').any(|name| has_program(environment, name))
}

/// Whether a program is somewhere in the `PATH` of this environment, or is a path to a file.
pub fn has_program(environment: &[(OsString, OsString)], name: &str) -> bool {
    if name.contains('/') {
        return Path::new(name).is_file();
    }
    let path = environment.iter().find(|(key, _)| key == "PATH");
    path.is_some_and(|(_, path)| {
        std::env::split_paths(path).any(|directory| directory.join(name).is_file())
    })
}
