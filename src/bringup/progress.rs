//! The progress of CPython's test runner, as it prints it: how many files of how many, and what
//! became of each.

/// One line of progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Files that are done, this one among them.
    pub done: u32,
    /// All files.
    pub total: u32,
    /// Files that have failed so far.
    pub failed: u32,
    /// The file, as `test_json`.
    pub test: &'a str,
    /// What became of it: `passed`, `failed (2 errors)`; empty if it has only begun.
    pub state: &'a str,
}

/// Reads a line such as `0:00:27 load avg: 5.99 [ 9/11/1] test_json failed (2 errors)`
/// (Lib/test/libregrtest of CPython 3.8 to 3.15). None for any other line.
pub fn progress(line: &str) -> Option<Progress<'_>> {
    let line = line.trim_end();
    let (clock, _) = line.split_once(' ')?;
    if !is_clock(clock) {
        return None;
    }
    let (_, rest) = line.split_once('[')?;
    let (counts, rest) = rest.split_once(']')?;
    let mut counts = counts.split('/').map(|count| count.trim().parse().ok());
    let (done, total) = (counts.next()??, counts.next()??);
    let failed = match counts.next() {
        None => 0,
        Some(failed) => failed?,
    };
    if counts.next().is_some() || done > total {
        return None;
    }
    let rest = rest.trim_start();
    let (test, state) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if test.is_empty() || !test.chars().all(is_name) {
        return None;
    }
    Some(Progress {
        done,
        total,
        failed,
        test,
        state: state.trim(),
    })
}

/// `0:00:27`.
fn is_clock(text: &str) -> bool {
    let mut parts = 0;
    for part in text.split(':') {
        parts += 1;
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
    }
    parts == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(u32, u32, u32, &str, &str)> {
        progress(line).map(|found| {
            let Progress {
                done,
                total,
                failed,
                test,
                state,
            } = found;
            (done, total, failed, test, state)
        })
    }

    #[test]
    fn lines_of_the_runner_are_read() {
        assert_eq!(
            read("0:00:22 load avg: 5.81 [ 5/11] test_tix skipped (resource denied)"),
            Some((5, 11, 0, "test_tix", "skipped (resource denied)"))
        );
        assert_eq!(
            read("0:00:27 load avg: 5.99 [ 9/11/1] test_x failed (1 error, 2 failures)\n"),
            Some((9, 11, 1, "test_x", "failed (1 error, 2 failures)"))
        );
        // Python 3.14 tells the memory; a sequential run tells the beginnings.
        assert_eq!(
            read(
                "0:00:03 load avg: 1.02 mem: 1.1 GiB [ 1/478] test.test_asyncio.test_events passed"
            ),
            Some((1, 478, 0, "test.test_asyncio.test_events", "passed"))
        );
        assert_eq!(
            read("0:00:00 [1/2] test_json"),
            Some((1, 2, 0, "test_json", ""))
        );
    }

    #[test]
    fn other_lines_are_not() {
        for line in [
            "",
            "0:00:00 load avg: 4.53 Run tests in parallel using 2 child processes",
            "test_struct [1/2] passed",
            "0:00 load avg: 1 [1/2] test_x passed",
            "0:00:01 load avg: 1 [3/2] test_x passed",
            "0:00:01 load avg: 1 [1/2/3/4] test_x passed",
            "0:00:01 load avg: 1 [1/99999999999] test_x passed",
            "0:00:01 load avg: 1 [1/2] <b>",
            "0:00:29 load avg: 5.99 Re-running test_x in verbose mode (matching: [1/2])",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
