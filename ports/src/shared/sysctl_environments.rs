//! Environments of processes by sysctl(3), on NetBSD and OpenBSD: `kern.proc2` or `kern.proc` is the
//! list, `KERN_PROC_ARGS` the environment, of processes of one user unless root asks. The system's
//! file has `LIST`, `PID_AT` and `texts_of`, in which the two differ. sysctl(3) is a system call here.

use std::io;

use crate::system::{LIST, PID_AT, Row, texts_of};
use crate::unix::{Pid, check, text};

/// So many processes are seen. With more than that, some are not until others are gone.
const MOST: usize = 16 * 1024;
/// So much of a row is asked for: up to the number, in whole words. The kernel copies no more.
const WORDS: usize = (PID_AT + size_of::<i32>()).div_ceil(size_of::<u64>());
const ROW: usize = WORDS * size_of::<u64>();

/// The list of processes, in numbers of 8 bytes.
pub(crate) const LIST_ROOM: usize = MOST * WORDS;
/// The largest environment that is seen whole, in bytes; more than `ARG_MAX` of both.
pub(crate) const TEXT_ROOM: usize = 768 * 1024;
/// Most environments are smaller than that. The kernel holds all the room that it is offered.
const USUAL_TEXT: usize = 16 * 1024;
const USUAL_LIST: usize = 256 * WORDS;

/// Asks the kernel; how many bytes it gave. Async-signal-safe.
fn ask(words: &[i32], room: *mut libc::c_void, size: usize) -> io::Result<usize> {
    let (mut size, count) = (size, words.len() as libc::c_uint);
    let none = std::ptr::null_mut();
    // SAFETY: the callers hand over room for `size` bytes; `words` has `count` numbers; nothing is set.
    check(unsafe { libc::sysctl(words.as_ptr(), count, room, &mut size, none, 0) })?;
    Ok(size)
}

fn is_too_small(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOMEM)
}

/// Calls `visit` with every process of our user, or, for root, with every process.
pub(crate) fn for_each_process(list: &mut [u64], mut visit: impl FnMut(Pid)) {
    // SAFETY: geteuid(2) takes nothing and cannot fail.
    let user = unsafe { libc::geteuid() };
    let kind = if user == 0 {
        libc::KERN_PROC_ALL
    } else {
        libc::KERN_PROC_UID
    };
    let mut room = USUAL_LIST.min(list.len());
    loop {
        let Some(list) = list.get_mut(..room) else {
            return;
        };
        let rows = list.len() / WORDS;
        let words = [
            libc::CTL_KERN,
            LIST,
            kind,
            user as i32,
            ROW as i32,
            rows as i32,
        ];
        let filled = match ask(&words, list.as_mut_ptr().cast(), rows * ROW) {
            Ok(size) => size / ROW,
            Err(error) if is_too_small(&error) && room < LIST_ROOM => {
                room = LIST_ROOM.min(room * 4);
                continue;
            }
            // It has as many as fit.
            Err(error) if is_too_small(&error) => rows,
            Err(_) => return,
        };
        for row in list.chunks_exact(WORDS).take(filled) {
            if let Some(pid) = pid_in(row) {
                visit(pid);
            }
        }
        return;
    }
}

/// The number of the process that a row is about.
fn pid_in(row: &[u64]) -> Option<Pid> {
    let word = row.get(PID_AT / size_of::<u64>())?.to_ne_bytes();
    let within = PID_AT % size_of::<u64>();
    let pid = Pid::from_ne_bytes(*word.get(within..)?.first_chunk()?);
    (pid > 0).then_some(pid)
}

/// Whether a process has the entry in its environment; none if that cannot be read.
pub(crate) fn holds(pid: Pid, entry: &[u8], text: &mut [u8]) -> Option<bool> {
    let words = [
        libc::CTL_KERN,
        libc::KERN_PROC_ARGS,
        pid,
        libc::KERN_PROC_ENV,
    ];
    for room in [USUAL_TEXT, TEXT_ROOM] {
        let text = text.get_mut(..room)?;
        match ask(&words, text.as_mut_ptr().cast(), room) {
            // NetBSD cuts off what does not fit without a word.
            Ok(size) if size == room && room < TEXT_ROOM => {}
            Ok(size) => {
                let address = text.as_ptr().addr();
                return Some(
                    texts_of(text.get(..size)?, address)
                        .is_some_and(|texts| super::environment_text::contains(texts, entry)),
                );
            }
            Err(error) if is_too_small(&error) => {}
            Err(_) => return None,
        }
    }
    None
}

/// The name of a process. Not async-signal-safe.
pub(crate) fn name_of(pid: Pid) -> Option<String> {
    let size = size_of::<Row>();
    let words = [
        libc::CTL_KERN,
        LIST,
        libc::KERN_PROC_PID,
        pid,
        size as i32,
        1,
    ];
    let mut row = std::mem::MaybeUninit::<Row>::zeroed();
    let filled = ask(&words, row.as_mut_ptr().cast(), size).ok()?;
    // SAFETY: the structure is plain numbers, for which all zeros is a value.
    (filled == size).then(|| text(&unsafe { row.assume_init() }.p_comm))
}
