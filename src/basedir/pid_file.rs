//! `twistd.pid`: written for others to read (PROTOCOL 7.1). It is believed only after a look at the
//! process that it names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the pid file of a directory in which no coracle runs means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// There is none, or nothing useful in it.
    Nothing,
    /// A process that is gone.
    Gone(u32),
    /// A process that works in this directory: another program's worker.
    Worker(u32),
    /// A process that has nothing to do with us: the number was used again.
    Stranger(u32),
}

fn path(directory: &Path) -> PathBuf {
    directory.join("twistd.pid")
}

fn number(directory: &Path) -> Option<u32> {
    let text = fs::read_to_string(path(directory)).ok()?;
    text.trim().parse().ok()
}

/// Looks at the pid file of a directory whose lock nobody holds.
pub fn named(directory: &Path) -> Named {
    let Some(pid) = number(directory) else {
        return Named::Nothing;
    };
    if !ports::process_exists(pid) {
        return Named::Gone(pid);
    }
    // The Python worker works in its base directory.
    let here = ports::process_directory(pid).is_some_and(|place| place == directory);
    if here && pid != std::process::id() {
        Named::Worker(pid)
    } else {
        Named::Stranger(pid)
    }
}

/// Removes a pid file that means nothing any more.
pub fn remove_stale(directory: &Path) {
    let _ = fs::remove_file(path(directory));
}

/// The pid file of this process, removed when it is dropped.
#[derive(Debug)]
pub struct PidFile {
    directory: PathBuf,
}

impl PidFile {
    /// Writes the number of this process, without a newline (PROTOCOL 7.1).
    ///
    /// # Errors
    /// The system's.
    pub fn write(directory: &Path) -> io::Result<Self> {
        fs::write(path(directory), std::process::id().to_string())?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if number(&self.directory) == Some(std::process::id()) {
            let _ = fs::remove_file(path(&self.directory));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basedir::test_directory;

    #[test]
    fn a_pid_file_has_no_newline_and_goes_with_its_process() {
        let directory = test_directory("pid");
        let file = PidFile::write(&directory).unwrap();
        let text = fs::read_to_string(directory.join("twistd.pid")).unwrap();
        assert_eq!(text, std::process::id().to_string());
        drop(file);
        assert!(!directory.join("twistd.pid").exists());
    }

    #[test]
    fn a_pid_file_that_another_process_has_taken_over_is_left_alone() {
        let directory = test_directory("pid-taken");
        let file = PidFile::write(&directory).unwrap();
        fs::write(directory.join("twistd.pid"), "1").unwrap();
        drop(file);
        assert!(directory.join("twistd.pid").exists());
    }

    #[test]
    fn a_number_is_believed_only_after_a_look_at_the_process() {
        let directory = test_directory("pid-named");
        let write = |text: &str| fs::write(directory.join("twistd.pid"), text).unwrap();
        assert_eq!(named(&directory), Named::Nothing);
        write("nonsense");
        assert_eq!(named(&directory), Named::Nothing);
        write("999999999");
        assert_eq!(named(&directory), Named::Gone(999_999_999));
        write("1");
        assert_eq!(named(&directory), Named::Stranger(1));
        let mut sleeper = std::process::Command::new("sleep")
            .arg("60")
            .current_dir(&directory)
            .spawn()
            .unwrap();
        write(&sleeper.id().to_string());
        let expected = match ports::process_directory(sleeper.id()) {
            Some(_) => Named::Worker(sleeper.id()),
            None => Named::Stranger(sleeper.id()),
        };
        let found = named(&directory);
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
        assert_eq!(found, expected);
        assert_eq!(named(&directory), Named::Gone(sleeper.id()));
    }
}
