//! Shows a file name in messages of `rm` and `cp`, as the GNU tools do: always quoted, and so that
//! a shell would read the same name.

use std::ffi::OsStr;
use std::path::Path;

/// A path in quotes, as [`quoted`] gives it.
pub(super) fn quoted_path(path: &Path) -> String {
    quoted(path.as_os_str())
}

/// The name in quotes: `'a b'`, `"it's"`, `'two'$'\n''lines'`.
pub(super) fn quoted(name: &OsStr) -> String {
    let bytes = ports::name_bytes(name);
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains('\'') && keeps_its_meaning_in_double_quotes(text) => {
            format!("\"{text}\"")
        }
        _ => in_single_quotes(&bytes),
    }
}

/// Whether a name with a `'` is shown between `"`: no character of it may mean something there, and
/// the tools are more careful than they need to be.
fn keeps_its_meaning_in_double_quotes(text: &str) -> bool {
    text.char_indices().all(|(at, c)| match c {
        '\'' | ' ' | '%' | '+' | ',' | '-' | '.' | '/' | ':' | '@' | ']' | '_' => true,
        '#' | '~' => at == 0,
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        c => !c.is_control(),
    })
}

fn in_single_quotes(bytes: &[u8]) -> String {
    let mut out = String::from("'");
    let mut escaped = false;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                open_escape(&mut out, &mut escaped);
                push_control(&mut out, c);
            } else {
                close_escape(&mut out, &mut escaped);
                match c {
                    '\'' => out.push_str("'\\''"),
                    c => out.push(c),
                }
            }
        }
        for &byte in chunk.invalid() {
            open_escape(&mut out, &mut escaped);
            push_octal(&mut out, byte);
        }
    }
    out.push('\'');
    out
}

fn open_escape(out: &mut String, escaped: &mut bool) {
    if !*escaped {
        out.push_str("'$'");
        *escaped = true;
    }
}

fn close_escape(out: &mut String, escaped: &mut bool) {
    if *escaped {
        out.push_str("''");
        *escaped = false;
    }
}

fn push_control(out: &mut String, c: char) {
    let letter = match c {
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        other => {
            let mut buffer = [0; 4];
            for &byte in other.encode_utf8(&mut buffer).as_bytes() {
                push_octal(out, byte);
            }
            return;
        }
    };
    out.push('\\');
    out.push(letter);
}

fn push_octal(out: &mut String, byte: u8) {
    out.push_str(&format!("\\{byte:03o}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_as_the_gnu_tools_quote_them() {
        for (name, shown) in [
            (&b"plain"[..], "'plain'"),
            (b"", "''"),
            (b"a b", "'a b'"),
            (b"it's", "\"it's\""),
            (b"it's $x", "'it'\\''s $x'"),
            (b"two\nlines", "'two'$'\\n''lines'"),
            (b"\n", "''$'\\n'"),
            (b"end\n", "'end'$'\\n'"),
            (b"\x01\x7f", "''$'\\001\\177'"),
            (b"caf\xc3\xa9", "'café'"),
            (b"caf\xe9!", "'caf'$'\\351''!'"),
            (b"'\n", "''\\'''$'\\n'"),
        ] {
            let name = ports::name_from_bytes(name.to_vec());
            assert_eq!(quoted(&name), shown, "{name:?}");
        }
    }
}
