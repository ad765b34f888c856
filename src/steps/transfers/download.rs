//! Fetches a file from the master (PROTOCOL 6.12).

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use super::exchange::{Abandoned, Exchange};
use super::outcome::Outcome;
use super::target::Target;
use crate::calls::{DownloadFile, NOTHING_READ, Transfer};

/// Fetches the file and says everything that is to be said about it, but the exit code.
pub(super) fn fetch(
    arguments: &DownloadFile,
    path: &Path,
    mut exchange: Exchange<'_>,
) -> Result<Outcome, Abandoned> {
    let outcome = match Target::open(path, arguments.mode) {
        Ok(mut target) => {
            let mut reading = Reading::new(&mut exchange, arguments);
            let result = reading.copy_to(&mut target);
            finish(target, result, path)?
        }
        Err(error) => {
            let path = path.display();
            log::warn!("cannot open {path} for download: {error}");
            Outcome::trouble(format!("Cannot open file '{path}' for download"))
        }
    };
    // What was asked for ahead and is not needed.
    while exchange.reply()?.is_some() {}
    if let Err(words) = exchange.call(Transfer::Close)? {
        log::warn!("the master did not close the download: {words}");
    }
    Ok(outcome)
}

/// Puts the target in its place or away.
fn finish(target: Target, result: Result<(), Halt>, path: &Path) -> Result<Outcome, Abandoned> {
    let (mut outcome, wanted) = match result {
        Ok(()) => (Outcome::done(), true),
        // What has come is left, as the Python worker leaves it.
        Err(Halt::Full) => (Outcome::full(path), true),
        Err(Halt::Interrupted) => (Outcome::interrupted(), false),
        Err(Halt::Refused(words)) => (Outcome::refused(words), false),
        Err(Halt::Nothing) => (nothing_came(path), false),
        Err(Halt::Unwritable(error)) => (cannot_write(path, &error), false),
        Err(Halt::Abandoned) => return Err(Abandoned),
    };
    if wanted {
        if let Err(error) = target.keep() {
            outcome = cannot_write(path, &error);
        }
    }
    Ok(outcome)
}

/// The user is to see why: the master itself does not know that it has failed.
fn nothing_came(path: &Path) -> Outcome {
    log::error!("{NOTHING_READ}");
    let path = path.display();
    Outcome::trouble(format!("Cannot download to '{path}': {NOTHING_READ}"))
}

fn cannot_write(path: &Path, error: &io::Error) -> Outcome {
    let (path, reason) = (path.display(), ports::words_of(error));
    Outcome::trouble(format!("Cannot write file '{path}': {reason}"))
}

/// Why no more is to be read.
enum Halt {
    /// As many bytes as the master allows have come.
    Full,
    Interrupted,
    /// The master could not read, or broke the rules.
    Refused(String),
    /// The master answers reads, but with nothing.
    Nothing,
    Unwritable(io::Error),
    Abandoned,
}

impl From<Abandoned> for Halt {
    fn from(Abandoned: Abandoned) -> Halt {
        Halt::Abandoned
    }
}

/// Reads of the master's file. The first is made alone, for most files are not longer; if it was
/// answered in full, more are asked for than have come.
struct Reading<'e, 'a> {
    exchange: &'e mut Exchange<'a>,
    block_size: usize,
    /// Bytes that may still be asked for, if there is a limit.
    left: Option<u64>,
    /// How many bytes were asked for by the reads under way, the oldest first.
    asked: VecDeque<usize>,
    ahead: bool,
}

impl<'e, 'a> Reading<'e, 'a> {
    fn new(exchange: &'e mut Exchange<'a>, arguments: &DownloadFile) -> Self {
        Reading {
            exchange,
            block_size: arguments.block_size.max(1),
            left: arguments.max_size,
            asked: VecDeque::new(),
            ahead: false,
        }
    }

    fn copy_to(&mut self, target: &mut Target) -> Result<(), Halt> {
        loop {
            self.exchange.look()?;
            if self.exchange.interrupted() {
                return Err(Halt::Interrupted);
            }
            self.ask();
            let Some(asked) = self.asked.pop_front() else {
                return Err(Halt::Full);
            };
            let bytes = match self.exchange.reply()? {
                Some(Ok(bytes)) => bytes,
                Some(Err(words)) if words == NOTHING_READ => return Err(Halt::Nothing),
                Some(Err(words)) => return Err(Halt::Refused(words)),
                None => return Ok(()),
            };
            if bytes.is_empty() {
                return Ok(());
            }
            if bytes.len() > asked {
                let count = bytes.len();
                return Err(Halt::Refused(format!(
                    "it sent {count} bytes for a read of {asked}"
                )));
            }
            self.ahead = bytes.len() == asked;
            // What did not come may be asked for again.
            if let Some(left) = &mut self.left {
                *left += (asked - bytes.len()) as u64;
            }
            target.write(&bytes).map_err(Halt::Unwritable)?;
        }
    }

    /// Asks for as much as may be under way.
    fn ask(&mut self) {
        while self.asked.is_empty() || self.ahead {
            let size = match self.left.map(usize::try_from) {
                Some(Ok(left)) => self.block_size.min(left),
                Some(Err(_)) | None => self.block_size,
            };
            if size == 0 || !(self.asked.is_empty() || self.exchange.has_room(size)) {
                return;
            }
            if let Some(left) = &mut self.left {
                *left -= size as u64;
            }
            self.asked.push_back(size);
            self.exchange.send(Transfer::Read(size), size);
        }
    }
}
