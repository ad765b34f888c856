//! Copies a tree as `cp -R -P -p -v` does, with its output and its messages.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ports::FileStat;

use super::quote::quoted_path;
use super::watch::{Stopped, Watch};
use crate::steps::place::open_to_read;

/// Copies `from` to `to`, or into `to` if that is a directory. Links are copied as links, hard links
/// as files of their own; modes, times and, as far as we may, owners are kept. What cannot be
/// copied is reported, and everything else still is. Returns whether nothing went wrong.
///
/// Blocks for as long as it takes; the watch is asked after each name and each piece of a file.
pub(super) fn copy_tree(from: &Path, to: &Path, watch: &mut Watch<'_>) -> Result<bool, Stopped> {
    let mut target = to.to_path_buf();
    if ports::stat(to, true).is_ok_and(|found| Kind::of(&found) == Kind::Directory) {
        target.push(last_name(from));
    }
    let mut copying = Copying {
        from: from.to_path_buf(),
        to: target.clone(),
        into: None,
        levels: Vec::new(),
        flawless: true,
        watch,
    };
    copying.copy(from.to_path_buf(), target)?;
    copying.run()?;
    Ok(copying.flawless)
}

/// The name that a copy has in the directory it is put into; none for `a/.` and `a/..`, of which the
/// content is meant.
fn last_name(from: &Path) -> OsString {
    let bytes = ports::name_bytes(from.as_os_str());
    let last = bytes
        .rsplit(|&byte| byte == b'/')
        .find(|component| !component.is_empty())
        .filter(|component| !matches!(*component, b"." | b".."));
    ports::name_from_bytes(last.unwrap_or_default().to_vec())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    File,
    Link,
    Pipe,
    Other,
}

impl Kind {
    fn of(stat: &FileStat) -> Kind {
        match stat.mode & 0o170_000 {
            0o040_000 => Kind::Directory,
            0o100_000 => Kind::File,
            0o120_000 => Kind::Link,
            0o010_000 => Kind::Pipe,
            _ => Kind::Other,
        }
    }
}

/// A directory whose content is being copied.
struct Level {
    from: PathBuf,
    to: PathBuf,
    stat: FileStat,
    /// What is still to be copied, the next one last.
    names: Vec<OsString>,
}

struct Copying<'a, 'w> {
    /// What was asked for, for messages.
    from: PathBuf,
    to: PathBuf,
    /// Device and inode of the topmost directory that is copied into.
    into: Option<(u64, u64)>,
    levels: Vec<Level>,
    flawless: bool,
    watch: &'a mut Watch<'w>,
}

/// Bytes that are copied between two looks at the watch.
const PIECE: u64 = 1 << 20;

impl Copying<'_, '_> {
    fn run(&mut self) -> Result<(), Stopped> {
        while let Some(level) = self.levels.last_mut() {
            match level.names.pop() {
                Some(name) => {
                    let (from, to) = (level.from.join(&name), level.to.join(&name));
                    self.copy(from, to)?;
                }
                None => {
                    if let Some(done) = self.levels.pop() {
                        self.keep_attributes(&done.to, &done.stat)?;
                    }
                }
            }
            self.watch.progress()?;
        }
        Ok(())
    }

    /// Copies one name. A directory is made and entered; its content is copied by `run`.
    fn copy(&mut self, from: PathBuf, to: PathBuf) -> Result<(), Stopped> {
        let stat = match ports::stat(&from, false) {
            Ok(stat) => stat,
            Err(error) => {
                return self.complain(&format!("cannot stat {}", quoted_path(&from)), &error);
            }
        };
        if Kind::of(&stat) == Kind::Directory {
            return self.enter(from, to, stat);
        }
        if !self.make_way(&from, &to, &stat)? {
            return Ok(());
        }
        self.say(&from, &to)?;
        let made = match Kind::of(&stat) {
            Kind::File => self.copy_file(&from, &to, &stat)?,
            Kind::Link => self.copy_link(&from, &to)?,
            Kind::Pipe => self.copy_node(&to, &stat, "fifo")?,
            Kind::Directory | Kind::Other => self.copy_node(&to, &stat, "special file")?,
        };
        if made {
            self.keep_attributes(&to, &stat)?;
        }
        Ok(())
    }

    fn enter(&mut self, from: PathBuf, to: PathBuf, stat: FileStat) -> Result<(), Stopped> {
        if self.into == Some((stat.device, stat.inode)) {
            // `cp` ends here as well.
            self.levels.clear();
            let (from, to) = (quoted_path(&self.from), quoted_path(&self.to));
            return self.remark(&format!(
                "cannot copy a directory, {from}, into itself, {to}"
            ));
        }
        if !self.make_directory(&from, &to, &stat)? {
            return Ok(());
        }
        if self.into.is_none() {
            let made = ports::stat(&to, false).ok();
            self.into = made.map(|made| (made.device, made.inode));
        }
        let names = match names(&from) {
            Ok(names) => names,
            Err(error) => {
                self.complain(&format!("cannot access {}", quoted_path(&from)), &error)?;
                Vec::new()
            }
        };
        self.levels.push(Level {
            from,
            to,
            stat,
            names,
        });
        Ok(())
    }

    /// Makes the copy of a directory, empty, or finds it. Whether there is one to copy into.
    fn make_directory(&mut self, from: &Path, to: &Path, stat: &FileStat) -> Result<bool, Stopped> {
        match ports::stat(to, false) {
            Ok(found) if Kind::of(&found) != Kind::Directory => {
                let (from, to) = (quoted_path(from), quoted_path(to));
                let text = format!("cannot overwrite non-directory {to} with directory {from}");
                return self.remark(&text).map(|()| false);
            }
            Ok(found) if same(&found, stat) => {
                return self.remark_same(from, to).map(|()| false);
            }
            Ok(_) => return Ok(true),
            Err(_) => {}
        }
        if let Err(error) = fs::create_dir(to) {
            let what = format!("cannot create directory {}", quoted_path(to));
            return self.complain(&what, &error).map(|()| false);
        }
        self.say(from, to)?;
        // Until it has its own mode it is nobody else's business, and writable for us.
        if let Err(error) = ports::set_mode(to, 0o700) {
            let what = format!("setting permissions for {}", quoted_path(to));
            self.complain(&what, &error)?;
        }
        Ok(true)
    }

    /// Deals with what is already there under the name of the copy. Whether copying may go on.
    fn make_way(&mut self, from: &Path, to: &Path, stat: &FileStat) -> Result<bool, Stopped> {
        let Ok(itself) = ports::stat(to, false) else {
            return Ok(true);
        };
        let is_file = Kind::of(stat) == Kind::File;
        let found = if is_file && Kind::of(&itself) == Kind::Link {
            // The content goes where the link points to; if nowhere, that is seen later.
            match ports::stat(to, true) {
                Ok(found) => found,
                Err(_) => return Ok(true),
            }
        } else {
            itself
        };
        if Kind::of(&found) == Kind::Directory {
            let to = quoted_path(to);
            self.remark(&format!(
                "cannot overwrite directory {to} with non-directory"
            ))?;
            return Ok(false);
        }
        if same(&found, stat) {
            self.remark_same(from, to)?;
            return Ok(false);
        }
        if is_file {
            return Ok(true);
        }
        if let Err(error) = fs::remove_file(to) {
            self.complain(&format!("cannot remove {}", quoted_path(to)), &error)?;
            return Ok(false);
        }
        self.watch
            .output(&format!("removed {}\n", quoted_path(to)))?;
        Ok(true)
    }

    /// Whether there is a copy now, complete or not.
    fn copy_file(&mut self, from: &Path, to: &Path, stat: &FileStat) -> Result<bool, Stopped> {
        let source = match open_to_read(from) {
            Ok(source) => source,
            Err(error) => {
                let what = format!("cannot open {} for reading", quoted_path(from));
                return self.complain(&what, &error).map(|()| false);
            }
        };
        if ports::stat(to, false).is_ok() && ports::stat(to, true).is_err() {
            let to = quoted_path(to);
            let text = format!("not writing through dangling symlink {to}");
            return self.remark(&text).map(|()| false);
        }
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(to);
        let target = match opened {
            Ok(target) => target,
            Err(error) => {
                let what = format!("cannot create regular file {}", quoted_path(to));
                return self.complain(&what, &error).map(|()| false);
            }
        };
        if stat.mode & 0o044 != 0o044 {
            // Not everybody may read it, so nobody else may until it has its own mode; if that is
            // refused, so will be the mode, which is then reported.
            let _ = ports::set_mode(to, 0o600);
        }
        self.copy_content(source, target, from, to)?;
        Ok(true)
    }

    fn copy_content(
        &mut self,
        mut source: File,
        mut target: File,
        from: &Path,
        to: &Path,
    ) -> Result<(), Stopped> {
        loop {
            match io::copy(&mut source.by_ref().take(PIECE), &mut target) {
                Ok(0) => return Ok(()),
                Ok(_) => self.watch.progress()?,
                Err(error) => {
                    let what =
                        format!("error copying {} to {}", quoted_path(from), quoted_path(to));
                    return self.complain(&what, &error);
                }
            }
        }
    }

    fn copy_link(&mut self, from: &Path, to: &Path) -> Result<bool, Stopped> {
        let target = match fs::read_link(from) {
            Ok(target) => target,
            Err(error) => {
                let what = format!("cannot read symbolic link {}", quoted_path(from));
                return self.complain(&what, &error).map(|()| false);
            }
        };
        match ports::make_link(&target, to) {
            Ok(()) => Ok(true),
            Err(error) => {
                let what = format!("cannot create symbolic link {}", quoted_path(to));
                self.complain(&what, &error).map(|()| false)
            }
        }
    }

    fn copy_node(&mut self, to: &Path, stat: &FileStat, kind: &str) -> Result<bool, Stopped> {
        match ports::make_node(to, stat) {
            Ok(()) => Ok(true),
            Err(error) => {
                let what = format!("cannot create {kind} {}", quoted_path(to));
                self.complain(&what, &error).map(|()| false)
            }
        }
    }

    fn keep_attributes(&mut self, to: &Path, stat: &FileStat) -> Result<(), Stopped> {
        // A file may have been written through a link.
        let real = match ports::stat(to, false) {
            Ok(found) if Kind::of(&found) == Kind::Link && Kind::of(stat) == Kind::File => {
                fs::canonicalize(to).ok()
            }
            Ok(_) | Err(_) => None,
        };
        match ports::copy_attributes(real.as_deref().unwrap_or(to), stat) {
            Ok(()) => Ok(()),
            Err(error) => {
                let what = format!("failed to preserve attributes for {}", quoted_path(to));
                self.complain(&what, &error)
            }
        }
    }

    fn say(&mut self, from: &Path, to: &Path) -> Result<(), Stopped> {
        let (from, to) = (quoted_path(from), quoted_path(to));
        self.watch.output(&format!("{from} -> {to}\n"))
    }

    fn remark_same(&mut self, from: &Path, to: &Path) -> Result<(), Stopped> {
        let (from, to) = (quoted_path(from), quoted_path(to));
        self.remark(&format!("{from} and {to} are the same file"))
    }

    fn complain(&mut self, what: &str, error: &io::Error) -> Result<(), Stopped> {
        self.remark(&format!("{what}: {}", ports::words_of(error)))
    }

    fn remark(&mut self, text: &str) -> Result<(), Stopped> {
        self.flawless = false;
        self.watch.complain(&format!("cp: {text}\n"))
    }
}

fn same(a: &FileStat, b: &FileStat) -> bool {
    (a.device, a.inode) == (b.device, b.inode)
}

/// The names in a directory, the first one last.
fn names(directory: &Path) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.push(entry?.file_name());
    }
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names)
}
