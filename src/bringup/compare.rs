//! What is different from an earlier bring-up.

use super::record::Record;
use super::results::Tests;

/// The differences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// What the earlier one was: date and source.
    pub earlier: String,
    /// Failing now, and not then.
    pub newly_failing: Vec<String>,
    /// Failing then, and passed or skipped now.
    pub newly_passing: Vec<String>,
    /// Failing both times.
    pub still_failing: usize,
    /// Modules that are missing now, and were not then.
    pub modules_lost: Vec<String>,
    /// Modules that were missing then, and are there now.
    pub modules_gained: Vec<String>,
}

/// Compares two. What one of them did not run counts neither as failing nor as passing there.
pub fn compare(old: &Record, new: &Record) -> Changes {
    let mut changes = Changes {
        earlier: format!("{} ({})", old.date, old.source),
        ..Changes::default()
    };
    if let (Some(old), Some(new)) = (&old.tests, &new.tests) {
        compare_tests(old, new, &mut changes);
    }
    if built(old) && built(new) {
        let (then, now) = (modules(old), modules(new));
        let without = |these: &[String], those: &[String]| -> Vec<String> {
            let these = these.iter().filter(|name| !those.contains(name));
            these.cloned().collect()
        };
        changes.modules_lost = without(&now, &then);
        changes.modules_gained = without(&then, &now);
    }
    changes
}

fn compare_tests(old: &Tests, new: &Tests, changes: &mut Changes) {
    let (then, now) = (old.failing(), new.failing());
    for name in &now {
        if then.contains(name) {
            changes.still_failing += 1;
        } else if old.has_run(name) {
            changes.newly_failing.push((*name).to_owned());
        }
    }
    let passing = then
        .iter()
        .filter(|name| !now.contains(*name) && new.has_run(name));
    changes.newly_passing = passing.map(|name| (*name).to_owned()).collect();
}

/// Whether the modules were looked at at all.
fn built(record: &Record) -> bool {
    record.configure.system.is_some()
}

fn modules(record: &Record) -> Vec<String> {
    let missing = record.missing.iter();
    missing.map(|missing| missing.module.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::modules::Missing;
    use super::super::results::Test;
    use super::*;

    fn record(files: &[&str], failed: &[&str], modules: &[&str]) -> Record {
        let mut record = Record::new();
        let test = |name: &&str| Test {
            name: (*name).to_owned(),
            message: String::new(),
        };
        record.tests = Some(Tests {
            files: files.iter().map(|file| (*file).to_owned()).collect(),
            failed: failed.iter().map(test).collect(),
            ..Tests::default()
        });
        record.configure.system = Some("x".to_owned());
        let missing = |name: &&str| Missing {
            module: (*name).to_owned(),
            why: String::new(),
            library: None,
            remedy: String::new(),
        };
        record.missing = modules.iter().map(missing).collect();
        record
    }

    #[test]
    fn only_what_ran_both_times_is_compared() {
        let old = record(
            &["test_a", "test_b"],
            &["test.test_a.C.one", "test.test_b.C.x"],
            &["zlib"],
        );
        let new = record(
            &["test_a", "test_c"],
            &["test.test_a.C.two", "test.test_c.C.y"],
            &["_ssl"],
        );
        let changes = compare(&old, &new);
        assert_eq!(changes.newly_failing, ["test.test_a.C.two"]);
        assert_eq!(changes.newly_passing, ["test.test_a.C.one"]);
        assert_eq!(changes.still_failing, 0);
        assert_eq!(changes.modules_lost, ["_ssl"]);
        assert_eq!(changes.modules_gained, ["zlib"]);
    }

    #[test]
    fn nothing_changes_between_equals() {
        let one = record(&["test_a"], &["test.test_a.C.one"], &["zlib"]);
        let changes = compare(&one, &one);
        let Changes {
            earlier: _,
            newly_failing,
            newly_passing,
            still_failing,
            modules_lost,
            modules_gained,
        } = changes;
        assert!(newly_failing.is_empty() && newly_passing.is_empty());
        assert!(modules_lost.is_empty() && modules_gained.is_empty());
        assert_eq!(still_failing, 1);
    }
}
