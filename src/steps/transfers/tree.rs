//! The members of a directory that is to be archived, parents first and children in order.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ports::FileStat;

/// What a member is, in so far as an archive for a master can have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File,
    Link,
    /// A socket, a named pipe or a device: a master refuses the whole archive for one of them.
    Special,
}

/// A member of the tree.
#[derive(Debug)]
pub(super) struct Member {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its name below the root, with slashes; empty for the root itself.
    pub(super) name: Vec<u8>,
    pub(super) stat: FileStat,
    pub(super) kind: Kind,
}

/// What could not be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) path: PathBuf,
    pub(super) error: io::Error,
}

/// Walks a tree without following links, except that the root itself may be one. Holds no open
/// files between two members, and needs no stack for depth.
pub(super) struct Tree {
    /// What is still to be visited, the next one last.
    waiting: Vec<(PathBuf, Vec<u8>)>,
}

impl Tree {
    pub(super) fn new(root: &Path) -> Tree {
        Tree {
            waiting: vec![(root.to_path_buf(), Vec::new())],
        }
    }

    fn visit(&mut self, path: PathBuf, name: Vec<u8>) -> Result<Member, Unreadable> {
        let is_root = name.is_empty();
        let stat = match ports::stat(&path, is_root) {
            Ok(stat) => stat,
            Err(error) => return Err(Unreadable { path, error }),
        };
        let kind = kind(stat.mode);
        if kind == Kind::Directory {
            if let Err(error) = self.add_children(&path, &name) {
                return Err(Unreadable { path, error });
            }
        } else if is_root && kind != Kind::File {
            let error = io::Error::from_raw_os_error(NOT_A_DIRECTORY);
            return Err(Unreadable { path, error });
        }
        Ok(Member {
            path,
            name,
            stat,
            kind,
        })
    }

    fn add_children(&mut self, path: &Path, name: &[u8]) -> io::Result<()> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            names.push(entry?.file_name());
        }
        names.sort_unstable();
        for child in names.into_iter().rev() {
            let mut below = name.to_vec();
            if !below.is_empty() {
                below.push(b'/');
            }
            below.extend_from_slice(&ports::name_bytes(&child));
            self.waiting.push((path.join(&child), below));
        }
        Ok(())
    }
}

impl Iterator for Tree {
    type Item = Result<Member, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        let (path, name) = self.waiting.pop()?;
        Some(self.visit(path, name))
    }
}

/// ENOTDIR, which has this number on every POSIX system.
const NOT_A_DIRECTORY: i32 = 20;

fn kind(mode: u32) -> Kind {
    match mode & 0o170_000 {
        0o040_000 => Kind::Directory,
        0o100_000 => Kind::File,
        0o120_000 => Kind::Link,
        _ => Kind::Special,
    }
}
