//! `stop`: ends the worker of a directory (PROTOCOL 7.4).

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use argh::FromArgs;
use ports::{Signal, StopRequest};

use super::output::{Voice, complain, say};
use super::{Exit, directory, start, usage_error};
use crate::basedir::{self, Holder, Named};

/// How long a worker may take to end: it gives its steps 15 s, which they need only when something is
/// stuck in the kernel, and then closes the connection.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a killed worker may take to be gone.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked whether it has.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// How often when it takes longer than [`PATIENCE`].
const LATER: Duration = Duration::from_millis(200);

/// Stop the worker of a directory: at once, or with --drain once its builds are over. A second stop
/// means at once.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "stop",
    example = "{command_name} ~/worker",
    example = "{command_name} --drain --timeout 3600 ~/worker"
)]
pub struct Stop {
    /// print nothing unless something is wrong
    #[argh(switch, short = 'q')]
    quiet: bool,

    /// let the running builds end first, and begin no more
    #[argh(switch)]
    drain: bool,

    /// with --drain: stop at once after so many seconds
    #[argh(option)]
    timeout: Option<u64>,

    /// the worker's directory (the current one)
    #[argh(positional)]
    basedir: Option<String>,
}

/// How much of its work a worker may finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Nothing.
    Now,
    /// Its builds, if they end before the limit.
    Drain {
        /// None: however long they take.
        limit: Option<Duration>,
    },
}

/// What became of the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// There was none.
    NotRunning,
    /// It has ended.
    Gone,
    /// It has not, for a reason that has been printed.
    Still,
}

impl Stop {
    /// Stops the worker.
    pub fn run(self, voice: Voice) -> Exit {
        if self.timeout.is_some() && !self.drain {
            return usage_error(voice, Some("stop"), "--timeout is for --drain");
        }
        let manner = if self.drain {
            let limit = self.timeout.map(Duration::from_secs);
            Manner::Drain { limit }
        } else {
            Manner::Now
        };
        let directory = directory(self.basedir.as_ref());
        if let Err(error) = basedir::worker_file(directory) {
            return start::unusable(voice, &error);
        }
        match stop(directory, manner, self.quiet) {
            Ended::NotRunning => {
                if !self.quiet {
                    say("worker not running");
                }
                Exit::GOOD
            }
            Ended::Gone => Exit::GOOD,
            Ended::Still => Exit::BAD,
        }
    }
}

/// Kills the worker of a directory that does not end when asked. The lock shows that it is ours.
pub fn kill(directory: &Path, quiet: bool) -> Ended {
    let directory = &std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    let Ok(Some(Holder { pid: Some(pid) })) = basedir::holder(directory) else {
        return Ended::Still;
    };
    if !quiet {
        say(&format!("worker process {pid} does not end, killing it"));
    }
    ask(directory, pid, Signal::KILL, Some(KILL_PATIENCE)).unwrap_or(Ended::Still)
}

/// Stops the worker of a directory and waits until it is gone.
pub fn stop(directory: &Path, manner: Manner, quiet: bool) -> Ended {
    let tell = |text: &str| {
        if !quiet {
            say(text);
        }
    };
    let directory = &std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    match basedir::holder(directory) {
        Ok(Some(Holder { pid: Some(pid) })) => end(directory, pid, manner, &tell),
        Ok(Some(Holder { pid: None })) => {
            complain("a worker runs here, but .coracle/lock does not say which process it is");
            Ended::Still
        }
        Err(error) => {
            complain(&error.to_string());
            Ended::Still
        }
        Ok(None) => without_lock(directory, &tell),
    }
}

/// What `twistd.pid` says where no coracle runs.
fn without_lock(directory: &Path, tell: &dyn Fn(&str)) -> Ended {
    match basedir::named(directory) {
        Named::Nothing => Ended::NotRunning,
        Named::Gone(pid) => {
            basedir::remove_stale(directory);
            tell(&format!("worker process {pid} is dead"));
            Ended::Gone
        }
        Named::Stranger(pid) => {
            basedir::remove_stale(directory);
            tell(&format!(
                "twistd.pid was out of date: process {pid} is not this directory's worker, and is left alone"
            ));
            Ended::NotRunning
        }
        Named::Worker(pid) => {
            complain(&format!(
                "process {pid} works in this directory but is not coracle; stop it with the program that started it, or with `kill {pid}`"
            ));
            Ended::Still
        }
    }
}

fn end(directory: &Path, pid: u32, manner: Manner, tell: &dyn Fn(&str)) -> Ended {
    if let Manner::Drain { limit } = manner {
        tell(&format!(
            "worker process {pid} ends when its builds are over; stop it again to end it now"
        ));
        let ended = ask(directory, pid, Signal::of(StopRequest::Drain), limit);
        match (ended, limit) {
            (None, Some(limit)) => tell(&format!(
                "its builds are not over after {} s, ending it now",
                limit.as_secs()
            )),
            (None, None) => {}
            (Some(ended), _) => return told(ended, pid, tell),
        }
    }
    let terminate = Signal::of(StopRequest::Terminate);
    match ask(directory, pid, terminate, Some(PATIENCE)) {
        Some(ended) => told(ended, pid, tell),
        None => {
            say("never saw process go away");
            Ended::Still
        }
    }
}

fn told(ended: Ended, pid: u32, tell: &dyn Fn(&str)) -> Ended {
    match ended {
        Ended::Gone => tell(&format!("worker process {pid} is dead")),
        Ended::NotRunning | Ended::Still => {}
    }
    ended
}

/// Asks the worker to end and waits for it; none if it has not ended at the limit.
fn ask(directory: &Path, pid: u32, signal: Signal, limit: Option<Duration>) -> Option<Ended> {
    if let Err(error) = ports::signal_process(pid, signal) {
        let holds = matches!(basedir::holder(directory), Ok(Some(_)));
        if holds {
            complain(&format!("cannot stop process {pid}: {error}"));
            return Some(Ended::Still);
        }
    }
    let begun = Instant::now();
    loop {
        match basedir::holder(directory) {
            Ok(Some(holder)) if holder.pid == Some(pid) || holder.pid.is_none() => {}
            // Gone, or already followed by another one.
            Ok(_) => return Some(Ended::Gone),
            Err(error) => {
                complain(&error.to_string());
                return Some(Ended::Still);
            }
        }
        if limit.is_some_and(|limit| begun.elapsed() >= limit) {
            return None;
        }
        let fresh = begun.elapsed() < PATIENCE;
        thread::sleep(if fresh { BETWEEN_LOOKS } else { LATER });
    }
}
