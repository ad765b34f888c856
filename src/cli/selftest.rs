//! `selftest`: what works on this machine and what does not.

use std::fs;
use std::time::{Duration, Instant};

use argh::FromArgs;

use super::Exit;
use super::live::Quiet;
use super::output::{complain, say};
use super::try_out::Scratch;
use crate::local::selftest::{self, Check, Status};

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
    pub fn run(self, verbose: bool) -> Exit {
        // First of all, for it must happen before there is a second thread.
        let daemon = match detach() {
            Daemon::IsIt => return Exit::GOOD,
            Daemon::Checked(check) => check,
        };
        let scratch = match Scratch::new("selftest") {
            Ok(scratch) => scratch,
            Err(why) => {
                complain(&why);
                return Exit::BAD;
            }
        };
        say("Looking; this takes some seconds.");
        let found = look(&scratch, daemon, verbose);
        scratch.done(self.keep);
        let checks = match found {
            Ok(checks) => checks,
            Err(exit) => return exit,
        };
        self.tell(&checks)
    }

    fn tell(&self, checks: &[Check]) -> Exit {
        let version = crate::basedir::version();
        for line in selftest::table(checks) {
            say(&line);
        }
        say("\nTo paste into an issue:\n");
        say(selftest::paste(checks, &version).trim_end());
        if let Some(file) = &self.json {
            if let Err(error) = fs::write(file, selftest::json(checks, &version)) {
                complain(&format!("cannot write {file}: {error}"));
                return Exit::BAD;
            }
        }
        match selftest::can_serve(checks) {
            true => Exit::GOOD,
            false => Exit::BAD,
        }
    }
}

fn look(scratch: &Scratch, daemon: Check, verbose: bool) -> Result<Vec<Check>, Exit> {
    let directory = scratch.path().join("port");
    if let Err(error) = fs::create_dir(&directory) {
        complain(&format!("cannot make {}: {error}", directory.display()));
        return Err(Exit::BAD);
    }
    let mut checks = vec![daemon];
    checks.extend(selftest::port(&directory));
    match scratch.run("selftest", verbose, Box::new(Quiet)) {
        Ok((plan, report)) => {
            if let Some(request) = report.stopped {
                return Err(Exit::Signal(request));
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
    Ok(checks)
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
