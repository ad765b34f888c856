//! Turns the bytes of a stream into text, a read at a time (PROTOCOL 6.2.6).

use std::borrow::Cow;
use std::str;

/// A UTF-8 decoder that waits for the rest of a character and shows what is not UTF-8 as U+FFFD,
/// one for each maximal beginning of a character, as Python's incremental decoder does.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// The beginning of a character, at most three bytes.
    held: Vec<u8>,
}

impl Decoder {
    /// The text that these bytes complete. Does not copy what is valid.
    pub(super) fn push<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, str> {
        if self.held.is_empty() {
            match str::from_utf8(bytes) {
                Ok(text) => return Cow::Borrowed(text),
                Err(error) if error.error_len().is_none() => {
                    let (valid, beginning) = bytes.split_at(error.valid_up_to());
                    self.held.extend_from_slice(beginning);
                    return Cow::Borrowed(valid_text(valid));
                }
                Err(_) => return Cow::Owned(self.replacing(bytes)),
            }
        }
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        Cow::Owned(self.replacing(&all))
    }

    /// The stream is over: an unfinished character is shown as U+FFFD. (The Python worker drops
    /// it.)
    pub(super) fn finish(&mut self) -> &'static str {
        if self.held.is_empty() {
            return "";
        }
        self.held.clear();
        "\u{FFFD}"
    }

    fn replacing(&mut self, mut bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        loop {
            let error = match str::from_utf8(bytes) {
                Ok(valid) => {
                    text.push_str(valid);
                    return text;
                }
                Err(error) => error,
            };
            let (valid, after) = bytes.split_at(error.valid_up_to());
            text.push_str(valid_text(valid));
            let Some(length) = error.error_len() else {
                self.held.extend_from_slice(after);
                return text;
            };
            text.push(char::REPLACEMENT_CHARACTER);
            bytes = &after[length..];
        }
    }
}

/// Bytes that were found to be valid.
fn valid_text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the decoder makes of these reads, its end included.
    fn decoded(reads: &[&[u8]]) -> String {
        let mut decoder = Decoder::default();
        let mut text: String = reads
            .iter()
            .map(|read| decoder.push(read).into_owned())
            .collect();
        text.push_str(decoder.finish());
        text
    }

    #[test]
    fn characters_cut_by_reads_are_put_together() {
        let text = "aé€😀z";
        let bytes = text.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let reads = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(decoded(&reads), text);
            }
        }
    }

    #[test]
    fn what_is_not_utf8_is_replaced_as_python_does_it() {
        for (bytes, text) in [
            (&b"\xff\xfe caf\xc3\xa9"[..], "\u{FFFD}\u{FFFD} café"),
            // A surrogate, an overlong form, a number too large: one each byte.
            (b"\xed\xa0\x80", "\u{FFFD}\u{FFFD}\u{FFFD}"),
            (b"\xc0\xaf", "\u{FFFD}\u{FFFD}"),
            (b"\xf4\x90\x80\x80", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
            // A beginning that is broken off: one for all of it.
            (b"\xf0\x9f\x98x", "\u{FFFD}x"),
            (b"\xe2\x82\xe2\x82\xac", "\u{FFFD}€"),
        ] {
            assert_eq!(decoded(&[bytes]), text);
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(decoded(&single), text, "byte by byte");
        }
    }

    #[test]
    fn an_unfinished_character_at_the_end_is_shown_once() {
        assert_eq!(decoded(&[b"a\xf0\x9f\x98"]), "a\u{FFFD}");
        assert_eq!(decoded(&[b"a\xf0", b"\x9f"]), "a\u{FFFD}");
    }

    #[test]
    fn valid_text_is_not_copied() {
        let mut decoder = Decoder::default();
        assert!(matches!(decoder.push("é".as_bytes()), Cow::Borrowed("é")));
        assert!(matches!(decoder.push(b"a\xc3"), Cow::Borrowed("a")));
    }
}
