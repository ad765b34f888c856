//! Finding an entry in what the kernel shows of a process's environment. No memory, no panics.

/// Looks for an entry among texts that NUL bytes separate, which may come in pieces.
pub(crate) struct Matcher<'a> {
    entry: &'a [u8],
    /// So many bytes of this text are the entry's; none if it is another text.
    same: Option<usize>,
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(entry: &'a [u8]) -> Matcher<'a> {
        let same = Some(0);
        Matcher { entry, same }
    }

    /// Takes the next piece; whether the entry has ended in it.
    pub(crate) fn take(&mut self, piece: &[u8]) -> bool {
        for byte in piece {
            if *byte == 0 {
                if self.whole() {
                    return true;
                }
                self.same = Some(0);
            } else {
                let expected = self.same.and_then(|same| self.entry.get(same));
                self.same = match expected == Some(byte) {
                    true => self.same.map(|same| same + 1),
                    false => None,
                };
            }
        }
        false
    }

    /// Whether the text so far is the entry; the last one may lack its NUL.
    pub(crate) fn whole(&self) -> bool {
        self.same == Some(self.entry.len())
    }
}

/// Whether the entry is one of these texts.
pub(crate) fn contains(texts: &[u8], entry: &[u8]) -> bool {
    let mut matcher = Matcher::new(entry);
    matcher.take(texts) || matcher.whole()
}

/// What follows the arguments in an answer of macOS (`KERN_PROCARGS2`): the number of arguments, the
/// path of the program, one or more NUL bytes, the arguments, the environment, and texts of the
/// system's own.
pub(crate) fn after_arguments(answer: &[u8]) -> Option<&[u8]> {
    let (count, rest) = answer.split_first_chunk()?;
    let count = u32::from_ne_bytes(*count);
    let path = rest.iter().position(|byte| *byte == 0)?;
    let rest = rest.get(path..)?;
    let mut rest = rest.get(rest.iter().position(|byte| *byte != 0)?..)?;
    for _ in 0..count {
        let end = rest.iter().position(|byte| *byte == 0)?;
        rest = rest.get(end + 1..)?;
    }
    Some(rest)
}

/// What follows the pointers in an answer of OpenBSD (`KERN_PROC_ENV`), which was written to
/// `address`: pointers into itself, the last one null, and then the texts. None if there are no texts.
pub(crate) fn after_pointers(answer: &[u8], address: usize) -> Option<&[u8]> {
    let first = usize::from_ne_bytes(*answer.first_chunk()?);
    answer.get(first.checked_sub(address)?..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_is_found_whole_and_only_whole() {
        for texts in [
            "A=1\0",
            "A=1",
            "B=2\0A=1\0C=3\0",
            "AA=1\0\0A=1\0",
            "A=\0A=1",
        ] {
            assert!(contains(texts.as_bytes(), b"A=1"), "{texts:?}");
        }
        for texts in ["", "\0", "A=12\0", "BA=1\0", "A=\0", "A\0=1\0", "B=A=1\0"] {
            assert!(!contains(texts.as_bytes(), b"A=1"), "{texts:?}");
        }
    }

    #[test]
    fn entry_in_pieces_is_found() {
        let texts = b"B=2\0A=1\0C=3\0";
        for cut in 0..texts.len() {
            let mut matcher = Matcher::new(b"A=1");
            let (first, second) = texts.split_at(cut);
            assert!(matcher.take(first) || matcher.take(second), "{cut}");
        }
    }

    #[test]
    fn arguments_are_no_environment() {
        let answer = |count: u32, texts: &str| [&count.to_ne_bytes(), texts.as_bytes()].concat();
        let whole = answer(2, "/bin/sh\0\0\0\0sh\0A=1\0B=2\0C=3\0\0ptr=\0");
        let environment = after_arguments(&whole).unwrap();
        assert!(environment.starts_with(b"B=2\0C=3\0"));
        assert!(!contains(environment, b"A=1") && contains(environment, b"C=3"));
        for torn in [
            answer(2, ""),
            answer(2, "/bin/sh"),
            answer(2, "/bin/sh\0\0"),
            answer(2, "/bin/sh\0\0sh\0"),
            answer(u32::MAX, "/bin/sh\0\0sh\0A=1\0"),
            vec![1, 0],
        ] {
            assert_eq!(after_arguments(&torn), None, "{torn:?}");
        }
    }

    #[test]
    fn pointers_are_no_texts() {
        let answer = |first: usize| {
            let mut answer = first.to_ne_bytes().to_vec();
            answer.extend(0_usize.to_ne_bytes());
            answer.extend(b"A=1\0");
            answer
        };
        let texts = 2 * size_of::<usize>();
        let whole = answer(0x1000 + texts);
        assert_eq!(after_pointers(&whole, 0x1000), Some(b"A=1\0".as_slice()));
        for first in [0, 0xfff, 0x1000 + texts + 5, usize::MAX] {
            assert_eq!(after_pointers(&answer(first), 0x1000), None, "{first}");
        }
        assert_eq!(after_pointers(&[], 0), None);
    }
}
