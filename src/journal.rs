//! The journal: what the worker does, written down as it happens, in `.coracle/journal` of a base
//! directory. After a crash it tells which steps were running; it is also the history of the worker.
//!
//! `entry` says what is written, `frame` how it looks as bytes, `state` what follows from it, and
//! `file` where it is kept. The first three are pure.

mod entry;
mod file;
mod frame;
mod history;
mod state;
#[cfg(test)]
mod tests;

pub use entry::{EndReason, Ending, Entry, Event, Moment, Process, Run, Step, StepNumber};
pub use file::{Journal, JournalError};
pub use history::{History, history, last_run};
pub use state::{LastRun, OpenStep};
