//! Cuts the text of one stream into lines, as masters expect them (PROTOCOL 6.2.9), and loses
//! nothing on the way.

mod ends;

use memchr::{memchr, memchr_iter, memchr3};
use regex_lite::Regex;

use super::OutputRules;
use crate::calls::Lines;

pub use ends::LineEnds;

/// Most bytes of a cursor sequence. Real ones are far shorter; a longer one passes as text, so that
/// what is held back is bounded.
const LONGEST_SEQUENCE: usize = 32;

const BACKSPACE: u8 = 0x08;
const ESCAPE: u8 = 0x1b;

/// One stream. What is kept between two pushes is the unfinished line, at most as long as lines may be,
/// and the beginning of what may become a line end.
#[derive(Debug)]
pub(super) struct Splitter {
    ends: LineEnds,
    /// Most characters of a line, its newline not counted; a longer one goes in pieces of this size.
    longest: usize,
    partial: String,
    partial_chars: usize,
    held: Held,
    /// When the first character of the unfinished line came.
    begun: Option<f64>,
}

/// The end of the text so far, if only the next character shows what it is.
#[derive(Debug, Default)]
enum Held {
    #[default]
    Nothing,
    CarriageReturn,
    /// The beginning of a cursor sequence; ASCII.
    Sequence(String),
}

impl Splitter {
    /// A stream that nothing has come from.
    pub(super) fn new(rules: &OutputRules) -> Splitter {
        Splitter {
            ends: rules.line_ends.clone(),
            longest: rules.longest_line,
            partial: String::new(),
            partial_chars: 0,
            held: Held::Nothing,
            begun: None,
        }
    }

    /// Takes text that came `now` (seconds since 1970, if anybody wants to know) and appends the
    /// lines that are complete with it to `out`.
    pub(super) fn push(&mut self, text: &str, now: Option<f64>, out: &mut Lines) {
        if let LineEnds::Expression {
            expression,
            holds_return,
        } = &self.ends
        {
            let (expression, holds_return) = (expression.clone(), *holds_return);
            return self.push_by(&expression, holds_return, text, now, out);
        }
        let mut rest = self.resume(text, now, out);
        while let Some(at) = memchr3(b'\r', BACKSPACE, ESCAPE, rest.as_bytes()) {
            if let Some(skip) = self.short_progress(rest, at, now, out) {
                rest = &rest[skip..];
                continue;
            }
            self.plain(&rest[..at], now, out);
            rest = &rest[at..];
            let skip = match rest.as_bytes()[0] {
                b'\r' => match rest.as_bytes().get(1) {
                    None => {
                        self.hold(Held::CarriageReturn, now);
                        return;
                    }
                    Some(next) => {
                        self.end_line(now, out);
                        1 + usize::from(*next == b'\n')
                    }
                },
                BACKSPACE => {
                    self.end_line(now, out);
                    rest.bytes().take_while(|&byte| byte == BACKSPACE).count()
                }
                _ => match sequence(rest.as_bytes()) {
                    Sequence::Whole(length) => {
                        self.end_line(now, out);
                        length
                    }
                    Sequence::Other => {
                        self.extend(&rest[..1], now, out);
                        1
                    }
                    Sequence::Beginning => {
                        self.hold(Held::Sequence(rest.to_owned()), now);
                        return;
                    }
                },
            };
            rest = &rest[skip..];
        }
        self.plain(rest, now, out);
    }

    /// What progress output is made of, in the least time: a short line that begins and ends in this
    /// text, by a carriage return at `at`. How much of the text that was, if it was so.
    fn short_progress(
        &mut self,
        text: &str,
        at: usize,
        now: Option<f64>,
        out: &mut Lines,
    ) -> Option<usize> {
        let bytes = text.as_bytes();
        let next = *bytes.get(at + 1)?;
        if bytes[at] != b'\r' || at > self.longest || !self.partial.is_empty() {
            return None;
        }
        let line = &text[..at];
        if self.begun.is_some() || memchr(b'\n', line.as_bytes()).is_some() {
            return None;
        }
        out.text.push_str(line);
        out.text.push('\n');
        out.times.extend(now);
        Some(at + 1 + usize::from(next == b'\n'))
    }

    /// The stream is over: what is left becomes a line.
    pub(super) fn finish(&mut self, now: Option<f64>, out: &mut Lines) {
        if let LineEnds::Expression { expression, .. } = &self.ends {
            if !self.partial.is_empty() {
                // Whatever is left may be the half of a line end.
                let expression = expression.clone();
                self.push_by(&expression, false, "\n", now, out);
            }
            return;
        }
        let ended = match std::mem::take(&mut self.held) {
            Held::Nothing => false,
            Held::CarriageReturn => true,
            Held::Sequence(text) => {
                self.extend(&text, now, out);
                false
            }
        };
        if ended || !self.partial.is_empty() {
            self.end_line(now, out);
        }
    }

    /// As the reference does it: the unfinished line is looked at again together with what has come.
    fn push_by(
        &mut self,
        expression: &Regex,
        holds_return: bool,
        text: &str,
        now: Option<f64>,
        out: &mut Lines,
    ) {
        let mut joined = std::mem::take(&mut self.partial);
        self.partial_chars = 0;
        joined.push_str(text);
        let held = holds_return && joined.ends_with('\r') && joined.pop().is_some();
        for line in expression.replace_all(&joined, "\n").split_inclusive('\n') {
            let content = line.strip_suffix('\n');
            self.extend(content.unwrap_or(line), now, out);
            if content.is_some() {
                self.end_line(now, out);
            }
        }
        if held {
            self.extend("\r", now, out);
        }
    }

    /// Decides what was held back with the help of the new text; returns what is left of that.
    fn resume<'a>(&mut self, text: &'a str, now: Option<f64>, out: &mut Lines) -> &'a str {
        if text.is_empty() {
            return text;
        }
        match std::mem::take(&mut self.held) {
            Held::Nothing => text,
            Held::CarriageReturn => {
                self.end_line(now, out);
                text.strip_prefix('\n').unwrap_or(text)
            }
            Held::Sequence(beginning) => self.resume_sequence(beginning, text, now, out),
        }
    }

    fn resume_sequence<'a>(
        &mut self,
        mut held: String,
        text: &'a str,
        now: Option<f64>,
        out: &mut Lines,
    ) -> &'a str {
        for (at, c) in text.char_indices() {
            held.push(c);
            match sequence(held.as_bytes()) {
                Sequence::Beginning => {}
                Sequence::Whole(_) => {
                    self.end_line(now, out);
                    return &text[at + c.len_utf8()..];
                }
                Sequence::Other => {
                    held.pop();
                    self.extend(&held, now, out);
                    return &text[at..];
                }
            }
        }
        self.held = Held::Sequence(held);
        ""
    }

    /// Text in which only newlines mean something.
    fn plain(&mut self, text: &str, now: Option<f64>, out: &mut Lines) {
        let Some(first) = memchr(b'\n', text.as_bytes()) else {
            self.extend(text, now, out);
            return;
        };
        self.extend(&text[..first], now, out);
        self.end_line(now, out);
        // Whole lines from here on go in one piece, however many they are.
        let text = &text[first + 1..];
        let (mut taken, mut line) = (0, 0);
        for end in memchr_iter(b'\n', text.as_bytes()) {
            if end - line > self.longest {
                out.text.push_str(&text[taken..line]);
                self.extend(&text[line..end], now, out);
                self.end_line(now, out);
                taken = end + 1;
            } else if let Some(now) = now {
                out.times.push(now);
            }
            line = end + 1;
        }
        out.text.push_str(&text[taken..line]);
        self.extend(&text[line..], now, out);
    }

    /// More text of the unfinished line.
    fn extend(&mut self, mut text: &str, now: Option<f64>, out: &mut Lines) {
        if text.is_empty() {
            return;
        }
        self.begun = self.begun.or(now);
        while let Some(at) = nth_char(text, self.longest - self.partial_chars) {
            self.partial.push_str(&text[..at]);
            self.end_line(now, out);
            self.begun = now;
            text = &text[at..];
        }
        self.partial.push_str(text);
        self.partial_chars += text.chars().count();
    }

    fn end_line(&mut self, now: Option<f64>, out: &mut Lines) {
        out.text.push_str(&self.partial);
        out.text.push('\n');
        out.times.extend(self.begun.take().or(now));
        self.partial.clear();
        self.partial_chars = 0;
    }

    fn hold(&mut self, held: Held, now: Option<f64>) {
        self.held = held;
        self.begun = self.begun.or(now);
    }
}

/// Where the character with this number (from 0) begins, if the text is so long.
fn nth_char(text: &str, number: usize) -> Option<usize> {
    // A text has at least as many bytes as characters.
    if text.len() <= number {
        None
    } else if text.as_bytes()[..number].is_ascii() {
        Some(number)
    } else {
        text.char_indices().nth(number).map(|(at, _)| at)
    }
}

/// What begins with an escape character.
enum Sequence {
    /// A cursor sequence of so many bytes, which ends a line.
    Whole(usize),
    /// Anything else.
    Other,
    /// The beginning of a cursor sequence.
    Beginning,
}

/// `ESC [ u`, `ESC [ n ; m H`, `ESC [ n ; m f`, `ESC [ 2 J`.
fn sequence(bytes: &[u8]) -> Sequence {
    let bytes = &bytes[..bytes.len().min(LONGEST_SEQUENCE)];
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let undecided = || {
        if bytes.len() < LONGEST_SEQUENCE {
            Sequence::Beginning
        } else {
            Sequence::Other
        }
    };
    match bytes.get(1) {
        None => return undecided(),
        Some(b'[') => {}
        Some(_) => return Sequence::Other,
    }
    let first = digits(2);
    let after = 2 + first;
    match bytes.get(after) {
        None => return undecided(),
        Some(b'u') if first == 0 => return Sequence::Whole(after + 1),
        Some(b'J') if &bytes[2..after] == b"2" => return Sequence::Whole(after + 1),
        Some(b';') if first > 0 => {}
        Some(_) => return Sequence::Other,
    }
    let second = digits(after + 1);
    let end = after + 1 + second;
    match bytes.get(end) {
        None => undecided(),
        Some(b'H' | b'f') if second > 0 => Sequence::Whole(end + 1),
        Some(_) => Sequence::Other,
    }
}

#[cfg(test)]
mod tests;
