//! What the processes of steps are held to, set once and applied in each child.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use super::raw::check;
use crate::StepLimits;

static NICE: AtomicI32 = AtomicI32::new(0);
static CORE_IS_SET: AtomicBool = AtomicBool::new(false);
/// In bytes. Not every processor has atomic numbers of 64 bits; what does not fit is no limit.
static CORE: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn prepare_for_steps(limits: StepLimits) {
    NICE.store(i32::from(limits.nice), Ordering::Relaxed);
    let core = usize::try_from(limits.core.unwrap_or(0)).unwrap_or(usize::MAX);
    CORE.store(core, Ordering::Relaxed);
    CORE_IS_SET.store(limits.core.is_some(), Ordering::Relaxed);
    crate::system::protect_worker();
}

/// In the child of a step: async-signal-safe. What the system refuses stays as it is.
pub(crate) fn apply_limits() {
    let nice = NICE.load(Ordering::Relaxed);
    if nice > 0 {
        // SAFETY: nice(3p) takes a number. It is not in POSIX's list of async-signal-safe
        // functions, but it is one system call on every system here.
        unsafe { libc::nice(nice) };
    }
    if CORE_IS_SET.load(Ordering::Relaxed) {
        limit_core(CORE.load(Ordering::Relaxed));
    }
    crate::system::raise_limits();
    crate::system::expose_step();
}

/// Sets the soft limit of core files, to the hard one at most.
fn limit_core(bytes: usize) {
    let mut limit = MaybeUninit::<libc::rlimit>::zeroed();
    // SAFETY: `limit` has room for one limit.
    if check(unsafe { libc::getrlimit(libc::RLIMIT_CORE, limit.as_mut_ptr()) }).is_err() {
        return;
    }
    // SAFETY: rlimit is plain numbers, and getrlimit(2) has filled it.
    let mut limit = unsafe { limit.assume_init() };
    let most = limit.rlim_max;
    limit.rlim_cur = match libc::rlim_t::try_from(bytes) {
        Ok(wanted) if bytes != usize::MAX => wanted.min(most),
        Ok(_) | Err(_) => most,
    };
    // SAFETY: `limit` is filled.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &limit) };
}

/// Makes it less likely that the worker is killed when memory runs out, where the system can.
pub(crate) fn protect_worker() {}

/// In the child: makes it likelier that the step is killed in place of the worker. Async-signal-safe.
pub(crate) fn expose_step() {}

/// In the child: raises limits that are too low for a build by default. Async-signal-safe.
pub(crate) fn raise_limits() {}
