//! The header of a step that runs a program: what is run, where, and with what (PROTOCOL 6.2.2).

use std::ffi::OsString;
use std::fmt::Write;
use std::path::Path;

use super::TextEncoding;
use super::quote::{bytes_repr, shell_word, text_repr};
use crate::calls::{CommandLine, LogFile, Seconds, Word};

/// What a header tells.
pub(super) struct Header<'a> {
    pub(super) command: &'a CommandLine,
    /// How the words are given to the program.
    pub(super) encoding: TextEncoding,
    pub(super) directory: &'a Path,
    pub(super) timeout: Option<Seconds>,
    pub(super) max_time: Option<Seconds>,
    pub(super) logfiles: &'a [LogFile],
    /// The complete environment, if it is to be shown.
    pub(super) environment: Option<&'a [(OsString, OsString)]>,
    /// Bytes for standard input.
    pub(super) stdin: usize,
    pub(super) terminal: bool,
}

impl Header<'_> {
    /// All lines, with newlines.
    pub(super) fn text(&self) -> String {
        let directory = self.directory.display();
        let mut out = format!("{}\n in dir {directory}", command_text(self.command));
        push_limit(&mut out, "timeout", self.timeout);
        push_limit(&mut out, "maxTime", self.max_time);
        let logfiles = logfiles_repr(self.logfiles);
        let argv = argv_repr(self.command, self.encoding);
        out.push_str(&format!("\n watching logfiles {logfiles}\n argv: {argv}\n"));
        if let Some(environment) = self.environment {
            push_environment(&mut out, environment);
        }
        if self.stdin > 0 {
            out.push_str(&format!(" writing {} bytes to stdin\n", self.stdin));
        }
        let terminal = if self.terminal { "True" } else { "False" };
        out.push_str(&format!(" using PTY: {terminal}\n"));
        out
    }
}

/// The command as Python shows the bytes it is made of; also in kill messages. Secrets are hidden.
pub(super) fn argv_repr(command: &CommandLine, encoding: TextEncoding) -> String {
    match command {
        CommandLine::Text(text) => bytes_repr(&encoding.encode_lossy(text)),
        CommandLine::Words(words) => {
            let words = words
                .iter()
                .map(|word| bytes_repr(&encoding.encode_lossy(shown(word))));
            format!("[{}]", words.collect::<Vec<_>>().join(", "))
        }
    }
}

/// What people see of a word.
pub(super) fn shown(word: &Word) -> &str {
    word.shown.as_deref().unwrap_or(&word.real)
}

fn command_text(command: &CommandLine) -> String {
    match command {
        CommandLine::Text(text) => text.clone(),
        CommandLine::Words(words) => {
            let words = words.iter().map(|word| shell_word(shown(word)));
            words.collect::<Vec<_>>().join(" ")
        }
    }
}

fn push_limit(out: &mut String, name: &str, limit: Option<Seconds>) {
    let Some(limit) = limit.filter(|limit| limit.value() != 0.0) else {
        return;
    };
    let unit = if limit.value() == 1.0 { "sec" } else { "secs" };
    out.push_str(&format!(" ({name} {limit} {unit})"));
}

fn logfiles_repr(logfiles: &[LogFile]) -> String {
    let entry = |log: &LogFile| {
        let name = text_repr(&log.name);
        let filename = text_repr(&log.filename);
        match log.follow {
            None => format!("{name}: {filename}"),
            Some(true) => format!("{name}: {{'filename': {filename}, 'follow': True}}"),
            Some(false) => format!("{name}: {{'filename': {filename}, 'follow': False}}"),
        }
    };
    let entries: Vec<_> = logfiles.iter().map(entry).collect();
    format!("{{{}}}", entries.join(", "))
}

fn push_environment(out: &mut String, environment: &[(OsString, OsString)]) {
    let mut sorted: Vec<_> = environment.iter().collect();
    sorted.sort();
    out.push_str(" environment:\n");
    for (name, value) in sorted {
        // Writing to a String does not fail.
        let _ = writeln!(
            out,
            "  {}={}",
            name.to_string_lossy(),
            value.to_string_lossy()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[(&str, Option<&str>)]) -> CommandLine {
        let word = |(real, shown): &(&str, Option<&str>)| Word {
            real: (*real).to_owned(),
            shown: shown.map(str::to_owned),
        };
        CommandLine::Words(words.iter().map(word).collect())
    }

    fn bare<'a>(command: &'a CommandLine) -> Header<'a> {
        Header {
            command,
            encoding: TextEncoding::Utf8,
            directory: Path::new("/b/build"),
            timeout: None,
            max_time: None,
            logfiles: &[],
            environment: None,
            stdin: 0,
            terminal: false,
        }
    }

    #[test]
    fn a_bare_header_has_four_lines() {
        let command = words(&[("/nonexistent/program", None), ("arg", None)]);
        let text = "/nonexistent/program arg\n in dir /b/build\n watching logfiles {}\n \
                    argv: [b'/nonexistent/program', b'arg']\n using PTY: False\n";
        assert_eq!(bare(&command).text(), text);
    }

    #[test]
    fn a_full_header_tells_everything_in_the_order_of_the_python_worker() {
        let command = CommandLine::Text("echo hi".to_owned());
        let log = |name: &str, filename: &str, follow| LogFile {
            name: name.to_owned(),
            filename: filename.to_owned(),
            follow,
        };
        let header = Header {
            timeout: Some(Seconds::Int(60)),
            max_time: Some(Seconds::Int(1)),
            logfiles: &[
                log("mylog", "my.log", None),
                log("followed", "f.log", Some(true)),
            ],
            environment: Some(&[("Z".into(), "1".into()), ("A".into(), "x=y".into())]),
            stdin: 11,
            terminal: true,
            ..bare(&command)
        };
        let text = "echo hi\n in dir /b/build (timeout 60 secs) (maxTime 1 sec)\n \
            watching logfiles {'mylog': 'my.log', 'followed': {'filename': 'f.log', 'follow': True}}\n \
            argv: b'echo hi'\n environment:\n  A=x=y\n  Z=1\n writing 11 bytes to stdin\n \
            using PTY: True\n";
        assert_eq!(header.text(), text);
    }

    #[test]
    fn a_secret_is_shown_as_its_cover() {
        let command = words(&[("svn", None), ("hunter2", Some("XXX X"))]);
        let text = bare(&command).text();
        assert!(!text.contains("hunter2"));
        assert!(text.starts_with("svn 'XXX X'\n"));
        assert!(text.contains("argv: [b'svn', b'XXX X']\n"));
    }

    #[test]
    fn limits_are_shown_as_the_master_wrote_them() {
        let command = words(&[("true", None)]);
        let header = Header {
            timeout: Some(Seconds::Float(1.0)),
            max_time: Some(Seconds::Float(0.5)),
            ..bare(&command)
        };
        assert!(
            header
                .text()
                .contains(" (timeout 1.0 sec) (maxTime 0.5 secs)\n")
        );
    }
}
