//! A log file that is put aside when it is full: `twistd.log` becomes `twistd.log.1`, and so on
//! (PROTOCOL 7.5).

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::basedir::log_target::Rotation;

/// After a rotation that failed, so many bytes are written before the next attempt.
const BEFORE_NEXT_ATTEMPT: u64 = 64 * 1024;

/// The file. Errors are kept to itself: the next write tries again.
pub struct LogFile {
    path: PathBuf,
    rotation: Rotation,
    open: Option<Open>,
    takes_prints: bool,
}

struct Open {
    file: File,
    /// Bytes in it.
    size: u64,
    /// Size below which no rotation is attempted, after one that failed.
    not_before: u64,
}

impl LogFile {
    /// This file; it is opened at the first write.
    pub fn new(path: &Path, rotation: Rotation) -> Self {
        Self {
            path: path.to_owned(),
            rotation,
            open: None,
            takes_prints: false,
        }
    }

    /// What this process prints goes into it too, from now on: last words, such as those about a full
    /// stack.
    pub fn with_prints(mut self) -> Self {
        self.takes_prints = true;
        self.open = self.reopened();
        self
    }

    /// Appends bytes, after putting the file aside if it is full.
    pub fn write(&mut self, bytes: &[u8]) {
        if ports::new_log_wished() {
            self.begin_anew();
        } else if self.is_full() {
            self.rotate();
        }
        if self.open.is_none() {
            self.open = self.reopened();
        }
        let Some(open) = &mut self.open else {
            return;
        };
        match open.file.write_all(bytes) {
            Ok(()) => open.size += u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            // The disk is full, perhaps not for ever.
            Err(_) => self.open = None,
        }
    }

    /// Writes to a new file from now on: somebody has put the old one aside, or we do.
    fn begin_anew(&mut self) {
        // Not the one that we have open: that may be the one put aside.
        let there = fs::metadata(&self.path).is_ok_and(|found| found.len() > 0);
        self.open = None;
        if there {
            self.open = self.reopened();
            self.rotate();
        }
    }

    fn is_full(&mut self) -> bool {
        let Some(length) = self.rotation.length else {
            return false;
        };
        if self.open.is_none() {
            self.open = self.reopened();
        }
        let open = self.open.as_ref();
        open.is_some_and(|open| open.size >= length && open.size >= open.not_before)
    }

    fn rotate(&mut self) {
        let Some(open) = &mut self.open else {
            return;
        };
        let mode = ports::stat(&self.path, true).map(|found| found.mode);
        if put_aside(&self.path, self.rotation.files).is_err() {
            // A directory that we may not write in.
            open.not_before = open.size.saturating_add(BEFORE_NEXT_ATTEMPT);
            return;
        }
        self.open = self.reopened();
        if let Ok(mode) = mode {
            let _ = ports::set_mode(&self.path, mode & 0o7777);
        }
    }

    fn reopened(&self) -> Option<Open> {
        let open = open(&self.path).ok()?;
        if self.takes_prints {
            // Without it, only last words would be lost.
            let _ = ports::print_to(&open.file);
        }
        Some(open)
    }
}

fn open(path: &Path) -> io::Result<Open> {
    const KIND: u32 = 0o170_000;
    const FIFO: u32 = 0o010_000;
    // It would make the worker wait for a reader, and later for one that is slow.
    if ports::stat(path, true).is_ok_and(|found| found.mode & KIND == FIFO) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let file = File::options().append(true).create(true).open(path)?;
    let size = file.metadata().map_or(0, |found| found.len());
    Ok(Open {
        file,
        size,
        not_before: 0,
    })
}

/// Renames the file to `.1`, that one to `.2` and so on; those that would be too many are deleted.
fn put_aside(path: &Path, files: Option<u64>) -> io::Result<()> {
    // If the directory cannot be written, this fails before anything is lost.
    let aside = numbered(path, 0);
    fs::rename(path, &aside)?;
    let mut numbers = old_numbers(path);
    numbers.sort_unstable_by(|one, two| two.cmp(one));
    for number in numbers {
        let old = numbered(path, number);
        let _ = match files {
            Some(files) if number >= files => fs::remove_file(&old),
            Some(_) | None => fs::rename(&old, numbered(path, number.saturating_add(1))),
        };
    }
    fs::rename(&aside, numbered(path, 1))
}

fn numbered(path: &Path, number: u64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// The numbers of the old files there are, from 1.
fn old_numbers(path: &Path) -> Vec<u64> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Vec::new();
    };
    let start = format!("{}.", name.to_string_lossy());
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let number = name.to_str()?.strip_prefix(&start)?.parse().ok()?;
            (number > 0 && numbered(path, number).file_name() == Some(&name)).then_some(number)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basedir::test_directory;

    fn log(directory: &Path, length: Option<u64>, files: Option<u64>) -> LogFile {
        LogFile::new(&directory.join("twistd.log"), Rotation { length, files })
    }

    fn content(directory: &Path) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, fs::read_to_string(path).unwrap())
            })
            .collect();
        all.sort();
        all
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        let expected = expected.iter();
        expected
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn a_full_file_is_put_aside_before_the_next_write() {
        let directory = test_directory("rotation");
        let mut log = log(&directory, Some(4), Some(2));
        for text in ["abc", "d", "e", "fgh", "i", "jklm", "n"] {
            log.write(text.as_bytes());
        }
        let expected = [
            ("twistd.log", "n"),
            ("twistd.log.1", "ijklm"),
            ("twistd.log.2", "efgh"),
        ];
        assert_eq!(content(&directory), pairs(&expected));
    }

    #[test]
    fn whoever_wishes_a_new_file_has_it_whether_or_not_the_old_one_is_still_there() {
        let directory = test_directory("wish");
        let mut log = log(&directory, None, None);
        log.write(b"one\n");
        log.begin_anew();
        log.write(b"two\n");
        fs::rename(directory.join("twistd.log"), directory.join("kept")).unwrap();
        log.begin_anew();
        log.write(b"three\n");
        let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
        assert_eq!(read("twistd.log.1"), "one\n");
        assert_eq!(read("kept"), "two\n");
        assert_eq!(read("twistd.log"), "three\n");
    }

    #[test]
    fn without_a_limit_all_old_files_are_kept() {
        let directory = test_directory("rotation-all");
        fs::write(directory.join("twistd.log.9"), "old").unwrap();
        fs::write(directory.join("twistd.log.x"), "mine").unwrap();
        fs::write(directory.join("twistd.log.01"), "mine too").unwrap();
        let mut log = log(&directory, Some(1), None);
        for text in ["a", "b", "c"] {
            log.write(text.as_bytes());
        }
        let expected = [
            ("twistd.log", "c"),
            ("twistd.log.01", "mine too"),
            ("twistd.log.1", "b"),
            ("twistd.log.11", "old"),
            ("twistd.log.2", "a"),
            ("twistd.log.x", "mine"),
        ];
        assert_eq!(content(&directory), pairs(&expected));
    }

    #[test]
    fn without_a_length_nothing_is_put_aside() {
        let directory = test_directory("rotation-off");
        let mut log = log(&directory, None, Some(1));
        for _ in 0..10 {
            log.write(b"abc");
        }
        assert_eq!(content(&directory).len(), 1);
    }

    #[test]
    fn a_file_that_was_full_at_the_start_is_put_aside_and_its_mode_kept() {
        let directory = test_directory("rotation-mode");
        let path = directory.join("twistd.log");
        fs::write(&path, "from before").unwrap();
        ports::set_mode(&path, 0o640).unwrap();
        log(&directory, Some(5), None).write(b"new");
        assert_eq!(ports::stat(&path, true).unwrap().mode & 0o777, 0o640);
        let expected = [("twistd.log", "new"), ("twistd.log.1", "from before")];
        assert_eq!(content(&directory), pairs(&expected));
    }

    #[test]
    fn a_rotation_that_fails_loses_nothing() {
        let directory = test_directory("rotation-fails");
        // A directory stands where the file is put aside first.
        fs::create_dir(directory.join("twistd.log.0")).unwrap();
        fs::write(directory.join("twistd.log.0/x"), "").unwrap();
        let mut log = log(&directory, Some(2), Some(1));
        log.write(b"ab");
        log.write(b"cd");
        let text = fs::read_to_string(directory.join("twistd.log")).unwrap();
        assert_eq!(text, "abcd");
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_no_error() {
        let mut log = log(Path::new("/nonexistent/place"), Some(2), Some(1));
        log.write(b"ab");
        log.write(b"cd");
    }
}
