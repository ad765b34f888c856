//! The user that builds run as.

use std::env;
use std::path::PathBuf;

use super::check::Check;

/// Who we are.
pub fn look() -> Check {
    if !ports::is_superuser() {
        return Check::ok("user", "not the superuser");
    }
    Check::warning(
        "user",
        "the superuser",
        "a master can run any command here; and some tests fail when permissions do not count",
        "make a user for the worker alone",
    )
}

/// The home directory.
pub fn home() -> Check {
    let name = "home";
    let why = "git and some tests write there";
    let given = env::var_os("HOME").filter(|home| !home.is_empty());
    let Some(home) = given.map(PathBuf::from) else {
        return Check::warning(name, "HOME is not set", why, "set HOME for the worker");
    };
    if !home.is_dir() {
        let saw = format!("HOME is {}, which is no directory", home.display());
        return Check::warning(name, saw, why, "make it, or set HOME to another");
    }
    if !ports::may_write(&home) {
        let saw = format!("{} cannot be written", home.display());
        return Check::warning(name, saw, why, "set HOME to a directory of the worker's");
    }
    Check::ok(name, home.display().to_string())
}
