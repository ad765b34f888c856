//! Where the source of CPython comes from, and the step that brings it into the builder's directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::doctor::run_text;
use crate::local::recipe::{Action, CommandText, Rules, ShellAction, Step};

/// The name of the step.
pub const STEP: &str = "source";

/// How long a look at the source may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Clones anew, or brings what is there up to date; words 1 to 4 are the way it is done, address,
/// branch, and limit for what is fetched. Buildbot's step of the fleet does the same in several commands
/// (field.md 4.2).
const SCRIPT: &str = r#"
url=$1 branch=${2:-HEAD}
if [ -d build/.git ] && [ "$(git -C build config --get remote.origin.url)" = "$url" ]; then
    cd build && git clean -f -f -d -x -q && git fetch -f --progress origin "$branch" &&
    git checkout -q -f FETCH_HEAD
else
    rm -rf build && git clone --no-checkout --progress -- "$url" build && cd build &&
    if [ "$branch" = HEAD ]; then git checkout -q -f HEAD
    else git checkout -q -f "origin/$branch" 2>/dev/null || git checkout -q -f "$branch"; fi
fi && git rev-parse HEAD
"#;

/// Where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A repository: an address or a directory.
    Git {
        /// As git takes it.
        url: String,
        /// A branch, tag or commit; none for what the repository itself is at.
        branch: Option<String>,
    },
    /// A directory without a repository, which is copied; absolute.
    Directory(PathBuf),
}

impl Origin {
    /// A directory that somebody names.
    ///
    /// # Errors
    /// It is no source of CPython.
    pub fn of_directory(directory: &Path, branch: Option<String>) -> Result<Origin, String> {
        let shown = directory.display();
        let directory = fs::canonicalize(directory)
            .map_err(|error| format!("{shown}: {}", ports::words_of(&error)))?;
        let is_bare = directory.join("HEAD").is_file() && directory.join("objects").is_dir();
        if !is_bare {
            check(&directory)?;
        }
        if is_bare || directory.join(".git").exists() {
            let url = directory.to_str().map(str::to_owned);
            let url = url.ok_or_else(|| format!("{shown}: git needs a name in UTF-8"))?;
            return Ok(Origin::Git { url, branch });
        }
        if branch.is_some() {
            return Err(format!("--branch needs a git repository; {shown} is none"));
        }
        Ok(Origin::Directory(directory))
    }

    /// A repository that somebody names: an address, or a directory on this machine.
    pub fn of_address(url: &str, branch: Option<String>) -> Origin {
        // git runs in another directory than we do.
        let directory = fs::canonicalize(url).ok();
        let absolute = directory.and_then(|directory| directory.to_str().map(str::to_owned));
        Origin::Git {
            url: absolute.unwrap_or_else(|| url.to_owned()),
            branch,
        }
    }

    /// The directory on this machine where it is, if it is on this machine.
    pub fn directory(&self) -> Option<PathBuf> {
        let directory = match self {
            Origin::Directory(directory) => directory.clone(),
            Origin::Git { url, .. } => PathBuf::from(url.strip_prefix("file://").unwrap_or(url)),
        };
        fs::canonicalize(directory).ok()
    }

    /// The step that brings it.
    pub fn step(&self) -> Step {
        let action = match self {
            Origin::Git { url, branch } => {
                let branch = branch.clone().unwrap_or_default();
                shell(vec![
                    "/bin/sh".to_owned(),
                    "-c".to_owned(),
                    SCRIPT.to_owned(),
                    STEP.to_owned(),
                    url.clone(),
                    branch,
                ])
            }
            Origin::Directory(directory) => {
                let script = "rm -rf build && cp -R -P \"$1\" build";
                shell(vec![
                    "/bin/sh".to_owned(),
                    "-c".to_owned(),
                    script.to_owned(),
                    STEP.to_owned(),
                    directory.to_string_lossy().into_owned(),
                ])
            }
        };
        Step {
            name: STEP.to_owned(),
            action,
            rules: Rules {
                halt_on_failure: true,
                flunk_on_failure: true,
                warn_on_failure: false,
                warn_on_warnings: false,
                always_run: false,
            },
            results: BTreeMap::new(),
            warnings: Vec::new(),
            expect: Vec::new(),
            needs: Vec::new(),
            after: Vec::new(),
            interrupt_after: None,
            shows: None,
            see: String::new(),
        }
    }
}

fn shell(words: Vec<String>) -> Action {
    Action::Shell(Box::new(ShellAction {
        command: CommandText::Words(words),
        workdir: ".".to_owned(),
        // A question for a name or password would wait for ever.
        env: vec![("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned())],
        // A large repository on a slow link; the fleet's limit (master.cfg).
        timeout: Some(3600.0),
        max_time: None,
        max_lines: None,
        sigterm_time: Some(1.0),
        interrupt_signal: None,
        pty: false,
        stdin: None,
        log_files: Vec::new(),
    }))
}

/// The version of the source in a directory.
///
/// # Errors
/// It is no source of CPython, and what is missing.
pub fn check(directory: &Path) -> Result<String, String> {
    for file in ["configure", "Lib/test/libregrtest", "Include/patchlevel.h"] {
        if !directory.join(file).exists() {
            let shown = directory.display();
            return Err(format!(
                "{shown} is no source of CPython: there is no {file}"
            ));
        }
    }
    let text = fs::read_to_string(directory.join("Include/patchlevel.h")).unwrap_or_default();
    let version = text.lines().find_map(|line| {
        let rest = line.strip_prefix("#define PY_VERSION")?;
        let (_, rest) = rest.split_once('"')?;
        rest.split_once('"').map(|(version, _)| version)
    });
    version.map(str::to_owned).ok_or_else(|| {
        let shown = directory.display();
        format!("{shown} is no source of CPython: Include/patchlevel.h has no PY_VERSION")
    })
}

/// What is in a directory, for a report: `Python 3.11.2, commit 1a2b3c4d5e`.
pub fn describe(directory: &Path) -> String {
    let version = match check(directory) {
        Ok(version) => format!("Python {version}"),
        Err(_) => "source unknown".to_owned(),
    };
    let words = ["git", "rev-parse", "--short=10", "HEAD"];
    let is_repository = directory.join(".git").exists();
    match is_repository.then(|| run_text(&words, directory, LIMIT)) {
        Some(Ok(ran)) if ran.good => format!("{version}, commit {}", ran.stdout.trim()),
        Some(_) | None => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_something_else_is_named() {
        let directory = std::env::temp_dir().join(format!("coracle-source-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(directory.join("Lib/test/libregrtest")).expect("a directory");
        fs::write(directory.join("configure"), "").expect("a file");
        let why = Origin::of_directory(&directory, None)
            .err()
            .unwrap_or_default();
        assert!(
            why.ends_with("is no source of CPython: there is no Include/patchlevel.h"),
            "{why}"
        );
        fs::create_dir(directory.join("Include")).expect("a directory");
        let header = "#define PY_VERSION_HEX 1\n#define PY_VERSION              \"3.15.0a1+\"\n";
        fs::write(directory.join("Include/patchlevel.h"), header).expect("a file");
        assert_eq!(check(&directory).as_deref(), Ok("3.15.0a1+"));
        assert_eq!(describe(&directory), "Python 3.15.0a1+");
        let origin = Origin::of_directory(&directory, None);
        assert!(matches!(origin, Ok(Origin::Directory(_))));
        assert!(Origin::of_directory(&directory, Some("main".to_owned())).is_err());
        fs::remove_dir_all(&directory).expect("removed");
        assert!(Origin::of_directory(&directory, None).is_err());
    }
}
