//! Turns the bytes of a Python file into text, as Python does: byte order mark, coding cookie, line
//! ends.

use super::SyntaxError;

/// The text of a Python source file, lines ended by `\n`.
///
/// # Errors
/// NUL bytes, bytes that are not text in the file's coding, an unknown coding.
pub fn text(bytes: &[u8]) -> Result<String, SyntaxError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return Err(SyntaxError::new(
            line_of(bytes, at),
            "a NUL byte; this is not a text file",
        ));
    }
    let text = match coding(bytes).as_deref() {
        None | Some("utf8" | "utf8sig" | "ascii" | "usascii") => utf8(bytes)?,
        Some("latin1" | "iso88591" | "l1" | "iso885915" | "latin9" | "cp1252" | "windows1252") => {
            // The three differ in a few signs only (euro, quotes), which no setting needs.
            bytes.iter().map(|&byte| char::from(byte)).collect()
        }
        Some(other) if !bytes.is_ascii() => {
            return Err(SyntaxError::new(
                1,
                &format!("the coding {other} is not known; save the file as UTF-8"),
            ));
        }
        Some(_) => utf8(bytes)?,
    };
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

fn utf8(bytes: &[u8]) -> Result<String, SyntaxError> {
    String::from_utf8(bytes.to_vec()).map_err(|error| {
        let line = line_of(bytes, error.utf8_error().valid_up_to());
        SyntaxError::new(
            line,
            "bytes that are not UTF-8; save the file as UTF-8, or begin it with `# coding: latin-1`",
        )
    })
}

fn line_of(bytes: &[u8], at: usize) -> u32 {
    let newlines = bytes.iter().take(at).filter(|&&byte| byte == b'\n').count();
    u32::try_from(newlines).unwrap_or(u32::MAX - 1) + 1
}

/// The coding that a comment in one of the first two lines names (PEP 263), without punctuation.
fn coding(bytes: &[u8]) -> Option<String> {
    for line in bytes.split(|&byte| byte == b'\n').take(2) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_start_matches([' ', '\t', '\u{c}']).trim_end();
        if !line.starts_with('#') {
            if line.is_empty() {
                continue;
            }
            return None;
        }
        if let Some(name) = coding_of_comment(line) {
            return Some(name);
        }
    }
    None
}

fn coding_of_comment(comment: &str) -> Option<String> {
    for (at, word) in comment.match_indices("coding") {
        let rest = &comment[at + word.len()..];
        let Some(rest) = rest.strip_prefix([':', '=']) else {
            continue;
        };
        let name: String = rest
            .trim_start_matches([' ', '\t'])
            .chars()
            .take_while(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(*sign))
            .filter(char::is_ascii_alphanumeric)
            .collect();
        if !name.is_empty() {
            return Some(name.to_ascii_lowercase());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_and_all_line_ends_disappear() {
        assert_eq!(
            text(b"\xef\xbb\xbfa = 1\r\nb = 2\rc\n").unwrap(),
            "a = 1\nb = 2\nc\n"
        );
    }

    #[test]
    fn a_latin_1_cookie_in_the_second_line_counts() {
        let source = b"#!/usr/bin/python\n# -*- coding: iso-8859-1 -*-\na = '\xe9'\n";
        assert!(text(source).unwrap().contains("'é'"));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused_with_their_line() {
        let error = text(b"a = 1\nb = '\xe9'\n").unwrap_err();
        assert_eq!(error.line, 2);
        assert!(error.why.contains("UTF-8"));
    }

    #[test]
    fn a_nul_byte_is_refused() {
        assert_eq!(text(b"a\n\nb\0").unwrap_err().line, 3);
    }

    #[test]
    fn an_unknown_coding_matters_only_if_there_is_something_to_decode() {
        assert!(text(b"# coding: koi8-r\na = 1\n").is_ok());
        assert!(text(b"# coding: koi8-r\na = '\xc1'\n").is_err());
    }
}
