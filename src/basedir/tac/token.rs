//! Python's lines, indentation and tokens.

use super::SyntaxError;

/// Most brackets in brackets, and most blocks in blocks. Python's own limits are 200 and 100.
const NESTING: usize = 100;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name or keyword.
    Name,
    /// A number.
    Number,
    /// A text with prefix and quotes.
    Text,
    /// An operator or bracket.
    Operator,
    /// The end of a logical line.
    Newline,
    /// A block begins.
    Indent,
    /// A block ends.
    Dedent,
    /// The file ends.
    End,
}

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'s> {
    /// What it is.
    pub kind: Kind,
    /// As it stands in the file; empty for the ends of lines and blocks.
    pub text: &'s str,
    /// The line it begins on, from 1.
    pub line: u32,
    /// Where it begins, in bytes.
    pub start: usize,
}

/// The tokens of a file, ended by [`Kind::End`].
///
/// # Errors
/// What Python refuses as well: a text without its end, indentation that fits nothing, strange
/// characters; and nesting beyond any sense.
pub fn tokens(source: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut scanner = Scanner {
        source,
        at: 0,
        line: 1,
        indents: vec![0],
        brackets: 0,
        found: Vec::new(),
    };
    while scanner.at < source.len() {
        if scanner.at_line_start() && !scanner.indentation()? {
            continue;
        }
        scanner.logical_line()?;
    }
    scanner.finish();
    Ok(scanner.found)
}

struct Scanner<'s> {
    source: &'s str,
    at: usize,
    line: u32,
    /// Columns of the blocks we are in.
    indents: Vec<usize>,
    brackets: usize,
    found: Vec<Token<'s>>,
}

/// Longest first.
const OPERATORS: &[&str] = &[
    "**=", "//=", ">>=", "<<=", "...", "!=", "**", "//", ">>", "<<", "<=", ">=", "==", "->", "+=",
    "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", ":=", "+", "-", "*", "/", "%", "@", "&", "|",
    "^", "~", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", ";", "=", "`",
];

impl<'s> Scanner<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let text = &self.source[self.at..self.at + length];
        self.found.push(Token {
            kind,
            text,
            line: self.line,
            start: self.at,
        });
        self.at += length;
    }

    fn error<T>(&self, why: &str) -> Result<T, SyntaxError> {
        Err(SyntaxError::new(self.line, why))
    }

    fn at_line_start(&self) -> bool {
        self.at == 0 || self.source.as_bytes()[self.at - 1] == b'\n'
    }

    /// Reads the indentation of a line. False if the line was empty and is skipped.
    fn indentation(&mut self) -> Result<bool, SyntaxError> {
        let mut column = 0;
        while let Some(sign) = self.peek() {
            match sign {
                ' ' => column += 1,
                '\t' => column = (column / 8 + 1) * 8,
                '\u{c}' => column = 0,
                _ => break,
            }
            self.at += 1;
        }
        if matches!(self.peek(), None | Some('\n' | '#')) {
            self.comment();
            self.newline();
            return Ok(false);
        }
        if column > *self.indents.last().unwrap_or(&0) {
            if self.indents.len() > NESTING {
                return self.error("blocks are nested too deeply");
            }
            self.indents.push(column);
            self.push(Kind::Indent, 0);
        }
        while column < *self.indents.last().unwrap_or(&0) {
            self.indents.pop();
            self.push(Kind::Dedent, 0);
        }
        if column != *self.indents.last().unwrap_or(&0) {
            return self.error("the indentation fits no line above");
        }
        Ok(true)
    }

    fn comment(&mut self) {
        if self.peek() == Some('#') {
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn newline(&mut self) {
        if self.peek() == Some('\n') {
            self.at += 1;
            self.line += 1;
        }
    }

    /// Reads up to the end of the logical line.
    fn logical_line(&mut self) -> Result<(), SyntaxError> {
        while let Some(sign) = self.peek() {
            match sign {
                ' ' | '\t' | '\u{c}' => self.at += 1,
                '#' => self.comment(),
                '\n' if self.brackets > 0 => self.newline(),
                '\n' => {
                    self.push(Kind::Newline, 0);
                    self.newline();
                    return Ok(());
                }
                '\\' => self.continuation()?,
                '"' | '\'' => self.text(0)?,
                '0'..='9' => self.number(),
                '.' if self.rest()[1..].starts_with(|next: char| next.is_ascii_digit()) => {
                    self.number();
                }
                _ if sign.is_alphabetic() || sign == '_' => self.name()?,
                _ => self.operator()?,
            }
        }
        Ok(())
    }

    fn continuation(&mut self) -> Result<(), SyntaxError> {
        self.at += 1;
        match self.peek() {
            Some('\n') => {
                self.newline();
                Ok(())
            }
            None => Ok(()),
            Some(_) => self.error("something follows the backslash that continues the line"),
        }
    }

    fn name(&mut self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let length = rest
            .find(|sign: char| !sign.is_alphanumeric() && sign != '_')
            .unwrap_or(rest.len());
        let is_prefix = length <= 2
            && rest[..length].chars().all(|sign| "rRbBuUfF".contains(sign))
            && rest[length..].starts_with(['"', '\'']);
        if is_prefix {
            return self.text(length);
        }
        self.push(Kind::Name, length);
        Ok(())
    }

    fn number(&mut self) {
        let rest = self.rest().as_bytes();
        let hexadecimal = rest.starts_with(b"0x") || rest.starts_with(b"0X");
        let mut length = 0;
        while let Some(&byte) = rest.get(length) {
            let sign_of_exponent = matches!(byte, b'+' | b'-')
                && !hexadecimal
                && length > 0
                && matches!(rest[length - 1], b'e' | b'E');
            if !byte.is_ascii_alphanumeric() && byte != b'_' && byte != b'.' && !sign_of_exponent {
                break;
            }
            length += 1;
        }
        self.push(Kind::Number, length);
    }

    /// A text whose prefix has this length.
    fn text(&mut self, prefix: usize) -> Result<(), SyntaxError> {
        let rest = self.rest().as_bytes();
        let quote = rest[prefix];
        let triple = rest[prefix..].starts_with(&[quote; 3]);
        let width = if triple { 3 } else { 1 };
        let mut length = prefix + width;
        loop {
            match rest.get(length) {
                None => return self.error("a text that begins here has no end"),
                Some(b'\\') => length += 2,
                Some(b'\n') if !triple => {
                    return self.error("a text that begins here has no end on its line");
                }
                Some(_) if rest[length..].starts_with(&[quote; 3][..width]) => break,
                Some(_) => length += 1,
            }
        }
        length += width;
        let start = self.at;
        self.push(Kind::Text, length);
        let newlines = self.source[start..self.at].matches('\n').count();
        self.line += u32::try_from(newlines).unwrap_or(0);
        Ok(())
    }

    fn operator(&mut self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let Some(operator) = OPERATORS
            .iter()
            .find(|operator| rest.starts_with(**operator))
        else {
            return self.error("a character that Python does not know here");
        };
        match *operator {
            "(" | "[" | "{" => {
                self.brackets += 1;
                if self.brackets > NESTING {
                    return self.error("brackets are nested too deeply");
                }
            }
            ")" | "]" | "}" => {
                let Some(fewer) = self.brackets.checked_sub(1) else {
                    return self.error("a closing bracket without an opening one");
                };
                self.brackets = fewer;
            }
            _ => {}
        }
        self.push(Kind::Operator, operator.len());
        Ok(())
    }

    fn finish(&mut self) {
        if self
            .found
            .last()
            .is_some_and(|token| token.kind != Kind::Newline)
        {
            self.push(Kind::Newline, 0);
        }
        for _ in 1..self.indents.len() {
            self.push(Kind::Dedent, 0);
        }
        self.push(Kind::End, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(source: &str) -> Vec<String> {
        tokens(source)
            .unwrap()
            .iter()
            .map(|token| match token.kind {
                Kind::Newline => "NL".to_owned(),
                Kind::Indent => "IN".to_owned(),
                Kind::Dedent => "OUT".to_owned(),
                Kind::End => "END".to_owned(),
                Kind::Name | Kind::Number | Kind::Text | Kind::Operator => token.text.to_owned(),
            })
            .collect()
    }

    #[test]
    fn blocks_are_marked_and_empty_lines_are_not() {
        assert_eq!(
            shape("if a:\n\n  # hm\n\tb = 1\nc\n"),
            [
                "if", "a", ":", "NL", "IN", "b", "=", "1", "NL", "OUT", "c", "NL", "END"
            ]
        );
    }

    #[test]
    fn brackets_and_backslashes_continue_a_line() {
        assert_eq!(
            shape("f(a,\n  # c\n  b) \\\n + 2"),
            ["f", "(", "a", ",", "b", ")", "+", "2", "NL", "END"]
        );
    }

    #[test]
    fn texts_keep_prefix_quotes_and_lines() {
        let found = tokens("rb'a\\'' '''x\ny''' z").unwrap();
        assert_eq!(found[0].text, "rb'a\\''");
        assert_eq!(found[1].text, "'''x\ny'''");
        assert_eq!(found[2].line, 2);
    }

    #[test]
    fn numbers_in_all_forms_are_one_token() {
        assert_eq!(
            shape("0x1F 0o22 1_000 1.5e-3 .5 022"),
            ["0x1F", "0o22", "1_000", "1.5e-3", ".5", "022", "NL", "END"]
        );
    }

    #[test]
    fn a_text_without_end_is_an_error_with_its_line() {
        assert_eq!(tokens("a\nb = 'c\n").unwrap_err().line, 2);
        assert_eq!(tokens("a\nb = '''c\n\n").unwrap_err().line, 2);
    }

    #[test]
    fn a_text_that_ends_in_a_backslash_at_the_end_of_the_file_is_an_error() {
        assert!(tokens("'\\").is_err());
        assert!(tokens("'''\\").is_err());
    }

    #[test]
    fn nesting_has_an_end() {
        assert!(tokens(&"(".repeat(100_000)).is_err());
        let blocks: String = (0..200).map(|n| " ".repeat(n) + "if a:\n").collect();
        assert!(tokens(&blocks).is_err());
    }
}
