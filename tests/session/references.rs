//! References in both directions: each is given back exactly once, and none is left over.

use std::collections::BTreeMap;

use coracle::calls::{
    Answer, BuilderName, Failure, FailureKind, Lines, MasterCall, ReplyTo, Transfer, TransferTag,
    Update,
};
use coracle::session::pb::{Counts, Event};
use coracle::wire::jelly::Value;

use crate::master::{Master, dict, text};

fn shell_args() -> Value {
    dict([
        ("workdir", text("build")),
        ("command", Value::List(vec![text("true")])),
    ])
}

fn upload_args(master: &mut Master) -> Value {
    dict([
        ("workdir", text("build")),
        ("workersrc", text("f")),
        ("writer", master.lend()),
        ("blocksize", Value::Int(1024)),
        ("maxsize", Value::None),
    ])
}

/// Answers every call that the worker has made.
fn answer_all(master: &mut Master) {
    master.listen();
    for items in std::mem::take(&mut master.heard) {
        if items[0] == coracle::wire::banana::Item::Bytes(b"message".to_vec()) {
            let coracle::wire::banana::Item::Int(request) = items[1] else {
                panic!("no number");
            };
            master.answer(request, &Value::Int(0));
        }
    }
}

/// What an attached worker with one builder holds, and nothing else.
const IDLE: Counts = Counts {
    asked: 0,
    served: 0,
    objects: 2,
    steps: 0,
    lent: 0,
};

#[test]
fn three_thousand_steps_leave_no_reference_on_either_side() {
    let mut master = Master::attached(&["b"]);
    for round in 0..3000 {
        let (request, step, _) = if round % 3 == 0 {
            let args = upload_args(&mut master);
            master.start("uploadFile", args)
        } else {
            master.start("shell", shell_args())
        };
        master.session.answer(ReplyTo(request), Answer::Nothing);
        let lines = Lines {
            text: "out\n".to_owned(),
            times: Vec::new(),
        };
        let updates = [Update::Stdout(lines), Update::ExitCode(0)];
        master.session.update(step, &updates, 10);
        if round % 3 == 0 {
            let write = Transfer::Write(vec![1, 2, 3]);
            master.session.transfer(step, TransferTag(round), write);
        }
        let failure = Failure {
            kind: FailureKind::Other,
            message: "no".to_owned(),
        };
        let result = if round % 7 == 0 { Err(failure) } else { Ok(()) };
        master.session.complete(step, result);
        answer_all(&mut master);
        while let Some(event) = master.session.next_event() {
            assert!(
                matches!(
                    event,
                    Event::Acknowledged { .. } | Event::Completed { .. } | Event::Replied { .. }
                ),
                "{event:?}"
            );
        }
    }
    let mut released: BTreeMap<i64, usize> = BTreeMap::new();
    for luid in &master.released {
        *released.entry(*luid).or_default() += 1;
    }
    assert!(released.values().all(|count| *count == 1));
    // All but the object of the login.
    assert_eq!(master.released.len(), master.lent - 1);
    assert!(!released.contains_key(&2));
    assert_eq!(master.session.counts(), IDLE);
}

#[test]
fn the_references_of_a_command_are_released_right_after_its_end() {
    let mut master = Master::attached(&["b"]);
    let args = upload_args(&mut master);
    let (_, step, command) = master.start("uploadFile", args);
    master.listen();
    let before = master.released.len();
    master.session.complete(step, Ok(()));
    let bytes = master.session.outgoing().clone();
    // complete, then the command, then the writer, which was lent before.
    let releases = [
        [2, 0x80, 0x1d, 0x87, u8::try_from(command).unwrap(), 0x81],
        [
            2,
            0x80,
            0x1d,
            0x87,
            u8::try_from(command).unwrap() - 1,
            0x81,
        ],
    ]
    .concat();
    assert!(bytes.ends_with(&releases));
    master.listen();
    assert_eq!(master.released.len(), before + 2);
}

#[test]
fn a_command_that_is_refused_gives_its_references_back() {
    let mut master = Master::attached(&["b"]);
    let (command, writer) = (master.lend(), master.lend());
    let args = dict([("writer", writer)]);
    let call = [command, text("1"), text("uploadFile"), args];
    let request = master.call(2, "startCommand", &call);
    assert!(matches!(master.event(), Event::Refused { .. }));
    let (class, message) = master.refused(request);
    assert_eq!(
        (class.as_str(), message.as_str()),
        ("builtins.KeyError", "'workdir'")
    );
    assert_eq!(master.released.len(), master.lent - 1);
    assert_eq!(master.session.counts(), IDLE);
}

#[test]
fn a_command_that_the_worker_refuses_gives_its_references_back() {
    let mut master = Master::attached(&["b"]);
    let (request, step, _) = master.start("shell", shell_args());
    let failure = Failure {
        kind: FailureKind::Other,
        message: "no such builder".to_owned(),
    };
    master
        .session
        .answer(ReplyTo(request), Answer::Failure(failure));
    let refused = master.refused(request);
    assert_eq!(refused.1, "no such builder");
    assert_eq!(master.released.len(), master.lent - 1);
    // What the step still says is not sent.
    master.session.update(step, &[Update::ExitCode(0)], 1);
    master.session.complete(step, Ok(()));
    master.quiet();
    assert_eq!(master.session.counts(), IDLE);
}

#[test]
fn references_in_arguments_that_cannot_be_read_are_given_back() {
    let mut master = Master::attached(&["b"]);
    let command = master.lend();
    let args = Value::Dict(vec![(text("x"), Value::Unpersistable("why".to_owned()))]);
    let call = [command, text("1"), text("shell"), args.clone()];
    let request = master.call(2, "startCommand", &call);
    assert_eq!(master.refused(request).1, "'workdir'");
    // An instance of a class is no value at all.
    let request = 50;
    let lent = master.lend();
    let Value::Remote(luid) = lent else {
        panic!("no reference");
    };
    master.say(|out| {
        out.list(7);
        out.bytes(b"message");
        out.int(request);
        out.int(2);
        out.bytes(b"startCommand");
        out.int(1);
        out.tuple_of(2);
        out.list(2);
        out.bytes(b"my.steps.Thing");
        out.none();
        out.remote(luid);
        out.dictionary_of(0);
    });
    let (class, message) = master.refused(request);
    assert_eq!(class, "builtins.ValueError");
    assert_eq!(
        message,
        "remote_startCommand: the arguments hold a value of type 'my.steps.Thing', which a worker \
         does not accept"
    );
    assert_eq!(master.released.len(), master.lent - 1);
}

#[test]
fn references_for_which_there_is_no_use_are_given_back_at_once() {
    let mut master = Master::attached(&["b"]);
    let object = master.lend();
    let request = master.call(2, "setMaster", &[object]);
    assert_eq!(master.answered(request), Value::None);
    let object = master.lend();
    let request = master.call(1, "print", &[text("hello"), object]);
    assert!(matches!(master.event(), Event::Call(_)));
    master.session.answer(ReplyTo(request), Answer::Nothing);
    // In an answer, in an error, and in a call to nobody.
    assert!(master.session.keepalive());
    let object = master.lend();
    master.answered(request);
    let (request, ..) = master.called();
    master.answer(request, &object);
    assert!(master.session.keepalive());
    let object = master.lend();
    let (request, ..) = master.called();
    master.error(request, &object);
    let object = master.lend();
    let request = master.call(77, "print", &[object]);
    master.refused(request);
    assert_eq!(master.released.len(), master.lent - 1);
}

#[test]
fn a_builder_is_counted_for_each_time_it_was_sent() {
    let mut master = Master::attached(&["a", "b"]);
    let name = |name: &str| BuilderName(name.to_owned());
    let reconfigure = |master: &mut Master, names: &[&str]| {
        let wanted = names
            .iter()
            .map(|n| Value::Tuple(vec![text(n), text(n)]))
            .collect();
        let request = master.call(1, "setBuilderList", &[Value::List(wanted)]);
        master.event();
        let names = names.iter().map(|n| name(n)).collect();
        master
            .session
            .answer(ReplyTo(request), Answer::Builders(names));
        master.answered(request)
    };
    let second = reconfigure(&mut master, &["b", "c"]);
    assert_eq!(
        second,
        dict([("b", Value::Remote(3)), ("c", Value::Remote(4))])
    );
    // The master gives the whole first answer back.
    master.decref(2);
    master.decref(3);
    assert_eq!(master.session.counts().objects, 3);
    let third = reconfigure(&mut master, &["a", "b"]);
    // `a` was given back completely: it has a new number. `b` was not.
    assert_eq!(
        third,
        dict([("a", Value::Remote(5)), ("b", Value::Remote(3))])
    );
    for luid in [3, 4, 5, 3] {
        master.decref(luid);
    }
    assert_eq!(master.session.counts().objects, 1);
    assert_eq!(master.session.next_event(), None);
    // One too many is for the log.
    master.decref(3);
    assert_eq!(
        master.event(),
        Event::Refused {
            what: "release of object 3: the master does not hold it".to_owned()
        }
    );
}

#[test]
fn a_builder_that_is_named_twice_is_sent_once() {
    let mut master = Master::attached(&[]);
    let request = master.call(1, "setBuilderList", &[Value::List(vec![])]);
    master.event();
    let twice = vec![BuilderName("x".to_owned()), BuilderName("x".to_owned())];
    master
        .session
        .answer(ReplyTo(request), Answer::Builders(twice));
    assert_eq!(master.answered(request), dict([("x", Value::Remote(2))]));
    master.decref(2);
    assert_eq!(master.session.counts().objects, 1);
}

#[test]
fn a_call_that_wants_no_answer_gets_none() {
    let mut master = Master::attached(&["b"]);
    let args = Value::Tuple(vec![text("x")]);
    let request = master.call_with(1, Value::Bytes(b"print".to_vec()), 0, &args, &dict([]));
    assert!(matches!(
        master.event(),
        Event::Call(MasterCall::Print { .. })
    ));
    master.session.answer(ReplyTo(request), Answer::Nothing);
    master.call_with(1, Value::Bytes(b"nonsense".to_vec()), 0, &args, &dict([]));
    assert!(matches!(master.event(), Event::Refused { .. }));
    let request = master.call_with(
        1,
        Value::Bytes(b"setBuilderList".to_vec()),
        0,
        &Value::Tuple(vec![Value::List(vec![])]),
        &dict([]),
    );
    master.event();
    let names = vec![BuilderName("never sent".to_owned())];
    master
        .session
        .answer(ReplyTo(request), Answer::Builders(names));
    master.quiet();
    assert_eq!(master.session.counts(), IDLE);
}

#[test]
fn a_step_that_is_forgotten_gives_its_references_back_without_a_word() {
    let mut master = Master::attached(&["b"]);
    let args = upload_args(&mut master);
    let (request, step, _) = master.start("uploadFile", args);
    master.session.answer(ReplyTo(request), Answer::Nothing);
    master.answered(request);
    master.session.forget(step);
    master.session.forget(step);
    master.session.complete(step, Ok(()));
    master.quiet();
    assert_eq!(master.released.len(), master.lent - 1);
    assert_eq!(master.session.counts(), IDLE);
}
