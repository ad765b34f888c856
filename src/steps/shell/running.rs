//! A program while it runs: reads what it says, feeds it, watches its clocks, and ends it when that
//! is wanted.

use std::time::{Duration, Instant};

use ports::{Exit, Read, Source, StepProcess};

use super::clocks::Clocks;
use super::feed::Feed;
use super::kill::{Cause, Killing};
use super::output::{Output, Stream};
use super::pace::Pace;
use super::{leftovers, system_failure};
use crate::calls::{Failure, FailureReason, Shell};
use crate::steps::logfiles::LogFiles;
use crate::steps::mailbox::{Notice, Stop, earlier};
use crate::steps::{Inbox, Reporter, TextEncoding};

/// Bytes read at once; what a pipe holds on most systems.
const READ_SIZE: usize = 64 * 1024;

/// The same at first, for most steps print little.
const FIRST_READ_SIZE: usize = 4 * 1024;

/// How long everything a step has started may take to be gone once it is killed.
const END_LIMIT: Duration = Duration::from_secs(5);

/// How long that may take when nobody waits for the result.
const ABANDON_LIMIT: Duration = Duration::from_secs(2);

/// How a program ended.
pub(super) enum Outcome {
    /// It is gone.
    Exited {
        /// How.
        exit: Exit,
        /// Whether we wanted it.
        killed: bool,
    },
    /// Nothing helped (PROTOCOL 6.2.7, step 6).
    Unkillable,
    /// Nobody wants to know.
    Abandoned,
}

/// A running program.
pub(super) struct Running<'a> {
    pub(super) shell: &'a Shell,
    pub(super) encoding: TextEncoding,
    pub(super) reporter: &'a mut Reporter,
    inbox: &'a mut Inbox,
    /// Until it and everything it started is gone.
    pub(super) process: Option<StepProcess>,
    pub(super) exit: Option<Exit>,
    feed: Feed,
    pub(super) output: Output,
    logs: LogFiles,
    pub(super) clocks: Clocks,
    pub(super) killing: Option<Killing>,
    /// The output has been open long enough after the end of the program.
    lingered: bool,
    /// The master does not want to wait for what is left in log files.
    pub(super) hurried: bool,
    pace: Pace,
    buffer: Vec<u8>,
}

/// What became ready.
#[derive(Debug, Clone, Copy)]
enum Ready {
    Wake,
    Exit,
    Input,
    Output(Stream),
}

impl<'a> Running<'a> {
    /// Takes over a program that has just been started.
    pub(super) fn new(
        shell: &'a Shell,
        mut process: StepProcess,
        logs: LogFiles,
        reporter: &'a mut Reporter,
        inbox: &'a mut Inbox,
        encoding: TextEncoding,
    ) -> Running<'a> {
        let stdin = process.take_stdin();
        let input = shell.initial_stdin.as_deref().unwrap_or_default();
        // The start has made sure that all of it can be encoded.
        let input = encoding.encode_lossy(input);
        Running {
            feed: Feed::new(stdin, input, shell.use_pty),
            output: Output::new(
                process.take_stdout(),
                process.take_stderr(),
                shell,
                encoding,
            ),
            clocks: Clocks::new(shell.timeout, shell.max_time, Instant::now()),
            shell,
            encoding,
            reporter,
            inbox,
            process: Some(process),
            exit: None,
            logs,
            killing: None,
            lingered: false,
            hurried: false,
            pace: Pace::default(),
            buffer: vec![0; FIRST_READ_SIZE],
        }
    }

    /// Stays with the program to its end.
    ///
    /// # Errors
    /// The system does not let us wait.
    pub(super) fn run(mut self) -> Result<Outcome, Failure> {
        loop {
            let now = Instant::now();
            if self.hear(now) == Some(Stop::Abandon) {
                self.abandon(now);
                return Ok(Outcome::Abandoned);
            }
            self.reporter.post_due(now);
            self.clocks.hold(!self.reporter.has_room(), now);
            self.watch_clocks(now);
            if self.escalate(now) {
                self.end_everything(now);
                return Ok(Outcome::Unkillable);
            }
            if self.process.is_some() && self.is_over() {
                self.end_everything(now);
                self.logs.look(self.reporter);
            }
            self.follow_logs(now);
            if let (None, Some(exit)) = (&self.process, self.exit) {
                if !self.logs.behind() || self.is_hurried() {
                    self.logs.finish(self.reporter);
                    let killed = self.killing.is_some();
                    return Ok(Outcome::Exited { exit, killed });
                }
            }
            self.sleep(now)?;
        }
    }

    /// Listens to the worker.
    fn hear(&mut self, now: Instant) -> Option<Stop> {
        while let Some(notice) = self.inbox.try_notice(self.reporter) {
            match notice {
                Notice::Stop(Stop::Abandon) => return Some(Stop::Abandon),
                Notice::Stop(Stop::Interrupt) => self.interrupt(now),
                // Programs make no transfers.
                Notice::Reply { .. } => {}
            }
        }
        None
    }

    fn watch_clocks(&mut self, now: Instant) {
        let Some(reason) = self.clocks.passed(now) else {
            return;
        };
        if self.exit.is_some() {
            self.lingered = true;
            return;
        }
        match reason {
            FailureReason::Silence => self.kill(Cause::Silence, now),
            FailureReason::TotalTime | FailureReason::MaxLines => self.kill(Cause::TotalTime, now),
        }
    }

    /// PROTOCOL 6.2.5: the program has ended and its output too. Beyond that: nothing that it left
    /// running keeps the step open for long.
    fn is_over(&self) -> bool {
        let forced = matches!(self.killing, Some(Killing::Forced { .. }));
        self.exit.is_some() && (self.output.is_closed() || self.lingered || forced)
    }

    /// Whether to end now, even if there is more to be told than the master has room for.
    fn is_hurried(&self) -> bool {
        self.hurried || (self.killing.is_some() && !self.reporter.has_room())
    }

    /// Ends what is left of the step, reads what is left in its pipes, and tells what it was.
    fn end_everything(&mut self, now: Instant) {
        let Some(process) = self.process.take() else {
            return;
        };
        self.feed.close();
        self.clocks.stop();
        let open = !self.output.is_closed() && self.killing.is_none();
        if self.shell.use_pty && self.killing.is_some() {
            self.let_go_of_terminal(now);
        }
        let ended = process.end(now + END_LIMIT);
        self.drain(now);
        let text = leftovers::header(&ended, open);
        if !text.is_empty() {
            log::warn!("{}", text.trim_end());
            self.reporter.header(&text);
        }
    }

    /// Reads what was written to the terminal, and takes the terminal away.
    pub(super) fn let_go_of_terminal(&mut self, now: Instant) {
        self.feed.close();
        self.drain(now);
    }

    fn abandon(&mut self, now: Instant) {
        self.feed.close();
        self.output.close_all();
        if let Some(process) = self.process.take() {
            let ended = process.end(now + ABANDON_LIMIT);
            if !ended.survived.is_empty() {
                log::warn!("{}", leftovers::header(&ended, false).trim_end());
            }
        }
    }

    /// Reads what is in the pipes when nobody writes any more. Somebody who survived may; hence the
    /// limit.
    fn drain(&mut self, now: Instant) {
        const MOST_READS: usize = 64;
        for stream in [Stream::Stdout, Stream::Stderr] {
            let mut reads = 0;
            while reads < MOST_READS && self.read(stream, now) {
                reads += 1;
            }
            self.close(stream);
        }
    }

    fn follow_logs(&mut self, now: Instant) {
        if self.process.is_some() {
            self.logs.look_if_due(now, self.reporter);
        }
        if self.reporter.has_room() && self.logs.behind() {
            self.buffer.resize(READ_SIZE, 0);
            if self.logs.read(&mut self.buffer, self.reporter) {
                self.clocks.heard(now);
            }
        }
    }

    /// Waits for something to do, and does it.
    fn sleep(&mut self, now: Instant) -> Result<(), Failure> {
        let room = self.reporter.has_room();
        let rest = self.pace.rest(now);
        let deadline = if room && self.logs.behind() {
            Some(now)
        } else {
            earlier(self.next_deadline(), rest)
        };
        let mut kinds = vec![Ready::Wake];
        let mut sources = vec![Source::Wake(self.inbox.wake_reader())];
        if let (Some(process), None) = (&self.process, self.exit) {
            kinds.push(Ready::Exit);
            sources.push(Source::Exit(process));
        }
        if let Some(end) = self.feed.waiting() {
            kinds.push(Ready::Input);
            sources.push(Source::Writable(end));
        }
        for stream in [Stream::Stdout, Stream::Stderr] {
            if let Some(end) = self.output.end(stream).filter(|_| room && rest.is_none()) {
                kinds.push(Ready::Output(stream));
                sources.push(Source::Readable(end));
            }
        }
        let ready = ports::wait(&sources, deadline).map_err(|error| {
            system_failure(format!(
                "cannot wait for the program: {}",
                ports::words_of(&error)
            ))
        })?;
        let now = Instant::now();
        for (kind, _) in kinds.into_iter().zip(ready).filter(|(_, ready)| *ready) {
            self.handle(kind, now);
        }
        Ok(())
    }

    fn next_deadline(&self) -> Option<Instant> {
        let process = self.process.as_ref();
        let looking = process.and_then(|_| self.logs.due());
        let killing = process
            .and(self.killing.as_ref())
            .and_then(Killing::deadline);
        [
            looking,
            killing,
            self.reporter.due(),
            self.clocks.deadline(),
        ]
        .into_iter()
        .fold(None, earlier)
    }

    fn handle(&mut self, ready: Ready, now: Instant) {
        match ready {
            Ready::Wake => self.inbox.clear(),
            Ready::Input => self.feed.write(),
            Ready::Exit => {
                self.exit = self.process.as_mut().and_then(StepProcess::exited);
                if self.exit.is_some() {
                    self.feed.close();
                    self.clocks.linger(now);
                }
            }
            Ready::Output(stream) => {
                self.read(stream, now);
            }
        }
    }

    /// Reads once; whether there was anything.
    fn read(&mut self, stream: Stream, now: Instant) -> bool {
        let Some(end) = self.output.end_mut(stream) else {
            return false;
        };
        match end.read(&mut self.buffer) {
            Ok(Read::NotYet) => false,
            Ok(Read::Bytes(count)) => {
                self.clocks.heard(now);
                // A terminal holds too little to let it fill.
                let full = count == self.buffer.len();
                self.pace.read(!full && !self.shell.use_pty, now);
                self.deliver(stream, count, now);
                if full {
                    self.buffer.resize(READ_SIZE, 0);
                }
                true
            }
            Ok(Read::End) => {
                self.close(stream);
                false
            }
            Err(error) => {
                log::warn!(
                    "cannot read a program's output: {}",
                    ports::words_of(&error)
                );
                self.close(stream);
                false
            }
        }
    }

    /// Reports the first `count` bytes of the buffer. What goes over the limit of lines is still
    /// reported, after the reason for the end (PROTOCOL 6.2.7).
    fn deliver(&mut self, stream: Stream, count: usize, now: Instant) {
        let buffer = std::mem::take(&mut self.buffer);
        if let Some(text) = self.output.text(stream, &buffer[..count]) {
            if self.output.over_the_limit(&text) {
                self.kill(Cause::MaxLines(self.output.lines()), now);
            }
            self.report(stream, &text);
        }
        self.buffer = buffer;
    }

    fn close(&mut self, stream: Stream) {
        let rest = self.output.close(stream);
        self.report(stream, &rest);
    }

    fn report(&mut self, stream: Stream, text: &str) {
        match stream {
            Stream::Stdout => self.reporter.stdout(text),
            Stream::Stderr => self.reporter.stderr(text),
        }
    }
}
