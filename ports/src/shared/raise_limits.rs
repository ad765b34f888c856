//! Soft limits whose defaults are too low for a build, raised to the hard ones: NetBSD, OpenBSD.

use std::mem::MaybeUninit;

use crate::unix::check;

/// In the child of a step: async-signal-safe. Open files (128 by default on NetBSD, 512 on OpenBSD),
/// and the memory of a process (`RLIMIT_DATA`), which is 256 MB on a small NetBSD and 1 to 1.5 GB
/// for the class `default` of OpenBSD.
pub(crate) fn raise_limits() {
    for resource in [libc::RLIMIT_NOFILE, libc::RLIMIT_DATA] {
        let mut limit = MaybeUninit::<libc::rlimit>::zeroed();
        // SAFETY: `limit` has room for one limit.
        if check(unsafe { libc::getrlimit(resource, limit.as_mut_ptr()) }).is_err() {
            continue;
        }
        // SAFETY: rlimit is plain numbers, and getrlimit(2) has filled it.
        let mut limit = unsafe { limit.assume_init() };
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: `limit` is filled.
        unsafe { libc::setrlimit(resource, &limit) };
    }
}
