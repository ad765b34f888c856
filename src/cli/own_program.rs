//! Where the file of this program is.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;

/// The absolute path of this program, without symbolic links where that can be told: a link such as
/// buildbot-worker may go when a package does. None if it cannot be found.
pub fn own_program() -> Option<PathBuf> {
    let path = match env::current_exe() {
        Ok(path) if path.is_absolute() => path,
        // OpenBSD tells no more than the word by which it was called.
        Ok(_) | Err(_) => called(&env::args_os().next()?)?,
    };
    Some(std::fs::canonicalize(&path).unwrap_or(path))
}

/// The file that a shell runs for this word.
fn called(word: &OsStr) -> Option<PathBuf> {
    if word.as_encoded_bytes().contains(&b'/') {
        return Some(env::current_dir().ok()?.join(word));
    }
    env::split_paths(&env::var_os("PATH")?)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(word))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_is_found_by_the_system_and_by_its_name() {
        let own = own_program().unwrap();
        assert!(own.is_absolute() && own.is_file(), "{}", own.display());
        assert!(called(OsStr::new("sh")).unwrap().is_absolute());
        let here = env::current_dir().unwrap();
        assert_eq!(called(OsStr::new("./a")), Some(here.join("./a")));
        assert_eq!(called(OsStr::new("no program has this name")), None);
    }
}
