//! Whether what was typed can be obeyed, before anything is made or done.

use std::path::{Path, PathBuf};

use super::BringUp;
use crate::basedir::{Holder, LockError};
use crate::bringup::plan::{self, Wanted};
use crate::bringup::source::Origin;
use crate::bringup::{Place, Record};
use crate::doctor;

/// Most jobs at a time; more is a mistake in typing.
const MOST_JOBS: usize = 1000;

impl BringUp {
    /// What is to be run.
    ///
    /// # Errors
    /// One line, of the first option that makes no sense.
    pub(super) fn wanted(&self) -> Result<Wanted, String> {
        self.check_texts()?;
        if let Some(other) = self.what.as_deref().filter(|what| *what != "cpython") {
            return Err(format!("{other}: known is only cpython"));
        }
        if self.source.is_some() && self.git.is_some() {
            return Err("--source and --git do not go together".to_owned());
        }
        let jobs = self.jobs.unwrap_or_else(doctor::jobs);
        if !(1..=MOST_JOBS).contains(&jobs) {
            return Err(format!(
                "--jobs {jobs}: give a number from 1 to {MOST_JOBS}, or leave it out"
            ));
        }
        let wanted = Wanted {
            variant: Some(self.variant.clone()),
            jobs,
            tests: words(self.tests.as_deref(), char::is_whitespace),
            steps: words(self.steps.as_deref(), |c| c == ','),
        };
        plan::check(&wanted)?;
        Ok(wanted)
    }

    /// Whether each option that needs a text has one.
    fn check_texts(&self) -> Result<(), String> {
        let texts = [
            ("source", self.source.as_deref(), "a directory"),
            ("git", self.git.as_deref(), "an address"),
            ("branch", self.branch.as_deref(), "a branch, tag or commit"),
            ("directory", Some(self.directory.as_str()), "a directory"),
            ("report", self.report.as_deref(), "a directory"),
            ("compare", self.compare.as_deref(), "an earlier report"),
            (
                "tests",
                self.tests.as_deref(),
                "tests, as in 'test_json test_os'",
            ),
            (
                "steps",
                self.steps.as_deref(),
                "steps, as in configure,compile",
            ),
        ];
        for (name, text, what) in texts {
            let names_nothing = |text: &str| match name {
                "steps" => words(Some(text), |c| c == ',').is_empty(),
                _ => text.trim().is_empty(),
            };
            if let Some(text) = text.filter(|text| names_nothing(text)) {
                return Err(format!("--{name} '{text}' names nothing; give {what}"));
            }
        }
        Ok(())
    }

    /// Where the source comes from.
    ///
    /// # Errors
    /// One line; also if the build would be made in the source, or would remove it.
    pub(super) fn origin(&self) -> Result<Option<Origin>, String> {
        let branch = self.branch.clone();
        let origin = match (&self.source, &self.git) {
            (Some(directory), _) => Origin::of_directory(Path::new(directory), branch)?,
            (None, Some(url)) => Origin::of_address(url, branch),
            (None, None) => return Ok(None),
        };
        Place::check_apart(Path::new(&self.directory), &self.variant, &origin)?;
        Ok(Some(origin))
    }

    /// The report that `--compare` names.
    ///
    /// # Errors
    /// It is not there or cannot be read.
    pub(super) fn other_report(&self, path: &Path) -> Result<Record, String> {
        let file: PathBuf = match path.is_dir() {
            true => path.join("report.json"),
            false => path.to_owned(),
        };
        let record = Record::read(&file)?;
        record.ok_or_else(|| format!("there is no report {}", file.display()))
    }
}

fn words(text: Option<&str>, separator: fn(char) -> bool) -> Vec<String> {
    let words = text.unwrap_or("").split(separator).map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Why the directory cannot be worked in.
pub(super) fn not_locked(base: &Path, error: &LockError) -> String {
    match error {
        LockError::Held(Holder { pid }) => {
            let process = pid.map_or(String::new(), |pid| format!(", process {pid}"));
            format!(
                "another bring-up or a worker works in {}{process}; wait for its end, or name another place with --directory",
                base.display()
            )
        }
        LockError::System { .. } => error.to_string(),
    }
}
