//! `selftest`: what works on this machine and what does not.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use argh::FromArgs;

use super::Exit;
use super::live::Quiet;
use super::output::{Voice, say};
use super::try_out::Scratch;
use crate::local::selftest::{self, Check, Status};
use ports::words_of;

/// Find out what works on this machine: every call that coracle makes to the system, every command, and
/// every way to end one. Takes half a minute and needs no master.
#[derive(FromArgs)]
#[argh(subcommand, name = "selftest")]
pub struct SelfTest {
    /// write what was found into this file, as JSON
    #[argh(option)]
    json: Option<String>,

    /// leave the directory with the worker's log and those of the steps
    #[argh(switch)]
    keep: bool,
}

impl SelfTest {
    /// Looks, and tells.
    pub fn run(self, voice: Voice, verbose: bool) -> Exit {
        if let Some(file) = &self.json {
            if let Err(why) = check_file(Path::new(file)) {
                return voice.failed(&why);
            }
        }
        // Before there is a second thread.
        let daemon = match detach() {
            Daemon::IsIt => return Exit::GOOD,
            Daemon::Checked(check) => check,
        };
        let scratch = match Scratch::new("selftest", self.keep) {
            Ok(scratch) => scratch,
            Err(why) => return voice.failed(&why),
        };
        say("Looking; this takes some seconds.");
        let found = look(&scratch, daemon, verbose);
        scratch.done(voice);
        match found {
            Ok(Looked::Found(checks)) => self.tell(voice, &checks),
            Ok(Looked::Stopped(request)) => Exit::Signal(request),
            Err(why) => voice.failed(&why),
        }
    }

    fn tell(&self, voice: Voice, checks: &[Check]) -> Exit {
        let version = crate::basedir::version();
        for line in selftest::table(checks) {
            say(&line);
        }
        say("\nTo paste into an issue:\n");
        say(selftest::paste(checks, &version).trim_end());
        if let Some(file) = &self.json {
            let text = selftest::json(checks, &version);
            if let Err(why) = write_file(Path::new(file), &text) {
                return voice.failed(&why);
            }
        }
        match selftest::can_serve(checks) {
            true => Exit::GOOD,
            false => Exit::BAD,
        }
    }
}

/// Whether the file can be written, before the work whose result it is. One that is there stays as it
/// is; one that is not there is not made.
fn check_file(file: &Path) -> Result<(), String> {
    let failed = |error: io::Error| cannot_write(file, &error);
    let is_new = fs::symlink_metadata(file).is_err();
    let mut options = fs::OpenOptions::new();
    let options = options.append(true).create(is_new);
    // Without anybody at its other end, a pipe would hold us for ever.
    ports::without_waiting(options).open(file).map_err(failed)?;
    if is_new {
        fs::remove_file(file).map_err(failed)?;
    }
    Ok(())
}

/// Writes the file whole; an old one stays until then.
fn write_file(file: &Path, text: &str) -> Result<(), String> {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let is_special = fs::symlink_metadata(file).is_ok_and(|found| !found.is_file());
    // A device, or a link: into what is there.
    if is_special || fs::symlink_metadata(&new).is_ok() {
        return fs::write(file, text).map_err(|error| cannot_write(file, &error));
    }
    let written = fs::write(&new, text).and_then(|()| fs::rename(&new, file));
    written.map_err(|error| {
        let _ = fs::remove_file(&new);
        cannot_write(file, &error)
    })
}

fn cannot_write(file: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {}", file.display(), words_of(error))
}

/// What came of looking.
enum Looked {
    Found(Vec<Check>),
    Stopped(ports::StopRequest),
}

fn look(scratch: &Scratch, daemon: Check, verbose: bool) -> Result<Looked, String> {
    let directory = scratch.path().join("port");
    fs::create_dir(&directory)
        .map_err(|error| format!("cannot make {}: {}", directory.display(), words_of(&error)))?;
    let mut checks = vec![daemon];
    checks.extend(selftest::port(&directory));
    match scratch.run("selftest", verbose, Box::new(Quiet)) {
        Ok((plan, report)) => {
            if let Some(request) = report.stopped {
                return Ok(Looked::Stopped(request));
            }
            checks.extend(selftest::protocol(&plan, &report));
        }
        Err(why) => checks.push(Check {
            area: "protocol",
            name: "the master inside".to_owned(),
            status: Status::Absent,
            note: why,
            see: "tcp(7)".to_owned(),
            needed: true,
        }),
    }
    Ok(Looked::Found(checks))
}

/// What came of becoming a daemon.
enum Daemon {
    /// This process is the daemon.
    IsIt,
    /// It was tried.
    Checked(Check),
}

fn detach() -> Daemon {
    let (status, note) = match ports::detach() {
        Ok(ports::Detached::Daemon(mut end)) => {
            // If it cannot, the other side sees an end without it.
            let _ = end.write(b"daemon");
            return Daemon::IsIt;
        }
        Ok(ports::Detached::Starter(end)) => match heard(end) {
            Ok(()) => (Status::Works, String::new()),
            Err(why) => (Status::Absent, why),
        },
        Err(error) => (Status::Absent, error.to_string()),
    };
    Daemon::Checked(Check {
        area: "port",
        name: "detach".to_owned(),
        status,
        note,
        see: "fork(2), setsid(2)".to_owned(),
        needed: false,
    })
}

fn heard(mut end: ports::ReadEnd) -> Result<(), String> {
    let limit = Instant::now() + Duration::from_secs(5);
    let mut buffer = [0; 64];
    while Instant::now() < limit {
        match end.read(&mut buffer).map_err(|error| error.to_string())? {
            ports::Read::Bytes(_) => return Ok(()),
            ports::Read::End => return Err("the daemon ends at once".to_owned()),
            ports::Read::NotYet => {
                let waited = ports::wait(&[ports::Source::Readable(&end)], Some(limit));
                waited.map_err(|error| error.to_string())?;
            }
        }
    }
    Err("nothing is heard of the daemon".to_owned())
}
