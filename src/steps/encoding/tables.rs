//! Codings other than UTF-8, ASCII and latin-1, by the tables of the web's Encoding Standard. Of the
//! codings with one byte a character all mean what they mean in Python 3.11, but for one byte of cp1255
//! and two of koi8-u, which Python leaves out or draws as lines. Those with several bytes may show a
//! broken character as more or fewer U+FFFD than Python.

use encoding_rs::{CoderResult, Decoder, Encoding};

use super::TextEncoding;

/// A coding of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coding(&'static Encoding);

impl Coding {
    /// The bytes of a text, or its first character that the coding does not have.
    pub(super) fn encode(self, text: &str) -> Result<Vec<u8>, char> {
        let (bytes, _, lossy) = self.0.encode(text);
        if lossy {
            return Err(first_unencodable(self.0, text));
        }
        Ok(bytes.into_owned())
    }

    /// What one byte means. The tables have control characters where Python has nothing.
    pub(super) fn meaning(self, byte: u8) -> char {
        let bytes = [byte];
        let (text, _) = self.0.decode_without_bom_handling(&bytes);
        match text.chars().next() {
            Some('\u{80}'..='\u{9f}') | None => char::REPLACEMENT_CHARACTER,
            Some(c) => c,
        }
    }

    /// Whether bytes below 0x80 may mean something else than in ASCII.
    pub(super) fn changes_ascii(self) -> bool {
        self.0 == encoding_rs::ISO_2022_JP
    }
}

/// A stream that is being decoded.
pub(in crate::steps) struct Reading {
    coding: Coding,
    decoder: Decoder,
    /// Something was read; without that there is nothing unfinished.
    begun: bool,
}

impl Reading {
    pub(in crate::steps) fn new(coding: Coding) -> Reading {
        Reading {
            coding,
            decoder: coding.0.new_decoder_without_bom_handling(),
            begun: false,
        }
    }

    pub(in crate::steps) fn push(&mut self, bytes: &[u8]) -> String {
        self.begun = true;
        self.decode(bytes, false)
    }

    /// What comes afterwards is a new stream.
    pub(in crate::steps) fn finish(&mut self) -> String {
        if !self.begun {
            return String::new();
        }
        let text = self.decode(b"", true);
        *self = Reading::new(self.coding);
        text
    }

    fn decode(&mut self, mut bytes: &[u8], last: bool) -> String {
        let mut text = String::new();
        loop {
            // No length overflows: what was read fits a buffer of ours.
            let most = self.decoder.max_utf8_buffer_length(bytes.len());
            text.reserve(most.unwrap_or(bytes.len()).max(4));
            let (result, read, _) = self.decoder.decode_to_string(bytes, &mut text, last);
            bytes = &bytes[read..];
            match result {
                CoderResult::InputEmpty => return text,
                CoderResult::OutputFull => {}
            }
        }
    }
}

/// The coding with this name, in small letters and with `_` in between.
pub(super) fn named(name: &str) -> Option<TextEncoding> {
    single(name).or_else(|| multiple(name))
}

fn single(name: &str) -> Option<TextEncoding> {
    use encoding_rs as web;
    let without = |prefixes: &[&str]| {
        let rest = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
        rest.unwrap_or(name).to_owned()
    };
    let page = |table| {
        Some(TextEncoding::Single {
            table: Coding(table),
            controls: false,
        })
    };
    let standard = |table| {
        Some(TextEncoding::Single {
            table: Coding(table),
            controls: true,
        })
    };
    match without(&["windows_", "cp", "ibm"]).as_str() {
        "1250" => return page(web::WINDOWS_1250),
        "1251" => return page(web::WINDOWS_1251),
        "1252" => return page(web::WINDOWS_1252),
        "1253" => return page(web::WINDOWS_1253),
        "1254" => return page(web::WINDOWS_1254),
        "1255" => return page(web::WINDOWS_1255),
        "1256" => return page(web::WINDOWS_1256),
        "1257" => return page(web::WINDOWS_1257),
        "1258" => return page(web::WINDOWS_1258),
        "874" => return page(web::WINDOWS_874),
        "866" => return page(web::IBM866),
        _ => {}
    }
    let part = without(&["iso_8859_", "iso8859_", "8859_"]);
    match (part != name, name, part.as_str()) {
        (_, "latin2" | "l2", _) | (true, _, "2") => standard(web::ISO_8859_2),
        (_, "latin3" | "l3", _) | (true, _, "3") => standard(web::ISO_8859_3),
        (_, "latin4" | "l4", _) | (true, _, "4") => standard(web::ISO_8859_4),
        (_, "cyrillic", _) | (true, _, "5") => standard(web::ISO_8859_5),
        (_, "arabic", _) | (true, _, "6") => standard(web::ISO_8859_6),
        (_, "greek" | "greek8", _) | (true, _, "7") => standard(web::ISO_8859_7),
        (_, "hebrew", _) | (true, _, "8") => standard(web::ISO_8859_8),
        // The web has these two as the code pages of Windows that hold them.
        (_, "latin5" | "l5", _) | (true, _, "9") => standard(web::WINDOWS_1254),
        (_, "thai", _) | (true, _, "11") => standard(web::WINDOWS_874),
        (_, "latin6" | "l6", _) | (true, _, "10") => standard(web::ISO_8859_10),
        (_, "latin7" | "l7", _) | (true, _, "13") => standard(web::ISO_8859_13),
        (_, "latin8" | "l8", _) | (true, _, "14") => standard(web::ISO_8859_14),
        (_, "latin9" | "l9", _) | (true, _, "15") => standard(web::ISO_8859_15),
        (_, "latin10" | "l10", _) | (true, _, "16") => standard(web::ISO_8859_16),
        (_, "koi8_r" | "cskoi8r", _) => page(web::KOI8_R),
        (_, "koi8_u", _) => page(web::KOI8_U),
        (_, "mac_roman" | "macroman" | "macintosh", _) => page(web::MACINTOSH),
        (_, "mac_cyrillic" | "maccyrillic", _) => page(web::X_MAC_CYRILLIC),
        _ => None,
    }
}

fn multiple(name: &str) -> Option<TextEncoding> {
    use encoding_rs as web;
    Some(TextEncoding::Multiple(Coding(match name {
        "euc_jp" | "eucjp" | "ujis" | "u_jis" => web::EUC_JP,
        "shift_jis" | "shiftjis" | "sjis" | "s_jis" | "csshiftjis" | "cp932" | "932" | "ms932"
        | "mskanji" | "ms_kanji" | "windows_31j" => web::SHIFT_JIS,
        "iso2022_jp" | "iso_2022_jp" | "iso2022jp" | "csiso2022jp" => web::ISO_2022_JP,
        "gb2312" | "euc_cn" | "euccn" | "chinese" | "gbk" | "936" | "cp936" | "ms936" => web::GBK,
        "gb18030" | "gb18030_2000" => web::GB18030,
        "big5" | "big5_tw" | "csbig5" | "cp950" | "950" | "ms950" | "big5hkscs" | "big5_hkscs" => {
            web::BIG5
        }
        "euc_kr" | "euckr" | "korean" | "ks_c_5601" | "ks_x_1001" | "cp949" | "949" | "ms949"
        | "uhc" => web::EUC_KR,
        _ => return None,
    })))
}

fn first_unencodable(encoding: &'static Encoding, text: &str) -> char {
    let unknown = |c: &char| encoding.encode(c.encode_utf8(&mut [0; 4])).2;
    text.chars()
        .find(unknown)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}
