//! `buildbot.tac` as a file: whether it is there, whether it is a worker's, and what is said when not.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::tac::{self, Problem};

/// Why a base directory cannot be used.
#[derive(Debug)]
pub enum ReadError {
    /// There is no `buildbot.tac` that we can read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is one, but it is not a worker's.
    NotWorker {
        /// The file.
        file: PathBuf,
    },
    /// It is a worker's, and there is something wrong in it.
    Wrong {
        /// The file.
        file: PathBuf,
        /// Everything that is wrong; at least one.
        problems: Vec<Problem>,
        /// Whether some of it is not wrong, only more than we can evaluate.
        unsupported: bool,
    },
}

/// What we evaluate, for whoever wrote more.
const SUPPORTED: &str = "supported are literals, names, os.environ[...], os.environ.get(...), \
    os.getenv(...), int(), str(), open(...).read().strip(), os.path functions, the methods of \
    texts, if and for";

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not_valid = |f: &mut fmt::Formatter<'_>, file: &Path| {
            let directory = file.parent().unwrap_or(file);
            write!(f, "\ninvalid worker directory '{}'", directory.display())
        };
        match self {
            ReadError::Unreadable { file, error } => {
                let why = ports::words_of(error);
                write!(f, "error reading '{}': {why}", file.display())?;
                not_valid(f, file)
            }
            ReadError::NotWorker { file } => {
                write!(f, "unexpected content in '{}'", file.display())?;
                not_valid(f, file)
            }
            ReadError::Wrong {
                file,
                problems,
                unsupported,
            } => {
                for (at, problem) in problems.iter().enumerate() {
                    let line = if at == 0 { "" } else { "\n" };
                    write!(f, "{line}{}: {problem}", file.display())?;
                }
                if *unsupported {
                    write!(f, "\n{}: {SUPPORTED}", file.display())?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ReadError {}

/// Reads `buildbot.tac` in this directory and checks that it is a worker's (PROTOCOL 7.2, 7.4).
///
/// # Errors
/// [`ReadError::Unreadable`] and [`ReadError::NotWorker`].
pub fn worker_file(directory: &Path) -> Result<(PathBuf, Vec<u8>), ReadError> {
    let file = super::real_directory(directory).join("buildbot.tac");
    match bytes(&file) {
        Err(error) => Err(ReadError::Unreadable { file, error }),
        Ok(bytes) if has_marker(&bytes) => Ok((file, bytes)),
        Ok(_) => Err(ReadError::NotWorker { file }),
    }
}

fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    // Not a pipe or device, which might never end.
    if !std::fs::metadata(file)?.is_file() {
        return Err(io::Error::other("not a plain file"));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(tac::LARGEST).unwrap_or(u64::MAX);
    File::open(file)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() > tac::LARGEST {
        return Err(io::Error::other("larger than 256 KiB"));
    }
    Ok(bytes)
}

/// Whether the file names itself a worker's, today's or that of the time when workers were slaves.
fn has_marker(bytes: &[u8]) -> bool {
    [
        "Application('buildbot-worker')",
        "Application('buildslave')",
    ]
    .into_iter()
    .flat_map(|marker| [marker.to_owned(), marker.replace('\'', "\"")])
    .any(|marker| {
        bytes
            .windows(marker.len())
            .any(|part| part == marker.as_bytes())
    })
}
