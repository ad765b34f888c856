//! A step as the command that a worker is sent (PROTOCOL 6.1), with the arguments that Buildbot's own steps
//! send.

use super::super::serve::Peer;
use super::{Action, CommandText, ShellAction};
use crate::wire::jelly::Value;

/// Bytes of one block of a transfer; Buildbot's.
const BLOCK: i64 = 256 * 1024;

/// A command for a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its name.
    pub name: &'static str,
    /// Its arguments.
    pub arguments: Vec<(String, Value)>,
    /// What it transfers with.
    pub peer: Option<Peer>,
}

impl Action {
    /// What the worker is sent.
    pub fn request(&self) -> Request {
        let simple = |name, argument: &str, path: &str| Request {
            name,
            arguments: vec![pair(argument, text(path))],
            peer: None,
        };
        match self {
            Action::Shell(shell) => shell.request(),
            Action::Upload { workdir, path, .. } => {
                let mut arguments = transfer(workdir, "workersrc", path);
                arguments.push(pair("keepstamp", Value::Bool(false)));
                with_peer("uploadFile", arguments, Peer::Writer)
            }
            Action::UploadDirectory {
                workdir,
                path,
                compress,
            } => {
                let mut arguments = transfer(workdir, "workersrc", path);
                arguments.push(pair("compress", optional(compress.as_deref().map(text))));
                with_peer("uploadDirectory", arguments, Peer::Writer)
            }
            Action::Download {
                workdir,
                path,
                mode,
                ..
            } => {
                let mut arguments = transfer(workdir, "workerdest", path);
                let mode = mode.map(|mode| Value::Int(i64::from(mode)));
                arguments.push(pair("mode", optional(mode)));
                with_peer("downloadFile", arguments, Peer::Reader)
            }
            Action::MakeDirectory(path) => simple("mkdir", "dir", path),
            Action::RemoveDirectory(path) => simple("rmdir", "dir", path),
            Action::Copy { from, to } => Request {
                name: "cpdir",
                arguments: vec![pair("fromdir", text(from)), pair("todir", text(to))],
                peer: None,
            },
            Action::Stat(path) => simple("stat", "file", path),
            Action::Glob(path) => simple("glob", "path", path),
            Action::ListDirectory(path) => simple("listdir", "dir", path),
            Action::RemoveFile(path) => simple("rmfile", "path", path),
        }
    }
}

impl ShellAction {
    fn request(&self) -> Request {
        let command = match &self.command {
            CommandText::Shell(line) => text(line),
            CommandText::Words(words) => Value::List(words.iter().map(|word| text(word)).collect()),
        };
        let texts = |pairs: &[(String, String)]| {
            let pairs = pairs.iter();
            Value::Dict(pairs.map(|(key, value)| (text(key), text(value))).collect())
        };
        let mut arguments = vec![
            pair("command", command),
            pair("workdir", text(&self.workdir)),
            pair("env", texts(&self.env)),
            pair("initial_stdin", optional(self.stdin.as_deref().map(text))),
            pair("want_stdout", Value::Int(1)),
            pair("want_stderr", Value::Int(1)),
            pair("logfiles", texts(&self.log_files)),
            pair("timeout", optional(self.timeout.map(number))),
            pair("maxTime", optional(self.max_time.map(number))),
            pair("max_lines", optional(self.max_lines.map(Value::Int))),
            pair("usePTY", Value::Bool(self.pty)),
            pair("logEnviron", Value::Bool(true)),
        ];
        if let Some(seconds) = self.sigterm_time {
            arguments.push(pair("sigtermTime", number(seconds)));
        }
        let signal = self.interrupt_signal.as_deref().unwrap_or("KILL");
        arguments.push(pair("interruptSignal", text(signal)));
        Request {
            name: "shell",
            arguments,
            peer: None,
        }
    }
}

fn transfer(workdir: &str, end: &str, path: &str) -> Vec<(String, Value)> {
    vec![
        pair("workdir", text(workdir)),
        pair(end, text(path)),
        pair("maxsize", Value::None),
        pair("blocksize", Value::Int(BLOCK)),
    ]
}

fn with_peer(name: &'static str, arguments: Vec<(String, Value)>, peer: Peer) -> Request {
    let peer = Some(peer);
    Request {
        name,
        arguments,
        peer,
    }
}

fn pair(key: &str, value: Value) -> (String, Value) {
    (key.to_owned(), value)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn optional(value: Option<Value>) -> Value {
    value.unwrap_or(Value::None)
}

/// Whole seconds as a whole number: so it is shown.
fn number(seconds: f64) -> Value {
    if seconds.fract() == 0.0 && seconds.abs() < 1e15 {
        Value::Int(seconds as i64)
    } else {
        Value::Float(seconds)
    }
}
