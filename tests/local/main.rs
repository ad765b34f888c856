//! `try` and `selftest` of the built program, as a new user types them.

// All of it is tests, also what is not marked as such.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../support/scratch.rs"]
mod scratch;

mod python_worker;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use scratch::Scratch;

/// The program, with a directory of its own for temporary files.
fn coracle(scratch: &Scratch, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coracle"));
    command.args(words).env("TMPDIR", scratch.path());
    command
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn entries(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn try_shows_what_works_and_leaves_nothing() {
    let scratch = Scratch::new("local-try");
    let output = coracle(&scratch, &["try"]).output().unwrap();
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for line in [
        "worker attached to the master inside",
        "1000000 bytes go up, each as it came",
        "a silent program is ended after its time",
        "This machine can be a worker",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert_eq!(entries(scratch.path()), Vec::<String>::new());
}

#[test]
fn try_without_a_compiler_says_so_and_succeeds() {
    let scratch = Scratch::new("local-nocc");
    let bin = scratch.path().join("bin");
    fs::create_dir(&bin).unwrap();
    for name in ["uname", "id", "sleep", "cat", "rm", "setsid"] {
        if let Some(program) = ["/bin", "/usr/bin"]
            .map(|directory| Path::new(directory).join(name))
            .iter()
            .find(|path| path.exists())
        {
            ports::make_link(program, &bin.join(name)).unwrap();
        }
    }
    let output = coracle(&scratch, &["try"])
        .env("PATH", &bin)
        .output()
        .unwrap();
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("there is no cc, gcc, clang"), "{text}");
}

#[test]
fn try_keeps_the_logs_if_asked() {
    let scratch = Scratch::new("local-keep");
    let output = coracle(&scratch, &["try", "--keep"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let kept = entries(scratch.path());
    assert_eq!(kept.len(), 1);
    let log = scratch.path().join(&kept[0]).join("results/01-print.log");
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("standard error comes too\n"), "{log}");
    assert!(log.contains("program finished with exit code 0\n"), "{log}");
}

#[test]
fn without_a_place_for_temporary_files_there_is_a_clear_error() {
    let scratch = Scratch::new("local-notmp");
    let output = coracle(&scratch, &["try"])
        .env("TMPDIR", scratch.path().join("missing"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("TMPDIR names another place"), "{error}");
    assert!(
        error.starts_with("coracle: cannot make a directory in "),
        "{error}"
    );
}

#[test]
fn selftest_says_what_works_in_a_table_and_in_json() {
    let scratch = Scratch::new("local-selftest");
    let json = scratch.path().join("found.json");
    let words = ["selftest", "--json", json.to_str().unwrap()];
    let output = coracle(&scratch, &words).output().unwrap();
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("To paste into an issue:"), "{text}");
    let found: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(found["can_serve"], true);
    let checks = found["checks"].as_array().unwrap();
    for name in ["detach", "containment", "interrupt", "uploadDirectory, bz2"] {
        let check = checks.iter().find(|check| check["name"] == name).unwrap();
        assert!(text.contains(name));
        assert_ne!(check["status"], "absent", "{check}");
    }
}

#[test]
fn an_interrupted_try_ends_by_that_signal_and_leaves_nothing() {
    use std::io::{BufRead, BufReader};
    let scratch = Scratch::new("local-interrupt");
    let mut child = coracle(&scratch, &["try"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The worker listens to signals from before it attaches.
    assert!(lines.next().unwrap().unwrap().contains("attached"));
    let signal = ports::Signal::of(ports::StopRequest::Interrupt);
    ports::signal_process(child.id(), signal).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), None, "{rest:?}");
    assert!(rest.last().unwrap().contains("Stopped."), "{rest:?}");
    assert_eq!(entries(scratch.path()), Vec::<String>::new());
}

/// A directory with these programs and no others.
fn programs(scratch: &Scratch, names: &[&str]) -> std::path::PathBuf {
    let bin = scratch.path().join("bin");
    fs::create_dir(&bin).unwrap();
    for name in names {
        let places = ["/bin", "/usr/bin"].map(|directory| Path::new(directory).join(name));
        if let Some(program) = places.iter().find(|path| path.exists()) {
            ports::make_link(program, &bin.join(name)).unwrap();
        }
    }
    bin
}

#[test]
fn selftest_blames_a_missing_program_on_path_and_no_manual() {
    let scratch = Scratch::new("local-nosleep");
    // No sleep, and no uname, whose facts the system tells itself.
    let bin = programs(&scratch, &["sh", "cat", "rm", "setsid", "ps"]);
    let output = coracle(&scratch, &["selftest"])
        .env("PATH", &bin)
        .output()
        .unwrap();
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let system = ports::system_name();
    let headline = format!(
        " on {} {} {} (built",
        system.system, system.release, system.machine
    );
    assert!(text.contains(&headline), "{text}");
    let table = text.split("To paste").next().unwrap();
    let blamed: Vec<&str> = table
        .lines()
        .filter(|line| line.contains("there is no sleep"))
        .collect();
    assert!(blamed.len() > 8, "{text}");
    assert!(
        blamed
            .iter()
            .all(|line| line.ends_with("(see the variable PATH)")),
        "{blamed:?}"
    );
    assert!(!table.contains("kill(2)"), "{table}");
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_the_work() {
    let scratch = Scratch::new("local-json");
    let missing = scratch.path().join("no/such.json");
    let output = coracle(&scratch, &["selftest", "--json", missing.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(out(&output), "");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = format!(
        "coracle: cannot write {}: No such file or directory\n",
        missing.display()
    );
    assert_eq!(error, expected);
}

#[test]
fn output_that_is_lost_is_an_error_unless_nobody_wants_it() {
    let scratch = Scratch::new("local-full");
    let full = Path::new("/dev/full");
    for words in [&["--version"][..], &["--help"], &["try"], &["doctor"]] {
        if full.exists() {
            let device = fs::OpenOptions::new().write(true).open(full).unwrap();
            let output = coracle(&scratch, words).stdout(device).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{words:?}");
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            let expected = "coracle: cannot write to standard output: No space left on device\n";
            assert_eq!(error, expected, "{words:?}");
        }
        let mut child = coracle(&scratch, words)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.code().is_some(), "{words:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    }
}

#[test]
fn what_a_killed_try_left_goes_with_the_next() {
    use std::io::{BufRead, BufReader};
    let scratch = Scratch::new("local-sweep");
    let mut child = coracle(&scratch, &["try"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("attached"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(entries(scratch.path()).len(), 1);
    let output = coracle(&scratch, &["try"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert_eq!(entries(scratch.path()), Vec::<String>::new());
}
