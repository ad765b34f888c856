//! Updates of a step as MessagePack masters take them (PROTOCOL 5.4), in messages of the size that
//! they have asked for (PROTOCOL 6.2.10).

use crate::calls::{FailureReason, Lines, Update};
use crate::wire::msgpack::Writer;

/// Most characters of a message until the master has asked for another size. All masters so far ask
/// for this one.
pub(super) const BUFFER_SIZE: usize = 64 * 1024;

/// What an entry that is no text costs.
const ENTRY_COST: usize = 20;

/// What a line costs besides its characters: its position and its time.
const LINE_COST: usize = 16;

/// One entry of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    key: &'static str,
    content: Content<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Content<'a> {
    /// Whole lines, each with its time; of a log, if there is a name.
    Lines(Option<&'a str>, &'a str, &'a [f64]),
    Int(i64),
    Float(f64),
    Word(&'static str),
    Names(&'a [String]),
    Numbers(&'a [i64]),
}

/// Hands the entries of one message after the other to `send`; each message costs at most `limit`,
/// unless a single line costs more.
pub(super) fn messages<'a>(updates: &'a [Update], limit: usize, send: impl FnMut(&[Entry<'a>])) {
    let mut packer = Packer {
        message: Vec::new(),
        room: limit,
        limit,
        send,
    };
    for update in updates {
        let (key, content) = match update {
            Update::Stdout(lines) => {
                packer.lines("stdout", None, lines);
                continue;
            }
            Update::Stderr(lines) => {
                packer.lines("stderr", None, lines);
                continue;
            }
            Update::Header(lines) => {
                packer.lines("header", None, lines);
                continue;
            }
            Update::Log { name, lines } => {
                packer.lines("log", Some(name), lines);
                continue;
            }
            Update::ExitCode(code) => ("rc", Content::Int((*code).into())),
            Update::Elapsed(seconds) => ("elapsed", Content::Float(*seconds)),
            Update::FailureReason(reason) => {
                ("failure_reason", Content::Word(reason_name(*reason)))
            }
            Update::Files(names) => ("files", Content::Names(names)),
            Update::Stat(numbers) => ("stat", Content::Numbers(numbers)),
        };
        packer.add(Entry { key, content }, ENTRY_COST);
    }
    packer.finish();
}

fn reason_name(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::Silence => "timeout_without_output",
        FailureReason::TotalTime => "timeout",
        FailureReason::MaxLines => "max_lines_failure",
    }
}

/// Collects entries until a message is full.
struct Packer<'a, S> {
    message: Vec<Entry<'a>>,
    room: usize,
    limit: usize,
    send: S,
}

impl<'a, S: FnMut(&[Entry<'a>])> Packer<'a, S> {
    fn lines(&mut self, key: &'static str, log: Option<&'a str>, lines: &'a Lines) {
        let pieces = Pieces {
            text: &lines.text,
            times: &lines.times,
            limit: self.limit,
        };
        for (text, times, cost) in pieces {
            let content = Content::Lines(log, text, times);
            self.add(Entry { key, content }, cost);
        }
    }

    fn add(&mut self, entry: Entry<'a>, cost: usize) {
        if cost > self.room {
            self.finish();
        }
        self.room = self.room.saturating_sub(cost);
        self.message.push(entry);
    }

    fn finish(&mut self) {
        if !self.message.is_empty() {
            (self.send)(&self.message);
        }
        self.message.clear();
        self.room = self.limit;
    }
}

/// The pieces of a text, cut between lines, with their times and costs.
struct Pieces<'a> {
    text: &'a str,
    times: &'a [f64],
    limit: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = (&'a str, &'a [f64], usize);

    fn next(&mut self) -> Option<Self::Item> {
        let (mut cost, mut end, mut lines) = (0, 0, 0);
        for line in self.text.split_inclusive('\n') {
            let more = line.chars().count() + LINE_COST;
            if lines > 0 && cost + more > self.limit {
                break;
            }
            cost += more;
            end += line.len();
            lines += 1;
        }
        if lines == 0 {
            return None;
        }
        let (text, rest) = self.text.split_at(end);
        let (times, later) = self.times.split_at(lines.min(self.times.len()));
        (self.text, self.times) = (rest, later);
        Some((text, times, cost))
    }
}

/// Writes the entries of one message.
pub(super) fn write(out: &mut Writer<'_>, entries: &[Entry<'_>]) {
    out.list_of(entries.len());
    for entry in entries {
        out.list_of(2);
        out.text(entry.key);
        match entry.content {
            Content::Lines(None, text, times) => write_lines(out, text, times),
            Content::Lines(Some(log), text, times) => {
                out.list_of(2);
                out.text(log);
                write_lines(out, text, times);
            }
            Content::Int(number) => out.int(number),
            Content::Float(number) => out.float(number),
            Content::Word(word) => out.text(word),
            Content::Names(names) => {
                out.list_of(names.len());
                for name in names {
                    out.text(name);
                }
            }
            Content::Numbers(numbers) => {
                out.list_of(numbers.len());
                for number in numbers {
                    out.int(*number);
                }
            }
        }
    }
}

/// The text, where its newlines are, counted in characters, and when its lines began.
fn write_lines(out: &mut Writer<'_>, text: &str, times: &[f64]) {
    let lines = text.split_inclusive('\n').count();
    out.list_of(3);
    out.text(text);
    out.list_of(lines);
    let mut end = 0_usize;
    for line in text.split_inclusive('\n') {
        end += line.chars().count();
        out.int(i64::try_from(end - 1).unwrap_or(i64::MAX));
    }
    out.list_of(lines);
    for index in 0..lines {
        // A step that was asked for times has one for every line.
        out.float(
            times
                .get(index)
                .or(times.last())
                .copied()
                .unwrap_or_default(),
        );
    }
}
