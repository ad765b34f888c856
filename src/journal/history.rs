//! Reading a journal that perhaps another process writes.

use std::io;
use std::path::Path;

use super::entry::Entry;
use super::file::{self, FileReader};
use super::frame::{Beginning, Frame};
use super::state::{LastRun, State};

/// All entries of a base directory's journal that are still there, oldest first.
#[derive(Debug)]
pub struct History {
    /// The next file to read last.
    files: Vec<FileReader>,
    /// An older file was there, so that what the newer one repeats is known.
    skip_carried: bool,
}

/// Begins to read the journal of a base directory. There may be none.
///
/// # Errors
/// The system's.
pub fn history(base: &Path) -> io::Result<History> {
    let older = journal(file::reader(&file::older(base))?);
    let current = journal(file::reader(&file::current(base))?);
    Ok(History {
        skip_carried: older.is_some(),
        files: [current, older].into_iter().flatten().collect(),
    })
}

fn journal(found: Option<(Beginning, FileReader)>) -> Option<FileReader> {
    match found? {
        (Beginning::Journal, reader) => Some(reader),
        (Beginning::Nothing | Beginning::Foreign, _) => None,
    }
}

impl Iterator for History {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        loop {
            match self.files.last_mut()?.next() {
                Ok(Some(Frame::Entry(entry))) if entry.carried && self.skip_carried => {}
                Ok(Some(Frame::Entry(entry))) => return Some(Ok(entry)),
                Ok(Some(Frame::Unknown)) => {}
                Ok(None) => {
                    self.files.pop();
                }
                Err(error) => {
                    self.files.pop();
                    return Some(Err(error));
                }
            }
        }
    }
}

/// What the journal of a base directory says about the last run, or the one that is under way: its
/// unfinished steps are those that run. None if nothing is written down.
///
/// # Errors
/// The system's.
pub fn last_run(base: &Path) -> io::Result<Option<LastRun>> {
    let mut state = State::default();
    file::read(&file::current(base), &mut state)?;
    Ok(state.last_run())
}
