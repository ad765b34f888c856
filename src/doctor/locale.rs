//! Whether text can be more than ASCII (PEP 11: CPython's fleet wants a UTF-8 locale).

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::check::Check;
use super::compiler::Compiler;
use super::program;

const LIMIT: Duration = Duration::from_secs(10);

/// Tries the locales in order and prints the first that the C library takes.
const PROGRAM: &str = r#"
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
int main(void)
{
    static const char *names[] = {"C.UTF-8", "C.utf8", "en_US.UTF-8", "UTF-8"};
    for (unsigned at = 0; at < sizeof(names) / sizeof(*names); at++)
        if (setlocale(LC_CTYPE, names[at]) && strstr("UTF-8 utf-8 utf8 UTF8", nl_langinfo(CODESET))) {
            puts(names[at]);
            return 0;
        }
    return 1;
}
"#;

/// Asks the C library, or `locale -a` where there is no compiler.
pub fn look(compiler: Option<&Compiler>, scratch: &Path) -> Check {
    let asked = compiler.and_then(|compiler| ask_library(compiler, scratch));
    let answer = asked.or_else(|| list(scratch));
    match answer {
        Some(Some(name)) => Check::ok("locale", format!("{name} is there")),
        Some(None) => Check::warning(
            "locale",
            "there is no locale with UTF-8",
            "tests of text beyond ASCII fail; PEP 11 asks for one",
            "install the system's locales and set LANG=C.UTF-8 for the worker",
        ),
        None => Check::warning(
            "locale",
            "cannot be found out without a compiler or the program locale",
            "tests of text beyond ASCII need one with UTF-8",
            "",
        ),
    }
}

/// The name; none in it if there is no such locale; none at all if that cannot be asked.
fn ask_library(compiler: &Compiler, scratch: &Path) -> Option<Option<String>> {
    let (source, file) = (scratch.join("locale.c"), scratch.join("locale"));
    fs::write(&source, PROGRAM).ok()?;
    let compiled = compiler.compile(&source, &file, &[], &[]).ok()?;
    if !compiled.good {
        return None;
    }
    let ran = program::run(&[file.into_os_string()], scratch, LIMIT).ok()?;
    Some(ran.good.then(|| ran.stdout.trim().to_owned()))
}

fn list(scratch: &Path) -> Option<Option<String>> {
    program::find("locale")?;
    let ran = program::run_text(&["locale", "-a"], scratch, LIMIT).ok()?;
    if !ran.good {
        return None;
    }
    let is_utf8 = |name: &&str| {
        let name = name.to_ascii_lowercase();
        name.ends_with("utf8") || name.ends_with("utf-8")
    };
    Some(
        ran.stdout
            .lines()
            .map(str::trim)
            .find(is_utf8)
            .map(str::to_owned),
    )
}
