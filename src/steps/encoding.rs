//! The coding of a worker's texts on this machine: what programs print, and the words they are given
//! (`unicode_encoding` in `buildbot.tac`; PROTOCOL 6.2.3, 6.2.6).

#[cfg_attr(feature = "encodings", path = "encoding/tables.rs")]
#[cfg_attr(not(feature = "encodings"), path = "encoding/none.rs")]
mod tables;

pub(super) use tables::{Coding, Reading};

/// A coding of text by its Python name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextEncoding {
    /// UTF-8, the rule.
    #[default]
    Utf8,
    /// Bytes from 0x80 on mean nothing.
    Ascii,
    /// Every byte is the character of that number, as Python's `latin-1` has it. (The web's coding of
    /// that name is another one.)
    Latin1,
    /// One byte a character, the upper half from a table.
    Single {
        /// Where the table comes from.
        table: Coding,
        /// Whether the bytes 0x80 to 0x9f are control characters. If not, those of them that the table
        /// takes for such mean nothing.
        controls: bool,
    },
    /// Several bytes a character.
    Multiple(Coding),
}

/// A character that a coding does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unencodable(pub char);

impl TextEncoding {
    /// The coding that Python knows by this name, in any of the spellings that Python takes. None if
    /// Python has none of that name, or programs cannot be given words in it, such as UTF-16.
    pub fn named(name: &str) -> Option<TextEncoding> {
        let plain = plain_name(name);
        match plain.as_str() {
            "utf_8" | "utf8" | "u8" | "utf" | "cp65001" => return Some(TextEncoding::Utf8),
            "ascii" | "us_ascii" | "646" | "ansi_x3_4_1968" | "ansi_x3_4_1986" | "cp367"
            | "ibm367" | "iso646_us" | "iso_646_irv_1991" | "csascii" => {
                return Some(TextEncoding::Ascii);
            }
            "latin_1" | "latin1" | "latin" | "l1" | "8859" | "iso8859" | "iso8859_1"
            | "iso_8859_1" | "8859_1" | "cp819" | "ibm819" => return Some(TextEncoding::Latin1),
            _ => {}
        }
        tables::named(&plain)
    }

    /// The bytes of a text.
    ///
    /// # Errors
    /// The first character that the coding does not have.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, Unencodable> {
        if self == TextEncoding::Utf8 || text.is_ascii() && !self.changes_ascii() {
            return Ok(text.as_bytes().to_vec());
        }
        match self {
            TextEncoding::Utf8 => Ok(text.as_bytes().to_vec()),
            TextEncoding::Ascii => text.chars().map(|c| below(c, 0x80)).collect(),
            TextEncoding::Latin1 => text.chars().map(|c| below(c, 0x100)).collect(),
            TextEncoding::Single { .. } => {
                let upper = self.upper_half();
                text.chars().map(|c| in_table(c, &upper)).collect()
            }
            TextEncoding::Multiple(coding) => coding.encode(text).map_err(Unencodable),
        }
    }

    /// The bytes of a text that is only to be shown: `?` for each character that the coding does not
    /// have.
    pub(super) fn encode_lossy(self, text: &str) -> Vec<u8> {
        self.encode(text).unwrap_or_else(|Unencodable(_)| {
            let mut bytes = Vec::new();
            for c in text.chars() {
                let encoded = self.encode(c.encode_utf8(&mut [0; 4]));
                bytes.extend(encoded.unwrap_or_else(|Unencodable(_)| b"?".to_vec()));
            }
            bytes
        })
    }

    /// What the bytes from 0x80 on mean, for a coding of one byte a character.
    pub(super) fn upper_half(self) -> Box<[char; 128]> {
        let mut upper = Box::new([char::REPLACEMENT_CHARACTER; 128]);
        for (byte, place) in (0x80..=0xff_u8).zip(upper.iter_mut()) {
            *place = match self {
                TextEncoding::Latin1 => char::from(byte),
                TextEncoding::Single { controls: true, .. } if byte < 0xa0 => char::from(byte),
                TextEncoding::Single { table, .. } => table.meaning(byte),
                TextEncoding::Utf8 | TextEncoding::Ascii | TextEncoding::Multiple(_) => continue,
            };
        }
        upper
    }

    /// Whether bytes below 0x80 may mean something else than in ASCII.
    pub(super) fn changes_ascii(self) -> bool {
        matches!(self, TextEncoding::Multiple(coding) if coding.changes_ascii())
    }
}

/// The name in small letters, with one `_` for whatever stands between letters and digits, as Python
/// compares names.
fn plain_name(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            plain.push(c.to_ascii_lowercase());
        } else if !plain.ends_with('_') && !plain.is_empty() {
            plain.push('_');
        }
    }
    plain.truncate(plain.trim_end_matches('_').len());
    plain
}

fn below(c: char, limit: u32) -> Result<u8, Unencodable> {
    let code = u32::from(c);
    match u8::try_from(code) {
        Ok(byte) if code < limit => Ok(byte),
        Ok(_) | Err(_) => Err(Unencodable(c)),
    }
}

fn in_table(c: char, upper: &[char; 128]) -> Result<u8, Unencodable> {
    if c.is_ascii() {
        return below(c, 0x80);
    }
    let found = (0x80..=0xff_u8).zip(upper).find(|(_, known)| **known == c);
    match found {
        Some((byte, _)) if c != char::REPLACEMENT_CHARACTER => Ok(byte),
        Some(_) | None => Err(Unencodable(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_as_python_spells_them() {
        for (name, encoding) in [
            ("UTF-8", Some(TextEncoding::Utf8)),
            ("utf8", Some(TextEncoding::Utf8)),
            ("latin-1", Some(TextEncoding::Latin1)),
            ("ISO-8859-1", Some(TextEncoding::Latin1)),
            ("ANSI_X3.4-1968", Some(TextEncoding::Ascii)),
            ("us-ascii", Some(TextEncoding::Ascii)),
            ("utf-16", None),
            ("cp437", None),
            ("8859-99", None),
            ("15", None),
            ("nonsense", None),
            ("", None),
        ] {
            assert_eq!(TextEncoding::named(name), encoding, "{name}");
        }
    }

    #[cfg(feature = "encodings")]
    #[test]
    fn tables_are_found_by_all_their_names() {
        assert_eq!(TextEncoding::named("cp936"), TextEncoding::named("GBK"));
        assert_ne!(TextEncoding::named("euc-jp"), None);
        let cp1252 = TextEncoding::named("cp1252");
        assert_eq!(TextEncoding::named("Windows-1252"), cp1252);
        assert_ne!(TextEncoding::named("latin-1"), cp1252);
        assert_eq!(
            TextEncoding::named("latin9"),
            TextEncoding::named("iso8859-15")
        );
    }

    #[test]
    fn words_are_encoded_or_the_character_that_cannot_be_is_named() {
        for (name, text, bytes) in [
            ("utf-8", "é€", Ok(&b"\xc3\xa9\xe2\x82\xac"[..])),
            ("latin-1", "é\u{85}", Ok(b"\xe9\x85")),
            ("latin-1", "é€", Err('€')),
            #[cfg(feature = "encodings")]
            ("cp1252", "é€", Ok(b"\xe9\x80")),
            #[cfg(feature = "encodings")]
            ("cp1252", "\u{81}", Err('\u{81}')),
            #[cfg(feature = "encodings")]
            ("cp1252", "\u{fffd}", Err('\u{fffd}')),
            ("ascii", "aé", Err('é')),
            #[cfg(feature = "encodings")]
            ("euc-jp", "日本", Ok(b"\xc6\xfc\xcb\xdc")),
            #[cfg(feature = "encodings")]
            ("euc-jp", "a😀", Err('😀')),
            #[cfg(feature = "encodings")]
            ("iso2022_jp", "a日", Ok(b"a\x1b$BF|\x1b(B")),
        ] {
            let encoded = TextEncoding::named(name).unwrap().encode(text);
            let wanted = bytes.map(<[u8]>::to_vec).map_err(Unencodable);
            assert_eq!(encoded, wanted, "{name} {text}");
        }
        let shown = TextEncoding::Latin1.encode_lossy("é€");
        assert_eq!(shown, b"\xe9?");
    }
}
