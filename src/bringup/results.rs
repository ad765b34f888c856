//! What the tests said: the runner's output and its XML together.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::console::{Console, FileEnd};
use super::junit::{self, Cases};

/// How many of the slowest tests are kept.
const SLOW: usize = 15;

/// A test, and what is to be said of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// Its full name.
    pub name: String,
    /// The message of a failure, the reason of a skip.
    pub message: String,
}

/// What the tests said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tests {
    /// The runner's own word: `SUCCESS`; none if it did not come to its end.
    pub result: Option<String>,
    /// Why the results may not be complete.
    pub problem: Option<String>,
    /// Tests that ran.
    pub ran: usize,
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed, subtests among them.
    pub failed: Vec<Test>,
    /// Tests that failed, and passed when they were run again.
    pub flaky: Vec<Test>,
    /// Tests that were skipped.
    pub skipped: Vec<Test>,
    /// Files that have ended.
    pub files: BTreeSet<String>,
    /// Files that there are.
    pub files_total: u32,
    /// Files that failed or crashed.
    pub files_failed: Vec<Test>,
    /// Files that failed, and passed when they were run again.
    pub files_flaky: Vec<Test>,
    /// Files that were skipped as a whole.
    pub files_skipped: Vec<Test>,
    /// The slowest files, in seconds.
    pub slow_files: Vec<(String, f64)>,
    /// The slowest tests, in seconds.
    pub slow_tests: Vec<(String, f64)>,
}

impl Tests {
    /// Both sources together: the runner's output and its XML, if it came to writing that.
    pub fn of(mut console: Console, cases: Option<Cases>) -> Tests {
        console.finish();
        let mut tests = Tests {
            result: console.result,
            files_total: console.total,
            slow_files: console.slow,
            ..Tests::default()
        };
        tests.slow_files.truncate(SLOW);
        tests.problem = match (&tests.result, console.fatal) {
            (None, Some(fatal)) => {
                Some(format!("the test runner did not come to its end: {fatal}"))
            }
            (None, None) => Some("the test runner did not come to its end".to_owned()),
            (Some(_), _) => cases.as_ref().and_then(|cases| cases.problem.clone()),
        };
        for (name, end) in console.files {
            tests.files.insert(name.clone());
            let test = |message| Test { name, message };
            match end {
                FileEnd::Passed => {}
                FileEnd::Skipped(why) => tests.files_skipped.push(test(why)),
                FileEnd::Failed(why) => tests.files_failed.push(test(why)),
                FileEnd::Flaky(why) => tests.files_flaky.push(test(why)),
            }
        }
        tests.take_cases(cases.unwrap_or_default());
        for (name, message) in console.failures {
            let flaky = tests.flaky.iter().any(|test| test.name == name);
            let file_passed = tests
                .files_flaky
                .iter()
                .any(|file| is_in(&name, &file.name));
            let known = tests.failed.iter().any(|test| test.name == name);
            if !flaky && !known {
                // The XML does not tell of tests whose subtests failed.
                tests.ran += 1;
            }
            if file_passed && !flaky && !known {
                tests.flaky.push(Test { name, message });
            } else if !flaky && !known {
                tests.failed.push(Test { name, message });
            }
        }
        tests.failed.sort_by(|one, other| one.name.cmp(&other.name));
        tests
    }

    fn take_cases(&mut self, cases: Cases) {
        let mut slow = Vec::new();
        for (name, (outcome, seconds)) in cases.tests {
            self.ran += 1;
            slow.push((name.clone(), seconds));
            let test = |message| Test { name, message };
            match outcome {
                junit::Outcome::Passed => self.passed += 1,
                junit::Outcome::Skipped(why) => self.skipped.push(test(why)),
                junit::Outcome::Failed(why) => self.failed.push(test(why)),
                junit::Outcome::Flaky(why) => self.flaky.push(test(why)),
            }
        }
        slow.sort_by(|one, other| other.1.total_cmp(&one.1));
        slow.truncate(SLOW);
        self.slow_tests = slow;
    }

    /// What failed: tests, and files of which no test is known to have failed (crashes).
    pub fn failing(&self) -> BTreeSet<&str> {
        let names = self.failed.iter().map(|test| test.name.as_str());
        let mut failing: BTreeSet<&str> = names.collect();
        for file in &self.files_failed {
            let has_test = self.failed.iter().any(|test| is_in(&test.name, &file.name));
            if !has_test {
                failing.insert(&file.name);
            }
        }
        failing
    }

    /// Whether this test, or file, was among what ran.
    pub fn has_run(&self, name: &str) -> bool {
        self.files.contains(name) || self.file_of(name).is_some()
    }

    /// The file that this test is in, among those that ran.
    pub fn file_of(&self, test: &str) -> Option<&str> {
        let file = self.files.iter().find(|file| is_in(test, file));
        file.map(String::as_str)
    }

    /// Takes note that these have passed when they were run again.
    pub fn passed_again(&mut self, names: &[String]) {
        let take = |from: &mut Vec<Test>, to: &mut Vec<Test>| {
            let (passed, rest) = std::mem::take(from)
                .into_iter()
                .partition(|test| names.contains(&test.name));
            *from = rest;
            to.extend::<Vec<Test>>(passed);
        };
        take(&mut self.failed, &mut self.flaky);
        take(&mut self.files_failed, &mut self.files_flaky);
        // A file failed because of its tests; none is left.
        let failed = &self.failed;
        let (left, passed): (Vec<Test>, Vec<Test>) = std::mem::take(&mut self.files_failed)
            .into_iter()
            .partition(|file| {
                let was_test = self.flaky.iter().any(|test| is_in(&test.name, &file.name));
                !was_test || failed.iter().any(|test| is_in(&test.name, &file.name))
            });
        self.files_failed = left;
        self.files_flaky.extend(passed);
    }
}

/// Whether the test `test.test_json.test_dump.C.test_x` is in the file `test_json`.
fn is_in(test: &str, file: &str) -> bool {
    let test = test.strip_prefix("test.").unwrap_or(test);
    let file = file.strip_prefix("test.").unwrap_or(file);
    test.strip_prefix(file)
        .is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sources_are_one_list() {
        let mut console = Console::default();
        let text = include_str!("../../tests/bringup/test-3.11.txt");
        text.lines().for_each(|line| console.line(line));
        let xml = &include_bytes!("../../tests/bringup/results-3.11.xml")[..];
        let tests = Tests::of(console, Some(junit::read(xml)));
        let failed: Vec<&str> = tests.failed.iter().map(|test| test.name.as_str()).collect();
        let name = "test.test_coraclefail.Tests.";
        // The subtest is only in the output.
        assert_eq!(
            failed,
            [
                format!("{name}test_bad"),
                format!("{name}test_error"),
                format!("{name}test_sub (i=1)")
            ]
        );
        assert_eq!(tests.files_failed.len(), 1);
        assert_eq!(tests.failing().len(), 3);
        assert_eq!(tests.problem, None);
        assert!(tests.has_run("test.test_struct.StructTest.test_bool"));
        assert!(!tests.has_run("test.test_asyncio.X.test_y"));
    }

    #[test]
    fn what_passes_again_is_flaky_and_so_is_its_file() {
        let test = |name: &str| Test {
            name: name.to_owned(),
            message: String::new(),
        };
        let mut tests = Tests {
            files_failed: vec![test("test_a"), test("test_b"), test("test_c")],
            failed: vec![
                test("test.test_a.C.x"),
                test("test.test_b.C.x"),
                test("test.test_b.C.y"),
            ],
            ..Tests::default()
        };
        let names = ["test.test_a.C.x", "test.test_b.C.y"].map(str::to_owned);
        tests.passed_again(&names);
        let left: Vec<&str> = tests.failing().into_iter().collect();
        assert_eq!(left, ["test.test_b.C.x", "test_c"]);
        assert_eq!(tests.files_flaky, [test("test_a")]);
        assert_eq!(tests.flaky.len(), 2);
    }

    #[test]
    fn a_crash_without_xml_is_a_failing_file() {
        let mut console = Console::default();
        let text = include_str!("../../tests/bringup/test-crash-3.11.txt");
        text.lines().for_each(|line| console.line(line));
        let tests = Tests::of(console, None);
        assert!(tests.failing().contains("test_coraclecrash"));
        let problem = "the test runner did not come to its end: Fatal Python error: Aborted";
        assert_eq!(tests.problem.as_deref(), Some(problem));
    }
}
