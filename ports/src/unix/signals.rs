//! Names of signals, and requests to stop as values.

use std::io;
use std::os::fd::{AsFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

use super::{raw, reaping};
use crate::StopRequest;

pub(crate) const SIGKILL: i32 = libc::SIGKILL;
pub(crate) const SIGTERM: i32 = libc::SIGTERM;

/// Every signal that POSIX names and all systems have (<signal.h>), and SIGWINCH, which all have.
const NAMES: &[(&str, i32)] = &[
    ("ABRT", libc::SIGABRT),
    ("ALRM", libc::SIGALRM),
    ("BUS", libc::SIGBUS),
    ("CHLD", libc::SIGCHLD),
    ("CONT", libc::SIGCONT),
    ("FPE", libc::SIGFPE),
    ("HUP", libc::SIGHUP),
    ("ILL", libc::SIGILL),
    ("INT", libc::SIGINT),
    ("KILL", libc::SIGKILL),
    ("PIPE", libc::SIGPIPE),
    ("PROF", libc::SIGPROF),
    ("QUIT", libc::SIGQUIT),
    ("SEGV", libc::SIGSEGV),
    ("STOP", libc::SIGSTOP),
    ("SYS", libc::SIGSYS),
    ("TERM", libc::SIGTERM),
    ("TRAP", libc::SIGTRAP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("URG", libc::SIGURG),
    ("USR1", libc::SIGUSR1),
    ("USR2", libc::SIGUSR2),
    ("VTALRM", libc::SIGVTALRM),
    ("WINCH", libc::SIGWINCH),
    ("XCPU", libc::SIGXCPU),
    ("XFSZ", libc::SIGXFSZ),
];

/// The number of a signal by its name without `SIG`.
pub(crate) fn signal_number(name: &str) -> Option<i32> {
    let found = NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, number)| *number)
}

/// The requests to stop, one after the other.
#[derive(Debug)]
pub struct StopRequests(OwnedFd);

/// Where the handler writes. It stays open as long as the process lives.
static HANDLER_END: AtomicI32 = AtomicI32::new(-1);

/// Bit N: signal N has been noted and not been looked at. So the pipe never has more than one byte of
/// each signal: there is always room for a request to stop, and the handler's write(2) never fails,
/// hence never changes the errno of the code that it interrupts.
static NOTED: AtomicU32 = AtomicU32::new(0);

pub(crate) fn stop_requests() -> io::Result<StopRequests> {
    let (reader, writer) = crate::system::pipe()?;
    // A handler must not block.
    raw::set_nonblocking(writer.as_fd())?;
    HANDLER_END.store(writer.into_raw_fd(), Ordering::SeqCst);
    let handler = note as extern "C" fn(libc::c_int);
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGUSR2] {
        raw::set_action(signal, handler as libc::sighandler_t, libc::SA_RESTART)?;
    }
    if raw::own_id() == 1 {
        let flags = libc::SA_RESTART | libc::SA_NOCLDSTOP;
        raw::set_action(libc::SIGCHLD, handler as libc::sighandler_t, flags)?;
        // Those that have come before.
        reaping::reap_strangers();
    }
    Ok(StopRequests(reader))
}

/// The bit of one of the signals that are noted; all systems number them below 32.
fn bit(signal: libc::c_int) -> u32 {
    1 << (signal & 31)
}

/// The handler: one byte into the pipe.
extern "C" fn note(signal: libc::c_int) {
    if NOTED.fetch_or(bit(signal), Ordering::SeqCst) & bit(signal) != 0 {
        return;
    }
    let end: RawFd = HANDLER_END.load(Ordering::SeqCst);
    let _ = raw::write(raw::inherited(end), &[signal as u8]);
}

static NEW_LOG: AtomicBool = AtomicBool::new(false);

pub(crate) fn accept_log_wishes() -> io::Result<()> {
    let handler = note_log_wish as extern "C" fn(libc::c_int);
    let handler = handler as libc::sighandler_t;
    raw::set_action(libc::SIGUSR1, handler, libc::SA_RESTART)
}

extern "C" fn note_log_wish(_: libc::c_int) {
    NEW_LOG.store(true, Ordering::Relaxed);
}

pub(crate) fn new_log_wished() -> bool {
    NEW_LOG.swap(false, Ordering::Relaxed)
}

impl StopRequests {
    pub(crate) fn system_next(&mut self) -> io::Result<StopRequest> {
        let mut byte = [0];
        loop {
            if raw::retry(|| raw::read(self.0.as_fd(), &mut byte))? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            // Before it is looked at: what comes from now on counts as another one.
            NOTED.fetch_and(!bit(i32::from(byte[0])), Ordering::SeqCst);
            match i32::from(byte[0]) {
                libc::SIGTERM => return Ok(StopRequest::Terminate),
                libc::SIGINT => return Ok(StopRequest::Interrupt),
                libc::SIGHUP => return Ok(StopRequest::Hangup),
                libc::SIGCHLD => reaping::reap_strangers(),
                libc::SIGUSR2 => return Ok(StopRequest::Drain),
                _ => {}
            }
        }
    }
}
