//! What each system calls the packages that building needs.
//!
//! A name that nobody has checked is [`Package::Guess`], and the report says so.

mod names;

use super::system::System;
use Package::{Base, Guess, Name, Unknown};
use names::TABLE;

/// Something that a package brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Need {
    Compiler,
    Make,
    Git,
    PkgConfig,
    Gdb,
    Zlib,
    OpenSsl,
    Ffi,
    Bzip2,
    Lzma,
    Zstd,
    Sqlite,
    Readline,
    Curses,
    Gdbm,
    Ndbm,
    Tk,
    Uuid,
    Mpdec,
    TimeZones,
}

/// What a system calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Package {
    /// This, checked.
    Name(&'static str),
    /// Probably this.
    Guess(&'static str),
    /// It belongs to the system itself; the text says how it comes when it is not there.
    Base(&'static str),
    /// The system has no package of it, or we know of none.
    Unknown,
}

/// Where a system's names are in a row.
fn column(system: System) -> Option<usize> {
    match system {
        System::Debian => Some(0),
        System::Fedora => Some(1),
        System::Alpine => Some(2),
        System::FreeBsd => Some(3),
        System::OpenBsd => Some(4),
        System::NetBsd => Some(5),
        System::DragonFly => Some(6),
        System::Illumos => Some(7),
        System::Haiku => Some(8),
        System::MacOs => Some(9),
        System::Other => None,
    }
}

/// What this system calls it.
pub fn package(system: System, need: Need) -> Package {
    let row = TABLE.iter().find(|(known, _)| *known == need);
    match (row, column(system)) {
        (Some((_, row)), Some(column)) => row[column],
        (None, _) | (_, None) => Unknown,
    }
}

/// One command that installs all of these, and which of the names nobody has checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installation {
    /// The command; none if there is nothing to install, or no known package.
    pub command: Option<String>,
    /// The same for names that nobody has checked: one wrong name makes all of a command fail.
    pub unverified: Option<String>,
    /// What comes with the system itself, in the words of the table.
    pub base: Vec<&'static str>,
    /// What has no package that we know.
    pub unknown: Vec<Need>,
}

/// How these are installed; each name once.
pub fn installation(system: System, needs: &[Need]) -> Installation {
    let mut result = Installation::default();
    let mut names: Vec<&str> = Vec::new();
    let mut guesses: Vec<&str> = Vec::new();
    for need in needs {
        match package(system, *need) {
            Name(name) => names.extend(name.split(' ')),
            Guess(name) => guesses.extend(name.split(' ')),
            Base(text) => result.base.push(text),
            Unknown => result.unknown.push(*need),
        }
    }
    result.base.dedup();
    result.command = command(system, names);
    result.unverified = command(system, guesses);
    result
}

/// The command for these names, each once.
fn command(system: System, mut names: Vec<&str>) -> Option<String> {
    let mut seen = Vec::new();
    names.retain(|name| {
        let new = !seen.contains(name);
        seen.push(*name);
        new
    });
    let command = system.install_command().filter(|_| !names.is_empty())?;
    Some(format!("{command} {}", names.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_command_installs_everything_and_names_the_guesses() {
        let needs = [Need::Compiler, Need::Zlib, Need::Zlib, Need::Mpdec];
        let found = installation(System::Debian, &needs);
        assert_eq!(
            found.command.as_deref(),
            Some("apt-get install build-essential zlib1g-dev")
        );
        let unverified = found.unverified.as_deref();
        assert_eq!(unverified, Some("apt-get install libmpdec-dev"));
        let found = installation(System::FreeBsd, &needs);
        assert_eq!(found.command.as_deref(), Some("pkg install mpdecimal"));
        assert_eq!(found.base.len(), 2);
        let found = installation(System::Other, &needs);
        assert_eq!((found.command, found.unknown.len()), (None, 4));
    }

    #[test]
    fn every_name_is_safe_to_type() {
        let odd = |name: &str| !name.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        for (need, row) in TABLE {
            for package in row {
                if let Name(name) | Guess(name) = package {
                    assert!(!odd(name) && !name.starts_with('-'), "{need:?}: {name}");
                }
            }
        }
    }
}
