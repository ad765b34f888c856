//! Environments of processes from `/proc/<pid>/environ` (proc_pid_environ(5); the procfs of the Hurd
//! has it too). Only who may look into a process gets anything. The system's file has
//! `for_each_process`.

use std::os::fd::AsFd;

use super::environment_text::Matcher;
use super::proc_files::{PATH_ROOM, digits, open, path_of};
use crate::unix::{Pid, read, retry};

/// The list of processes needs no room here.
pub(crate) const LIST_ROOM: usize = 0;
/// An environment is read in pieces of so many bytes.
pub(crate) const TEXT_ROOM: usize = 16 * 1024;

/// Calls `visit` with every process that is listed.
pub(crate) fn for_each_process(_list: &mut [u64], visit: impl FnMut(Pid)) {
    // Who has no /proc finds nobody.
    let _ = crate::system::listed_processes(visit);
}

/// Whether a process has the entry in its environment; none if that cannot be read.
pub(crate) fn holds(pid: Pid, entry: &[u8], text: &mut [u8]) -> Option<bool> {
    let mut path = [0; PATH_ROOM];
    let path = path_of(&[b"/proc/", &digits(pid), b"/environ"], &mut path)?;
    let file = open(path, 0).ok()?;
    let mut matcher = Matcher::new(entry);
    loop {
        let count = retry(|| read(file.as_fd(), text)).ok()?;
        if count == 0 {
            return Some(matcher.whole());
        }
        if matcher.take(text.get(..count)?) {
            return Some(true);
        }
    }
}

/// The name of a process. Not async-signal-safe.
pub(crate) fn name_of(pid: Pid) -> Option<String> {
    let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    // `4711 (any (name)) S 4710 ...`
    let open = text.iter().position(|byte| *byte == b'(')?;
    let close = text.iter().rposition(|byte| *byte == b')')?;
    let name = text.get(open + 1..close)?;
    Some(String::from_utf8_lossy(name).into_owned())
}
