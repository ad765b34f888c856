//! Who is whose child, from `/proc` (proc(5)).
//!
//! The monitor asks between fork and its end: only async-signal-safe calls and the stack. The
//! worker asks as ordinary code.

use std::collections::{HashMap, HashSet};
use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::Path;
use std::time::Instant;

use super::proc_files::{PATH_ROOM, digits, leading_number, open, path_of, with_digit};
use crate::Leftover;
use crate::unix::{Pid, read, retry};

// ---------------------------------------------------------------------------------------------
// In the monitor

/// Calls `visit` with every child of this process, which has one thread and the number `own`.
pub(crate) fn for_each_child(own: Pid, mut visit: impl FnMut(Pid)) {
    // Linux 3.17 with CONFIG_PROC_CHILDREN.
    if let Ok(list) = open(c"/proc/thread-self/children", 0) {
        for_each_number(list.as_fd(), visit);
        return;
    }
    // Without it everybody is asked for his parent.
    let _ = for_each_entry(c"/proc", |pid| {
        if parent(pid) == Some(own) {
            visit(pid);
        }
    });
}

/// Calls `visit` with the children of another process, as far as `/proc` has lists of them.
pub(crate) fn for_each_child_of(pid: Pid, visit: impl FnMut(Pid)) {
    let mut path = [0; PATH_ROOM];
    let Some(path) = path_of(
        &[
            b"/proc/",
            &digits(pid),
            b"/task/",
            &digits(pid),
            b"/children",
        ],
        &mut path,
    ) else {
        return;
    };
    if let Ok(list) = open(path, 0) {
        for_each_number(list.as_fd(), visit);
    }
}

/// Calls `visit` with every open descriptor other than the one used to look.
pub(crate) fn for_each_descriptor(mut visit: impl FnMut(RawFd)) -> io::Result<()> {
    let looking = open(c"/proc/self/fd", libc::O_DIRECTORY)?;
    let own = looking.as_raw_fd();
    for_each_entry_in(looking.as_fd(), |descriptor| {
        if descriptor != own {
            visit(descriptor);
        }
    })
}

/// Calls `visit` with each of the numbers in a file, which blanks separate.
fn for_each_number(file: BorrowedFd<'_>, mut visit: impl FnMut(Pid)) {
    let mut buffer = [0; 1024];
    let mut number: Pid = 0;
    while let Ok(count @ 1..) = retry(|| read(file, &mut buffer)) {
        for byte in buffer.iter().take(count) {
            if byte.is_ascii_digit() {
                number = with_digit(number, *byte);
            } else if number != 0 {
                visit(number);
                number = 0;
            }
        }
    }
    if number != 0 {
        visit(number);
    }
}

/// Calls `visit` with every entry of a directory whose name is a number.
pub(crate) fn for_each_entry(path: &CStr, visit: impl FnMut(Pid)) -> io::Result<()> {
    for_each_entry_in(open(path, libc::O_DIRECTORY)?.as_fd(), visit)
}

/// Room for entries of `getdents64(2)`, aligned as they are.
#[repr(align(8))]
struct Entries([u8; 2048]);

/// Where in an entry its length and its name are (getdents(2)).
const LENGTH_AT: usize = 16;
const NAME_AT: usize = 19;

fn for_each_entry_in(directory: BorrowedFd<'_>, mut visit: impl FnMut(Pid)) -> io::Result<()> {
    let mut entries = Entries([0; 2048]);
    loop {
        let mut rest = next_entries(directory, &mut entries)?;
        if rest.is_empty() {
            return Ok(());
        }
        while let Some([low, high]) = rest.get(LENGTH_AT..LENGTH_AT + 2) {
            let length = usize::from(u16::from_ne_bytes([*low, *high]));
            let name = rest.get(NAME_AT..length).unwrap_or_default();
            if let Some(number) = leading_number(name) {
                visit(number);
            }
            rest = rest.get(length.max(NAME_AT)..).unwrap_or_default();
        }
    }
}

/// `getdents64(2)`: the next entries; empty at the end. (`readdir` would ask for memory.)
fn next_entries<'a>(directory: BorrowedFd<'_>, entries: &'a mut Entries) -> io::Result<&'a [u8]> {
    let descriptor = directory.as_raw_fd();
    let (room, size) = (entries.0.as_mut_ptr(), entries.0.len());
    // SAFETY: pointer and size are of the same live buffer.
    let count = unsafe { libc::syscall(libc::SYS_getdents64, descriptor, room, size) };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    Ok(entries.0.get(..count).unwrap_or_default())
}

/// The parent of a process.
fn parent(pid: Pid) -> Option<Pid> {
    let mut path = [0; PATH_ROOM];
    let path = path_of(&[b"/proc/", &digits(pid), b"/stat"], &mut path)?;
    let file = open(path, 0).ok()?;
    // Numbers up to the parent and a name of at most 64 bytes fit.
    let mut buffer = [0; 256];
    let count = retry(|| read(file.as_fd(), &mut buffer)).ok()?;
    Stat::parse(buffer.get(..count)?).map(|stat| stat.parent)
}

// ---------------------------------------------------------------------------------------------
// In both

/// What we want of `/proc/<pid>/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat<'a> {
    name: &'a [u8],
    state: u8,
    parent: Pid,
}

impl Stat<'_> {
    /// `4711 (any (name)) S 4710 ...`: the name may contain anything, hence from the end.
    fn parse(text: &[u8]) -> Option<Stat<'_>> {
        let open = text.iter().position(|byte| *byte == b'(')?;
        let close = text.iter().rposition(|byte| *byte == b')')?;
        let name = text.get(open + 1..close)?;
        let mut fields = text.get(close + 1..)?.split(|byte| *byte == b' ').skip(1);
        let state = *fields.next()?.first()?;
        let parent = leading_number(fields.next()?)?;
        Some(Stat {
            name,
            state,
            parent,
        })
    }
}

// ---------------------------------------------------------------------------------------------
// In the worker

/// More leftovers than a person reads. All are killed; only so many are named.
pub(crate) const NAMED_AT_MOST: usize = 100;

/// The living descendants of a monitor other than `main`.
/// Stops looking at `until`: a machine full of processes is slow.
pub(crate) fn descendants(monitor: Pid, main: Pid, until: Instant) -> Vec<Leftover> {
    let children = Children::look(monitor);
    let mut found = Vec::new();
    // Numbers may be used again while we look, so nobody is looked at twice.
    let mut seen = HashSet::from([monitor]);
    let mut open = vec![monitor];
    while let Some(pid) = open.pop() {
        for child in children.of(pid) {
            if found.len() == NAMED_AT_MOST || Instant::now() > until {
                return found;
            }
            if !seen.insert(child) {
                continue;
            }
            open.push(child);
            if child != main {
                found.extend(living(child));
            }
        }
    }
    found
}

/// The children of all threads of a process.
pub(crate) fn children(pid: Pid) -> Vec<Pid> {
    Children::look(pid).of(pid)
}

/// Who is whose child.
enum Children {
    /// `/proc` has lists.
    Listed,
    /// Everybody was asked: children by parent.
    Asked(HashMap<Pid, Vec<Pid>>),
}

impl Children {
    fn look(monitor: Pid) -> Children {
        let list = format!("/proc/{monitor}/task/{monitor}/children");
        if Path::new(&list).exists() || !Path::new("/proc/self").exists() {
            return Children::Listed;
        }
        let mut asked: HashMap<Pid, Vec<Pid>> = HashMap::new();
        for pid in numbers_in("/proc") {
            if let Some(parent) = parent(pid) {
                asked.entry(parent).or_default().push(pid);
            }
        }
        Children::Asked(asked)
    }

    fn of(&self, pid: Pid) -> Vec<Pid> {
        match self {
            Children::Asked(asked) => asked.get(&pid).cloned().unwrap_or_default(),
            Children::Listed => {
                let threads = numbers_in(&format!("/proc/{pid}/task"));
                let lists = threads.into_iter().filter_map(|thread| {
                    fs::read_to_string(format!("/proc/{pid}/task/{thread}/children")).ok()
                });
                lists
                    .flat_map(|list| {
                        let numbers = list.split_ascii_whitespace();
                        numbers
                            .filter_map(|pid| pid.parse().ok())
                            .collect::<Vec<Pid>>()
                    })
                    .collect()
            }
        }
    }
}

/// The entries of a directory that are numbers; none if there is no such directory (any more).
fn numbers_in(directory: &str) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// The process, unless it has ended and only waits to be reaped.
fn living(pid: Pid) -> Option<Leftover> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = Stat::parse(&text)?;
    if matches!(stat.state, b'Z' | b'X') && numbers_in(&format!("/proc/{pid}/task")).len() < 2 {
        return None;
    }
    Some(Leftover {
        pid: pid.unsigned_abs(),
        name: String::from_utf8_lossy(stat.name).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_with_brackets_and_blanks_does_not_hide_the_parent() {
        let text = b"4711 (a) S 1 (b c) R 4710 4711 4711 0 -1 4194560";
        let stat = Stat::parse(text).unwrap();
        assert_eq!(stat.name, b"a) S 1 (b c");
        assert_eq!((stat.state, stat.parent), (b'R', 4710));
    }

    #[test]
    fn torn_stat_is_nobody() {
        for text in [
            "",
            "4711",
            "4711 (x",
            "4711 (x)",
            "4711 (x) S",
            "4711 (x) S y",
        ] {
            assert_eq!(Stat::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn everybody_asked_for_his_parent_gives_the_same_children_as_the_lists() {
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = Pid::try_from(child.id()).unwrap();
        let own = Pid::try_from(std::process::id()).unwrap();
        let mut asked = Vec::new();
        for_each_entry(c"/proc", |pid| {
            if parent(pid) == Some(own) {
                asked.push(pid);
            }
        })
        .unwrap();
        let listed = Children::Listed.of(own);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(asked.contains(&pid), "{asked:?}");
        assert!(listed.contains(&pid), "{listed:?}");
    }

    #[test]
    fn numbers_in_a_file_may_lie_across_two_reads() {
        let path = std::env::temp_dir().join(format!("ports-numbers-{}", std::process::id()));
        let numbers: Vec<Pid> = (100_000..101_000).collect();
        let text: String = numbers.iter().map(|number| format!("{number} ")).collect();
        fs::write(&path, text.trim_end()).unwrap();
        let mut read = Vec::new();
        for_each_number(fs::File::open(&path).unwrap().as_fd(), |number| {
            read.push(number)
        });
        fs::remove_file(&path).unwrap();
        assert_eq!(read, numbers);
    }

    #[test]
    fn open_descriptors_are_found() {
        let file = fs::File::open("/dev/null").unwrap();
        let number = file.as_raw_fd();
        let mut found = Vec::new();
        for_each_descriptor(|descriptor| found.push(descriptor)).unwrap();
        assert!(found.contains(&0) && found.contains(&number), "{found:?}");
    }
}
