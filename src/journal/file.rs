//! The journal's file, and the older one beside it.
//!
//! Entries are not forced to the disk one by one: that would cost a slow SD card more than the
//! steps do. What was written survives the death of the worker all the same, and a loss of power
//! that takes the last entries also takes the processes that they are about. The beginning and the
//! end of a run are forced ([`Journal::sync`]), so that a run that ended in order is not taken for
//! one that did not.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use super::entry::{Entry, Event, Moment, StepNumber};
use super::frame::{self, Beginning, Frame, HEAD, Reader};
use super::state::{LastRun, State};

/// Bytes after which a new file is begun.
const LIMIT: u64 = 1024 * 1024;

/// Bytes that are read of a file. Ours never are that long.
const LONGEST_FILE: u64 = 16 * LIMIT;

/// An open journal. Only one process may have it open; the lock of the base directory sees to that.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    file: File,
    /// Bytes of whole frames.
    size: u64,
    /// Bytes at which a new file is to be begun.
    limit: u64,
    /// Bytes at which that is tried next.
    rotate_at: u64,
    /// A part of a frame may be behind them.
    torn: bool,
    state: State,
}

/// Why the journal cannot be kept.
#[derive(Debug)]
pub struct JournalError {
    what: &'static str,
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let JournalError { what, path, error } = self;
        write!(f, "cannot {what} the journal {}: {error}", path.display())
    }
}

impl std::error::Error for JournalError {}

/// The journal of a base directory.
pub(super) fn current(base: &Path) -> PathBuf {
    base.join(".coracle").join("journal")
}

/// What was the journal before it.
pub(super) fn older(base: &Path) -> PathBuf {
    base.join(".coracle").join("journal.old")
}

/// What is to become the journal.
fn newer(base: &Path) -> PathBuf {
    base.join(".coracle").join("journal.new")
}

impl Journal {
    /// Opens the journal of a base directory, or begins one. What a crash left of its last entry is
    /// cut off; a file that is no journal is put aside.
    ///
    /// # Errors
    /// The system's: no permission, a full disk, a read-only file system.
    pub fn open(base: &Path) -> Result<Journal, JournalError> {
        Journal::open_with(base, LIMIT)
    }

    /// The same with another size for a file, in bytes.
    pub(super) fn open_with(base: &Path, limit: u64) -> Result<Journal, JournalError> {
        let path = current(base);
        let failed = |what| {
            let path = path.clone();
            move |error| JournalError { what, path, error }
        };
        fs::create_dir_all(base.join(".coracle")).map_err(failed("make the directory of"))?;
        finish_rotation(base).map_err(failed("put a new file in the place of"))?;
        let mut state = State::default();
        let mut size = match read(&path, &mut state).map_err(failed("read"))? {
            Found::Journal { good } => good,
            Found::Nothing => 0,
            Found::Foreign => {
                fs::rename(&path, older(base)).map_err(failed("put aside"))?;
                0
            }
        };
        let mut options = File::options();
        let mut file = options
            .append(true)
            .create(true)
            .open(&path)
            .map_err(failed("open"))?;
        file.set_len(size).map_err(failed("cut"))?;
        if size == 0 {
            file.write_all(HEAD).map_err(failed("begin"))?;
            size = HEAD.len() as u64;
        }
        Ok(Journal {
            directory: base.to_owned(),
            file,
            size,
            limit,
            rotate_at: limit,
            torn: false,
            state,
        })
    }

    /// What the entries so far say about the run that they are about. Before the entry that begins
    /// a run: about the one before.
    pub fn last_run(&self) -> Option<LastRun> {
        self.state.last_run()
    }

    /// The number for the next step.
    pub fn next_step(&self) -> StepNumber {
        self.state.next_step()
    }

    /// Writes an entry. It counts from now on, even if writing it fails.
    ///
    /// # Errors
    /// The system's. The file is as before then, and the next entry may be written.
    pub fn append(&mut self, moment: Moment, event: Event) -> Result<(), JournalError> {
        let entry = Entry {
            moment,
            carried: false,
            event: event.clipped(),
        };
        let rotated = if self.size >= self.rotate_at {
            self.rotate()
        } else {
            Ok(())
        };
        self.state.take(&entry);
        self.write(&entry)
            .map_err(|error| self.error("write", error))?;
        rotated.map_err(|error| self.error("put a new file in the place of", error))
    }

    /// Forces what was written to the disk. May block for as long as the disk likes.
    ///
    /// # Errors
    /// The system's.
    pub fn sync(&self) -> Result<(), JournalError> {
        self.file
            .sync_data()
            .map_err(|error| self.error("save", error))
    }

    /// The same from a thread of its own, so that nobody waits for it. What goes wrong is nobody's
    /// business: the entry is written, only not forced.
    pub fn sync_in_background(&self) {
        let Ok(file) = self.file.try_clone() else {
            return;
        };
        let sync = move || drop(file.sync_data());
        let thread = std::thread::Builder::new().name("journal".to_owned());
        drop(thread.stack_size(64 * 1024).spawn(sync));
    }

    fn error(&self, what: &'static str, error: io::Error) -> JournalError {
        JournalError {
            what,
            path: current(&self.directory),
            error,
        }
    }

    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let frame = frame::encode(entry)?;
        if self.torn {
            self.file.set_len(self.size)?;
        }
        // Whatever arrives of it must not stay in front of the next one.
        self.torn = true;
        if let Err(error) = self.file.write_all(&frame) {
            self.torn = self.file.set_len(self.size).is_err();
            return Err(error);
        }
        self.torn = false;
        self.size += frame.len() as u64;
        Ok(())
    }

    /// Begins a new file with what still matters.
    fn rotate(&mut self) -> io::Result<()> {
        // If it fails, it is tried again after as many bytes, not at every entry.
        self.rotate_at = self.size.saturating_add(self.limit);
        let mut bytes = HEAD.to_vec();
        for entry in self.state.carried() {
            bytes.extend_from_slice(&frame::encode(&entry)?);
        }
        let (new, journal) = (newer(&self.directory), current(&self.directory));
        let old = older(&self.directory);
        fs::write(&new, &bytes)?;
        let file = File::options().append(true).open(&new)?;
        fs::rename(&journal, &old)?;
        // A crash here is noticed by the next start.
        if let Err(error) = fs::rename(&new, &journal) {
            let _ = fs::rename(&old, &journal);
            return Err(error);
        }
        self.file = file;
        self.torn = false;
        self.size = bytes.len() as u64;
        // What is carried over may be much; there must be room for more.
        self.rotate_at = self.limit.max(2 * self.size);
        Ok(())
    }
}

/// A crash may have come between two steps of [`Journal::rotate`].
fn finish_rotation(base: &Path) -> io::Result<()> {
    let new = newer(base);
    if new.symlink_metadata().is_err() {
        return Ok(());
    }
    if current(base).symlink_metadata().is_err() {
        return fs::rename(new, current(base));
    }
    fs::remove_file(new)
}

/// What there was in the place of a journal.
pub(super) enum Found {
    /// A journal, whole up to this byte.
    Journal {
        good: u64,
    },
    Nothing,
    Foreign,
}

/// Reads a whole file into a state.
pub(super) fn read(path: &Path, state: &mut State) -> io::Result<Found> {
    let Some((beginning, mut reader)) = reader(path)? else {
        return Ok(Found::Nothing);
    };
    match beginning {
        Beginning::Nothing => return Ok(Found::Nothing),
        Beginning::Foreign => return Ok(Found::Foreign),
        Beginning::Journal => {}
    }
    while let Some(frame) = reader.next()? {
        match frame {
            Frame::Entry(entry) => state.take(&entry),
            Frame::Unknown => {}
        }
    }
    Ok(Found::Journal {
        good: reader.good(),
    })
}

/// A reader of a journal's file.
pub(super) type FileReader = Reader<BufReader<io::Take<File>>>;

/// Begins to read a file; none if there is none.
pub(super) fn reader(path: &Path) -> io::Result<Option<(Beginning, FileReader)>> {
    match File::open(path) {
        Ok(file) => Reader::new(BufReader::new(file.take(LONGEST_FILE))).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
