//! Runs what a master asks for: one command, on the thread of its caller, from start to the last
//! event.
//!
//! A step is plain blocking code. It hears from the worker through its [`Inbox`] and speaks through
//! the function it was given; nothing else connects the two.

mod decode;
mod encoding;
mod environment;
mod files;
mod header;
mod lines;
mod logfiles;
mod mailbox;
mod place;
mod quote;
mod reporter;
mod rules;
mod shell;
mod transfers;
mod window;

use std::any::Any;
use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use crate::calls::{Command, Failure, FailureKind, StepEvent};

pub use encoding::{TextEncoding, Unencodable};
pub use mailbox::{Inbox, Notice, OnProgram, StepHandle, Stop, mailbox};
pub use place::resolve;
pub use reporter::Reporter;
pub use rules::OutputRules;
pub use transfers::remove_parts;

/// Where a step runs.
#[derive(Debug, Clone)]
pub struct Context {
    /// The worker's base directory, absolute.
    pub base_dir: PathBuf,
    /// The builder's directory below it, absolute; may not exist yet.
    pub builder_dir: PathBuf,
    /// The worker's own environment.
    pub environment: Vec<(OsString, OsString)>,
    /// How the master wants the output.
    pub output: OutputRules,
    /// How programs write text and are given it.
    pub encoding: TextEncoding,
}

/// Takes the events of a step. Must not block: how much it has to keep is bounded by the window of
/// the [`Reporter`].
pub type Post = Box<dyn Fn(StepEvent) + Send>;

/// Runs one command to its end. Blocks; meant for a thread of its own.
///
/// Whatever happens, also a defect of ours, the last event posted is exactly one
/// [`StepEvent::Complete`]. After [`crate::calls::ToStep::Abandon`] the step ends at once and says
/// nothing else.
pub fn run(command: Command, context: Context, mut inbox: Inbox, post: Post) {
    let started = Instant::now();
    let post = Rc::new(post);
    let mut reporter = Reporter::new(Rc::clone(&post), context.output.clone());
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        let result = dispatch(command, &context, &mut reporter, &mut inbox);
        if inbox.abandoned() {
            return Ok(());
        }
        // PROTOCOL 6.1: an interrupted command does not tell how long it took.
        if !inbox.interrupted() {
            reporter.elapsed(started.elapsed().as_secs_f64());
        }
        reporter.finish();
        result
    }));
    post(StepEvent::Complete(result.unwrap_or_else(|panic| {
        let failure = defect(panic.as_ref());
        log::error!("{}", failure.message);
        Err(failure)
    })));
}

/// Takes these reads of a program's output the way they take in a step, to the end. For tests and for
/// `ci/bench`; not part of what the worker uses.
#[doc(hidden)]
pub fn report_output<'a>(
    reads: impl IntoIterator<Item = &'a [u8]>,
    encoding: TextEncoding,
    post: Post,
) {
    let mut reporter = Reporter::new(Rc::new(post), OutputRules::default());
    let mut decoder = decode::Decoder::new(encoding);
    for read in reads {
        reporter.stdout(&decoder.push(read));
    }
    reporter.stdout(&decoder.finish());
    reporter.finish();
}

fn dispatch(
    command: Command,
    context: &Context,
    reporter: &mut Reporter,
    inbox: &mut Inbox,
) -> Result<(), Failure> {
    match command {
        Command::Shell(shell) => shell::run(*shell, context, reporter, inbox),
        Command::UploadFile(upload) => transfers::upload_file(upload, context, reporter, inbox),
        Command::UploadDirectory(upload) => {
            transfers::upload_directory(upload, context, reporter, inbox)
        }
        Command::DownloadFile(download) => {
            transfers::download_file(download, context, reporter, inbox)
        }
        Command::MakeDirectories(places) => {
            files::make_directories(places, context, reporter, inbox)
        }
        Command::RemoveDirectories(remove) => {
            files::remove_directories(remove, context, reporter, inbox)
        }
        Command::CopyDirectory(copy) => files::copy_directory(copy, context, reporter, inbox),
        Command::Stat(place) => files::stat(place, context, reporter, inbox),
        Command::Glob(place) => files::glob(place, context, reporter, inbox),
        Command::ListDirectory(place) => files::list_directory(place, context, reporter, inbox),
        Command::RemoveFile(place) => files::remove_file(place, context, reporter, inbox),
    }
}

fn defect(panic: &(dyn Any + Send)) -> Failure {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text");
    Failure {
        kind: FailureKind::Other,
        message: format!("the worker has a defect and ended this step: {text}; please report it"),
    }
}
