//! `coracle bringup` on a source that looks like CPython's: its configure and Makefile print what the
//! real ones have printed.

// Helpers of tests may panic like tests.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../support/scratch.rs"]
mod scratch;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use scratch::Scratch;
use serde_json::Value;

const CONFIGURE: &str = "#!/bin/sh\ncat recorded/configure-3.11.txt\ncp Makefile.in Makefile\n";

/// Does what the files beside the source say: `broken` fails the build, `hold` holds it, `good` are the
/// tests that pass when they are run again.
const MAKEFILE: &str = "\
all:
\t@echo building; test ! -e ../../../broken || { echo 'x.c:1:1: error: odd'; exit 1; }
\t@while test -e ../../../hold; do sleep 0.05; done
\t@cat recorded/make-3.11.txt
pythoninfo:
\t@echo 'sys.version: fake'
buildbottest:
\t@echo \"options: $(TESTOPTS)\"
\t@case \"$(TESTOPTS)\" in *' -m '*) grep -q \"$(word 3,$(TESTOPTS))\" ../../../good;; \
*) cat recorded/test-3.11.txt; cp recorded/results-3.11.xml test-results.xml; exit 2;; esac
distclean:
\t@rm -f Makefile
";

struct Bench {
    scratch: Scratch,
}

impl Bench {
    fn new() -> Bench {
        let scratch = Scratch::new("bringup");
        let source = scratch.path().join("cpython");
        for directory in ["Lib/test/libregrtest", "Include", "recorded"] {
            fs::create_dir_all(source.join(directory)).unwrap();
        }
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bringup");
        for file in [
            "configure-3.11.txt",
            "make-3.11.txt",
            "test-3.11.txt",
            "results-3.11.xml",
        ] {
            fs::copy(recorded.join(file), source.join("recorded").join(file)).unwrap();
        }
        fs::write(source.join("configure"), CONFIGURE).unwrap();
        ports::set_mode(&source.join("configure"), 0o755).unwrap();
        fs::write(source.join("Makefile.in"), MAKEFILE).unwrap();
        let header = "#define PY_VERSION \"3.11.2\"\n";
        fs::write(source.join("Include/patchlevel.h"), header).unwrap();
        Bench { scratch }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coracle"));
        command
            .args(["bringup", "--directory", "here"])
            .args(words)
            .current_dir(self.scratch.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn with_source(&self, words: &[&str]) -> Output {
        self.run(&[&["cpython", "--source", "cpython"], words].concat())
    }

    fn report(&self) -> Value {
        let file = self.path("here/report/report.json");
        serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
    }

    fn steps(&self) -> Vec<(String, String)> {
        let report = self.report();
        let steps = report["steps"].as_array().unwrap().clone();
        let text = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
        steps
            .iter()
            .map(|step| (text(step, "name"), text(step, "result")))
            .collect()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + &String::from_utf8_lossy(&output.stderr)
}

fn failing(report: &Value) -> Vec<&str> {
    let failed = report["tests"]["failed"].as_array().unwrap();
    failed
        .iter()
        .map(|test| test["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_whole_run_is_reported() {
    let bench = Bench::new();
    let output = bench.with_source(&["--jobs", "3"]);
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(
        shown.contains("CPython, Python 3.11.2: 3 tests fail."),
        "{shown}"
    );
    assert!(
        shown.contains("not built: zlib (library or header not found)"),
        "{shown}"
    );
    let names: Vec<String> = bench.steps().into_iter().map(|(name, _)| name).collect();
    let expected = [
        "source",
        "configure",
        "compile",
        "pythoninfo",
        "test",
        "upload-test-results",
    ];
    assert_eq!(names, expected);
    let report = bench.report();
    assert_eq!(failing(&report).len(), 3);
    assert_eq!(report["tests"]["files"].as_array().unwrap().len(), 11);
    let page = fs::read_to_string(bench.path("here/report/report.html")).unwrap();
    assert!(page.contains("one &lt;is&gt; &amp; &#39;not&#39; two"));
    for step in report["steps"].as_array().unwrap() {
        let log = step["log"].as_str().unwrap();
        assert!(bench.path("here/report").join(log).is_file(), "{log}");
        assert!(page.contains(&format!("href=\"./{log}\"")), "{log}");
    }
    let log = fs::read_to_string(bench.path("here/report/logs/0001-05-test.log")).unwrap();
    assert!(
        log.contains("options: -j3 --junit-xml test-results.xml"),
        "{log}"
    );
}

#[test]
fn a_step_that_failed_is_where_the_next_run_begins() {
    let bench = Bench::new();
    fs::write(bench.path("broken"), "").unwrap();
    let shown = text(&bench.with_source(&[]));
    assert!(shown.contains("step compile fails"), "{shown}");
    let report = bench.report();
    assert_eq!(report["halted"], "compile");
    assert_eq!(report["build"]["errors"][0], "x.c:1:1: error: odd");
    fs::remove_file(bench.path("broken")).unwrap();
    // What is done is not done again.
    fs::write(bench.path("here/cpython-debug/build/mark"), "").unwrap();
    let shown = text(&bench.with_source(&[]));
    assert!(
        shown.contains("Going on with step compile, where the last run ended"),
        "{shown}"
    );
    assert!(bench.path("here/cpython-debug/build/mark").exists());
    let steps = bench.steps();
    assert_eq!(steps[0], ("source".to_owned(), "success".to_owned()));
    assert_eq!(steps[2], ("compile".to_owned(), "success".to_owned()));
    assert_eq!(bench.report()["configure"]["system"], "x86_64-pc-linux-gnu");
    // A run that came to its end is followed by a whole one.
    let shown = text(&bench.with_source(&[]));
    assert!(!shown.contains("Going on"), "{shown}");
    assert!(!bench.path("here/cpython-debug/build/mark").exists());
    assert!(
        shown.contains("0 newly failing, 0 newly passing"),
        "{shown}"
    );
}

#[test]
fn a_run_whose_report_could_not_be_written_goes_on_too() {
    let bench = Bench::new();
    fs::write(bench.path("broken"), "").unwrap();
    // No room for a report, as on a full disk.
    fs::create_dir(bench.path("here")).unwrap();
    fs::write(bench.path("here/report"), "").unwrap();
    let output = bench.with_source(&[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("the same command goes on"), "{error}");
    fs::remove_file(bench.path("here/report")).unwrap();
    fs::remove_file(bench.path("broken")).unwrap();
    let shown = text(&bench.with_source(&[]));
    assert!(
        shown.contains("Going on with step compile, where the last run ended"),
        "{shown}"
    );
    assert_eq!(bench.steps().len(), 6);
    assert_eq!(failing(&bench.report()).len(), 3);
}

#[test]
fn a_run_that_was_cut_off_goes_on() {
    let bench = Bench::new();
    fs::write(bench.path("hold"), "").unwrap();
    let mut command = bench.command(&["--source", "cpython"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines
        .find(|line| line.as_ref().unwrap().starts_with("[3/6] compile"))
        .unwrap()
        .unwrap();
    // As a crash of the machine would: no time for anything.
    child.kill().unwrap();
    child.wait().unwrap();
    fs::remove_file(bench.path("hold")).unwrap();
    fs::write(bench.path("here/cpython-debug/build/mark"), "").unwrap();
    let shown = text(&bench.with_source(&[]));
    assert!(
        shown.contains("The last run was cut off; going on where it was"),
        "{shown}"
    );
    assert!(shown.contains("done earlier"), "{shown}");
    assert!(bench.path("here/cpython-debug/build/mark").exists());
    assert_eq!(bench.steps().len(), 6);
    assert_eq!(failing(&bench.report()).len(), 3);
}

#[test]
fn a_run_that_somebody_stops_says_how_to_go_on() {
    let bench = Bench::new();
    fs::write(bench.path("hold"), "").unwrap();
    let mut command = bench.command(&["--source", "cpython"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines
        .find(|line| line.as_ref().unwrap().starts_with("[3/6] compile"))
        .unwrap()
        .unwrap();
    ports::signal_process(child.id(), ports::Signal::TERM).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(!child.wait().unwrap().success());
    let rest = rest.join("\n");
    assert!(
        rest.contains("Stopped in compile. The same command goes on there."),
        "{rest}"
    );
    assert!(!bench.path("here/report/report.json").exists());
    fs::remove_file(bench.path("hold")).unwrap();
    let shown = text(&bench.with_source(&[]));
    assert!(shown.contains("going on where it was"), "{shown}");
}

#[test]
fn what_failed_can_be_run_again_one_by_one() {
    let bench = Bench::new();
    bench.with_source(&[]);
    fs::write(bench.path("good"), "test.test_coraclefail.Tests.test_bad\n").unwrap();
    let output = bench.run(&["--rerun-failed"]);
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("1 of 3 passed when run again"), "{shown}");
    assert!(
        shown.contains("0 newly failing, 1 newly passing"),
        "{shown}"
    );
    let report = bench.report();
    assert_eq!(failing(&report).len(), 2);
    let flaky = &report["tests"]["flaky"][0];
    assert_eq!(flaky["name"], "test.test_coraclefail.Tests.test_bad");
    let names =
        ["bad", "error", "sub"].map(|name| format!("test.test_coraclefail.Tests.test_{name}\n"));
    fs::write(bench.path("good"), names.concat()).unwrap();
    let output = bench.run(&["--rerun-failed"]);
    assert_eq!(failing(&bench.report()).len(), 0, "{}", text(&output));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let shown = text(&bench.run(&["--rerun-failed"]));
    assert!(shown.contains("there is nothing to run again"), "{shown}");
}

#[test]
fn tests_and_steps_can_be_chosen() {
    let bench = Bench::new();
    bench.with_source(&["--steps", "source,configure,compile"]);
    assert_eq!(bench.steps().len(), 3);
    assert_eq!(bench.report()["tests"], Value::Null);
    // The source is there now.
    bench.run(&["--steps", "test", "--tests", "test_json test_uuid"]);
    let log = fs::read_to_string(bench.path("here/report/logs/0002-01-test.log")).unwrap();
    assert!(
        log.contains("test-results.xml test_json test_uuid"),
        "{log}"
    );
}

#[test]
fn what_cannot_be_done_is_one_line() {
    let bench = Bench::new();
    fs::create_dir(bench.path("empty")).unwrap();
    for (words, reason) in [
        (&["pypy"][..], "coracle: pypy: known is only cpython\n"),
        (
            &["--source", "no-such"],
            "coracle: no-such: No such file or directory\n",
        ),
        (
            &["--source", "empty"],
            "is no source of CPython: there is no configure\n",
        ),
        (
            &["--source", "a", "--git", "b"],
            "coracle: --source and --git do not go together\n",
        ),
        (
            &["--source", "cpython", "--variant", "fast"],
            "there is no variant 'fast', only ",
        ),
        (
            &["--source", "cpython", "--steps", "x"],
            "there is no step 'x', only source, configure, ",
        ),
        (
            &["--source", "cpython", "--tests", "$(id)"],
            "coracle: --tests $(id): give names of tests",
        ),
        (
            &["--source", "cpython", "--compare", "empty"],
            "coracle: there is no report empty/report.json\n",
        ),
        (&["--rerun-failed"], "bring it up first\n"),
        (&[], "--source or --git brings the source\n"),
    ] {
        let output = bench.run(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(reason), "{words:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_report_that_cannot_be_read_is_put_aside() {
    let bench = Bench::new();
    let report = bench.path("here/report");
    fs::create_dir_all(&report).unwrap();
    fs::write(report.join("report.json"), "{ half").unwrap();
    let shown = text(&bench.with_source(&["--steps", "source"]));
    assert!(
        shown.contains("not compared with the last report: cannot read "),
        "{shown}"
    );
    assert_eq!(bench.steps().len(), 1);
    let before = fs::read_to_string(report.join("report.before.json")).unwrap();
    assert_eq!(before, "{ half");
    let again = bench.run(&["--rerun-failed"]);
    assert!(
        text(&again).contains("the last run did not come to the tests"),
        "{again:?}"
    );
}

#[test]
fn without_a_compiler_nothing_is_begun() {
    let bench = Bench::new();
    let mut command = bench.command(&["--source", "cpython"]);
    let output = command.env("PATH", bench.path("empty")).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.starts_with("coracle: compiler: none of gcc, cc, clang, c99 is in PATH; "),
        "{error}"
    );
    assert!(!bench.path("here/cpython-debug").exists());
}

#[test]
fn two_at_a_time_in_one_directory_do_not_mix() {
    let bench = Bench::new();
    fs::write(bench.path("hold"), "").unwrap();
    let mut command = bench.command(&["--source", "cpython"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines
        .find(|line| line.as_ref().unwrap().starts_with("[3/6] compile"))
        .unwrap()
        .unwrap();
    let second = bench.with_source(&[]);
    assert_eq!(second.status.code(), Some(1));
    assert_eq!(text(&second).lines().count(), 1, "{}", text(&second));
    fs::remove_file(bench.path("hold")).unwrap();
    lines.for_each(drop);
    child.wait().unwrap();
    assert_eq!(bench.steps().len(), 6);
}
