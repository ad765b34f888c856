//! Pseudo terminals made of STREAMS, which are terminals only once the modules `ptem` and `ldterm`
//! were pushed: pts(4D), ptem(4M), ldterm(4M) of illumos and Solaris. Newer systems push them by
//! themselves (illumos since 2020).

use std::io;
use std::os::fd::RawFd;

use crate::unix::check;

/// In the child: pushes what is missing, then as everywhere.
pub(crate) fn take_terminal(follower: RawFd) -> io::Result<()> {
    // `I_FIND` of streamio(4I): 1 if the module is there.
    // SAFETY: I_FIND takes the name of a module, which ends with NUL.
    let found = check(unsafe { libc::ioctl(follower, libc::I_FIND, c"ldterm".as_ptr()) })?;
    if found == 0 {
        for module in [c"ptem", c"ldterm"] {
            // `I_PUSH` would make it the controlling terminal, which cannot be done again below.
            // SAFETY: __I_PUSH_NOCTTY takes the name of a module, which ends with NUL.
            check(unsafe { libc::ioctl(follower, libc::__I_PUSH_NOCTTY, module.as_ptr()) })?;
        }
    }
    crate::unix::take_terminal(follower)
}
