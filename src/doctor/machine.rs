//! The machine: processors, memory, room on disks, clock.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::check::Check;

const GIB: u64 = 1024 * 1024 * 1024;
const MIB: u64 = 1024 * 1024;

/// What the devguide asks of a worker's owner (new-buildbot-worker.rst), and below which a build of
/// one branch does not fit.
const WANTED_ROOM: u64 = 30 * GIB;
const LEAST_ROOM: u64 = GIB;
/// What the devguide asks; a little less, because the kernel keeps some for itself.
const LEAST_MEMORY: u64 = 480 * MIB;
/// Memory that one compiler, or one test process, may need (field.md 5.3).
const MEMORY_EACH: u64 = 400 * MIB;
/// Room for temporary files of the tests.
const WANTED_TEMPORARY: u64 = GIB;

/// Earlier than this no clock can be right: 2025-01-01 in seconds since 1970.
const EARLIEST: u64 = 1_735_689_600;

/// How many jobs to run at a time: as many as processors, and as memory allows.
pub fn jobs() -> usize {
    jobs_for(ports::cpu_count(), ports::memory())
}

fn jobs_for(cpus: usize, memory: Option<u64>) -> usize {
    let by_memory = memory.map_or(u64::MAX, |bytes| bytes / MEMORY_EACH);
    cpus.min(usize::try_from(by_memory).unwrap_or(usize::MAX))
        .max(1)
}

/// The processors.
pub fn processors() -> Check {
    let cpus = ports::cpu_count();
    let jobs = jobs();
    let saw = format!("{cpus}; builds here should use -j{jobs}");
    if cpus >= 2 {
        return Check::ok("processors", saw);
    }
    let why = "the devguide asks for two, for the tests to end in time";
    Check::warning("processors", saw, why, "expect builds to take hours")
}

/// The memory.
pub fn memory() -> Check {
    let Some(bytes) = ports::memory() else {
        let why = "512 MB is the least that the tests get by with";
        return Check::warning("memory", "the system does not tell", why, "look yourself");
    };
    let saw = amount(bytes);
    if bytes >= LEAST_MEMORY {
        return Check::ok("memory", saw);
    }
    let why = "the devguide asks for 512 MB";
    Check::warning("memory", saw, why, "add swap, and run one job at a time")
}

/// The disk that builds are made on.
pub fn disk(directory: &Path) -> Check {
    let name = "disk";
    let shown = directory.display();
    let found = match ports::file_system(directory) {
        Ok(found) => found,
        Err(error) => {
            let saw = format!("{shown}: {}", ports::words_of(&error));
            return Check::missing(
                name,
                saw,
                "builds are made there",
                "give a directory that exists",
            );
        }
    };
    let saw = format!("{} free at {shown}", amount(found.free));
    if found.read_only || !ports::may_write(directory) {
        let saw = format!("{shown} cannot be written");
        return Check::warning(
            name,
            saw,
            "builds are made there",
            "give the worker a directory of its own",
        );
    }
    if found.free < LEAST_ROOM {
        return Check::missing(
            name,
            saw,
            "one build takes 400 MB and more, and its tests need room too",
            "make room, or use another disk",
        );
    }
    if found.free_files.is_some_and(|files| files < 100_000) {
        let saw = format!("{saw}, but hardly any free inodes");
        return Check::warning(name, saw, "a checkout has many small files", "remove files");
    }
    if found.free < WANTED_ROOM {
        let why = "the devguide asks for 30 GB, for each branch has directories of its own";
        return Check::warning(name, saw, why, "enough for one branch; make room for more");
    }
    Check::ok(name, saw)
}

/// The directory for temporary files; `scratch` is in it.
pub fn temporary(scratch: &Path) -> Check {
    let parent = scratch.parent().unwrap_or(scratch);
    let name = "temporary files";
    match ports::file_system(parent) {
        Ok(found) if found.free >= WANTED_TEMPORARY => Check::ok(
            name,
            format!("{} free at {}", amount(found.free), parent.display()),
        ),
        Ok(found) => {
            let saw = format!("{} free at {}", amount(found.free), parent.display());
            let why = "tests of large files and archives fill it";
            Check::warning(name, saw, why, "set TMPDIR to a directory with 1 GB")
        }
        Err(error) => {
            let saw = format!("{}: {}", parent.display(), ports::words_of(&error));
            Check::warning(name, saw, "tests write there", "set TMPDIR")
        }
    }
}

/// The path of the directory: tests and Makefiles stumble over odd ones. Nothing is said of one that is
/// not there, of which [`disk`] tells.
pub fn path(directory: &Path) -> Option<Check> {
    directory.exists().then(|| path_of(directory))
}

fn path_of(directory: &Path) -> Check {
    let text = directory.to_string_lossy();
    let why = "some tests and Makefiles do not expect that";
    let remedy = "use a short path of plain letters";
    if !text.is_ascii() || text.contains(char::is_whitespace) {
        let saw = format!("{text} has blanks or letters beyond ASCII");
        return Check::warning("path", saw, why, remedy);
    }
    // AF_UNIX sockets below it must stay under 104 bytes (unix(4) of the BSDs).
    if text.len() > 60 {
        let saw = format!("{text} is {} characters long", text.len());
        let why = "tests make sockets below it, whose path must be under 104 bytes";
        return Check::warning("path", saw, why, remedy);
    }
    Check::ok("path", text)
}

/// The clock, as far as one machine alone can tell.
pub fn clock(now: SystemTime) -> Check {
    let seconds = now
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs();
    let local = ports::local_time(now);
    let saw = format!(
        "{:04}-{:02}-{:02} {:02}:{:02}, {:+} minutes from UTC",
        local.year, local.month, local.day, local.hour, local.minute, local.offset
    );
    if seconds >= EARLIEST {
        return Check::ok("clock", saw);
    }
    let why = "certificates, make and git do not work with a clock that is wrong";
    Check::missing("clock", saw, why, "set it, and start a time service (NTP)")
}

/// An amount of bytes as people say it.
pub fn amount(bytes: u64) -> String {
    if bytes >= 10 * GIB {
        format!("{} GB", bytes / GIB)
    } else if bytes >= GIB {
        format!("{:.1} GB", bytes as f64 / GIB as f64)
    } else {
        format!("{} MB", bytes / MIB)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_memory_means_few_jobs() {
        assert_eq!(jobs_for(4, Some(8 * GIB)), 4);
        assert_eq!(jobs_for(4, Some(900 * MIB)), 2);
        assert_eq!(jobs_for(4, Some(100 * MIB)), 1);
        assert_eq!(jobs_for(3, None), 3);
    }

    #[test]
    fn a_clock_that_begins_in_1970_is_noticed() {
        use super::super::check::Verdict;
        assert_eq!(clock(UNIX_EPOCH).verdict, Verdict::Missing);
        assert_eq!(clock(SystemTime::now()).verdict, Verdict::Ok);
    }

    #[test]
    fn amounts_are_short() {
        assert_eq!(amount(512 * MIB), "512 MB");
        assert_eq!(amount(3 * GIB / 2), "1.5 GB");
        assert_eq!(amount(40 * GIB), "40 GB");
    }
}
