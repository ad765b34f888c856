//! The file that a download writes: complete under its name, or not there at all, where possible.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use ports::FileStat;

/// A file that is being written. Dropped before [`Target::keep`], it leaves nothing behind, except
/// where it had to be written in place.
#[derive(Debug)]
pub(super) struct Target {
    path: PathBuf,
    file: File,
    /// Where it is written, unless in place.
    temporary: Option<PathBuf>,
}

impl Target {
    /// Opens a file for writing, empty, with these permission bits or those it had.
    ///
    /// A file of its own is written beside its place and moved there at the end. Everything else is
    /// written in place: what a link points to, devices, files with several names, files of other
    /// owners, and files in directories where none can be made (PROTOCOL 6.12).
    ///
    /// # Errors
    /// The system's. A named pipe is refused, for opening it would block until somebody reads it.
    pub(super) fn open(path: &Path, mode: Option<u32>) -> io::Result<Target> {
        match ports::stat(path, false) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Target::beside(path, mode, None).or_else(|_| Target::in_place(path, mode))
            }
            Ok(found) if is_file(&found) && found.links == 1 => {
                // Whoever may not write the file may not replace it either.
                ports::without_waiting(OpenOptions::new().write(true)).open(path)?;
                let mode = mode.unwrap_or(found.mode & 0o7777);
                Target::beside(path, Some(mode), Some(&found))
                    .or_else(|_| Target::in_place(path, Some(mode)))
            }
            Ok(_) | Err(_) => Target::in_place(path, mode),
        }
    }

    fn beside(path: &Path, mode: Option<u32>, old: Option<&FileStat>) -> io::Result<Target> {
        if path.file_name().is_none() || ports::name_bytes(path.as_os_str()).ends_with(b"/") {
            return Err(ErrorKind::InvalidInput.into());
        }
        let temporary = path.with_file_name(unused_name());
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)?;
        // From here on a drop cleans up.
        let target = Target {
            path: path.to_path_buf(),
            file,
            temporary: Some(temporary.clone()),
        };
        if let Some(mode) = mode {
            ports::set_mode(&temporary, mode)?;
        }
        if let Some(old) = old {
            let new = ports::stat(&temporary, false)?;
            if (new.uid, new.gid) != (old.uid, old.gid) {
                return Err(ErrorKind::PermissionDenied.into());
            }
        }
        Ok(target)
    }

    fn in_place(path: &Path, mode: Option<u32>) -> io::Result<Target> {
        let found = ports::stat(path, true).ok();
        if found.is_some_and(|found| found.mode & 0o170_000 == 0o010_000) {
            return Err(ErrorKind::Unsupported.into());
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let file = ports::without_waiting(&mut options).open(path)?;
        if let (Some(mode), true) = (mode, found.is_none_or(|found| is_file(&found))) {
            ports::set_mode(path, mode)?;
        }
        Ok(Target {
            path: path.to_path_buf(),
            file,
            temporary: None,
        })
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Puts the file in its place, with everything on the disk.
    ///
    /// # Errors
    /// The system's; nothing is left of the file then.
    pub(super) fn keep(mut self) -> io::Result<()> {
        let Some(temporary) = &self.temporary else {
            return Ok(());
        };
        ports::save(&self.file)?;
        fs::rename(temporary, &self.path)?;
        self.temporary = None;
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            if let Err(error) = fs::remove_file(temporary) {
                log::warn!("cannot remove {}: {error}", temporary.display());
            }
        }
    }
}

/// Removes what downloads of a process that is gone have left in a directory; returns how many files
/// that were.
pub fn remove_parts(directory: &Path, pid: u32) -> usize {
    let start = format!("{}{pid}-", PART.0);
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let parts = entries.filter(|entry| {
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(&start)?.strip_suffix(PART.1));
        number.is_some_and(|number| number.parse::<usize>().is_ok())
            && entry.file_type().is_ok_and(|kind| kind.is_file())
    });
    parts
        .filter(|part| fs::remove_file(part.path()).is_ok())
        .count()
}

/// How the names of such files begin and end; in between are the numbers of the process and the file.
const PART: (&str, &str) = (".coracle-", ".part");

fn is_file(stat: &FileStat) -> bool {
    stat.mode & 0o170_000 == 0o100_000
}

/// A name that no other download of this process has; that of another process is told apart by its
/// number, and what an earlier one left is not overwritten.
fn unused_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}{}-{count}{}", PART.0, std::process::id(), PART.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parts_of_the_process_that_is_gone_are_removed() {
        let directory = std::env::temp_dir().join(format!("coracle-parts-{}", std::process::id()));
        fs::create_dir_all(directory.join(".coracle-7-3.part")).unwrap();
        let names = [
            ".coracle-7-0.part",
            ".coracle-7-12.part",
            ".coracle-77-0.part",
            ".coracle-7-x.part",
            ".coracle-7-0.part2",
            "file",
        ];
        for name in names {
            fs::write(directory.join(name), "x").unwrap();
        }
        assert_eq!(remove_parts(&directory, 7), 2);
        let left = fs::read_dir(&directory).unwrap().count();
        assert_eq!(left, names.len() + 1 - 2);
        fs::remove_dir_all(&directory).unwrap();
        assert_eq!(remove_parts(&directory, 7), 0);
    }
}
