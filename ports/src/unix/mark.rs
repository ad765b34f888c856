//! A mark in the environment of all that a step starts. Here there is none: see `shared/marked.rs`.

use std::time::Instant;

use super::raw::Pid;
use crate::Leftover;

/// The mark of one step; nobody makes one here.
#[derive(Debug, Clone)]
pub(crate) struct Mark(());

/// What looking for the marked takes.
#[derive(Debug)]
pub(crate) struct Search(());

/// A mark that nobody has had yet, where the port marks steps.
pub(crate) fn new_mark() -> Option<Mark> {
    None
}

impl Mark {
    /// The entry of the environment, `NAME=value`.
    pub(crate) fn entry(&self) -> &[u8] {
        b""
    }

    /// Gets the memory that a search takes.
    pub(crate) fn search(&self) -> Search {
        Search(())
    }
}

impl Search {
    /// Kills everybody that has the mark, for the `round`th time; how many they were.
    /// Async-signal-safe.
    pub(crate) fn kill(&mut self, _round: u32) -> usize {
        0
    }

    /// Who has the mark, other than `main`, as far as can be found out until then.
    pub(crate) fn holders(&mut self, _main: Pid, _until: Instant) -> Vec<Leftover> {
        Vec::new()
    }
}
