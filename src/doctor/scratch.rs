//! A directory for a moment, gone when the looking is over. One whose process was killed is removed by
//! the next process that makes one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Such a directory.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    keep: bool,
    /// Locked while we live, so that nobody takes us for dead; none where files cannot be locked.
    _lock: Option<File>,
}

/// How many names are tried.
const TRIES: u32 = 1000;

/// What such directories are for; their names are `coracle-WHAT-PROCESS-NUMBER`.
const KINDS: [&str; 3] = ["try", "selftest", "doctor"];

const LOCK: &str = "scratch.lock";

/// How old a directory without a lock must be to be nobody's: its process may be about to lock it, in
/// a container whose processes we do not see.
const SETTLED: Duration = Duration::from_secs(60);

impl Scratch {
    /// A new, empty directory in the system's directory for temporary files. It stays if `keep`, and
    /// is removed when this value goes if not.
    ///
    /// # Errors
    /// Where it was to be made, and what the system said.
    pub fn new(what: &str, keep: bool) -> Result<Scratch, (PathBuf, io::Error)> {
        let parent = std::env::temp_dir();
        let pid = std::process::id();
        let kept = if keep { "-kept" } else { "" };
        for number in 0..TRIES {
            let path = parent.join(format!("coracle-{what}{kept}-{pid}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => {
                    let path = fs::canonicalize(&path).map_err(|error| (path, error))?;
                    // Nobody else has to see what is in it.
                    let _ = ports::set_mode(&path, 0o700);
                    let scratch = Scratch {
                        _lock: (!keep).then(|| lock(&path)).flatten(),
                        path,
                        keep,
                    };
                    sweep(&parent, &scratch.path);
                    return Ok(scratch);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err((parent, error)),
            }
        }
        Err((parent, io::ErrorKind::AlreadyExists.into()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.keep {
            // What cannot be removed stays; the next one tries again.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn lock(directory: &Path) -> Option<File> {
    let file = ports::create_private(&directory.join(LOCK)).ok()?;
    ports::lock_file(&file)
        .is_ok_and(|taken| taken)
        .then_some(file)
}

/// Removes what dead processes of this user have left. `own` is ours, and shows who we are.
fn sweep(parent: &Path, own: &Path) {
    let Ok(us) = ports::stat(own, false).map(|found| found.uid) else {
        return;
    };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        let owner = entry.file_name().to_str().and_then(owner);
        if owner.is_some_and(|owner| is_left(&path, owner, us)) {
            // It may be somebody else's turn at this moment.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// The process whose directory has this name.
fn owner(name: &str) -> Option<u32> {
    let rest = name.strip_prefix("coracle-")?;
    let (what, rest) = rest.split_once('-')?;
    let (pid, number) = rest.split_once('-')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (KINDS.contains(&what) && digits(pid) && digits(number)).then_some(())?;
    pid.parse().ok()
}

/// Whether it is a directory, of user `us`, whose process is dead.
fn is_left(path: &Path, owner: u32, us: u32) -> bool {
    let is_directory = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let is_ours = ports::stat(path, false).is_ok_and(|found| found.uid == us);
    if !is_directory || !is_ours || ports::process_exists(owner) {
        return false;
    }
    let lock = path.join(LOCK);
    let is_file = fs::symlink_metadata(&lock).is_ok_and(|found| found.is_file());
    let locked = is_file.then(|| File::open(&lock).and_then(|file| ports::is_locked(&file)));
    match locked {
        Some(Ok(locked)) => !locked,
        Some(Err(_)) | None => fs::symlink_metadata(path)
            .and_then(|found| found.modified())
            .is_ok_and(|at| {
                SystemTime::now()
                    .duration_since(at)
                    .is_ok_and(|age| age > SETTLED)
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_ours_have_an_owner() {
        assert_eq!(owner("coracle-try-4711-0"), Some(4711));
        assert_eq!(owner("coracle-doctor-1-99"), Some(1));
        for other in [
            "coracle-try-kept-4711-0",
            "coracle-worker-4711-0",
            "coracle-try-4711",
            "coracle-try-4711-0-x",
            "coracle-try--0",
            "coracle-try-99999999999-0",
            "mine-coracle-try-4711-0",
        ] {
            assert_eq!(owner(other), None, "{other}");
        }
    }

    #[test]
    fn what_a_dead_process_left_goes_and_all_else_stays() {
        let all = Scratch::new("sweep", false).expect("a directory");
        let make = |name: &str, lock: bool| {
            let path = all.path().join(name);
            fs::create_dir_all(path.join("build/x")).expect("a directory");
            if lock {
                fs::write(path.join(LOCK), "").expect("a file");
            }
            path
        };
        // No process has this number.
        let dead = make("coracle-try-2147483632-0", true);
        let fresh = make("coracle-try-2147483632-1", false);
        let alive = make(&format!("coracle-try-{}-0", std::process::id()), true);
        let kept = make("coracle-try-kept-2147483632-0", true);
        let mine = make("mine", true);
        let link = all.path().join("coracle-try-2147483632-2");
        ports::make_link(&mine, &link).expect("a link");
        // Its own process is out of sight, as in another container, but it lives: it has its lock.
        let locked = make("coracle-selftest-2147483632-0", false);
        let _held = super::lock(&locked).expect("a lock");
        sweep(all.path(), all.path());
        assert!(!dead.exists());
        for stays in [fresh, alive, kept, mine, link, locked] {
            assert!(stays.exists(), "{stays:?}");
        }
    }
}
