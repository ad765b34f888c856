//! Where a bring-up works and what it leaves: a base directory with the builder's directory, the logs of
//! every run, and the report.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::compare::Changes;
use super::html::html;
use super::markdown::markdown;
use super::record::{Record, Step, StepResult};
use crate::doctor::words_of;
use crate::local::recipe::{Outcome, Plan};

/// The directories.
#[derive(Debug, Clone)]
pub struct Place {
    /// The worker's base directory; absolute.
    pub base: PathBuf,
    /// Where the report goes; absolute.
    pub report: PathBuf,
}

/// Results of one run, and whether it was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// Where they are.
    pub directory: PathBuf,
    /// A run was cut off there, and can go on.
    pub cut_off: bool,
}

impl Place {
    /// Makes the directories that are not there.
    ///
    /// # Errors
    /// What could not be made.
    pub fn open(base: &Path, report: Option<&Path>) -> Result<Place, String> {
        fs::create_dir_all(base).map_err(|error| failed("make", base, &error))?;
        let base = fs::canonicalize(base).map_err(|error| failed("enter", base, &error))?;
        let report = match report {
            Some(report) => {
                std::path::absolute(report).map_err(|error| failed("use", report, &error))?
            }
            None => base.join("report"),
        };
        Ok(Place { base, report })
    }

    /// The builder's directory of a variant, below the base directory.
    pub fn builder(variant: &str) -> String {
        format!("cpython-{variant}")
    }

    /// Where the source and the build are.
    pub fn build(&self, variant: &str) -> PathBuf {
        self.base.join(Place::builder(variant)).join("build")
    }

    /// Where the next run's logs go; those of the last run if that was of the same plan, was cut off
    /// and is to go on.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn results(&self, fresh: bool, plan: &Plan) -> Result<Results, String> {
        let all = self.base.join("results");
        fs::create_dir_all(&all).map_err(|error| failed("make", &all, &error))?;
        let last = self.last_results();
        if let Some(directory) = last.clone().filter(|_| !fresh) {
            if is_cut_off(&directory, &plan.fingerprint()) {
                return Ok(Results {
                    directory,
                    cut_off: true,
                });
            }
        }
        let last = last.as_deref().and_then(Path::file_name);
        let last = last.and_then(|name| name.to_str()?.parse::<u32>().ok());
        let last = last.unwrap_or(0);
        let directory = all.join(format!("{:04}", last.saturating_add(1)));
        fs::create_dir(&directory).map_err(|error| failed("make", &directory, &error))?;
        Ok(Results {
            directory,
            cut_off: false,
        })
    }

    /// Where the last run of this plan did not go on, and the steps before; from its own notes, for when
    /// there was no room left for a report. None if it came to its end.
    pub fn unfinished(&self, plan: &Plan) -> Option<(String, Vec<Step>)> {
        let bytes = fs::read(self.last_results()?.join("progress")).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let head = text.lines().next()?;
        if !head.ends_with(&format!(" {}", plan.fingerprint())) {
            return None;
        }
        let notes: Vec<Note> = text.lines().filter_map(Note::read).collect();
        let mut before = Vec::new();
        for step in &plan.steps {
            match notes.iter().find(|note| note.step.name == step.name) {
                Some(note) if !step.rules.halts(note.outcome) => before.push(note.step.clone()),
                Some(_) | None => return Some((step.name.clone(), before)),
            }
        }
        None
    }

    fn last_results(&self) -> Option<PathBuf> {
        let all = self.base.join("results");
        let entries = fs::read_dir(&all).ok()?;
        let names = entries.flatten().filter_map(|entry| {
            let name = entry.file_name();
            name.to_str()?.parse::<u32>().ok()
        });
        names.max().map(|last| all.join(format!("{last:04}")))
    }

    /// The record of the last run.
    ///
    /// # Errors
    /// See [`Record::read`].
    pub fn last(&self) -> Result<Option<Record>, String> {
        Record::read(&self.report.join("report.json"))
    }

    /// Writes the report with copies of the logs. The steps' logs are made relative to it.
    ///
    /// # Errors
    /// What could not be written.
    pub fn publish(&self, record: &mut Record, changes: Option<&Changes>) -> Result<(), String> {
        let logs = self.report.join("logs");
        fs::create_dir_all(&logs).map_err(|error| failed("make", &logs, &error))?;
        for step in &mut record.steps {
            let Some(log) = step.log.take() else { continue };
            step.log = Some(self.copy_log(Path::new(&log), &logs)?);
        }
        forget_others(&logs, record);
        let json = self.report.join("report.json");
        if json.exists() {
            let before = self.report.join("report.before.json");
            fs::rename(&json, &before).map_err(|error| failed("rename", &json, &error))?;
        }
        for (name, text) in [
            ("report.json", record.json()),
            ("report.md", markdown(record, changes)),
            ("report.html", html(record, changes)),
        ] {
            write(&self.report.join(name), &text)?;
        }
        Ok(())
    }

    /// The log's name relative to the report.
    fn copy_log(&self, log: &Path, logs: &Path) -> Result<String, String> {
        let name = |path: &Path| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        };
        let log = self.report.join(log);
        let file = name(&log).unwrap_or_default();
        let file = match log.parent() {
            Some(parent) if parent == logs => file,
            parent => {
                let run = parent.and_then(name).unwrap_or_default();
                let file = format!("{run}-{file}");
                let copy = logs.join(&file);
                fs::copy(&log, &copy).map_err(|error| failed("copy", &log, &error))?;
                file
            }
        };
        Ok(format!("logs/{file}"))
    }

    /// The tests' XML, if the step whose log this is has written it.
    pub fn xml(&self, variant: &str, log: &Path, seconds: f64) -> Option<PathBuf> {
        let file = self.build(variant).join("test-results.xml");
        let changed = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
        let ended: SystemTime = changed(log)?;
        // Clocks of file systems are coarse.
        let took = Duration::try_from_secs_f64(seconds + 2.0).ok()?;
        let begun = ended.checked_sub(took)?;
        (changed(&file)? >= begun).then_some(file)
    }
}

/// Whether a run of this plan has begun there and not come to its end: see `local::run`, whose first
/// line ends with the plan's fingerprint, and whose last one is `end`.
fn is_cut_off(directory: &Path, fingerprint: &str) -> bool {
    let bytes = fs::read(directory.join("progress")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let head = text.lines().next().unwrap_or_default();
    head.ends_with(&format!(" {fingerprint}")) && !text.ends_with("\nend\n")
}

/// A line of a run's notes, as `local::run` writes them: name, outcome, exit code, seconds, note and
/// log, with tabs between.
struct Note {
    outcome: Outcome,
    step: Step,
}

impl Note {
    fn read(line: &str) -> Option<Note> {
        let fields: Vec<&str> = line.strip_prefix("step\t")?.split('\t').collect();
        let [name, outcome, _, seconds, note, log] = fields[..] else {
            return None;
        };
        let outcome = Outcome::named(outcome)?;
        Some(Note {
            outcome,
            step: Step {
                name: name.to_owned(),
                result: StepResult::of(outcome),
                reason: note.to_owned(),
                seconds: seconds.parse().ok()?,
                log: (!log.is_empty()).then(|| log.to_owned()),
            },
        })
    }
}

/// Removes copies of logs that no step of this record has.
fn forget_others(logs: &Path, record: &Record) {
    let is_ours = |name: &str| {
        let parts: Vec<&str> = name.splitn(3, '-').collect();
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        matches!(parts[..], [run, step, _] if run.len() == 4 && digits(run) && digits(step))
            && name.ends_with(".log")
    };
    let Ok(entries) = fs::read_dir(logs) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let log = Some(format!("logs/{name}"));
        if is_ours(&name) && !record.steps.iter().any(|step| step.log == log) {
            // Only an old copy; it may stay if it has to.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes a file so that a full disk leaves the old one or none, but not half of one.
fn write(path: &Path, text: &str) -> Result<(), String> {
    let new = path.with_extension("new");
    let written = fs::write(&new, text).and_then(|()| fs::rename(&new, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&new);
        failed("write", path, &error)
    })
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {doing} {}: {}", path.display(), words_of(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> Place {
        let base = std::env::temp_dir().join(format!("coracle-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&base);
        Place::open(&base, None).expect("a place")
    }

    fn plan() -> Plan {
        Plan {
            title: "x".to_owned(),
            steps: Vec::new(),
        }
    }

    #[test]
    fn a_run_that_was_cut_off_goes_on_in_its_directory() {
        let place = place("place-results");
        let plan = plan();
        let head = format!("head {}\nstep\n", plan.fingerprint());
        let first = place.results(false, &plan).expect("results");
        assert!(first.directory.ends_with("results/0001") && !first.cut_off);
        fs::write(first.directory.join("progress"), &head).expect("a file");
        let again = place.results(false, &plan).expect("results");
        assert_eq!(
            (again.directory.clone(), again.cut_off),
            (first.directory.clone(), true)
        );
        let fresh = place.results(true, &plan).expect("results");
        assert!(fresh.directory.ends_with("results/0002"));
        fs::write(fresh.directory.join("progress"), format!("{head}end\n")).expect("a file");
        let next = place.results(false, &plan).expect("results");
        assert!(next.directory.ends_with("results/0003") && !next.cut_off);
        fs::write(next.directory.join("progress"), "head of another\nstep\n").expect("a file");
        assert!(!place.results(false, &plan).expect("results").cut_off);
        fs::remove_dir_all(&place.base).expect("removed");
    }

    #[test]
    fn a_report_has_copies_of_its_logs_and_keeps_the_one_before() {
        let place = place("place-report");
        let results = place.results(false, &plan()).expect("results").directory;
        fs::write(results.join("01-x.log"), "log").expect("a file");
        let mut record = Record::new();
        record.steps = vec![Step {
            log: Some(results.join("01-x.log").to_string_lossy().into_owned()),
            ..Step::default()
        }];
        place.publish(&mut record, None).expect("a report");
        assert_eq!(record.steps[0].log.as_deref(), Some("logs/0001-01-x.log"));
        assert!(place.report.join("logs/0001-01-x.log").is_file());
        // Published once more, its log stays where it is; what is of earlier runs goes.
        let logs = place.report.join("logs");
        for name in ["0007-02-y.log", "mine.log"] {
            fs::write(logs.join(name), "").expect("a file");
        }
        place.publish(&mut record, None).expect("a report");
        assert_eq!(record.steps[0].log.as_deref(), Some("logs/0001-01-x.log"));
        assert!(!logs.join("0007-02-y.log").exists() && logs.join("mine.log").exists());
        assert!(place.report.join("report.before.json").is_file());
        assert_eq!(place.last(), Ok(Some(record)));
        fs::remove_dir_all(&place.base).expect("removed");
    }
}
