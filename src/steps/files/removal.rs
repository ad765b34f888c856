//! Removes a tree as `rm -rf` does, with its messages, but also where permissions are in the way.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::quote::quoted_path;
use super::watch::{Stopped, Watch};

/// Removes what is at `path`, whatever it is, without following links; a missing one is fine.
/// Directories that lack permissions get them. What cannot be removed is reported and left, and
/// everything else still goes. Returns whether nothing is left.
///
/// Blocks for as long as it takes; the watch is asked after each name.
pub(super) fn remove_tree(path: &Path, watch: &mut Watch<'_>) -> Result<bool, Stopped> {
    if ends_in_dots(path) {
        let shown = quoted_path(path);
        watch.complain(&format!(
            "rm: refusing to remove '.' or '..' directory: skipping {shown}\n"
        ))?;
        return Ok(false);
    }
    if let Err(error) = fs::symlink_metadata(path) {
        if is_gone(&error) {
            return Ok(true);
        }
        complain(watch, path, &error)?;
        return Ok(false);
    }
    // With a trailing slash the system would look behind a link, and that is not ours to remove.
    let root = without_trailing_slashes(path);
    if is_root(&root) {
        let shown = quoted_path(path);
        watch.complain(&format!(
            "rm: it is dangerous to operate recursively on {shown}\n"
        ))?;
        return Ok(false);
    }
    if !fs::symlink_metadata(&root).is_ok_and(|found| found.is_dir()) {
        return match fs::remove_file(&root) {
            Err(error) if !is_gone(&error) => complain(watch, &root, &error).map(|()| false),
            Ok(()) | Err(_) => Ok(true),
        };
    }
    let mut removal = Removal {
        path: root.clone(),
        root,
        level: Level::default(),
        above: Vec::new(),
        moved: 0,
        watch,
    };
    removal.run()
}

fn ends_in_dots(path: &Path) -> bool {
    let bytes = ports::name_bytes(path.as_os_str());
    let last = bytes
        .rsplit(|&byte| byte == b'/')
        .find(|component| !component.is_empty());
    matches!(last, Some(b"." | b".."))
}

/// Whether this is the root of the file system, under whatever name.
fn is_root(path: &Path) -> bool {
    match (ports::stat(path, false), ports::stat(Path::new("/"), true)) {
        (Ok(itself), Ok(root)) => (itself.device, itself.inode) == (root.device, root.inode),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

fn without_trailing_slashes(path: &Path) -> PathBuf {
    let bytes = ports::name_bytes(path.as_os_str());
    match bytes.iter().rposition(|&byte| byte != b'/') {
        Some(last) => PathBuf::from(ports::name_from_bytes(bytes[..=last].to_vec())),
        None => path.to_path_buf(),
    }
}

/// A directory that is being emptied.
#[derive(Default)]
struct Level {
    /// Directories in it that are to be removed next.
    directories: Vec<OsString>,
    /// All its names have been seen, or it cannot be read.
    read: bool,
    /// Names of what could not be removed.
    kept: HashSet<OsString>,
    /// Something in it is left.
    left: bool,
    /// Its owner was given all permissions.
    mended: bool,
}

struct Removal<'a, 'w> {
    root: PathBuf,
    /// The directory at work.
    path: PathBuf,
    level: Level,
    /// The directories above it, the root first.
    above: Vec<Level>,
    /// How many directories were moved up.
    moved: u64,
    watch: &'a mut Watch<'w>,
}

/// Names read from a directory at a time, so that memory does not depend on its size.
const BATCH: usize = 2000;

/// Length below the root, in bytes, from which on a directory is moved up to the root before it is
/// emptied. So no depth leads to paths that the system refuses, and the levels to remember are few.
const LONG: usize = 512;

impl Removal<'_, '_> {
    fn run(&mut self) -> Result<bool, Stopped> {
        loop {
            if let Some(name) = self.level.directories.pop() {
                self.enter(&name);
            } else if !self.level.read {
                self.read_names()?;
            } else {
                let gone = self.remove_emptied()?;
                let Some(mut parent) = self.above.pop() else {
                    return Ok(gone);
                };
                if let (false, Some(name)) = (gone, self.path.file_name()) {
                    parent.kept.insert(name.to_os_string());
                    parent.left = true;
                }
                self.level = parent;
                self.path.pop();
            }
        }
    }

    /// Goes down into a directory, or puts it aside if it is too far down.
    fn enter(&mut self, name: &OsStr) {
        let path = self.path.join(name);
        let length = path.as_os_str().len() - self.root.as_os_str().len();
        if length > LONG && self.move_up(&path) {
            return;
        }
        self.path = path;
        self.above.push(std::mem::take(&mut self.level));
    }

    /// Moves a directory up into the root, to be removed from there. False if the system refused.
    fn move_up(&mut self, directory: &Path) -> bool {
        self.moved += 1;
        let name = OsString::from(format!(".rm-{}-{}", std::process::id(), self.moved));
        let aside = self.root.join(&name);
        if fs::symlink_metadata(&aside).is_ok() {
            return false;
        }
        if fs::rename(directory, &aside).is_err() {
            // Its `..` changes, so that not only the two parents must be writable.
            mend(directory);
            mend(&self.path);
            mend(&self.root);
            if fs::rename(directory, &aside).is_err() {
                return false;
            }
        }
        let root = self.above.first_mut().unwrap_or(&mut self.level);
        root.directories.push(name);
        true
    }

    /// Reads some names of the directory at work, and removes what is not a directory.
    fn read_names(&mut self) -> Result<(), Stopped> {
        match self.batch() {
            Ok(files) => {
                self.watch.look()?;
                files
                    .into_iter()
                    .try_for_each(|name| self.remove_file(name))
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied && self.mend_here() => Ok(()),
            Err(error) => {
                self.level.read = true;
                if is_gone(&error) {
                    return Ok(());
                }
                self.level.left = true;
                complain(self.watch, &self.path, &error)
            }
        }
    }

    fn batch(&mut self) -> io::Result<Vec<OsString>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            if self.level.kept.contains(&name) {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.level.directories.push(name);
            } else {
                files.push(name);
            }
            if self.level.directories.len() + files.len() >= BATCH {
                return Ok(files);
            }
        }
        self.level.read = true;
        Ok(files)
    }

    fn remove_file(&mut self, name: OsString) -> Result<(), Stopped> {
        let path = self.path.join(&name);
        let mut result = fs::remove_file(&path);
        if is_refused(&result) && self.mend_here() {
            result = fs::remove_file(&path);
        }
        match result {
            Ok(()) => self.watch.progress(),
            Err(error) if is_gone(&error) => self.watch.look(),
            Err(error) => {
                self.level.kept.insert(name);
                self.level.left = true;
                complain(self.watch, &path, &error)
            }
        }
    }

    /// Removes the directory at work, which should be empty by now. Whether it is gone.
    fn remove_emptied(&mut self) -> Result<bool, Stopped> {
        if self.level.left {
            return Ok(false);
        }
        let mut result = fs::remove_dir(&self.path);
        if is_refused(&result) && self.mend_above() {
            result = fs::remove_dir(&self.path);
        }
        match result {
            Ok(()) => self.watch.progress().map(|()| true),
            Err(error) if is_gone(&error) => Ok(true),
            Err(error) => complain(self.watch, &self.path, &error).map(|()| false),
        }
    }

    /// Gives the directory at work the permissions it needs, once, and the one above it if it cannot
    /// be reached otherwise. Whether to try again.
    fn mend_here(&mut self) -> bool {
        if std::mem::replace(&mut self.level.mended, true) {
            return false;
        }
        mend(&self.path) || (self.mend_above() && mend(&self.path))
    }

    /// The same for the directory above. The one above the root is not ours.
    fn mend_above(&mut self) -> bool {
        match (self.above.last_mut(), self.path.parent()) {
            (Some(parent), Some(directory)) => {
                !std::mem::replace(&mut parent.mended, true) && mend(directory)
            }
            (_, _) => false,
        }
    }
}

/// What `chmod u+rwx` does.
fn mend(directory: &Path) -> bool {
    ports::stat(directory, false)
        .and_then(|stat| ports::set_mode(directory, (stat.mode & 0o7777) | 0o700))
        .is_ok()
}

fn is_refused(result: &io::Result<()>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::PermissionDenied)
}

/// What `rm -f` takes for "not there".
fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn complain(watch: &mut Watch<'_>, path: &Path, error: &io::Error) -> Result<(), Stopped> {
    watch.complain(&format!(
        "rm: cannot remove {}: {}\n",
        quoted_path(path),
        ports::words_of(error)
    ))
}
