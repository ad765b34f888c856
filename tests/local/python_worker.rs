//! The master inside with Python's own worker: a proof that it is a real master.
//!
//! Needs the virtual environment that `tests/master/setup.sh` makes:
//! `CORACLE_MASTER_VENV=$(tests/master/setup.sh) cargo test --test local -- --ignored`

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use coracle::local::recipe::{Outcome, RecipeFile};
use coracle::local::run::{Job, Observer, RunEvent, direct};

use crate::scratch::Scratch;

struct Deaf;

impl Observer for Deaf {
    fn observe(&mut self, _: &RunEvent<'_>) {}
}

const RECIPE: &str = r#"
title = "what both workers do"
[[step]]
name = "print"
command = 'echo "a $A"; echo err >&2; printf "na\303\257ve\n"'
env = { A = "b" }
expect = ["a b", "err", "naïve"]
[[step]]
name = "terminal"
command = "test -t 1 && echo a terminal"
pty = true
expect = ["a terminal"]
[[step]]
name = "code"
command = "exit 5"
results = { 5 = "warnings" }
warn_on_warnings = true
[[step]]
name = "silence"
command = "sleep 60"
timeout = 1
results = { -1 = "success", 0 = "failure" }
[[step]]
name = "interrupt"
command = "sleep 60"
interrupt_after = 1
results = { -1 = "success", 0 = "failure" }
[[step]]
name = "down"
download = "blob"
size = 700_000
[[step]]
name = "up"
upload = "blob"
same_as = "down"
[[step]]
name = "stat"
stat = "build/blob"
expect = ["700000 bytes"]
[[step]]
name = "listdir"
listdir = "build"
expect = ["blob"]
[[step]]
name = "cpdir"
copy = { from = "build", to = "copy" }
[[step]]
name = "glob"
glob = "c*/bl*"
expect = ["copy/blob"]
[[step]]
name = "rmfile"
rmfile = "copy/blob"
[[step]]
name = "archive"
upload_directory = "."
compress = "gz"
[[step]]
name = "rmdir"
rmdir = "build"
[[step]]
name = "gone"
stat = "build"
results = { 2 = "success", 0 = "failure" }
"#;

#[test]
#[ignore = "needs Python's worker, see the head of the file"]
fn pythons_worker_runs_a_recipe_of_the_master_inside() {
    let venv = PathBuf::from(std::env::var_os("CORACLE_MASTER_VENV").unwrap());
    let scratch = Scratch::new("local-python");
    let base = scratch.path().join("base");
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let program = venv.join("bin/buildbot-worker");
    let made = Command::new(&program)
        .args(["create-worker", "-q"])
        .arg(&base)
        .args([&format!("127.0.0.1:{port}"), "py", "sekrit"])
        .status()
        .unwrap();
    assert!(made.success());
    let plan = RecipeFile::parse("test", RECIPE).unwrap();
    let job = Job {
        plan: plan.plan(None, &BTreeMap::new()).unwrap(),
        base: base.clone(),
        directory: "builder".to_owned(),
        results: scratch.path().join("results"),
        environment: std::env::vars_os().collect(),
        earlier: Vec::new(),
    };
    let mut worker = Command::new(&program)
        .args(["start", "--nodaemon"])
        .arg(&base)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let report = direct(job, port, "py", "sekrit", Box::new(Deaf)).unwrap();
    // The master has told it to stop.
    let status = worker.wait().unwrap();
    let log = fs::read_to_string(base.join("twistd.log")).unwrap_or_default();
    assert_eq!(report.trouble, None, "{log}");
    for end in &report.steps {
        let wanted = match end.name.as_str() {
            "code" => Outcome::Warnings,
            _ => Outcome::Success,
        };
        assert_eq!(end.outcome, wanted, "{end:?}\n{log}");
    }
    assert_eq!(report.steps.len(), 15);
    assert_eq!(report.outcome, Outcome::Warnings);
    assert!(status.success());
    assert!(!log.contains("Traceback"), "{log}");
}
