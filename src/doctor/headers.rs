//! Whether the libraries for Python's optional modules are there: each is compiled against and
//! linked with, since a header without its library, or in a place where the compiler does not
//! look, is of no use.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use super::check::Check;
use super::compiler::{Compiler, first_error};
use super::libraries::{LIBRARIES, Library, Probe, library_of_package};
use super::program;

/// Where packages put things on systems whose compiler does not look there by itself.
const PREFIXES: &[&str] = &[
    "/usr/local",
    "/usr/pkg",
    "/opt/local",
    "/opt/homebrew",
    "/opt/ooce",
];

/// How long pkg-config may take.
const PKG_CONFIG_LIMIT: Duration = Duration::from_secs(10);

const WHY: &str = "its tests are skipped";

/// Tries all of them, several at a time.
pub fn look(compiler: &Compiler, scratch: &Path) -> Vec<Check> {
    let threads = ports::cpu_count().clamp(2, 8);
    let next = Mutex::new(LIBRARIES.iter().enumerate());
    let found = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    // Nobody panics while holding one of the locks.
                    let Some((at, library)) = next.lock().ok().and_then(|mut next| next.next())
                    else {
                        return;
                    };
                    let directory = scratch.join(format!("library-{at}"));
                    let check = look_at(library, compiler, &directory);
                    if let Ok(mut found) = found.lock() {
                        found.push((at, check));
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_default();
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, check)| check).collect()
}

/// How a library was found.
enum Found {
    /// As configure would find it.
    Plain(String),
    /// Only when told where to look.
    Elsewhere(&'static str),
}

fn look_at(library: &Library, compiler: &Compiler, directory: &Path) -> Check {
    let name = library.name;
    match find(library, compiler, directory) {
        Ok(Found::Plain(how)) => Check::ok(name, how),
        Ok(Found::Elsewhere(prefix)) => Check::warning(
            name,
            format!("is below {prefix}, where the compiler does not look by itself"),
            WHY,
            format!(
                "set CPPFLAGS=-I{prefix}/include and LDFLAGS='-L{prefix}/lib -Wl,-rpath,{prefix}/lib' for configure"
            ),
        ),
        Err(why) => {
            let saw = format!("{why}; without it no {}", library.modules);
            let check = match pkg_config_lacks(library) {
                None => Check::missing(name, saw, WHY, "").needing(library.need),
                Some(other) => {
                    let saw = format!("pkg-config finds it only with {other}, and not that; {saw}");
                    let remedy = format!("install what brings {other}.pc");
                    let check = Check::missing(name, saw, WHY, remedy);
                    match library_of_package(&other) {
                        Some(other) => check.needing(other.need),
                        None => check,
                    }
                }
            };
            if library.needed {
                check
            } else {
                check.at_most_warning()
            }
        }
    }
}

/// Tries the ways in turn; the error is that of the first.
fn find(library: &Library, compiler: &Compiler, directory: &Path) -> Result<Found, String> {
    fs::create_dir(directory).map_err(|error| {
        let why = ports::words_of(&error);
        format!(
            "cannot be tried, {} cannot be made: {why}",
            directory.display()
        )
    })?;
    let mut first = None;
    let mut try_with = |probe: &Probe, before: &[&str], after: &[&str]| {
        let why = try_probe(compiler, probe, directory, before, after).err();
        let good = why.is_none();
        first = first.take().or(why);
        good
    };
    if let Some((cflags, libs, version)) = pkg_config(library, directory) {
        let (cflags, libs) = (words(&cflags), words(&libs));
        if library.probes.iter().any(|probe| {
            let all: Vec<&str> = libs.iter().chain(probe.link).copied().collect();
            try_with(probe, &cflags, &libs) || try_with(probe, &cflags, &all)
        }) {
            return Ok(Found::Plain(format!("{version}, by way of pkg-config")));
        }
    }
    for probe in library.probes {
        if try_with(probe, &[], probe.link) {
            let link = probe.link.join(" ");
            let how = if link.is_empty() {
                "the C library"
            } else {
                &link
            };
            return Ok(Found::Plain(format!("compiles and links with {how}")));
        }
    }
    for prefix in PREFIXES
        .iter()
        .filter(|prefix| Path::new(prefix).join("include").is_dir())
    {
        let include = format!("-I{prefix}/include");
        let library_path = format!("-L{prefix}/lib");
        for probe in library.probes {
            let after: Vec<&str> = [library_path.as_str()]
                .into_iter()
                .chain(probe.link.iter().copied())
                .collect();
            if try_with(probe, &[&include], &after) {
                return Ok(Found::Elsewhere(prefix));
            }
        }
    }
    Err(first.unwrap_or_else(|| "was not found".to_owned()))
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// Flags for compiling and for linking, and the version, if pkg-config is there and knows it.
fn pkg_config(library: &Library, directory: &Path) -> Option<(String, String, String)> {
    let program = program::find("pkg-config")?;
    let program = program.to_string_lossy().into_owned();
    let ask = |words: &[&str]| {
        let words: Vec<&str> = [program.as_str()].iter().chain(words).copied().collect();
        let ran = program::run_text(&words, directory, PKG_CONFIG_LIMIT).ok()?;
        ran.good.then(|| ran.stdout.trim().to_owned())
    };
    let known = |name: &&&str| ask(&["--exists", name]).is_some();
    let names: Vec<&str> = library.pkg_config.iter().filter(known).copied().collect();
    let first = *names.first()?;
    let with = |option: &'static str| -> Vec<&str> {
        [option].into_iter().chain(names.iter().copied()).collect()
    };
    let cflags = ask(&with("--cflags"))?;
    let libs = ask(&with("--libs"))?;
    let version = ask(&["--modversion", first])?;
    Some((cflags, libs, version))
}

/// What pkg-config lacks of a library that it knows: another package that the library's needs. None if
/// it does not know the library, or lacks nothing.
pub fn pkg_config_lacks(library: &Library) -> Option<String> {
    let program = program::find("pkg-config")?;
    let program = program.to_string_lossy().into_owned();
    library.pkg_config.iter().find_map(|name| {
        let words = [program.as_str(), "--print-errors", "--exists", name];
        let ran = program::run_text(&words, Path::new("/"), PKG_CONFIG_LIMIT).ok()?;
        let complaints = format!("{}\n{}", ran.stdout, ran.stderr);
        (!ran.good).then(|| required(&complaints)).flatten()
    })
}

/// The package in the complaint `Package 'zlib', required by 'tcl', not found` of pkg-config 0.29 and
/// pkgconf. What is asked for itself is required by `virtual:world` in pkgconf's words.
fn required(complaints: &str) -> Option<String> {
    complaints.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("Package '")?;
        let (name, rest) = rest.split_once("', required by '")?;
        let (by, rest) = rest.split_once('\'')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.+-".contains(c);
        let good = !name.is_empty() && name.chars().all(plain) && by != "virtual:world";
        (good && rest.trim() == ", not found").then(|| name.to_owned())
    })
}

fn try_probe(
    compiler: &Compiler,
    probe: &Probe,
    directory: &Path,
    before: &[&str],
    after: &[&str],
) -> Result<(), String> {
    let (source, program) = (directory.join("probe.c"), directory.join("probe"));
    fs::write(&source, probe.source()).map_err(|error| {
        let why = ports::words_of(&error);
        format!(
            "cannot be tried, {} cannot be written: {why}",
            source.display()
        )
    })?;
    match compiler.compile(&source, &program, before, after) {
        Ok(ran) if ran.good => Ok(()),
        Ok(ran) => Err(short(&first_error(&ran.stderr))),
        Err(unrun) => Err(format!("the compiler {}", unrun.words())),
    }
}

/// An error without the name of our own file.
fn short(error: &str) -> String {
    let after = |mark: &str| error.split_once(mark).map(|(_, rest)| rest.trim());
    let rest = after("fatal error:").or_else(|| after("error:"));
    rest.unwrap_or(error).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pkg_config_lacks_is_read_from_its_complaints() {
        let text = "Package zlib was not found in the pkg-config search path.\n\
                    Perhaps you should add the directory containing `zlib.pc'\n\
                    to the PKG_CONFIG_PATH environment variable\n\
                    Package 'zlib', required by 'tcl', not found\n";
        assert_eq!(required(text).as_deref(), Some("zlib"));
        for other in [
            "Package 'tk', required by 'virtual:world', not found",
            "No package 'tk' found",
            "Package 'a b', required by 'x', not found",
            "",
        ] {
            assert_eq!(required(other), None, "{other}");
        }
    }

    #[test]
    fn an_error_is_shown_without_our_own_file() {
        assert_eq!(
            short("probe.c:1:10: fatal error: zlib.h: No such file or directory"),
            "zlib.h: No such file or directory"
        );
        assert_eq!(short("ld: cannot find -lz"), "ld: cannot find -lz");
    }
}
