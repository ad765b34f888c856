//! The environment of a step: the worker's own, changed as the master wants it (PROTOCOL 6.2.4).

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use crate::calls::{EnvValue, Failure, FailureKind};

/// Names and values; every name once.
pub(super) type Environment = Vec<(OsString, OsString)>;

/// The complete environment of a step that runs in `directory`.
///
/// # Errors
/// A value that is no text.
pub(super) fn step_environment(
    own: &[(OsString, OsString)],
    changes: &[(String, EnvValue)],
    directory: &Path,
) -> Result<Environment, Failure> {
    let mut environment: Environment = own.to_vec();
    for (name, value) in changes {
        let mut text = match value {
            EnvValue::Remove => {
                environment.retain(|(known, _)| known != OsStr::new(name));
                continue;
            }
            EnvValue::Text(text) => expand(text, own),
            EnvValue::List(texts) => {
                let separator = ports::PATH_SEPARATOR.to_string();
                expand(&texts.join(&separator), own)
            }
            EnvValue::NotText => return Err(not_text(name)),
        };
        if name == "PYTHONPATH" {
            text.push(ports::PATH_SEPARATOR.to_string());
            text.push(get(own, name).unwrap_or_default());
        }
        set(&mut environment, name, text);
    }
    if get(&environment, "MACHTYPE") != Some(OsStr::new("i686-pc-msys")) {
        set(&mut environment, "PWD", plain_path(directory).into());
    }
    Ok(environment)
}

/// A name that no program could be started with, if the master asks for one.
pub(super) fn impossible_name(changes: &[(String, EnvValue)]) -> Option<&str> {
    let set = changes
        .iter()
        .filter(|(_, value)| *value != EnvValue::Remove);
    let mut names = set.map(|(name, _)| name.as_str());
    names.find(|name| name.is_empty() || name.contains('='))
}

fn not_text(name: &str) -> Failure {
    Failure {
        kind: FailureKind::Other,
        message: format!("'env' values must be strings or lists; key '{name}' is incorrect"),
    }
}

/// Replaces `${NAME}` by the worker's own value, or by nothing.
fn expand(text: &str, own: &[(OsString, OsString)]) -> OsString {
    let mut out = OsString::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let after = &rest[at + 2..];
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let length = after.bytes().take_while(|&byte| is_name(byte)).count();
        if after.as_bytes().get(length) == Some(&b'}') {
            out.push(&rest[..at]);
            out.push(get(own, &after[..length]).unwrap_or_default());
            rest = &after[length + 1..];
        } else {
            out.push(&rest[..at + 2]);
            rest = after;
        }
    }
    out.push(rest);
    out
}

fn get<'a>(environment: &'a [(OsString, OsString)], name: &str) -> Option<&'a OsStr> {
    let mut values = environment
        .iter()
        .filter(|(known, _)| known == OsStr::new(name));
    values.next().map(|(_, value)| value.as_os_str())
}

fn set(environment: &mut Environment, name: &str, value: OsString) {
    match environment
        .iter_mut()
        .find(|(known, _)| known == OsStr::new(name))
    {
        Some((_, known)) => *known = value,
        None => environment.push((name.into(), value)),
    }
}

/// The path without `.` and `..`, which shells do not accept in `PWD`; as it is if that would be
/// another directory because of a symbolic link.
fn plain_path(directory: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in directory.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                plain.push(component);
            }
        }
    }
    let place = |path: &Path| {
        ports::stat(path, true)
            .ok()
            .map(|stat| (stat.device, stat.inode))
    };
    let has_parents = directory.components().any(|c| c == Component::ParentDir);
    if has_parents && place(&plain) != place(directory) {
        return directory.to_path_buf();
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Environment {
        pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    fn changed(own: &[(&str, &str)], changes: &[(&str, EnvValue)]) -> Environment {
        let changes: Vec<_> = changes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        step_environment(&pairs(own), &changes, Path::new("/w")).unwrap()
    }

    fn text(text: &str) -> EnvValue {
        EnvValue::Text(text.to_owned())
    }

    #[test]
    fn the_workers_own_environment_is_passed_on_with_pwd_replaced() {
        let environment = changed(&[("A", "1"), ("PWD", "/old")], &[("PWD", text("/theirs"))]);
        assert_eq!(environment, pairs(&[("A", "1"), ("PWD", "/w")]));
    }

    #[test]
    fn pwd_is_left_alone_under_msys() {
        let own = [("MACHTYPE", "i686-pc-msys"), ("PWD", "/old")];
        assert_eq!(changed(&own, &[]), pairs(&own));
    }

    #[test]
    fn variables_are_set_joined_and_removed() {
        let list = EnvValue::List(vec!["/p1".to_owned(), "/p2".to_owned()]);
        let environment = changed(
            &[("A", "1"), ("B", "2")],
            &[
                ("A", EnvValue::Remove),
                ("B", list),
                ("C", text("3")),
                ("N", EnvValue::Remove),
            ],
        );
        let joined = format!("/p1{}/p2", ports::PATH_SEPARATOR);
        assert_eq!(
            environment,
            pairs(&[("B", &joined), ("C", "3"), ("PWD", "/w")])
        );
    }

    #[test]
    fn names_in_braces_are_replaced_from_the_workers_environment_only() {
        let own = pairs(&[("HOME", "/h"), ("X", "${HOME}")]);
        for (text, expanded) in [
            ("x${HOME}y", "x/hy"),
            ("${HOME}${HOME}", "/h/h"),
            ("${NOT_THERE}", ""),
            ("${}", ""),
            ("$HOME ${-x} ${HOME", "$HOME ${-x} ${HOME"),
            ("${${HOME}}", "${/h}"),
            ("${X}", "${HOME}"),
        ] {
            assert_eq!(expand(text, &own), OsString::from(expanded), "{text}");
        }
    }

    #[test]
    fn the_workers_pythonpath_comes_after_the_masters() {
        let separator = ports::PATH_SEPARATOR;
        let value = |environment: Environment| {
            get(&environment, "PYTHONPATH")
                .unwrap_or_default()
                .to_os_string()
        };
        let with = changed(&[("PYTHONPATH", "/own")], &[("PYTHONPATH", text("/pp"))]);
        assert_eq!(value(with), OsString::from(format!("/pp{separator}/own")));
        let without = changed(&[], &[("PYTHONPATH", text("/pp"))]);
        assert_eq!(value(without), OsString::from(format!("/pp{separator}")));
    }

    #[test]
    fn a_value_that_is_no_text_is_a_failure_that_names_it() {
        let changes = [("A".to_owned(), EnvValue::NotText)];
        let failure = step_environment(&[], &changes, Path::new("/w")).unwrap_err();
        let message = "'env' values must be strings or lists; key 'A' is incorrect";
        assert_eq!(failure.message, message);
    }

    #[test]
    fn pwd_has_no_dots() {
        assert_eq!(plain_path(Path::new("/./a/b/.")), Path::new("/a/b"));
        assert_eq!(plain_path(Path::new("/dev/../dev")), Path::new("/dev"));
    }
}
