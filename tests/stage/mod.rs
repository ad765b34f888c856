//! A stage for one step: a directory, the step on its thread, and the worker's side of it.

// Each test program uses its own part of this.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::Duration;

use coracle::calls::{
    Command, Failure, FailureReason, Lines, Place, StepEvent, ToStep, Transfer, TransferReply,
    TransferTag, Update,
};
use coracle::steps::{self, Context, OutputRules, StepHandle};

/// A step that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A base directory with one builder, `b`; removed at the end.
pub struct Stage {
    pub base: PathBuf,
}

impl Stage {
    pub fn new() -> Stage {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("coracle-test-{}-{count}", std::process::id());
        let base = fs::canonicalize(std::env::temp_dir()).unwrap().join(name);
        fs::create_dir_all(base.join("b")).unwrap();
        Stage { base }
    }

    /// A path in the builder's directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.base.join("b").join(name)
    }

    /// The same as text.
    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn mkdir(&self, name: &str) {
        fs::create_dir_all(self.path(name)).unwrap();
    }

    pub fn start(&self, command: Command) -> Running {
        self.start_with(command, Vec::new())
    }

    /// Starts a command that has these messages from its first moment on.
    pub fn start_with(&self, command: Command, messages: Vec<ToStep>) -> Running {
        let context = Context {
            base_dir: self.base.clone(),
            builder_dir: self.base.join("b"),
            environment: vec![("A".into(), "1".into())],
            output: OutputRules::default(),
            encoding: coracle::steps::TextEncoding::default(),
        };
        let (handle, inbox) = steps::mailbox().unwrap();
        messages
            .into_iter()
            .for_each(|message| handle.send(message));
        let (sender, events) = mpsc::channel();
        let post = Box::new(move |event| {
            let _ = sender.send(event);
        });
        let thread = std::thread::Builder::new()
            // As in the worker.
            .stack_size(512 * 1024)
            .spawn(move || steps::run(command, context, inbox, post))
            .unwrap();
        Running {
            handle,
            events,
            thread,
            updates: Vec::new(),
        }
    }

    /// Runs a command that makes no transfers to its end.
    pub fn run(&self, command: Command) -> Report {
        self.start(command)
            .finish(|_, transfer| panic!("{transfer:?}"))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let status = std::process::Command::new("chmod")
            .arg("-Rf")
            .arg("u+rwx")
            .arg(&self.base)
            .status();
        let removed = fs::remove_dir_all(&self.base);
        if !std::thread::panicking() {
            status.unwrap();
            removed.unwrap();
        }
    }
}

/// A step under way.
pub struct Running {
    pub handle: StepHandle,
    events: Receiver<StepEvent>,
    thread: JoinHandle<()>,
    updates: Vec<Update>,
}

impl Running {
    /// The next event; updates are noted and acknowledged besides.
    pub fn next(&mut self) -> StepEvent {
        let event = self.events.recv_timeout(PATIENCE).expect("the step hangs");
        if let StepEvent::Updates { updates, cost } = &event {
            self.updates.extend(updates.iter().cloned());
            self.handle.send(ToStep::Acknowledged { cost: *cost });
        }
        event
    }

    /// The next transfer. None if the step is over.
    pub fn next_transfer(&mut self) -> Option<(TransferTag, Transfer)> {
        loop {
            match self.next() {
                StepEvent::Transfer { tag, transfer } => return Some((tag, transfer)),
                StepEvent::Updates { .. } => {}
                StepEvent::Complete(_) => return None,
            }
        }
    }

    /// A transfer that has been asked for but not been looked at, if there is one after this time.
    pub fn next_within(&mut self, time: Duration) -> Option<StepEvent> {
        self.events.recv_timeout(time).ok()
    }

    pub fn interrupt(&self) {
        self.handle.send(interrupt());
    }

    pub fn reply(&self, tag: TransferTag, reply: TransferReply) {
        self.handle.send(ToStep::Reply { tag, reply });
    }

    /// Answers every transfer at once with what `master` says, until the end.
    pub fn finish(
        mut self,
        mut master: impl FnMut(&StepHandle, Transfer) -> TransferReply,
    ) -> Report {
        loop {
            match self.next() {
                StepEvent::Updates { .. } => {}
                StepEvent::Transfer { tag, transfer } => {
                    let reply = master(&self.handle, transfer);
                    self.handle.send(ToStep::Reply { tag, reply });
                }
                StepEvent::Complete(result) => {
                    self.thread.join().unwrap();
                    assert!(self.events.recv().is_err(), "an event after the last");
                    return Report {
                        updates: self.updates,
                        result,
                    };
                }
            }
        }
    }
}

/// What a step said.
#[derive(Debug)]
pub struct Report {
    pub updates: Vec<Update>,
    pub result: Result<(), Failure>,
}

impl Report {
    fn text<'a>(&'a self, pick: impl Fn(&'a Update) -> Option<&'a Lines>) -> String {
        let lines = self.updates.iter().filter_map(pick);
        lines.map(|lines| lines.text.as_str()).collect()
    }

    pub fn header(&self) -> String {
        self.text(|update| match update {
            Update::Header(lines) => Some(lines),
            _ => None,
        })
    }

    pub fn stdout(&self) -> String {
        self.text(|update| match update {
            Update::Stdout(lines) => Some(lines),
            _ => None,
        })
    }

    pub fn stderr(&self) -> String {
        self.text(|update| match update {
            Update::Stderr(lines) => Some(lines),
            _ => None,
        })
    }

    /// The exit code, said exactly once.
    pub fn code(&self) -> i32 {
        let codes: Vec<i32> = self
            .updates
            .iter()
            .filter_map(|update| match update {
                Update::ExitCode(code) => Some(*code),
                _ => None,
            })
            .collect();
        assert_eq!(codes.len(), 1, "{:?}", self.updates);
        codes[0]
    }

    pub fn has_elapsed(&self) -> bool {
        self.updates
            .iter()
            .any(|update| matches!(update, Update::Elapsed(_)))
    }

    pub fn failure_reason(&self) -> Option<FailureReason> {
        self.updates.iter().find_map(|update| match update {
            Update::FailureReason(reason) => Some(*reason),
            _ => None,
        })
    }

    pub fn files(&self) -> Option<Vec<String>> {
        self.updates.iter().find_map(|update| match update {
            Update::Files(files) => Some(files.clone()),
            _ => None,
        })
    }

    /// The kinds of the updates, in order; several of one kind in a row are one.
    pub fn order(&self) -> Vec<&'static str> {
        let kind = |update: &Update| match update {
            Update::Stdout(_) => "stdout",
            Update::Stderr(_) => "stderr",
            Update::Header(_) => "header",
            Update::Log { .. } => "log",
            Update::ExitCode(_) => "rc",
            Update::Elapsed(_) => "elapsed",
            Update::FailureReason(_) => "failure_reason",
            Update::Files(_) => "files",
            Update::Stat(_) => "stat",
        };
        let mut kinds: Vec<_> = self.updates.iter().map(kind).collect();
        kinds.dedup();
        kinds
    }
}

pub fn interrupt() -> ToStep {
    let reason = "test".to_owned();
    ToStep::Interrupt { reason }
}

/// A place of one component.
pub fn place(component: &str) -> Place {
    Place {
        components: vec![component.to_owned()],
        tilde: false,
    }
}

/// Whether permissions mean nothing to us, so that a test of them would test nothing.
pub fn is_superuser(stage: &Stage) -> bool {
    let probe = stage.base.join("probe");
    fs::write(&probe, "").unwrap();
    ports::set_mode(&probe, 0).unwrap();
    let readable = fs::read(&probe).is_ok();
    fs::remove_file(&probe).unwrap();
    readable
}

/// Whether `cp`, `rm`, `find` and `touch` are those whose words the Python worker's users know.
pub fn has_gnu_tools() -> bool {
    let output = std::process::Command::new("cp").arg("--version").output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("GNU"))
}

/// Runs a program in the builder's directory; exit code, output and error output.
pub fn program(directory: &Path, words: &[&str]) -> (i32, String, String) {
    let output = std::process::Command::new(words[0])
        .args(&words[1..])
        .current_dir(directory)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
