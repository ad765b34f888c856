//! Masters that break the rules, and peers that are no masters.

use coracle::calls::{Answer, MasterCall};
use coracle::session::{Event, ProtocolError};
use coracle::wire::jelly::Value;
use coracle::wire::msgpack::MsgpackError;
use coracle::wire::websocket::WebSocketError;

use super::master::{Heard, Master, frame, map, message, session, text};

fn refused(event: Event) -> String {
    match event {
        Event::Refused { what } => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn messages_without_op_or_number_are_dropped() {
    let mut master = Master::connected();
    for value in [
        Value::None,
        Value::List(vec![text("op")]),
        map([]),
        map([("op", text("print"))]),
        map([("seq_number", Value::Int(1))]),
        map([("op", Value::Int(1)), ("seq_number", Value::Int(1))]),
        map([("op", text("print")), ("seq_number", text("1"))]),
        Value::Dict(vec![(Value::List(Vec::new()), Value::None)]),
    ] {
        master.say(&message(&value)).unwrap();
        assert_eq!(
            refused(master.event()),
            "a message that is no map with op and seq_number"
        );
    }
    assert_eq!(master.heard(), []);
}

#[test]
fn responses_that_nobody_waits_for_are_dropped() {
    let mut master = Master::connected();
    master.respond(0, Value::None);
    let what = refused(master.event());
    assert_eq!(
        what,
        "a response to request 0, which is not waiting for one"
    );
    master.fail(-1, "no");
    refused(master.event());
}

#[test]
fn texts_are_logged_and_ignored_and_fragments_are_put_together() {
    let mut master = Master::connected();
    master.say(&frame(0x81, b"hello")).unwrap();
    assert_eq!(
        refused(master.event()),
        "a text message of 5 bytes: the master's messages are binary"
    );
    let print = message(&map([
        ("op", text("print")),
        ("seq_number", Value::Int(3)),
        ("message", text("in pieces")),
    ]));
    let payload = &print[2..];
    let (first, rest) = payload.split_at(5);
    let (second, third) = rest.split_at(7);
    master.say(&frame(0x02, first)).unwrap();
    master.say(&frame(0x89, b"p")).unwrap();
    master.say(&frame(0x00, second)).unwrap();
    assert_eq!(master.session.next_event(), None);
    master.say(&frame(0x80, third)).unwrap();
    let Event::Call(MasterCall::Print { message, .. }) = master.event() else {
        panic!("no message");
    };
    assert_eq!(message, "in pieces");
}

#[test]
fn two_requests_with_one_number_get_two_responses() {
    let mut master = Master::connected();
    let print = message(&map([
        ("op", text("print")),
        ("seq_number", Value::Int(3)),
        ("message", text("again")),
    ]));
    master.say(&[print.clone(), print].concat()).unwrap();
    for _ in 0..2 {
        let Event::Call(MasterCall::Print { reply, .. }) = master.event() else {
            panic!("no message");
        };
        master.session.answer(reply, Answer::Nothing);
        master.session.answer(reply, Answer::Nothing);
    }
    assert_eq!(master.messages().len(), 2);
}

#[test]
fn bytes_that_make_no_sense_end_the_conversation() {
    let ended = |bytes: &[u8]| {
        let mut master = Master::connected();
        let error = master.say(bytes).unwrap_err();
        // Nothing more is taken or said.
        assert_eq!(master.say(&frame(0x89, b"p")), Ok(()));
        assert_eq!(master.session.next_event(), None);
        (error, master.heard())
    };
    let closed = |code, reason: &str| ProtocolError::Closed {
        code,
        reason: reason.to_owned(),
    };
    let cases = [
        (
            frame(0x82, b"\x81"),
            ProtocolError::Msgpack(MsgpackError::Incomplete),
        ),
        (
            frame(0x82, b"\xc1"),
            ProtocolError::Msgpack(MsgpackError::NoSuchType),
        ),
        (
            frame(0xc2, b""),
            ProtocolError::WebSocket(WebSocketError::Unknown),
        ),
        (
            frame(0x80, b""),
            ProtocolError::WebSocket(WebSocketError::OutOfOrder),
        ),
    ];
    for (bytes, error) in cases {
        assert_eq!(ended(&bytes), (error, Vec::new()));
    }
    let goodbye = Heard {
        opcode: 8,
        payload: vec![3, 0xe8],
    };
    let (error, heard) = ended(&frame(0x88, b"\x03\xe9going\nhome"));
    assert_eq!(error, closed(Some(1001), "going\nhome"));
    assert_eq!(
        error.to_string(),
        "the master closed the connection with code 1001: goinghome"
    );
    assert_eq!(heard, [goodbye]);
    let (error, _) = ended(&frame(0x88, b""));
    assert_eq!(error.to_string(), "the master closed the connection");
}

#[test]
fn a_peer_that_is_no_websocket_server_is_named_as_such() {
    for (bytes, words) in [
        (&b"\x02\x80\x02\x82pb"[..], "something that is no HTTP"),
        (b"HTTP/1.1 101 x\r\n\r\n", "status 101 without an upgrade"),
        (b"\x15\x03\x01\x00\x02\x02\x0a", "something that is no HTTP"),
    ] {
        let mut session = session();
        let error = session.receive(bytes).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(error.contains("msgpack_experimental_v7"), "{error}");
        assert_eq!(error.lines().count(), 1);
        assert_eq!(session.next_event(), None);
    }
}

#[test]
fn a_status_is_quoted_and_only_401_means_the_password() {
    for (line, unauthorized, words) in [
        ("401 Unauthorized", true, "HTTP status 401 Unauthorized"),
        ("403 Forbidden", false, "HTTP status 403 Forbidden"),
        (
            "404 Not Found",
            false,
            "HTTP status 404 Not Found; is this the master's port for msgpack_experimental_v7, and is \
             `path` right?",
        ),
        ("503", false, "HTTP status 503"),
    ] {
        let mut session = session();
        let answer = format!("HTTP/1.1 {line}\r\nX: y\r\n\r\nbody");
        session.receive(answer.as_bytes()).unwrap();
        let refused = Event::LoginRefused {
            unauthorized,
            message: words.to_owned(),
        };
        assert_eq!(session.next_event(), Some(refused));
        assert_eq!(session.receive(b"more"), Ok(()));
        assert_eq!(session.next_event(), None);
    }
}

#[test]
fn before_the_handshake_nothing_is_said() {
    let mut session = session();
    let request = session.outgoing().len();
    assert!(!session.keepalive());
    session.say_goodbye();
    assert_eq!(session.outgoing().len(), request);
    assert!(!format!("{session:?}").contains("sekrit"));
}
