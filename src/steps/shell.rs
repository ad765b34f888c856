//! Runs one program, the `shell` command (PROTOCOL 6.2): from its arguments to its exit code.

mod clocks;
mod feed;
mod kill;
mod leftovers;
mod output;
mod pace;
mod running;
mod start;

use std::path::{Path, PathBuf};
use std::time::Instant;

use ports::Exit;

use self::running::{Outcome, Running};
use super::environment::{Environment, step_environment};
use super::header::Header;
use super::logfiles::LogFiles;
use super::mailbox::{Notice, Stop};
use super::place::resolve;
use super::{Context, Inbox, Reporter, TextEncoding};
use crate::calls::{Failure, FailureKind, Shell};

/// Runs the program. Blocks until it and everything it started is gone.
pub(super) fn run(
    mut shell: Shell,
    context: &Context,
    reporter: &mut Reporter,
    inbox: &mut Inbox,
) -> Result<(), Failure> {
    let encoding = context.encoding;
    let directory = resolve(&shell.workdir, &context.builder_dir);
    make_directory(&directory)?;
    let environment = step_environment(&context.environment, &shell.env, &directory)?;
    shell.use_pty = decide_terminal(&shell, reporter);
    reporter.header(&header(&shell, &directory, &environment, encoding));
    let started = Instant::now();
    reporter.post_due(started);
    if let Some(stop) = asked_to_stop(inbox, reporter) {
        if stop == Stop::Interrupt {
            reporter.header("\ncommand interrupted before it started\n");
            report_exit(reporter, None, -1, started);
        }
        return Ok(());
    }
    // Before the start, so that what the program changes at once is seen as a change.
    let logs = LogFiles::new(&shell.logfiles, &directory, started, encoding);
    let process = match start::start(&shell, &environment, &directory, encoding) {
        Ok(process) => process,
        Err(start::Refusal::Users(text)) => {
            reporter.stderr(&format!("{text}\n"));
            report_exit(reporter, None, 1, started);
            return Ok(());
        }
        Err(start::Refusal::Systems(text)) => return Err(system_failure(text)),
    };
    inbox.program_runs(process.id());
    let outcome = Running::new(&shell, process, logs, reporter, inbox, encoding).run()?;
    conclude(outcome, &shell, reporter, started)
}

fn conclude(
    outcome: Outcome,
    shell: &Shell,
    reporter: &mut Reporter,
    started: Instant,
) -> Result<(), Failure> {
    let (exit, killed) = match outcome {
        Outcome::Abandoned => return Ok(()),
        Outcome::Unkillable => {
            let text = format!("SIG{} failed to kill process", shell.interrupt_signal);
            reporter.header(&format!("{text}\nusing fake rc=-1\n"));
            reporter.exit_code(-1);
            return Err(Failure {
                kind: FailureKind::Other,
                message: text,
            });
        }
        Outcome::Exited { exit, killed } => (exit, killed),
    };
    let (signal, code) = match exit {
        Exit::Signal(signal) => (Some(signal), -1),
        // PROTOCOL 6.2.7: what we killed has not succeeded.
        Exit::Code(0) if killed => (None, -1),
        Exit::Code(code) => (None, code),
    };
    report_exit(reporter, signal, code, started);
    Ok(())
}

/// PROTOCOL 6.2.2 and 7.5: the signal, the exit code and the time, and the line in the log that
/// people look for.
fn report_exit(reporter: &mut Reporter, signal: Option<i32>, code: i32, started: Instant) {
    let elapsed = started.elapsed().as_secs_f64();
    if let Some(signal) = signal {
        reporter.header(&format!("process killed by signal {signal}\n"));
    }
    reporter.exit_code(code);
    reporter.header(&format!("elapsedTime={elapsed:.6}\n"));
    let signal = signal.map_or("None".to_owned(), |signal| signal.to_string());
    log::info!(
        " command finished with signal {signal}, exit code {code}, elapsedTime: {elapsed:.6}"
    );
}

/// Makes the work directory. Something else with its name is left to the start of the program,
/// which fails with an exit code and not with an exception.
fn make_directory(directory: &PathBuf) -> Result<(), Failure> {
    match std::fs::create_dir_all(directory) {
        Ok(()) => Ok(()),
        Err(_) if directory.exists() => Ok(()),
        Err(error) => Err(system_failure(format!(
            "cannot make work directory {}: {}",
            directory.display(),
            ports::words_of(&error)
        ))),
    }
}

/// A program that is given input cannot have a terminal, whose input has no end.
fn decide_terminal(shell: &Shell, reporter: &mut Reporter) -> bool {
    let possible = ports::SYSTEM_KIND == "posix" && shell.initial_stdin.is_none();
    if shell.use_pty && !possible {
        // Without a newline, as in the Python worker: it is glued to the command line.
        reporter.header("WARNING: disabling usePTY for this command");
    }
    shell.use_pty && possible
}

fn header(
    shell: &Shell,
    directory: &Path,
    environment: &Environment,
    encoding: TextEncoding,
) -> String {
    let header = Header {
        command: &shell.command,
        encoding,
        directory,
        timeout: shell.timeout,
        max_time: shell.max_time,
        logfiles: &shell.logfiles,
        environment: shell.log_environ.then_some(environment),
        stdin: shell
            .initial_stdin
            .as_ref()
            .map_or(0, |text| encoding.encode_lossy(text).len()),
        terminal: shell.use_pty,
    };
    header.text()
}

fn asked_to_stop(inbox: &mut Inbox, reporter: &mut Reporter) -> Option<Stop> {
    while let Some(notice) = inbox.try_notice(reporter) {
        match notice {
            Notice::Stop(stop) => return Some(stop),
            // Programs make no transfers.
            Notice::Reply { .. } => {}
        }
    }
    None
}

fn system_failure(message: String) -> Failure {
    Failure {
        kind: FailureKind::System,
        message,
    }
}
