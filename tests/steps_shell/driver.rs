//! Drives one step as the worker does.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use coracle::calls::{
    Command, CommandLine, Failure, FailureReason, Place, Shell, StepEvent, ToStep, Update, Word,
};
use coracle::steps::{self, Context, Inbox, OutputRules, StepHandle};

use crate::scratch::Scratch;

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A builder's directory, and what the step's environment has.
pub struct Scene {
    scratch: Scratch,
    pub context: Context,
}

impl Scene {
    pub fn new() -> Scene {
        let scratch = Scratch::new("steps");
        let base_dir = scratch.path().canonicalize().unwrap();
        let own = |name: &str| std::env::var_os(name).map(|value| (name.into(), value));
        let context = Context {
            builder_dir: base_dir.join("builder"),
            base_dir,
            environment: ["PATH", "HOME"].into_iter().filter_map(own).collect(),
            output: OutputRules::default(),
            encoding: coracle::steps::TextEncoding::default(),
        };
        Scene { scratch, context }
    }

    /// The directory in which programs run unless a test says otherwise.
    pub fn workdir(&self) -> PathBuf {
        self.context.builder_dir.join("build")
    }

    pub fn base(&self) -> &Path {
        self.scratch.path()
    }

    /// Writes a file in the work directory.
    pub fn write(&self, name: &str, content: &str) {
        std::fs::create_dir_all(self.workdir()).unwrap();
        std::fs::write(self.workdir().join(name), content).unwrap();
    }

    pub fn start(&self, shell: Shell) -> Step {
        let (handle, inbox) = steps::mailbox().unwrap();
        self.start_with(shell, handle, inbox)
    }

    pub fn start_with(&self, shell: Shell, handle: StepHandle, inbox: Inbox) -> Step {
        let (sender, events) = mpsc::channel();
        let context = self.context.clone();
        let thread = thread::spawn(move || {
            let post: steps::Post = Box::new(move |event| sender.send(event).unwrap());
            steps::run(Command::Shell(Box::new(shell)), context, inbox, post);
        });
        Step {
            handle,
            events,
            thread,
            acknowledging: true,
            updates: Vec::new(),
            posted: 0,
        }
    }

    /// Runs to the end, taking everything at once as a fast master does.
    pub fn run(&self, shell: Shell) -> Report {
        self.start(shell).finish()
    }
}

/// A running step.
pub struct Step {
    pub handle: StepHandle,
    events: Receiver<StepEvent>,
    thread: JoinHandle<()>,
    /// Whether the master takes what it is sent.
    pub acknowledging: bool,
    updates: Vec<Update>,
    /// Bytes of text so far.
    pub posted: usize,
}

/// What a step said, and how it ended.
#[derive(Debug)]
pub struct Report {
    pub updates: Vec<Update>,
    pub result: Result<(), Failure>,
}

impl Step {
    /// Takes events until the text of one stream contains these words.
    pub fn until(&mut self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self
            .updates
            .iter()
            .any(|update| text_of(update).contains(words))
        {
            let event = self
                .next(deadline)
                .unwrap_or_else(|| panic!("never: {words}"));
            assert_eq!(event, None, "the step ended before: {words}");
        }
    }

    /// Takes events for as long as there is one within `quiet`.
    pub fn until_quiet(&mut self, quiet: Duration) {
        while let Some(end) = self.next(Instant::now() + quiet) {
            assert_eq!(end, None, "the step ended");
        }
    }

    pub fn interrupt(&self) {
        let reason = "stopped by a test".to_owned();
        self.handle.send(ToStep::Interrupt { reason });
    }

    /// Takes the rest.
    pub fn finish(mut self) -> Report {
        let deadline = Instant::now() + PATIENCE;
        let result = loop {
            let event = self.next(deadline).expect("the step ends");
            if let Some(result) = event {
                break result;
            }
        };
        self.thread.join().unwrap();
        assert_eq!(
            self.events.try_iter().count(),
            0,
            "nothing comes after the end"
        );
        Report {
            updates: self.updates,
            result,
        }
    }

    /// The next event, taken; none at the deadline. The inner value is how the step ended.
    fn next(&mut self, deadline: Instant) -> Option<Option<Result<(), Failure>>> {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.events.recv_timeout(left) {
            Ok(StepEvent::Updates { updates, cost }) => {
                self.posted += updates
                    .iter()
                    .map(|update| text_of(update).len())
                    .sum::<usize>();
                self.updates.extend(updates);
                if self.acknowledging {
                    self.handle.send(ToStep::Acknowledged { cost });
                }
                Some(None)
            }
            Ok(StepEvent::Complete(result)) => Some(Some(result)),
            Ok(StepEvent::Transfer { .. }) => panic!("a program makes no transfers"),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the step said no last word"),
        }
    }
}

impl Report {
    pub fn stdout(&self) -> String {
        self.text(|update| matches!(update, Update::Stdout(_)))
    }

    pub fn stderr(&self) -> String {
        self.text(|update| matches!(update, Update::Stderr(_)))
    }

    pub fn header(&self) -> String {
        self.text(|update| matches!(update, Update::Header(_)))
    }

    pub fn log(&self, wanted: &str) -> String {
        self.text(|update| matches!(update, Update::Log { name, .. } if name == wanted))
    }

    /// The exit code; exactly one.
    pub fn code(&self) -> i32 {
        let codes: Vec<i32> = self.updates.iter().filter_map(code_of).collect();
        assert_eq!(codes.len(), 1, "{self:?}");
        codes[0]
    }

    pub fn reasons(&self) -> Vec<FailureReason> {
        let reason = |update: &Update| match update {
            Update::FailureReason(reason) => Some(*reason),
            _ => None,
        };
        self.updates.iter().filter_map(reason).collect()
    }

    pub fn tells_elapsed(&self) -> bool {
        self.updates
            .iter()
            .any(|update| matches!(update, Update::Elapsed(_)))
    }

    /// What came in which order, without the text: `header stdout code header elapsed`.
    pub fn order(&self) -> String {
        let mut names: Vec<&str> = self.updates.iter().map(name_of).collect();
        // Whether two texts of a kind travel as one is a matter of time.
        names.dedup();
        names.join(" ")
    }

    fn text(&self, wanted: impl Fn(&Update) -> bool) -> String {
        let updates = self.updates.iter().filter(|update| wanted(update));
        updates.map(text_of).collect()
    }
}

fn text_of(update: &Update) -> &str {
    match update {
        Update::Stdout(lines) | Update::Stderr(lines) | Update::Header(lines) => &lines.text,
        Update::Log { lines, .. } => &lines.text,
        _ => "",
    }
}

fn code_of(update: &Update) -> Option<i32> {
    match update {
        Update::ExitCode(code) => Some(*code),
        _ => None,
    }
}

fn name_of(update: &Update) -> &'static str {
    match update {
        Update::Stdout(_) => "stdout",
        Update::Stderr(_) => "stderr",
        Update::Header(_) => "header",
        Update::Log { .. } => "log",
        Update::ExitCode(_) => "code",
        Update::Elapsed(_) => "elapsed",
        Update::FailureReason(_) => "reason",
        Update::Files(_) => "files",
        Update::Stat(_) => "stat",
    }
}

/// A command line for the shell, everything else as it is by default.
pub fn sh(text: &str) -> Shell {
    Shell {
        command: CommandLine::Text(text.to_owned()),
        workdir: Place {
            components: vec!["build".to_owned()],
            tilde: false,
        },
        env: Vec::new(),
        initial_stdin: None,
        want_stdout: true,
        want_stderr: true,
        logfiles: Vec::new(),
        timeout: None,
        max_time: None,
        max_lines: None,
        sigterm_time: None,
        interrupt_signal: "KILL".to_owned(),
        use_pty: false,
        log_environ: false,
    }
}

/// A program and its arguments.
pub fn words(words: &[&str]) -> Shell {
    let word = |word: &&str| Word {
        real: (*word).to_owned(),
        shown: None,
    };
    Shell {
        command: CommandLine::Words(words.iter().map(word).collect()),
        ..sh("")
    }
}

/// Whether there is a process of this number.
pub fn is_alive(pid: &str) -> bool {
    // A zombie is no process any more.
    let state = std::process::Command::new("ps")
        .args(["-o", "stat=", "-p", pid])
        .output()
        .unwrap();
    let state = String::from_utf8(state.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}
