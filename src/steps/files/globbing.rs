//! Finds the paths that match a pattern, as Python's `glob` with `recursive=True` does.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::pattern::{Component, has_wildcards};

/// Why finding ended before everything was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stopped<S> {
    /// More than [`MOST_PATHS`] or [`MOST_BYTES`].
    TooMany,
    /// The caller does not want it any more.
    Caller(S),
}

/// A list of a master must not be longer (PROTOCOL 1.2).
pub(super) const MOST_PATHS: usize = 640 * 1024;

/// Bytes of all paths together that are held in memory at a time.
pub(super) const MOST_BYTES: usize = 32 << 20;

/// All paths that match, in order, each once; with the prefix that the pattern has.
///
/// Wildcards do not match hidden names, `**` stands for any number of directories that are not
/// hidden, links to directories are followed unless they lead back to where one came from, and
/// what cannot be read has no names. May take long, so `look` is asked after each name whether to
/// go on.
pub(super) fn find<S>(
    pattern: &Path,
    look: &mut dyn FnMut() -> Result<(), S>,
) -> Result<Vec<PathBuf>, Stopped<S>> {
    let text = pattern.to_string_lossy();
    if !has_wildcards(&text) {
        let found = exists_as_asked(pattern);
        return Ok(found.then(|| pattern.to_path_buf()).into_iter().collect());
    }
    let (start, components) = split(pattern);
    let mut paths = vec![start];
    let mut components = components.iter().peekable();
    while let Some(component) = components.next() {
        // Two in a row find the same as one.
        if component == "**" && components.peek().is_some_and(|next| *next == "**") {
            continue;
        }
        let mut stage = Stage {
            component,
            only_directories: components.peek().is_some(),
            found: Found::default(),
            look,
        };
        for path in &paths {
            stage.below(path)?;
        }
        paths = stage.found.paths;
        paths.sort_unstable();
        paths.dedup();
    }
    Ok(paths)
}

/// A trailing slash asks for a directory.
fn exists_as_asked(path: &Path) -> bool {
    if ends_with_slash(path) {
        path.is_dir()
    } else {
        fs::symlink_metadata(path).is_ok()
    }
}

fn ends_with_slash(path: &Path) -> bool {
    ports::name_bytes(path.as_os_str()).ends_with(b"/")
}

/// The part before the first component with wildcards, and the components from there on. An empty
/// last one stands for a trailing slash.
fn split(pattern: &Path) -> (PathBuf, Vec<OsString>) {
    let bytes = ports::name_bytes(pattern.as_os_str());
    let mut start = Vec::new();
    let mut components: Vec<OsString> = Vec::new();
    let mut pieces = bytes.split(|&byte| byte == b'/').peekable();
    while let Some(piece) = pieces.next() {
        let wild = has_wildcards(&String::from_utf8_lossy(piece));
        if components.is_empty() && !wild {
            start.extend_from_slice(piece);
            start.push(b'/');
        } else if !piece.is_empty() || pieces.peek().is_none() {
            components.push(ports::name_from_bytes(piece.to_vec()));
        }
    }
    // Like Python, which shows `/` as it is and takes the slashes off anything else.
    while start.len() > 1 && start.ends_with(b"/") {
        start.pop();
    }
    (PathBuf::from(ports::name_from_bytes(start)), components)
}

/// Paths, counted.
#[derive(Default)]
struct Found {
    paths: Vec<PathBuf>,
    bytes: usize,
}

impl Found {
    fn add<S>(&mut self, path: PathBuf) -> Result<(), Stopped<S>> {
        self.bytes += path.as_os_str().len();
        self.paths.push(path);
        if self.paths.len() > MOST_PATHS || self.bytes > MOST_BYTES {
            return Err(Stopped::TooMany);
        }
        Ok(())
    }
}

/// One component of the pattern at work.
struct Stage<'a, S> {
    component: &'a OsStr,
    /// More components follow.
    only_directories: bool,
    found: Found,
    look: &'a mut dyn FnMut() -> Result<(), S>,
}

impl<S> Stage<'_, S> {
    fn below(&mut self, directory: &Path) -> Result<(), Stopped<S>> {
        let text = self.component.to_string_lossy();
        if text == "**" {
            return self.all_below(directory);
        }
        if !has_wildcards(&text) {
            let path = directory.join(self.component);
            if exists_as_asked(&path) {
                self.found.add(path)?;
            }
            return Ok(());
        }
        let component = Component::new(&text);
        for entry in entries(directory) {
            (self.look)().map_err(Stopped::Caller)?;
            if component.matches(&entry.name) && (!self.only_directories || entry.is_directory()) {
                self.found.add(directory.join(&entry.name))?;
            }
        }
        Ok(())
    }

    /// The directory itself, with a trailing slash as Python shows it, and everything below.
    fn all_below(&mut self, directory: &Path) -> Result<(), Stopped<S>> {
        let Ok(stat) = ports::stat(directory, true) else {
            return Ok(());
        };
        if !directory.is_dir() {
            return Ok(());
        }
        self.found.add(directory.join(""))?;
        let mut levels = vec![Level {
            identity: (stat.device, stat.inode),
            waiting: self.names_below(directory)?,
        }];
        while let Some(level) = levels.last_mut() {
            let Some(path) = level.waiting.pop() else {
                levels.pop();
                continue;
            };
            let Ok(stat) = ports::stat(&path, true) else {
                continue;
            };
            let identity = (stat.device, stat.inode);
            if levels.iter().any(|above| above.identity == identity) {
                continue; // a link that leads back
            }
            let waiting = self.names_below(&path)?;
            levels.push(Level { identity, waiting });
        }
        Ok(())
    }

    /// Adds what is in a directory; returns the directories in it.
    fn names_below(&mut self, directory: &Path) -> Result<Vec<PathBuf>, Stopped<S>> {
        let mut directories = Vec::new();
        for entry in entries(directory) {
            (self.look)().map_err(Stopped::Caller)?;
            if ports::name_bytes(&entry.name).starts_with(b".") {
                continue;
            }
            let path = directory.join(&entry.name);
            let is_directory = entry.is_directory();
            if is_directory || !self.only_directories {
                self.found.add(path.clone())?;
            }
            if is_directory {
                directories.push(path);
            }
        }
        Ok(directories)
    }
}

/// A directory on the way down.
struct Level {
    /// Device and inode.
    identity: (u64, u64),
    /// The directories in it that are still to be read.
    waiting: Vec<PathBuf>,
}

struct Entry {
    name: OsString,
    entry: fs::DirEntry,
}

impl Entry {
    /// Also if it is a link to one.
    fn is_directory(&self) -> bool {
        match self.entry.file_type() {
            Ok(kind) if kind.is_symlink() => self.entry.path().is_dir(),
            Ok(kind) => kind.is_dir(),
            Err(_) => false,
        }
    }
}

/// What is in a directory; nothing if it cannot be read.
fn entries(directory: &Path) -> impl Iterator<Item = Entry> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .map_while(Result::ok)
        .map(|entry| Entry {
            name: entry.file_name(),
            entry,
        })
}
