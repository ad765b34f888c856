//! The log: lines as twistd writes them, in a file that is put aside when it is full (PROTOCOL 7.5).
//! Nothing that goes wrong with it ever stops the worker.

mod rotation;

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use log::{LevelFilter, Log, Metadata, Record};
use ports::LocalTime;

use super::log_target::{LogTarget, Rotation};
use rotation::LogFile;

/// How the worker runs, as far as the log is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// From a terminal or under a supervisor.
    Foreground,
    /// Detached.
    Daemon,
    /// As a part of a command that prints for itself.
    Inside,
}

/// Where lines go.
struct Output {
    file: Option<LogFile>,
    standard_output: bool,
}

/// The logger of this process.
struct Logger {
    output: Mutex<Output>,
}

thread_local! {
    /// Whether this thread is just writing a line: a panic in there must not wait for itself.
    static WRITING: Cell<bool> = const { Cell::new(false) };
}

/// From now on log records and panics go where the settings say. At most once a process; later
/// calls change nothing.
pub fn start(target: &LogTarget, directory: &Path, place: Place, verbose: bool) {
    // Without it, a script that wants a new file would end us; nothing worse.
    let _ = ports::accept_log_wishes();
    let file = match (target, place) {
        (LogTarget::File { path, rotation }, _) => Some(LogFile::new(path, *rotation)),
        (LogTarget::Unset, Place::Daemon | Place::Inside) => {
            Some(LogFile::new(&directory.join("twistd.log"), Rotation::UNSET))
        }
        (LogTarget::Unset, Place::Foreground) | (LogTarget::StandardOutput, _) => None,
    };
    let file = match place {
        Place::Daemon => file.map(LogFile::with_prints),
        Place::Foreground | Place::Inside => file,
    };
    // A supervisor that wants the lines in its own log has no log block in the file.
    let standard_output =
        place == Place::Foreground && (file.is_none() || io::stdout().is_terminal());
    let logger = Logger {
        output: Mutex::new(Output {
            file,
            standard_output,
        }),
    };
    if log::set_boxed_logger(Box::new(logger)).is_err() {
        return;
    }
    log::set_max_level(if verbose {
        LevelFilter::Debug
    } else {
        LevelFilter::Info
    });
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_text();
        let place = panic.location().map_or(String::new(), |place| {
            format!(" at {}:{}", place.file(), place.line())
        });
        log::error!("a defect of coracle{place}: {text}; please report it");
    }));
}

/// What a panic says.
trait PayloadText {
    fn payload_as_text(&self) -> &str;
}

impl PayloadText for std::panic::PanicHookInfo<'_> {
    fn payload_as_text(&self) -> &str {
        let payload = self.payload();
        match (
            payload.downcast_ref::<&str>(),
            payload.downcast_ref::<String>(),
        ) {
            (Some(text), _) => text,
            (None, Some(text)) => text,
            (None, None) => "no message",
        }
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Libraries have nothing to say that an administrator understands.
        metadata.level() <= log::max_level()
            && (is_ours(metadata.target()) || metadata.level() <= log::Level::Warn)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) || WRITING.replace(true) {
            return;
        }
        let time = ports::local_time(SystemTime::now());
        let line = line(time, system(record.target()), &record.args().to_string());
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &mut output.file {
            file.write(line.as_bytes());
        }
        if output.standard_output {
            // Nobody may read it any more; that is no reason to stop.
            let _ = io::stdout().lock().write_all(line.as_bytes());
        }
        WRITING.set(false);
    }

    fn flush(&self) {}
}

fn is_ours(target: &str) -> bool {
    target == "coracle" || target.starts_with("coracle::") || !target.contains("::")
}

/// What stands in brackets: `-`, unless the record's target is a name of Twisted's kind such as
/// `Broker,client`.
fn system(target: &str) -> &str {
    if target.contains(',') { target } else { "-" }
}

/// A line of the log: `2026-01-31 12:34:56+0000 [-] text`, further lines of the text after a tab.
fn line(time: LocalTime, system: &str, text: &str) -> String {
    let LocalTime {
        year,
        month,
        day,
        hour,
        minute,
        second,
        offset,
    } = time;
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
    let text = text.trim_end_matches('\n').replace('\n', "\n\t");
    format!(
        "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}\
         {sign}{hours:02}{minutes:02} [{system}] {text}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: LocalTime = LocalTime {
        year: 2026,
        month: 1,
        day: 31,
        hour: 2,
        minute: 4,
        second: 6,
        offset: -210,
    };

    #[test]
    fn a_line_looks_like_twistds() {
        assert_eq!(
            line(TIME, "-", "hello"),
            "2026-01-31 02:04:06-0330 [-] hello\n"
        );
        let time = LocalTime { offset: 60, ..TIME };
        assert_eq!(
            line(time, "Broker,client", "a\nb\n"),
            "2026-01-31 02:04:06+0100 [Broker,client] a\n\tb\n"
        );
    }

    #[test]
    fn only_names_of_twisteds_kind_stand_in_brackets() {
        assert_eq!(system("coracle::basedir"), "-");
        assert_eq!(system("Broker,client"), "Broker,client");
    }

    #[test]
    fn libraries_are_quiet_below_warnings() {
        assert!(
            is_ours("coracle::basedir::lock") && is_ours("Broker,client") && is_ours("coracle")
        );
        assert!(!is_ours("polling::epoll"));
    }
}
