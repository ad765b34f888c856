//! Everything that a bring-up found, as it is kept in `report.json` and read again by the next one.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::build::Build;
use super::configure::Configure;
use super::modules::Missing;
use super::results::Tests;
use crate::local::recipe::Outcome;

/// The version of the file's form.
const VERSION: u32 = 1;
/// Largest file that is read, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The form of this file.
    pub version: u32,
    /// Who wrote it: `coracle 0.1.0`.
    pub software: String,
    /// When it ended, in UTC: `2026-11-22 19:40`.
    pub date: String,
    /// How long all steps took, in seconds.
    pub seconds: f64,
    /// What was built, and how: `main at 1234abcd`, `debug`.
    pub source: String,
    /// The variant of the build.
    pub variant: String,
    /// The step that ended the run before its end, to go on with.
    pub halted: Option<String>,
    /// The machine: name and value.
    pub facts: Vec<(String, String)>,
    /// In the order of running.
    pub steps: Vec<Step>,
    /// The variables whose values are masked in the copies of the logs.
    #[serde(default)]
    pub masked: BTreeSet<String>,
    /// What configure said.
    pub configure: Configure,
    /// What the build said.
    pub build: Build,
    /// The modules that are not there.
    pub missing: Vec<Missing>,
    /// The commands that install what they need: with checked names, with others.
    pub install: Vec<String>,
    /// What the tests said; none if they were not run.
    pub tests: Option<Tests>,
}

/// One step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub result: StepResult,
    /// Why it ended so, where that needs words.
    pub reason: String,
    /// How long it took.
    pub seconds: f64,
    /// Its log, relative to the report.
    pub log: Option<String>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepResult {
    /// As it should.
    Success,
    /// With something to be looked at.
    Warnings,
    /// Not as it should.
    Failure,
    /// It did not run.
    #[default]
    Skipped,
}

impl StepResult {
    /// What a recipe's outcome means in a report.
    pub fn of(outcome: Outcome) -> StepResult {
        match outcome {
            Outcome::Success => StepResult::Success,
            Outcome::Skipped => StepResult::Skipped,
            Outcome::Warnings => StepResult::Warnings,
            Outcome::Failure | Outcome::Exception | Outcome::Cancelled => StepResult::Failure,
        }
    }

    /// In a report.
    pub fn word(self) -> &'static str {
        match self {
            StepResult::Success => "success",
            StepResult::Warnings => "warnings",
            StepResult::Failure => "failure",
            StepResult::Skipped => "skipped",
        }
    }
}

impl Record {
    /// Empty, of this version.
    pub fn new() -> Record {
        Record {
            version: VERSION,
            software: crate::basedir::version(),
            ..Record::default()
        }
    }

    /// Whether all is well.
    pub fn is_good(&self) -> bool {
        let steps = self.steps.iter();
        let bad = steps.filter(|step| step.result == StepResult::Failure);
        let failed = self
            .tests
            .as_ref()
            .is_some_and(|tests| !tests.failing().is_empty());
        bad.count() == 0 && !failed
    }

    /// What is kept in a file.
    pub fn json(&self) -> String {
        // Only maps with keys that are no texts could fail, and there is none.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads an earlier one; none if there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, or is of another form.
    pub fn read(file: &Path) -> Result<Option<Record>, String> {
        let failed = |why: String| format!("cannot read {}: {why}", file.display());
        let opened = match File::open(file) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(ports::words_of(&error))),
        };
        let reader = BufReader::new(opened.take(LARGEST));
        let record: Record =
            serde_json::from_reader(reader).map_err(|error| failed(error.to_string()))?;
        if record.version != VERSION {
            let version = record.version;
            return Err(failed(format!("its form is {version}, known is {VERSION}")));
        }
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let mut record = Record::new();
        record.source = "main \u{1} \"quoted\"".to_owned();
        record.tests = Some(Tests::default());
        let file = std::env::temp_dir().join(format!("coracle-record-{}", std::process::id()));
        std::fs::write(&file, record.json()).expect("a file");
        assert_eq!(Record::read(&file), Ok(Some(record)));
        for bad in ["", "{}", "[1]", "{\"version\":7}"] {
            std::fs::write(&file, bad).expect("a file");
            assert!(Record::read(&file).is_err(), "{bad}");
        }
        std::fs::remove_file(&file).expect("removed");
        assert_eq!(Record::read(&file), Ok(None));
    }
}
