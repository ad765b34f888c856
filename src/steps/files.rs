//! The commands that only touch files (PROTOCOL 6.3 to 6.9).
//!
//! What goes wrong in the file system is an exit code, mostly the error number, and never a failure
//! of the command: masters ask for files that may not be there all the time.

mod copying;
pub(in crate::steps) mod errors;
mod globbing;
mod listing;
mod pattern;
mod quote;
mod removal;
mod tool;
mod watch;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use self::globbing::Stopped as GlobStopped;
use self::listing::{Listing, as_text};
use self::tool::{Ended, Tool};
use super::{Context, Inbox, Reporter, place};
use crate::calls::{
    CommandLine, CopyDirectory, Failure, FailureKind, Place, RemoveDirectories, Word,
};

/// `mkdir` (PROTOCOL 6.3). The first directory that cannot be made ends it.
pub(super) fn make_directories(
    places: Vec<Place>,
    context: &Context,
    reporter: &mut Reporter,
    _inbox: &mut Inbox,
) -> Result<(), Failure> {
    for place in &places {
        let path = place::resolve(place, &context.builder_dir);
        if let Err(error) = make_with_parents(&path) {
            report_error(reporter, "mkdir", &path, &error);
            return Ok(());
        }
    }
    reporter.exit_code(0);
    Ok(())
}

/// Makes a directory and what is missing above it. One that is there is fine.
///
/// Not the standard library's function, which needs stack for each component.
///
/// # Errors
/// The system's.
pub(super) fn make_with_parents(path: &Path) -> io::Result<()> {
    // A `.` at the end would hide the name before it.
    let path: PathBuf = path.components().collect();
    let mut missing = Vec::new();
    for directory in path.ancestors() {
        match make_one(directory) {
            Ok(()) => break,
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && directory.parent().is_some() =>
            {
                missing.push(directory);
            }
            Err(error) => return Err(error),
        }
    }
    missing.into_iter().rev().try_for_each(make_one)
}

fn make_one(directory: &Path) -> io::Result<()> {
    match fs::create_dir(directory) {
        Err(_) if directory.is_dir() => Ok(()),
        result => result,
    }
}

/// `stat` (PROTOCOL 6.6).
pub(super) fn stat(
    place: Place,
    context: &Context,
    reporter: &mut Reporter,
    _inbox: &mut Inbox,
) -> Result<(), Failure> {
    let path = place::resolve(&place, &context.builder_dir);
    match ports::stat(&path, true) {
        Ok(stat) => {
            reporter.stat([
                stat.mode.into(),
                whole(stat.inode),
                whole(stat.device),
                whole(stat.links),
                stat.uid.into(),
                stat.gid.into(),
                whole(stat.size),
                stat.accessed.0,
                stat.modified.0,
                stat.changed.0,
            ]);
            reporter.exit_code(0);
        }
        Err(error) => report_error(reporter, "stat", &path, &error),
    }
    Ok(())
}

/// Masters look at none of the numbers that may be so large.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// `glob` (PROTOCOL 6.7).
pub(super) fn glob(
    place: Place,
    context: &Context,
    reporter: &mut Reporter,
    inbox: &mut Inbox,
) -> Result<(), Failure> {
    let pattern = place::resolve(&place, &context.builder_dir);
    let found = globbing::find(&pattern, &mut || listing::look(inbox, reporter));
    let listing = match found {
        Ok(paths) => Listing::Whole(as_text("glob", paths.iter().map(|path| path.as_os_str()))),
        Err(GlobStopped::TooMany) => Listing::TooMany,
        Err(GlobStopped::Caller(stop)) => Listing::Stopped(stop),
    };
    listing.report("glob", &pattern, reporter);
    Ok(())
}

/// `listdir` (PROTOCOL 6.8).
pub(super) fn list_directory(
    place: Place,
    context: &Context,
    reporter: &mut Reporter,
    inbox: &mut Inbox,
) -> Result<(), Failure> {
    let path = place::resolve(&place, &context.builder_dir);
    match listing::names_in(&path, &mut || listing::look(inbox, reporter)) {
        Ok(listing) => listing.report("listdir", &path, reporter),
        Err(error) => report_error(reporter, "listdir", &path, &error),
    }
    Ok(())
}

/// `rmfile` (PROTOCOL 6.9).
pub(super) fn remove_file(
    place: Place,
    context: &Context,
    reporter: &mut Reporter,
    _inbox: &mut Inbox,
) -> Result<(), Failure> {
    let path = place::resolve(&place, &context.builder_dir);
    match fs::remove_file(&path) {
        Ok(()) => reporter.exit_code(0),
        Err(error) => report_error(reporter, "rmfile", &path, &error),
    }
    Ok(())
}

/// `rmdir` (PROTOCOL 6.4), without `rm`: interruptible, and deleting counts as being alive.
pub(super) fn remove_directories(
    arguments: RemoveDirectories,
    context: &Context,
    reporter: &mut Reporter,
    inbox: &mut Inbox,
) -> Result<(), Failure> {
    let mut code = 0;
    for place in &arguments.places {
        let path = place::resolve(place, &context.builder_dir);
        let tool = Tool {
            command: command(&["rm", "-rf"], &[&path]),
            timeout: arguments.timeout,
            max_time: arguments.max_time,
            log_environ: arguments.log_environ,
        };
        let ended = tool::run(&tool, context, reporter, inbox, |watch| {
            removal::remove_tree(&path, watch)
        });
        match ended {
            Ended::With(0) => {}
            Ended::With(trouble) => code = trouble,
            Ended::Interrupted => {
                code = -1;
                break;
            }
            Ended::Abandoned => return Ok(()),
        }
    }
    reporter.exit_code(code);
    Ok(())
}

/// `cpdir` (PROTOCOL 6.5), without `cp`: interruptible, and the same everywhere.
pub(super) fn copy_directory(
    arguments: CopyDirectory,
    context: &Context,
    reporter: &mut Reporter,
    inbox: &mut Inbox,
) -> Result<(), Failure> {
    let from = place::resolve(&arguments.from, &context.builder_dir);
    let to = place::resolve(&arguments.to, &context.builder_dir);
    make_parent(&to)?;
    if to.exists() {
        log::warn!("cpdir: {} exists, so the copy goes into it", to.display());
    }
    let tool = Tool {
        command: command(&["cp", "-R", "-P", "-p", "-v"], &[&from, &to]),
        timeout: arguments.timeout,
        max_time: arguments.max_time,
        log_environ: arguments.log_environ,
    };
    let ended = tool::run(&tool, context, reporter, inbox, |watch| {
        copying::copy_tree(&from, &to, watch)
    });
    match ended {
        Ended::With(code) => reporter.exit_code(code),
        Ended::Interrupted => reporter.exit_code(-1),
        Ended::Abandoned => {}
    }
    Ok(())
}

/// Makes the directory that a path is in, unless there is something already: if it is no directory, what
/// is done next says so.
///
/// # Errors
/// A failure of the command, as with the Python worker.
pub(super) fn make_parent(path: &Path) -> Result<(), Failure> {
    let Some(parent) = path.parent().filter(|parent| !parent.exists()) else {
        return Ok(());
    };
    make_with_parents(parent).map_err(|error| Failure {
        kind: FailureKind::System,
        message: format!(
            "cannot make directory {}: {}",
            parent.display(),
            ports::words_of(&error)
        ),
    })
}

/// Only to be shown.
fn command(program: &[&str], paths: &[&PathBuf]) -> CommandLine {
    let program = program.iter().map(|&word| word.to_owned());
    let paths = paths.iter().map(|path| path.to_string_lossy().into_owned());
    let words = program.chain(paths).map(|real| Word { real, shown: None });
    CommandLine::Words(words.collect())
}

/// PROTOCOL 6.3: no newline at the end, so that the text comes after the exit code.
fn report_error(reporter: &mut Reporter, command: &str, path: &Path, error: &io::Error) {
    let (reason, path) = (ports::words_of(error), path.display());
    reporter.header(&format!("{command}: {reason}: {path}"));
    reporter.exit_code(errors::number(error));
}
