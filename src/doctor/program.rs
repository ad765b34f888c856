//! Runs a program for a moment and reads what it prints. It has no input, ends in time, and leaves
//! nothing behind.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ports::{Exit, ProcessSpec, Read, ReadEnd, Source};

/// Where programs are looked for if there is no `PATH` (execvp(3)).
const DEFAULT_PATH: &str = "/usr/bin:/bin";

/// Most bytes that are kept of each stream.
const KEPT: usize = 64 * 1024;

/// How long the end of a program may take once it is over or killed.
const END_LIMIT: Duration = Duration::from_secs(2);

/// What a program did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// It exited with status 0.
    pub good: bool,
    /// How it ended, in words: `status 1`, `signal 11`.
    pub end: String,
    /// What it printed, not more than 64 KiB.
    pub stdout: String,
    /// What it complained, not more than 64 KiB.
    pub stderr: String,
}

/// Why there is nothing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unrun {
    /// The system did not start it; what it said.
    NotStarted(String),
    /// It was not over in time, and was killed.
    TooLong(Duration),
}

impl Unrun {
    /// What happened, for a line.
    pub fn words(&self) -> String {
        match self {
            Unrun::NotStarted(why) => format!("cannot be started: {why}"),
            Unrun::TooLong(limit) => format!("was not over after {} s", limit.as_secs()),
        }
    }
}

/// The program of this name in `PATH`, if there is one that may be run.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    if name.contains('/') {
        return is_program(Path::new(name)).then(|| PathBuf::from(name));
    }
    env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    ports::stat(file, true).is_ok_and(|found| found.mode & 0o111 != 0) && file.is_file()
}

/// Runs these words in a directory with our environment, in the language of programmers.
///
/// # Errors
/// See [`Unrun`].
pub fn run(words: &[OsString], directory: &Path, limit: Duration) -> Result<Ran, Unrun> {
    let env: Vec<(OsString, OsString)> = env::vars_os()
        .filter(|(name, _)| name != "LC_ALL" && name != "LANGUAGE")
        .chain([(OsString::from("LC_ALL"), OsString::from("C"))])
        .collect();
    let spec = ProcessSpec {
        words,
        env: &env,
        directory,
        terminal: false,
    };
    let started = ports::start(&spec);
    let mut process = started.map_err(|error| Unrun::NotStarted(ports::words_of(&error.error)))?;
    drop(process.take_stdin());
    let mut streams = [
        Stream::new(process.take_stdout()),
        Stream::new(process.take_stderr()),
    ];
    let deadline = Instant::now() + limit;
    let exit = loop {
        for stream in &mut streams {
            stream.read();
        }
        if let Some(exit) = process.exited() {
            break Some(exit);
        }
        if Instant::now() >= deadline {
            break None;
        }
        let open = streams.iter().filter_map(|stream| stream.end.as_ref());
        let mut sources: Vec<Source<'_>> = open.map(Source::Readable).collect();
        sources.push(Source::Exit(&process));
        if let Err(error) = ports::wait(&sources, Some(deadline)) {
            return Err(Unrun::NotStarted(ports::words_of(&error)));
        }
    };
    process.end(Instant::now() + END_LIMIT);
    for stream in &mut streams {
        stream.read();
    }
    let exit = exit.ok_or(Unrun::TooLong(limit))?;
    let [stdout, stderr] = streams.map(|stream| stream.text());
    Ok(Ran {
        good: exit == Exit::Code(0),
        end: match exit {
            Exit::Code(code) => format!("status {code}"),
            Exit::Signal(number) => format!("signal {number}"),
        },
        stdout,
        stderr,
    })
}

/// As [`run`], for words that are texts.
///
/// # Errors
/// As [`run`].
pub fn run_text(words: &[&str], directory: &Path, limit: Duration) -> Result<Ran, Unrun> {
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    run(&words, directory, limit)
}

/// The words of an environment variable such as `CFLAGS`; none if it is not set.
pub fn words_in(variable: &str) -> Vec<OsString> {
    let value = env::var_os(variable).unwrap_or_default();
    split(&value)
}

fn split(value: &OsStr) -> Vec<OsString> {
    let text = value.to_string_lossy();
    text.split_whitespace().map(OsString::from).collect()
}

/// One stream of a program, and what came from it.
struct Stream {
    end: Option<ReadEnd>,
    kept: Vec<u8>,
}

impl Stream {
    fn new(end: Option<ReadEnd>) -> Stream {
        let kept = Vec::new();
        Stream { end, kept }
    }

    /// Takes what there is.
    fn read(&mut self) {
        let mut buffer = [0; 4096];
        // A program that never stops printing must not keep us from looking at the clock.
        for _ in 0..64 {
            let Some(end) = &mut self.end else { return };
            match end.read(&mut buffer) {
                Ok(Read::Bytes(count)) => {
                    let room = KEPT.saturating_sub(self.kept.len());
                    self.kept.extend(&buffer[..count.min(room)]);
                }
                Ok(Read::NotYet) => return,
                Ok(Read::End) | Err(_) => self.end = None,
            }
        }
    }

    fn text(self) -> String {
        String::from_utf8_lossy(&self.kept).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Result<Ran, Unrun> {
        run_text(&["/bin/sh", "-c", script], Path::new("/"), limit)
    }

    #[test]
    fn both_streams_and_the_status_are_read() {
        let ran = sh("echo a; echo b >&2; exit 3", Duration::from_secs(20));
        let ran = ran.expect("a shell");
        assert_eq!((ran.good, ran.end.as_str()), (false, "status 3"));
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("a\n", "b\n"));
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let limit = Duration::from_millis(200);
        assert_eq!(sh("exec sleep 1000", limit), Err(Unrun::TooLong(limit)));
    }

    #[test]
    fn endless_output_is_bounded() {
        let ran = sh("yes | head -c 3000000", Duration::from_secs(20)).expect("a shell");
        assert_eq!(ran.stdout.len(), KEPT);
    }

    #[test]
    fn what_is_not_there_is_not_started() {
        let ran = run_text(&["/no/such"], Path::new("/"), Duration::from_secs(5));
        assert_eq!(
            ran,
            Err(Unrun::NotStarted("No such file or directory".to_owned()))
        );
        assert_eq!(find("no-such-program-here"), None);
        assert!(find("sh").is_some());
    }
}
