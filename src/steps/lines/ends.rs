//! What ends a line, where the master says so (PROTOCOL 5.3, 6.2.9).

use regex_lite::{Regex, RegexBuilder};

/// The expression of all masters so far. [`Splitter`](super::Splitter) knows it by heart.
const USUAL: &str = r"(\r\n|\r(?=.)|\033\[u|\033\[[0-9]+;[0-9]+[Hf]|\033\[2J|\x08+)";

/// A carriage return in front of any other character. The only look-ahead that is understood.
const RETURN_BEFORE_TEXT: &str = r"\r(?=.)";

/// Longest expression, in bytes.
const LENGTH_LIMIT: usize = 4096;

/// Most memory that a compiled expression may take, in bytes.
const SIZE_LIMIT: usize = 256 * 1024;

/// What ends a line.
#[derive(Debug, Clone)]
pub enum LineEnds {
    /// What PROTOCOL 6.2.9 lists.
    Usual,
    /// What this expression matches, and a newline.
    Expression {
        /// The expression. Its clones share the compiled form.
        expression: Regex,
        /// Whether a carriage return at the end of a text has to wait for the next character.
        holds_return: bool,
    },
}

impl LineEnds {
    /// From a regular expression of Python's.
    ///
    /// # Errors
    /// One line: it is none, or it uses what we do not have, or it finds line ends in no text at all.
    pub(in crate::steps) fn parse(expression: &str) -> Result<LineEnds, String> {
        if expression == USUAL {
            return Ok(LineEnds::Usual);
        }
        let bad = |why: &str| {
            let start: String = expression.chars().take(100).collect();
            format!(
                "newline_re '{}' cannot be used: {why}",
                start.escape_debug()
            )
        };
        if expression.len() > LENGTH_LIMIT {
            return Err(bad("it is too long"));
        }
        let holds_return = expression.contains(RETURN_BEFORE_TEXT);
        let translated = without_octal(&expression.replace(RETURN_BEFORE_TEXT, r"\r"));
        let compiled = RegexBuilder::new(&translated)
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| {
                let error = error.to_string();
                bad(error.lines().next_back().unwrap_or_default())
            })?;
        if compiled.is_match("") {
            return Err(bad("it matches the empty text"));
        }
        Ok(LineEnds::Expression {
            expression: compiled,
            holds_return,
        })
    }
}

/// Python's `\033` as `\x1b`.
fn without_octal(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let digits = escape
            .bytes()
            .take(3)
            .take_while(|byte| (b'0'..=b'7').contains(byte))
            .count();
        let octal = digits == 3 || (digits > 0 && escape.starts_with('0'));
        let length = if octal {
            let number = u32::from_str_radix(&escape[..digits], 8).unwrap_or_default();
            out.push_str(&format!("\\x{{{number:x}}}"));
            digits
        } else {
            let next = escape.chars().next();
            out.push('\\');
            out.extend(next);
            next.map_or(0, char::len_utf8)
        };
        rest = &escape[length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(expression: &str, text: &str) -> String {
        match LineEnds::parse(expression).unwrap() {
            LineEnds::Usual => panic!("the usual one"),
            LineEnds::Expression { expression, .. } => {
                expression.replace_all(text, "\n").into_owned()
            }
        }
    }

    #[test]
    fn the_expression_of_todays_masters_needs_no_engine() {
        assert!(matches!(LineEnds::parse(USUAL), Ok(LineEnds::Usual)));
    }

    #[test]
    fn pythons_ways_to_write_characters_are_understood() {
        assert_eq!(
            replaced(r"\033\[u|\x08+|\07", "a\x1b[ub\x08\x08c\x07d"),
            "a\nb\nc\nd"
        );
        assert_eq!(replaced(r"\\033", r"a\033b"), "a\nb");
        assert_eq!(replaced(r"\r(?=.)|;", "a\rb;c"), "a\nb\nc");
        let more = format!("{}|\u{2028}", &USUAL);
        assert_eq!(replaced(&more, "a\x1b[1;2Hb\u{2028}c\r\nd"), "a\nb\nc\nd");
    }

    #[test]
    fn what_cannot_be_used_is_said_in_one_line() {
        for (expression, word) in [
            ("(", "newline_re '('"),
            ("(?<=a)b", "cannot be used"),
            ("x*", "the empty text"),
            ("", "the empty text"),
            (&"x".repeat(5000), "too long"),
            ("(((a{1000}){1000}){1000})", "cannot be used"),
        ] {
            let error = LineEnds::parse(expression).unwrap_err();
            assert!(error.contains(word), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}
