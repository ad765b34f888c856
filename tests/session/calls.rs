//! Calls in both directions, their answers, and what does not fit.

use coracle::calls::{
    Answer, BuilderName, CommandId, Fact, FailureReason, Lines, MasterCall, ReplyTo, StepId,
    Transfer, TransferTag, Update,
};
use coracle::session::pb::Event;
use coracle::wire::jelly::Value;

use crate::master::{Master, dict, raw, text};

const LIMIT: usize = 655_360;

fn lines(text: &str) -> Lines {
    Lines {
        text: text.to_owned(),
        times: vec![1.0],
    }
}

fn started() -> (Master, StepId, i64) {
    let mut master = Master::attached(&["b"]);
    let args = dict([("workdir", text("w")), ("command", text("x"))]);
    let (request, step, luid) = master.start("shell", args);
    master.session.answer(ReplyTo(request), Answer::Nothing);
    assert_eq!(master.answered(request), Value::None);
    (master, step, luid)
}

/// The updates in one call, as pairs.
fn updates(args: &[Value]) -> Vec<(String, Value)> {
    let [Value::List(elements)] = args else {
        panic!("{args:?}");
    };
    elements
        .iter()
        .map(|element| match element {
            Value::List(parts) => match &parts[..] {
                [Value::Dict(pairs), Value::Int(0)] if pairs.len() == 1 => {
                    (pairs[0].0.clone().into_text().unwrap(), pairs[0].1.clone())
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn updates_are_one_call_with_one_key_in_each_dictionary() {
    let (mut master, step, luid) = started();
    let sent = [
        Update::Header(lines("h\n")),
        Update::Stdout(lines("message")),
        Update::Stderr(lines("é\n")),
        Update::Log {
            name: "log".to_owned(),
            lines: lines("l\n"),
        },
        Update::FailureReason(FailureReason::MaxLines),
        Update::Files(vec!["a".to_owned(), "None".to_owned()]),
        Update::Stat([1, 2, 1 << 40, 4, 5, 6, 7, 8, 9, -10]),
        Update::ExitCode(-1),
        Update::Elapsed(0.5),
    ];
    master.session.update(step, &sent, 123);
    let (request, object, method, args) = master.called();
    assert_eq!((object, method.as_str()), (luid, "update"));
    let stat = [1, 2, 1 << 40, 4, 5, 6, 7, 8, 9, -10].map(Value::Int);
    let expected = [
        ("header", text("h\n")),
        ("stdout", text("message")),
        ("stderr", text("é\n")),
        ("log", Value::Tuple(vec![text("log"), text("l\n")])),
        ("failure_reason", text("max_lines_failure")),
        ("files", Value::List(vec![text("a"), text("None")])),
        ("stat", Value::Tuple(stat.to_vec())),
        ("rc", Value::Int(-1)),
        ("elapsed", Value::Float(0.5)),
    ];
    let expected: Vec<(String, Value)> = expected
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    assert_eq!(updates(&args), expected);
    master.answer(request, &Value::Int(0));
    assert_eq!(master.event(), Event::Acknowledged { step, cost: 123 });
}

#[test]
fn one_update_is_the_bytes_of_the_reference() {
    let (mut master, step, _) = started();
    master.session.update(step, &[Update::ExitCode(-1)], 1);
    let sent = master.session.outgoing().clone();
    // PROTOCOL 9.2: request 3 on object 3.
    let expected = b"\x07\x80\x1a\x87\x03\x81\x03\x81\x06\x82update\x01\x81\x02\x80\x0b\x87\x02\x80\x08\x87\
        \x03\x80\x08\x87\x02\x80\x05\x87\x02\x80\x02\x80\x07\x82unicode\x02\x82rc\x01\x83\x00\x81\x01\x80\x05\x87";
    assert_eq!(sent, expected);
}

#[test]
fn a_text_above_the_limit_is_cut_between_characters_and_nothing_is_lost() {
    let (mut master, step, _) = started();
    // Two bytes a character, and an odd beginning, so that the limit falls into a character.
    let long = format!("x{}", "é".repeat(LIMIT));
    let log = Update::Log {
        name: "l".to_owned(),
        lines: lines(&long),
    };
    let sent = [Update::Stdout(lines(&long)), Update::ExitCode(0), log];
    master.session.update(step, &sent, 7);
    let (request, _, _, args) = master.called();
    let came = updates(&args);
    let pieces = |key: &str| -> Vec<String> {
        came.iter()
            .filter(|(other, _)| other == key)
            .map(|(_, value)| match value {
                Value::Tuple(parts) => parts[1].clone().into_text().unwrap(),
                value => value.clone().into_text().unwrap(),
            })
            .collect()
    };
    for key in ["stdout", "log"] {
        assert_eq!(pieces(key).len(), 3);
        assert!(pieces(key).iter().all(|piece| piece.len() <= LIMIT));
        assert!(pieces(key).concat() == long);
    }
    assert_eq!(came[3], ("rc".to_owned(), Value::Int(0)));
    master.answer(request, &Value::Int(0));
    assert_eq!(master.event(), Event::Acknowledged { step, cost: 7 });
}

#[test]
fn what_cannot_be_cut_is_replaced_by_a_header_that_says_so() {
    let (mut master, step, _) = started();
    let long = "x".repeat(LIMIT + 1);
    let sent = [
        Update::Files(vec!["a".to_owned(); LIMIT]),
        Update::Files(vec![long.clone()]),
        Update::Log {
            name: long,
            lines: lines("l"),
        },
        Update::ExitCode(0),
    ];
    master.session.update(step, &sent, 1);
    let keys: Vec<String> = updates(&master.called().3)
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(keys, ["header", "header", "header", "rc"]);
}

#[test]
fn very_many_updates_are_several_calls_and_acknowledged_once() {
    let (mut master, step, _) = started();
    let sent = vec![Update::ExitCode(0); 10_000];
    master.session.update(step, &sent, 99);
    let mut count = 0;
    let mut cost = 0;
    for _ in 0..3 {
        let (request, _, _, args) = master.called();
        count += updates(&args).len();
        master.answer(request, &Value::Int(0));
        let Event::Acknowledged { cost: one, .. } = master.event() else {
            panic!("not acknowledged");
        };
        cost += one;
    }
    assert_eq!((count, cost), (10_000, 99));
    master.quiet();
}

#[test]
fn no_updates_are_acknowledged_without_a_call() {
    let (mut master, step, _) = started();
    master.session.update(step, &[], 5);
    assert_eq!(master.event(), Event::Acknowledged { step, cost: 5 });
    master.quiet();
}

#[test]
fn updates_that_the_master_refuses_give_their_cost_back() {
    let (mut master, step, _) = started();
    master.session.update(step, &[Update::ExitCode(0)], 5);
    let (request, ..) = master.called();
    master.error(request, &text("disk full"));
    assert_eq!(
        master.event(),
        Event::RemoteFailure {
            what: "updates of step 1".to_owned(),
            message: "disk full".to_owned()
        }
    );
    assert_eq!(master.event(), Event::Acknowledged { step, cost: 5 });
    master.session.complete(step, Ok(()));
    let (request, ..) = master.called();
    master.error(request, &text("no"));
    assert!(matches!(master.event(), Event::RemoteFailure { .. }));
    assert_eq!(master.event(), Event::Completed { step });
}

#[test]
fn what_a_step_of_another_connection_says_is_not_sent() {
    let (mut master, _, _) = started();
    let other = StepId(99);
    master.session.update(other, &[Update::ExitCode(0)], 5);
    master
        .session
        .transfer(other, TransferTag(1), Transfer::Close);
    master.session.complete(other, Ok(()));
    master.quiet();
}

#[test]
fn transfer_calls_go_to_the_writer_and_their_replies_come_back() {
    let mut master = Master::attached(&["b"]);
    let writer = master.lend();
    let args = dict([
        ("workdir", text("w")),
        ("workersrc", text("f")),
        ("writer", writer.clone()),
        ("blocksize", Value::Int(10)),
        ("maxsize", Value::None),
        ("keepstamp", Value::Int(1)),
    ]);
    let (request, step, _) = master.start("uploadFile", args);
    master.session.answer(ReplyTo(request), Answer::Nothing);
    master.answered(request);
    let block = vec![b'x'; LIMIT];
    let calls = [
        (
            Transfer::Write(block.clone()),
            "write",
            vec![Value::Bytes(block)],
        ),
        (Transfer::Close, "close", vec![]),
        (
            Transfer::SetTimes(1.5, 2.5),
            "utime",
            vec![Value::Tuple(vec![Value::Float(1.5), Value::Float(2.5)])],
        ),
        (Transfer::Unpack, "unpack", vec![]),
    ];
    for (number, (transfer, method, args)) in calls.into_iter().enumerate() {
        let tag = TransferTag(u64::try_from(number).unwrap());
        master.session.transfer(step, tag, transfer);
        let (request, luid, called, came) = master.called();
        assert_eq!(Value::Remote(luid), writer);
        assert_eq!((called.as_str(), came), (method, args));
        master.answer(request, &Value::None);
        let reply = Ok(Vec::new());
        assert_eq!(master.event(), Event::Replied { step, tag, reply });
    }
    // A block that no master accepts is refused here; the conversation goes on.
    let tag = TransferTag(9);
    let block = Transfer::Write(vec![0; LIMIT + 1]);
    master.session.transfer(step, tag, block);
    let Event::Replied {
        reply: Err(why), ..
    } = master.event()
    else {
        panic!("sent");
    };
    assert_eq!(
        why,
        "cannot be sent to the master: a string of 655361 bytes, allowed are 655360"
    );
    master.quiet();
}

#[test]
fn only_bytes_are_what_a_reader_has_read() {
    let mut master = Master::attached(&["b"]);
    let args = dict([
        ("workdir", text("w")),
        ("workerdest", text("f")),
        ("reader", master.lend()),
        ("blocksize", Value::Int(10)),
        ("maxsize", Value::None),
        ("mode", Value::None),
    ]);
    let (request, step, _) = master.start("downloadFile", args);
    master.session.answer(ReplyTo(request), Answer::Nothing);
    master.answered(request);
    let replies = [
        (Value::Bytes(vec![0, 255]), Ok(vec![0, 255])),
        (Value::Bytes(vec![]), Ok(vec![])),
        (text("é"), Ok("é".as_bytes().to_vec())),
        (
            Value::None,
            Err("the master's file reader replied with None".to_owned()),
        ),
    ];
    for (value, reply) in replies {
        let tag = TransferTag(4);
        master.session.transfer(step, tag, Transfer::Read(10));
        let (request, _, _, args) = master.called();
        assert_eq!(args, [Value::Int(10)]);
        master.answer(request, &value);
        assert_eq!(master.event(), Event::Replied { step, tag, reply });
    }
    master
        .session
        .transfer(step, TransferTag(5), Transfer::Read(10));
    let (request, ..) = master.called();
    master.error(request, &text("gone"));
    let reply = Err("gone".to_owned());
    let tag = TransferTag(5);
    assert_eq!(master.event(), Event::Replied { step, tag, reply });
}

#[test]
fn a_transfer_of_a_command_without_a_file_fails_at_once() {
    let (mut master, step, _) = started();
    let tag = TransferTag(1);
    master.session.transfer(step, tag, Transfer::Close);
    let reply = Err("the master sent no file for this command".to_owned());
    assert_eq!(master.event(), Event::Replied { step, tag, reply });
    master.quiet();
}

#[test]
fn answers_are_matched_by_number_in_any_order() {
    let (mut master, step, _) = started();
    for cost in 1..=3 {
        master.session.update(step, &[Update::ExitCode(0)], cost);
    }
    let requests: Vec<i64> = (0..3).map(|_| master.called().0).collect();
    for index in [2, 0, 1] {
        master.answer(requests[index], &Value::Int(0));
        let cost = index + 1;
        assert_eq!(master.event(), Event::Acknowledged { step, cost });
    }
}

#[test]
fn every_method_takes_its_parameters_by_position_or_by_name() {
    let mut master = Master::attached(&["b"]);
    let none = Value::Tuple(vec![]);
    let builder = || BuilderName("b".to_owned());

    let named = dict([("message", text("m"))]);
    let request = master.call_with(2, raw("print"), 1, &none, &named);
    let message = "m".to_owned();
    let reply = ReplyTo(request);
    assert_eq!(
        master.event(),
        Event::Call(MasterCall::Print { reply, message })
    );

    let wanted = Value::List(vec![Value::Tuple(vec![raw("n"), text("d")])]);
    let request = master.call_with(
        1,
        raw("setBuilderList"),
        1,
        &none,
        &dict([("wanted", wanted)]),
    );
    let builders = vec![(BuilderName("n".to_owned()), "d".to_owned())];
    let reply = ReplyTo(request);
    assert_eq!(
        master.event(),
        Event::Call(MasterCall::SetBuilderList { reply, builders })
    );

    let named = dict([("why", raw("because")), ("command_id", raw("7"))]);
    let interrupt = |reply| {
        Event::Call(MasterCall::InterruptCommand {
            reply,
            builder: Some(builder()),
            id: CommandId("7".to_owned()),
            reason: "because".to_owned(),
        })
    };
    let request = master.call_with(2, raw("interruptCommand"), 1, &none, &named);
    assert_eq!(master.event(), interrupt(ReplyTo(request)));
    let half = Value::Tuple(vec![Value::Int(7)]);
    let named = dict([("why", text("because"))]);
    // The method's name as a text, too.
    let request = master.call_with(2, text("interruptCommand"), 1, &half, &named);
    assert_eq!(master.event(), interrupt(ReplyTo(request)));

    let named = dict([
        ("args", dict([("dir", text("d"))])),
        ("command", text("mkdir")),
        ("stepId", text("8")),
        ("stepref", master.lend()),
    ]);
    let request = master.call_with(2, raw("startCommand"), 1, &none, &named);
    let Event::Call(MasterCall::StartCommand {
        reply, id, name, ..
    }) = master.event()
    else {
        panic!("no command");
    };
    assert_eq!(reply, ReplyTo(request));
    assert_eq!((id.0.as_str(), name.as_str()), ("8", "mkdir"));

    for (method, luid) in [
        ("getWorkerInfo", 1),
        ("getCommands", 1),
        ("getVersion", 1),
        ("shutdown", 1),
        ("startBuild", 2),
    ] {
        master.call(luid, method, &[]);
        assert!(matches!(master.event(), Event::Call(_)), "{method}");
    }
}

#[test]
fn methods_and_objects_that_do_not_exist_are_refused_as_twisted_does() {
    let mut master = Master::attached(&["b"]);
    for (luid, method) in [
        (1, "getSlaveInfo"),
        (1, "startCommand"),
        (2, "shutdown"),
        (2, "x"),
    ] {
        let request = master.call(luid, method, &[]);
        let (class, message) = master.refused(request);
        assert_eq!(class, "twisted.spread.flavors.NoSuchMethod");
        assert_eq!(message, format!("No such method: remote_{method}"));
        assert_eq!(
            master.event(),
            Event::Refused {
                what: format!("{method}: {message}")
            }
        );
    }
    let request = master.call(9, "print", &[text("x")]);
    let expected = (
        "twisted.spread.pb.Error".to_owned(),
        "Invalid Object ID".to_owned(),
    );
    assert_eq!(master.refused(request), expected);
    assert_eq!(master.session.counts().served, 0);
}

#[test]
fn parameters_of_the_wrong_type_are_refused_and_named() {
    let mut master = Master::attached(&["b"]);
    let cases = [
        (
            1,
            "print",
            vec![],
            "remote_print: argument 'message' is missing",
        ),
        (
            1,
            "setBuilderList",
            vec![text("x")],
            "remote_setBuilderList: argument 'wanted' must be a list of names and directories, not a text",
        ),
        (
            1,
            "setBuilderList",
            vec![Value::List(vec![Value::Tuple(vec![text("x")])])],
            "remote_setBuilderList: argument 'wanted' must be a list of names and directories, not a tuple of 1",
        ),
        (
            2,
            "startCommand",
            vec![Value::None, text("1"), text("shell"), dict([])],
            "remote_startCommand: argument 'command_ref' must be a reference, not None",
        ),
        (
            2,
            "interruptCommand",
            vec![],
            "remote_interruptCommand: argument 'command_id' is missing",
        ),
    ];
    for (luid, method, args, expected) in cases {
        let request = master.call(luid, method, &args);
        let (class, message) = master.refused(request);
        assert_eq!(
            (class.as_str(), message.as_str()),
            ("builtins.ValueError", expected)
        );
    }
}

#[test]
fn facts_are_a_dictionary_in_order() {
    let mut master = Master::attached(&["b"]);
    let request = master.call(1, "getWorkerInfo", &[]);
    let facts = vec![
        ("admin".to_owned(), Fact::Text("me\n".to_owned())),
        (
            "environ".to_owned(),
            Fact::Map(vec![("HOME".to_owned(), "/".to_owned())]),
        ),
        ("numcpus".to_owned(), Fact::Int(4)),
        ("delete_leftover_dirs".to_owned(), Fact::Bool(false)),
    ];
    master
        .session
        .answer(ReplyTo(request), Answer::Facts(facts));
    let expected = dict([
        ("admin", text("me\n")),
        ("environ", dict([("HOME", text("/"))])),
        ("numcpus", Value::Int(4)),
        ("delete_leftover_dirs", Value::Bool(false)),
    ]);
    assert_eq!(master.answered(request), expected);
}

#[test]
fn a_fact_that_is_too_large_does_not_keep_the_worker_from_attaching() {
    let mut master = Master::attached(&["b"]);
    let request = master.call(1, "getWorkerInfo", &[]);
    master.event();
    let large = "x".repeat(LIMIT + 1);
    let facts = vec![
        ("host".to_owned(), Fact::Text(large.clone())),
        (
            "environ".to_owned(),
            Fact::Map(vec![
                ("HOME".to_owned(), "/".to_owned()),
                ("BIG".to_owned(), large),
            ]),
        ),
    ];
    master
        .session
        .answer(ReplyTo(request), Answer::Facts(facts));
    let expected = dict([("environ", dict([("HOME", text("/"))]))]);
    assert_eq!(master.answered(request), expected);
    for name in ["host", "environ BIG"] {
        let what = format!("'{name}' is too large for the master and was left out");
        assert_eq!(master.event(), Event::Refused { what });
    }
}

#[test]
fn an_answer_that_is_too_large_becomes_a_failure() {
    let mut master = Master::attached(&["b"]);
    let request = master.call(1, "getVersion", &[]);
    master.event();
    let large = "x".repeat(LIMIT + 1);
    master.session.answer(ReplyTo(request), Answer::Text(large));
    let (class, message) = master.refused(request);
    assert_eq!(class, "builtins.RuntimeError");
    assert!(message.starts_with("the answer cannot be sent: a string of 655361 bytes"));
}

#[test]
fn a_second_answer_is_not_sent() {
    let mut master = Master::attached(&["b"]);
    let request = master.call(1, "getVersion", &[]);
    master.event();
    let answer = Answer::Text("4.3.0".to_owned());
    master.session.answer(ReplyTo(request), answer.clone());
    assert_eq!(master.answered(request), text("4.3.0"));
    master.session.answer(ReplyTo(request), answer);
    master.quiet();
}

#[test]
fn a_ping_and_an_interrupt_are_understood_whatever_they_hold() {
    let mut master = Master::attached(&["b"]);
    let request = master.call(1, "print", &[Value::List(vec![])]);
    assert_eq!(
        master.event(),
        Event::Call(MasterCall::Print {
            reply: ReplyTo(request),
            message: "a list of 0".to_owned()
        })
    );
    let request = master.call(2, "interruptCommand", &[Value::Int(5)]);
    assert_eq!(
        master.event(),
        Event::Call(MasterCall::InterruptCommand {
            reply: ReplyTo(request),
            builder: Some(BuilderName("b".to_owned())),
            id: CommandId("5".to_owned()),
            reason: String::new(),
        })
    );
}

#[test]
fn more_builders_than_anybody_has_are_refused_without_a_trace() {
    let mut master = Master::attached(&["b"]);
    let lend = |master: &mut Master, count: usize| {
        let request = master.call(1, "setBuilderList", &[Value::List(vec![])]);
        master.event();
        let names = (0..count).map(|n| BuilderName(n.to_string())).collect();
        let answer = Answer::Builders(names);
        master.session.answer(ReplyTo(request), answer);
        request
    };
    let request = lend(&mut master, 70_000);
    assert_eq!(
        master.refused(request).1,
        "the master holds more than 65536 builders"
    );
    assert!(matches!(master.event(), Event::Refused { .. }));
    assert_eq!(master.session.counts().objects, 2);
    lend(&mut master, 65_534);
    assert_eq!(master.session.counts().objects, 65_536);
}
