//! The kernel's list of processes, by sysctl(3) `kern.proc`: FreeBSD, DragonFly, OpenBSD, NetBSD. What a
//! row looks like differs: the system's file has `Row`, `listed`, and `table_words` for its words of
//! the question.
//!
//! Starts of processes are told in the time of the wall clock here. If the clock is set, they or
//! the name of this boot move; processes of before then count as strangers, and are left alone.

use std::mem::{MaybeUninit, size_of};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::Identity;
use crate::system::Row;
use crate::unix::{Listed, check};

/// The processes of one kind (`KERN_PROC_PGRP` and so on) with this number.
pub(crate) fn processes(kind: libc::c_int, number: libc::c_int) -> Option<Vec<Listed>> {
    let rows = rows(kind, number)?;
    Some(rows.iter().filter_map(crate::system::listed).collect())
}

/// The rows of the list, as the kernel has them.
pub(crate) fn rows(kind: libc::c_int, number: libc::c_int) -> Option<Vec<Row>> {
    let mut room = 16;
    while room <= MOST {
        let words = crate::system::table_words(kind, number, room);
        let mut rows: Vec<Row> = Vec::with_capacity(room);
        let mut size = room * size_of::<Row>();
        let (count, buffer) = (words.len() as libc::c_uint, rows.as_mut_ptr().cast());
        let none = std::ptr::null_mut();
        // SAFETY: `words` has `count` numbers, `buffer` has `size` bytes, and nothing is set.
        let asked = unsafe { libc::sysctl(words.as_ptr(), count, buffer, &mut size, none, 0) };
        match check(asked) {
            Ok(_) if size < room * size_of::<Row>() => {
                // SAFETY: the kernel has filled so many rows.
                unsafe { rows.set_len(size / size_of::<Row>()) };
                return Some(rows);
            }
            // Full: there may be more.
            Ok(_) => room *= 4,
            Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => room *= 4,
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Some(Vec::new()),
            Err(_) => return None,
        }
    }
    None
}

/// No system has more processes.
const MOST: usize = 1 << 20;

/// One process.
pub(crate) fn process(pid: u32) -> Option<Listed> {
    let number = libc::c_int::try_from(pid).ok().filter(|pid| *pid > 0)?;
    let found = processes(libc::KERN_PROC_PID, number)?;
    found.into_iter().find(|found| found.identity.pid == pid)
}

pub(crate) fn process_start(pid: u32) -> Option<u64> {
    process(pid).map(|process| process.identity.start)
}

pub(crate) fn process_identity(pid: u32) -> Option<Identity> {
    process(pid).map(|process| process.identity)
}

/// The processes of a group, and those of a session, of that number.
pub(crate) fn processes_of(group: u32) -> Option<Vec<Listed>> {
    let number = libc::c_int::try_from(group).ok()?;
    let mut found = processes(libc::KERN_PROC_PGRP, number)?;
    for process in processes(libc::KERN_PROC_SESSION, number)? {
        if !found.iter().any(|known| known.identity == process.identity) {
            found.push(process);
        }
    }
    Some(found)
}

pub(crate) fn process_clock() -> Option<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(now.as_micros()).ok()
}

/// When the system was started, `kern.boottime`, in whole seconds.
pub(crate) fn boot_id() -> Option<String> {
    let words = [libc::CTL_KERN, libc::KERN_BOOTTIME];
    let mut time = MaybeUninit::<libc::timeval>::zeroed();
    let mut size = size_of::<libc::timeval>();
    let (buffer, none) = (time.as_mut_ptr().cast(), std::ptr::null_mut());
    // SAFETY: two words, room for one time, and nothing is set.
    check(unsafe { libc::sysctl(words.as_ptr(), 2, buffer, &mut size, none, 0) }).ok()?;
    // SAFETY: timeval is plain numbers, for which all zeros is a value.
    let time = unsafe { time.assume_init() };
    (time.tv_sec > 0).then(|| format!("booted at {}", time.tv_sec))
}

/// A moment in microseconds since 1970.
pub(crate) fn microseconds(seconds: impl Into<i64>, microseconds: impl Into<i64>) -> u64 {
    let seconds = u64::try_from(seconds.into()).unwrap_or(0);
    let microseconds = u64::try_from(microseconds.into()).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000)
        .saturating_add(microseconds)
}
