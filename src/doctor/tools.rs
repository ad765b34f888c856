//! The programs that a build calls: make, git, pkg-config, a debugger.

use std::path::Path;
use std::time::Duration;

use super::check::{Check, one_line};
use super::packages::Need;
use super::program;
use super::system::System;

/// How long a program may take to tell its version.
const LIMIT: Duration = Duration::from_secs(10);

/// Oldest git that the fleet's checkouts work with: partial clones (field.md 5.1).
const OLDEST_GIT: (u32, u32) = (2, 27);

/// make. The fleet calls it by that name and no other.
pub fn make(system: System, scratch: &Path) -> Check {
    let why = "the steps of a build call make by this name";
    if program::find("make").is_none() {
        let saw = match program::find("gmake") {
            Some(path) => format!("there is no make in PATH, but {}", path.display()),
            None => "there is no make in PATH".to_owned(),
        };
        return Check::missing("make", saw, why, "").needing(Need::Make);
    }
    let version = first_line(&["make", "--version"], scratch);
    match version {
        Some(line) if line.contains("GNU Make") => Check::ok("make", line),
        Some(_) | None if system == System::Illumos => Check::warning(
            "make",
            "make is not GNU make",
            "CPython's Makefile needs more than this make has",
            "put /usr/gnu/bin first in PATH",
        ),
        Some(_) | None => Check::ok("make", "make is that of the system"),
    }
}

/// git, new enough.
pub fn git(scratch: &Path) -> Check {
    let why = "the fleet's builders fetch the source with git 2.27 or newer";
    if program::find("git").is_none() {
        return Check::missing("git", "there is no git in PATH", why, "").needing(Need::Git);
    }
    let Some(line) = first_line(&["git", "--version"], scratch) else {
        return Check::missing(
            "git",
            "git does not tell its version",
            why,
            "try git --version",
        );
    };
    match version(&line) {
        Some(found) if found >= OLDEST_GIT => Check::ok("git", line),
        Some(_) => Check::missing("git", format!("{line} is too old"), why, "").needing(Need::Git),
        None => Check::warning("git", format!("it says {line}"), why, "try git --version"),
    }
}

/// pkg-config, by which configure finds libraries.
pub fn pkg_config(scratch: &Path) -> Check {
    let why = "configure finds some libraries only by way of it";
    match first_line(&["pkg-config", "--version"], scratch) {
        Some(line) => Check::ok("pkg-config", line),
        None => Check::warning("pkg-config", "there is no pkg-config in PATH", why, "")
            .needing(Need::PkgConfig),
    }
}

/// gdb, for tests and for looking at crashes.
pub fn gdb(scratch: &Path) -> Check {
    let why = "test_gdb is skipped, and crashes are harder to look into";
    match first_line(&["gdb", "--version"], scratch) {
        Some(line) => Check::ok("gdb", line),
        None => Check::warning("gdb", "there is no gdb in PATH", why, "").needing(Need::Gdb),
    }
}

/// The programs of which every system has one.
pub fn base() -> Check {
    let wanted = ["sh", "ar", "ld", "sed", "grep", "awk", "tar"];
    let absent: Vec<&str> = wanted
        .into_iter()
        .filter(|name| program::find(name).is_none())
        .collect();
    if absent.is_empty() {
        return Check::ok("base tools", wanted.join(", "));
    }
    let compiler_only = absent.iter().all(|name| ["ar", "ld"].contains(name));
    let saw = format!("not in PATH: {}", absent.join(", "));
    let why = "configure and make call them";
    if compiler_only {
        return Check::missing("base tools", saw, why, "").needing(Need::Compiler);
    }
    Check::missing(
        "base tools",
        saw,
        why,
        "is PATH complete? They belong to the system",
    )
}

/// The first line that a program prints, if it runs and prints one.
fn first_line(words: &[&str], scratch: &Path) -> Option<String> {
    program::find(words.first()?)?;
    let ran = program::run_text(words, scratch, LIMIT).ok()?;
    let line = ran.stdout.lines().find(|line| !line.trim().is_empty())?;
    ran.good.then(|| one_line(line))
}

/// The first two numbers in a text like `git version 2.39.5 (Apple Git-154)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let mut parts = text[start..].split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_print() {
        assert_eq!(version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("git version 2.9.0"), Some((2, 9)));
        assert_eq!(version("git version 10.2"), Some((10, 2)));
        assert_eq!(version("git"), None);
        assert_eq!(version("99999999999.1"), None);
        assert!((2, 9) < OLDEST_GIT && (3, 0) > OLDEST_GIT);
    }
}
