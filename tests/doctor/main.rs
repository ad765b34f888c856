//! `coracle doctor` on machines that lack things: fake programs in a `PATH` of the test's own, and
//! masters that refuse.

// Helpers of tests may panic like tests.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../support/fake_master.rs"]
#[allow(dead_code)]
mod fake_master;
#[path = "../support/scratch.rs"]
mod scratch;

mod join;
mod login;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use scratch::Scratch;
use serde_json::Value;

/// The machine of a test: its programs, its temporary files.
struct Machine {
    scratch: Scratch,
}

impl Machine {
    fn new() -> Machine {
        let scratch = Scratch::new("doctor");
        for name in ["bin", "tmp"] {
            fs::create_dir(scratch.path().join(name)).unwrap();
        }
        Machine { scratch }
    }

    /// With a program that is this shell script.
    fn with(self, name: &str, script: &str) -> Machine {
        let file = self.scratch.path().join("bin").join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        ports::set_mode(&file, 0o755).unwrap();
        self
    }

    /// With the real program of this name.
    fn with_real(self, name: &str) -> Machine {
        let path = std::env::var_os("PATH").unwrap();
        let mut found = std::env::split_paths(&path).map(|directory| directory.join(name));
        let real = found.find(|file| file.is_file()).unwrap();
        self.with(name, &format!("exec {} \"$@\"", real.display()))
    }

    fn doctor(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_coracle"))
            .arg("doctor")
            .args(words)
            .env_clear()
            .env("PATH", self.scratch.path().join("bin"))
            .env("TMPDIR", self.scratch.path().join("tmp"))
            .current_dir("/")
            .output()
            .unwrap()
    }

    fn json(&self, words: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(words);
        serde_json::from_slice(&self.doctor(&all).stdout).unwrap()
    }
}

const CPYTHON: &[&str] = &["--for", "cpython", "--system", "debian"];

fn text(output: &Output) -> String {
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no check {name}"))
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).unwrap().next().is_none()
}

#[test]
fn a_machine_with_nothing_is_told_everything() {
    let machine = Machine::new();
    let output = machine.doctor(CPYTHON);
    assert_eq!(output.status.code(), Some(1));
    let text = text(&output);
    for wanted in [
        "MISSING  compiler         none of gcc, cc, clang, c99 is in PATH",
        "MISSING  git              there is no git in PATH",
        "warning  home             HOME is not set",
        "MISSING  zlib             cannot be tried without a compiler",
        "    apt-get install git build-essential make pkg-config gdb zlib1g-dev libssl-dev ",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    assert!(is_empty(&machine.scratch.path().join("tmp")));
}

#[test]
fn a_worker_needs_less_than_cpython() {
    let machine = Machine::new().with("git", "echo git version 2.39.5");
    let report = machine.json(&["--system", "debian"]);
    assert_eq!(check(&report, "compiler")["verdict"], "warning");
    assert_eq!(check(&report, "git")["verdict"], "ok");
}

#[test]
fn without_a_directory_for_temporary_files_the_rest_is_told() {
    let machine = Machine::new();
    fs::remove_dir(machine.scratch.path().join("tmp")).unwrap();
    let report = machine.json(CPYTHON);
    assert_eq!(check(&report, "temporary files")["verdict"], "missing");
    assert_eq!(check(&report, "loopback")["verdict"], "ok");
    assert_eq!(report["good"], false);
}

#[test]
fn a_compiler_that_cannot_link_is_shown_with_its_reason() {
    let script = "echo 'cc: note' >&2; echo '/usr/bin/ld: cannot find crt1.o' >&2; exit 1";
    let machine = Machine::new().with("cc", script);
    let report = machine.json(CPYTHON);
    let compiler = check(&report, "compiler");
    assert_eq!(compiler["verdict"], "missing");
    let saw = compiler["saw"].as_str().unwrap();
    assert!(
        saw.ends_with("cc cannot make a program: /usr/bin/ld: cannot find crt1.o"),
        "{saw}"
    );
    assert_eq!(compiler["package"], "build-essential");
}

#[test]
fn a_compiler_whose_programs_do_not_run_is_shown() {
    // Takes the word after -o as the program.
    let script = "while [ \"$1\" != -o ]; do shift; done\n\
                  echo '#!/bin/sh' > \"$2\"; echo 'exit 4' >> \"$2\"; /bin/chmod +x \"$2\"";
    let machine = Machine::new().with("gcc", script);
    let report = machine.json(CPYTHON);
    let saw = check(&report, "compiler")["saw"].as_str().unwrap();
    assert!(
        saw.ends_with("makes a program that ends with status 4"),
        "{saw}"
    );
}

#[test]
fn a_compiler_that_is_named_and_absent_is_no_package() {
    let machine = Machine::new();
    let output = Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(["doctor", "--for", "cpython", "--json"])
        .env_clear()
        .env("PATH", machine.scratch.path().join("bin"))
        .env("CC", "frobcc -m64")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let compiler = check(&report, "compiler");
    assert_eq!(compiler["saw"], "CC is frobcc, which is not in PATH");
    assert_eq!(compiler["package"], Value::Null);
}

#[test]
fn a_header_that_is_not_there_is_named_with_its_package() {
    // Everything but zlib and readline; there is no pkg-config to know better.
    let script = "for word; do case $word in *.c) source=$word;; esac; done\n\
                  if /bin/grep -qs 'zlib.h\\|readline.h' \"$source\"; then\n\
                      echo \"$source:1:10: fatal error: hidden.h: No such file or directory\" >&2\n\
                      exit 1\n\
                  fi\n\
                  PATH=/usr/local/bin:/usr/bin:/bin exec cc \"$@\"";
    let machine = Machine::new().with("cc", script);
    let report = machine.json(CPYTHON);
    assert_eq!(check(&report, "compiler")["verdict"], "ok");
    let zlib = check(&report, "zlib");
    assert_eq!(
        (&zlib["verdict"], &zlib["package"]),
        (&"missing".into(), &"zlib1g-dev".into())
    );
    let saw = "hidden.h: No such file or directory; without it no zlib, gzip, ensurepip";
    assert_eq!(zlib["saw"], saw);
    assert_eq!(check(&report, "readline")["verdict"], "warning");
    assert_eq!(check(&report, "locale")["verdict"], "ok");
    assert!(is_empty(&machine.scratch.path().join("tmp")));
}

#[test]
fn an_old_git_and_a_strange_one_are_told_apart() {
    let old = Machine::new().with("git", "echo git version 2.20.1");
    let git = check(&old.json(CPYTHON), "git").clone();
    assert_eq!(
        (&git["verdict"], &git["package"]),
        (&"missing".into(), &"git".into())
    );
    let strange = Machine::new().with("git", "echo this is no git");
    assert_eq!(check(&strange.json(CPYTHON), "git")["verdict"], "warning");
    let broken = Machine::new().with("git", "kill -9 $$");
    assert_eq!(check(&broken.json(CPYTHON), "git")["verdict"], "missing");
}

#[test]
fn another_make_is_named_where_make_is_absent() {
    let machine = Machine::new()
        .with_real("sh")
        .with("gmake", "echo GNU Make 4.4");
    let report = machine.json(&["--for", "cpython", "--system", "illumos"]);
    let make = check(&report, "make");
    assert!(
        make["saw"]
            .as_str()
            .unwrap()
            .contains("no make in PATH, but ")
    );
    assert_eq!(make["package"], "developer/build/gnu-make");
}

#[test]
fn each_system_has_its_own_command() {
    for (system, command) in [
        ("fedora", "dnf install git gcc make "),
        ("alpine", "apk add git gcc libc-dev linux-headers make gdb "),
        ("haiku", "pkgman install cmd:gcc haiku_devel cmd:make "),
        (
            "illumos",
            "pkg install developer/versioning/git developer/gcc14 ",
        ),
        ("macos", "brew install pkg-config openssl@3.0 xz "),
    ] {
        let report = Machine::new().json(&["--for", "cpython", "--system", system]);
        let install = report["install"].as_str().unwrap();
        let start: String = install.chars().take(command.len()).collect();
        if system == "alpine" {
            assert!(
                start.starts_with("apk add git gcc libc-dev linux-headers make "),
                "{install}"
            );
        } else {
            assert_eq!(start, command, "{install}");
        }
    }
}

#[test]
fn what_cannot_be_obeyed_is_one_line() {
    for (words, reason) in [
        (
            &["--for", "pypy"][..],
            "coracle: --for pypy: known is only cpython\n",
        ),
        (
            &["--system", "beos"],
            "coracle: unknown system beos; known are ",
        ),
        (
            &["--frob"],
            "coracle: unknown option --frob; see `coracle doctor --help`\n",
        ),
    ] {
        let output = Machine::new().doctor(words);
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with(reason), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
}
