//! What each system calls the packages that building needs.
//!
//! Sources: Debian 12 `apt-cache policy`; Fedora and Alpine: python/devguide and the fleet's
//! worker_example.Dockerfile; macOS: python/cpython `Misc/Brewfile`; illumos: the package names in
//! omniosorg/omnios-build; Haiku: what the recipe of python3.14 in haikuports asks for (pkgman
//! installs by these names); FreeBSD: directories of the ports tree whose package has the same name.
//! A name that nobody has checked is [`Package::Guess`], and the report says so.

use super::system::System;
use Package::{Base, Guess, Name, Unknown};

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

/// One row for each need; the columns are in the order of [`column`].
const TABLE: &[(Need, [Package; 10])] = &[
    // Debian, Fedora, Alpine, FreeBSD, OpenBSD, NetBSD, DragonFly, illumos, Haiku, macOS
    (
        Need::Compiler,
        [
            Name("build-essential"),
            Name("gcc"),
            Name("gcc libc-dev linux-headers"),
            Base("clang is in the base system"),
            Base("clang is in the set comp"),
            Base("gcc is in the set comp"),
            Base("gcc is in the base system"),
            Name("developer/gcc14"),
            Name("cmd:gcc haiku_devel"),
            Base("xcode-select --install"),
        ],
    ),
    (
        Need::Make,
        [
            Name("make"),
            Name("make"),
            Name("make"),
            Base("make is in the base system"),
            Base("make is in the base system"),
            Base("make is in the set comp"),
            Base("make is in the base system"),
            Name("developer/build/gnu-make"),
            Name("cmd:make"),
            Base("xcode-select --install"),
        ],
    ),
    (
        Need::Git,
        [
            Name("git"),
            Name("git"),
            Name("git"),
            Name("git"),
            Guess("git"),
            Guess("git"),
            Guess("git"),
            Name("developer/versioning/git"),
            Guess("cmd:git"),
            Base("xcode-select --install"),
        ],
    ),
    (
        Need::PkgConfig,
        [
            Name("pkg-config"),
            Name("pkg-config"),
            Guess("pkgconf"),
            Name("pkgconf"),
            Base("pkg-config is in the base system"),
            Guess("pkgconf"),
            Guess("pkgconf"),
            Name("developer/pkg-config"),
            Name("cmd:pkg_config"),
            Name("pkg-config"),
        ],
    ),
    (
        Need::Gdb,
        [
            Name("gdb"),
            Name("gdb"),
            Guess("gdb"),
            Name("gdb"),
            Guess("gdb"),
            Base("gdb is in the set comp"),
            Base("gdb is in the base system"),
            Unknown,
            Guess("cmd:gdb"),
            Unknown,
        ],
    ),
    (
        Need::Zlib,
        [
            Name("zlib1g-dev"),
            Name("zlib-devel"),
            Name("zlib-dev"),
            Base("zlib is in the base system"),
            Base("zlib is in the set comp"),
            Base("zlib is in the set comp"),
            Base("zlib is in the base system"),
            Name("library/zlib"),
            Name("devel:libz"),
            Base("xcode-select --install"),
        ],
    ),
    (
        Need::OpenSsl,
        [
            Name("libssl-dev"),
            Name("openssl-devel"),
            Name("openssl-dev"),
            Base("OpenSSL is in the base system"),
            Base("LibreSSL is in the set comp"),
            Base("OpenSSL is in the set comp"),
            Guess("openssl"),
            Name("library/security/openssl-3"),
            Name("devel:libssl"),
            Name("openssl@3.0"),
        ],
    ),
    (
        Need::Ffi,
        [
            Name("libffi-dev"),
            Name("libffi-devel"),
            Name("libffi-dev"),
            Name("libffi"),
            Guess("libffi"),
            Guess("libffi"),
            Guess("libffi"),
            Name("library/libffi"),
            Name("devel:libffi"),
            Base("xcode-select --install"),
        ],
    ),
    (
        Need::Bzip2,
        [
            Name("libbz2-dev"),
            Name("bzip2-devel"),
            Name("bzip2-dev"),
            Base("bzip2 is in the base system"),
            Guess("bzip2"),
            Base("bzip2 is in the set comp"),
            Base("bzip2 is in the base system"),
            Name("compress/bzip2"),
            Name("devel:libbz2"),
            Base("xcode-select --install"),
        ],
    ),
    (
        Need::Lzma,
        [
            Name("liblzma-dev"),
            Name("xz-devel"),
            Name("xz-dev"),
            Base("xz is in the base system"),
            Guess("xz"),
            Base("xz is in the set comp"),
            Base("xz is in the base system"),
            Name("compress/xz"),
            Name("devel:liblzma"),
            Name("xz"),
        ],
    ),
    (
        Need::Zstd,
        [
            Name("libzstd-dev"),
            Name("libzstd-devel"),
            Guess("zstd-dev"),
            Guess("zstd"),
            Guess("zstd"),
            Guess("zstd"),
            Guess("zstd"),
            Name("compress/zstd"),
            Name("devel:libzstd"),
            Name("zstd"),
        ],
    ),
    (
        Need::Sqlite,
        [
            Name("libsqlite3-dev"),
            Name("sqlite-devel"),
            Name("sqlite-dev"),
            Name("sqlite3"),
            Guess("sqlite3"),
            Guess("sqlite3"),
            Guess("sqlite3"),
            Name("database/sqlite-3"),
            Name("devel:libsqlite3"),
            Base("xcode-select --install"),
        ],
    ),
    (
        Need::Readline,
        [
            Name("libreadline-dev"),
            Name("readline-devel"),
            Name("readline-dev"),
            Name("readline"),
            Guess("readline"),
            Guess("readline"),
            Guess("readline"),
            Name("library/readline"),
            Name("devel:libedit"),
            Base("xcode-select --install"),
        ],
    ),
    (
        Need::Curses,
        [
            Name("libncurses-dev"),
            Guess("ncurses-devel"),
            Name("ncurses-dev"),
            Base("ncurses is in the base system"),
            Base("curses is in the set comp"),
            Base("curses is in the set comp"),
            Base("ncurses is in the base system"),
            Name("library/ncurses"),
            Name("devel:libncursesw"),
            Base("xcode-select --install"),
        ],
    ),
    (
        Need::Gdbm,
        [
            Name("libgdbm-dev"),
            Guess("gdbm-devel"),
            Name("gdbm-dev"),
            Guess("gdbm"),
            Guess("gdbm"),
            Guess("gdbm"),
            Guess("gdbm"),
            Unknown,
            Guess("devel:libgdbm"),
            Name("gdbm"),
        ],
    ),
    (
        Need::Ndbm,
        [
            Name("libgdbm-compat-dev"),
            Guess("gdbm-devel"),
            Guess("gdbm-dev"),
            Base("ndbm is in the base system"),
            Base("ndbm is in the base system"),
            Base("ndbm is in the base system"),
            Base("ndbm is in the base system"),
            Base("ndbm is in the base system"),
            Unknown,
            Base("xcode-select --install"),
        ],
    ),
    (
        Need::Tk,
        [
            Name("tk-dev"),
            Guess("tk-devel"),
            Name("tk tcl-dev"),
            Guess("tk86"),
            Guess("tk%8.6"),
            Guess("tk"),
            Guess("tk86"),
            Unknown,
            Unknown,
            Name("tcl-tk@8"),
        ],
    ),
    (
        Need::Uuid,
        [
            Name("uuid-dev"),
            Guess("libuuid-devel"),
            Guess("util-linux-dev"),
            Base("uuid is in the base system"),
            Guess("e2fsprogs"),
            Guess("libuuid"),
            Base("uuid is in the base system"),
            Base("libuuid is in the base system"),
            Unknown,
            Base("xcode-select --install"),
        ],
    ),
    (
        Need::Mpdec,
        [
            Guess("libmpdec-dev"),
            Guess("mpdecimal-devel"),
            Guess("mpdecimal-dev"),
            Name("mpdecimal"),
            Guess("mpdecimal"),
            Name("mpdecimal"),
            Guess("mpdecimal"),
            Unknown,
            Unknown,
            Name("mpdecimal"),
        ],
    ),
    (
        Need::TimeZones,
        [
            Name("tzdata"),
            Guess("tzdata"),
            Guess("tzdata"),
            Base("zoneinfo is in the base system"),
            Base("zoneinfo is in the base system"),
            Base("zoneinfo is in the base system"),
            Base("zoneinfo is in the base system"),
            Base("zoneinfo is in the base system"),
            Guess("timezone_data"),
            Base("zoneinfo is in the base system"),
        ],
    ),
];

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
