//! Printing, and whose words are printed.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;

#[cfg(feature = "tools")]
use super::Exit;
use ports::words_of;

/// Whose words are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// Ours.
    Coracle,
    /// Those of the program by whose name we were called.
    BuildbotWorker,
}

impl Voice {
    /// By the name that the program was called by.
    pub fn of(program: &OsStr) -> Voice {
        match Path::new(program).file_stem().and_then(OsStr::to_str) {
            Some("buildbot-worker" | "buildslave") => Voice::BuildbotWorker,
            Some(_) | None => Voice::Coracle,
        }
    }

    /// The name of the program.
    pub fn program(self) -> &'static str {
        match self {
            Voice::Coracle => "coracle",
            Voice::BuildbotWorker => "buildbot-worker",
        }
    }

    /// Complains why a command has failed.
    #[cfg(feature = "tools")]
    pub(super) fn failed(self, why: &str) -> Exit {
        complain(&format!("{}: {why}", self.program()));
        Exit::BAD
    }
}

/// Why something could not be printed, the first time.
static LOST: OnceLock<String> = OnceLock::new();

/// Prints a line to standard output. What cannot be printed is told at the end, see [`lost`].
pub fn say(line: &str) {
    let mut out = io::stdout().lock();
    let said = writeln!(out, "{line}").and_then(|()| out.flush());
    if let Err(error) = said {
        // Whoever closes a pipe has read enough.
        if error.kind() != io::ErrorKind::BrokenPipe {
            LOST.get_or_init(|| words_of(&error));
        }
    }
}

/// Why not everything was printed, if it was not.
pub(super) fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// Prints a line to standard error.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
