//! Does the work of a helper program ourselves, and reports it as the Python worker reports that
//! program (PROTOCOL 6.4, 6.5).

use std::time::{Duration, Instant};

use super::watch::{Limits, Stopped, Watch};
use crate::calls::{CommandLine, FailureReason, Seconds};
use crate::steps::environment::step_environment;
use crate::steps::header::{Header, argv_repr};
use crate::steps::{Context, Inbox, Reporter, TextEncoding};

/// The program whose place we take.
pub(super) struct Tool {
    pub(super) command: CommandLine,
    /// Longest time without progress.
    pub(super) timeout: Option<Seconds>,
    pub(super) max_time: Option<Seconds>,
    pub(super) log_environ: bool,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself or at a limit, with this exit code.
    With(i32),
    /// The master wants no more of it. The exit code is -1.
    Interrupted,
    /// Nobody listens any more: leave at once.
    Abandoned,
}

/// Reports the start, lets `work` do what the program would do, and reports the end, but not the
/// exit code: 0 if the work had no trouble, 1 if it had, -1 if it was ended.
pub(super) fn run(
    tool: &Tool,
    context: &Context,
    reporter: &mut Reporter,
    inbox: &mut Inbox,
    work: impl FnOnce(&mut Watch<'_>) -> Result<bool, Stopped>,
) -> Ended {
    let started = Instant::now();
    reporter.header(&start_text(tool, context));
    let limits = Limits {
        silence: tool.timeout.and_then(duration),
        total: tool.max_time.and_then(duration),
    };
    let result = work(&mut Watch::new(reporter, inbox, limits));
    let Some(ended) = report_end(tool, context.encoding, result, reporter) else {
        return Ended::Abandoned;
    };
    let seconds = started.elapsed().as_secs_f64();
    reporter.header(&format!("elapsedTime={seconds:.6}\n"));
    ended
}

/// Says why the work ended, if not by itself; none if nobody listens any more.
fn report_end(
    tool: &Tool,
    encoding: TextEncoding,
    result: Result<bool, Stopped>,
    reporter: &mut Reporter,
) -> Option<Ended> {
    match result {
        Ok(fine) => Some(Ended::With(i32::from(!fine))),
        Err(Stopped::Interrupted) => {
            reporter.header("\ncommand interrupted, attempting to kill\n");
            Some(Ended::Interrupted)
        }
        Err(Stopped::Silence) => {
            reporter.failure_reason(FailureReason::Silence);
            reporter.header(&timeout_text(
                tool,
                encoding,
                tool.timeout,
                "without output",
            ));
            Some(Ended::With(-1))
        }
        Err(Stopped::TotalTime) => {
            reporter.failure_reason(FailureReason::TotalTime);
            reporter.header(&timeout_text(tool, encoding, tool.max_time, "elapsed"));
            Some(Ended::With(-1))
        }
        Err(Stopped::Abandoned) => None,
    }
}

fn start_text(tool: &Tool, context: &Context) -> String {
    // Without changes there is nothing that could fail.
    let environment = step_environment(&context.environment, &[], &context.base_dir);
    let environment = environment.ok().filter(|_| tool.log_environ);
    let header = Header {
        command: &tool.command,
        encoding: context.encoding,
        directory: &context.base_dir,
        timeout: tool.timeout,
        max_time: tool.max_time,
        logfiles: &[],
        environment: environment.as_deref(),
        stdin: 0,
        terminal: false,
    };
    header.text()
}

/// PROTOCOL 6.2.7.
fn timeout_text(tool: &Tool, encoding: TextEncoding, limit: Option<Seconds>, what: &str) -> String {
    let limit = limit.map(|limit| limit.to_string()).unwrap_or_default();
    let argv = argv_repr(&tool.command, encoding);
    format!("\ncommand timed out: {limit} seconds {what} running {argv}, attempting to kill\n")
}

/// None for what is no limit: 0, and what no clock can tell.
fn duration(seconds: Seconds) -> Option<Duration> {
    let seconds = seconds.value();
    if seconds > 0.0 {
        Duration::try_from_secs_f64(seconds).ok()
    } else {
        None
    }
}
