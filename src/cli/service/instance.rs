//! Which worker a service is for: its directory, user, program and name, each found out or refused.

use std::path::{Path, PathBuf};

use crate::basedir;
use crate::cli::own_program::own_program;

/// What was asked for.
#[derive(Debug)]
pub struct Wanted<'a> {
    pub basedir: &'a Path,
    pub user: Option<&'a str>,
    pub name: Option<&'a str>,
    pub program: Option<&'a str>,
    /// Whether directory and user may be those of another host.
    pub may_be_absent: bool,
    /// Whether the system has users to choose from.
    pub has_users: bool,
}

/// One worker on a host. Nothing in it has control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Letters, digits, `_`, `-` and `.`, beginning and ending with a letter or digit.
    pub name: String,
    /// Absolute.
    pub basedir: String,
    /// Absolute.
    pub program: String,
    pub user: String,
    /// The user's home directory, if there is such a user on this host.
    pub home: Option<String>,
}

impl Instance {
    /// The worker that was asked for.
    ///
    /// # Errors
    /// What is missing, or cannot be part of a service file.
    pub fn find(wanted: &Wanted<'_>) -> Result<Instance, String> {
        let directory = directory(wanted)?;
        let basedir = text("base directory", &directory)?;
        let name = match wanted.name {
            Some(name) => given_name(name)?,
            None => derived_name(&directory)?,
        };
        let user = user(wanted, &directory)?;
        let home = ports::home_directory(Some(&user));
        if home.is_none() && !wanted.may_be_absent && wanted.has_users {
            return Err(format!("there is no user \"{user}\" on this host"));
        }
        Ok(Instance {
            name,
            program: text("program", &program(wanted.program)?)?,
            home: home.map(|home| text("home directory", &home)).transpose()?,
            basedir,
            user,
        })
    }
}

/// The directory's real path, or for another host, where it will be.
fn directory(wanted: &Wanted<'_>) -> Result<PathBuf, String> {
    let given = wanted.basedir;
    match basedir::worker_file(given) {
        Ok(_) => std::fs::canonicalize(given)
            .map_err(|error| format!("cannot find out where {} is: {error}", given.display())),
        Err(_) if wanted.may_be_absent && given.is_absolute() => Ok(given.to_owned()),
        Err(error) => {
            // That text has two lines.
            let why = error.to_string().replace('\n', "; ");
            Err(match wanted.may_be_absent {
                true => format!("{why}; if it is on another host, give its absolute path"),
                false => why,
            })
        }
    }
}

fn program(given: Option<&str>) -> Result<PathBuf, String> {
    match given {
        Some(path) => absolute_program(path),
        None => own_program()
            .ok_or_else(|| "cannot find out where this program is; say it with --program".into()),
    }
}

fn absolute_program(path: &str) -> Result<PathBuf, String> {
    if !path.starts_with('/') {
        return Err(format!("--program needs an absolute path, not \"{path}\""));
    }
    Ok(PathBuf::from(path))
}

/// A path as text that any of the formats may hold.
fn text(what: &str, path: &Path) -> Result<String, String> {
    let Some(text) = path.to_str() else {
        let shown = path.to_string_lossy();
        return Err(format!(
            "the {what} \"{shown}\" is not UTF-8 text, which service files are"
        ));
    };
    if text.chars().any(char::is_control) {
        return Err(format!(
            "the {what} {text:?} has a control character in its name, which service files cannot hold; rename it"
        ));
    }
    Ok(text.to_owned())
}

fn given_name(name: &str) -> Result<String, String> {
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let good = bytes.iter().all(|byte| is_name_byte(*byte));
    if good && is_end(bytes.first()) && is_end(bytes.last()) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "the name {name:?} cannot be part of the name of a service; use letters, digits, and between them _ - ."
    ))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The directory's name, with `_` for everything that names of services do not have.
fn derived_name(directory: &Path) -> Result<String, String> {
    let name = directory.file_name().map(|name| name.to_string_lossy());
    let name = name.unwrap_or_default();
    let replaced: String = name
        .chars()
        .map(|letter| match u8::try_from(letter) {
            Ok(byte) if is_name_byte(byte) => letter,
            Ok(_) | Err(_) => '_',
        })
        .collect();
    let name = replaced.trim_matches(['_', '-', '.']);
    if name.is_empty() {
        return Err(format!(
            "cannot make a name for the service of {}; give one with --name",
            directory.display()
        ));
    }
    Ok(name.to_owned())
}

/// The user who was asked for, or to whom the directory belongs.
fn user(wanted: &Wanted<'_>, directory: &Path) -> Result<String, String> {
    if let Some(user) = wanted.user {
        if !wanted.has_users {
            return Err("this system has only one user; leave out --user".to_owned());
        }
        return given_user(user);
    }
    if !wanted.has_users {
        return Ok("user".to_owned());
    }
    let shown = directory.display();
    let Ok(stat) = ports::stat(directory, true) else {
        return Err(format!(
            "cannot find out to whom {shown} belongs; say with --user as whom the worker runs"
        ));
    };
    let owner = match ports::user_name(stat.uid) {
        Some(owner) => given_user(&owner)?,
        None => {
            return Err(format!(
                "{shown} belongs to user number {}, who has no name; say with --user as whom the worker runs",
                stat.uid
            ));
        }
    };
    if stat.uid == 0 {
        return Err(format!(
            "{shown} belongs to {owner}, and a worker runs what its master says: give the directory to a user of its own and say --user, or if you mean it --user {owner}"
        ));
    }
    Ok(owner)
}

/// Names of users as all the systems here have them.
fn given_user(user: &str) -> Result<String, String> {
    let mut bytes = user.bytes();
    let first = bytes.next();
    let good = first.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && bytes.all(is_name_byte);
    if good {
        return Ok(user.to_owned());
    }
    Err(format!(
        "the user name {user:?} cannot be part of a service file; use a user whose name has only letters, digits and _ - ."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_from_the_directory() {
        let derived = |path: &str| derived_name(Path::new(path));
        assert_eq!(derived("/home/bb/worker"), Ok("worker".to_owned()));
        assert_eq!(
            derived("/home/bb/my worker.1"),
            Ok("my_worker.1".to_owned())
        );
        assert_eq!(derived("/srv/.büro"), Ok("b_ro".to_owned()));
        assert!(derived("/").is_err());
        assert!(derived("/срв").is_err());
    }

    #[test]
    fn a_given_name_is_taken_as_it_is_or_refused() {
        for good in ["a", "1", "a-b.c_d", "A1"] {
            assert_eq!(given_name(good), Ok(good.to_owned()));
        }
        for bad in ["", "-a", "a-", ".", "a b", "a/b", "a%", "ä", "a\n", "a@b"] {
            assert!(given_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn users_with_odd_names_are_refused() {
        for good in ["bb", "_buildbot", "b.b-1"] {
            assert_eq!(given_user(good), Ok(good.to_owned()));
        }
        for bad in [
            "", "-l", "a b", "a;b", "$(x)", "a:b", "a%i", "a\n", "\"", "é",
        ] {
            assert!(given_user(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn paths_are_text_of_one_line() {
        assert!(text("x", Path::new("/a b/é%$'\"<&")).is_ok());
        for bad in ["/a\nb", "/a\tb", "/a\u{7f}", "/a\u{85}"] {
            assert!(text("x", Path::new(bad)).is_err(), "{bad:?}");
        }
        let bytes = ports::name_from_bytes(vec![b'/', 0xff]);
        assert!(text("x", Path::new(&bytes)).is_err());
    }

    #[test]
    fn a_program_is_where_it_is_said_to_be() {
        assert_eq!(program(Some("/opt/x")), Ok(PathBuf::from("/opt/x")));
        assert!(program(Some("x")).is_err());
        assert!(program(None).unwrap().is_absolute());
    }
}
