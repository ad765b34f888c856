//! The contract of a step: made by the monitor's fork from a template (libcontract(3LIB)), and
//! killed as a whole by sigsend(2). The monitor is not in it.

use std::ffi::CStr;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
use std::time::Duration;

use super::proc;
use crate::Containment;
use crate::unix::{
    Pid, all_signals, close_inherited, exit_now, inherited, read, wait_with_signals,
};

const TEMPLATE: &CStr = c"/system/contract/process/template";
/// `CT_PR_NOORPHAN`: the kernel kills the members when nobody holds the contract any more.
const NO_ORPHANS: libc::c_uint = 0x2;
/// `CT_PR_EV_HWERR`: the only event that kills all members. The dying of one is no reason to.
const HARDWARE_ERROR: libc::c_uint = 0x20;
/// `P_CTID` of `<sys/procset.h>`.
const OF_CONTRACT: libc::c_int = 13;

/// Pauses between two looks at whether anybody is left.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

// The libc crate does not have these. The first five only make one ioctl(2).
#[link(name = "contract")]
unsafe extern "C" {
    /// ct_pr_tmpl_set_fatal(3CONTRACT).
    fn ct_pr_tmpl_set_fatal(template: libc::c_int, events: libc::c_uint) -> libc::c_int;
    /// ct_pr_tmpl_set_param(3CONTRACT).
    fn ct_pr_tmpl_set_param(template: libc::c_int, parameters: libc::c_uint) -> libc::c_int;
    /// ct_tmpl_set_critical(3CONTRACT).
    fn ct_tmpl_set_critical(template: libc::c_int, events: libc::c_uint) -> libc::c_int;
    /// ct_tmpl_set_informative(3CONTRACT).
    fn ct_tmpl_set_informative(template: libc::c_int, events: libc::c_uint) -> libc::c_int;
    /// ct_tmpl_activate(3CONTRACT).
    fn ct_tmpl_activate(template: libc::c_int) -> libc::c_int;
}

unsafe extern "C" {
    /// sigsend(2).
    fn sigsend(kind: libc::c_int, id: libc::id_t, signal: libc::c_int) -> libc::c_int;
}

/// Where the child leaves the number of its contract for the monitor: in memory that both have.
static NOTE: AtomicPtr<AtomicI32> = AtomicPtr::new(ptr::null_mut());

/// Contracts are there unless `/system/contract` is not mounted, as in a bare chroot.
pub(crate) fn containment() -> Containment {
    match with_template(set_terms) {
        Some(true) => Containment::Everything,
        Some(false) | None => Containment::ProcessGroup,
    }
}

/// In the monitor: what it forks next is in a contract of its own.
pub(crate) fn become_reaper() {
    with_template(|template| {
        if make_note().is_some() && set_terms(template) {
            // SAFETY: takes an open template.
            unsafe { ct_tmpl_activate(template) };
        }
    });
}

/// Opens the template for a moment. With no flag more than these: it is refused else (EINVAL).
fn with_template<T>(then: impl FnOnce(RawFd) -> T) -> Option<T> {
    // SAFETY: TEMPLATE ends with NUL; the flags need no mode.
    let template = unsafe { libc::open(TEMPLATE.as_ptr(), libc::O_RDWR) };
    if template < 0 {
        return None;
    }
    let result = then(template);
    close_inherited(template);
    Some(result)
}

/// Sets the terms of a template; whether that could be done.
fn set_terms(template: RawFd) -> bool {
    // SAFETY: takes an open template and a number.
    let fatal = unsafe { ct_pr_tmpl_set_fatal(template, HARDWARE_ERROR) };
    // SAFETY: as above.
    let orphans = unsafe { ct_pr_tmpl_set_param(template, NO_ORPHANS) };
    // SAFETY: as above.
    let critical = unsafe { ct_tmpl_set_critical(template, 0) };
    // SAFETY: as above.
    let informative = unsafe { ct_tmpl_set_informative(template, 0) };
    [fatal, orphans, critical, informative] == [0; 4]
}

/// Makes the memory for the number; none if there is no more.
fn make_note() -> Option<()> {
    let (access, kind) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_SHARED | libc::MAP_ANON,
    );
    let size = size_of::<AtomicI32>();
    // SAFETY: a new mapping, at a place of the kernel's choice.
    let place = unsafe { libc::mmap(ptr::null_mut(), size, access, kind, -1, 0) };
    if place == libc::MAP_FAILED {
        return None;
    }
    NOTE.store(place.cast(), Ordering::SeqCst);
    Some(())
}

/// The number, once the child has left it.
fn note() -> Option<&'static AtomicI32> {
    let place = NOTE.load(Ordering::SeqCst);
    // SAFETY: null, or the mapping from above, which stays and has begun as zeros.
    unsafe { place.as_ref() }
}

/// In the child: tells the monitor the number of the contract. Whoever kills the monitor has the
/// kernel kill the contract.
pub(crate) fn before_exec(monitor: Pid) {
    // SAFETY: getppid(2) takes nothing and cannot fail.
    if unsafe { libc::getppid() } != monitor {
        exit_now(127);
    }
    let Some(note) = note() else { return };
    // SAFETY: the path ends with NUL; the flags need no mode.
    let file = unsafe {
        libc::open(
            c"/proc/self/psinfo".as_ptr(),
            libc::O_RDONLY | libc::O_CLOEXEC,
        )
    };
    if file < 0 {
        return;
    }
    let mut bytes = [0; proc::SIZE];
    if read(inherited(file), &mut bytes).is_ok_and(|count| count == bytes.len()) {
        if let Some(contract) = proc::int(&bytes, proc::CONTRACT) {
            note.store(contract, Ordering::SeqCst);
        }
    }
    close_inherited(file);
}

/// In the monitor: kills all members of the contract. They are not its children, so it waits for them
/// here; what cannot be killed yet keeps it waiting.
pub(crate) fn kill_children(_round: u32) {
    let contract = note().map_or(0, |note| note.load(Ordering::SeqCst));
    if contract <= 0 {
        return;
    }
    let mut pause = SHORTEST_PAUSE;
    // It fails when nobody is in it any more, or only who may not be killed by us.
    // SAFETY: sigsend(2) takes numbers.
    while unsafe { sigsend(OF_CONTRACT, contract as libc::id_t, libc::SIGKILL) } == 0 {
        let _ = wait_with_signals(None, Some(pause), &all_signals());
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}
