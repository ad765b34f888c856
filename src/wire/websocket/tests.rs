use super::handshake::{ANSWER_LIMIT, Refusal, Request, is_path};
use super::*;

fn all(bytes: &[u8], piece: usize) -> Result<Vec<Message>, WebSocketError> {
    let mut receiver = Receiver::new();
    let mut messages = Vec::new();
    for piece in bytes.chunks(piece) {
        receiver.feed(piece);
        while let Some(message) = receiver.next_message()? {
            messages.push(message);
        }
    }
    Ok(messages)
}

/// The same in one piece and byte by byte.
fn messages(bytes: &[u8]) -> Result<Vec<Message>, WebSocketError> {
    let whole = all(bytes, bytes.len().max(1));
    assert_eq!(whole, all(bytes, 1));
    whole
}

#[test]
fn messages_come_out_of_frames_and_fragments() {
    // RFC 6455 section 5.7, but for the masks.
    assert_eq!(messages(b"\x81\x05Hello"), Ok(vec![Message::Text(5)]));
    assert_eq!(
        messages(b"\x02\x03Hel\x89\x02hi\x00\x00\x80\x02lo\x8a\x00"),
        Ok(vec![
            Message::Ping(b"hi".to_vec()),
            Message::Binary(b"Hello".to_vec()),
            Message::Pong(Vec::new()),
        ])
    );
    let long = vec![7; 70_000];
    let bytes = [&b"\x82\x7f\x00\x00\x00\x00\x00\x01\x11\x70"[..], &long].concat();
    assert_eq!(messages(&bytes), Ok(vec![Message::Binary(long)]));
    assert_eq!(messages(b"\x82\x00"), Ok(vec![Message::Binary(Vec::new())]));
    assert_eq!(messages(b"\x82\x02a"), Ok(Vec::new()));
}

#[test]
fn a_close_says_why_if_the_server_did() {
    let close = |code, reason: &str| Message::Close {
        code,
        reason: reason.to_owned(),
    };
    assert_eq!(messages(b"\x88\x00"), Ok(vec![close(None, "")]));
    assert_eq!(messages(b"\x88\x01\x03"), Ok(vec![close(None, "")]));
    assert_eq!(
        messages(b"\x88\x05\x03\xe9bye"),
        Ok(vec![close(Some(1001), "bye")])
    );
}

#[test]
fn broken_rules_are_an_error() {
    for (bytes, error) in [
        (&b"\x82\x81\x00\x00\x00\x00a"[..], WebSocketError::Masked),
        (b"\xc2\x00", WebSocketError::Unknown),
        (b"\x83\x00", WebSocketError::Unknown),
        (b"\x8b\x00", WebSocketError::Unknown),
        (b"\x89\x7e\x00\x7e", WebSocketError::BadControl),
        (b"\x09\x00", WebSocketError::BadControl),
        (b"\x80\x00", WebSocketError::OutOfOrder),
        (b"\x02\x00\x82\x00", WebSocketError::OutOfOrder),
        (
            b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
            WebSocketError::TooLong,
        ),
        (
            b"\x81\x7f\x00\x00\x00\x00\x01\x00\x00\x01",
            WebSocketError::TooLong,
        ),
    ] {
        assert_eq!(messages(bytes), Err(error), "{bytes:02x?}");
    }
}

#[test]
fn fragments_together_have_the_limit_of_a_message() {
    let mut receiver = Receiver::new();
    let piece = vec![0; MESSAGE_LIMIT / 4];
    for index in 0..4_u8 {
        receiver.feed(&[
            if index == 0 { 2 } else { 0 },
            0x7f,
            0,
            0,
            0,
            0,
            0,
            0x40,
            0,
            0,
        ]);
        receiver.feed(&piece);
        assert_eq!(receiver.next_message(), Ok(None));
    }
    receiver.feed(b"\x80\x01");
    assert_eq!(receiver.next_message(), Err(WebSocketError::TooLong));
    assert_eq!(receiver.next_message(), Err(WebSocketError::TooLong));
}

#[test]
fn what_we_send_is_masked() {
    let mut out = Vec::new();
    // RFC 6455 section 5.7.
    write(&mut out, Frame::Pong(b"Hello"), [0x37, 0xfa, 0x21, 0x3d]);
    assert_eq!(out, b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    out.clear();
    write(&mut out, Frame::Close(1000), [0; 4]);
    assert_eq!(out, b"\x88\x82\0\0\0\0\x03\xe8");
    for length in [125, 126, 65_535, 65_536] {
        out.clear();
        write(&mut out, Frame::Binary(&vec![0; length]), [1, 2, 3, 4]);
        let header = out.len() - length;
        assert_eq!(
            header,
            [6, 8, 14][usize::from(length > 125) + usize::from(length > 65_535)]
        );
        assert!(
            out[header..]
                .iter()
                .zip([1, 2, 3, 4].iter().cycle())
                .all(|(a, b)| a == b)
        );
    }
}

fn request() -> Request {
    Request {
        host: "m:9989".to_owned(),
        path: "/".to_owned(),
        agent: "test".to_owned(),
        name: "w".to_owned(),
        password: "a:b".to_owned(),
        // RFC 6455 section 1.3.
        key: *b"the sample nonce",
    }
}

const WELCOME: &str = "HTTP/1.1 101 Switching Protocols\r\nserver: x\r\nUpgrade: WebSocket\r\n\
                       Connection: keep-alive, Upgrade\r\n\
                       Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

#[test]
fn the_answer_ends_where_the_frames_begin() {
    let bytes = format!("{WELCOME}\u{1}\u{2}");
    for length in 0..WELCOME.len() {
        assert_eq!(request().answer(&bytes.as_bytes()[..length]), Ok(None));
    }
    let expected = Ok(Some(WELCOME.len()));
    assert_eq!(request().answer(bytes.as_bytes()), expected);
}

#[test]
fn a_server_that_does_not_let_us_in_is_quoted() {
    let status = |code, reason: &str, location: Option<&str>| Refusal::Status {
        code,
        reason: reason.to_owned(),
        location: location.map(str::to_owned),
    };
    for (answer, refusal, words) in [
        (
            "HTTP/1.1 401 Unauthorized\r\n\r\n",
            status(401, "Unauthorized", None),
            "HTTP status 401 Unauthorized",
        ),
        (
            "HTTP/1.0 502\r\nServer: nginx\r\n\r\n<html>",
            status(502, "", None),
            "HTTP status 502",
        ),
        (
            "HTTP/1.1 301 Moved\r\nlocation: https://m/\r\n\r\n",
            status(301, "Moved", Some("https://m/")),
            "HTTP status 301 Moved, to be found at https://m/",
        ),
        (
            "\x02\u{80}\x02",
            Refusal::NotHttp,
            "something that is no HTTP",
        ),
        (
            "SSH-2.0-x\r\n",
            Refusal::NotHttp,
            "something that is no HTTP",
        ),
        (
            "HTTP/1.1 abc\r\n\r\n",
            Refusal::Malformed,
            "an answer that is no proper HTTP",
        ),
        (
            &WELCOME.replace("Upgrade: WebSocket", "Upgrade: h2c"),
            Refusal::NotUpgraded,
            "status 101 without an upgrade to WebSocket",
        ),
        (
            &WELCOME.replace("s3pP", "S3pP"),
            Refusal::WrongKey,
            "a wrong Sec-WebSocket-Accept",
        ),
        (
            &WELCOME.replace("server: x", "Sec-WebSocket-Extensions: permessage-deflate"),
            Refusal::Unasked,
            "an extension or protocol that was not asked for",
        ),
    ] {
        let error = request().answer(answer.as_bytes()).unwrap_err();
        assert_eq!(error, refusal);
        assert_eq!(error.to_string(), words);
    }
}

#[test]
fn an_endless_answer_is_cut_off() {
    let mut answer = b"HTTP/1.1 101 x\r\nA: ".to_vec();
    answer.resize(ANSWER_LIMIT - 1, b'a');
    assert_eq!(request().answer(&answer), Ok(None));
    answer.push(b'a');
    assert_eq!(request().answer(&answer), Err(Refusal::TooLong));
    let many = format!("HTTP/1.1 101 x\r\n{}\r\n", "A: b\r\n".repeat(200));
    assert_eq!(request().answer(many.as_bytes()), Err(Refusal::Malformed));
}

#[test]
fn nothing_breaks_out_of_a_header() {
    let mut request = request();
    request.host = "m\r\nEvil: 1".to_owned();
    let text = String::from_utf8(request.bytes()).unwrap();
    assert!(text.contains("Host: mEvil: 1\r\n"), "{text}");
    assert!(text.contains("Authorization: Basic dzphOmI=\r\n"), "{text}");
    assert!(!format!("{request:?}").contains("a:b"));
    assert!(is_path("/") && is_path("/ws/worker?x=1"));
    for wrong in ["", "ws", "/a b", "/a\r\n", "/\u{e9}"] {
        assert!(!is_path(wrong), "{wrong:?}");
    }
}
