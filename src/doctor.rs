//! Looks at a machine before it becomes a worker: what is there, what is missing, and how it is
//! installed (`coracle doctor`). Writes nothing outside a scratch directory that it removes.

mod boot;
pub mod check;
mod compiler;
mod crashes;
mod headers;
pub mod libraries;
mod limits;
mod locale;
mod login;
mod loopback;
mod machine;
mod network;
pub mod packages;
mod program;
mod report;
mod scratch;
mod system;
mod tools;
mod user;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::SystemTime;

use crate::basedir;
use check::{Check, Verdict};
pub use headers::pkg_config_lacks;
pub use machine::{amount, jobs};
pub use program::{find, run_text};
pub use report::Report;
pub use scratch::Scratch;
pub use system::System;

/// What is to be looked at.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// For building CPython: compiler and tools must be there, libraries are looked at.
    pub cpython: bool,
    /// Whether connections to other machines may be tried.
    pub network: bool,
    /// Where builds are to be made.
    pub directory: PathBuf,
    /// The base directory whose login is to be tried.
    pub login: Option<PathBuf>,
    /// The system whose package names are told; none for this one.
    pub system: Option<System>,
}

/// Looks at all of it. Takes seconds; at most some minutes where programs hang.
pub fn examine(wanted: &Wanted) -> Report {
    let name = ports::system_name();
    let os_release = basedir::os_release();
    let system = wanted
        .system
        .unwrap_or_else(|| System::of(&name.system, &os_release));
    let pretty = os_release.into_iter().find(|(key, _)| key == "PRETTY_NAME");
    let title = match pretty {
        Some((_, pretty)) => format!("{pretty}, {}", name.machine),
        None => format!("{} {}, {}", name.system, name.release, name.machine),
    };
    Report {
        system,
        title: check::one_line(&title),
        cpython: wanted.cpython,
        checks: checks(wanted, system, &name.system),
    }
}

fn checks(wanted: &Wanted, system: System, kernel: &str) -> Vec<Check> {
    let directory = std::path::absolute(&wanted.directory);
    let directory = directory.unwrap_or_else(|_| wanted.directory.clone());
    let mut checks = vec![
        user::look(),
        user::home(),
        machine::processors(),
        machine::memory(),
        machine::disk(&directory),
    ];
    checks.extend(machine::path(&directory));
    checks.push(machine::clock(SystemTime::now()));
    checks.push(limits::look());
    // What waits for the network does so while the compiler works.
    thread::scope(|scope| {
        let names = scope.spawn(loopback::names);
        let outside = wanted.network.then(|| scope.spawn(network::look));
        let login = wanted.login.as_deref();
        let login = login.map(|basedir| scope.spawn(|| credentials(basedir)));
        match Scratch::new("doctor", false) {
            Ok(scratch) => checks.extend(with_scratch(wanted, system, kernel, scratch.path())),
            Err((parent, error)) => checks.push(Check::missing(
                "temporary files",
                format!("{}: {}", parent.display(), ports::words_of(&error)),
                "compiler, headers and tools could not be tried",
                "set TMPDIR to a directory that can be written",
            )),
        }
        checks.extend(loopback::addresses());
        checks.extend(names.join().unwrap_or_default());
        checks.extend(outside.and_then(|all| all.join().ok()).unwrap_or_default());
        checks.push(boot::look());
        checks.extend(login.and_then(|all| all.join().ok()).unwrap_or_default());
    });
    checks
}

/// The checks that run programs.
fn with_scratch(wanted: &Wanted, system: System, kernel: &str, scratch: &Path) -> Vec<Check> {
    let (compiler, found) = compiler::look(scratch);
    let tools = [found, tools::make(system, scratch)];
    let mut checks = vec![machine::temporary(scratch), tools::git(scratch)];
    if !wanted.cpython {
        checks.extend(tools.map(Check::at_most_warning));
        checks.push(locale::look(compiler.as_ref(), scratch));
        checks.push(crashes::look(kernel, scratch));
        return checks;
    }
    checks.extend(tools);
    checks.push(tools::base());
    checks.push(tools::pkg_config(scratch));
    checks.push(tools::gdb(scratch));
    match &compiler {
        Some(compiler) => checks.extend(headers::look(compiler, scratch)),
        None => checks.extend(libraries::LIBRARIES.iter().map(|library| {
            let saw = "cannot be tried without a compiler";
            let why = "the modules that need it are not built";
            let check = Check::missing(library.name, saw, why, "").needing(library.need);
            if library.needed {
                check
            } else {
                check.at_most_warning()
            }
        })),
    }
    checks.push(locale::look(compiler.as_ref(), scratch));
    checks.push(time_zones());
    checks.push(crashes::look(kernel, scratch));
    checks
}

/// Where the time zones of the IANA may lie; test_zoneinfo and datetime want them.
fn time_zones() -> Check {
    const PLACES: &[&str] = &[
        "/usr/share/zoneinfo",
        "/usr/share/lib/zoneinfo",
        "/boot/system/data/zoneinfo",
    ];
    let found = PLACES
        .iter()
        .find(|place| Path::new(place).join("UTC").exists());
    match found {
        Some(place) => Check::ok("time zones", *place),
        None => {
            let saw = "no database of time zones";
            let why = "tests of zoneinfo are skipped";
            Check::warning("time zones", saw, why, "").needing(packages::Need::TimeZones)
        }
    }
}

/// The base directory, and the login with it.
fn credentials(directory: &Path) -> Vec<Check> {
    let settings = match basedir::read(directory) {
        Ok(settings) => settings,
        Err(error) => {
            let why = "the worker would not start";
            let remedy = match &error {
                basedir::ReadError::Wrong { .. } => "correct the file",
                basedir::ReadError::Unreadable { .. } | basedir::ReadError::NotWorker { .. } => {
                    "give the directory that create-worker has made"
                }
            };
            let text = error.to_string();
            let lines: Vec<&str> = text.lines().collect();
            return vec![Check::missing(
                "base directory",
                lines.join("; "),
                why,
                remedy,
            )];
        }
    };
    let mut checks = vec![secrecy(directory)];
    let running = basedir::holder(directory).ok().flatten();
    checks.push(if running.is_some() {
        Check::ok(
            "login",
            "not tried, because the worker runs; see its twistd.log",
        )
    } else {
        login::check(&settings)
    });
    checks
}

/// Whether others can read the password.
fn secrecy(directory: &Path) -> Check {
    let name = "password";
    let file = match basedir::worker_file(directory) {
        Ok((file, _)) => file,
        Err(error) => return Check::missing(name, error.to_string(), "it is in that file", ""),
    };
    match ports::stat(&file, true) {
        Ok(found) if found.mode & 0o077 != 0 => Check::warning(
            name,
            format!("{} has mode {:o}", file.display(), found.mode & 0o777),
            "other users of this machine can read the password",
            format!("chmod 600 {}", file.display()),
        ),
        Ok(_) => Check::ok(name, format!("{} is for its owner only", file.display())),
        Err(error) => {
            let saw = format!("{}: {}", file.display(), ports::words_of(&error));
            Check::warning(name, saw, "it is in that file", "")
        }
    }
}

/// How many checks ended so.
pub fn count(checks: &[Check], verdict: Verdict) -> usize {
    checks
        .iter()
        .filter(|check| check.verdict == verdict)
        .count()
}
