//! macOS: a step is contained by its process group and by a mark in its environment, as the system
//! hands orphans to nobody but launchd. proc_pidinfo of libproc tells processes apart.

#[path = "shared/environment_text.rs"]
#[cfg_attr(not(test), allow(dead_code))] // Other systems need more of it.
mod environment_text;
#[path = "macos/environments.rs"]
mod environments;
#[path = "shared/load.rs"]
mod load;
#[path = "shared/marked.rs"]
#[allow(dead_code)] // `containment`, see below.
mod marked;
#[path = "shared/pages.rs"]
mod pages;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::{Identity, ServiceManager};

pub use crate::unix::*;
pub(crate) use load::load;
// Not `containment`: whoever becomes a program of the system (`sh`, `sleep`) hides his mark, so what
// is found by it comes on top of the group, but is not promised.
pub(crate) use marked::{Mark, Search, new_mark};
pub(crate) use pages::memory;

/// What `<libproc.h>` tells of a process; none if there is none.
fn information(pid: u32) -> Option<libc::proc_bsdinfo> {
    // SAFETY: the structure is the one of this kind, and plain numbers.
    unsafe { told_of(pid, libc::PROC_PIDTBSDINFO) }
}

/// An answer of proc_pidinfo.
///
/// # Safety
/// `T` is the structure of that kind, and all zeros are a value of it.
unsafe fn told_of<T>(pid: u32, kind: libc::c_int) -> Option<T> {
    let number = Pid::try_from(pid).ok().filter(|pid| *pid > 0)?;
    let mut answer = MaybeUninit::<T>::zeroed();
    let size = libc::c_int::try_from(size_of::<T>()).ok()?;
    // SAFETY: `answer` has room for `size` bytes.
    let filled = unsafe { libc::proc_pidinfo(number, kind, 0, answer.as_mut_ptr().cast(), size) };
    // SAFETY: it is a value even where nothing was filled in, as the caller says.
    (filled == size).then(|| unsafe { answer.assume_init() })
}

/// In microseconds of the wall clock.
pub(crate) fn process_start(pid: u32) -> Option<u64> {
    let info = information(pid)?;
    let seconds = info.pbi_start_tvsec.saturating_mul(1_000_000);
    Some(seconds.saturating_add(info.pbi_start_tvusec))
}

pub(crate) fn process_identity(pid: u32) -> Option<Identity> {
    let start = process_start(pid)?;
    let number = Pid::try_from(pid).ok()?;
    // SAFETY: getsid(2) takes a number.
    let session = check(unsafe { libc::getsid(number) }).ok()?;
    let group = information(pid)?.pbi_pgid;
    Some(Identity {
        pid,
        start,
        group,
        session: session.unsigned_abs(),
    })
}

pub(crate) fn process_directory(pid: u32) -> Option<PathBuf> {
    // SAFETY: the structure is the one of this kind, and plain numbers.
    let told: libc::proc_vnodepathinfo = unsafe { told_of(pid, libc::PROC_PIDVNODEPATHINFO) }?;
    let path = told.pvi_cdir.vip_path;
    let path = path.as_flattened().iter().map(|byte| *byte as u8);
    let path: Vec<u8> = path.take_while(|byte| *byte != 0).collect();
    (!path.is_empty()).then(|| PathBuf::from(OsString::from_vec(path)))
}

/// `kern.bootsessionuuid`: a text that every start of the system makes anew.
pub(crate) fn boot_id() -> Option<String> {
    let mut room = [0 as libc::c_char; 64];
    let (mut size, buffer) = (room.len(), room.as_mut_ptr().cast());
    let (name, none) = (c"kern.bootsessionuuid".as_ptr(), std::ptr::null_mut());
    // SAFETY: the name ends with NUL, `buffer` has `size` bytes, and nothing is set.
    check(unsafe { libc::sysctlbyname(name, buffer, &mut size, none, 0) }).ok()?;
    Some(text(&room)).filter(|id| !id.is_empty())
}

/// The library asks the disk itself to write (`F_FULLFSYNC` of fcntl(2)), which file systems of networks
/// and others refuse; fsync(2) is what they can do.
pub(crate) fn save(file: &File) -> io::Result<()> {
    const REFUSED: [i32; 3] = [libc::ENOTSUP, libc::ENOTTY, libc::EINVAL];
    match file.sync_data() {
        Err(error)
            if error
                .raw_os_error()
                .is_some_and(|number| REFUSED.contains(&number)) =>
        {
            // SAFETY: fsync(2) takes an open descriptor.
            check(unsafe { libc::fsync(file.as_raw_fd()) }).map(drop)
        }
        result => result,
    }
}

pub(crate) fn service_manager() -> Option<ServiceManager> {
    Some(ServiceManager::Launchd)
}
