//! Where the log goes, as the configuration says.

use std::path::{Path, PathBuf};

use super::arguments::Arguments;
use super::tac::{self, LogBlock};

/// Where the log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// The file does not say (`--no-logrotate`): a daemon writes `twistd.log`, a worker in the
    /// foreground standard output.
    Unset,
    /// Standard output, as in a container.
    StandardOutput,
    /// A file.
    File {
        /// Absolute.
        path: PathBuf,
        /// When it is put aside.
        rotation: Rotation,
    },
}

/// When a log file is put aside, and how many old ones are kept (PROTOCOL 7.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Bytes; none for never.
    pub length: Option<u64>,
    /// Old files; none for all of them.
    pub files: Option<u64>,
}

impl Rotation {
    /// What Twisted does where nothing is said (PROTOCOL 7.2).
    pub const UNSET: Rotation = Rotation {
        length: Some(1_000_000),
        files: None,
    };
}

/// What the log block of a file means, relative to the directory of the file.
pub fn from_block(block: &LogBlock, directory: &Path, arguments: &mut Arguments) -> LogTarget {
    match block {
        LogBlock::Absent => LogTarget::Unset,
        LogBlock::StandardOutput => LogTarget::StandardOutput,
        LogBlock::File(file) => {
            let here = directory.to_string_lossy();
            let path = tac::paths::absolute(&here, &file.path);
            let inside = Path::new(&path).strip_prefix(here.as_ref());
            LogTarget::File {
                // The directory may have a name that is no text.
                path: match inside {
                    Ok(inside) => directory.join(inside),
                    Err(_) => PathBuf::from(&path),
                },
                rotation: Rotation {
                    length: file.rotate_length.filter(|length| *length > 0),
                    files: file.max_files,
                },
            }
        }
        LogBlock::Unclear(line) => {
            arguments.note(format!(
                "line {line}: where the log goes cannot be evaluated; it goes to twistd.log"
            ));
            LogTarget::File {
                path: directory.join("twistd.log"),
                rotation: Rotation {
                    length: Some(10_000_000),
                    files: Some(10),
                },
            }
        }
    }
}
