//! The commands a master may start, with every argument parsed (PROTOCOL section 6).

use std::fmt;

/// The names of the commands, in the order in which a worker tells them (PROTOCOL 4.4).
pub const COMMAND_NAMES: [&str; 14] = [
    "shell",
    "uploadFile",
    "upload_file",
    "uploadDirectory",
    "upload_directory",
    "downloadFile",
    "download_file",
    "mkdir",
    "rmdir",
    "cpdir",
    "stat",
    "glob",
    "listdir",
    "rmfile",
];

/// A command and its arguments.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Run a program.
    Shell(Box<Shell>),
    /// Send a file to the master.
    UploadFile(UploadFile),
    /// Send a directory to the master as an archive.
    UploadDirectory(UploadDirectory),
    /// Fetch a file from the master.
    DownloadFile(DownloadFile),
    /// Make directories, with parents.
    MakeDirectories(Vec<Place>),
    /// Remove trees.
    RemoveDirectories(RemoveDirectories),
    /// Copy a tree.
    CopyDirectory(CopyDirectory),
    /// Tell the state of a file, following links.
    Stat(Place),
    /// Tell which paths match.
    Glob(Place),
    /// Tell what is in a directory.
    ListDirectory(Place),
    /// Remove one file.
    RemoveFile(Place),
}

/// Where in the file system: components to be joined, one after the other, to the builder's
/// directory as Python's `os.path.join` does it. An absolute component replaces what is before it;
/// `..` is kept; nothing is normalised (PROTOCOL 6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// In order.
    pub components: Vec<String>,
    /// Whether a leading `~` or `~user` of the last component means a home directory.
    pub tilde: bool,
}

/// A number of seconds as the master wrote it, so that it is shown as the master wrote it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seconds {
    /// A whole number.
    Int(i64),
    /// With a fraction.
    Float(f64),
}

impl Seconds {
    /// The value in seconds.
    pub fn value(self) -> f64 {
        match self {
            // Above 2^53 s the loss of precision is no loss.
            Seconds::Int(seconds) => seconds as f64,
            Seconds::Float(seconds) => seconds,
        }
    }
}

impl fmt::Display for Seconds {
    /// As Python prints the number: `60`, `60.5`, `60.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seconds::Int(seconds) => write!(f, "{seconds}"),
            Seconds::Float(seconds) => write!(f, "{seconds:?}"),
        }
    }
}

/// One word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What is executed.
    pub real: String,
    /// What is shown instead, for a secret (an obfuscated word).
    pub shown: Option<String>,
}

/// What to execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandLine {
    /// A text for the shell.
    Text(String),
    /// Program and arguments. May be empty if the master sent an empty list.
    Words(Vec<Word>),
}

/// A value in the `env` argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvValue {
    /// Remove the variable.
    Remove,
    /// A text, in which `${NAME}` is replaced.
    Text(String),
    /// Texts to be joined with the path separator, then as a text.
    List(Vec<String>),
    /// Something else; the command fails when it comes to it (PROTOCOL 6.2.4).
    NotText,
}

/// A file to be watched while the command runs (PROTOCOL 6.2.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// The name of the log at the master.
    pub name: String,
    /// The file, relative to the work directory.
    pub filename: String,
    /// Whether to begin at the end of what was there; none if the master sent a plain file name
    /// instead of a dictionary (the header shows which).
    pub follow: Option<bool>,
}

/// Arguments of `shell` (PROTOCOL 6.2.1). Absent and None are alike.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Shell {
    pub command: CommandLine,
    /// Joined to the builder's directory, no tilde.
    pub workdir: Place,
    pub env: Vec<(String, EnvValue)>,
    pub initial_stdin: Option<String>,
    pub want_stdout: bool,
    pub want_stderr: bool,
    pub logfiles: Vec<LogFile>,
    /// Longest silence; none if the master sent None or 0.
    pub timeout: Option<Seconds>,
    /// Longest run; none if the master sent None or 0.
    pub max_time: Option<Seconds>,
    /// Most lines of output; 0 is a real limit.
    pub max_lines: Option<i64>,
    /// Seconds between SIGTERM and `interrupt_signal`; 0 counts as set. None: `interrupt_signal` at
    /// once.
    pub sigterm_time: Option<Seconds>,
    /// The name of a signal, without SIG; `KILL` unless the master says otherwise.
    pub interrupt_signal: String,
    pub use_pty: bool,
    pub log_environ: bool,
}

/// Arguments of `uploadFile` (PROTOCOL 6.10).
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct UploadFile {
    pub source: Place,
    /// Bytes.
    pub max_size: Option<u64>,
    /// Bytes, 1 to 640 KiB (clamped by the session, PROTOCOL 1.2).
    pub block_size: usize,
    /// Whether the master is told the times of the file.
    pub keep_times: bool,
}

/// How an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Compression {
    None,
    Gzip,
    Bzip2,
}

/// Arguments of `uploadDirectory` (PROTOCOL 6.11).
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct UploadDirectory {
    pub source: Place,
    /// Bytes of the archive.
    pub max_size: Option<u64>,
    /// Bytes, 1 to 640 KiB.
    pub block_size: usize,
    pub compression: Compression,
}

/// Arguments of `downloadFile` (PROTOCOL 6.12).
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct DownloadFile {
    pub target: Place,
    /// Bytes.
    pub max_size: Option<u64>,
    /// Bytes, 1 to 640 KiB.
    pub block_size: usize,
    /// Permission bits for the new file.
    pub mode: Option<u32>,
}

/// Arguments of `rmdir` (PROTOCOL 6.4).
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct RemoveDirectories {
    pub places: Vec<Place>,
    /// Longest time without progress; 120 s unless the master says otherwise, none for None or 0.
    pub timeout: Option<Seconds>,
    /// Longest time in all.
    pub max_time: Option<Seconds>,
    pub log_environ: bool,
}

/// Arguments of `cpdir` (PROTOCOL 6.5).
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct CopyDirectory {
    pub from: Place,
    pub to: Place,
    /// As for [`RemoveDirectories`].
    pub timeout: Option<Seconds>,
    pub max_time: Option<Seconds>,
    pub log_environ: bool,
}
