//! Updates of a step as a master takes them (PROTOCOL 4.7), written without values in between.

use crate::calls::{FailureReason, Update};
use crate::wire::banana::{LIST_LIMIT, STRING_LIMIT, Writer};

/// Writes the arguments of one `update` call. Each update is a dictionary of its own, since masters up
/// to 3.5 take the keys of one dictionary in an order of theirs.
///
/// A text above the limit of a string becomes several updates, cut between characters. What cannot be
/// cut is replaced by a header that says so: an update must not be lost in silence.
pub(super) fn write(out: &mut Writer<'_>, updates: &[Update]) {
    out.tuple_of(1);
    out.list_of(updates.iter().map(elements).sum());
    for update in updates {
        write_one(out, update);
    }
}

/// How many elements an update becomes.
fn elements(update: &Update) -> usize {
    match update {
        Update::Stdout(lines) | Update::Stderr(lines) | Update::Header(lines) => {
            Pieces(Some(&lines.text)).count()
        }
        Update::Log { name, .. } if name.len() > STRING_LIMIT => 1,
        Update::Log { lines, .. } => Pieces(Some(&lines.text)).count(),
        Update::ExitCode(_)
        | Update::Elapsed(_)
        | Update::FailureReason(_)
        | Update::Files(_)
        | Update::Stat(_) => 1,
    }
}

fn write_one(out: &mut Writer<'_>, update: &Update) {
    match update {
        Update::Stdout(lines) => texts(out, "stdout", &lines.text),
        Update::Stderr(lines) => texts(out, "stderr", &lines.text),
        Update::Header(lines) => texts(out, "header", &lines.text),
        Update::Log { name, .. } if name.len() > STRING_LIMIT => {
            instead(out, "the name of a log is too long for the master");
        }
        Update::Log { name, lines } => {
            for piece in Pieces(Some(&lines.text)) {
                element(out, "log", |out| {
                    out.tuple_of(2);
                    out.text(name);
                    out.text(piece);
                });
            }
        }
        Update::ExitCode(code) => element(out, "rc", |out| out.int(i64::from(*code))),
        Update::Elapsed(seconds) => element(out, "elapsed", |out| out.float(*seconds)),
        Update::FailureReason(reason) => {
            element(out, "failure_reason", |out| out.text(reason_name(*reason)));
        }
        Update::Files(names) => files(out, names),
        Update::Stat(numbers) => element(out, "stat", |out| {
            out.tuple_of(numbers.len());
            for number in numbers {
                out.int(*number);
            }
        }),
    }
}

/// One update: a dictionary with one key, and a number that means nothing but must be there.
fn element(out: &mut Writer<'_>, key: &str, value: impl FnOnce(&mut Writer<'_>)) {
    out.list_of(2);
    out.dictionary_of(1);
    out.key(key);
    value(out);
    out.int(0);
}

fn texts(out: &mut Writer<'_>, key: &str, text: &str) {
    for piece in Pieces(Some(text)) {
        element(out, key, |out| out.text(piece));
    }
}

fn files(out: &mut Writer<'_>, names: &[String]) {
    // The word at the head of the list counts too.
    if names.len() >= LIST_LIMIT {
        return instead(out, "the list of files is too long for the master");
    }
    if names.iter().any(|name| name.len() > STRING_LIMIT) {
        return instead(out, "the name of a file is too long for the master");
    }
    element(out, "files", |out| {
        out.list_of(names.len());
        for name in names {
            out.text(name);
        }
    });
}

fn instead(out: &mut Writer<'_>, why: &str) {
    element(out, "header", |out| {
        out.text(&format!("update not sent: {why}\n"));
    });
}

fn reason_name(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::Silence => "timeout_without_output",
        FailureReason::TotalTime => "timeout",
        FailureReason::MaxLines => "max_lines_failure",
    }
}

/// The pieces of a text, each at most [`STRING_LIMIT`] bytes; one even if the text is empty.
struct Pieces<'a>(Option<&'a str>);

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.take()?;
        if text.len() <= STRING_LIMIT {
            return Some(text);
        }
        let mut end = STRING_LIMIT;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, rest) = text.split_at(end);
        self.0 = Some(rest);
        Some(piece)
    }
}
