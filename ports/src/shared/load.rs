//! `getloadavg(3)`: the BSDs, macOS, Solaris 10, glibc and musl.

/// The load over 1, 5 and 15 minutes.
pub(crate) fn load() -> Option<[f64; 3]> {
    let mut load = [0.0; 3];
    // SAFETY: `load` has room for three numbers.
    let count = unsafe { libc::getloadavg(load.as_mut_ptr(), 3) };
    (count == 3).then_some(load)
}
