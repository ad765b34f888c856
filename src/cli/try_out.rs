//! `try`: shows what the worker does, on this machine, without a master and without set-up.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use argh::FromArgs;

use super::Exit;
use super::live::Live;
use super::output::{Voice, complain, say};
use super::own_program::own_program;
use crate::basedir::LogTarget;
use crate::basedir::logging::{self, Place};
use crate::doctor;
use crate::local::recipe::{Outcome, Plan, RecipeFile, ValueOf};
use crate::local::run::{Job, Report, run};
use crate::local::selftest;

/// See the worker at work on this machine: compiles, transfers, time limits, and processes that try to
/// get away. Takes some seconds, needs no master, and leaves nothing behind.
#[derive(FromArgs)]
#[argh(subcommand, name = "try")]
pub struct Try {
    /// leave the directory with the worker's log and those of the steps
    #[argh(switch)]
    keep: bool,

    /// what the recipe lets get away: leave session and parents, write the process number here
    #[argh(option, hidden_help)]
    escape: Option<PathBuf>,
}

impl Try {
    /// Runs the recipe.
    pub fn run(self, voice: Voice, verbose: bool) -> Exit {
        if let Some(file) = self.escape {
            return escape(&file);
        }
        let scratch = match Scratch::new("try", self.keep) {
            Ok(scratch) => scratch,
            Err(why) => return voice.failed(&why),
        };
        let begun = Instant::now();
        let result = scratch.run("hello", verbose, Box::new(Live::new()));
        let exit = match result {
            Ok((_, report)) => {
                say("");
                for line in table(&report) {
                    say(&line);
                }
                say("");
                say(&verdict(&report, begun.elapsed()));
                exit(&report)
            }
            Err(why) => voice.failed(&why),
        };
        scratch.done(voice);
        exit
    }
}

fn exit(report: &Report) -> Exit {
    match (report.stopped, report.outcome) {
        (Some(request), _) => Exit::Signal(request),
        (None, Outcome::Success | Outcome::Skipped | Outcome::Warnings) => Exit::GOOD,
        (None, Outcome::Failure | Outcome::Exception | Outcome::Cancelled) => Exit::BAD,
    }
}

fn verdict(report: &Report, time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match (report.outcome, &report.trouble) {
        (Outcome::Cancelled, _) if report.stopped.is_some() => "Stopped.".to_owned(),
        (_, Some(trouble)) => format!("It could not be run to its end: {trouble}"),
        (Outcome::Success | Outcome::Skipped | Outcome::Warnings, None) => format!(
            "This machine can be a worker ({seconds:.1} s). `coracle selftest` looks closer."
        ),
        (Outcome::Failure | Outcome::Exception | Outcome::Cancelled, None) => {
            "Something does not work here. `coracle selftest` looks closer; --keep leaves the logs."
                .to_owned()
        }
    }
}

/// Step, result, seconds, and what it shows.
pub(super) fn table(report: &Report) -> Vec<String> {
    let steps = &report.steps;
    let width = steps.iter().map(|end| end.name.chars().count()).max();
    let width = width.unwrap_or_default().max("step".len());
    let row = |name: &str, result: &str, seconds: &str, note: &str| {
        format!("{name:width$}  {result:9}  {seconds:>7}  {note}")
            .trim_end()
            .to_owned()
    };
    let mut lines = vec![
        row("step", "result", "seconds", "what it shows"),
        row(&"-".repeat(width), "---------", "-------", "-------------"),
    ];
    lines.extend(steps.iter().map(|end| {
        let seconds = match end.log {
            Some(_) => format!("{:.2}", end.seconds),
            None => String::new(),
        };
        row(&end.name, end.outcome.name(), &seconds, &end.note)
    }));
    lines
}

/// A base directory for a moment.
pub(super) struct Scratch {
    directory: doctor::Scratch,
    keep: bool,
}

impl Scratch {
    /// Makes it, in the directory for temporary files.
    ///
    /// # Errors
    /// One line.
    pub fn new(what: &str, keep: bool) -> Result<Scratch, String> {
        let directory = doctor::Scratch::new(what, keep).map_err(|(path, error)| {
            format!(
                "cannot make a directory in {}: {}; TMPDIR names another place",
                path.display(),
                ports::words_of(&error)
            )
        })?;
        Ok(Scratch { directory, keep })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a built-in recipe in it.
    ///
    /// # Errors
    /// One line.
    pub fn run(
        &self,
        recipe: &str,
        verbose: bool,
        observer: Box<dyn crate::local::run::Observer>,
    ) -> Result<(Plan, Report), String> {
        let program = own_program().unwrap_or_default();
        let program = ValueOf::Text(program.to_string_lossy().into_owned());
        let user = ports::stat(self.path(), true).ok();
        let user = user.map(|found| ports::user_name(found.uid).unwrap_or(found.uid.to_string()));
        let values = BTreeMap::from([
            ("coracle".to_owned(), program),
            ("system".to_owned(), ValueOf::Text(selftest::system_name())),
            ("user".to_owned(), ValueOf::Text(user.unwrap_or_default())),
        ]);
        let plan = RecipeFile::built_in(recipe)
            .and_then(|file| file.plan(None, &values))
            .map_err(|error| error.to_string())?;
        let log = LogTarget::File {
            path: self.path().join("twistd.log"),
            rotation: crate::basedir::Rotation::UNSET,
        };
        logging::start(&log, self.path(), Place::Inside, verbose);
        let job = Job {
            plan: plan.clone(),
            base: self.path().to_owned(),
            directory: recipe.to_owned(),
            results: self.path().join("results"),
            environment: std::env::vars_os().collect(),
            earlier: Vec::new(),
        };
        let report = run(job, observer).map_err(|error| error.to_string())?;
        Ok((plan, report))
    }

    /// Removes it, or says where it is.
    pub fn done(self, voice: Voice) {
        let path = self.path().to_owned();
        if self.keep {
            say(&format!("The logs are in {}", path.display()));
            return;
        }
        drop(self.directory);
        if path.exists() {
            let name = voice.program();
            complain(&format!("{name}: cannot remove all of {}", path.display()));
        }
    }
}

/// Becomes a process that has left its session and its parents, and waits to be found.
fn escape(file: &Path) -> Exit {
    match ports::detach() {
        Ok(ports::Detached::Starter(_)) => Exit::GOOD,
        Ok(ports::Detached::Daemon(_end)) => {
            let pid = std::process::id().to_string();
            if std::fs::write(file, pid).is_ok() {
                std::thread::sleep(Duration::from_secs(600));
            }
            Exit::GOOD
        }
        Err(_) => Exit::BAD,
    }
}
