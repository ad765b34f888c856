//! The first thing a run does: it looks at how the last one ended, and ends what that left running.
//!
//! A step's monitor (in `ports`) kills everything the step started when the worker dies. What is
//! left to do here is for the moments in which the monitor died too. What a killed step leaves on
//! the disk is left alone: a lock file of git, say, may be in use by somebody we do not know.

use std::path::Path;
use std::time::{Duration, Instant, UNIX_EPOCH};

use log::{info, warn};

use super::record::Record;
use crate::journal::{EndReason, Ending, Journal, LastRun, OpenStep};
use crate::steps;
use ports::{GroupEnd, Identity, Leftover, Traces};

/// How long the processes of all steps together may take to be gone once they are killed.
const END_LIMIT: Duration = Duration::from_secs(5);

/// Characters of a command line in the log.
const SHOWN: usize = 200;

/// Begins a run in a base directory, whose lock this process has: ends what the last run left, and
/// returns the record of this one. Blocks for a moment if something has to be ended.
pub fn begin(base: &Path) -> Record {
    let journal = match Journal::open(base) {
        Ok(journal) => journal,
        Err(error) => {
            warn!("{error}; going on without, so after a crash nothing will be known");
            return Record::default();
        }
    };
    let last = journal.last_run();
    let record = Record::keep(journal);
    if let Some(last) = last {
        clean_up(&last, &record);
    }
    record.worker_started();
    record
}

fn clean_up(last: &LastRun, record: &Record) {
    let boot = ports::boot_id().zip(last.run.boot.clone());
    let same_boot = boot.map(|(now, then)| now == then);
    if !last.stopped {
        log_crash(last, same_boot == Some(false));
    }
    let deadline = Instant::now() + END_LIMIT;
    for open in &last.unfinished {
        remove_parts(open, last.run.pid);
        let fate = match same_boot {
            Some(true) => end(open, last, deadline),
            Some(false) => "it ended with the system".to_owned(),
            None => fate(open, GroupEnd::Unknown),
        };
        let OpenStep { step, .. } = open;
        warn!(
            "(command {}): {} in builder {} was running when the last worker ended{}; {fate}",
            step.id,
            step.name,
            step.builder,
            shown(&step.line)
        );
        let ending = Ending {
            code: None,
            seconds: seconds(open.since.wall, last.last.wall),
            reason: EndReason::WorkerDied,
        };
        record.step_ended(step.number, ending);
    }
}

/// Removes the half file that a download has left.
fn remove_parts(open: &OpenStep, pid: u32) {
    let OpenStep { step, process, .. } = open;
    // A program's step has its command line where a download has its file.
    if process.is_some() || !Path::new(&step.line).is_absolute() {
        return;
    }
    let Some(directory) = Path::new(&step.line).parent() else {
        return;
    };
    let removed = steps::remove_parts(directory, pid);
    if removed > 0 {
        info!(
            "removed what a download had left half done in {}",
            directory.display()
        );
    }
}

fn log_crash(last: &LastRun, restarted: bool) {
    let pid = last.run.pid;
    let time = local_time(last.last.wall);
    let system = if restarted {
        ", and the system was restarted since"
    } else {
        ""
    };
    let text =
        format!("the last worker here (process {pid}) ended without notice after {time}{system}");
    match last.unfinished.len() {
        0 => info!("{text}; no step was running"),
        1 => warn!("{text}; one step was running"),
        count => warn!("{text}; {count} steps were running"),
    }
}

/// Ends what is left of a step; says what that was.
fn end(open: &OpenStep, last: &LastRun, deadline: Instant) -> String {
    let Some(process) = open.process else {
        return "no process of it is known".to_owned();
    };
    let (Some(start), Some(session)) = (process.start, process.session) else {
        return fate(open, GroupEnd::Unknown);
    };
    let leader = Identity {
        pid: process.pid,
        start,
        group: process.pid,
        session,
    };
    let directory = std::fs::canonicalize(&open.step.directory).ok();
    let traces = Traces {
        seen: last.last.process_clock,
        directory: directory.as_deref(),
    };
    fate(open, ports::end_group(&leader, &traces, deadline))
}

fn fate(open: &OpenStep, end: GroupEnd) -> String {
    let pid = open.process.map_or(0, |process| process.pid);
    match end {
        GroupEnd::Gone => "nothing of it is left".to_owned(),
        GroupEnd::Killed(killed) => format!("killed what was left of it: {}", named(&killed)),
        GroupEnd::Survived(survived) => format!(
            "this is left of it and does not end, although killed: {}",
            named(&survived)
        ),
        GroupEnd::Stranger => {
            format!("its process number {pid} belongs to another program now, which is left alone")
        }
        GroupEnd::Unknown if open.process.is_none() => "no process of it is known".to_owned(),
        GroupEnd::Unknown => format!(
            "this system does not tell whether its process {pid} is left, so nothing was killed"
        ),
    }
}

fn named(processes: &[Leftover]) -> String {
    let names = processes.iter().map(|Leftover { pid, name }| {
        if name.is_empty() {
            pid.to_string()
        } else {
            format!("{} ({pid})", printable(name))
        }
    });
    names.collect::<Vec<_>>().join(", ")
}

/// A command line for the log; nothing if there is none.
fn shown(line: &str) -> String {
    if line.is_empty() {
        return String::new();
    }
    let short: String = line.chars().take(SHOWN).collect();
    let more = if short.len() < line.len() { "..." } else { "" };
    format!(": `{}{more}`", printable(&short))
}

/// One line whatever a master or a program has put into it.
fn printable(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn seconds(from: u64, to: u64) -> f64 {
    Duration::from_millis(to.saturating_sub(from)).as_secs_f64()
}

/// Milliseconds since 1970 as people read them.
fn local_time(milliseconds: u64) -> String {
    let Some(time) = UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds)) else {
        return "an unknown time".to_owned();
    };
    let ports::LocalTime {
        year,
        month,
        day,
        hour,
        minute,
        second,
        ..
    } = ports::local_time(time);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_of_a_master_is_one_line_and_not_endless() {
        assert_eq!(shown(""), "");
        assert_eq!(shown("make\nall\u{1b}[2J"), ": `make all [2J`");
        let long = shown(&"é".repeat(1000));
        assert_eq!(long.chars().count(), SHOWN + ": `...`".len());
    }

    #[test]
    fn times_before_and_after_all_clocks_are_no_trouble() {
        assert!(local_time(0).starts_with("19"));
        local_time(u64::MAX);
        assert!(seconds(5, 3).abs() < f64::EPSILON);
    }
}
