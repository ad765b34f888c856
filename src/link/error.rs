//! Why a master could not be reached.

use std::fmt;
use std::io;

/// What went wrong on the way to a master, with the address it went wrong at.
#[derive(Debug)]
pub enum LinkError {
    /// The host name has no address.
    UnknownHost {
        /// The name.
        host: String,
        /// What the resolver said.
        error: io::Error,
    },
    /// No address of the host let us in.
    Connect {
        /// `host:port`.
        master: String,
        /// What the system said of the last address tried.
        error: io::Error,
    },
    /// Nobody answered.
    Timeout {
        /// `host:port`.
        master: String,
        /// How long we waited, in seconds.
        seconds: u64,
    },
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::UnknownHost { host, error } => write!(
                f,
                "the name of the master's host {host} has no address ({}); check the spelling \
                 in buildbot.tac and this machine's resolver",
                words(error)
            ),
            LinkError::Connect { master, error } => {
                write!(
                    f,
                    "cannot connect to the master {master}: {}{}",
                    words(error),
                    hint(error.kind())
                )
            }
            LinkError::Timeout { master, seconds } => write!(
                f,
                "the master {master} did not answer within {seconds} s; a firewall between us may \
                 drop the connection"
            ),
        }
    }
}

/// The system's words, without the number that Rust adds.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// What to look at, where the kind of error tells.
fn hint(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => "; is the master running, and is the port right?",
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            "; is this machine's network up?"
        }
        _ => "",
    }
}

impl std::error::Error for LinkError {}
