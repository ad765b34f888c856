//! The built program in a base directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::support::scratch::Scratch;

/// The program: the one built with the tests, or another one to be looked at.
pub fn program() -> String {
    let other = std::env::var("CORACLE_UNDER_TEST");
    other.unwrap_or_else(|_| env!("CARGO_BIN_EXE_coracle").to_owned())
}

/// A running worker; killed at the end.
pub struct Worker {
    pub child: Child,
    pub base: Base,
}

/// A base directory.
pub struct Base {
    scratch: Scratch,
}

impl Base {
    /// As `create-worker` makes it for a master on this machine; `more` are options of it.
    pub fn new(name: &str, port: u16, more: &[&str]) -> Base {
        Base::at(name, &format!("127.0.0.1:{port}"), more)
    }

    /// For a master at an address.
    pub fn at(name: &str, address: &str, more: &[&str]) -> Base {
        let scratch = Scratch::new(&format!("faults-{name}"));
        let status = Command::new(program())
            .args(["create-worker", "-q"])
            .args(more)
            .arg(scratch.path())
            .args([address, "box", "sekrit"])
            .status()
            .unwrap();
        assert!(status.success());
        Base { scratch }
    }

    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Runs the worker here.
    pub fn start(self) -> Worker {
        let child = Command::new(program())
            .args(["start", "--nodaemon"])
            .arg(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Worker { child, base: self }
    }
}

impl Worker {
    /// With a keepalive of an hour: none in the way of a test.
    pub fn start(name: &str, port: u16) -> Worker {
        Base::new(name, port, &["--keepalive=3600"]).start()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.base.join("twistd.log")).unwrap_or_default()
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Kills it without warning, and hands back the base directory.
    pub fn kill(mut self) -> Base {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let scratch = Scratch::new("faults-unused");
        std::mem::replace(&mut self.base, Base { scratch })
    }

    /// Waits for the end.
    pub fn wait(&mut self, time: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + time;
        loop {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || Instant::now() >= until {
                return ended;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Resident memory in KiB.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most memory of its own so far in KiB: without the pages of the program file, of which a debug
    /// build has many.
    pub fn peak(&self) -> u64 {
        self.status("VmHWM:") - self.status("RssFile:")
    }

    pub fn threads(&self) -> u64 {
        self.status("Threads:")
    }

    fn status(&self, key: &str) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(path).unwrap();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    pub fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.child.id());
        fs::read_dir(path).unwrap().count()
    }

    /// Children of the worker, ended ones included.
    pub fn children(&self) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let lists =
            tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
        let all: String = lists.collect();
        all.split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the worker's log:\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

/// Waits until something is so; whether it is.
pub fn becomes(time: Duration, is_so: impl Fn() -> bool) -> bool {
    let until = Instant::now() + time;
    while !is_so() {
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

/// How many processes have this word among their arguments.
pub fn processes_with(word: &str) -> usize {
    let is_word = |entry: &fs::DirEntry| {
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        words.split(|byte| *byte == 0).any(|w| w == word.as_bytes())
    };
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries.filter(is_word).count()
}
