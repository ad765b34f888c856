//! What a daemon tells whoever started it, through a pipe: that it runs, that it is attached, or
//! what keeps it from that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ports::{Read, ReadEnd, Source, WriteEnd};

/// Longest text, in bytes: a message fits into a pipe in one piece (POSIX: at least 512 bytes).
const LONGEST: usize = 400;

/// Tells whoever started this process how it goes. Never blocks, never fails: when nobody listens
/// any more, nothing is told.
#[derive(Debug, Clone)]
pub struct Startup(Option<Arc<Mutex<Option<WriteEnd>>>>);

impl Startup {
    /// Tells nobody.
    pub fn silent() -> Self {
        Startup(None)
    }

    /// Tells the reader of this pipe.
    pub fn through(end: WriteEnd) -> Self {
        Startup(Some(Arc::new(Mutex::new(Some(end)))))
    }

    /// We run, with this process number. To be said first.
    pub fn running(&self, pid: u32) {
        self.tell(&format!("running {pid}"));
    }

    /// We cannot run; the last that is said.
    pub fn refused(&self, why: &str) {
        self.tell(&format!("refused {why}"));
        self.finish();
    }

    /// The master has attached us; the last that is said.
    pub fn attached(&self) {
        self.tell("attached");
        self.finish();
    }

    /// We are not attached yet, for this reason: one line such as `master h:9989 refused the
    /// connection`. We keep trying.
    pub fn problem(&self, text: &str) {
        self.tell(&format!("problem {text}"));
    }

    fn tell(&self, message: &str) {
        let Some(shared) = &self.0 else {
            return;
        };
        let mut end = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pipe) = end.as_mut() else {
            return;
        };
        let mut line = message.replace(['\n', '\r'], " ");
        let cut = (0..=LONGEST.min(line.len())).rev();
        line.truncate(
            cut.into_iter()
                .find(|&at| line.is_char_boundary(at))
                .unwrap_or(0),
        );
        line.push('\n');
        // A full pipe means that the starter is stopped; it can do without this message.
        if pipe.write(line.as_bytes()).is_err() {
            *end = None;
        }
    }

    fn finish(&self) {
        if let Some(shared) = &self.0 {
            *shared.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// What came of a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The daemon runs; what else it does was not waited for.
    Running(u32),
    /// The master has attached the worker.
    Attached,
    /// The same problem came twice in a row, or nothing decisive was said in time; the last problem, if
    /// there was one.
    NotYet(Option<String>),
    /// The daemon could not start, for this reason.
    Refused(String),
    /// The daemon has ended; the last problem, if there was one.
    Ended(Option<String>),
}

/// The starter's end of the pipe.
#[derive(Debug)]
pub struct Following {
    end: ReadEnd,
    received: Vec<u8>,
    /// The daemon's process number, once told.
    pub pid: Option<u32>,
    problem: Option<String>,
}

impl Following {
    /// Of this pipe.
    pub fn new(end: ReadEnd) -> Self {
        Self {
            end,
            received: Vec::new(),
            pid: None,
            problem: None,
        }
    }

    /// Waits until the daemon runs.
    pub fn until_running(&mut self, deadline: Instant) -> Verdict {
        self.until(deadline, true)
    }

    /// Waits until the daemon is attached.
    pub fn until_attached(&mut self, deadline: Instant) -> Verdict {
        self.until(deadline, false)
    }

    fn until(&mut self, deadline: Instant, running_is_enough: bool) -> Verdict {
        loop {
            while let Some(end) = self.received.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                match self.heard(line.trim_end()) {
                    Some(Verdict::Running(_)) if !running_is_enough => {}
                    Some(verdict) => return verdict,
                    None => {}
                }
            }
            let mut buffer = [0; 1024];
            match self.end.read(&mut buffer) {
                Ok(Read::Bytes(count)) => self.received.extend_from_slice(&buffer[..count]),
                Ok(Read::End) | Err(_) => return Verdict::Ended(self.problem.take()),
                Ok(Read::NotYet) => {
                    if Instant::now() >= deadline {
                        return Verdict::NotYet(self.problem.take());
                    }
                    if ports::wait(&[Source::Readable(&self.end)], Some(deadline)).is_err() {
                        return Verdict::NotYet(self.problem.take());
                    }
                }
            }
        }
    }

    fn heard(&mut self, line: &str) -> Option<Verdict> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "running" => {
                self.pid = rest.parse().ok();
                Some(Verdict::Running(self.pid.unwrap_or(0)))
            }
            "attached" => Some(Verdict::Attached),
            "refused" => Some(Verdict::Refused(rest.to_owned())),
            "problem" => {
                let again = self.problem.as_deref() == Some(rest);
                self.problem = Some(rest.to_owned());
                again.then(|| Verdict::NotYet(self.problem.take()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::time::Duration;

    /// A pipe with a program between its ends, which passes everything on.
    fn pipe() -> (Startup, Following, ports::StepProcess) {
        let words = ["/bin/cat".into()];
        let mut process = ports::start(&ports::ProcessSpec {
            words: &words,
            env: &[],
            directory: Path::new("/"),
            terminal: false,
        })
        .unwrap();
        let startup = Startup::through(process.take_stdin().unwrap());
        let following = Following::new(process.take_stdout().unwrap());
        (startup, following, process)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn what_the_daemon_tells_is_the_verdict() {
        let (startup, mut following, _process) = pipe();
        startup.running(77);
        assert_eq!(following.until_running(soon()), Verdict::Running(77));
        startup.problem("no route\nto host");
        startup.attached();
        assert_eq!(following.until_attached(soon()), Verdict::Attached);
        assert_eq!(following.pid, Some(77));
        // Nobody listens any more.
        startup.problem("later");
        startup.attached();
    }

    #[test]
    fn the_last_problem_is_the_verdict_when_time_is_over() {
        let (startup, mut following, _process) = pipe();
        startup.problem("first");
        startup.problem(&format!("second\n{}", "ä".repeat(1000)));
        startup.running(5);
        assert_eq!(following.until_running(soon()), Verdict::Running(5));
        match following.until_attached(Instant::now()) {
            Verdict::NotYet(Some(problem)) => {
                assert!(problem.starts_with("second ää"));
                assert!(problem.len() <= LONGEST);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_problem_that_comes_again_is_the_verdict_at_once() {
        let (startup, mut following, _process) = pipe();
        for text in ["away", "refused", "away", "away"] {
            startup.problem(text);
        }
        let expected = Verdict::NotYet(Some("away".to_owned()));
        assert_eq!(following.until_attached(soon()), expected);
        startup.attached();
        assert_eq!(following.until_attached(soon()), Verdict::Attached);
    }

    #[test]
    fn a_refusal_and_an_end_are_verdicts_too() {
        let (startup, mut following, _process) = pipe();
        startup.refused("a worker already runs here");
        let expected = Verdict::Refused("a worker already runs here".to_owned());
        assert_eq!(following.until_attached(soon()), expected);
        let (startup, mut following, _process) = pipe();
        startup.problem("odd");
        drop(startup);
        assert_eq!(
            following.until_attached(soon()),
            Verdict::Ended(Some("odd".to_owned()))
        );
    }

    #[test]
    fn a_reader_that_does_not_read_holds_nobody_up() {
        let (startup, following, _process) = pipe();
        for _ in 0..10_000 {
            startup.problem("again and again and again and again");
        }
        drop(following);
    }
}
