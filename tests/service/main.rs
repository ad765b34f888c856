//! `coracle service`: what it writes for each system, read back the way that system reads it.

#![allow(clippy::unwrap_used)]

#[path = "../support/scratch.rs"]
mod scratch;

mod command;
mod files;
mod haiku;
mod scripts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use scratch::Scratch;

/// Every system with the name of its file for the instance `one`; none for cron.
const SYSTEMS: &[(&str, &str)] = &[
    ("systemd", "etc/systemd/system/coracle-one.service"),
    ("openrc", "etc/init.d/coracle-one"),
    ("freebsd", "usr/local/etc/rc.d/coracle_one"),
    ("openbsd", "etc/rc.d/coracle_one"),
    ("netbsd", "etc/rc.d/coracle_one"),
    ("dragonfly", "usr/local/etc/rc.d/coracle_one"),
    ("illumos", "var/svc/manifest/site/coracle-one.xml"),
    ("macos", "Library/LaunchDaemons/coracle.one.plist"),
    ("haiku", "boot/system/settings/launch/coracle-one"),
];

/// What directories may be called.
const ODD: &[&str] = &[
    "worker",
    "my worker",
    "it's",
    "say \"hi\"",
    "100%i %% %",
    "a&b<c>;d|e",
    "$PATH $$ ${x} $(false) `false`",
    "back\\slash",
    "end\\\\ x",
    "#no {comment} = !",
    "*?[a]~",
    "bücher/書",
    "@basedir@ @user:sh@",
    "-n --",
];

fn coracle(words: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_coracle");
    Command::new(program).args(words).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The service for a directory and program that may be on another host, or why there is none.
fn service(system: &str, basedir: &str, program: &str) -> Result<String, String> {
    service_of(system, "daemon", basedir, program)
}

fn service_of(system: &str, user: &str, basedir: &str, program: &str) -> Result<String, String> {
    let scratch = Scratch::new("service");
    let top = scratch.path().to_str().unwrap();
    let mut words = vec!["service", "--for", system, "--name", "one"];
    words.extend(["--program", program, "--destdir", top]);
    if system != "haiku" {
        words.extend(["--user", user]);
    }
    words.push(basedir);
    let output = coracle(&words);
    if !output.status.success() {
        return Err(stderr(&output));
    }
    let (_, file) = SYSTEMS.iter().find(|(name, _)| *name == system).unwrap();
    Ok(fs::read_to_string(scratch.path().join(file)).unwrap())
}

/// A worker's directory. Its master does not answer.
fn base_directory(scratch: &Scratch, name: &str) -> String {
    let path = scratch.path().join(name);
    let path = path.to_str().unwrap();
    let made = coracle(&["create-worker", "-q", path, "127.0.0.1:1", "w", "p"]);
    assert!(made.status.success(), "{}", stderr(&made));
    fs::canonicalize(path).unwrap().to_str().unwrap().to_owned()
}

/// Whether a tool is there. If not, says what is not checked; where `CORACLE_TOOLS` is set, as by
/// `ci/check.sh`, that is a failure.
fn has_tool(tool: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", "command -v \"$0\"", tool])
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        let needed = std::env::var_os("CORACLE_TOOLS").is_some();
        assert!(!needed, "{tool} is not installed; see ci/tools.sh");
        eprintln!("skipped: {tool} is not installed (ci/tools.sh installs it)");
    }
    found
}

/// A program that writes down with which words it was called, and in what surroundings.
struct Recorder {
    scratch: Scratch,
    program: PathBuf,
}

impl Recorder {
    /// With this name.
    fn new(name: &str) -> Recorder {
        let scratch = Scratch::new("recorder");
        let program = scratch.path().join(name);
        write_program(
            &program,
            "#!/bin/sh\n\
             at=${0%/*}\n\
             for word; do printf '%s\\n' \"$word\"; done > \"$at/words\"\n\
             printf '%s\\n' \"$HOME\" > \"$at/home\"\n\
             printf '%s\\n' \"$PATH\" > \"$at/path\"\n\
             pwd > \"$at/directory\"\n\
             env > \"$at/env\"\n\
             exit \"${RECORDER_STATUS:-0}\"\n",
        );
        Recorder { scratch, program }
    }

    fn program(&self) -> &str {
        self.program.to_str().unwrap()
    }

    /// What was written down under this name at the last call; nothing if there was none.
    fn noted(&self, what: &str) -> Vec<String> {
        let path = self.scratch.path().join(what);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        text.lines().map(str::to_owned).collect()
    }

    fn words(&self) -> Vec<String> {
        self.noted("words")
    }
}

fn write_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    ports::set_mode(path, 0o755).unwrap();
}
