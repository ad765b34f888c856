//! Dialect, version and login.

use coracle::calls::{Answer, MasterCall, ReplyTo, StepId};
use coracle::session::ProtocolError;
use coracle::session::pb::{Event, Login, PbSession};
use coracle::wire::banana::Item;

use crate::master::{Master, dict, raw, text};
use coracle::wire::jelly::Value;

fn session() -> PbSession {
    let login = Login {
        name: "login".to_owned(),
        password: "sekrit".to_owned(),
    };
    PbSession::new(login, StepId(1))
}

#[test]
fn the_worker_says_nothing_before_the_master_does() {
    assert!(session().outgoing().is_empty());
}

#[test]
fn no_common_dialect_is_an_error_that_names_what_is_offered() {
    let error = session().receive(b"\x02\x80\x04\x82none\x04\x82jade");
    assert_eq!(
        error.unwrap_err().to_string(),
        "the master offers the dialects 'none', 'jade', none of which is 'pb'"
    );
}

#[test]
fn another_version_is_an_error() {
    let mut session = session();
    let error = session.receive(b"\x02\x80\x02\x82pb\x04\x82none\x02\x80\x13\x87\x07\x81");
    assert_eq!(error, Err(ProtocolError::Version { got: 7 }));
}

#[test]
fn a_web_server_is_told_apart_from_a_master() {
    let page = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html>";
    let error = session().receive(page).unwrap_err().to_string();
    assert_eq!(
        error,
        "waiting for the master's dialects: the peer sent more than 64 bytes without a type; \
         is this the worker port of a Buildbot master, and does it want TLS?"
    );
}

#[test]
fn a_tls_alert_is_told_apart_from_a_master() {
    let error = session().receive(b"\x15\x03\x03\x00\x02\x02\x82").err();
    // A prefix and a string that is far too long.
    assert!(error.unwrap().to_string().ends_with("does it want TLS?"));
}

#[test]
fn words_are_not_legal_before_the_dialect() {
    let error = session().receive(b"\x01\x80\x01\x87").unwrap_err();
    assert!(error.to_string().contains("before a dialect was selected"));
}

#[test]
fn the_calls_before_the_end_of_the_login_are_served() {
    let mut master = Master::connected();
    let challenge = Value::Tuple(vec![Value::Bytes(vec![1; 20]), Value::Remote(9)]);
    master.answer(1, &challenge);
    let (request, luid, method, args) = master.called();
    assert_eq!((request, luid, method.as_str()), (2, 9, "respond"));
    assert_eq!(args[1], Value::Remote(1));
    assert_eq!(master.released, [9]);
    let request = master.call_with(
        1,
        raw("print"),
        1,
        &Value::Tuple(vec![]),
        &dict([("message", text("attached"))]),
    );
    assert_eq!(
        master.event(),
        Event::Call(MasterCall::Print {
            reply: ReplyTo(request),
            message: "attached".to_owned()
        })
    );
    master.session.answer(ReplyTo(request), Answer::Nothing);
    assert_eq!(master.answered(request), Value::None);
    // There is nobody yet to be asked.
    assert!(!master.session.keepalive());
    assert!(!master.session.ask_for_shutdown());
    master.quiet();
}

#[test]
fn an_error_at_the_first_login_call_is_a_refusal_too() {
    let mut master = Master::connected();
    master.error(1, &text("no"));
    assert_eq!(
        master.event(),
        Event::LoginRefused {
            unauthorized: false,
            message: "no".to_owned()
        }
    );
}

#[test]
fn a_challenge_of_another_shape_is_an_error() {
    for value in [
        Value::None,
        Value::Tuple(vec![Value::Bytes(vec![1])]),
        Value::Tuple(vec![Value::Remote(1), Value::Bytes(vec![1])]),
        Value::Tuple(vec![Value::Bytes(vec![1]), Value::Local(1)]),
    ] {
        let mut master = Master::connected();
        let said = master.try_say(|out| {
            out.list(3);
            out.bytes(b"answer");
            out.int(1);
            out.value(&value);
        });
        assert!(
            matches!(said, Err(ProtocolError::Unexpected { .. })),
            "{value:?}"
        );
    }
}

#[test]
fn keepalive_and_shutdown_go_to_the_object_of_the_login() {
    let mut master = Master::attached(&["b"]);
    assert!(master.session.keepalive());
    let (request, luid, method, args) = master.called();
    assert_eq!((luid, method.as_str(), args.len()), (2, "keepalive", 0));
    master.answer(request, &Value::None);
    assert_eq!(master.event(), Event::KeepaliveAnswered);

    assert!(master.session.ask_for_shutdown());
    let (request, luid, method, _) = master.called();
    assert_eq!((luid, method.as_str()), (2, "shutdown"));
    master.answer(request, &Value::None);
    assert_eq!(master.event(), Event::ShutdownAsked { answer: Ok(()) });

    assert!(master.session.ask_for_shutdown());
    let (request, ..) = master.called();
    master.error(request, &text("not now"));
    let answer = Err("not now".to_owned());
    assert_eq!(master.event(), Event::ShutdownAsked { answer });

    assert!(master.session.keepalive());
    let (request, ..) = master.called();
    master.error(request, &text("what?"));
    assert_eq!(
        master.event(),
        Event::RemoteFailure {
            what: "a keepalive".to_owned(),
            message: "what?".to_owned()
        }
    );
    assert_eq!(master.session.counts().asked, 0);
}

#[test]
fn the_login_name_is_a_raw_string() {
    let mut session = session();
    session.receive(b"\x02\x80\x02\x82pb\x04\x82none").unwrap();
    let login = b"\x07\x80\x1a\x87\x01\x81\x04\x82root\x14\x87\x01\x81\x02\x80\x0b\x87\x14\x87\x01\x80\x05\x87";
    let expected = [&b"\x02\x82pb\x02\x80\x13\x87\x06\x81"[..], &login[..]].concat();
    assert_eq!(*session.outgoing(), expected);
}

#[test]
fn something_else_than_a_version_is_an_error() {
    let mut master_first = session();
    let error = master_first.receive(b"\x02\x80\x02\x82pb\x04\x82none\x05\x81");
    assert_eq!(
        error.unwrap_err().to_string(),
        "waiting for the master's version: expected its version, the peer sent the number 5"
    );
    let item = Item::List(vec![Item::Bytes(b"version".to_vec()), Item::Float(6.0)]);
    let mut master = Master::connected();
    assert!(master.try_say(|out| out.item(&item)).is_err());
}
