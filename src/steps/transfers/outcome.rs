//! How a transfer ended.

use std::path::Path;

use crate::calls::{Failure, FailureKind};
use crate::steps::Reporter;

/// What is reported at the end of a transfer.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Something went wrong: exit code 1.
    pub(super) trouble: bool,
    /// Error output without newline at its end, so that it comes after the exit code
    /// (PROTOCOL 6.10).
    pub(super) text: String,
    /// What the master's end said when it failed.
    pub(super) refused: Option<String>,
}

impl Outcome {
    /// Nothing went wrong.
    pub(super) fn done() -> Outcome {
        Outcome::default()
    }

    /// Ended before its time, without anything to be said.
    pub(super) fn interrupted() -> Outcome {
        Outcome {
            trouble: true,
            ..Outcome::default()
        }
    }

    /// Something went wrong on our side.
    pub(super) fn trouble(text: String) -> Outcome {
        Outcome {
            trouble: true,
            text,
            refused: None,
        }
    }

    /// The master's end failed.
    pub(super) fn refused(words: String) -> Outcome {
        Outcome {
            trouble: true,
            text: String::new(),
            refused: Some(words),
        }
    }

    /// As many bytes as the master wants have been moved.
    pub(super) fn full(path: &Path) -> Outcome {
        let path = path.display();
        Outcome::trouble(format!(
            "Maximum filesize reached, truncating file '{path}'"
        ))
    }

    /// The master's end failed. Its first words count.
    pub(super) fn refuse(&mut self, words: String) {
        self.trouble = true;
        self.refused.get_or_insert(words);
    }

    /// Reports the exit code and the text.
    ///
    /// # Errors
    /// The failure of the command, if the master's end failed.
    pub(super) fn report(self, reporter: &mut Reporter) -> Result<(), Failure> {
        reporter.exit_code(self.trouble.into());
        reporter.stderr(&self.text);
        match self.refused {
            None => Ok(()),
            Some(words) => Err(Failure {
                kind: FailureKind::Other,
                message: format!("the master's end of the transfer failed: {words}"),
            }),
        }
    }
}
