//! The one directory that is written to, gone when the looking is over.

use std::io;
use std::path::{Path, PathBuf};

/// Such a directory.
#[derive(Debug)]
pub struct Scratch(PathBuf);

/// How many names are tried.
const TRIES: u32 = 100;

impl Scratch {
    /// A new, empty directory in the system's directory for temporary files.
    ///
    /// # Errors
    /// Where it was to be made, and what the system said.
    pub fn new() -> Result<Scratch, (PathBuf, io::Error)> {
        let parent = std::env::temp_dir();
        let pid = std::process::id();
        for number in 0..TRIES {
            let path = parent.join(format!("coracle-doctor-{pid}-{number}"));
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Scratch(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err((parent, error)),
            }
        }
        Err((parent, io::ErrorKind::AlreadyExists.into()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays; there is nobody to tell.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
