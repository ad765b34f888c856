//! Reads `buildbot.tac` without Python: a file of assignments and a few calls, of which we need the
//! arguments of the one that makes the worker (PROTOCOL 7.2).
//!
//! `source` turns bytes into text, `token` and `parse` text into statements, `evaluate` runs them.
//! Nothing here touches a network or starts a program; files are read only where the configuration
//! asks for it (`open(...).read()`).

mod blocks;
mod evaluate;
mod expressions;
mod literal;
mod parse;
mod source;
mod syntax;
mod token;
mod value;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;

pub use evaluate::{Binding, Given, paths};
pub use value::{LogFile, Value, quote};

/// Largest configuration file, in bytes; a generated one has two thousand.
pub const LARGEST: usize = 256 * 1024;

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub line: u32,
    /// Why.
    pub why: String,
}

impl SyntaxError {
    fn new(line: u32, why: &str) -> Self {
        Self {
            line,
            why: why.to_owned(),
        }
    }
}

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, or 0 if it is about the whole file.
    pub line: u32,
    /// What is wrong. Never contains the password.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        f.write_str(&self.text)
    }
}

/// Where the file sends the log (PROTOCOL 7.2).
#[derive(Debug, Clone, PartialEq)]
pub enum LogBlock {
    /// It does not say.
    Absent,
    /// To a file.
    File(LogFile),
    /// To standard output.
    StandardOutput,
    /// Somewhere, by something that we cannot evaluate, on this line.
    Unclear(u32),
}

/// The call that makes the worker.
pub struct WorkerCall {
    /// Where it begins.
    pub line: u32,
    /// Whether it is the `BuildSlave` of versions before 0.9.
    pub slave: bool,
    /// In order.
    pub arguments: Vec<Given>,
}

/// What a file says.
pub struct Tac {
    /// The calls that make workers; there should be one.
    pub workers: Vec<WorkerCall>,
    /// What the names stand for at the end of the file.
    pub names: HashMap<String, Binding>,
    /// The environment after the changes that the file makes to it.
    pub environment: Vec<(OsString, OsString)>,
    /// Where the log goes.
    pub log: LogBlock,
    /// What is wrong whatever the settings are.
    pub problems: Vec<Problem>,
}

/// Reads a file.
///
/// `file` is its absolute path and `directory` the directory that relative paths start from, both
/// as text; `environment` is that of the process.
///
/// # Errors
/// It is not text, or not Python.
pub fn read(
    bytes: &[u8],
    file: String,
    directory: String,
    environment: Vec<(OsString, OsString)>,
) -> Result<Tac, SyntaxError> {
    let text = source::text(bytes)?;
    let statements = parse::parse(&text)?;
    Ok(evaluate::run(
        &text,
        &statements,
        file,
        directory,
        environment,
    ))
}

/// A part of a file for a message: on one line, not too long, the content of texts left out.
fn excerpt(source: &str, start: usize, end: usize) -> String {
    const LONGEST: usize = 80;
    let part = source.get(start..end).unwrap_or("");
    let Ok(tokens) = token::tokens(part) else {
        return String::new();
    };
    let mut result = String::new();
    let mut last_end = 0;
    for token in tokens {
        let gap = token.start > last_end && !result.is_empty();
        last_end = token.start + token.text.len();
        if token.text.is_empty() {
            continue;
        }
        if gap {
            result.push(' ');
        }
        result.push_str(match token.kind {
            token::Kind::Text => "'...'",
            _ => token.text,
        });
        if result.len() > LONGEST {
            let cut = (0..=LONGEST).rev().find(|&at| result.is_char_boundary(at));
            result.truncate(cut.unwrap_or(0));
            result.push_str(" ...");
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests;
