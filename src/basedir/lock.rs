//! Whether a worker runs in a directory, and which process it is: the lock on `.coracle/lock` is
//! the truth; the number and start of the process stand in the file beside it.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// How often, and how far apart, taking the lock is tried while somebody else merely looks whether
/// it is taken.
const TRIES: u32 = 25;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// The lock of a directory, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// The process that holds a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Its number, if it is known and is still that process's.
    pub pid: Option<u32>,
}

/// Why a lock was not taken.
#[derive(Debug)]
pub enum LockError {
    /// Another worker runs here.
    Held(Holder),
    /// The system refused.
    System {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Held(Holder { pid: Some(pid) }) => {
                write!(f, "a worker already runs here, process {pid}")
            }
            LockError::Held(Holder { pid: None }) => f.write_str("a worker already runs here"),
            LockError::System { path, error } => {
                let why = ports::words_of(error);
                write!(f, "cannot lock {}: {why}", path.display())?;
                match error.kind() {
                    io::ErrorKind::PermissionDenied => {
                        f.write_str("; does the directory belong to the user that runs the worker?")
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for LockError {}

impl Lock {
    /// Takes the lock of a directory for this process.
    ///
    /// # Errors
    /// Another process has it, or the system refused.
    pub fn take(directory: &Path) -> Result<Self, LockError> {
        let system = |path: &Path| {
            let path = path.to_owned();
            move |error| LockError::System { path, error }
        };
        let folder = directory.join(".coracle");
        match fs::create_dir(&folder) {
            Ok(()) => ports::set_mode(&folder, 0o700).map_err(system(&folder))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(system(&folder)(error)),
        }
        let path = folder.join("lock");
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(system(&path))?;
        for _ in 0..TRIES {
            if ports::lock_file(&file).map_err(system(&path))? {
                match write_owner(&mut file) {
                    // A full disk must not keep a worker from its work: often that is what is to
                    // free it. The lock holds; only our number is missing from it.
                    Err(error) if error.kind() == io::ErrorKind::StorageFull => {}
                    written => written.map_err(system(&path))?,
                }
                return Ok(Self { file });
            }
            if let Some(pid) = written_holder(&mut file).filter(|pid| !is_ending(*pid)) {
                return Err(LockError::Held(Holder { pid: Some(pid) }));
            }
            // Held by nobody who wrote a name: by one who only looks, or who is about to write.
            thread::sleep(BETWEEN_TRIES);
        }
        Err(LockError::Held(read_holder(&mut file, directory)))
    }
}

impl Lock {
    /// Keeps the lock until this process has ended, so that whoever waits for the lock knows that
    /// it has.
    pub fn keep_to_the_end(self) {
        let _ = self.file.set_len(0);
        std::mem::forget(self);
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What it says is no longer true; the lock itself goes with the file.
        let _ = self.file.set_len(0);
    }
}

/// The process that holds the lock of a directory; none if nobody does.
///
/// # Errors
/// The lock cannot be looked at.
pub fn holder(directory: &Path) -> Result<Option<Holder>, LockError> {
    let path = directory.join(".coracle").join("lock");
    let mut file = match File::options().read(true).write(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LockError::System { path, error }),
    };
    match ports::is_locked(&file) {
        Ok(false) => Ok(None),
        Ok(true) => Ok(Some(read_holder(&mut file, directory))),
        Err(error) => Err(LockError::System { path, error }),
    }
}

/// As [`holder`], but a worker that is just ending, such as one that was killed a moment ago, gets the
/// time to be gone.
///
/// # Errors
/// The lock cannot be looked at.
pub fn lasting_holder(directory: &Path) -> Result<Option<Holder>, LockError> {
    for _ in 0..TRIES {
        match holder(directory)? {
            Some(Holder { pid: Some(pid) }) if is_ending(pid) => thread::sleep(BETWEEN_TRIES),
            found => return Ok(found),
        }
    }
    holder(directory)
}

/// A process of several threads that was killed shows as ended before the last of them has let go of
/// the lock. It has no directory any more then, on systems that tell a process's directory.
fn is_ending(pid: u32) -> bool {
    let tells = ports::process_directory(std::process::id()).is_some();
    tells && ports::process_directory(pid).is_none()
}

fn write_owner(file: &mut File) -> io::Result<()> {
    let pid = std::process::id();
    let start = ports::process_start(pid).map_or("-".to_owned(), |start| start.to_string());
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(format!("{pid} {start}\n").as_bytes())
}

/// Who holds the lock.
fn read_holder(file: &mut File, directory: &Path) -> Holder {
    let written = written_holder(file);
    // On a full disk the number may be missing, and the system may know.
    let found = || ports::lock_holder(file).filter(|pid| works_in(*pid, directory));
    Holder {
        pid: written.or_else(found),
    }
}

/// A worker works in its directory; this tells it from a process that has locked a file of the same
/// number on another disk.
fn works_in(pid: u32, directory: &Path) -> bool {
    let real = super::real_directory(directory);
    ports::process_directory(pid).is_some_and(|place| place == real)
}

/// Who the file says holds the lock, if that process still is the one that wrote it.
fn written_holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    let read = file
        .rewind()
        .and_then(|()| file.take(100).read_to_string(&mut text));
    let mut words = text.split_whitespace();
    let (pid, start) = (words.next(), words.next());
    let pid = match (read, pid.map(str::parse::<u32>)) {
        (Ok(_), Some(Ok(pid))) if ports::process_exists(pid) => pid,
        _ => return None,
    };
    let written = start.and_then(|start| start.parse::<u64>().ok());
    match (written, ports::process_start(pid)) {
        (Some(written), Some(now)) if written != now => None,
        _ => Some(pid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basedir::test_directory;

    #[test]
    fn a_lock_is_held_once_and_names_its_holder() {
        let directory = test_directory("lock");
        assert_eq!(holder(&directory).unwrap(), None);
        let lock = Lock::take(&directory).unwrap();
        let us = Holder {
            pid: Some(std::process::id()),
        };
        assert_eq!(holder(&directory).unwrap(), Some(us));
        match Lock::take(&directory).unwrap_err() {
            LockError::Held(holder) => assert_eq!(holder, us),
            LockError::System { .. } => panic!("no system error expected"),
        }
        drop(lock);
        assert_eq!(holder(&directory).unwrap(), None);
        Lock::take(&directory).unwrap();
    }

    #[test]
    fn a_number_that_was_used_again_is_not_the_holder() {
        let directory = test_directory("lock-reused");
        let lock = Lock::take(&directory).unwrap();
        let path = directory.join(".coracle/lock");
        fs::write(&path, format!("{} 1\n", std::process::id())).unwrap();
        let known = ports::process_start(std::process::id()).is_some();
        let found = holder(&directory).unwrap().unwrap();
        assert_eq!(found.pid.is_none(), known);
        fs::write(&path, "nonsense").unwrap();
        assert_eq!(holder(&directory).unwrap(), Some(Holder { pid: None }));
        drop(lock);
    }
}
