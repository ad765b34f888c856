//! The opening handshake: the request that asks for a WebSocket, and what a server answers
//! (RFC 6455 section 4; PROTOCOL 5.1).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// Longest answer, in bytes up to the empty line. Masters send about 200.
pub const ANSWER_LIMIT: usize = 16 * 1024;

/// Most headers of an answer; reverse proxies add some.
const HEADER_LIMIT: usize = 96;

/// What the key is joined with (RFC 6455 section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What is asked for, and by whom.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The header of this name: host and port.
    pub host: String,
    /// The path of the URL; begins with a slash, see [`is_path`].
    pub path: String,
    /// What program we are.
    pub agent: String,
    /// The worker's name, without a colon.
    pub name: String,
    /// Its password.
    pub password: String,
    /// Sixteen bytes that nobody can foresee.
    pub key: [u8; 16],
}

impl fmt::Debug for Request {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("host", &self.host)
            .field("path", &self.path)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Whether a text can be the path of a request: a slash, then visible ASCII.
pub fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Request {
    /// The bytes to be sent, in the order in which the Python worker sends the headers. What would
    /// break out of its line is left out.
    pub fn bytes(&self) -> Vec<u8> {
        let line = |text: &str| text.replace(|c: char| c.is_control(), "");
        let credentials = STANDARD.encode(format!("{}:{}", self.name, self.password));
        format!(
            "GET {} HTTP/1.1\r\n\
             User-Agent: {}\r\n\
             Host: {}\r\n\
             Upgrade: WebSocket\r\n\
             Connection: Upgrade\r\n\
             Pragma: no-cache\r\n\
             Cache-Control: no-cache\r\n\
             Authorization: Basic {credentials}\r\n\
             Sec-WebSocket-Key: {}\r\n\
             Sec-WebSocket-Version: 13\r\n\
             \r\n",
            line(&self.path),
            line(&self.agent),
            line(&self.host),
            self.key_text(),
        )
        .into_bytes()
    }

    fn key_text(&self) -> String {
        STANDARD.encode(self.key)
    }

    /// Reads the answer from all bytes that have come. Some if it is complete and lets us in: how many
    /// bytes it has; what is behind them are frames.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn answer(&self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        let mut headers = [httparse::EMPTY_HEADER; HEADER_LIMIT];
        let mut answer = httparse::Response::new(&mut headers);
        let length = match answer.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if bytes.len() < ANSWER_LIMIT => return Ok(None),
            Ok(httparse::Status::Partial) => return Err(Refusal::TooLong),
            Err(_) if b"HTTP/".starts_with(&bytes[..bytes.len().min(5)]) => {
                return Err(Refusal::Malformed);
            }
            Err(_) => return Err(Refusal::NotHttp),
        };
        let header = |name: &str| {
            let found = answer
                .headers
                .iter()
                .find(|header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| String::from_utf8_lossy(header.value).trim().to_owned())
        };
        let code = answer.code.unwrap_or_default();
        if code != 101 {
            return Err(Refusal::Status {
                code,
                reason: shown(answer.reason.unwrap_or_default()),
                location: header("Location").map(|location| shown(&location)),
            });
        }
        let has = |name: &str, word: &str| {
            let words = header(name).unwrap_or_default();
            words
                .split(',')
                .any(|w| w.trim().eq_ignore_ascii_case(word))
        };
        if !has("Upgrade", "websocket") || !has("Connection", "upgrade") {
            return Err(Refusal::NotUpgraded);
        }
        let expected = STANDARD.encode(Sha1::digest(format!("{}{GUID}", self.key_text())));
        if header("Sec-WebSocket-Accept").as_deref() != Some(expected.as_str()) {
            return Err(Refusal::WrongKey);
        }
        // We have asked for neither.
        if header("Sec-WebSocket-Extensions").is_some()
            || header("Sec-WebSocket-Protocol").is_some()
        {
            return Err(Refusal::Unasked);
        }
        Ok(Some(length))
    }
}

/// A text of the server for one line of the log.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Why there is no WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The peer speaks something else.
    NotHttp,
    /// The answer is no HTTP after all.
    Malformed,
    /// More than [`ANSWER_LIMIT`].
    TooLong,
    /// The server does not let us in.
    Status {
        /// 401: name or password is wrong.
        code: u16,
        /// Its words for that.
        reason: String,
        /// Where it would have us go instead.
        location: Option<String>,
    },
    /// The server agrees to something else.
    NotUpgraded,
    /// The proof that it has understood us is wrong.
    WrongKey,
    /// It has chosen an extension or a protocol that we did not offer.
    Unasked,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotHttp => f.write_str("something that is no HTTP"),
            Refusal::Malformed => f.write_str("an answer that is no proper HTTP"),
            Refusal::TooLong => write!(f, "an answer of more than {ANSWER_LIMIT} bytes"),
            Refusal::Status {
                code,
                reason,
                location,
            } => {
                write!(f, "HTTP status {code}")?;
                if !reason.is_empty() {
                    write!(f, " {reason}")?;
                }
                match location {
                    Some(location) => write!(f, ", to be found at {location}"),
                    None => Ok(()),
                }
            }
            Refusal::NotUpgraded => f.write_str("status 101 without an upgrade to WebSocket"),
            Refusal::WrongKey => f.write_str("a wrong Sec-WebSocket-Accept"),
            Refusal::Unasked => f.write_str("an extension or protocol that was not asked for"),
        }
    }
}

impl std::error::Error for Refusal {}
