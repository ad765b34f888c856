//! Processes, their ends, and waiting for them.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use ports::{
    Containment, Exit, GroupEnd, ProcessSpec, Read, Signal, Source, StartStage, StepProcess, Traces,
};

use super::{Found, Tried, Try};
use crate::local::run::has_program;

const PATIENCE: Duration = Duration::from_secs(5);

pub(super) const TRIES: &[Try] = &[
    Try {
        name: "start, take_stdout, wait, exited",
        see: "fork(2), execve(2), poll(2), waitpid(2)",
        needed: true,
        look: output,
    },
    Try {
        name: "start: terminal",
        see: "posix_openpt(3), setsid(2), TIOCSCTTY in tty(4)",
        needed: true,
        look: terminal,
    },
    Try {
        name: "take_stdin",
        see: "pipe(2)",
        needed: true,
        look: input,
    },
    Try {
        name: "take_stderr",
        see: "pipe(2)",
        needed: true,
        look: errors,
    },
    Try {
        name: "start: errors",
        see: "execve(2), chdir(2)",
        needed: true,
        look: start_errors,
    },
    Try {
        name: "signal",
        see: "kill(2), killpg(3)",
        needed: true,
        look: signal,
    },
    Try {
        name: "end",
        see: "killpg(3)",
        needed: true,
        look: end,
    },
    Try {
        name: "containment",
        see: "ports/src/unix/report.rs; prctl(2) or procctl(2), jail(8)",
        needed: false,
        look: containment,
    },
    Try {
        name: "Signal::named",
        see: "signal(7)",
        needed: true,
        look: names,
    },
    Try {
        name: "waker",
        see: "pipe(2), poll(2)",
        needed: true,
        look: waker,
    },
    Try {
        name: "wait: deadline",
        see: "poll(2)",
        needed: true,
        look: deadline,
    },
    Try {
        name: "process_identity, end_group",
        see: "getpgid(2), getsid(2); proc(5) or sysctl(3)",
        needed: false,
        look: group,
    },
];

fn words(list: &[&str]) -> Vec<OsString> {
    list.iter().map(|word| OsString::from(*word)).collect()
}

fn begin(directory: &Path, words: &[OsString], terminal: bool) -> Result<StepProcess, String> {
    let env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let spec = ProcessSpec {
        words,
        env: &env,
        directory,
        terminal,
    };
    ports::start(&spec)
        .map_err(|error| format!("start fails at {:?}: {}", error.stage, error.error))
}

fn shell(directory: &Path, text: &str) -> Result<StepProcess, String> {
    begin(directory, &ports::shell_words(text), false)
}

/// Everything from one end of a pipe, until its end or the deadline.
fn all(mut end: ports::ReadEnd) -> Result<String, String> {
    let limit = Instant::now() + PATIENCE;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match end
            .read(&mut buffer)
            .map_err(|error| format!("read: {error}"))?
        {
            Read::Bytes(length) => bytes.extend_from_slice(&buffer[..length]),
            Read::End => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Read::NotYet => {
                if Instant::now() >= limit {
                    return Err(format!("no end of output within {} s", PATIENCE.as_secs()));
                }
                let waited = ports::wait(&[Source::Readable(&end)], Some(limit));
                waited.map_err(|error| format!("wait: {error}"))?;
            }
        }
    }
}

fn exit(process: &mut StepProcess) -> Result<Exit, String> {
    let limit = Instant::now() + PATIENCE;
    loop {
        if let Some(exit) = process.exited() {
            return Ok(exit);
        }
        if Instant::now() >= limit {
            return Err("the end of a process is not noticed".to_owned());
        }
        let waited = ports::wait(&[Source::Exit(process)], Some(limit));
        waited.map_err(|error| format!("wait: {error}"))?;
    }
}

fn same<T: PartialEq + std::fmt::Debug>(got: &T, wanted: &T) -> Result<(), String> {
    match got == wanted {
        true => Ok(()),
        false => Err(format!("{got:?} instead of {wanted:?}")),
    }
}

fn finish(process: StepProcess) -> Result<(), String> {
    let ended = process.end(Instant::now() + PATIENCE);
    match ended.survived.first() {
        None => Ok(()),
        Some(one) => Err(format!("process {} {} survives", one.pid, one.name)),
    }
}

fn output(directory: &Path) -> Tried {
    let mut process = shell(directory, "echo out; exit 3")?;
    let stdout = process.take_stdout().ok_or("no standard output")?;
    same(&all(stdout)?.as_str(), &"out\n")?;
    same(&exit(&mut process)?, &Exit::Code(3))?;
    finish(process)?;
    Ok(Found::works())
}

fn terminal(directory: &Path) -> Tried {
    let text = "test -t 0 && test -t 1 && stty size 2>/dev/null";
    let mut process = begin(directory, &ports::shell_words(text), true)?;
    let stdout = process.take_stdout().ok_or("no terminal")?;
    let said = all(stdout)?;
    let ended = exit(&mut process)?;
    finish(process)?;
    match said.trim() {
        "24 80" => Ok(Found::works()),
        "" if ended == Exit::Code(1) => Ok(Found::Absent("it is no terminal".to_owned())),
        "" => Ok(Found::Works(
            "there is no stty to ask for its size".to_owned(),
        )),
        other => Ok(Found::Degraded(format!("size {other} instead of 24 80"))),
    }
}

fn input(directory: &Path) -> Tried {
    let mut process = shell(directory, "cat")?;
    let mut stdin = process.take_stdin().ok_or("no standard input")?;
    let stdout = process.take_stdout().ok_or("no standard output")?;
    let written = stdin.write(b"typed").map_err(|error| error.to_string())?;
    same(&written, &5)?;
    drop(stdin);
    same(&all(stdout)?.as_str(), &"typed")?;
    finish(process)?;
    Ok(Found::works())
}

fn errors(directory: &Path) -> Tried {
    let mut process = shell(directory, "echo err >&2")?;
    let stderr = process.take_stderr().ok_or("no standard error")?;
    same(&all(stderr)?.as_str(), &"err\n")?;
    finish(process)?;
    Ok(Found::works())
}

fn start_errors(directory: &Path) -> Tried {
    let env = [];
    let spec = |words, directory| ProcessSpec {
        words,
        env: &env,
        directory,
        terminal: false,
    };
    let missing = words(&["/no/such/program"]);
    match ports::start(&spec(&missing, directory)) {
        Err(error) => same(&error.stage, &StartStage::Exec)?,
        Ok(process) => {
            finish(process)?;
            return Err("a program that is not there seems to start".to_owned());
        }
    }
    let shell = ports::shell_words("exit 0");
    match ports::start(&spec(&shell, Path::new("/no/such/directory"))) {
        Err(error) => same(&error.stage, &StartStage::Directory)?,
        Ok(process) => {
            finish(process)?;
            return Err("a program starts in a directory that is not there".to_owned());
        }
    }
    Ok(Found::works())
}

/// Whether there is the program that something can be tried on.
fn has_sleep() -> bool {
    let environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    has_program(&environment, "sleep")
}

fn signal(directory: &Path) -> Tried {
    if !has_sleep() {
        return Ok(Found::Untried("sleep"));
    }
    let mut process = shell(directory, "sleep 60")?;
    same(&ports::process_exists(process.id()), &true)?;
    let sent = process.signal(Signal::TERM);
    sent.map_err(|error| format!("signal: {error}"))?;
    same(&exit(&mut process)?, &Exit::Signal(Signal::TERM.number()))?;
    finish(process)?;
    Ok(Found::works())
}

/// The number that the first line of the process's output is.
fn number(process: &mut StepProcess) -> Result<u32, String> {
    let mut stdout = process.take_stdout().ok_or("no standard output")?;
    let limit = Instant::now() + PATIENCE;
    let mut text = Vec::new();
    while !text.ends_with(b"\n") && Instant::now() < limit {
        let mut byte = [0];
        match stdout.read(&mut byte).map_err(|error| error.to_string())? {
            Read::Bytes(_) => text.push(byte[0]),
            Read::End => break,
            Read::NotYet => {
                let waited = ports::wait(&[Source::Readable(&stdout)], Some(limit));
                waited.map_err(|error| error.to_string())?;
            }
        }
    }
    let text = String::from_utf8_lossy(&text);
    text.trim()
        .parse()
        .map_err(|_| format!("'{}' is no process number", text.trim()))
}

fn gone(pid: u32) -> bool {
    let limit = Instant::now() + PATIENCE;
    while ports::process_exists(pid) {
        if Instant::now() >= limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn end(directory: &Path) -> Tried {
    if !has_sleep() {
        return Ok(Found::Untried("sleep"));
    }
    let mut process = shell(directory, "sleep 60 & echo $!; sleep 60")?;
    let child = number(&mut process)?;
    finish(process)?;
    match gone(child) {
        true => Ok(Found::works()),
        false => Err("a child of the step survives".to_owned()),
    }
}

fn containment(_: &Path) -> Tried {
    Ok(match ports::containment() {
        Containment::Everything => Found::Works("everything that a step starts".to_owned()),
        Containment::Environment => Found::Degraded(
            "what leaves the process group of a step and drops its environment gets away"
                .to_owned(),
        ),
        Containment::ProcessGroup => {
            Found::Degraded("what leaves the process group of a step gets away".to_owned())
        }
    })
}

fn names(_: &Path) -> Tried {
    let missing: Vec<&str> = [
        "HUP", "INT", "QUIT", "KILL", "TERM", "USR1", "USR2", "SIGABRT",
    ]
    .into_iter()
    .filter(|name| Signal::named(name).is_none())
    .collect();
    match missing.is_empty() {
        true => Ok(Found::works()),
        false => Err(format!("there is no {}", missing.join(", "))),
    }
}

fn waker(_: &Path) -> Tried {
    let (waker, mut reader) = ports::waker().map_err(|error| error.to_string())?;
    waker.wake();
    let flags = ports::wait(&[Source::Wake(&reader)], Some(Instant::now() + PATIENCE));
    same(&flags.map_err(|error| error.to_string())?, &vec![true])?;
    reader.clear();
    let flags = ports::wait(&[Source::Wake(&reader)], Some(Instant::now()));
    same(&flags.map_err(|error| error.to_string())?, &vec![false])?;
    Ok(Found::works())
}

fn deadline(_: &Path) -> Tried {
    let begun = Instant::now();
    let flags = ports::wait(&[], Some(begun + Duration::from_millis(50)));
    same(&flags.map_err(|error| error.to_string())?, &Vec::new())?;
    Ok(Found::works())
}

fn group(directory: &Path) -> Tried {
    if !has_sleep() {
        return Ok(Found::Untried("sleep"));
    }
    let mut process = shell(directory, "echo $$; sleep 60")?;
    let leader = number(&mut process)?;
    let found = match ports::process_identity(leader) {
        None => Found::Absent("after a crash, what steps left running stays".to_owned()),
        Some(identity) => {
            let traces = Traces {
                seen: None,
                directory: None,
            };
            match ports::end_group(&identity, &traces, Instant::now() + PATIENCE) {
                GroupEnd::Killed(_) => Found::works(),
                GroupEnd::Unknown => Found::Degraded("the system tells too little".to_owned()),
                other @ (GroupEnd::Gone | GroupEnd::Survived(_) | GroupEnd::Stranger) => {
                    Found::Absent(format!("{other:?}"))
                }
            }
        }
    };
    finish(process)?;
    Ok(found)
}
