//! What the system does when a program crashes. Python's tests crash programs on purpose; a window
//! that asks what to do then stops the build for ever.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::check::Check;
use super::program;

const NAME: &str = "crashes";
const WHY: &str = "tests crash programs on purpose, and would wait for somebody to answer";

/// Looks at the settings of the system with this name (`uname -s`).
pub fn look(kernel: &str, scratch: &Path) -> Check {
    match kernel {
        "Haiku" => haiku(env::var_os("HOME").map(PathBuf::from)),
        "Darwin" => macos(scratch),
        "Linux" => linux(fs::read_to_string("/proc/sys/kernel/core_pattern").ok()),
        _ => Check::ok(NAME, "this system asks nobody"),
    }
}

fn linux(pattern: Option<String>) -> Check {
    match pattern.as_deref().map(str::trim) {
        Some(pattern) if pattern.starts_with('|') => Check::ok(
            NAME,
            format!("cores go to {}", pattern.trim_start_matches('|')),
        ),
        Some(_) | None => Check::ok(NAME, "nobody is asked"),
    }
}

/// debug_server reads its settings from there; its default is a window (haikuports, recipe of
/// python3.14).
fn haiku(home: Option<PathBuf>) -> Check {
    let Some(home) = home else {
        let saw = "cannot be found out without HOME";
        return Check::warning(NAME, saw, WHY, "set HOME");
    };
    let file = home.join("config/settings/system/debug_server/settings");
    let text = fs::read_to_string(&file).unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_set = words
        .windows(2)
        .any(|pair| pair[0] == "default_action" && ["kill", "report", "core"].contains(&pair[1]));
    if is_set {
        return Check::ok(NAME, "debug_server asks nobody");
    }
    let remedy = format!(
        "put the line \"default_action kill\" into {}",
        file.display()
    );
    if words.contains(&"executable_actions") {
        let saw = "debug_server asks, but for some programs";
        return Check::warning(NAME, saw, WHY, remedy);
    }
    Check::missing(NAME, "debug_server opens a window", WHY, remedy)
}

fn macos(scratch: &Path) -> Check {
    let words = [
        "/usr/bin/defaults",
        "read",
        "com.apple.CrashReporter",
        "DialogType",
    ];
    let answer = program::run_text(&words, scratch, Duration::from_secs(10));
    match answer {
        Ok(ran) if ["none", "server"].contains(&ran.stdout.trim()) => {
            Check::ok(NAME, "the crash reporter opens no window")
        }
        Ok(_) | Err(_) => Check::warning(
            NAME,
            "the crash reporter may open a window",
            WHY,
            "defaults write com.apple.CrashReporter DialogType none",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;
    use crate::doctor::scratch::Scratch;

    #[test]
    fn haikus_window_is_missing_until_it_is_set() {
        let home = Scratch::new("doctor", false).expect("a directory");
        let directory = home.path().join("config/settings/system/debug_server");
        let verdict = || haiku(Some(home.path().to_owned())).verdict;
        assert_eq!(verdict(), Verdict::Missing);
        fs::create_dir_all(&directory).expect("a directory");
        let write = |text| fs::write(directory.join("settings"), text).expect("a file");
        write("executable_actions {\n /a/python kill\n}\n");
        assert_eq!(verdict(), Verdict::Warning);
        write("default_action debug\n");
        assert_eq!(verdict(), Verdict::Missing);
        write("default_action  kill\n");
        assert_eq!(verdict(), Verdict::Ok);
        assert_eq!(haiku(None).verdict, Verdict::Warning);
    }

    #[test]
    fn a_program_for_cores_is_shown() {
        let check = linux(Some("|/usr/lib/systemd/systemd-coredump %P\n".to_owned()));
        assert_eq!(
            check.saw,
            "cores go to /usr/lib/systemd/systemd-coredump %P"
        );
        assert_eq!(linux(None).verdict, Verdict::Ok);
    }
}
