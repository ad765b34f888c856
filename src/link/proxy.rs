//! Asking a proxy to carry our bytes to the master.

pub mod http;
pub mod socks5;

use std::fmt;
use std::io;

use super::error::words;

/// Why a proxy did not let us through.
#[derive(Debug)]
pub enum ProxyError {
    /// The connection to it was lost.
    Lost(io::Error),
    /// It closed the connection before it had answered.
    Closed,
    /// It did not answer in time; seconds.
    Timeout(u64),
    /// What it sent is not what such a proxy sends.
    Nonsense {
        /// What it should speak.
        expected: &'static str,
    },
    /// Its answer did not end; bytes that we read of it.
    TooLong(usize),
    /// It answered, and not with success. Its own words.
    Refused(String),
    /// It wants a user's name and password, and we have none. Its own words, if it had any.
    WantsCredentials(String),
    /// It does not accept name and password. Its own words, if it had any.
    BadCredentials(String),
    /// Something cannot be said in its language.
    CannotAsk(&'static str),
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProxyError::Lost(error) => write!(f, "lost the connection to it: {}", words(error)),
            ProxyError::Closed => f.write_str("it closed the connection without an answer"),
            ProxyError::Timeout(seconds) => {
                write!(f, "it did not answer within {seconds} s")
            }
            ProxyError::Nonsense { expected } => write!(
                f,
                "what it answers is not {expected}; are its kind and port right?"
            ),
            ProxyError::TooLong(bytes) => {
                write!(f, "its answer has no end after {bytes} bytes")
            }
            ProxyError::Refused(words) => write!(f, "it says {words}"),
            ProxyError::WantsCredentials(words) => write!(
                f,
                "it wants a user name and a password{}; give them as username=...:password=... in \
                 proxy_connection_string",
                in_brackets(words)
            ),
            ProxyError::BadCredentials(words) => write!(
                f,
                "it does not accept the user name and the password{}",
                in_brackets(words)
            ),
            ProxyError::CannotAsk(what) => f.write_str(what),
        }
    }
}

fn in_brackets(words: &str) -> String {
    if words.is_empty() {
        String::new()
    } else {
        format!(" ({words})")
    }
}

impl std::error::Error for ProxyError {}
