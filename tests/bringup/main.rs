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

/// Does what the files beside the source say: `broken` fails the build, `hold` holds it, `full` leaves no
/// place for a report, `good` are the tests that pass when they are run again.
const MAKEFILE: &str = "\
all:
\t@if test -e ../../../full; then rm -rf ../../report && touch ../../report; fi
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
    // No room for a report once the work is done, as on a full disk.
    fs::write(bench.path("full"), "").unwrap();
    let output = bench.with_source(&[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("the same command goes on"), "{error}");
    fs::remove_file(bench.path("full")).unwrap();
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
            "coracle: --variant fast: known are asan, debug, installed, ",
        ),
        (
            &["--source", "cpython", "--steps", "x"],
            "coracle: --steps x: known are source, configure, ",
        ),
        (
            &["--source", "cpython", "--tests", "$(id)"],
            "coracle: --tests $(id): give names of tests",
        ),
        (
            &["--source", "cpython", "--compare", "empty"],
            "coracle: there is no report empty/report.json\n",
        ),
        (
            &["--source", ""],
            "coracle: --source '' names nothing; give a directory\n",
        ),
        (
            &["--directory", ""],
            "coracle: --directory '' names nothing; give a directory\n",
        ),
        (&["--tests", " "], "coracle: --tests ' ' names nothing; "),
        (&["--tests", "-x"], "coracle: --tests -x: name the tests "),
        (
            &["--tests", "test_os -v"],
            "coracle: --tests -v: give names of tests",
        ),
        (&["--steps", ""], "coracle: --steps '' names nothing; "),
        (
            &["--steps", " , "],
            "coracle: --steps ' , ' names nothing; ",
        ),
        (
            &["--jobs", "0"],
            "coracle: --jobs 0: give a number from 1 to 1000",
        ),
        (
            &["--jobs", "100000"],
            "coracle: --jobs 100000: give a number from 1 to 1000",
        ),
        (
            &["--source", "cpython", "--directory", "cpython"],
            "is the source itself; name a place outside of it\n",
        ),
        (
            &["--source", "cpython", "--directory", "cpython/Lib/.."],
            "is the source itself; name a place outside of it\n",
        ),
        (
            &["--source", "cpython", "--directory", "cpython/a/here"],
            "; name a place outside of it\n",
        ),
        (
            &["--source", "cpython", "--report", "cpython/configure"],
            "coracle: cannot make ",
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
    assert!(!bench.path("here/cpython-debug").exists());
    assert!(!bench.path("cpython/a").exists());
}

#[test]
fn each_variant_and_each_choice_of_steps_goes_on_by_itself() {
    let bench = Bench::new();
    let going_on = "Going on with step compile, where the last run ended";
    fs::write(bench.path("broken"), "").unwrap();
    bench.with_source(&[]);
    let shown = text(&bench.with_source(&["--variant", "nogil"]));
    assert!(!shown.contains("oing on with"), "{shown}");
    fs::remove_file(bench.path("broken")).unwrap();
    fs::write(bench.path("here/cpython-debug/build/mark"), "").unwrap();
    let shown = text(&bench.run(&["--steps", "pythoninfo"]));
    let keeps = "The whole build keeps its place: without --steps it goes on with step compile.";
    assert!(shown.contains(keeps), "{shown}");
    // Other jobs and other tests are no other build.
    let shown = text(&bench.with_source(&["--jobs", "7", "--tests", "test_json"]));
    assert!(shown.contains(going_on), "{shown}");
    assert!(bench.path("here/cpython-debug/build/mark").exists());
    assert_eq!(bench.steps().len(), 6);
    let shown = text(&bench.with_source(&["--variant", "nogil"]));
    assert!(shown.contains(going_on), "{shown}");
}

#[test]
fn steps_that_remove_a_build_that_waits_say_so() {
    let bench = Bench::new();
    fs::write(bench.path("broken"), "").unwrap();
    bench.with_source(&[]);
    let shown = text(&bench.with_source(&["--steps", "source"]));
    let told = "The whole build was to go on with step compile; it begins anew after this";
    assert!(shown.contains(told), "{shown}");
    let shown = text(&bench.with_source(&[]));
    let told = "begins anew: the step source of a later run has removed what was built.";
    assert!(shown.contains(told), "{shown}");
}

#[test]
fn copies_of_logs_do_not_show_secrets() {
    let bench = Bench::new();
    let mut command = bench.command(&["--source", "cpython", "--steps", "source,configure"]);
    command.env("DEMO_TOKEN", "hush-hush").output().unwrap();
    let log = |path: &str| fs::read_to_string(bench.path("here").join(path)).unwrap();
    assert!(log("results/0001/02-configure.log").contains("DEMO_TOKEN=hush-hush\n"));
    for name in ["01-source", "02-configure"] {
        let copy = log(&format!("report/logs/0001-{name}.log"));
        assert!(copy.contains("DEMO_TOKEN=(masked)\n"), "{copy}");
        assert!(!copy.contains("hush-hush"), "{copy}");
    }
    for report in ["report/report.md", "report/report.html"] {
        let told = "Values that look like secrets are masked in these logs (of DEMO";
        assert!(log(report).contains(told), "{report}");
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
    let told = format!(", process {}; wait for its end", child.id());
    assert!(text(&second).contains(&told), "{}", text(&second));
    fs::remove_file(bench.path("hold")).unwrap();
    lines.for_each(drop);
    child.wait().unwrap();
    assert_eq!(bench.steps().len(), 6);
}
