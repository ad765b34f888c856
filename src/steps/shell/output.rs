//! Standard output and error of a program: where they are read, how they are decoded, and how many
//! lines there were.

use std::borrow::Cow;

use ports::ReadEnd;

use crate::calls::Shell;
use crate::steps::TextEncoding;
use crate::steps::decode::Decoder;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// Both streams.
pub(super) struct Output {
    stdout: Half,
    stderr: Half,
    max_lines: Option<i64>,
    lines: i64,
}

struct Half {
    end: Option<ReadEnd>,
    decoder: Decoder,
    wanted: bool,
}

impl Output {
    /// Streams that nobody has read from.
    pub(super) fn new(
        stdout: Option<ReadEnd>,
        stderr: Option<ReadEnd>,
        shell: &Shell,
        encoding: TextEncoding,
    ) -> Output {
        let half = |end, wanted| Half {
            end,
            decoder: Decoder::new(encoding),
            wanted,
        };
        Output {
            stdout: half(stdout, shell.want_stdout),
            stderr: half(stderr, shell.want_stderr),
            max_lines: shell.max_lines,
            lines: 0,
        }
    }

    /// The end to read from, while it is open.
    pub(super) fn end(&self, stream: Stream) -> Option<&ReadEnd> {
        match stream {
            Stream::Stdout => self.stdout.end.as_ref(),
            Stream::Stderr => self.stderr.end.as_ref(),
        }
    }

    /// As [`Output::end`], to read.
    pub(super) fn end_mut(&mut self, stream: Stream) -> Option<&mut ReadEnd> {
        self.half(stream).end.as_mut()
    }

    /// Whether both are at their end.
    pub(super) fn is_closed(&self) -> bool {
        self.stdout.end.is_none() && self.stderr.end.is_none()
    }

    /// Closes one; returns the last of its text.
    pub(super) fn close(&mut self, stream: Stream) -> Cow<'static, str> {
        let half = self.half(stream);
        half.end = None;
        if half.wanted {
            half.decoder.finish()
        } else {
            Cow::Borrowed("")
        }
    }

    /// Closes both, whatever is left in them.
    pub(super) fn close_all(&mut self) {
        self.stdout.end = None;
        self.stderr.end = None;
    }

    /// The text of what was read, if the master wants it.
    pub(super) fn text<'a>(&mut self, stream: Stream, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
        let half = self.half(stream);
        half.wanted.then(|| half.decoder.push(bytes))
    }

    /// Counts the lines of a text that is reported; whether there are now too many for the first
    /// time.
    pub(super) fn over_the_limit(&mut self, text: &str) -> bool {
        let Some(limit) = self.max_lines else {
            return false;
        };
        let already = self.lines > limit;
        self.lines = self.lines.saturating_add(line_ends(text));
        !already && self.lines > limit
    }

    /// Lines counted so far, of both streams together.
    pub(super) fn lines(&self) -> i64 {
        self.lines
    }

    fn half(&mut self, stream: Stream) -> &mut Half {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

/// CR LF, CR and LF count one each (PROTOCOL 6.2.7).
fn line_ends(text: &str) -> i64 {
    let mut count = 0;
    let mut after_return = false;
    for byte in text.bytes() {
        count += i64::from(byte == b'\r' || (byte == b'\n' && !after_return));
        after_return = byte == b'\r';
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_with_its_newline_is_one_line_end() {
        for (text, ends) in [("", 0), ("a\nb\n", 2), ("a\r\nb\rc\n", 3), ("\r\r\n\n", 3)] {
            assert_eq!(line_ends(text), ends, "{text:?}");
        }
    }
}
