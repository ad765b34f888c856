//! The method CONNECT of an HTTP proxy (RFC 9110, section 9.3.6).

use async_net::TcpStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use smol::io::{AsyncReadExt, AsyncWriteExt};

use super::ProxyError;
use crate::link::endpoint::{Authority, Credentials};

/// Longest head of an answer, in bytes; what servers commonly allow.
const LONGEST_HEAD: usize = 16 * 1024;

/// Most that is shown of a status line, in characters.
const SHOWN: usize = 120;

/// Has the proxy connect us. Takes nothing of what comes behind its answer: that is the master's.
pub async fn pass(
    stream: &mut TcpStream,
    master: &Authority,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError> {
    let asked = request(master, credentials);
    stream
        .write_all(asked.as_bytes())
        .await
        .map_err(ProxyError::Lost)?;
    let mut head = Vec::new();
    let mut looked_at = [0; 2048];
    loop {
        let count = stream
            .peek(&mut looked_at)
            .await
            .map_err(ProxyError::Lost)?;
        if count == 0 {
            return Err(closed(&head, credentials.is_some()));
        }
        let before = head.len();
        head.extend_from_slice(&looked_at[..count]);
        let end = end_of_head(&head);
        let taken = end.map_or(count, |end| end - before);
        // It is there, so this does not wait.
        stream
            .read_exact(&mut looked_at[..taken])
            .await
            .map_err(ProxyError::Lost)?;
        if let Some(end) = end {
            return verdict(&head[..end], credentials.is_some());
        }
        if !may_become_http(&head) {
            return Err(nonsense());
        }
        if head.len() > LONGEST_HEAD {
            return Err(ProxyError::TooLong(head.len()));
        }
    }
}

fn request(master: &Authority, credentials: Option<&Credentials>) -> String {
    let mut text = format!("CONNECT {master} HTTP/1.1\r\nHost: {master}\r\n");
    if let Some(Credentials { user, password }) = credentials {
        let basic = STANDARD.encode(format!("{user}:{password}"));
        text.push_str(&format!("Proxy-Authorization: Basic {basic}\r\n"));
    }
    text.push_str("\r\n");
    text
}

/// Where the head ends: behind an empty line. Lines may end without a carriage return (RFC 9112,
/// section 2.2).
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut line = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte != b'\n' {
            continue;
        }
        if line > 0 && matches!(&bytes[line..at], b"" | b"\r") {
            return Some(at + 1);
        }
        line = at + 1;
    }
    None
}

fn may_become_http(bytes: &[u8]) -> bool {
    let start = b"HTTP/";
    let common = bytes.len().min(start.len());
    bytes[..common] == start[..common]
}

fn nonsense() -> ProxyError {
    ProxyError::Nonsense { expected: "HTTP" }
}

/// A proxy that closes in the middle of its head has perhaps said what is wrong.
fn closed(head: &[u8], with_credentials: bool) -> ProxyError {
    if !head.contains(&b'\n') {
        return ProxyError::Closed;
    }
    match verdict(head, with_credentials) {
        Ok(()) => ProxyError::Closed,
        Err(error) => error,
    }
}

/// What the head of an answer means (RFC 9112, section 4).
fn verdict(head: &[u8], with_credentials: bool) -> Result<(), ProxyError> {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let line = line.trim_end();
    let code = line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split_once(' '))
        .and_then(|(_, rest)| rest.trim_start().split(' ').next())
        .filter(|code| code.len() == 3)
        .and_then(|code| code.parse::<u16>().ok())
        .ok_or_else(nonsense)?;
    let shown: String = line
        .chars()
        .map(|sign| if sign.is_control() { '?' } else { sign })
        .take(SHOWN)
        .collect();
    let shown = format!("\"{shown}\"");
    match (code, with_credentials) {
        (200..=299, _) => Ok(()),
        (407, true) => Err(ProxyError::BadCredentials(shown)),
        (407, false) => Err(ProxyError::WantsCredentials(shown)),
        _ => Err(ProxyError::Refused(shown)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_names_the_master_twice_and_the_user_if_there_is_one() {
        let master = Authority::new("m.example.org", 9989);
        assert_eq!(
            request(&master, None),
            "CONNECT m.example.org:9989 HTTP/1.1\r\nHost: m.example.org:9989\r\n\r\n"
        );
        let credentials = Credentials {
            user: "Aladdin".to_owned(),
            password: "open sesame".to_owned(),
        };
        // RFC 7617, section 2.
        assert_eq!(
            request(&Authority::new("::1", 1), Some(&credentials)),
            "CONNECT [::1]:1 HTTP/1.1\r\nHost: [::1]:1\r\n\
             Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
        );
    }

    #[test]
    fn a_head_ends_behind_the_first_empty_line() {
        assert_eq!(end_of_head(b"HTTP/1.1 200\r\n\r\nPB"), Some(16));
        assert_eq!(end_of_head(b"HTTP/1.1 200\nA: b\n\nPB"), Some(19));
        assert_eq!(end_of_head(b"HTTP/1.1 200\r\nA: b\r\n"), None);
        assert_eq!(end_of_head(b"HTTP/1.1 200\r\n\r"), None);
        assert_eq!(end_of_head(b""), None);
    }

    #[test]
    fn any_success_is_one() {
        for head in [
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.0 200\r\n\r\n",
            "HTTP/1.1 204  x\n\n",
        ] {
            assert!(verdict(head.as_bytes(), false).is_ok(), "{head}");
        }
    }

    #[test]
    fn other_answers_are_told_in_the_words_of_the_proxy() {
        let said = |head: &str, with| verdict(head.as_bytes(), with).unwrap_err().to_string();
        assert_eq!(
            said("HTTP/1.1 403 Filtered\r\nX: y\r\n\r\n", false),
            "it says \"HTTP/1.1 403 Filtered\""
        );
        assert!(said("HTTP/1.1 407 No\r\n\r\n", false).starts_with("it wants a user name"));
        assert_eq!(
            said("HTTP/1.1 407 No\r\n\r\n", true),
            "it does not accept the user name and the password (\"HTTP/1.1 407 No\")"
        );
        assert_eq!(
            said(
                &format!("HTTP/1.1 500 \x1b[1m{}\r\n\r\n", "x".repeat(500)),
                true
            )
            .len(),
            "it says \"\"".len() + SHOWN
        );
        for head in [
            "\r\n\r\n",
            "HTTP/2 200\n\n",
            "HTTP/1.1 2000 x\n\n",
            "HTTP/1.1 xyz\n\n",
            "SSH-2.0\n\n",
        ] {
            assert!(said(head, false).contains("is not HTTP"), "{head}");
        }
    }

    #[test]
    fn what_does_not_begin_as_http_is_known_at_once() {
        assert!(may_become_http(b""));
        assert!(may_become_http(b"HT"));
        assert!(may_become_http(b"HTTP/1.1"));
        assert!(!may_become_http(b"\x05"));
        assert!(!may_become_http(b"HTTPS"));
    }

    #[test]
    fn half_an_answer_before_the_end_is_better_than_none() {
        let text = closed(b"HTTP/1.1 503 Busy\r\nX", false).to_string();
        assert_eq!(text, "it says \"HTTP/1.1 503 Busy\"");
        assert!(matches!(closed(b"HTTP/1.1 5", false), ProxyError::Closed));
        assert!(matches!(
            closed(b"HTTP/1.1 200 OK\r\n", false),
            ProxyError::Closed
        ));
    }
}
