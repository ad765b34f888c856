//! `coracle join`: what it asks, writes and prints.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use ports::{ProcessSpec, Read, Source};

use super::scratch::Scratch;

const GIVEN: &[&str] = &[
    "--owner",
    "doe",
    "--person",
    "Jo Doe",
    "--contact",
    "jo@example.org",
    "--os",
    "Plan 9",
    "--arch",
    "mips",
];

/// A worker's directory, as create-worker makes it.
fn create(basedir: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(["create-worker", "-q"])
        .arg(basedir)
        .args(["master.example.org:9020", "doe-x", "sekrit"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn join(words: &[&str], basedir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coracle"))
        .arg("join")
        .args(words)
        .arg(basedir)
        .env("PATH", "")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn info(basedir: &Path, name: &str) -> String {
    fs::read_to_string(basedir.join("info").join(name)).unwrap()
}

#[test]
fn flags_are_enough_where_nobody_can_be_asked() {
    let scratch = Scratch::new("join");
    let basedir = scratch.path().join("worker");
    create(&basedir);
    let output = join(&[GIVEN, &["--name", "doe-plan9"]].concat(), &basedir);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(info(&basedir, "admin"), "Jo Doe <jo AT example.org>\n");
    assert!(info(&basedir, "host").starts_with("Plan 9 on mips, "));
    let request = String::from_utf8(output.stdout).unwrap();
    for wanted in [
        "# New worker request: doe-plan9\n",
        "- **Email address:** jo at example dot org\n",
        "- **Operating System:** Plan 9\n",
        "- missing: compiler: none of gcc, cc, clang, c99 is in PATH\n",
        "    (\"mips Plan 9\", \"doe-plan9\", UnixBuild),\n",
    ] {
        assert!(request.contains(wanted), "{wanted}\n{request}");
    }
}

#[test]
fn a_bring_up_is_evidence() {
    let scratch = Scratch::new("join-bringup");
    let report = scratch.path().join("up/report");
    fs::create_dir_all(&report).unwrap();
    let mut record = coracle::bringup::Record::new();
    record.source = "Python 3.15.0a1".to_owned();
    record.tests = Some(coracle::bringup::Tests {
        failed: vec![coracle::bringup::Test {
            name: "test.test_os.X.test_y".to_owned(),
            message: String::new(),
        }],
        ..Default::default()
    });
    fs::write(report.join("report.json"), record.json()).unwrap();
    let up = scratch.path().join("up");
    let words = [GIVEN, &["--bringup", up.to_str().unwrap()]].concat();
    create(&scratch.path().join("worker"));
    let output = join(&words, &scratch.path().join("worker"));
    let request = String::from_utf8(output.stdout).unwrap();
    assert!(
        request.contains("`coracle bringup cpython` (Python 3.15.0a1"),
        "{request}"
    );
    assert!(
        request.contains("  - test.test\\_os.X.test\\_y\n"),
        "{request}"
    );
    let words = [GIVEN, &["--bringup", "/no/such"]].concat();
    let output = join(&words, &scratch.path().join("worker"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_join_wrote_itself_is_written_again() {
    let scratch = Scratch::new("join-again");
    create(scratch.path());
    assert!(join(GIVEN, scratch.path()).status.success());
    let words = [GIVEN, &["--contact", "doe@example.org", "--os", "Inferno"]].concat();
    let output = join(&words, scratch.path());
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(!notes.contains("was edited"), "{notes}");
    assert_eq!(
        info(scratch.path(), "admin"),
        "Jo Doe <doe AT example.org>\n"
    );
    assert!(info(scratch.path(), "host").starts_with("Inferno on mips, "));
}

#[test]
fn without_a_workers_directory_nothing_is_made() {
    let scratch = Scratch::new("join-nowhere");
    for (directory, what) in [
        (
            scratch.path().join("no-such"),
            " is not there; `coracle create-worker ",
        ),
        (scratch.path().to_owned(), " is no worker's directory: "),
    ] {
        let output = join(GIVEN, &directory);
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(what), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn what_somebody_edited_stays() {
    let scratch = Scratch::new("join-edited");
    create(scratch.path());
    fs::write(scratch.path().join("info/host"), "my own words\n").unwrap();
    let output = join(GIVEN, scratch.path());
    assert!(output.status.success());
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(notes.contains("info/host was edited and stays as it is; --force overwrites it"));
    assert_eq!(info(scratch.path(), "host"), "my own words\n");
    assert!(
        join(&[GIVEN, &["-f"]].concat(), scratch.path())
            .status
            .success()
    );
    assert_ne!(info(scratch.path(), "host"), "my own words\n");
}

#[test]
fn what_cannot_be_used_is_one_line_and_nothing_is_written() {
    for (words, reason) in [
        (
            &[][..],
            "coracle: --owner is needed, since nobody can be asked here\n",
        ),
        (
            &["--owner", "jo-doe"],
            "coracle: owner jo-doe: use letters, digits and '_' only",
        ),
        (
            &["--owner", "doe", "--name", "x-y"],
            "coracle: name x-y: must begin with the owner, doe-\n",
        ),
        (
            &["--owner", "doe", "--name", "doe-x/../y"],
            "coracle: name doe-x/../y: use OWNER-SYSTEM",
        ),
        (
            &["--owner", "doe", "--person", "a\nb"],
            "coracle: person: must be one line",
        ),
        (
            &[
                "--owner",
                "doe",
                "--person",
                "a",
                "--contact",
                "b@example.org",
                "--password",
                "hunter2",
            ],
            "coracle: password hunter2: known are",
        ),
        (
            &["--contact", "jo"],
            "coracle: contact jo: give one e-mail address",
        ),
        (
            &["--contact", ""],
            "coracle: contact : give one e-mail address",
        ),
        (
            &["--github", "a b"],
            "coracle: github a b: give the name of a user",
        ),
    ] {
        let scratch = Scratch::new("join-bad");
        create(scratch.path());
        let output = join(words, scratch.path());
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with(reason), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert_eq!(
            info(scratch.path(), "admin"),
            coracle::basedir::ADMIN_UNEDITED
        );
    }
}

#[test]
fn a_terminal_is_asked_and_an_empty_answer_takes_what_is_suggested() {
    let scratch = Scratch::new("join-asked");
    let basedir = scratch.path().join("worker");
    create(&basedir);
    let words = [
        OsString::from(env!("CARGO_BIN_EXE_coracle")),
        "join".into(),
        "--os".into(),
        "Plan 9".into(),
        basedir.clone().into_os_string(),
    ];
    let env = [(OsString::from("PATH"), OsString::new())];
    let spec = ProcessSpec {
        words: &words,
        env: &env,
        directory: scratch.path(),
        terminal: true,
    };
    let mut process = ports::start(&spec).unwrap();
    let mut input = process.take_stdin().unwrap();
    // Owner (a bad one is asked again), name (too), person (empty too), contact (too), GitHub (too),
    // architecture, password (too), special.
    let typed = b"jo-doe\ndoe\nx\n\n\nJo\njo\njo@example.org\na b\njo\n\nsekrit\n\n\n";
    assert_eq!(input.write(typed).unwrap(), typed.len());
    let mut output = process.take_stdout().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut shown = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match output.read(&mut buffer).unwrap() {
            Read::Bytes(count) => shown.extend(&buffer[..count]),
            Read::End => break,
            Read::NotYet => {
                assert!(Instant::now() < deadline, "no end");
                ports::wait(&[Source::Readable(&output)], Some(deadline)).unwrap();
            }
        }
    }
    process.end(Instant::now() + Duration::from_secs(5));
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("The worker's name [doe-"), "{shown}");
    assert_eq!(shown.matches("Your name: ").count(), 2, "{shown}");
    for twice in [
        "often your last name",
        "The worker's name [",
        "Your e-mail address",
        "at GitHub [",
        "The password: ",
    ] {
        assert_eq!(shown.matches(twice).count(), 2, "{twice}: {shown}");
    }
    assert!(
        shown.contains("contact jo: give one e-mail address"),
        "{shown}"
    );
    assert!(shown.contains("- **GitHub username:** @jo"), "{shown}");
    assert!(
        shown.contains("- **Password status:** I need a new owner password"),
        "{shown}"
    );
    assert_eq!(info(&basedir, "admin"), "Jo <jo AT example.org>\n");
}
