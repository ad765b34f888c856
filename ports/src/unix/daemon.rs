//! Leaving the terminal, and knowing other processes by their numbers.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;

use super::raw::{self, Pid};
use super::wait::{ReadEnd, WriteEnd};
use crate::{Detached, StopRequest};

pub(crate) fn detach() -> io::Result<Detached> {
    let (reader, writer) = crate::system::pipe()?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    // SAFETY: the contract of `detach` is that this process has one thread, so the child is a
    // complete process in which everything may be called.
    if let Some(child) = unsafe { raw::fork() }? {
        drop(writer);
        raw::reap(child, true)?;
        return Ok(Detached::Starter(ReadEnd::new(reader)?));
    }
    drop(reader);
    // A new session has no terminal; its leader could get one again, hence the second process.
    let left = raw::new_session().and_then(|()| {
        // SAFETY: as above.
        unsafe { raw::fork() }
    });
    match left {
        Ok(None) => {}
        // The starter sees the pipe end if there is no second child.
        Ok(Some(_)) | Err(_) => raw::exit_now(0),
    }
    for standard in 0..=2 {
        raw::duplicate_onto(null.as_raw_fd(), standard)?;
    }
    Ok(Detached::Daemon(WriteEnd::new(writer)?))
}

pub(crate) fn print_to(file: &File) -> io::Result<()> {
    for standard in 1..=2 {
        raw::duplicate_onto(file.as_fd().as_raw_fd(), standard)?;
    }
    Ok(())
}

pub(crate) fn lock_holder(_file: &File) -> Option<u32> {
    None
}

fn number(pid: u32) -> Option<Pid> {
    Pid::try_from(pid).ok().filter(|pid| *pid > 0)
}

pub(crate) fn process_exists(pid: u32) -> bool {
    let Some(pid) = number(pid) else {
        return false;
    };
    match raw::kill(pid, 0) {
        Ok(()) => true,
        // It is somebody else's.
        Err(error) => error.raw_os_error() == Some(libc::EPERM),
    }
}

pub(crate) fn process_start(pid: u32) -> Option<u64> {
    // The file that Linux has, and that some other systems offer in its form. The name of the
    // program may contain anything, brackets too; field 22 is counted from behind it.
    let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let after_name = text.rsplit_once(')')?.1;
    after_name.split_ascii_whitespace().nth(19)?.parse().ok()
}

pub(crate) fn process_directory(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

pub(crate) fn signal_process(pid: u32, signal: i32) -> io::Result<()> {
    match number(pid) {
        Some(pid) if pid > 1 => raw::kill(pid, signal),
        Some(_) | None => Err(io::Error::from_raw_os_error(libc::ESRCH)),
    }
}

pub(crate) fn end_by_signal(signal: i32) -> ! {
    let result = raw::set_action(signal, libc::SIG_DFL, 0);
    raw::block_signals(&raw::no_signals());
    if result.is_ok() {
        let _ = raw::kill(raw::own_id(), signal);
    }
    // What shells show for it, if the signal does not end us.
    raw::exit_now(128 + signal)
}

pub(crate) fn stop_signal(request: StopRequest) -> i32 {
    match request {
        StopRequest::Terminate => libc::SIGTERM,
        StopRequest::Interrupt => libc::SIGINT,
        StopRequest::Hangup => libc::SIGHUP,
        StopRequest::Drain => libc::SIGUSR2,
    }
}
