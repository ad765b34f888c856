//! The directory that a process works in, by sysctl(3): FreeBSD, DragonFly, OpenBSD, NetBSD. The
//! system's file has `directory_words`, its words of the question, and `PATH_AT`, where in the answer
//! the path begins. Only who may look into a process is told.

use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::unix::{Pid, check};

/// The longest path (`PATH_MAX` is 1024 on these systems) and what FreeBSD has before it.
const ROOM: usize = 4096;

pub(crate) fn process_directory(pid: u32) -> Option<PathBuf> {
    let pid = Pid::try_from(pid).ok().filter(|pid| *pid > 0)?;
    let words = crate::system::directory_words(pid);
    let mut answer = vec![0_u8; ROOM];
    let (count, buffer) = (words.len() as libc::c_uint, answer.as_mut_ptr().cast());
    let (mut size, none) = (answer.len(), std::ptr::null_mut());
    // SAFETY: `words` has `count` numbers, `buffer` has `size` bytes, and nothing is set.
    check(unsafe { libc::sysctl(words.as_ptr(), count, buffer, &mut size, none, 0) }).ok()?;
    let path = answer.get(crate::system::PATH_AT..size)?;
    let path = path.split(|byte| *byte == 0).next()?;
    // DragonFly answers with nothing about a process that is not there.
    (!path.is_empty()).then(|| PathBuf::from(std::ffi::OsString::from_vec(path.to_vec())))
}
