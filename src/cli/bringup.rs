//! `bringup`: builds and tests CPython as its fleet does, without a master, and reports.

mod run;
mod show;

use std::path::Path;

use argh::FromArgs;

use super::Exit;
use super::output::{Voice, complain, say};
use crate::basedir::Lock;
use crate::bringup::plan::Wanted;
use crate::bringup::source::Origin;
use crate::bringup::{Place, Record, compare};
use crate::doctor;

/// Build and test CPython as its fleet does, and report what does not work yet. A run that was cut
/// off or failed goes on where it was.
#[derive(FromArgs)]
#[argh(subcommand, name = "bringup")]
pub struct BringUp {
    /// directory with the source: a git repository (also a bare one), or an unpacked archive
    #[argh(option)]
    source: Option<String>,

    /// git repository to fetch the source from
    #[argh(option)]
    git: Option<String>,

    /// branch, tag or commit
    #[argh(option)]
    branch: Option<String>,

    /// debug, nondebug, nogil, refleak, asan, installed or no-docstrings (debug)
    #[argh(option, default = "String::from(\"debug\")")]
    variant: String,

    /// only these steps, separated by commas (all but clean)
    #[argh(option)]
    steps: Option<String>,

    /// only these tests, separated by blanks (all)
    #[argh(option)]
    tests: Option<String>,

    /// jobs at a time (what processors and memory allow)
    #[argh(option)]
    jobs: Option<usize>,

    /// run only what failed last time, each test in a process of its own
    #[argh(switch)]
    rerun_failed: bool,

    /// begin anew instead of going on where the last run was
    #[argh(switch)]
    fresh: bool,

    /// where to work (bringup)
    #[argh(option, default = "String::from(\"bringup\")")]
    directory: String,

    /// where the report goes (report in the directory)
    #[argh(option)]
    report: Option<String>,

    /// compare with this report instead of the last one: a directory or report.json
    #[argh(option)]
    compare: Option<String>,

    /// what to bring up: cpython
    #[argh(positional)]
    what: Option<String>,
}

impl BringUp {
    /// Does all of it; status 1 if something is not good yet.
    pub fn run(self, voice: Voice, verbose: bool) -> Exit {
        match self.bring_up(verbose) {
            Ok(exit) => exit,
            Err(why) => {
                complain(&format!("{}: {why}", voice.program()));
                Exit::BAD
            }
        }
    }

    fn bring_up(&self, verbose: bool) -> Result<Exit, String> {
        if let Some(other) = self.what.as_deref().filter(|what| *what != "cpython") {
            return Err(format!("{other}: known is only cpython"));
        }
        if self.source.is_some() && self.git.is_some() {
            return Err("--source and --git do not go together".to_owned());
        }
        let origin = self.origin()?;
        let directory = Path::new(&self.directory);
        let report = self.report.as_ref().map(Path::new);
        if self.rerun_failed && !directory.is_dir() {
            let shown = directory.display();
            return Err(format!(
                "nothing was brought up in {shown} yet; --directory names another"
            ));
        }
        let place = Place::open(directory, report)?;
        let _lock = Lock::take(&place.base).map_err(|error| error.to_string())?;
        let last = match place.last() {
            Ok(last) => last,
            // Perhaps it is of another version; it is kept beside the new one.
            Err(why) if !self.rerun_failed => {
                complain(&format!("not compared with the last report: {why}"));
                None
            }
            Err(why) => return Err(why),
        };
        let against = match &self.compare {
            Some(path) => Some(self.other_report(Path::new(path))?),
            None => last.clone(),
        };
        let outcome = match self.rerun_failed {
            true => run::again(&place, &self.wanted(), last, verbose)?,
            false => {
                self.look_at_machine(&place, origin.as_ref())?;
                let origin = origin.as_ref();
                run::whole(&place, &self.wanted(), origin, self.fresh, verbose)?
            }
        };
        let mut record = match outcome {
            run::Outcome::Ended(record) => *record,
            run::Outcome::Stopped(exit) => return Ok(exit),
        };
        let changes = against.map(|against| compare(&against, &record));
        let published = place.publish(&mut record, changes.as_ref());
        published
            .map_err(|why| format!("{why}; after that is put right, the same command goes on"))?;
        run::tell(&place, &record, changes.as_ref());
        Ok(if record.is_good() {
            Exit::GOOD
        } else {
            Exit::BAD
        })
    }

    fn origin(&self) -> Result<Option<Origin>, String> {
        let branch = self.branch.clone();
        match (&self.source, &self.git) {
            (Some(directory), _) => Origin::of_directory(Path::new(directory), branch).map(Some),
            (None, Some(url)) => Ok(Some(Origin::Git {
                url: url.clone(),
                branch,
            })),
            (None, None) => Ok(None),
        }
    }

    fn wanted(&self) -> Wanted {
        let words = |text: &Option<String>, separator: fn(char) -> bool| -> Vec<String> {
            let text = text.as_deref().unwrap_or("");
            let words = text.split(separator).map(str::trim);
            words
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        Wanted {
            variant: Some(self.variant.clone()),
            jobs: self.jobs.unwrap_or_else(doctor::jobs).clamp(1, 1000),
            tests: words(&self.tests, char::is_whitespace),
            steps: words(&self.steps, |c| c == ','),
        }
    }

    fn other_report(&self, path: &Path) -> Result<Record, String> {
        let file = match path.is_dir() {
            true => path.join("report.json"),
            false => path.to_owned(),
        };
        let record = Record::read(&file)?;
        record.ok_or_else(|| format!("there is no report {}", file.display()))
    }

    /// Stops before an hour's work that cannot succeed.
    fn look_at_machine(&self, place: &Place, origin: Option<&Origin>) -> Result<(), String> {
        use doctor::packages::Need;
        let report = doctor::examine(&doctor::Wanted {
            cpython: true,
            network: false,
            directory: place.base.clone(),
            login: None,
            system: None,
        });
        let uses_git = matches!(origin, Some(Origin::Git { .. }));
        let needed = |check: &&doctor::check::Check| match check.need {
            Some(Need::Compiler | Need::Make) => true,
            Some(Need::Git) => uses_git,
            Some(_) => false,
            None => [
                "compiler",
                "base tools",
                "disk",
                "temporary files",
                "loopback",
            ]
            .contains(&check.name.as_str()),
        };
        let missing = report.checks.iter();
        let missing = missing.filter(|check| check.verdict == doctor::check::Verdict::Missing);
        let (stopping, others): (Vec<_>, Vec<_>) = missing.partition(needed);
        if !others.is_empty() {
            let names: Vec<&str> = others.iter().map(|check| check.name.as_str()).collect();
            say(&format!(
                "missing, so that modules will not be built: {} (see coracle doctor --for cpython)",
                names.join(", ")
            ));
        }
        match stopping.first() {
            None => Ok(()),
            Some(check) => Err(format!(
                "{}: {}; `coracle doctor --for cpython` tells how to install what is missing, then the same command goes on",
                check.name, check.saw
            )),
        }
    }
}
