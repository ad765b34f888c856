//! Follows the log files that a master wants to see while a command runs (PROTOCOL 6.2.8).

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ports::FileStat;

use super::decode::Decoder;
use super::place::open_to_read;
use super::{Reporter, TextEncoding};
use crate::calls::LogFile;

/// How often the files are looked at (PROTOCOL 6.2.8).
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// All log files of a command.
pub(super) struct LogFiles {
    logs: Vec<Watched>,
    next_look: Instant,
}

impl LogFiles {
    /// Remembers the state of the files before the command starts. `directory` is its work
    /// directory.
    pub(super) fn new(
        files: &[LogFile],
        directory: &Path,
        now: Instant,
        encoding: TextEncoding,
    ) -> LogFiles {
        let watched = |file: &LogFile| {
            let path = directory.join(&file.filename);
            Watched {
                name: file.name.clone(),
                seen: regular(&path).map(State::of),
                path,
                from_end: file.follow == Some(true),
                decoder: Decoder::new(encoding),
                open: None,
            }
        };
        LogFiles {
            logs: files.iter().map(watched).collect(),
            next_look: now,
        }
    }

    /// When [`LogFiles::look_if_due`] wants to be called, if at all.
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.logs.is_empty()).then_some(self.next_look)
    }

    /// Looks what has changed, if it is time for that.
    pub(super) fn look_if_due(&mut self, now: Instant, reporter: &mut Reporter) {
        if self.next_look <= now {
            self.look(reporter);
            self.next_look = now + POLL_INTERVAL;
        }
    }

    /// Looks what has changed. That much is read then, and not what comes meanwhile, so that reading
    /// has an end.
    pub(super) fn look(&mut self, reporter: &mut Reporter) {
        for log in &mut self.logs {
            log.look(reporter);
        }
    }

    /// Whether there is something to read.
    pub(super) fn behind(&self) -> bool {
        self.logs.iter().any(Watched::behind)
    }

    /// Reads the next piece, at most as long as the buffer; whether there was anything.
    pub(super) fn read(&mut self, buffer: &mut [u8], reporter: &mut Reporter) -> bool {
        let next = self.logs.iter_mut().find(|log| log.behind());
        next.is_some_and(|log| log.read(buffer, reporter))
    }

    /// The command is over.
    pub(super) fn finish(&mut self, reporter: &mut Reporter) {
        for log in &mut self.logs {
            reporter.log(&log.name, &log.decoder.finish());
        }
    }
}

/// One log file.
struct Watched {
    name: String,
    path: PathBuf,
    /// What was there before the command, while it is unchanged.
    seen: Option<State>,
    /// Begin at the end of what is there when the file is opened; only the first time.
    from_end: bool,
    decoder: Decoder,
    open: Option<Open>,
}

/// An open log file.
struct Open {
    file: File,
    /// Device and inode.
    identity: (u64, u64),
    /// Bytes read.
    position: u64,
    /// Bytes to be read.
    target: u64,
    /// Another file has its name now.
    replaced: bool,
    ends_line: bool,
}

/// By what a change is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    size: u64,
    modified: (i64, u32),
    changed: (i64, u32),
}

impl State {
    fn of(stat: FileStat) -> State {
        State {
            size: stat.size,
            modified: stat.modified,
            changed: stat.changed,
        }
    }
}

impl Watched {
    fn behind(&self) -> bool {
        self.open
            .as_ref()
            .is_some_and(|open| open.position < open.target)
    }

    fn look(&mut self, reporter: &mut Reporter) {
        let stat = regular(&self.path);
        match (&mut self.open, stat) {
            (None, None) => self.seen = None,
            (None, Some(stat)) => {
                if self.seen != Some(State::of(stat)) {
                    self.begin(&stat);
                }
            }
            // Whoever writes it may still have it open.
            (Some(open), None) => open.read_all_there(),
            (Some(open), Some(stat)) if open.identity != (stat.device, stat.inode) => {
                open.read_all_there();
                open.replaced = true;
                self.change_over(reporter);
            }
            (Some(open), Some(stat)) if stat.size < open.position => {
                if let Err(error) = open.file.rewind() {
                    self.warn(&error);
                    return;
                }
                open.position = 0;
                open.target = stat.size;
                self.separate(reporter);
            }
            (Some(open), Some(stat)) => open.target = stat.size,
        }
    }

    /// Opens the file that was found.
    fn begin(&mut self, stat: &FileStat) {
        let begun = open_to_read(&self.path).and_then(|mut file| {
            // Something else may have taken the name since it was looked at.
            if !file.metadata()?.is_file() {
                return Err(io::ErrorKind::Unsupported.into());
            }
            let position = if self.from_end {
                file.seek(io::SeekFrom::End(0))?
            } else {
                0
            };
            Ok(Open {
                file,
                identity: (stat.device, stat.inode),
                position,
                target: stat.size.max(position),
                replaced: false,
                ends_line: true,
            })
        });
        match begun {
            Ok(open) => {
                self.open = Some(open);
                self.from_end = false;
            }
            Err(error) => self.warn(&error),
        }
    }

    fn read(&mut self, buffer: &mut [u8], reporter: &mut Reporter) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        let left = usize::try_from(open.target - open.position).unwrap_or(usize::MAX);
        let size = buffer.len().min(left);
        let count = match open.file.read(&mut buffer[..size]) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return false,
            Err(error) => {
                open.target = open.position;
                self.warn(&error);
                0
            }
        };
        if let Some(open) = &mut self.open {
            if count == 0 {
                open.target = open.position;
            } else {
                open.position += count as u64;
                open.ends_line = buffer[count - 1] == b'\n';
                reporter.log(&self.name, &self.decoder.push(&buffer[..count]));
            }
        }
        self.change_over(reporter);
        count > 0
    }

    /// Opens the file that has the name now, once the old one is read to its end.
    fn change_over(&mut self, reporter: &mut Reporter) {
        let done = |open: &Open| open.replaced && open.position >= open.target;
        if !self.open.as_ref().is_some_and(done) {
            return;
        }
        self.separate(reporter);
        self.open = None;
        self.seen = None;
        if let Some(stat) = regular(&self.path) {
            self.begin(&stat);
        }
    }

    /// Ends the last line of what was in the file before.
    fn separate(&mut self, reporter: &mut Reporter) {
        reporter.log(&self.name, &self.decoder.finish());
        if let Some(open) = self.open.as_mut().filter(|open| !open.ends_line) {
            open.ends_line = true;
            reporter.log(&self.name, "\n");
        }
    }

    fn warn(&self, error: &io::Error) {
        log::warn!("cannot follow log file {}: {error}", self.path.display());
    }
}

impl Open {
    fn read_all_there(&mut self) {
        let size = self.file.metadata().map_or(0, |metadata| metadata.len());
        self.target = size.max(self.position);
    }
}

/// The state of the file if it is a regular one: opening a named pipe would block.
fn regular(path: &Path) -> Option<FileStat> {
    const FORMAT: u32 = 0o170_000;
    const REGULAR: u32 = 0o100_000;
    let stat = ports::stat(path, true).ok()?;
    (stat.mode & FORMAT == REGULAR).then_some(stat)
}
