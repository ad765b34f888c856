//! What the tests share: short ways to start, read and end a step.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ports::{
    Containment, Ended, Exit, ProcessSpec, Read, ReadEnd, Source, StartError, StepProcess,
};

/// Nothing here takes this long; a test that waits longer has found a hang.
pub const LIMIT: Duration = Duration::from_secs(30);

pub fn soon() -> Instant {
    Instant::now() + LIMIT
}

pub fn words(list: &[&str]) -> Vec<OsString> {
    list.iter().map(OsString::from).collect()
}

pub fn env(list: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    list.iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// The environment of most tests: what it takes to find programs.
pub fn path_only() -> Vec<(OsString, OsString)> {
    env(&[("PATH", "/bin:/usr/bin:/sbin:/usr/sbin")])
}

pub fn start_words(words: &[OsString]) -> Result<StepProcess, StartError> {
    ports::start(&ProcessSpec {
        words,
        env: &path_only(),
        directory: Path::new("/"),
        terminal: false,
    })
}

/// Starts `/bin/sh -c script` with pipes.
pub fn shell(script: &str) -> StepProcess {
    shell_in(Path::new("/"), script, false)
}

/// Starts `/bin/sh -c script` with a terminal.
pub fn shell_on_terminal(script: &str) -> StepProcess {
    shell_in(Path::new("/"), script, true)
}

pub fn shell_in(directory: &Path, script: &str, terminal: bool) -> StepProcess {
    ports::start(&ProcessSpec {
        words: &words(&["/bin/sh", "-c", script]),
        env: &path_only(),
        directory,
        terminal,
    })
    .unwrap_or_else(|error| panic!("{script}: {error:?}"))
}

/// Reads to the end.
pub fn read_all(end: &mut ReadEnd) -> Vec<u8> {
    read_until(end, |_| false)
}

/// Reads until `enough` says so of everything read, or to the end.
pub fn read_until(end: &mut ReadEnd, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let deadline = soon();
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while !enough(&all) {
        match end.read(&mut buffer).unwrap() {
            Read::Bytes(count) => all.extend_from_slice(&buffer[..count]),
            Read::End => break,
            Read::NotYet => {
                ports::wait(&[Source::Readable(end)], Some(deadline)).unwrap();
                let so_far = String::from_utf8_lossy(&all);
                assert!(Instant::now() < deadline, "no end after {so_far:?}");
            }
        }
    }
    all
}

/// Reads until this text came.
pub fn read_to(end: &mut ReadEnd, text: &str) -> String {
    let all = read_until(end, |all| {
        all.windows(text.len())
            .any(|window| window == text.as_bytes())
    });
    let all = String::from_utf8_lossy(&all).into_owned();
    assert!(all.contains(text), "{text:?} is not in {all:?}");
    all
}

/// Everything that a step printed to its standard output.
pub fn output(process: &mut StepProcess) -> String {
    drop(process.take_stdin());
    let all = read_all(&mut process.take_stdout().unwrap());
    String::from_utf8_lossy(&all).into_owned()
}

/// Output of a shell script, which must end with code 0.
pub fn output_of(script: &str) -> String {
    let mut process = shell(script);
    let text = output(&mut process);
    assert_eq!(exit_of(&mut process), Exit::Code(0), "{script}: {text}");
    text
}

/// Waits for the end of the step's process.
pub fn exit_of(process: &mut StepProcess) -> Exit {
    let deadline = soon();
    loop {
        if let Some(exit) = process.exited() {
            return exit;
        }
        assert!(Instant::now() < deadline, "the process does not end");
        ports::wait(&[Source::Exit(process)], Some(deadline)).unwrap();
    }
}

/// Ends a step of which nothing may survive if the port can help it.
pub fn end(process: StepProcess) -> Ended {
    let ended = process.end(Instant::now() + LIMIT / 5);
    // Where a port notices who got away but cannot kill him, that is the answer.
    if ports::containment() != Containment::ProcessGroup {
        assert_eq!(ended.survived, [], "something survived");
    }
    ended
}

/// Whether a process is there, other than as a zombie that waits for its parent.
pub fn alive(pid: i32) -> bool {
    // SAFETY: kill(2) takes two numbers; signal 0 does nothing.
    if unsafe { libc::kill(pid, 0) } == -1 {
        return false;
    }
    let Ok(state) = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
    else {
        return true;
    };
    let state = String::from_utf8_lossy(&state.stdout).into_owned();
    !(state.trim().is_empty() || state.trim().starts_with(['Z', 'X']))
}

/// Whether the processes end within a moment. For what ends without anybody to wait for it.
pub fn gone_soon(pids: &[i32]) -> bool {
    let deadline = soon();
    while pids.iter().any(|pid| alive(*pid)) {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// A directory of a test's own; gone with it.
pub struct Place(pub PathBuf);

impl Place {
    pub fn new() -> Place {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ports-contract-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Place(path)
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file that everybody may execute.
    pub fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        ports::set_mode(&path, 0o755).unwrap();
        path
    }

    /// The numbers in the file `pids`, once there are at least so many.
    pub fn pids(&self, least: usize) -> Vec<i32> {
        let deadline = soon();
        loop {
            let text = fs::read_to_string(self.at("pids")).unwrap_or_default();
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let pids: Vec<i32> = whole.lines().map(|line| line.parse().unwrap()).collect();
            if pids.len() >= least {
                return pids;
            }
            assert!(Instant::now() < deadline, "only {pids:?} of {least} came");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
