//! Environments of processes: the list of `<libproc.h>`, and `KERN_PROCARGS2` of sysctl(3)
//! (`<sys/sysctl.h>`). The system does not show those of most of its own programs (`/bin`, `/usr/bin`)
//! to anybody while its integrity protection is on; what they start is found again.

use super::environment_text::{after_arguments, contains};
use crate::unix::{Pid, check, text};

/// So many processes are seen; the system has fewer (`kern.maxproc`).
const MOST: usize = 32 * 1024;
/// The list of processes, in numbers of 8 bytes, two processes each.
pub(crate) const LIST_ROOM: usize = MOST / 2;
/// Arguments and environment: `ARG_MAX` of `<sys/syslimits.h>`. Who offers more room gets nothing.
pub(crate) const TEXT_ROOM: usize = 1024 * 1024;

/// Calls `visit` with every process.
pub(crate) fn for_each_process(list: &mut [u64], mut visit: impl FnMut(Pid)) {
    let size = libc::c_int::try_from(size_of_val(list)).unwrap_or(0);
    // SAFETY: the list has room for `size` bytes. It is one system call.
    let count = unsafe { libc::proc_listallpids(list.as_mut_ptr().cast(), size) };
    let words = list.iter().map(|word| word.to_ne_bytes());
    let pids = words.flat_map(|[a, b, c, d, e, f, g, h]| [[a, b, c, d], [e, f, g, h]]);
    for pid in pids.take(usize::try_from(count).unwrap_or(0)) {
        visit(Pid::from_ne_bytes(pid));
    }
}

/// Whether a process has the entry in its environment; none if that cannot be read.
pub(crate) fn holds(pid: Pid, entry: &[u8], text: &mut [u8]) -> Option<bool> {
    let mut words = [libc::CTL_KERN, libc::KERN_PROCARGS2, pid];
    let (room, mut size) = (text.as_mut_ptr().cast(), text.len());
    let none = std::ptr::null_mut();
    // SAFETY: `room` has `size` bytes, there are three words, and nothing is set.
    check(unsafe { libc::sysctl(words.as_mut_ptr(), 3, room, &mut size, none, 0) }).ok()?;
    let environment = after_arguments(text.get(..size)?)?;
    Some(contains(environment, entry))
}

/// The name of a process.
pub(crate) fn name_of(pid: Pid) -> Option<String> {
    let information = super::information(u32::try_from(pid).ok()?)?;
    Some(text(&information.pbi_comm))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_environment_can_be_read() {
        let mut text = vec![0; TEXT_ROOM];
        let own = crate::unix::own_id();
        // It has an entry (the name of one with nothing else is none).
        assert_eq!(holds(own, b"=", &mut text), Some(false));
    }
}
