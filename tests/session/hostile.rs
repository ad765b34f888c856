//! Masters that break the rules: an error that says how, never a panic, never a hang.

use coracle::session::ProtocolError;
use coracle::session::pb::Event;
use coracle::wire::banana::Item;
use coracle::wire::jelly::Value;

use crate::master::{Master, dict, raw, text};

fn word(text: &str) -> Item {
    Item::Bytes(text.as_bytes().to_vec())
}

/// What the session says to one expression.
fn said(item: Item) -> Result<(), ProtocolError> {
    Master::attached(&["b"]).try_say(|out| out.item(&item))
}

#[test]
fn what_is_no_message_is_an_error() {
    let message = |fields: Vec<Item>| {
        let mut items = vec![word("message")];
        items.extend(fields);
        Item::List(items)
    };
    let empty = || Item::List(vec![word("tuple")]);
    let wrong = [
        Item::Int(1),
        word("message"),
        Item::Float(1.0),
        Item::List(vec![]),
        Item::List(vec![Item::Int(1)]),
        Item::List(vec![word("wat")]),
        Item::List(vec![word("cachemessage"), Item::Int(1)]),
        Item::List(vec![word("decref")]),
        Item::List(vec![word("decref"), word("root")]),
        Item::List(vec![word("answer")]),
        Item::List(vec![word("answer"), word("x"), Item::Int(0)]),
        Item::List(vec![
            word("answer"),
            Item::Int(1),
            Item::Int(0),
            Item::Int(0),
        ]),
        Item::List(vec![word("error"), Item::Int(1)]),
        Item::List(vec![word("version")]),
        message(vec![]),
        message(vec![
            word("x"),
            Item::Int(1),
            word("print"),
            Item::Int(1),
            empty(),
            empty(),
        ]),
        message(vec![
            Item::Int(1),
            Item::Int(1),
            Item::Int(1),
            Item::Int(1),
            empty(),
            empty(),
        ]),
        message(vec![
            Item::Int(1),
            Item::Int(1),
            word("print"),
            word("1"),
            empty(),
            empty(),
        ]),
    ];
    for item in wrong {
        let shown = format!("{item:?}");
        let error = said(item).expect_err(&shown).to_string();
        assert!(
            error.starts_with("talking with the master: expected "),
            "{error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
    assert_eq!(
        said(Item::List(vec![word("wat")])).unwrap_err().to_string(),
        "talking with the master: expected a call, an answer or a release, the peer sent a list \
         headed 'wat'"
    );
}

#[test]
fn answers_that_nobody_waits_for_are_errors() {
    for head in ["answer", "error"] {
        let item = Item::List(vec![word(head), Item::Int(99), Item::Int(0)]);
        assert_eq!(
            said(item),
            Err(ProtocolError::UnknownRequest { request: 99 })
        );
    }
    // Twice the same.
    let mut master = Master::attached(&["b"]);
    assert!(master.session.keepalive());
    let (request, ..) = master.called();
    master.answer(request, &Value::None);
    let again = master.try_say(|out| {
        out.list(3);
        out.bytes(b"answer");
        out.int(request);
        out.none();
    });
    assert_eq!(again, Err(ProtocolError::UnknownRequest { request }));
}

#[test]
fn a_number_of_a_call_that_is_being_served_cannot_be_used() {
    let mut master = Master::attached(&["b"]);
    let request = master.call(1, "getVersion", &[]);
    let again = master.try_say(|out| {
        out.list(7);
        out.bytes(b"message");
        out.int(request);
        out.int(1);
        out.bytes(b"getVersion");
        out.int(1);
        out.tuple_of(0);
        out.dictionary_of(0);
    });
    assert_eq!(again, Err(ProtocolError::RepeatedRequest { request }));
}

#[test]
fn arguments_that_are_no_values_are_refused_without_ending_the_conversation() {
    let wrong = [
        Item::List(vec![word("class"), word("os.system")]),
        Item::List(vec![word("instance"), word("a.B"), Item::Int(0)]),
        Item::List(vec![word("os.system"), Item::Int(0)]),
        Item::List(vec![word("wat")]),
        Item::List(vec![]),
        Item::List(vec![word("dereference"), Item::Int(1)]),
        Item::Int(1),
        word("x"),
    ];
    for item in wrong {
        for kwargs in [false, true] {
            let mut master = Master::attached(&["b"]);
            let empty = Item::List(vec![word(if kwargs { "tuple" } else { "dictionary" })]);
            let (args, named) = if kwargs {
                (empty, item.clone())
            } else {
                (item.clone(), empty)
            };
            let call = vec![
                word("message"),
                Item::Int(50),
                Item::Int(1),
                word("getWorkerInfo"),
                Item::Int(1),
                args,
                named,
            ];
            master.say(|out| out.item(&Item::List(call)));
            let (class, message) = master.refused(50);
            assert_eq!(class, "builtins.ValueError");
            assert!(message.starts_with("remote_getWorkerInfo: "), "{message}");
            assert!(matches!(master.event(), Event::Refused { .. }));
        }
    }
}

#[test]
fn an_error_without_an_exception_is_still_an_error() {
    let values = [
        (Value::None, "None"),
        (raw("raw"), "raw"),
        (Value::Int(3), "the number 3"),
        (dict([("a", text("b"))]), "a dictionary of 1"),
    ];
    for (value, expected) in values {
        let mut master = Master::attached(&["b"]);
        assert!(master.session.keepalive());
        let (request, ..) = master.called();
        master.error(request, &value);
        let Event::RemoteFailure { message, .. } = master.event() else {
            panic!("no failure");
        };
        assert_eq!(message, expected);
    }
}

#[test]
fn garbage_after_the_login_is_an_error_that_does_not_doubt_the_port() {
    let mut master = Master::attached(&["b"]);
    let error = master.session.receive(&[0xff]).unwrap_err().to_string();
    assert_eq!(
        error,
        "talking with the master: the peer sent unknown type 0xff"
    );
    // And it stays one.
    assert!(master.session.receive(&[0x81]).is_err());
}

#[test]
fn events_from_before_an_error_are_still_there() {
    let mut master = Master::attached(&["b"]);
    master.call(1, "getVersion", &[]);
    assert!(master.session.receive(&[0xff]).is_err());
    assert!(matches!(master.session.next_event(), Some(Event::Call(_))));
}

#[test]
fn a_message_nested_too_deep_is_an_error() {
    let mut master = Master::attached(&["b"]);
    let bytes = [1, 0x80].repeat(100_000);
    let error = master.session.receive(&bytes).unwrap_err().to_string();
    assert!(error.ends_with("lists nested deeper than 64"), "{error}");
}

#[test]
fn a_method_name_of_any_length_is_refused_in_a_line() {
    let mut master = Master::attached(&["b"]);
    let name = "x".repeat(600_000);
    let request = master.call(1, &name, &[]);
    let (_, message) = master.refused(request);
    assert!(message.len() < 200, "{}", message.len());
    let Event::Refused { what } = master.event() else {
        panic!("not refused");
    };
    assert!(what.len() < 400);
}

#[test]
fn a_word_of_the_master_that_it_did_not_understand_us_is_for_the_log() {
    let mut master = Master::attached(&["b"]);
    master.say(|out| out.item(&Item::List(vec![word("didNotUnderstand"), word("x")])));
    assert!(matches!(master.event(), Event::RemoteFailure { .. }));
}
