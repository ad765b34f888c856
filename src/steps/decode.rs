//! Turns the bytes of a stream into text, a read at a time (PROTOCOL 6.2.6).

use std::borrow::Cow;
use std::str;

use super::encoding::{Reading, TextEncoding};

/// A decoder that waits for the rest of a character and shows what is no text as U+FFFD. UTF-8 shows
/// one for each maximal beginning of a character, as Python's incremental decoder does; so do the
/// codings of one byte a character.
pub(super) struct Decoder(Kind);

enum Kind {
    Utf8(Utf8),
    /// What the bytes from 0x80 on mean.
    Single(Box<[char; 128]>),
    Multiple(Reading),
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder::new(TextEncoding::Utf8)
    }
}

impl Decoder {
    /// A decoder that has read nothing.
    // Without the feature, there is no value of some types.
    #[cfg_attr(not(feature = "encodings"), allow(unreachable_code))]
    pub(super) fn new(encoding: TextEncoding) -> Decoder {
        Decoder(match encoding {
            TextEncoding::Utf8 => Kind::Utf8(Utf8::default()),
            TextEncoding::Ascii | TextEncoding::Latin1 | TextEncoding::Single { .. } => {
                Kind::Single(encoding.upper_half())
            }
            TextEncoding::Multiple(coding) => Kind::Multiple(Reading::new(coding)),
        })
    }

    /// The text that these bytes complete. Does not copy what is valid UTF-8.
    pub(super) fn push<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, str> {
        match &mut self.0 {
            Kind::Utf8(utf8) => utf8.push(bytes),
            Kind::Single(upper) => single(upper, bytes),
            Kind::Multiple(reading) => Cow::Owned(reading.push(bytes)),
        }
    }

    /// The stream is over: an unfinished character is shown as U+FFFD. (The Python worker drops
    /// it.) What comes afterwards is a new stream.
    pub(super) fn finish(&mut self) -> Cow<'static, str> {
        match &mut self.0 {
            Kind::Utf8(utf8) => Cow::Borrowed(utf8.finish()),
            Kind::Single(_) => Cow::Borrowed(""),
            Kind::Multiple(reading) => Cow::Owned(reading.finish()),
        }
    }
}

fn single<'a>(upper: &[char; 128], bytes: &'a [u8]) -> Cow<'a, str> {
    if bytes.is_ascii() {
        return Cow::Borrowed(valid_text(bytes));
    }
    let meaning = |&byte: &u8| match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(index) => upper[usize::from(index)],
    };
    Cow::Owned(bytes.iter().map(meaning).collect())
}

/// UTF-8.
#[derive(Debug, Default)]
struct Utf8 {
    /// The beginning of a character, at most three bytes.
    held: Vec<u8>,
}

impl Utf8 {
    fn push<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, str> {
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

    fn finish(&mut self) -> &'static str {
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
        decoded_as("utf-8", reads)
    }

    fn decoded_as(encoding: &str, reads: &[&[u8]]) -> String {
        let mut decoder = Decoder::new(TextEncoding::named(encoding).unwrap());
        let mut text: String = reads
            .iter()
            .map(|read| decoder.push(read).into_owned())
            .collect();
        text.push_str(&decoder.finish());
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

    #[cfg(feature = "encodings")]
    #[test]
    fn other_codings_mean_what_they_mean_in_python() {
        for (encoding, bytes, text) in [
            (
                "latin-1",
                &b"caf\xe9 \x80\x85\xff"[..],
                "café \u{80}\u{85}ÿ",
            ),
            ("cp1252", b"caf\xe9 \x80\x81\x9f", "café €\u{fffd}Ÿ"),
            ("ascii", b"caf\xc3\xa9", "caf\u{fffd}\u{fffd}"),
            ("iso8859-15", b"\xa4\x80", "€\u{80}"),
            ("iso8859-9", b"\xd0\x80", "Ğ\u{80}"),
            ("cp1251", b"\xcf\xf0\x98", "Пр\u{fffd}"),
            ("koi8-r", b"\xf0\xd2", "Пр"),
            ("euc-jp", b"a\xc6\xfc\xcb\xdc\n", "a日本\n"),
            ("shift_jis", b"\x93\xfa\x96\x7b", "日本"),
            ("iso2022_jp", b"a\x1b$BF|\x1b(Bb", "a日b"),
            ("gbk", b"\xc4\xe3", "你"),
            ("big5", b"\xa7\x41", "你"),
            ("euc-kr", b"\xb0\xa1", "가"),
            ("euc-jp", b"a\xc6", "a\u{fffd}"),
        ] {
            assert_eq!(decoded_as(encoding, &[bytes]), text, "{encoding}");
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(
                decoded_as(encoding, &single),
                text,
                "{encoding}, byte by byte"
            );
        }
    }

    #[cfg(feature = "encodings")]
    #[test]
    fn a_new_stream_begins_after_the_end_of_the_old_one() {
        let mut decoder = Decoder::new(TextEncoding::named("euc-jp").unwrap());
        assert_eq!(decoder.push(b"a\xc6"), "a");
        assert_eq!(decoder.finish(), "\u{fffd}");
        assert_eq!(decoder.finish(), "");
        assert_eq!(decoder.push(b"\xc6\xfc"), "日");
    }
}
