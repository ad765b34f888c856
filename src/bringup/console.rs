//! What CPython's test runner prints: which files ran, which tests failed in them, and its own
//! summary. It tells more than the XML does: subtests, crashes, files that were skipped as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::progress::progress;
use super::text::plain;

/// Most entries of each kind that are kept.
const MOST: usize = 5_000;
/// Longest message, in characters.
const MESSAGE: usize = 400;

/// What became of one file of tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileEnd {
    /// All of its tests passed or were skipped.
    Passed,
    /// Not run, for this reason.
    Skipped(String),
    /// It failed: `failed (2 errors)`, `crashed (Exit code -6 (SIGABRT))`.
    Failed(String),
    /// It failed, and passed when it was run again.
    Flaky(String),
}

/// Everything that was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Console {
    /// Files that have ended.
    pub files: BTreeMap<String, FileEnd>,
    /// How many there are altogether, as the runner says.
    pub total: u32,
    /// Tests and subtests that failed, with the last line of what they say.
    pub failures: BTreeMap<String, String>,
    /// The slowest files, in seconds.
    pub slow: Vec<(String, f64)>,
    /// `SUCCESS`, `FAILURE then SUCCESS`; none if the runner did not come to its end.
    pub result: Option<String>,
    /// What killed the runner, or another line that tells why it did not come to its end.
    pub fatal: Option<String>,
    reading: Reading,
    rerunning: bool,
    failed_again: BTreeSet<String>,
}

/// What the next lines belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Nothing,
    /// The traceback of this test, with its last line so far.
    Failure { name: String, last: String },
    /// The slowest files.
    Slow,
    /// Files that failed when they were run again.
    Again,
}

impl Console {
    /// Takes one line of its output.
    pub fn line(&mut self, line: &str) {
        let line = line.trim_end();
        if let Some(found) = progress(line) {
            self.end_failure();
            self.total = self.total.max(found.total);
            if !found.state.is_empty() {
                let end = file_end(found.state);
                self.file(found.test, end);
            }
            return;
        }
        if self.continues(line) {
            return;
        }
        self.other(line);
    }

    /// Whether the line belongs to what is being read.
    fn continues(&mut self, line: &str) -> bool {
        match &mut self.reading {
            Reading::Nothing => false,
            Reading::Failure { last, .. } => {
                if line.starts_with("=====") || line.starts_with("Ran ") {
                    self.end_failure();
                } else if !line.is_empty() && !line.starts_with([' ', '-']) {
                    *last = plain(line, MESSAGE);
                }
                true
            }
            Reading::Slow => match slow_file(line) {
                Some(found) if self.slow.len() < MOST => {
                    self.slow.push(found);
                    true
                }
                Some(_) => true,
                None => {
                    self.reading = Reading::Nothing;
                    false
                }
            },
            Reading::Again => {
                if line.starts_with("    ") {
                    let names = line.split_whitespace().map(str::to_owned);
                    self.failed_again.extend(names.take(MOST));
                    true
                } else {
                    self.reading = Reading::Nothing;
                    false
                }
            }
        }
    }

    fn other(&mut self, line: &str) {
        if let Some(name) = failing(line) {
            let last = String::new();
            self.reading = Reading::Failure { name, last };
        } else if let Some((test, reason)) = line.split_once(" skipped -- ") {
            if let Some(FileEnd::Skipped(known)) = self.files.get_mut(test) {
                *known = plain(reason, MESSAGE);
            }
        } else if line.ends_with(" slowest tests:") {
            self.slow.clear();
            self.reading = Reading::Slow;
        } else if line.contains("Re-running ") && line.contains(" in verbose mode") {
            self.rerunning = true;
        } else if line.ends_with(" failed again:") {
            self.reading = Reading::Again;
        } else if let Some(result) = result(line) {
            self.result = Some(plain(result, MESSAGE));
        } else if self.fatal.is_none() && is_fatal(line) {
            self.fatal = Some(plain(line, MESSAGE));
        }
    }

    fn file(&mut self, name: &str, end: FileEnd) {
        if self.files.len() >= MOST && !self.files.contains_key(name) {
            return;
        }
        let end = match (self.files.remove(name), end) {
            (Some(FileEnd::Failed(why)), FileEnd::Passed) => FileEnd::Flaky(why),
            (_, end) => end,
        };
        self.files.insert(name.to_owned(), end);
    }

    fn end_failure(&mut self) {
        if let Reading::Failure { name, last } = std::mem::take(&mut self.reading) {
            if self.failures.len() < MOST {
                self.failures.insert(name, last);
            }
        }
    }

    /// Takes note that there will be no more lines. Files that failed at first and not again when
    /// the runner ran them a second time count as flaky.
    pub fn finish(&mut self) {
        self.end_failure();
        let passed_again = self
            .result
            .as_deref()
            .is_some_and(|result| result.contains(" then "));
        if !(self.rerunning && passed_again) {
            return;
        }
        for (name, end) in &mut self.files {
            if let FileEnd::Failed(why) = end {
                if !self.failed_again.contains(name) {
                    *end = FileEnd::Flaky(why.clone());
                }
            }
        }
    }
}

/// What `passed`, `skipped (resource denied)` or `failed (2 errors)` means.
fn file_end(state: &str) -> FileEnd {
    let state = plain(state, MESSAGE);
    if state.starts_with("passed") {
        FileEnd::Passed
    } else if let Some(rest) = state.strip_prefix("skipped") {
        FileEnd::Skipped(rest.trim_matches([' ', '(', ')']).to_owned())
    } else if state.starts_with("resource denied") {
        FileEnd::Skipped("resource denied".to_owned())
    } else if state.starts_with("run no tests") || state.starts_with("ran no tests") {
        FileEnd::Skipped("has no tests".to_owned())
    } else {
        FileEnd::Failed(state)
    }
}

/// The test in `FAIL: test_x (test.test_y.Class.test_x) (i=1)`: its full name, with the subtest.
fn failing(line: &str) -> Option<String> {
    let rest = line
        .strip_prefix("FAIL: ")
        .or_else(|| line.strip_prefix("ERROR: "))?;
    let (method, rest) = rest.split_once(" (")?;
    let (full, subtest) = rest.split_once(')')?;
    // Up to Python 3.10 the method is not in the brackets.
    let method = method.trim();
    let name = if full.ends_with(method) || method.contains(' ') {
        full.to_owned()
    } else {
        format!("{full}.{method}")
    };
    Some(plain(&format!("{name} {}", subtest.trim()), MESSAGE))
}

/// Name and seconds of `- test_lzma: 1 min 29 sec`.
fn slow_file(line: &str) -> Option<(String, f64)> {
    let (name, time) = line.strip_prefix("- ")?.split_once(": ")?;
    let words: Vec<&str> = time.split_whitespace().collect();
    let mut seconds = 0.0;
    for pair in words.chunks(2) {
        let [number, unit] = pair else { return None };
        let number: f64 = number.parse().ok()?;
        seconds += number
            * match *unit {
                "hour" | "hours" => 3600.0,
                "min" => 60.0,
                "sec" => 1.0,
                "ms" => 0.001,
                _ => return None,
            };
    }
    Some((plain(name, MESSAGE), seconds))
}

fn result(line: &str) -> Option<&str> {
    // 3.11 and older, 3.12 and newer.
    let result = line.strip_prefix("Tests result: ");
    let result = result.or_else(|| line.strip_prefix("Result: "))?;
    let good = [
        "SUCCESS",
        "FAILURE",
        "INTERRUPTED",
        "ENV CHANGED",
        "NO TEST",
    ];
    good.iter()
        .any(|word| result.starts_with(word))
        .then_some(result)
}

fn is_fatal(line: &str) -> bool {
    line.starts_with("Fatal Python error: ")
        || line.starts_with("make: *** ")
        || line.starts_with("xml.etree.ElementTree.ParseError: ")
        || line.contains("No space left on device")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Console {
        let mut console = Console::default();
        text.lines().for_each(|line| console.line(line));
        console.finish();
        console
    }

    #[test]
    fn a_run_of_python_3_11_is_read() {
        let console = read(include_str!("../../tests/bringup/test-3.11.txt"));
        assert_eq!((console.total, console.files.len()), (11, 11));
        assert_eq!(console.result.as_deref(), Some("FAILURE then FAILURE"));
        let denied = "Tk unavailable due to TclError: no display name and no $DISPLAY environment variab [...]";
        assert_eq!(
            console.files.get("test_tix"),
            Some(&FileEnd::Skipped(denied.to_owned()))
        );
        assert_eq!(
            console.files.get("test_coraclefail"),
            Some(&FileEnd::Failed("failed (1 error, 2 failures)".to_owned()))
        );
        let failures: Vec<(&str, &str)> = console
            .failures
            .iter()
            .map(|(name, why)| (name.as_str(), why.as_str()))
            .collect();
        let name = "test.test_coraclefail.Tests.";
        assert_eq!(
            failures,
            [
                (
                    &*format!("{name}test_bad"),
                    "AssertionError: 1 != 2 : one <is> & 'not' two"
                ),
                (&*format!("{name}test_error"), "OSError: no \u{2620} device"),
                (&*format!("{name}test_sub (i=1)"), "AssertionError: 1 == 1"),
            ]
        );
        assert_eq!(console.slow[0], ("test_lzma".to_owned(), 29.1));
        assert!((console.slow[5].1 - 0.597).abs() < 1e-9);
    }

    #[test]
    fn a_runner_that_is_killed_has_no_result() {
        let console = read(include_str!("../../tests/bringup/test-crash-3.11.txt"));
        assert_eq!(console.result, None);
        assert_eq!(
            console.fatal.as_deref(),
            Some("Fatal Python error: Aborted")
        );
        assert_eq!(
            console.files.get("test_coraclecrash"),
            Some(&FileEnd::Failed("crashed (Exit code -6)".to_owned()))
        );
    }

    #[test]
    fn a_file_that_passes_when_run_again_is_flaky() {
        let console = read(
            "0:00:01 load avg: 1 [1/2/1] test_a failed (1 failure)\n\
             0:00:01 load avg: 1 [2/2/2] test_b crashed (Exit code -11 (SIGSEGV))\n\
             0:00:02 load avg: 1 Re-running failed tests in verbose mode\n\
             1 test failed again:\n    test_b\n\n\
             Tests result: FAILURE then FAILURE\n",
        );
        assert!(matches!(
            console.files.get("test_a"),
            Some(FileEnd::Flaky(_))
        ));
        assert!(matches!(
            console.files.get("test_b"),
            Some(FileEnd::Failed(_))
        ));
    }

    #[test]
    fn times_are_added_up() {
        assert_eq!(
            slow_file("- test_a: 1 hour 2 min 3 sec"),
            Some(("test_a".to_owned(), 3723.0))
        );
        assert_eq!(slow_file("- test_a: soon"), None);
        assert_eq!(slow_file("nothing"), None);
    }

    #[test]
    fn names_are_the_same_for_all_versions() {
        assert_eq!(
            failing("FAIL: test_x (test.test_y.C)").as_deref(),
            Some("test.test_y.C.test_x")
        );
        assert_eq!(
            failing("ERROR: test_x (test.test_y.C.test_x) [a] (i=1)").as_deref(),
            Some("test.test_y.C.test_x [a] (i=1)")
        );
        assert_eq!(
            failing("ERROR: setUpClass (test.test_y.C)").as_deref(),
            Some("test.test_y.C.setUpClass")
        );
        assert_eq!(failing("FAIL: "), None);
    }
}
