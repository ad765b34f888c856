//! Why a master could not be reached.

use std::fmt;
use std::io;

use super::proxy::ProxyError;
use super::tls_error::TlsError;

/// Whom we wanted to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// The master itself.
    Master,
    /// The proxy before it.
    Proxy,
}

/// What went wrong on the way to a master, with the address it went wrong at.
#[derive(Debug)]
pub enum LinkError {
    /// The host name has no address.
    UnknownHost {
        /// Whose host.
        whom: Whom,
        /// The name.
        host: String,
        /// What the resolver said.
        error: io::Error,
    },
    /// No address of the host let us in.
    Connect {
        /// Who did not.
        whom: Whom,
        /// `host:port`.
        at: String,
        /// What the system said of the last address tried.
        error: io::Error,
    },
    /// Nobody answered.
    Timeout {
        /// Who did not.
        whom: Whom,
        /// `host:port`.
        at: String,
        /// How long we waited, in seconds.
        seconds: u64,
    },
    /// The proxy did not let us through.
    Proxy {
        /// Which one, as people call it.
        proxy: String,
        /// `host:port` that it was asked for.
        master: String,
        /// Why.
        error: ProxyError,
    },
    /// There is no TLS with this master, or none that we may trust.
    Tls {
        /// `host:port`.
        master: String,
        /// Why.
        error: TlsError,
    },
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Whom::Master => "master",
            Whom::Proxy => "proxy",
        })
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::UnknownHost { whom, host, error } => write!(
                f,
                "the name of the {whom}'s host {host} has no address ({}); check the spelling \
                 in buildbot.tac and this machine's resolver",
                words(error)
            ),
            LinkError::Connect { whom, at, error } => {
                write!(
                    f,
                    "cannot connect to the {whom} {at}: {}{}",
                    words(error),
                    hint(*whom, error.kind())
                )
            }
            LinkError::Timeout { whom, at, seconds } => write!(
                f,
                "the {whom} {at} did not answer within {seconds} s; a firewall between us may \
                 drop the connection"
            ),
            LinkError::Proxy {
                proxy,
                master,
                error,
            } => write!(f, "{proxy} does not bring us to {master}: {error}"),
            LinkError::Tls { master, error } => {
                write!(f, "no TLS with the master {master}: {error}")
            }
        }
    }
}

/// The system's words, without the number that Rust adds.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// What to look at, where the kind of error tells.
fn hint(whom: Whom, kind: io::ErrorKind) -> &'static str {
    match (kind, whom) {
        (io::ErrorKind::ConnectionRefused, Whom::Master) => {
            "; is the master running, and is the port right?"
        }
        (io::ErrorKind::ConnectionRefused, Whom::Proxy) => {
            "; is the proxy running, and is the port right?"
        }
        (io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable, _) => {
            "; is this machine's network up?"
        }
        _ => "",
    }
}

impl std::error::Error for LinkError {}
