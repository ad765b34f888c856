//! The modules that are not there, each with what is missing for it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::build::{Build, Why};
use super::configure::Configure;
use crate::doctor::System;
use crate::doctor::libraries::{Library, library_of, library_of_header, library_of_package};
use crate::doctor::packages::{Installation, Need, Package, installation, package};

/// A module that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Its name in C: `_ctypes`.
    pub module: String,
    /// Why.
    pub why: String,
    /// The library that it needs, if we know.
    pub library: Option<String>,
    /// How that library comes to this system, in words.
    pub remedy: String,
}

/// All of them, and one command that installs what they need. `lacking` tells what pkg-config lacks of a
/// library that is there: the name of another package.
pub fn missing(
    configure: &Configure,
    build: &Build,
    system: System,
    lacking: &dyn Fn(&Library) -> Option<String>,
) -> (Vec<Missing>, Installation) {
    let mut needs: Vec<Need> = Vec::new();
    let list = not_there(configure, build).into_iter();
    let list = list.map(|(module, why, header)| {
        let of_header = header.and_then(library_of_header);
        let library = of_header.or_else(|| library_of(module));
        let lacks = of_header.is_some() || why == Why::NotFound;
        let remedy = match library.filter(|_| lacks) {
            Some(library) => match lacking(library) {
                Some(other) => for_pkg_config(system, library, &other, &mut needs),
                None => {
                    needs.push(library.need);
                    remedy(system, library.need)
                }
            },
            None => String::new(),
        };
        Missing {
            module: module.to_owned(),
            why: match header {
                Some(header) => format!("header {header} not found"),
                None => why.words().to_owned(),
            },
            library: library.map(|library| library.name.to_owned()),
            remedy,
        }
    });
    let list = list.collect();
    needs.sort();
    needs.dedup();
    (list, installation(system, &needs))
}

/// The modules that are not there by name, each with the reason, and the header that the compiler missed.
fn not_there<'a>(
    configure: &'a Configure,
    build: &'a Build,
) -> Vec<(&'a str, Why, Option<&'a str>)> {
    let mut found = Vec::new();
    for (module, why) in &build.modules {
        let header = match why {
            Why::NotBuilt => missed_header(module, &build.errors),
            Why::NotFound | Why::NotImported | Why::Disabled => None,
        };
        found.push((module.as_str(), *why, header));
    }
    for (module, state) in &configure.modules {
        if !found.iter().any(|(known, _, _)| known == module) {
            let why = match state.as_str() {
                "missing" => Why::NotFound,
                _ => Why::Disabled,
            };
            found.push((module, why, None));
        }
    }
    found.sort_by_key(|(module, _, _)| *module);
    found
}

/// The header that a module did not compile for want of: in the compiler's complaints of a source with
/// the module's name (`Modules/zlibmodule.c`), or else of the headers of its library.
fn missed_header<'a>(module: &str, errors: &'a [String]) -> Option<&'a str> {
    let missed = |error: &'a String| {
        let (place, rest) = error.split_once(": fatal error: ")?;
        let is_missing = |rest: &str| {
            rest.ends_with("No such file or directory") || rest.ends_with("file not found")
        };
        let header = rest.trim_start_matches(['\'', '"']);
        let header = header.split(['\'', '"', ':', ' ']).next()?;
        is_missing(rest).then(|| (place.split(':').next().unwrap_or(place), header))
    };
    let bare = module.trim_start_matches('_');
    let is_source = |file: &str| {
        let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str());
        stem.is_some_and(|stem| {
            stem.trim_start_matches('_') == bare
                || stem
                    .strip_suffix("module")
                    .unwrap_or(stem)
                    .trim_start_matches('_')
                    == bare
        })
    };
    let is_of_library = |header: &str| {
        let of_header = library_of_header(header).map(|library| library.name);
        of_header.is_some() && of_header == library_of(module).map(|library| library.name)
    };
    let mut all = errors.iter().filter_map(missed);
    all.find(|(file, header)| is_source(file) || is_of_library(header))
        .map(|(_, header)| header)
}

/// What is to be done where a library is there, and pkg-config does not find what that needs.
fn for_pkg_config(system: System, library: &Library, other: &str, needs: &mut Vec<Need>) -> String {
    let name = library.name;
    let why = format!("pkg-config finds {name} only with {other}, which it does not find");
    match library_of_package(other) {
        Some(other) => {
            needs.push(other.need);
            format!("{}; {why}", remedy(system, other.need))
        }
        None => format!("install what brings {other}.pc; {why}"),
    }
}

fn remedy(system: System, need: Need) -> String {
    match package(system, need) {
        Package::Name(name) => format!("package {name}"),
        Package::Guess(name) => format!("package {name} (name not verified)"),
        Package::Base(text) => text.to_owned(),
        Package::Unknown => "no package known".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_header_is_named_with_its_package() {
        let (mut configure, mut build) = (Configure::default(), Build::default());
        let text = include_str!("../../tests/bringup/configure-3.11.txt");
        text.lines().for_each(|line| configure.line(line));
        let text = include_str!("../../tests/bringup/make-3.11.txt");
        text.lines().for_each(|line| build.line(line));
        let (list, install) = missing(&configure, &build, System::Debian, &|_| None);
        let zlib = list.iter().find(|missing| missing.module == "zlib");
        assert_eq!(
            zlib,
            Some(&Missing {
                module: "zlib".to_owned(),
                why: "library or header not found".to_owned(),
                library: Some("zlib".to_owned()),
                remedy: "package zlib1g-dev".to_owned(),
            })
        );
        let command = install.command.unwrap_or_default();
        assert!(
            command.contains("zlib1g-dev") && command.contains("libbz2-dev"),
            "{command}"
        );
    }

    #[test]
    fn a_header_that_only_the_compiler_misses_is_named_with_its_package() {
        // pkg-config knows the library, but its header is gone: configure sees nothing wrong.
        let mut build = Build::default();
        for line in [
            "/w/Modules/zlibmodule.c:10:10: fatal error: zlib.h: No such file or directory",
            "/w/Modules/binascii.c:66:12: fatal error: zlib.h: No such file or directory",
            "/w/Modules/_sqlite/blob.h:4:10: fatal error: 'sqlite3.h' file not found",
            "/w/Modules/_odd.c:4:10: fatal error: odd.h: No such file or directory",
            "Failed to build these modules:",
            "_odd                  _sqlite3              _ssl",
            "binascii              zlib",
        ] {
            build.line(line);
        }
        let (list, install) = missing(&Configure::default(), &build, System::Debian, &|_| None);
        let rows: Vec<(&str, &str, &str)> = list
            .iter()
            .map(|one| (&*one.module, &*one.why, &*one.remedy))
            .collect();
        assert_eq!(
            rows,
            [
                ("_odd", "header odd.h not found", ""),
                (
                    "_sqlite3",
                    "header sqlite3.h not found",
                    "package libsqlite3-dev"
                ),
                ("_ssl", "did not compile", ""),
                ("binascii", "header zlib.h not found", "package zlib1g-dev"),
                ("zlib", "header zlib.h not found", "package zlib1g-dev"),
            ]
        );
        let command = install.command.as_deref();
        assert_eq!(command, Some("apt-get install zlib1g-dev libsqlite3-dev"));
    }

    #[test]
    fn what_pkg_config_lacks_is_the_remedy_and_not_the_library_that_is_there() {
        let mut configure = Configure::default();
        configure.line("checking for stdlib extension module _tkinter... missing");
        let with = |other: &str| {
            let other = other.to_owned();
            let lacking = move |library: &Library| (library.name == "Tk").then(|| other.clone());
            missing(&configure, &Build::default(), System::Debian, &lacking)
        };
        let (list, install) = with("zlib");
        assert_eq!(
            list[0].remedy,
            "package zlib1g-dev; pkg-config finds Tk only with zlib, which it does not find"
        );
        assert_eq!(
            install.command.as_deref(),
            Some("apt-get install zlib1g-dev")
        );
        let (list, install) = with("xft");
        assert!(list[0].remedy.starts_with("install what brings xft.pc; "));
        assert_eq!(install.command, None);
    }

    #[test]
    fn what_did_not_compile_is_no_package() {
        let mut build = Build::default();
        build.line("Failed to build these modules:");
        build.line("_ssl _odd");
        let (list, install) = missing(&Configure::default(), &build, System::Debian, &|_| None);
        assert!(list.iter().all(|missing| missing.remedy.is_empty()));
        assert_eq!(install.command, None);
    }
}
