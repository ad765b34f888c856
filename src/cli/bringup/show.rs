//! Shows a bring-up while it goes on: the step, how long it has run, how many tests are done, and its
//! last line.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::bringup::{duration, plain, progress};
use crate::cli::output::say;
use crate::local::run::{Observer, RunEvent, StepEnd};

/// Width that is used on a terminal whose width nobody tells.
const WIDTH: usize = 79;
/// How often a line is printed where there is no terminal.
const EVERY: Duration = Duration::from_secs(60);
/// How often the line on a terminal may change.
const REFRESH: Duration = Duration::from_millis(100);

/// The display.
pub struct Show {
    terminal: bool,
    width: usize,
    step: Option<Running>,
    /// When something was shown last.
    shown: Option<Instant>,
}

/// The step that runs.
struct Running {
    number: usize,
    total: usize,
    name: String,
    begun: Instant,
    /// `123/478 files, 2 failed`.
    tests: String,
    last_line: String,
}

impl Show {
    /// On standard output.
    pub fn new() -> Show {
        let columns = std::env::var("COLUMNS").ok();
        let columns = columns.and_then(|columns| columns.parse::<usize>().ok());
        Show {
            terminal: io::stdout().is_terminal(),
            width: columns.map_or(WIDTH, |columns| columns.clamp(20, 500) - 1),
            step: None,
            shown: None,
        }
    }

    fn line(&mut self, line: &str) {
        let Some(step) = &mut self.step else { return };
        if let Some(found) = progress(line) {
            let failed = match found.failed {
                0 => String::new(),
                count => format!(", {count} failed"),
            };
            step.tests = format!("{}/{} files{failed}", found.done, found.total);
        }
        if !line.trim().is_empty() {
            step.last_line = plain(line, 200);
        }
    }

    fn refresh(&mut self, now: Instant) {
        let wait = if self.terminal { REFRESH } else { EVERY };
        let fresh = self.shown.is_some_and(|at| now.duration_since(at) < wait);
        let Some(step) = &self.step else { return };
        if fresh {
            return;
        }
        let text = step.text(now);
        if self.terminal {
            let text: String = text.chars().take(self.width).collect();
            overwrite(&text);
        } else {
            say(text.trim_end());
        }
        self.shown = Some(now);
    }

    fn ended(&mut self, number: usize, total: usize, end: &StepEnd) {
        if self.terminal {
            overwrite("");
        }
        let time = match (&end.log, end.earlier) {
            (_, true) => "done earlier".to_owned(),
            (Some(_), false) => duration(end.seconds),
            (None, false) => String::new(),
        };
        let note = plain(&end.note, 200);
        let line = format!(
            "[{number}/{total}] {:<22} {:<9} {time:<12} {note}",
            end.name,
            end.outcome.name()
        );
        say(line.trim_end());
        self.step = None;
    }
}

impl Running {
    fn text(&self, now: Instant) -> String {
        let seconds = now.duration_since(self.begun).as_secs();
        let time = match seconds {
            0 => String::new(),
            1..=9 => format!("{seconds} s"),
            10.. => duration(seconds as f64),
        };
        let Running {
            number,
            total,
            name,
            tests,
            last_line,
            ..
        } = self;
        if tests.is_empty() {
            format!("[{number}/{total}] {name} {time}  {last_line}")
        } else {
            format!("[{number}/{total}] {name} {time}  {tests}  {last_line}")
        }
    }
}

/// Writes over the line of progress. A terminal that is gone is not our concern.
fn overwrite(text: &str) {
    let mut out = io::stdout().lock();
    let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
}

impl Observer for Show {
    fn observe(&mut self, event: &RunEvent<'_>) {
        let now = Instant::now();
        match event {
            RunEvent::Attached(_) => {}
            RunEvent::Started {
                number,
                total,
                step,
            } => {
                self.step = Some(Running {
                    number: *number,
                    total: *total,
                    name: step.name.clone(),
                    begun: now,
                    tests: String::new(),
                    last_line: String::new(),
                });
                self.shown = None;
                self.refresh(now);
            }
            RunEvent::Line(line) => {
                self.line(line);
                self.refresh(now);
            }
            RunEvent::Ended { number, total, end } => self.ended(*number, *total, end),
            RunEvent::Tick => self.refresh(now),
            RunEvent::Odd(what) => say(&format!("the worker is odd: {}", plain(what, 200))),
        }
    }
}
