//! What the build of CPython says about modules that it did not build.

use serde::{Deserialize, Serialize};

/// Most modules and errors that are kept.
const MOST: usize = 200;

/// Why a module is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// A library or header was not found.
    NotFound,
    /// It did not compile.
    NotBuilt,
    /// It was built, but could not be imported.
    NotImported,
    /// It was disabled.
    Disabled,
}

impl Why {
    /// In a report.
    pub fn words(self) -> &'static str {
        match self {
            Why::NotFound => "library or header not found",
            Why::NotBuilt => "did not compile",
            Why::NotImported => "could not be imported",
            Why::Disabled => "disabled",
        }
    }
}

/// The headings of the lists: setup.py (up to 3.11) and check_extension_modules.py (from 3.12 on).
const HEADINGS: &[(&str, Why)] = &[
    (
        "The necessary bits to build these optional modules were not found:",
        Why::NotFound,
    ),
    ("Failed to build these modules:", Why::NotBuilt),
    (
        "Following modules built successfully but were removed because they could not be imported:",
        Why::NotImported,
    ),
    (
        "The following modules are *disabled* in configure script:",
        Why::Disabled,
    ),
];

/// What a report shows of a build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Modules that are not there.
    pub modules: Vec<(String, Why)>,
    /// Errors of the compiler and of make, the first ones.
    pub errors: Vec<String>,
    /// How many warnings the compiler gave.
    pub warnings: usize,
    /// The list that is being read.
    #[serde(skip)]
    list: Option<Why>,
}

/// Most errors that a report shows.
const MOST_ERRORS: usize = 20;

impl Build {
    /// Takes one line of its output.
    pub fn line(&mut self, line: &str) {
        let line = line.trim_end();
        if let Some((_, why)) = HEADINGS.iter().find(|(heading, _)| *heading == line) {
            self.list = Some(*why);
            return;
        }
        if let Some(why) = self.list {
            if self.names(line, why) {
                return;
            }
            self.list = None;
        }
        if line.contains(": warning: ") {
            self.warnings += 1;
        }
        let is_error = line.contains(": error: ")
            || line.contains(": fatal error: ")
            || line.contains("undefined reference to")
            || line.contains("No space left on device")
            || is_of_make(line);
        if is_error && self.errors.len() < MOST_ERRORS {
            self.errors.push(line.trim().to_owned());
        }
    }

    /// Takes a line of names; false if it is none.
    fn names(&mut self, line: &str, why: Why) -> bool {
        let is_name = |name: &str| {
            let mut bytes = name.bytes();
            bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
        };
        let names: Vec<&str> = line.split_whitespace().collect();
        if names.is_empty() || !names.iter().all(|name| is_name(name)) {
            return false;
        }
        for name in names {
            let known = self.modules.iter().any(|(known, _)| known == name);
            if !known && self.modules.len() < MOST {
                self.modules.push((name.to_owned(), why));
            }
        }
        true
    }
}

/// `make: *** [Makefile:1847: x] Error 1`, from GNU make or (`*** Error code 1`) a BSD's.
fn is_of_make(line: &str) -> bool {
    line.contains("*** [") || line.starts_with("*** Error code") || line.contains(": *** ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Build {
        let mut build = Build::default();
        text.lines().for_each(|line| build.line(line));
        build
    }

    #[test]
    fn the_lists_of_python_3_11_are_read() {
        let build = read(include_str!("../../tests/bringup/make-3.11.txt"));
        let names: Vec<&str> = build
            .modules
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["_bz2", "_dbm", "_tkinter", "zlib"]);
        assert!(build.modules.iter().all(|(_, why)| *why == Why::NotFound));
        assert_eq!(build.errors, [""; 0]);
    }

    #[test]
    fn the_lists_of_newer_pythons_are_read() {
        let build = read(
            "The necessary bits to build these optional modules were not found:\n\
             _dbm                      _tkinter                  \n\
             _zstd\n\
             To find the necessary bits, look in configure.ac and config.log.\n\
             \n\
             Failed to build these modules:\n\
             _ssl\n\
             \n\
             Following modules built successfully but were removed because they could not be imported:\n\
             _ctypes\n\n\
             Checked 112 modules (31 built-in, 78 shared, 3 missing)\n",
        );
        let find = |name: &str| build.modules.iter().find(|(known, _)| known == name);
        assert_eq!(build.modules.len(), 5);
        assert_eq!(find("_zstd").map(|(_, why)| *why), Some(Why::NotFound));
        assert_eq!(find("_ssl").map(|(_, why)| *why), Some(Why::NotBuilt));
        assert_eq!(find("_ctypes").map(|(_, why)| *why), Some(Why::NotImported));
    }

    #[test]
    fn errors_and_warnings_are_counted() {
        let build = read(
            "a.c:1:2: warning: odd\n\
             a.c:3:4: error: bad\n\
             make: *** [Makefile:10: a.o] Error 1\n\
             cc1: fatal error: x.h: No such file\n",
        );
        assert_eq!((build.warnings, build.errors.len()), (1, 3));
    }

    #[test]
    fn hostile_output_is_bounded() {
        let mut build = Build::default();
        build.line(HEADINGS[0].0);
        for number in 0..10_000 {
            build.line(&format!("m{number}"));
        }
        build.line("");
        for _ in 0..10_000 {
            build.line("make: *** [x] Error 1");
        }
        assert_eq!(
            (build.modules.len(), build.errors.len()),
            (MOST, MOST_ERRORS)
        );
    }
}
