//! Recipes: the steps of a build as plain data, in a TOML file. See `recipes/` for those that are built in.
//!
//! `{name}` in a text stands for a value of the recipe, of its variant or of the caller; a word that is
//! nothing but `{name}` becomes as many words as the value has. `${NAME}` is left alone.

pub(super) mod arguments;
mod file;
mod plan;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::fmt;

pub use file::RecipeFile;
pub use values::{ValueOf, Values};

/// The recipes that are built in: name and text.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("hello", include_str!("recipes/hello.toml")),
    ("cpython", include_str!("recipes/cpython.toml")),
    ("selftest", include_str!("recipes/selftest.toml")),
];

/// A recipe that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeError {
    /// The file, or `built-in NAME`.
    pub file: String,
    /// 1 and up; 0 if it is not about a line.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for RecipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.reason),
            line => write!(f, "{}, line {line}: {}", self.file, self.reason),
        }
    }
}

impl std::error::Error for RecipeError {}

/// What became of a step or of all of them, the better ones first; as Buildbot's results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Outcome {
    Success,
    /// Not run, for its condition.
    Skipped,
    Warnings,
    Failure,
    /// The worker could not do what it was asked.
    Exception,
    /// Somebody has stopped the run.
    Cancelled,
}

impl Outcome {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::Skipped => "skipped",
            Outcome::Warnings => "warnings",
            Outcome::Failure => "failure",
            Outcome::Exception => "exception",
            Outcome::Cancelled => "cancelled",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Outcome> {
        [
            Outcome::Success,
            Outcome::Skipped,
            Outcome::Warnings,
            Outcome::Failure,
            Outcome::Exception,
            Outcome::Cancelled,
        ]
        .into_iter()
        .find(|outcome| outcome.name() == name)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A recipe with everything filled in: what is run, step by step.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What it is for.
    pub title: String,
    /// In order; names differ.
    pub steps: Vec<Step>,
}

impl Step {
    /// Tells this step from any that does something else.
    pub fn fingerprint(&self) -> String {
        format!("{:08x}", crc32fast::hash(format!("{self:?}").as_bytes()))
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// What the worker is asked.
    pub action: Action,
    /// What its result does to the rest.
    pub rules: Rules,
    /// Results by exit code; 0 is a success and everything else a failure unless it is in here.
    pub results: BTreeMap<i32, Outcome>,
    /// Pieces of output that make it a warning, see [`Pattern`].
    pub warnings: Vec<Pattern>,
    /// Texts that must be in the output.
    pub expect: Vec<String>,
    /// Programs without which it is skipped.
    pub needs: Vec<String>,
    /// Steps that must have run without a failure, or else it is skipped.
    pub after: Vec<String>,
    /// After how many seconds the master interrupts it.
    pub interrupt_after: Option<f64>,
    /// What it shows about the machine; `{line}` is its last line of output.
    pub shows: Option<String>,
    /// The manual page or file to look at when it fails; perhaps empty.
    pub see: String,
}

/// What the result of a step does to the others; as Buildbot's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Rules {
    pub halt_on_failure: bool,
    pub flunk_on_failure: bool,
    pub warn_on_failure: bool,
    pub warn_on_warnings: bool,
    pub always_run: bool,
}

impl Rules {
    /// What all steps together come to when this one is added.
    pub fn add(self, so_far: Outcome, step: Outcome) -> Outcome {
        let own = match step {
            Outcome::Success | Outcome::Skipped => Outcome::Success,
            Outcome::Warnings if self.warn_on_warnings => Outcome::Warnings,
            Outcome::Warnings => Outcome::Success,
            Outcome::Failure if self.flunk_on_failure => Outcome::Failure,
            Outcome::Failure if self.warn_on_failure => Outcome::Warnings,
            Outcome::Failure => Outcome::Success,
            Outcome::Exception => Outcome::Exception,
            Outcome::Cancelled => Outcome::Cancelled,
        };
        so_far.max(own)
    }

    /// Whether the steps after it are left out, but for those that always run.
    pub fn halts(self, step: Outcome) -> bool {
        match step {
            Outcome::Success | Outcome::Skipped | Outcome::Warnings => false,
            Outcome::Failure => self.halt_on_failure,
            Outcome::Exception | Outcome::Cancelled => true,
        }
    }
}

/// What a worker is asked. Paths are relative to the builder's directory and the step's `workdir`.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Action {
    Shell(Box<ShellAction>),
    /// A file from the worker, kept among the results.
    Upload {
        workdir: String,
        path: String,
        /// The download whose bytes these must be.
        same_as: Option<String>,
    },
    UploadDirectory {
        workdir: String,
        path: String,
        compress: Option<String>,
    },
    /// A file for the worker.
    Download {
        workdir: String,
        path: String,
        content: Content,
        mode: Option<u32>,
    },
    MakeDirectory(String),
    RemoveDirectory(String),
    Copy {
        from: String,
        to: String,
    },
    Stat(String),
    Glob(String),
    ListDirectory(String),
    RemoveFile(String),
}

/// What a worker downloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text(String),
    /// So many bytes that look random and are always the same.
    Bytes(usize),
}

impl Content {
    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Content::Text(text) => text.clone().into_bytes(),
            Content::Bytes(length) => {
                // Marsaglia's xorshift64: every byte value occurs, NUL and invalid UTF-8 too.
                let mut state = 0x9e37_79b9_7f4a_7c15_u64;
                let mut next = || {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    state.to_be_bytes()[0]
                };
                (0..*length).map(|_| next()).collect()
            }
        }
    }
}

/// A command line and how it is run.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct ShellAction {
    pub command: CommandText,
    pub workdir: String,
    pub env: Vec<(String, String)>,
    pub timeout: Option<f64>,
    pub max_time: Option<f64>,
    pub max_lines: Option<i64>,
    pub sigterm_time: Option<f64>,
    pub interrupt_signal: Option<String>,
    pub pty: bool,
    pub stdin: Option<String>,
    /// Name and file, relative to `workdir`.
    pub log_files: Vec<(String, String)>,
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandText {
    /// By the shell.
    Shell(String),
    /// Directly.
    Words(Vec<String>),
}

/// A text with `*` for anything between. Without an upper-case letter, case does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether it is somewhere in a line.
    pub fn is_in(&self, line: &str) -> bool {
        let folded;
        let mut rest = line;
        if !self.0.chars().any(char::is_uppercase) {
            folded = line.to_lowercase();
            rest = &folded;
        }
        self.0.split('*').all(|piece| match rest.find(piece) {
            Some(at) => {
                rest = &rest[at + piece.len()..];
                true
            }
            None => false,
        })
    }
}
