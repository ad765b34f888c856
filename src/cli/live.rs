//! Shows a run while it goes on: one line that is written over on a terminal, a line a step elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use super::output::say;
use crate::local::run::{Observer, RunEvent, StepEnd};

/// Width that is used on a terminal whose width nobody tells.
const WIDTH: usize = 79;

/// The display.
pub(super) struct Live {
    terminal: bool,
    width: usize,
    /// Number, total, name and beginning of the step that runs.
    step: Option<(usize, usize, String, Instant)>,
    last_line: String,
    shown: Option<Instant>,
}

impl Live {
    /// For the standard output of this process.
    pub fn new() -> Live {
        let columns = std::env::var("COLUMNS").ok();
        let columns = columns.and_then(|columns| columns.parse::<usize>().ok());
        Live {
            terminal: io::stdout().is_terminal(),
            width: columns.map_or(WIDTH, |columns| columns.clamp(20, 500) - 1),
            step: None,
            last_line: String::new(),
            shown: None,
        }
    }

    fn progress(&mut self, now: Instant) {
        let Some((number, total, name, begun)) = &self.step else {
            return;
        };
        if !self.terminal {
            return;
        }
        let seconds = now.duration_since(*begun).as_secs();
        let text = format!("[{number}/{total}] {name} {seconds} s  {}", self.last_line);
        let text: String = text.chars().take(self.width).collect();
        overwrite(&text);
        self.shown = Some(now);
    }

    fn ended(&mut self, number: usize, total: usize, end: &StepEnd) {
        if self.terminal {
            overwrite("");
        }
        let seconds = match (&end.log, end.earlier) {
            (_, true) => "earlier".to_owned(),
            (Some(_), false) => format!("{:.2} s", end.seconds),
            (None, false) => String::new(),
        };
        let line = format!(
            "[{number}/{total}] {:18} {:9} {seconds}",
            end.name,
            end.outcome.name()
        );
        say(line.trim_end());
        self.step = None;
    }
}

/// Writes over the line of progress. A terminal that is gone is not our concern.
fn overwrite(text: &str) {
    let mut out = io::stdout().lock();
    let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
}

impl Observer for Live {
    fn observe(&mut self, event: &RunEvent<'_>) {
        let now = Instant::now();
        match event {
            RunEvent::Attached(_) => say("worker attached to the master inside"),
            RunEvent::Started {
                number,
                total,
                step,
            } => {
                self.step = Some((*number, *total, step.name.clone(), now));
                self.last_line.clear();
                self.progress(now);
            }
            RunEvent::Line(line) => {
                self.last_line = line.chars().filter(|c| !c.is_control()).take(200).collect();
                // A terminal is slower than a compiler.
                let fresh = self
                    .shown
                    .is_some_and(|at| now.duration_since(at).as_millis() < 50);
                if !fresh {
                    self.progress(now);
                }
            }
            RunEvent::Ended { number, total, end } => self.ended(*number, *total, end),
            RunEvent::Tick => self.progress(now),
            RunEvent::Odd(what) => say(&format!("the worker is odd: {what}")),
        }
    }
}

/// Shows nothing but a count on a terminal.
pub(super) struct Quiet;

impl Observer for Quiet {
    fn observe(&mut self, event: &RunEvent<'_>) {
        if !io::stdout().is_terminal() {
            return;
        }
        match event {
            RunEvent::Started {
                number,
                total,
                step,
            } => overwrite(&format!("[{number}/{total}] {}", step.name)),
            RunEvent::Ended { .. } => overwrite(""),
            RunEvent::Attached(_) | RunEvent::Line(_) | RunEvent::Tick | RunEvent::Odd(_) => {}
        }
    }
}
