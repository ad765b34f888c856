//! Puts a record together from the logs of the steps and the results of the tests.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::console::Console;
use super::junit;
use super::modules::missing;
use super::record::{Record, Step};
use super::results::Tests;
use crate::doctor::{System, amount, pkg_config_lacks};

/// Longest line of a log that is looked at, in bytes; the rest of a longer one counts as further lines.
const LINE: u64 = 16 * 1024;

/// What a run left behind.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// The steps, with their logs relative to the directory.
    pub steps: Vec<Step>,
    /// What was built: `main at 1234abcd`.
    pub source: String,
    /// How.
    pub variant: String,
    /// When it ended, in UTC.
    pub date: String,
}

/// Which step's log is read as what. The names are those of the recipe `cpython`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Configure,
    Build,
    Test,
    Other,
}

fn kind(step: &str) -> Kind {
    // `compile with asan`, `test of the installed`.
    match step.split(' ').next().unwrap_or_default() {
        "configure" => Kind::Configure,
        "compile" => Kind::Build,
        "test" => Kind::Test,
        _ => Kind::Other,
    }
}

/// The record of a run whose logs are in `directory`; `results` is the XML of the tests, if it was
/// written by this run.
///
/// # Errors
/// A log that was written cannot be read.
pub fn assemble(run: Run, directory: &Path, results: Option<&Path>) -> Result<Record, String> {
    let mut record = Record::new();
    let mut console: Option<Console> = None;
    for step in &run.steps {
        let Some(log) = &step.log else { continue };
        let file = directory.join(log);
        match kind(&step.name) {
            Kind::Configure => lines(&file, |line| record.configure.line(line))?,
            Kind::Build => lines(&file, |line| record.build.line(line))?,
            Kind::Test => {
                let console = console.get_or_insert_with(Console::default);
                lines(&file, |line| console.line(line))?;
            }
            Kind::Other => {}
        }
    }
    let cases = results
        .and_then(|file| File::open(file).ok())
        .map(junit::read);
    record.tests = console.map(|console| Tests::of(console, cases));
    let name = ports::system_name();
    let os_release = crate::basedir::os_release();
    let system = System::of(&name.system, &os_release);
    let (list, install) = missing(&record.configure, &record.build, system, &pkg_config_lacks);
    record.missing = list;
    record.install = [install.command, install.unverified]
        .into_iter()
        .flatten()
        .collect();
    record.facts = facts(&os_release);
    record.seconds = run.steps.iter().map(|step| step.seconds).sum();
    Run {
        steps: record.steps,
        source: record.source,
        variant: record.variant,
        date: record.date,
    } = run;
    Ok(record)
}

/// Calls back for each line of a log.
fn lines(file: &Path, mut line: impl FnMut(&str)) -> Result<(), String> {
    let failed = |error: io::Error| {
        format!(
            "cannot read {}: {}",
            file.display(),
            ports::words_of(&error)
        )
    };
    let mut reader = BufReader::new(File::open(file).map_err(failed)?);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let read = reader.by_ref().take(LINE).read_until(b'\n', &mut bytes);
        if read.map_err(failed)? == 0 {
            return Ok(());
        }
        line(&String::from_utf8_lossy(&bytes));
    }
}

/// What the machine is.
fn facts(os_release: &[(String, String)]) -> Vec<(String, String)> {
    let name = ports::system_name();
    let pretty = os_release.iter().find(|(key, _)| key == "PRETTY_NAME");
    let kernel = format!("{} {}", name.system, name.release);
    let mut facts = vec![("kernel", kernel), ("processor", name.machine)];
    if let Some((_, pretty)) = pretty {
        facts.insert(0, ("system", pretty.clone()));
    }
    facts.push(("processors", ports::cpu_count().to_string()));
    if let Some(bytes) = ports::memory() {
        facts.push(("memory", amount(bytes)));
    }
    facts.push(("host", ports::node_name()));
    facts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bringup::StepResult;

    #[test]
    fn the_logs_of_real_steps_make_a_record() {
        let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bringup");
        let step = |name: &str, log: &str| Step {
            name: name.to_owned(),
            result: StepResult::Success,
            seconds: 2.0,
            log: Some(log.to_owned()),
            ..Step::default()
        };
        let run = Run {
            steps: vec![
                step("configure", "configure-3.11.txt"),
                step("compile", "make-3.11.txt"),
                step("test", "test-3.11.txt"),
            ],
            ..Run::default()
        };
        let results = logs.join("results-3.11.xml");
        let record = assemble(run, &logs, Some(&results)).expect("a record");
        assert_eq!(record.seconds, 6.0);
        assert_eq!(record.missing.len(), 4);
        let tests = record.tests.as_ref().expect("tests");
        assert_eq!(tests.failing().len(), 3);
        assert!(!record.is_good());
        let absent = Run {
            steps: vec![step("configure", "no-such-log")],
            ..Run::default()
        };
        assert!(assemble(absent, &logs, None).is_err());
    }
}
