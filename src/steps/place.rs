//! Turns a place that the master names into a path: joined and with `~` expanded as Python does it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::calls::Place;

/// The path of a place, starting from the builder's directory (PROTOCOL 6.1).
///
/// An absolute component replaces what is before it, an empty last one leaves a trailing slash, and
/// nothing is normalised: the path is shown to people as the master put it together.
pub fn resolve(place: &Place, builder_directory: &Path) -> PathBuf {
    let home = std::env::var_os("HOME");
    join(place, builder_directory, home.as_deref())
}

/// `home` is the worker's own `HOME`, which comes before the password database.
fn join(place: &Place, builder_directory: &Path, home: Option<&OsStr>) -> PathBuf {
    let mut path = builder_directory.to_path_buf();
    let last = place.components.len().saturating_sub(1);
    for (index, component) in place.components.iter().enumerate() {
        if place.tilde && index == last {
            path.push(expand_tilde(component, home));
        } else {
            path.push(component);
        }
    }
    path
}

/// Replaces a leading `~` or `~user`; a user without home directory leaves the text as it is.
fn expand_tilde(text: &str, home: Option<&OsStr>) -> OsString {
    let Some(after) = text.strip_prefix('~') else {
        return text.into();
    };
    let (user, rest) = after.split_at(after.find('/').unwrap_or(after.len()));
    let found = match (user, home) {
        ("", Some(home)) => Some(home.to_os_string()),
        ("", None) => ports::home_directory(None).map(PathBuf::into_os_string),
        (user, _) => ports::home_directory(Some(user)).map(PathBuf::into_os_string),
    };
    let Some(found) = found else {
        return text.into();
    };
    let mut expanded = without_trailing_slashes(&found);
    expanded.push(rest);
    if expanded.is_empty() {
        expanded.push("/");
    }
    expanded
}

fn without_trailing_slashes(path: &OsStr) -> OsString {
    let bytes = ports::name_bytes(path);
    let kept = bytes
        .iter()
        .rposition(|&byte| byte != b'/')
        .map_or(0, |last| last + 1);
    ports::name_from_bytes(bytes[..kept].to_vec())
}

/// Opens a file to read it, without waiting for anybody: what is no plain file any more when it is
/// opened must not hold a step that nothing could end then.
///
/// # Errors
/// The system's.
pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
    ports::without_waiting(File::options().read(true)).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(components: &[&str], tilde: bool, home: Option<&str>) -> String {
        let place = Place {
            components: components.iter().map(|&c| c.to_owned()).collect(),
            tilde,
        };
        join(&place, Path::new("/base/builder"), home.map(OsStr::new))
            .to_string_lossy()
            .into_owned()
    }

    #[test]
    fn components_are_joined_without_normalising() {
        for (components, path) in [
            (&["build"][..], "/base/builder/build"),
            (&["../esc"], "/base/builder/../esc"),
            (&["", "nope"], "/base/builder/nope"),
            (&[".", "a"], "/base/builder/./a"),
            (&["build", ""], "/base/builder/build/"),
            (&["/abs", "x//y"], "/abs/x//y"),
            (&["build", "/abs"], "/abs"),
            (&[], "/base/builder"),
        ] {
            assert_eq!(joined(components, false, None), path, "{components:?}");
        }
    }

    #[test]
    fn only_the_last_component_of_a_place_with_tilde_is_expanded() {
        assert_eq!(joined(&["~", "x"], true, Some("/h")), "/base/builder/~/x");
        assert_eq!(joined(&["w", "~"], false, Some("/h")), "/base/builder/w/~");
        assert_eq!(joined(&["w", "~/f"], true, Some("/h")), "/h/f");
        assert_eq!(joined(&["w", "a~"], true, Some("/h")), "/base/builder/w/a~");
    }

    #[test]
    fn home_loses_its_trailing_slashes_and_an_empty_one_is_the_root() {
        assert_eq!(joined(&["~/f"], true, Some("/h//")), "/h/f");
        assert_eq!(joined(&["~"], true, Some("/")), "/");
        assert_eq!(joined(&["~"], true, Some("")), "/");
        assert_eq!(joined(&["~/f"], true, Some("/")), "/f");
    }

    #[test]
    fn an_unknown_user_stays_as_written() {
        assert_eq!(
            joined(&["~no-such-user-here/f"], true, Some("/h")),
            "/base/builder/~no-such-user-here/f"
        );
    }

    #[test]
    fn a_known_user_has_the_home_of_the_password_database() {
        let Some(home) = ports::home_directory(Some("root")) else {
            return; // a system without such a user
        };
        assert_eq!(
            joined(&["~root/f"], true, Some("/h")),
            home.join("f").to_string_lossy()
        );
    }

    #[test]
    fn a_named_pipe_without_a_writer_is_opened_at_once() {
        let name = format!("coracle-pipe-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        if !made.is_ok_and(|status| status.success()) {
            return; // a system without mkfifo
        }
        let opened = open_to_read(&path);
        std::fs::remove_file(&path).unwrap();
        let mut text = String::new();
        let read = io::Read::read_to_string(&mut opened.unwrap(), &mut text);
        assert_eq!(read.unwrap(), 0);
    }
}
