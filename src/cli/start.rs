//! `start`: runs the worker of a directory, as a daemon or in the foreground (PROTOCOL 7.4).

use std::time::{Duration, Instant};

use argh::FromArgs;
use log::{error, info, warn};

use super::output::{Voice, complain, say};
use super::{Exit, directory};
use crate::basedir::logging::{self, Place};
use crate::basedir::{
    self, Following, Lock, LockError, LogTarget, Named, PidFile, ReadError, Settings, Startup,
    Verdict,
};
use crate::worker::{self, Stopped};

/// How long a start waits for the master, unless the same thing keeps it away twice.
/// A master that has just been started itself may be silent for longer than ten seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a daemon's files are hidden by, unless the settings say otherwise: all but the owner.
const DAEMON_UMASK: u32 = 0o077;

/// Start the worker of a directory.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "start",
    example = "{command_name} ~/worker",
    example = "{command_name} --nodaemon ~/worker",
    note = "It waits until the master has attached the worker, or tells what keeps it from that; \
            the worker keeps trying. The log is twistd.log in the directory."
)]
pub struct Start {
    /// stay in the foreground
    #[argh(switch)]
    pub nodaemon: bool,

    /// do not wait for the master
    #[argh(switch, short = 'q')]
    pub quiet: bool,

    /// log more
    #[argh(switch)]
    pub verbose: bool,

    /// the worker's directory (the current one)
    #[argh(positional)]
    pub basedir: Option<String>,
}

/// Prints why a directory cannot be used. Where the Python tool prints it, if it does.
pub fn unusable(voice: Voice, error: &ReadError) -> Exit {
    match (voice, error) {
        (Voice::Coracle, _) | (_, ReadError::Wrong { .. }) => complain(&error.to_string()),
        (Voice::BuildbotWorker, ReadError::Unreadable { .. } | ReadError::NotWorker { .. }) => {
            say(&error.to_string());
        }
    }
    Exit::BAD
}

impl Start {
    /// Starts the worker.
    pub fn run(self, voice: Voice, verbose: bool) -> Exit {
        let begun = Instant::now();
        let verbose = verbose || self.verbose;
        let settings = match basedir::read(directory(self.basedir.as_ref())) {
            Ok(settings) => settings,
            Err(error) => return unusable(voice, &error),
        };
        if let Err(error) = std::env::set_current_dir(&settings.directory) {
            complain(&format!(
                "cannot enter {}: {error}",
                settings.directory.display()
            ));
            return Exit::BAD;
        }
        if self.nodaemon {
            return foreground(settings, voice, verbose);
        }
        // The daemon takes the lock itself; this is for an answer without a daemon.
        if let Ok(Some(holder)) = basedir::lasting_holder(&settings.directory) {
            return already_running(voice, holder.pid);
        }
        match ports::detach() {
            Ok(ports::Detached::Daemon(end)) => daemon(settings, Startup::through(end), verbose),
            Ok(ports::Detached::Starter(end)) => {
                self.follow(&settings, Following::new(end), begun, voice)
            }
            Err(error) => {
                complain(&format!("cannot become a daemon: {error}"));
                Exit::BAD
            }
        }
    }

    /// Waits for what the daemon has to say.
    fn follow(
        &self,
        settings: &Settings,
        mut following: Following,
        begun: Instant,
        voice: Voice,
    ) -> Exit {
        if voice == Voice::BuildbotWorker && !self.quiet {
            say("Following twistd.log until startup finished..");
        }
        let deadline = Instant::now() + PATIENCE;
        let verdict = if self.quiet {
            following.until_running(deadline)
        } else {
            following.until_attached(deadline)
        };
        let subject = Subject {
            settings,
            pid: following.pid,
            time: begun.elapsed(),
        };
        subject.tell(verdict, voice)
    }
}

/// The daemon that a verdict is about.
struct Subject<'s> {
    settings: &'s Settings,
    pid: Option<u32>,
    /// Since the start.
    time: Duration,
}

impl Subject<'_> {
    /// Prints what came of the start, in one line.
    fn tell(&self, verdict: Verdict, voice: Voice) -> Exit {
        let name = &self.settings.name;
        let pid = self
            .pid
            .map_or(String::new(), |pid| format!(", process {pid}"));
        let log = match &self.settings.log {
            LogTarget::File { path, .. } => path.clone(),
            LogTarget::Unset | LogTarget::StandardOutput => {
                self.settings.directory.join("twistd.log")
            }
        };
        let log = log.display();
        let trouble = match verdict {
            Verdict::Running(_) => return Exit::GOOD,
            Verdict::Attached => {
                let (master, time) = (worker::place(self.settings), self.time.as_millis());
                say(&match voice {
                    Voice::Coracle => format!(
                        "worker \"{name}\" attached to the master at {master} in {time} ms{pid}"
                    ),
                    Voice::BuildbotWorker => {
                        "The buildbot-worker appears to have (re)started correctly.".to_owned()
                    }
                });
                return Exit::GOOD;
            }
            Verdict::NotYet(problem) => {
                let why = problem.unwrap_or_else(|| "the master has not answered".to_owned());
                let time = self.time.as_secs_f64();
                format!(
                    "worker \"{name}\" is not attached after {time:.1} s and keeps trying{pid}, see {log}: {why}"
                )
            }
            Verdict::Refused(why) => why,
            Verdict::Ended(problem) => {
                let why = problem.map_or(String::new(), |problem| format!(": {problem}"));
                format!("worker \"{name}\" has ended again{why}; see {log}")
            }
        };
        match voice {
            Voice::Coracle => complain(&trouble),
            // Where that program prints its paragraph about this.
            Voice::BuildbotWorker => say(&trouble),
        }
        Exit::BAD
    }
}

fn already_running(voice: Voice, pid: Option<u32>) -> Exit {
    let pid = pid.map_or("unknown".to_owned(), |pid| pid.to_string());
    complain(&match voice {
        Voice::Coracle => {
            format!("a worker already runs here, process {pid}; stop it with `coracle stop`")
        }
        Voice::BuildbotWorker => format!(
            "Another twistd server is running, PID {pid}\nIt is the worker of this directory; stop it with `buildbot-worker stop`."
        ),
    });
    Exit::BAD
}

/// Takes a directory for this process: the lock, and no other program's worker there.
fn occupy(settings: &Settings) -> Result<Lock, String> {
    let lock = Lock::take(&settings.directory).map_err(|error: LockError| error.to_string())?;
    match basedir::named(&settings.directory) {
        Named::Nothing => {}
        Named::Gone(_) | Named::Stranger(_) => basedir::remove_stale(&settings.directory),
        Named::Worker(pid) => {
            return Err(format!(
                "process {pid} works in this directory but is not coracle; stop it first, or remove {} if it is no worker",
                settings.directory.join("twistd.pid").display()
            ));
        }
    }
    Ok(lock)
}

fn foreground(settings: Settings, voice: Voice, verbose: bool) -> Exit {
    if let Ok(Some(holder)) = basedir::lasting_holder(&settings.directory) {
        return already_running(voice, holder.pid);
    }
    let lock = match occupy(&settings) {
        Ok(lock) => lock,
        Err(why) => {
            complain(&why);
            return Exit::BAD;
        }
    };
    if let Some(umask) = settings.umask {
        ports::set_umask(umask);
    }
    logging::start(
        &settings.log,
        &settings.directory,
        Place::Foreground,
        verbose,
    );
    let exit = match work(settings) {
        Ok(exit) => exit,
        Err(why) => {
            complain(&why);
            Exit::BAD
        }
    };
    lock.keep_to_the_end();
    exit
}

fn daemon(mut settings: Settings, startup: Startup, verbose: bool) -> Exit {
    ports::set_umask(settings.umask.unwrap_or(DAEMON_UMASK));
    let lock = match occupy(&settings) {
        Ok(lock) => lock,
        Err(why) => {
            startup.refused(&why);
            return Exit::BAD;
        }
    };
    // The lock is the truth. This file is for others, and a full disk must not keep the worker away:
    // often it is the worker's steps that free it.
    let pid_file = PidFile::write(&settings.directory).map_err(|error| {
        let path = settings.directory.join("twistd.pid");
        settings.notes.push(format!(
            "cannot write {}: {error}; `coracle stop` finds this worker all the same",
            path.display()
        ));
    });
    logging::start(&settings.log, &settings.directory, Place::Daemon, verbose);
    startup.running(std::process::id());
    settings.startup = startup.clone();
    let exit = match work(settings) {
        Ok(exit) => exit,
        Err(why) => {
            startup.refused(&why);
            Exit::BAD
        }
    };
    drop(pid_file);
    lock.keep_to_the_end();
    exit
}

/// Works until somebody asks for the end.
fn work(settings: Settings) -> Result<Exit, String> {
    info!("Starting Worker -- version: {}", basedir::version());
    for note in &settings.notes {
        warn!("{note}");
    }
    basedir::record_hostname(&settings);
    ports::prepare_for_steps(settings.step_limits);
    let result = worker::run(settings);
    match result {
        Ok(stopped) => {
            info!("Server Shut Down.");
            Ok(match stopped {
                Stopped::BySignal(request) => Exit::Signal(request),
                Stopped::ByMaster | Stopped::Drained | Stopped::RetriesUsedUp => Exit::GOOD,
            })
        }
        Err(why) => {
            error!("{why}");
            Err(why.to_string())
        }
    }
}
