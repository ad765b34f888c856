//! `info/admin` and `info/host` of a base directory, which the master shows to everybody.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Answers, Machine};
use crate::basedir::{ADMIN_UNEDITED, HOST_UNEDITED};
use ports::words_of;

/// What we wrote last, to tell it from what the owner has written. It lies in the base directory,
/// since everything in `info` goes to the master.
const NOTES: &str = "join.notes";
const NOTES_HEAD: &str = "# What `coracle join` wrote into info/, to tell its words from yours.\n";

/// What became of a file of `info/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It was made, or nobody had edited it.
    Yes(PathBuf),
    /// Somebody had edited it; it was left alone.
    Kept(PathBuf),
}

/// Writes both; what somebody has edited is left alone unless `force`.
///
/// # Errors
/// What could not be made, and what the system said.
pub fn describe(
    basedir: &Path,
    answers: &Answers,
    machine: &Machine,
    force: bool,
) -> Result<Vec<Written>, String> {
    let info = basedir.join("info");
    fs::create_dir_all(&info).map_err(|error| failed("make", &info, &error))?;
    let address = public_address(&answers.contact);
    let texts = [
        (
            "admin",
            ADMIN_UNEDITED,
            format!("{} <{address}>\n", answers.person),
        ),
        (
            "host",
            HOST_UNEDITED,
            format!("{}\n", machine.description(answers)),
        ),
    ];
    let notes_file = basedir.join(NOTES);
    let notes = read(&notes_file)?.unwrap_or_default();
    let ours = |name: &str, text: &str| {
        let line = format!("{name} {}", text.trim_end());
        notes.lines().any(|known| known == line)
    };
    let mut written = Vec::new();
    let mut new_notes = NOTES_HEAD.to_owned();
    for (name, unedited, text) in texts {
        let path = info.join(name);
        // An editor may have added or taken the end of the line.
        let is_free = |known: &str| {
            let known = known.trim();
            known.is_empty()
                || known == unedited.trim()
                || known == text.trim()
                || ours(name, known)
        };
        let known = read(&path)?;
        let kept = known.as_deref().filter(|known| !is_free(known) && !force);
        if kept.is_none() {
            fs::write(&path, &text).map_err(|error| failed("write", &path, &error))?;
            new_notes.push_str(&format!("{name} {text}"));
        }
        written.push(match kept {
            Some(_) => Written::Kept(path),
            None => Written::Yes(path),
        });
    }
    fs::write(&notes_file, new_notes).map_err(|error| failed("write", &notes_file, &error))?;
    Ok(written)
}

/// What is in a file; none if there is none. What is not UTF-8 is no text of ours.
fn read(path: &Path) -> Result<Option<String>, String> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, &error)),
    }
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {doing} {}: {}", path.display(), words_of(error))
}

/// An address as the devguide asks for it, since the page with it is public.
fn public_address(contact: &str) -> String {
    contact.replacen('@', " AT ", 1)
}
