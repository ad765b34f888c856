//! Names and files.

use std::borrow::Cow;
use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use super::raw::{self, check};
use crate::FileStat;

/// Permission bits that make a program run as its owner or group (chmod(1)).
const SET_USER: u32 = 0o4000;
const SET_GROUP: u32 = 0o2000;
/// Those two, and the one that is for directories.
const SPECIAL: u32 = 0o7000;

pub(crate) fn name_bytes(name: &OsStr) -> Cow<'_, [u8]> {
    Cow::Borrowed(name.as_bytes())
}

pub(crate) fn name_from_bytes(bytes: Vec<u8>) -> OsString {
    OsString::from_vec(bytes)
}

pub(crate) fn stat(path: &Path, follow: bool) -> io::Result<FileStat> {
    let found = if follow {
        fs::metadata(path)?
    } else {
        fs::symlink_metadata(path)?
    };
    Ok(FileStat {
        mode: found.mode(),
        inode: found.ino(),
        device: found.dev(),
        links: found.nlink(),
        uid: found.uid(),
        gid: found.gid(),
        size: found.size(),
        node: found.rdev(),
        accessed: (found.atime(), nanoseconds(found.atime_nsec())),
        modified: (found.mtime(), nanoseconds(found.mtime_nsec())),
        changed: (found.ctime(), nanoseconds(found.ctime_nsec())),
    })
}

fn nanoseconds(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

pub(crate) fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    // O_NOCTTY: a terminal must not become that of the worker (open(2)).
    options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
}

pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600).open(path)
}

pub(crate) fn save(file: &File) -> io::Result<()> {
    file.sync_data()
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode & 0o7777))
}

pub(crate) fn make_link(target: &Path, link: &Path) -> io::Result<()> {
    symlink(target, link)
}

pub(crate) fn make_node(place: &Path, model: &FileStat) -> io::Result<()> {
    let path = path_text(place)?;
    let mode = model.mode as libc::mode_t;
    if mode & libc::S_IFMT == libc::S_IFIFO {
        // SAFETY: `path` ends with NUL and lives through the call.
        return check(unsafe { libc::mkfifo(path.as_ptr(), mode & 0o7777) }).map(drop);
    }
    // SAFETY: as above.
    let made = check(unsafe { libc::mknod(path.as_ptr(), mode, model.node as libc::dev_t) });
    if made.is_err() && mode & libc::S_IFMT == libc::S_IFSOCK {
        // Some systems make sockets in this way only.
        return UnixListener::bind(place).map(drop);
    }
    made.map(drop)
}

pub(crate) fn copy_attributes(path: &Path, model: &FileStat) -> io::Result<()> {
    let mut kept = 0o7777;
    if !give_to(path, Some(model.uid), Some(model.gid))? {
        // A program that runs as its owner must not become one that runs as us.
        kept &= !SET_USER;
        if !give_to(path, None, Some(model.gid))? {
            kept &= !SET_GROUP;
        }
    }
    let link = model.mode as libc::mode_t & libc::S_IFMT == libc::S_IFLNK;
    if !link {
        let mode = model.mode & kept;
        match set_mode(path, mode) {
            // Some systems keep the special bits of some files for the superuser.
            Err(_) if mode & SPECIAL != 0 => set_mode(path, mode & !SPECIAL)?,
            result => result?,
        }
    }
    match set_times(path, model) {
        // Not every file system keeps times of links, and nobody misses them.
        Err(error) if link && is_unsupported(&error) => Ok(()),
        result => result,
    }
}

/// Changes owner and group, of a link itself; false if that is not ours to do.
fn give_to(path: &Path, user: Option<u32>, group: Option<u32>) -> io::Result<bool> {
    match lchown(path, user, group) {
        Ok(()) => Ok(true),
        Err(error) if is_unsupported(&error) => Ok(false),
        // EINVAL: numbers that a container or file system does not have.
        Err(error) => match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput => Ok(false),
            _ => Err(error),
        },
    }
}

/// Whether the file system cannot do it. The library knows EOPNOTSUPP, which is another number than
/// ENOTSUP on many systems.
fn is_unsupported(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(libc::ENOTSUP)
}

fn set_times(path: &Path, model: &FileStat) -> io::Result<()> {
    let path = path_text(path)?;
    let times = [model.accessed, model.modified]
        .map(|(seconds, nanoseconds)| raw::timespec(seconds, nanoseconds));
    let flag = libc::AT_SYMLINK_NOFOLLOW;
    // SAFETY: `path` ends with NUL, `times` are two times, and both live through the call.
    let set = unsafe { libc::utimensat(libc::AT_FDCWD, path.as_ptr(), times.as_ptr(), flag) };
    check(set).map(drop)
}

fn path_text(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}
