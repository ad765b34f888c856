//! System calls as safe functions, one `unsafe` each. All are async-signal-safe unless they say
//! otherwise, because the monitor and the child of a step live between `fork` and `exec` of a
//! process with threads (signal-safety(7)). `io::Error::last_os_error` only reads `errno`.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::time::Duration;

use crate::Exit;

/// A process number, at least 1.
pub(crate) type Pid = libc::pid_t;

/// Turns the -1 of a system call into its error.
pub(crate) fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}

/// Repeats a call that a signal interrupted.
pub(crate) fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// `fork(2)`: the child's number, or none in the child.
///
/// # Safety
/// In the child only async-signal-safe functions may be called, and nothing may unwind.
pub(crate) unsafe fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: fork(2) takes nothing; the caller promises what the child does.
    let pid = check(unsafe { libc::fork() })?;
    Ok((pid != 0).then_some(pid))
}

/// `_exit(2)`.
pub(crate) fn exit_now(status: i32) -> ! {
    // SAFETY: _exit(2) takes a number and runs nothing of this process.
    unsafe { libc::_exit(status) }
}

/// `getpid(2)`.
pub(crate) fn own_id() -> Pid {
    // SAFETY: getpid(2) takes nothing and cannot fail.
    unsafe { libc::getpid() }
}

/// `setpgid(2)`; 0 stands for the caller and for the number of the process.
pub(crate) fn set_group(pid: Pid, group: Pid) -> io::Result<()> {
    // SAFETY: setpgid(2) takes two numbers.
    check(unsafe { libc::setpgid(pid, group) }).map(drop)
}

/// `setsid(2)`.
pub(crate) fn new_session() -> io::Result<()> {
    // SAFETY: setsid(2) takes nothing.
    check(unsafe { libc::setsid() }).map(drop)
}

/// `kill(2)`; a negative number means a process group.
pub(crate) fn kill(pid: Pid, signal: i32) -> io::Result<()> {
    // SAFETY: kill(2) takes two numbers.
    check(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// `chdir(2)`.
pub(crate) fn enter_directory(path: &CStr) -> io::Result<()> {
    // SAFETY: `path` ends with NUL and lives through the call.
    check(unsafe { libc::chdir(path.as_ptr()) }).map(drop)
}

/// `dup2(2)`; the copy is not closed on exec.
pub(crate) fn duplicate_onto(from: RawFd, onto: RawFd) -> io::Result<()> {
    // SAFETY: dup2(2) takes two numbers; only processes that own no descriptors by Rust's rules
    // any more (monitor and child) call this.
    retry(|| check(unsafe { libc::dup2(from, onto) })).map(drop)
}

/// `close(2)` of a descriptor that this process got by `fork`; whether it was open does not matter.
pub(crate) fn close_inherited(descriptor: RawFd) {
    // SAFETY: close(2) takes a number; only monitor and child, where no owner is left, call this.
    unsafe { libc::close(descriptor) };
}

/// `open(2)` with `O_RDWR | O_NOCTTY`.
pub(crate) fn open_follower(path: &CStr) -> io::Result<RawFd> {
    let flags = libc::O_RDWR | libc::O_NOCTTY;
    // SAFETY: `path` ends with NUL and lives through the call; the flags need no mode.
    retry(|| check(unsafe { libc::open(path.as_ptr(), flags) }))
}

/// `read(2)`.
pub(crate) fn read(from: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: pointer and length are of the same live buffer, which we may write to.
    let count = unsafe { libc::read(from.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// `write(2)`.
pub(crate) fn write(to: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: pointer and length are of the same live buffer.
    let count = unsafe { libc::write(to.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Borrows a descriptor that `fork` handed to this process.
pub(crate) fn inherited<'a>(descriptor: RawFd) -> BorrowedFd<'a> {
    // SAFETY: the monitor and the child of a step keep what they use open until they end.
    unsafe { BorrowedFd::borrow_raw(descriptor) }
}

/// Makes a descriptor non-blocking.
pub(crate) fn set_nonblocking(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: F_GETFL takes no third argument.
    let flags = check(unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_GETFL) })?;
    let flags = flags | libc::O_NONBLOCK;
    // SAFETY: F_SETFL takes a number.
    let set = check(unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFL, flags) });
    match set {
        // macOS says so of a terminal whose follower nobody has opened yet, and sets it all the same.
        Err(error) if error.raw_os_error() == Some(libc::ENOTTY) => {
            // SAFETY: F_GETFL takes no third argument.
            let now = check(unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_GETFL) })?;
            if now & libc::O_NONBLOCK == 0 {
                return Err(error);
            }
            Ok(())
        }
        result => result.map(drop),
    }
}

/// Closes a descriptor on exec.
pub(crate) fn set_close_on_exec(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: F_SETFD takes a number.
    check(unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) }).map(drop)
}

/// Owns a descriptor that a system call has just made, moved out of the way of standard input,
/// output and error (a worker may run with those closed).
pub(crate) fn own(descriptor: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the caller has just got this descriptor from the system and hands it over.
    let owned = unsafe { OwnedFd::from_raw_fd(descriptor) };
    if descriptor <= libc::STDERR_FILENO {
        // The standard library's copy is never one of the first three, and is closed on exec.
        return owned.try_clone();
    }
    Ok(owned)
}

/// A pipe: reading end and writing end, both closed on exec. Systems that can do this in one step
/// shadow it; here another thread's `exec` in between may inherit it.
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends: [RawFd; 2] = [-1; 2];
    // SAFETY: `ends` has room for two descriptors.
    check(unsafe { libc::pipe(ends.as_mut_ptr()) })?;
    own_pair(ends)
}

/// A pair of connected stream sockets, both closed on exec. See [`pipe`].
pub(crate) fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends: [RawFd; 2] = [-1; 2];
    // SAFETY: `ends` has room for two descriptors.
    let made = unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, ends.as_mut_ptr()) };
    check(made)?;
    own_pair(ends)
}

/// Owns both ends of a new pair and marks them to be closed on exec.
pub(crate) fn own_pair(ends: [RawFd; 2]) -> io::Result<(OwnedFd, OwnedFd)> {
    use std::os::fd::AsFd;
    let (first, second) = (own(ends[0]), own(ends[1]));
    let (first, second) = (first?, second?);
    set_close_on_exec(first.as_fd())?;
    set_close_on_exec(second.as_fd())?;
    Ok((first, second))
}

/// A copy with the lowest number above the standard ones, closed on exec; the original is closed.
pub(crate) fn move_low(descriptor: RawFd) -> io::Result<RawFd> {
    let copy = inherited(descriptor).try_clone_to_owned()?.into_raw_fd();
    if copy > descriptor {
        close_inherited(copy);
        return Ok(descriptor);
    }
    close_inherited(descriptor);
    Ok(copy)
}

/// Looks whether a child has ended, without reaping it: its number stays taken.
pub(crate) fn peek_exit(pid: Pid) -> io::Result<Option<Exit>> {
    let info = peek(libc::P_PID, pid as libc::id_t)?;
    let (found, status) = crate::system::child_in(&info);
    if found == 0 {
        return Ok(None);
    }
    Ok(Some(match info.si_code {
        libc::CLD_EXITED => Exit::Code(status & 0xff),
        _ => Exit::Signal(status),
    }))
}

/// Looks for any child that has ended, without reaping it; its number.
pub(crate) fn peek_any() -> Option<Pid> {
    let info = peek(libc::P_ALL, 0).ok()?;
    let (found, _) = crate::system::child_in(&info);
    (found != 0).then_some(found)
}

/// `waitid(2)` for children that have ended, which are not reaped; all zeros if none has.
fn peek(kind: libc::idtype_t, number: libc::id_t) -> io::Result<libc::siginfo_t> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: `info` has room for one siginfo_t.
    check(unsafe { libc::waitid(kind, number, info.as_mut_ptr(), options) })?;
    // SAFETY: siginfo_t is plain numbers, for which all zeros is a value, and waitid(2) filled it.
    Ok(unsafe { info.assume_init() })
}

/// The number and the status of the child in an answer of waitid(2).
pub(crate) fn child_in(info: &libc::siginfo_t) -> (Pid, libc::c_int) {
    // SAFETY: waitid(2) sets the member for children, or it is zeros.
    let pid = unsafe { info.si_pid() };
    // SAFETY: as above.
    let status = unsafe { info.si_status() };
    (pid, status)
}

/// `waitpid(2)` for one child: true when it has ended and was reaped.
pub(crate) fn reap(pid: Pid, block: bool) -> io::Result<bool> {
    let options = if block { 0 } else { libc::WNOHANG };
    let mut status = 0;
    // SAFETY: `status` has room for one number.
    let found = retry(|| check(unsafe { libc::waitpid(pid, &mut status, options) }))?;
    Ok(found != 0)
}

/// `waitpid(2)` for any child that has ended; its number.
pub(crate) fn reap_any() -> io::Result<Option<Pid>> {
    let mut status = 0;
    // SAFETY: `status` has room for one number.
    let found = retry(|| check(unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) }))?;
    Ok((found != 0).then_some(found))
}

/// A set of all signals.
pub(crate) fn all_signals() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: `set` has room for one set.
    unsafe { libc::sigfillset(set.as_mut_ptr()) };
    // SAFETY: sigfillset(3) has filled it and cannot fail.
    unsafe { set.assume_init() }
}

/// A set of no signals.
pub(crate) fn no_signals() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: `set` has room for one set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: sigemptyset(3) has filled it and cannot fail.
    unsafe { set.assume_init() }
}

/// Takes a signal out of a set.
pub(crate) fn without(mut set: libc::sigset_t, signal: i32) -> libc::sigset_t {
    // SAFETY: `set` is a filled set.
    unsafe { libc::sigdelset(&mut set, signal) };
    set
}

/// Sets which signals this thread blocks; returns the ones before.
pub(crate) fn block_signals(set: &libc::sigset_t) -> libc::sigset_t {
    let mut before = no_signals();
    // SAFETY: both pointers are to filled sets. A wrong `how` is the only possible error.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, set, &mut before) };
    before
}

/// Sets what a signal does; numbers that are no signal are ignored.
pub(crate) fn set_action(signal: i32, handler: libc::sighandler_t, flags: i32) -> io::Result<()> {
    let action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: sigaction is numbers, a set and optional pointers, for which all zeros is a value.
    let mut action = unsafe { action.assume_init() };
    action.sa_sigaction = handler;
    action.sa_mask = no_signals();
    action.sa_flags = flags;
    // SAFETY: `action` is filled; `handler` is SIG_DFL, SIG_IGN or one of this crate's handlers.
    check(unsafe { libc::sigaction(signal, &action, std::ptr::null_mut()) }).map(drop)
}

/// Waits until the descriptor is readable, a signal outside of `blocked` comes, or the time is over.
///
/// # Errors
/// `EINTR` for a signal; `EINVAL` if the descriptor is not below `FD_SETSIZE`.
pub(crate) fn wait_with_signals(
    descriptor: Option<RawFd>,
    timeout: Option<Duration>,
    blocked: &libc::sigset_t,
) -> io::Result<bool> {
    if descriptor.is_some_and(|descriptor| descriptor >= libc::FD_SETSIZE as RawFd) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let mut set = MaybeUninit::<libc::fd_set>::zeroed();
    // SAFETY: `set` has room for one set.
    unsafe { libc::FD_ZERO(set.as_mut_ptr()) };
    if let Some(descriptor) = descriptor {
        // SAFETY: the set is filled, and the number fits.
        unsafe { libc::FD_SET(descriptor, set.as_mut_ptr()) };
    }
    let timeout = timeout.map(|time| timespec(time.as_secs() as i64, time.subsec_nanos()));
    let timeout = timeout
        .as_ref()
        .map_or(std::ptr::null(), std::ptr::from_ref);
    let none = std::ptr::null_mut();
    let highest = descriptor.map_or(0, |descriptor| descriptor + 1);
    // SAFETY: all pointers are null or to filled values that live through the call.
    let ready = unsafe { libc::pselect(highest, set.as_mut_ptr(), none, none, timeout, blocked) };
    Ok(check(ready)? > 0)
}

/// A time as system calls take it.
pub(crate) fn timespec(seconds: i64, nanoseconds: u32) -> libc::timespec {
    // Some systems have padding in it, hence no literal.
    let time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: timespec is plain numbers, for which all zeros is a value.
    let mut time = unsafe { time.assume_init() };
    time.tv_sec = seconds as _;
    time.tv_nsec = nanoseconds as _;
    time
}

/// One more than the highest number a descriptor can have, within reason.
pub(crate) fn descriptor_limit() -> RawFd {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` has room for one limit.
    let found = check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) });
    match found {
        Ok(_) => RawFd::try_from(limit.rlim_cur).map_or(HIGHEST, |limit| limit.min(HIGHEST)),
        Err(_) => HIGHEST,
    }
}

/// Nobody opens more, and closing a billion takes minutes.
const HIGHEST: RawFd = 65536;
