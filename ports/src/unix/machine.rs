//! What the machine has to offer: its name, room on its disks, and limits. POSIX knows no more.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::facts::text;
use super::raw::check;
use crate::{FileSystem, Limit, Resource, SystemName};

pub(crate) fn system_name() -> SystemName {
    let mut name = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: `name` has room for one answer.
    if unsafe { libc::uname(name.as_mut_ptr()) } == -1 {
        return SystemName::default();
    }
    // SAFETY: utsname is characters only; uname(2) has filled it.
    let name = unsafe { name.assume_init() };
    SystemName {
        system: text(&name.sysname),
        release: text(&name.release),
        machine: text(&name.machine),
    }
}

/// POSIX has no question for it.
pub(crate) fn c_library() -> Option<String> {
    None
}

/// POSIX does not tell.
pub(crate) fn memory() -> Option<u64> {
    None
}

/// Nothing in POSIX does it.
pub(crate) fn release_memory() {}

/// POSIX does not tell.
pub(crate) fn load() -> Option<[f64; 3]> {
    None
}

/// `ST_RDONLY` of <sys/statvfs.h>, 1 on every system; the libc crate does not have it for all.
const READ_ONLY: u64 = 1;

#[allow(clippy::unnecessary_cast)] // The types of the fields differ between systems.
pub(crate) fn file_system(path: &Path) -> io::Result<FileSystem> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut found = MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: `path` ends with NUL, `found` has room for one answer.
    check(unsafe { libc::statvfs(path.as_ptr(), found.as_mut_ptr()) })?;
    // SAFETY: statvfs is numbers and texts; statvfs(3) has filled it.
    let found = unsafe { found.assume_init() };
    let unit = (found.f_frsize as u64).max(1);
    let (free, all) = (found.f_bavail as u64, found.f_blocks as u64);
    // On FreeBSD it is a negative number when the superuser took of what is kept for him.
    let free = if free > all { 0 } else { free };
    Ok(FileSystem {
        free: free.saturating_mul(unit),
        size: all.saturating_mul(unit),
        // Btrfs and FAT say that they have none at all.
        free_files: (found.f_files > 0).then_some(found.f_favail as u64),
        read_only: found.f_flag as u64 & READ_ONLY != 0,
    })
}

pub(crate) fn may_write(path: &Path) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else {
        return false;
    };
    // SAFETY: `path` ends with NUL and lives through the call.
    unsafe { libc::access(path.as_ptr(), libc::W_OK) == 0 }
}

pub(crate) fn resource_limit(resource: Resource) -> Option<Limit> {
    let mut limit = MaybeUninit::<libc::rlimit>::zeroed();
    let number = match resource {
        Resource::Files => libc::RLIMIT_NOFILE,
        Resource::Core => libc::RLIMIT_CORE,
        Resource::Stack => libc::RLIMIT_STACK,
        Resource::Data => libc::RLIMIT_DATA,
    };
    // SAFETY: `limit` has room for one answer.
    if unsafe { libc::getrlimit(number, limit.as_mut_ptr()) } == -1 {
        return None;
    }
    // SAFETY: rlimit is numbers only; getrlimit(2) has filled it.
    let soft = unsafe { limit.assume_init() }.rlim_cur;
    #[allow(clippy::unnecessary_cast)] // Its type differs between systems.
    Some(if soft == libc::RLIM_INFINITY {
        Limit::None
    } else {
        Limit::Of(soft as u64)
    })
}
