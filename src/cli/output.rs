//! Printing, and whose words are printed.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

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
}

/// Prints a line to standard output. Nobody may read it; that is not our concern.
pub fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Prints a line to standard error.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
