//! The C compiler: whether what it makes runs.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::check::{Check, one_line};
use super::packages::Need;
use super::program::{self, Ran, Unrun};

/// How long one run of the compiler may take; slow boards with full memory are slow.
const COMPILE_LIMIT: Duration = Duration::from_secs(60);
/// How long a compiled program may take.
const RUN_LIMIT: Duration = Duration::from_secs(20);

/// What is looked for when `CC` is not set, in the order of configure.
const NAMES: &[&str] = &["gcc", "cc", "clang", "c99"];

/// A compiler that makes programs which run.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// The command, as `CC` has it.
    words: Vec<OsString>,
}

/// A program in C11 with what CPython needs of a compiler and its library (Doc/using/configure.rst:
/// C11, IEEE 754 with NaN, threads). Prints the compiler, the size of a pointer and the byte order.
const PROGRAM: &str = r#"
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
_Static_assert(sizeof(long long) >= 8, "64 bits");
static void *twice(void *number) { *(int *)number *= 2; return number; }
int main(void)
{
    pthread_t thread;
    int number = 21, one = 1;
    volatile double zero = 0.0;
    double nan = zero / zero;
    if (pthread_create(&thread, NULL, twice, &number) != 0) return 2;
    if (pthread_join(thread, NULL) != 0 || number != 42) return 3;
    if (nan == nan || sizeof(double) != 8) return 4;
#if defined(__clang__)
    printf("clang %d.%d.%d", __clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
    printf("gcc %d.%d.%d", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
    printf("a compiler that is neither gcc nor clang");
#endif
    char first;
    memcpy(&first, &one, 1);
    printf(", %d bits, %s-endian\n", (int)sizeof(void *) * 8, first ? "little" : "big");
    return 0;
}
"#;

const WHY: &str = "Python is built from C";

/// Looks for a compiler and tries it; the compiler, if it is of use.
pub fn look(scratch: &Path) -> (Option<Compiler>, Check) {
    let missing = |saw: &str, remedy: &str| Check::missing("compiler", saw, WHY, remedy);
    let given = program::words_in("CC");
    let words = match given.first() {
        Some(name) => {
            let name = name.to_string_lossy();
            if program::find(&name).is_none() {
                let saw = format!("CC is {name}, which is not in PATH");
                return (None, missing(&saw, "set CC to a compiler, or unset it"));
            }
            given
        }
        None => match NAMES.iter().find_map(|name| program::find(name)) {
            Some(path) => vec![path.into_os_string()],
            None => {
                let saw = format!("none of {} is in PATH", NAMES.join(", "));
                return (None, missing(&saw, "").needing(Need::Compiler));
            }
        },
    };
    let compiler = Compiler { words };
    let begun = Instant::now();
    match compiler.build_and_run(scratch) {
        Ok(said) => {
            let seconds = begun.elapsed().as_secs_f64();
            let name = compiler.name();
            let saw = format!(
                "{name} is {}; compiles, links and runs C11 with threads ({seconds:.1} s)",
                one_line(&said)
            );
            (Some(compiler), Check::ok("compiler", saw))
        }
        Err(trouble) => {
            let check = missing(&format!("{} {}", compiler.name(), trouble.saw), "");
            let check = match trouble.package {
                true => check.needing(Need::Compiler),
                false => Check {
                    remedy: trouble.remedy,
                    ..check
                },
            };
            (None, check)
        }
    }
}

/// Why a compiler is of no use.
struct Trouble {
    saw: String,
    remedy: String,
    package: bool,
}

impl Compiler {
    /// What it is called.
    pub fn name(&self) -> String {
        let words = self.words.iter();
        let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    fn build_and_run(&self, scratch: &Path) -> Result<String, Trouble> {
        let (source, program) = (scratch.join("try.c"), scratch.join("try"));
        let trouble = |saw: String, remedy: &str| Trouble {
            saw,
            remedy: remedy.to_owned(),
            package: false,
        };
        fs::write(&source, PROGRAM).map_err(|error| {
            let why = ports::words_of(&error);
            let saw = format!(
                "cannot be tried, {} cannot be written: {why}",
                source.display()
            );
            trouble(saw, "set TMPDIR to a directory with room")
        })?;
        let compiled = self.compile(&source, &program, &["-pthread"], &["-lm"]);
        match compiled {
            Ok(ran) if ran.good => {}
            Ok(ran) => {
                return Err(Trouble {
                    saw: format!("cannot make a program: {}", first_error(&ran.stderr)),
                    remedy: String::new(),
                    package: true,
                });
            }
            Err(unrun) => return Err(trouble(unrun.words(), "try it by hand")),
        }
        match program::run(&[program.into_os_string()], scratch, RUN_LIMIT) {
            Ok(ran) if ran.good => Ok(ran.stdout),
            Ok(ran) => Err(trouble(
                format!("makes a program that ends with {}", ran.end),
                "the compiler, its flags or the library do not fit this machine",
            )),
            Err(unrun) => Err(trouble(
                format!("makes a program that {}", unrun.words()),
                "is the directory for temporary files mounted noexec? Set TMPDIR to another",
            )),
        }
    }

    /// Compiles and links one file with `CFLAGS`, `CPPFLAGS`, `LDFLAGS` and these options, which
    /// come before and after the file.
    pub fn compile(
        &self,
        source: &Path,
        program: &Path,
        before: &[&str],
        after: &[&str],
    ) -> Result<Ran, Unrun> {
        let mut words = self.words.clone();
        words.extend(program::words_in("CPPFLAGS"));
        words.extend(program::words_in("CFLAGS"));
        words.extend(before.iter().map(OsString::from));
        words.extend([OsString::from("-o"), program.into(), source.into()]);
        words.extend(program::words_in("LDFLAGS"));
        words.extend(after.iter().map(OsString::from));
        let directory = source.parent().map_or(PathBuf::from("/"), Path::to_owned);
        program::run(&words, &directory, COMPILE_LIMIT)
    }
}

/// The line of a compiler's complaints that says what is wrong.
pub fn first_error(text: &str) -> String {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let error = lines().find(|line| line.contains("error:") || line.contains("cannot find"));
    one_line(
        error
            .or_else(|| lines().next())
            .unwrap_or("it does not say why"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_with_the_error_is_shown() {
        let text =
            "try.c: In function 'main':\ntry.c:3:10: fatal error: zlib.h: No such file\n  3 |\n";
        assert_eq!(
            first_error(text),
            "try.c:3:10: fatal error: zlib.h: No such file"
        );
        assert_eq!(first_error("ld: odd\n"), "ld: odd");
        assert_eq!(first_error(""), "it does not say why");
    }
}
