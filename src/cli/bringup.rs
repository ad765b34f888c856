//! `bringup`: builds and tests CPython as its fleet does, without a master, and reports.

mod options;
mod run;
mod show;

use std::path::Path;

use argh::FromArgs;

use super::Exit;
use super::output::{Voice, complain, say};
use crate::basedir::Lock;
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

    /// only these tests, separated by blanks; with -x before them, all but these (all)
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
            Err(why) => voice.failed(&why),
        }
    }

    fn bring_up(&self, verbose: bool) -> Result<Exit, String> {
        let wanted = self.wanted()?;
        let origin = self.origin()?;
        let directory = Path::new(&self.directory);
        let report = self.report.as_ref().map(Path::new);
        if self.rerun_failed && !directory.is_dir() {
            let shown = directory.display();
            return Err(format!(
                "nothing was brought up in {shown} yet; --directory names another"
            ));
        }
        let compared = match &self.compare {
            Some(path) => Some(self.other_report(Path::new(path))?),
            None => None,
        };
        let place = Place::open(directory, report)?;
        let lock = Lock::take(&place.base);
        let _lock = lock.map_err(|error| options::not_locked(&place.base, &error))?;
        place.check_report()?;
        let last = match place.last() {
            Ok(last) => last,
            // Perhaps it is of another version; it is kept beside the new one.
            Err(why) if !self.rerun_failed => {
                complain(&format!("not compared with the last report: {why}"));
                None
            }
            Err(why) => return Err(why),
        };
        // Another variant is another build.
        let like = |last: &Record| self.rerun_failed || last.variant == self.variant;
        let against = compared.or_else(|| last.clone().filter(like));
        let outcome = match self.rerun_failed {
            true => run::again(&place, &wanted, last, verbose)?,
            false => {
                self.look_at_machine(&place, origin.as_ref())?;
                let origin = origin.as_ref();
                run::whole(&place, &wanted, origin, self.fresh, verbose)?
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
