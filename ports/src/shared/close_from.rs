//! `closefrom(2)`: closes every descriptor from one number on, in one call of the kernel. FreeBSD 8,
//! NetBSD 3, OpenBSD 3.5, DragonFly 1.2. (illumos has one too, in its library, which is not said to
//! be async-signal-safe.)

use std::os::fd::RawFd;

use crate::unix::close_inherited;

/// In the monitor: closes every descriptor other than the first three and these two.
pub(crate) fn close_all_except(first: RawFd, second: RawFd) {
    let (low, high) = (first.min(second), first.max(second));
    for descriptor in (3..high).filter(|descriptor| *descriptor != low) {
        close_inherited(descriptor);
    }
    // SAFETY: closefrom(2) takes a number; only the monitor, where no owner is left, calls this.
    unsafe { libc::closefrom(high + 1) };
}
