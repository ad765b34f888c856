//! Memory counted in pages: `_SC_PHYS_PAGES` of sysconf(3), which POSIX does not have but these
//! systems do: FreeBSD, NetBSD, OpenBSD, DragonFly, macOS, illumos, Solaris, Haiku, Hurd.

/// The memory of the machine, in bytes.
pub(crate) fn memory() -> Option<u64> {
    number(libc::_SC_PHYS_PAGES)?.checked_mul(number(libc::_SC_PAGESIZE)?)
}

/// A positive answer of `sysconf(3)`.
fn number(name: libc::c_int) -> Option<u64> {
    // SAFETY: sysconf(3) takes a number.
    let answer = unsafe { libc::sysconf(name) };
    u64::try_from(answer).ok().filter(|answer| *answer > 0)
}
