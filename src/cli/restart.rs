//! `restart`: stops the worker of a directory if it runs, then starts it (PROTOCOL 7.4).

use argh::FromArgs;

use super::output::{Voice, say};
use super::start::{self, Start};
use super::stop::{self, Ended, Manner};
use super::{Exit, directory};
use crate::basedir;

/// Stop the worker of a directory if it runs, and start it again.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "restart",
    example = "{command_name} ~/worker",
    note = "For boot scripts too: whatever a crash has left, there is a running worker afterwards."
)]
pub struct Restart {
    /// stay in the foreground
    #[argh(switch)]
    nodaemon: bool,

    /// do not wait for the master
    #[argh(switch, short = 'q')]
    quiet: bool,

    /// log more
    #[argh(switch)]
    verbose: bool,

    /// the worker's directory (the current one)
    #[argh(positional)]
    basedir: Option<String>,
}

impl Restart {
    /// Restarts the worker; the exit status is that of the start.
    pub fn run(self, voice: Voice, verbose: bool) -> Exit {
        let directory = directory(self.basedir.as_ref());
        if let Err(error) = basedir::worker_file(directory) {
            return start::unusable(voice, &error);
        }
        match stop::stop(directory, Manner::Now, self.quiet) {
            Ended::NotRunning if !self.quiet => say("no old worker process found to stop"),
            // Whoever calls this at boot or by a timer wants a worker that runs.
            Ended::Still => drop(stop::kill(directory, self.quiet)),
            Ended::NotRunning | Ended::Gone => {}
        }
        if !self.quiet {
            say("now restarting worker process..");
        }
        let start = Start {
            nodaemon: self.nodaemon,
            quiet: self.quiet,
            verbose: self.verbose,
            basedir: self.basedir,
        };
        start.run(voice, verbose)
    }
}
