//! Shows words and names in headers as the Python worker shows them (PROTOCOL 6.2.2).

use std::fmt::Write;

/// A word as `shlex.quote` writes it; the empty word as `""`.
pub(super) fn shell_word(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./-_".contains(&byte);
    if word.is_empty() {
        "\"\"".to_owned()
    } else if word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\"'\"'"))
    }
}

/// `b'...'`, as Python's `repr` shows bytes.
pub(super) fn bytes_repr(bytes: &[u8]) -> String {
    let quote = quote_for(bytes);
    let mut out = format!("b{quote}");
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b' '..=b'~' if char::from(byte) == quote => push_escaped(&mut out, quote),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => push_code(&mut out, 'x', 2, u32::from(byte)),
        }
    }
    out.push(quote);
    out
}

/// `'...'`, as Python's `repr` shows text.
pub(super) fn text_repr(text: &str) -> String {
    let quote = quote_for(text.as_bytes());
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => push_escaped(&mut out, quote),
            c if is_printable(c) => out.push(c),
            c => match u32::from(c) {
                code @ ..=0xff => push_code(&mut out, 'x', 2, code),
                code @ ..=0xffff => push_code(&mut out, 'u', 4, code),
                code => push_code(&mut out, 'U', 8, code),
            },
        }
    }
    out.push(quote);
    out
}

fn quote_for(bytes: &[u8]) -> char {
    if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        '"'
    } else {
        '\''
    }
}

fn push_escaped(out: &mut String, c: char) {
    out.push('\\');
    out.push(c);
}

fn push_code(out: &mut String, kind: char, digits: usize, code: u32) {
    // Writing to a String does not fail.
    let _ = write!(out, "\\{kind}{code:0digits$x}");
}

fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // The standard library knows what is printable only as "what Debug does not escape"; the letter
    // before it keeps it from escaping combining characters too.
    let mut text = String::from('a');
    text.push(c);
    text.escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_if_the_shell_would_read_more_into_them() {
        for (word, quoted) in [
            ("make", "make"),
            ("a@%+=:,./-_Z9", "a@%+=:,./-_Z9"),
            ("", "\"\""),
            ("a b", "'a b'"),
            ("it's", "'it'\"'\"'s'"),
            ("$HOME", "'$HOME'"),
            ("é", "'é'"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }

    #[test]
    fn bytes_are_shown_as_python_shows_them() {
        for (bytes, shown) in [
            (&b"a"[..], "b'a'"),
            (b"it's", "b\"it's\""),
            (b"'\"", "b'\\'\"'"),
            (b"\"", "b'\"'"),
            (b"\\\n\r\t\0\x7f", "b'\\\\\\n\\r\\t\\x00\\x7f'"),
            ("é".as_bytes(), "b'\\xc3\\xa9'"),
        ] {
            assert_eq!(bytes_repr(bytes), shown);
        }
    }

    #[test]
    fn text_is_shown_as_python_shows_it() {
        for (text, shown) in [
            ("a.log", "'a.log'"),
            ("it's", "\"it's\""),
            ("'\"", "'\\'\"'"),
            ("é\u{301}😀", "'é\u{301}😀'"),
            (
                "\u{1}\u{85}\u{ad}\u{2028}\u{e0001}",
                "'\\x01\\x85\\xad\\u2028\\U000e0001'",
            ),
        ] {
            assert_eq!(text_repr(text), shown);
        }
    }
}
