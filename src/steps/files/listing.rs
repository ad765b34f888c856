//! Lists of names for a master, which takes text, and not too much of it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use super::globbing::{MOST_BYTES, MOST_PATHS};
use crate::steps::mailbox::{Notice, Stop};
use crate::steps::{Inbox, Reporter};

/// What came of looking for names.
pub(super) enum Listing {
    /// All of them.
    Whole(Vec<String>),
    /// More than a master can take.
    TooMany,
    /// Nobody wants them any more.
    Stopped(Stop),
}

/// E2BIG, which has this number on every POSIX system.
const TOO_BIG: i32 = 7;

impl Listing {
    /// Reports the names and the exit code.
    pub(super) fn report(self, command: &str, path: &Path, reporter: &mut Reporter) {
        match self {
            Listing::Whole(names) => {
                reporter.files(names);
                reporter.exit_code(0);
            }
            Listing::TooMany => {
                let path = path.display();
                reporter.header(&format!(
                    "{command}: more than {MOST_PATHS} names or {MOST_BYTES} bytes of names: {path}"
                ));
                reporter.exit_code(TOO_BIG);
            }
            Listing::Stopped(Stop::Interrupt) => {
                reporter.header("command interrupted\n");
                reporter.exit_code(-1);
            }
            Listing::Stopped(Stop::Abandon) => {}
        }
    }
}

/// The names in a directory, in order. May take long, so `look` is asked after each whether to go
/// on.
///
/// # Errors
/// The system's.
pub(super) fn names_in(
    directory: &Path,
    look: &mut dyn FnMut() -> Result<(), Stop>,
) -> io::Result<Listing> {
    let mut names = Vec::new();
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        bytes += name.len();
        names.push(name);
        if names.len() > MOST_PATHS || bytes > MOST_BYTES {
            return Ok(Listing::TooMany);
        }
        if let Err(stop) = look() {
            return Ok(Listing::Stopped(stop));
        }
    }
    names.sort_unstable();
    let texts = as_text("listdir", names.iter().map(|name| name.as_os_str()));
    Ok(Listing::Whole(texts))
}

/// The names as text: what is not UTF-8 becomes U+FFFD, and the worker's log says so once.
pub(super) fn as_text<'a>(command: &str, names: impl Iterator<Item = &'a OsStr>) -> Vec<String> {
    let mut odd = 0_usize;
    let texts = names
        .map(|name| {
            odd += usize::from(name.to_str().is_none());
            name.to_string_lossy().into_owned()
        })
        .collect();
    if odd > 0 {
        log::warn!(
            "{command}: {odd} names are not UTF-8; the master sees U+FFFD in place of stray bytes"
        );
    }
    texts
}

/// Whether to go on.
pub(super) fn look(inbox: &mut Inbox, reporter: &mut Reporter) -> Result<(), Stop> {
    match inbox.try_notice(reporter) {
        Some(Notice::Stop(stop)) => Err(stop),
        Some(Notice::Reply { .. }) | None => Ok(()),
    }
}
