//! The words that the parts of the worker share: what a master asks (calls), what a step answers
//! (updates), and the names both use. No behaviour and no dialect of the wire lives here.

mod command;

use std::fmt;

pub use command::{
    COMMAND_NAMES, Command, CommandLine, Compression, CopyDirectory, DownloadFile, EnvValue,
    LogFile, Place, RemoveDirectories, Seconds, Shell, UploadDirectory, UploadFile, Word,
};

/// The name of a builder, as the master knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BuilderName(pub String);

impl fmt::Display for BuilderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id that the master gave a command; a decimal number as text in practice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CommandId(pub String);

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Our own number for one started command. Never used twice in one process, so what a step of a
/// lost connection still says cannot be taken for a step of the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub u64);

/// Where the answer to a call goes. Only the session that made it can read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplyTo(pub i64);

/// Something a master asks. Each must be answered through its `reply`.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum MasterCall {
    /// A message for the log; also the master's ping and keepalive. Answer at once.
    Print { reply: ReplyTo, message: String },
    /// Answer with [`Answer::Facts`] (PROTOCOL 4.3).
    GetWorkerInfo { reply: ReplyTo },
    /// The old way to ask for the commands (pre-0.9). Answer with [`Answer::Facts`].
    GetCommands { reply: ReplyTo },
    /// The old way to ask for the version. Answer with [`Answer::Text`].
    GetVersion { reply: ReplyTo },
    /// The builders and their directories below the base directory, complete (PROTOCOL 4.5).
    /// Answer with [`Answer::Builders`].
    SetBuilderList {
        reply: ReplyTo,
        builders: Vec<(BuilderName, String)>,
    },
    /// A build is about to start on this builder.
    StartBuild {
        reply: ReplyTo,
        builder: BuilderName,
    },
    /// How output is to be cut and sent from now on (PROTOCOL 5.3). Answer with [`Answer::Failure`] if
    /// that cannot be done.
    SetWorkerSettings {
        reply: ReplyTo,
        settings: WorkerSettings,
    },
    /// Run a command (PROTOCOL 4.6).
    StartCommand {
        reply: ReplyTo,
        step: StepId,
        /// None for what the master does for itself (PROTOCOL 5.5).
        builder: Option<BuilderName>,
        id: CommandId,
        /// The command's name as the master said it, for the log.
        name: String,
        command: Box<Command>,
    },
    /// Stop the command with this id (PROTOCOL 4.8).
    InterruptCommand {
        reply: ReplyTo,
        /// None where the id alone tells which one (PROTOCOL 5.5).
        builder: Option<BuilderName>,
        id: CommandId,
        reason: String,
    },
    /// Stop the worker.
    Shutdown { reply: ReplyTo },
}

/// How a master wants output (PROTOCOL 5.3, 6.2.9, 6.2.10), as it wrote it but for the types.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerSettings {
    /// Most characters of one `update`, counted as PROTOCOL 6.2.10 says.
    pub buffer_size: usize,
    /// Longest time that output waits for more.
    pub buffer_timeout: Seconds,
    /// What ends a line, as a regular expression of Python's.
    pub newline_re: String,
    /// Most characters of a line, its newline included.
    pub max_line_length: usize,
}

/// What a call of the master is answered with.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Done, nothing to say.
    Nothing,
    /// A text.
    Text(String),
    /// Names and values, in order.
    Facts(Vec<(String, Fact)>),
    /// The builders that are ready; the session turns each into a reference.
    Builders(Vec<BuilderName>),
    /// It failed.
    Failure(Failure),
}

/// A value the worker reports about itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A text.
    Text(String),
    /// A number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// Names and texts.
    Map(Vec<(String, String)>),
}

/// What kind of failure this is. A Python master shows it as the name of an exception class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// An argument is missing.
    MissingArgument,
    /// An argument has the wrong type or value.
    BadArgument,
    /// A command that we do not have.
    UnknownCommand,
    /// A method that we do not have.
    UnknownMethod,
    /// An object that we do not have.
    UnknownObject,
    /// The system refused.
    System,
    /// Anything else.
    Other,
}

/// A failure as a master is told it: the step ends in an exception, and the worker may be put in
/// quarantine (PROTOCOL 3.5). What is the user's fault is an exit code, not a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its kind.
    pub kind: FailureKind,
    /// One line: what failed, on what, why.
    pub message: String,
}

/// A text a step sends, with the time at which each of its lines began.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines {
    /// Complete lines, each ended by a newline.
    pub text: String,
    /// Seconds since 1970, one a line; empty where the master does not ask for times (PB).
    pub times: Vec<f64>,
}

/// Why a step was ended before its time (PROTOCOL 6.2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureReason {
    /// `timeout_without_output`.
    Silence,
    /// `timeout`.
    TotalTime,
    /// `max_lines_failure`.
    MaxLines,
}

/// One thing a running command tells the master.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Update {
    /// Output.
    Stdout(Lines),
    /// Error output.
    Stderr(Lines),
    /// What the worker itself has to say.
    Header(Lines),
    /// Lines of a watched log file.
    Log { name: String, lines: Lines },
    /// The exit code; exactly once.
    ExitCode(i32),
    /// Seconds from start to end.
    Elapsed(f64),
    /// Why it was ended.
    FailureReason(FailureReason),
    /// Names found by glob or listdir.
    Files(Vec<String>),
    /// mode, inode, device, links, uid, gid, size, atime, mtime, ctime.
    Stat([i64; 10]),
}

/// A number a step chooses to recognise the reply to one of its transfers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransferTag(pub u64);

/// What a step asks of the master's end of a file transfer (PROTOCOL 6.10 to 6.12).
#[derive(Debug, Clone, PartialEq)]
pub enum Transfer {
    /// Append these bytes, at most 640 KiB (PROTOCOL 1.2).
    Write(Vec<u8>),
    /// The next bytes, at most so many; no bytes at the end of the file.
    Read(usize),
    /// No more.
    Close,
    /// Times of the file, seconds since 1970: last access, last change.
    SetTimes(f64, f64),
    /// The archive is complete.
    Unpack,
}

/// What the reply to a read says when the master sent nothing at all: neither bytes nor the end of the
/// file. Masters up to Buildbot 4.3.0 do so over MessagePack (PROTOCOL 5.4).
pub const NOTHING_READ: &str = "the master sent no data: a defect of Buildbot's MessagePack \
                                protocol up to 4.3.0 at least; downloads work with protocol pb";

/// The master's reply to a [`Transfer`]: bytes for a read, nothing otherwise, or its error text.
pub type TransferReply = Result<Vec<u8>, String>;

/// What a running step says to the worker.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum StepEvent {
    /// Updates in order. `cost` bytes are given back with [`ToStep::Acknowledged`].
    Updates { updates: Vec<Update>, cost: usize },
    /// A transfer call; answered with [`ToStep::Reply`].
    Transfer {
        tag: TransferTag,
        transfer: Transfer,
    },
    /// The command is over; the last event, sent exactly once whatever happened.
    Complete(Result<(), Failure>),
}

/// What the worker says to a running step.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum ToStep {
    /// The master wants it stopped; it is reported as interrupted.
    Interrupt { reason: String },
    /// The connection is lost or the worker stops: end everything at once, report nothing more.
    Abandon,
    /// The master has taken updates of this cost.
    Acknowledged { cost: usize },
    /// The reply to a transfer.
    Reply {
        tag: TransferTag,
        reply: TransferReply,
    },
}
