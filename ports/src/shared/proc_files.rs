//! Files of `/proc` that are named after processes (proc(5)), read with async-signal-safe calls only
//! and without memory.

use std::ffi::CStr;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use crate::unix::{Pid, check, retry};

/// `open(2)` for reading, closed on exec. Async-signal-safe.
pub(crate) fn open(path: &CStr, flags: i32) -> io::Result<OwnedFd> {
    let flags = libc::O_RDONLY | libc::O_CLOEXEC | flags;
    // SAFETY: `path` ends with NUL; the flags need no mode.
    let descriptor = retry(|| check(unsafe { libc::open(path.as_ptr(), flags) }))?;
    // SAFETY: it was just opened and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Room for the longest path here.
pub(crate) const PATH_ROOM: usize = 64;

/// The path of these parts, in the given buffer; none if it does not fit. NUL bytes are left out.
pub(crate) fn path_of<'a>(parts: &[&[u8]], path: &'a mut [u8; PATH_ROOM]) -> Option<&'a CStr> {
    let mut places = path.iter_mut();
    let bytes = parts.iter().flat_map(|part| part.iter());
    for byte in bytes.filter(|byte| **byte != 0).chain([&0]) {
        *places.next()? = *byte;
    }
    CStr::from_bytes_until_nul(path).ok()
}

/// The digits of a number, with NUL bytes before them.
pub(crate) fn digits(pid: Pid) -> [u8; 10] {
    let mut digits = [0; 10];
    let mut rest = pid.unsigned_abs();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    digits
}

/// The number that a text (up to its NUL) is; none if it is anything else.
pub(crate) fn leading_number(text: &[u8]) -> Option<Pid> {
    let text = text.split(|byte| *byte == 0).next()?;
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        text.iter()
            .fold(0, |number, digit| with_digit(number, *digit)),
    )
}

/// One more digit at the end of a number.
pub(crate) fn with_digit(number: Pid, digit: u8) -> Pid {
    number
        .wrapping_mul(10)
        .wrapping_add(Pid::from(digit.wrapping_sub(b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_of_a_process_is_made_without_memory() {
        for pid in [0, 1, 10, 4711, Pid::MAX] {
            let mut path = [0; PATH_ROOM];
            let made = path_of(&[b"/proc/", &digits(pid), b"/stat"], &mut path);
            let made = made.and_then(|path| path.to_str().ok());
            assert_eq!(made, Some(&*format!("/proc/{pid}/stat")));
        }
        assert_eq!(path_of(&[&[b'x'; PATH_ROOM]], &mut [0; PATH_ROOM]), None);
    }
}
