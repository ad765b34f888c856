//! Memory: how much there is for us, and who is killed when it runs out (proc(5), cgroups(7)).

use std::fs;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::unix::{close_inherited, inherited, write};

/// The lesser of the machine's memory and the limits of the control groups that we are in, in bytes.
pub(crate) fn memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let total = kilobytes(&text, "MemTotal:")?.checked_mul(1024)?;
    Some(total.min(group_limit().unwrap_or(u64::MAX)))
}

/// The number behind this word in `/proc/meminfo`.
fn kilobytes(text: &str, word: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(word))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// The least limit of our control group and of those above it; of version 2 (`memory.max`), or of
/// version 1 as a container shows it.
fn group_limit() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mut least = limit_in("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mut path = path.trim_end_matches('/');
    loop {
        let limit = limit_in(&format!("/sys/fs/cgroup{path}/memory.max"));
        least = [least, limit].into_iter().flatten().min();
        match path.rfind('/') {
            Some(end) => path = path.get(..end).unwrap_or(""),
            None => return least,
        }
    }
}

/// The number in a file; none for `max` and for no file.
fn limit_in(file: &str) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Of the process that is killed when memory runs out: -1000 (never) to 1000 (first).
const SCORE: &str = "/proc/self/oom_score_adj";
/// By how much the worker is less likely than it would be; only the superuser may do that.
const LESS: i32 = 500;
/// By how much a step is likelier: as if it took so many thousandths of all memory more.
const MORE: i32 = 200;

/// The score of steps; none yet, outside of what is possible.
static STEP_SCORE: AtomicI32 = AtomicI32::new(i32::MAX);

pub(crate) fn protect_worker() {
    if STEP_SCORE.load(Ordering::Relaxed) != i32::MAX {
        // The worker is protected already.
        return;
    }
    let Ok(Ok(score)) = fs::read_to_string(SCORE).map(|text| text.trim().parse::<i32>()) else {
        return;
    };
    let _ = fs::write(SCORE, (score - LESS).max(-1000).to_string());
    STEP_SCORE.store((score + MORE).min(1000), Ordering::Relaxed);
}

/// In the child of a step: async-signal-safe.
pub(crate) fn expose_step() {
    let score = STEP_SCORE.load(Ordering::Relaxed);
    if score == i32::MAX {
        return;
    }
    let path = c"/proc/self/oom_score_adj";
    // SAFETY: `path` ends with NUL; the flags need no mode.
    let file = unsafe { libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return;
    }
    let mut room = [0; 8];
    let _ = write(inherited(file), decimal(score, &mut room));
    close_inherited(file);
}

/// A number as text, without asking for memory.
fn decimal(number: i32, room: &mut [u8; 8]) -> &[u8] {
    let mut rest = number.unsigned_abs();
    let mut begin = room.len();
    for place in room.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        begin -= 1;
        if rest == 0 {
            break;
        }
    }
    if number < 0 && begin > 0 {
        begin -= 1;
        if let Some(place) = room.get_mut(begin) {
            *place = b'-';
        }
    }
    room.get(begin..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_texts() {
        for number in [0, 7, 10, 200, 1000, -1, -1000] {
            assert_eq!(decimal(number, &mut [0; 8]), number.to_string().as_bytes());
        }
    }

    #[test]
    fn steps_are_killed_before_the_worker_when_memory_runs_out() {
        crate::prepare_for_steps(crate::StepLimits::default());
        let mut process = crate::start(&crate::ProcessSpec {
            words: &["/bin/cat".into(), SCORE.into()],
            env: &[],
            directory: std::path::Path::new("/"),
            terminal: false,
        })
        .unwrap();
        let mut output = process.take_stdout().unwrap();
        let mut buffer = [0; 32];
        let mut text = Vec::new();
        loop {
            match output.read(&mut buffer).unwrap() {
                crate::Read::Bytes(count) => text.extend_from_slice(&buffer[..count]),
                crate::Read::NotYet => {
                    crate::wait(&[crate::Source::Readable(&output)], None).unwrap();
                }
                crate::Read::End => break,
            }
        }
        let theirs: i32 = String::from_utf8(text).unwrap().trim().parse().unwrap();
        let ours: i32 = fs::read_to_string(SCORE).unwrap().trim().parse().unwrap();
        assert!(theirs > ours || ours == 1000, "{theirs} and {ours}");
    }

    #[test]
    fn memory_is_found_in_the_text_of_the_kernel() {
        let text = "MemTotal:       24605232 kB\nMemFree:    5 kB\n";
        assert_eq!(kilobytes(text, "MemTotal:"), Some(24_605_232));
        assert_eq!(kilobytes(text, "MemFree:"), Some(5));
        assert_eq!(kilobytes(text, "SwapTotal:"), None);
        assert_eq!(kilobytes("MemTotal: many kB", "MemTotal:"), None);
    }
}
