//! `stop`: ends the worker of a directory (PROTOCOL 7.4).

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use argh::FromArgs;

use super::output::{Voice, complain, say};
use super::{Exit, directory, start};
use crate::basedir::{self, Holder, Named};

/// How long a worker may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked whether it has.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Stop the worker of a directory.
#[derive(FromArgs)]
#[argh(subcommand, name = "stop")]
pub struct Stop {
    /// print nothing unless something is wrong
    #[argh(switch, short = 'q')]
    quiet: bool,

    /// the worker's directory (the current one)
    #[argh(positional)]
    basedir: Option<String>,
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
        let directory = directory(self.basedir.as_ref());
        if let Err(error) = basedir::worker_file(directory) {
            return start::unusable(voice, &error);
        }
        match stop(directory, self.quiet) {
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

/// Stops the worker of a directory and waits until it is gone.
pub fn stop(directory: &Path, quiet: bool) -> Ended {
    let tell = |text: &str| {
        if !quiet {
            say(text);
        }
    };
    let directory = &std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    match basedir::holder(directory) {
        Ok(Some(Holder { pid: Some(pid) })) => end(directory, pid, &tell),
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

fn end(directory: &Path, pid: u32, tell: &dyn Fn(&str)) -> Ended {
    if let Err(error) = ports::signal_process(pid, ports::Signal::TERM) {
        let holds = matches!(basedir::holder(directory), Ok(Some(_)));
        if holds {
            complain(&format!("cannot stop process {pid}: {error}"));
            return Ended::Still;
        }
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        match basedir::holder(directory) {
            Ok(Some(holder)) if holder.pid == Some(pid) || holder.pid.is_none() => {}
            // Gone, or already followed by another one.
            Ok(_) => {
                tell(&format!("worker process {pid} is dead"));
                return Ended::Gone;
            }
            Err(error) => {
                complain(&error.to_string());
                return Ended::Still;
            }
        }
        if Instant::now() >= deadline {
            say("never saw process go away");
            return Ended::Still;
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}
