//! Matches one component of a path against one component of a Python glob pattern.

use std::ffi::OsStr;

use glob::{MatchOptions, Pattern};

/// Whether a text has wildcards at all.
pub(super) fn has_wildcards(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// A component with wildcards, other than `**` alone.
pub(super) struct Component {
    pattern: Pattern,
    hidden_too: bool,
}

impl Component {
    /// Reads a component as Python's `fnmatch` does: an unclosed `[` is that character, several `*`
    /// are one, and only a pattern that itself begins with a dot matches hidden names.
    pub(super) fn new(text: &str) -> Component {
        let translated = translate(text);
        Component {
            // The translation has only what the library accepts; a text that it refused all the
            // same would match itself.
            pattern: Pattern::new(&translated)
                .or_else(|_| Pattern::new(&Pattern::escape(text)))
                .unwrap_or_default(),
            hidden_too: text.starts_with('.'),
        }
    }

    pub(super) fn matches(&self, name: &OsStr) -> bool {
        let exactly = MatchOptions {
            case_sensitive: true,
            require_literal_separator: false,
            require_literal_leading_dot: false,
        };
        let name = one_character_a_stray_byte(&ports::name_bytes(name));
        (self.hidden_too || !name.starts_with('.')) && self.pattern.matches_with(&name, exactly)
    }
}

/// From Python's pattern language to that of the library, which refuses unclosed brackets and sees
/// more than `*` in `**`.
fn translate(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(&c) = characters.get(at) {
        match (c, class_end(&characters, at)) {
            ('*', _) if out.ends_with('*') => {}
            ('[', None) => out.push_str("[[]"),
            ('[', Some(end)) => {
                out.extend(&characters[at..=end]);
                at = end;
            }
            _ => out.push(c),
        }
        at += 1;
    }
    out
}

/// Where the `]` is that closes the class which opens at `start`. One that comes first, also after
/// `!`, is a member of the class.
fn class_end(characters: &[char], start: usize) -> Option<usize> {
    let mut members = start + 1;
    if characters.get(members) == Some(&'!') {
        members += 1;
    }
    let after_first = members + 1;
    let rest = characters.get(after_first..)?;
    rest.iter()
        .position(|&c| c == ']')
        .map(|offset| after_first + offset)
}

/// The name as text, in which each byte that is not UTF-8 is one character, which only wildcards
/// match: `?` stands for one such byte, as in Python.
fn one_character_a_stray_byte(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        for &byte in chunk.invalid() {
            // Private use; far from what file names contain.
            let stray = 0x0010_FF00 + u32::from(byte);
            text.push(char::from_u32(stray).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Component::new(pattern).matches(OsStr::new(name))
    }

    #[test]
    fn wildcards_match_as_in_python() {
        for (pattern, name, expected) in [
            ("*", "a", true),
            ("*", ".a", false),
            (".*", ".a", true),
            (".*", "a", false),
            ("[.]a", ".a", false),
            ("?", "é", true),
            ("a**b", "axyb", true),
            ("a***", "a", true),
            ("[!a]", "b", true),
            ("[!a]", "a", false),
            ("[^a]", "^", true),
            ("[]]", "]", true),
            ("[!]]", "]", false),
            ("[!]]", "x", true),
            ("[]a]", "a", true),
            ("[ab", "[ab", true),
            ("[", "[", true),
            ("[!", "[!", true),
            ("[]", "[]", true),
            ("[!]", "[!]", true),
            ("*[", "x[", true),
            ("[a-c]", "b", true),
            ("[c-a]", "b", false),
            ("[!c-a]", "b", true),
            ("[a-]", "-", true),
            ("[-a]", "-", true),
            ("[--0]", "0", true),
            ("[a-c-e]", "d", false),
            ("[a-c-e]", "-", true),
            ("[*]", "*", true),
            ("[*]", "x", false),
            ("\\*", "\\x", true),
            ("[\\]x", "\\x", true),
            ("A", "a", false),
            ("*\n*", "a\nb", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn each_stray_byte_is_one_character() {
        let name = ports::name_from_bytes(b"a\xff\xfeb".to_vec());
        assert!(Component::new("a??b").matches(&name));
        assert!(!Component::new("a?b").matches(&name));
    }

    #[test]
    fn only_wildcard_characters_make_a_pattern() {
        assert!(has_wildcards("a*") && has_wildcards("?") && has_wildcards("[x"));
        assert!(!has_wildcards("plain]{}~!"));
    }
}
