//! Where a bring-up works and what it leaves: a base directory with the builder's directory, the logs of
//! every run, and the report.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::compare::Changes;
use super::html::html;
use super::markdown::markdown;
use super::mask::Mask;
use super::record::Record;
use super::source::Origin;
use ports::words_of;

/// The files of a report.
const FILES: [&str; 3] = ["report.json", "report.md", "report.html"];

/// The directories.
#[derive(Debug, Clone)]
pub struct Place {
    /// The worker's base directory; absolute.
    pub base: PathBuf,
    /// Where the report goes; absolute.
    pub report: PathBuf,
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

    /// Whether the build of `origin` may be made below `base`, which need not be there yet.
    ///
    /// # Errors
    /// It would be made in its own source, or would remove it.
    pub fn check_apart(base: &Path, variant: &str, origin: &Origin) -> Result<(), String> {
        let Some(source) = origin.directory() else {
            return Ok(());
        };
        let base = real(base)?;
        let build = base.join(Place::builder(variant)).join("build");
        let (shown, its) = (base.display(), source.display());
        if base == source {
            return Err(format!(
                "--directory {shown} is the source itself; name a place outside of it"
            ));
        }
        if source.starts_with(&build) {
            return Err(format!(
                "the source {its} is where the build in --directory {shown} is made, which removes it; name another place"
            ));
        }
        if build.starts_with(&source) {
            return Err(format!(
                "--directory {shown} is inside the source {its}; name a place outside of it"
            ));
        }
        Ok(())
    }

    /// Makes the directory of the report and sees that files can be written there, so that an hour's
    /// work does not end without one. What is there stays.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn check_report(&self) -> Result<(), String> {
        let logs = self.report.join("logs");
        fs::create_dir_all(&logs).map_err(|error| failed("make", &logs, &error))?;
        for name in FILES {
            let file = self.report.join(name);
            if file.is_dir() {
                let shown = file.display();
                return Err(format!(
                    "cannot write {shown}, which is a directory; --report names another place"
                ));
            }
        }
        for directory in [&self.report, &logs] {
            let probe = directory.join("probe.new");
            let made = fs::write(&probe, "probe\n").and_then(|()| fs::remove_file(&probe));
            made.map_err(|error| failed("write into", directory, &error))?;
        }
        Ok(())
    }

    /// The builder's directory of a variant, below the base directory.
    pub fn builder(variant: &str) -> String {
        format!("cpython-{variant}")
    }

    /// Where the source and the build are.
    pub fn build(&self, variant: &str) -> PathBuf {
        self.base.join(Place::builder(variant)).join("build")
    }

    /// The record of the last run.
    ///
    /// # Errors
    /// See [`Record::read`].
    pub fn last(&self) -> Result<Option<Record>, String> {
        Record::read(&self.report.join("report.json"))
    }

    /// Writes the report with copies of the logs, without secrets. The steps' logs are made relative to it.
    ///
    /// # Errors
    /// What could not be written.
    pub fn publish(&self, record: &mut Record, changes: Option<&Changes>) -> Result<(), String> {
        let logs = self.report.join("logs");
        fs::create_dir_all(&logs).map_err(|error| failed("make", &logs, &error))?;
        let mut mask = Mask::new(std::env::vars_os());
        for step in &mut record.steps {
            step.reason = mask.text(&step.reason);
            let Some(log) = step.log.take() else { continue };
            step.log = Some(self.copy_log(Path::new(&log), &logs, &mut mask)?);
        }
        // Logs that were copied for the last report are masked already.
        record.masked.extend(mask.names);
        forget_others(&logs, record);
        let json = self.report.join("report.json");
        if json.exists() {
            let before = self.report.join("report.before.json");
            fs::rename(&json, &before).map_err(|error| failed("rename", &json, &error))?;
        }
        let texts = [
            record.json(),
            markdown(record, changes),
            html(record, changes),
        ];
        for (name, text) in FILES.into_iter().zip(texts) {
            write(&self.report.join(name), &text)?;
        }
        Ok(())
    }

    /// The log's name relative to the report.
    fn copy_log(&self, log: &Path, logs: &Path, mask: &mut Mask) -> Result<String, String> {
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
                mask.copy(&log, &copy)
                    .map_err(|error| failed("copy", &log, &error))?;
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

/// The path without symbolic links, as far as it is there.
fn real(path: &Path) -> Result<PathBuf, String> {
    let path = std::path::absolute(path).map_err(|error| failed("use", path, &error))?;
    let there = path.ancestors().find_map(|part| {
        let rest = path.strip_prefix(part).ok()?;
        let part = fs::canonicalize(part).ok()?;
        Some(match rest.as_os_str().is_empty() {
            true => part,
            false => part.join(rest),
        })
    });
    Ok(there.unwrap_or(path))
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
pub(super) fn write(path: &Path, text: &str) -> Result<(), String> {
    let new = path.with_extension("new");
    let written = fs::write(&new, text).and_then(|()| fs::rename(&new, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&new);
        failed("write", path, &error)
    })
}

pub(super) fn failed(doing: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {doing} {}: {}", path.display(), words_of(error))
}

#[cfg(test)]
mod tests {
    use super::super::record::Step;
    use super::*;

    fn place(name: &str) -> Place {
        let base = std::env::temp_dir().join(format!("coracle-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&base);
        Place::open(&base, None).expect("a place")
    }

    #[test]
    fn a_build_is_not_made_in_its_source_nor_over_it() {
        let place = place("place-apart");
        let source = place.base.join("cpython");
        fs::create_dir(&source).expect("a directory");
        let link = place.base.join("link");
        ports::make_link(&source, &link).expect("a link");
        let check = |base: &Path, source: &Path| {
            let origin = Origin::Directory(source.to_owned());
            Place::check_apart(base, "debug", &origin).err()
        };
        assert_eq!(check(&place.base, &source), None);
        assert_eq!(check(&place.base.join("here"), &source), None);
        for inside in [
            source.clone(),
            source.join("a/b"),
            link.join("a/../b"),
            link,
        ] {
            let why = check(&inside, &source).unwrap_or_default();
            assert!(
                why.contains("name a place outside of it"),
                "{inside:?} {why}"
            );
        }
        let build = place.build("debug");
        fs::create_dir_all(build.join("x")).expect("a directory");
        for wiped in [&build, &build.join("x")] {
            let why = check(&place.base, wiped).unwrap_or_default();
            assert!(why.contains("which removes it"), "{why}");
        }
        assert!(check(&place.base, &place.base.join("cpython-debug")).is_some());
        fs::remove_dir_all(&place.base).expect("removed");
    }

    #[test]
    fn whether_a_report_can_be_written_is_seen_before_and_leaves_the_old_one() {
        let mut place = place("place-probe");
        place.check_report().expect("room");
        let json = place.report.join("report.json");
        fs::write(&json, "old").expect("a file");
        place.check_report().expect("room");
        assert_eq!(fs::read_to_string(&json).expect("a file"), "old");
        assert_eq!(fs::read_dir(&place.report).expect("entries").count(), 2);
        fs::create_dir(place.report.join("report.html")).expect("a directory");
        assert!(place.check_report().is_err());
        place.report = json;
        assert!(place.check_report().is_err());
        fs::remove_dir_all(&place.base).expect("removed");
    }

    #[test]
    fn a_report_has_copies_of_its_logs_and_keeps_the_one_before() {
        let place = place("place-report");
        let results = place.base.join("results/0001");
        fs::create_dir_all(&results).expect("a directory");
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
