//! Reports what a step has to say: whole lines, in order, neither one at a time nor late, and never
//! more at once than the worker has promised to hold.

use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::lines::Splitter;
use super::window::Window;
use super::{OutputRules, Post};
use crate::calls::{FailureReason, Lines, StepEvent, Transfer, TransferTag, Update};

/// The time between two batches after the first one, which is the header: the first output follows soon,
/// and a program that ends at once still says all in two messages.
const FIRST_INTERVAL: Duration = Duration::from_millis(20);

/// Posted bytes not yet acknowledged from which on a step stops reading its output: at first, and on a
/// link that has room for more. The larger one carries 20 MB a second with a round trip of 100 ms.
const WINDOW: usize = 256 * 1024;
const LARGEST_WINDOW: usize = 2 * 1024 * 1024;

/// Longest text that goes through a splitter at once, so that one update stays far below the
/// longest text of the wire (640 KiB, PROTOCOL 1.2) whatever a command says.
const SLICE: usize = 64 * 1024;

/// What an update costs besides its text. PROTOCOL 6.2.10 counts it so.
const UPDATE_COST: usize = 20;
/// What the time of a line costs.
const TIME_COST: usize = 8;

/// The step's mouth. Text of each stream goes through a line splitter of its own, so text without
/// final newline comes when the line is complete or the step is over (PROTOCOL 6.1).
pub struct Reporter {
    post: Rc<Post>,
    rules: OutputRules,
    header: Splitter,
    stdout: Splitter,
    stderr: Splitter,
    logs: Vec<(String, Splitter)>,
    /// Updates not yet posted, and the one that still grows.
    batch: Vec<Update>,
    growing: Option<(Stream, Lines)>,
    /// Cost of both.
    batch_cost: usize,
    /// When the next batch may go, full or not.
    next_post: Instant,
    /// From the next batch to the one after it.
    interval: Duration,
    unacknowledged: Window,
    next_tag: u64,
}

/// Which stream a text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Header,
    Stdout,
    Stderr,
    /// Index into `logs`.
    Log(usize),
}

impl Reporter {
    /// A reporter that has said nothing.
    pub(super) fn new(post: Rc<Post>, rules: OutputRules) -> Reporter {
        Reporter {
            post,
            header: Splitter::new(&rules),
            stdout: Splitter::new(&rules),
            stderr: Splitter::new(&rules),
            rules,
            logs: Vec::new(),
            batch: Vec::new(),
            growing: None,
            batch_cost: 0,
            next_post: Instant::now(),
            interval: FIRST_INTERVAL,
            unacknowledged: Window::new(WINDOW, LARGEST_WINDOW),
            next_tag: 0,
        }
    }

    /// Something the worker itself has to say.
    pub fn header(&mut self, text: &str) {
        self.text(Stream::Header, text);
    }

    /// Output.
    pub fn stdout(&mut self, text: &str) {
        self.text(Stream::Stdout, text);
    }

    /// Error output.
    pub fn stderr(&mut self, text: &str) {
        self.text(Stream::Stderr, text);
    }

    /// Text of a watched log file.
    pub fn log(&mut self, name: &str, text: &str) {
        let known = self.logs.iter().position(|(log, _)| log == name);
        let index = known.unwrap_or_else(|| {
            self.logs
                .push((name.to_owned(), Splitter::new(&self.rules)));
            self.logs.len() - 1
        });
        self.text(Stream::Log(index), text);
    }

    /// The exit code.
    pub fn exit_code(&mut self, code: i32) {
        self.add(Update::ExitCode(code));
    }

    /// Seconds from start to end. The frame reports it; commands do not.
    pub fn elapsed(&mut self, seconds: f64) {
        self.add(Update::Elapsed(seconds));
    }

    /// Why the step was ended before its time.
    pub fn failure_reason(&mut self, reason: FailureReason) {
        self.add(Update::FailureReason(reason));
    }

    /// Names found.
    pub fn files(&mut self, names: Vec<String>) {
        self.add(Update::Files(names));
    }

    /// The state of a file, as [`Update::Stat`] has it.
    pub fn stat(&mut self, stat: [i64; 10]) {
        self.add(Update::Stat(stat));
    }

    /// Starts a transfer call; the reply comes to the inbox with the tag that is returned. Transfers
    /// have no part in the window: whoever makes them counts what is under way.
    pub fn transfer(&mut self, transfer: Transfer) -> TransferTag {
        let tag = TransferTag(self.next_tag);
        self.next_tag += 1;
        (self.post)(StepEvent::Transfer { tag, transfer });
        tag
    }

    /// The master has taken updates of this cost.
    pub fn acknowledged(&mut self, cost: usize) {
        self.unacknowledged.confirmed(cost, Instant::now());
    }

    /// Whether the step may go on reading output. What is reported nevertheless is kept and posted.
    pub fn has_room(&self) -> bool {
        self.unacknowledged.has_room()
    }

    /// When [`Reporter::post_due`] wants to be called, if at all.
    pub fn due(&self) -> Option<Instant> {
        (self.batch_cost > 0).then_some(self.next_post)
    }

    /// Posts everything that is complete: the master wants to see how far it came before it is stopped
    /// (PROTOCOL 5.6).
    pub(super) fn flush(&mut self) {
        self.post_batch(Instant::now());
    }

    /// Posts what has waited long enough.
    pub fn post_due(&mut self, now: Instant) {
        if self.batch_cost > 0 && self.next_post <= now {
            self.post_batch(now);
        }
    }

    /// Completes the last lines and posts everything. Only the end of the command follows.
    pub(super) fn finish(&mut self) {
        let logs = 0..self.logs.len();
        let streams = [Stream::Header]
            .into_iter()
            .chain(logs.map(Stream::Log))
            .chain([Stream::Stderr, Stream::Stdout]);
        for stream in streams {
            self.lines(stream, |splitter, now, out| splitter.finish(now, out));
        }
        self.post_batch(Instant::now());
    }

    fn text(&mut self, stream: Stream, mut text: &str) {
        while !text.is_empty() {
            let (slice, rest) = text.split_at(slice_end(text));
            self.lines(stream, |splitter, now, out| splitter.push(slice, now, out));
            self.post_full();
            text = rest;
        }
    }

    fn add(&mut self, update: Update) {
        self.close();
        self.batch_cost += UPDATE_COST;
        if let Update::Files(names) = &update {
            self.batch_cost += names
                .iter()
                .map(|name| name.len() + UPDATE_COST)
                .sum::<usize>();
        }
        self.batch.push(update);
        self.post_full();
    }

    /// Lets the splitter of a stream append to the growing update, if that is of the same stream,
    /// otherwise to a new one.
    fn lines(
        &mut self,
        stream: Stream,
        split: impl FnOnce(&mut Splitter, Option<f64>, &mut Lines),
    ) {
        if self
            .growing
            .as_ref()
            .is_some_and(|(grown, _)| *grown != stream)
        {
            self.close();
        }
        let lines = &mut self
            .growing
            .get_or_insert_with(|| (stream, Lines::default()))
            .1;
        let before = lines_cost(lines);
        let splitter = match stream {
            Stream::Header => &mut self.header,
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
            Stream::Log(index) => &mut self.logs[index].1,
        };
        split(
            splitter,
            self.rules.line_times.then(seconds_since_1970),
            lines,
        );
        self.batch_cost += lines_cost(lines) - before;
    }

    /// Ends the growing update.
    fn close(&mut self) {
        let Some((stream, lines)) = self.growing.take() else {
            return;
        };
        if lines.text.is_empty() {
            return;
        }
        self.batch.push(match stream {
            Stream::Header => Update::Header(lines),
            Stream::Stdout => Update::Stdout(lines),
            Stream::Stderr => Update::Stderr(lines),
            Stream::Log(index) => {
                let name = self.logs[index].0.clone();
                Update::Log { name, lines }
            }
        });
    }

    fn post_full(&mut self) {
        if self.batch_cost >= self.rules.batch_size {
            self.post_batch(Instant::now());
        }
    }

    fn post_batch(&mut self, now: Instant) {
        self.close();
        let updates = std::mem::take(&mut self.batch);
        let cost = std::mem::take(&mut self.batch_cost);
        if updates.is_empty() {
            return;
        }
        self.unacknowledged.sent(cost, now);
        self.next_post = now + self.interval.min(self.rules.batch_interval);
        self.interval = self.rules.batch_interval;
        (self.post)(StepEvent::Updates { updates, cost });
    }
}

/// 0 for an update without text: it is never sent.
fn lines_cost(lines: &Lines) -> usize {
    if lines.text.is_empty() {
        0
    } else {
        UPDATE_COST + lines.text.len() + TIME_COST * lines.times.len()
    }
}

/// Where the first slice of a text ends: between two characters.
fn slice_end(text: &str) -> usize {
    let mut end = SLICE.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

fn seconds_since_1970() -> f64 {
    // A clock before 1970 is wrong anyway.
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    since.as_secs_f64()
}

#[cfg(test)]
mod tests;
