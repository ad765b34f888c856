//! The description of the operating system in `os-release` (freedesktop.org).

use std::fs;
use std::io::Read;

use log::warn;

/// Where it is looked for, first one first.
const FILES: &[&str] = &["/etc/os-release", "/usr/lib/os-release"];

/// Most bytes that are read.
const LARGEST: u64 = 64 * 1024;

/// Keys and values of the system's file; nothing where there is none.
pub fn read() -> Vec<(String, String)> {
    for path in FILES {
        let mut bytes = Vec::new();
        let read = fs::File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
        if read.is_ok() {
            let (pairs, strange) = parse(&String::from_utf8_lossy(&bytes));
            for line in strange {
                warn!("{path}: line {line} is not KEY=value");
            }
            return pairs;
        }
    }
    Vec::new()
}

/// Keys and values without their quotes, and the numbers of lines that are neither pair nor comment.
/// Keys without a value are left out (PROTOCOL 4.3).
fn parse(text: &str) -> (Vec<(String, String)>, Vec<usize>) {
    let mut pairs = Vec::new();
    let mut strange = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once('=') {
            Some((key, value)) if is_key(key) => {
                let value = unquoted(value);
                if !value.is_empty() {
                    pairs.push((key.to_owned(), value));
                }
            }
            Some(_) | None => strange.push(at + 1),
        }
    }
    (pairs, strange)
}

fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn unquoted(value: &str) -> String {
    let inner = |quote| {
        value
            .strip_prefix(quote)
            .and_then(|rest: &str| rest.strip_suffix(quote))
    };
    match inner('"').or_else(|| inner('\'')) {
        Some(inner) => inner.to_owned(),
        None => value.trim_matches('"').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_removed_and_strange_lines_are_skipped() {
        let text =
            "# comment\nNAME=\"Debian GNU/Linux\"\nID=debian\r\n\nEMPTY=\nQ='a b'\nno pair\n=x\n";
        let (pairs, strange) = parse(text);
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            pairs,
            [
                pair("NAME", "Debian GNU/Linux"),
                pair("ID", "debian"),
                pair("Q", "a b")
            ]
        );
        assert_eq!(strange, [7, 8]);
    }
}
