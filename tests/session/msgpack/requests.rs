//! Requests in both directions.

use coracle::calls::{
    Answer, Command, CommandId, Failure, FailureKind, Lines, MasterCall, NOTHING_READ, Seconds,
    StepId, Transfer, TransferTag, Update, WorkerSettings,
};
use coracle::session::Event;
use coracle::wire::jelly::Value;

use super::master::{Heard, Master, map, text};

fn lines(text: &str, times: &[f64]) -> Lines {
    Lines {
        text: text.to_owned(),
        times: times.to_owned(),
    }
}

fn list(values: &[Value]) -> Value {
    Value::List(values.to_vec())
}

fn ints(numbers: &[i64]) -> Value {
    Value::List(numbers.iter().copied().map(Value::Int).collect())
}

fn floats(numbers: &[f64]) -> Value {
    Value::List(numbers.iter().copied().map(Value::Float).collect())
}

/// A command that has begun in a builder.
fn begun(master: &mut Master, name: &str, args: Value) -> StepId {
    let (reply, step) = master.start("7", name, true, args);
    master.session.answer(reply, Answer::Nothing);
    master.heard();
    step
}

fn shell(master: &mut Master) -> StepId {
    let args = map([("command", text("true")), ("workdir", text("/w"))]);
    begun(master, "shell", args)
}

#[test]
fn positions_count_characters_and_every_line_has_its_time() {
    let mut master = Master::attached();
    let step = shell(&mut master);
    let updates = [
        Update::Stdout(lines("é\n\u{1F600}x\n\n", &[1.5, 2.0, 3.0])),
        Update::Log {
            name: "l".to_owned(),
            lines: lines("a\n", &[4.0]),
        },
        Update::ExitCode(-1),
    ];
    master.session.update(step, &updates, 9);
    let stdout = list(&[
        text("é\n\u{1F600}x\n\n"),
        ints(&[1, 4, 5]),
        floats(&[1.5, 2.0, 3.0]),
    ]);
    let log = list(&[text("a\n"), ints(&[1]), floats(&[4.0])]);
    let args = list(&[
        list(&[text("stdout"), stdout]),
        list(&[text("log"), list(&[text("l"), log])]),
        list(&[text("rc"), Value::Int(-1)]),
    ]);
    let expected = map([
        ("op", text("update")),
        ("args", args),
        ("command_id", text("7")),
        ("seq_number", Value::Int(0)),
    ]);
    assert_eq!(master.messages(), [expected]);
    master.respond(0, Value::None);
    assert_eq!(master.event(), Event::Acknowledged { step, cost: 9 });
}

/// The updates in the messages that the worker sends for these, with this buffer size.
fn sent(buffer_size: i64, updates: &[Update]) -> Vec<Vec<Value>> {
    let mut master = Master::attached();
    master.set(buffer_size);
    let step = shell(&mut master);
    master.session.update(step, updates, 5);
    let messages = master.messages();
    let count = i64::try_from(messages.len()).unwrap();
    // The cost comes back with the last of them, once.
    let mut costs = Vec::new();
    for number in 0..count {
        master.respond(number, Value::None);
        match master.event() {
            Event::Acknowledged { cost, .. } => costs.push(cost),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(costs.iter().sum::<usize>(), 5);
    assert_eq!(costs.last(), Some(&5));
    let mut all = Vec::new();
    for message in messages {
        let Value::Dict(pairs) = message else {
            panic!("no map");
        };
        match pairs.into_iter().find(|(key, _)| *key == text("args")) {
            Some((_, Value::List(entries))) => all.push(entries),
            other => panic!("{other:?}"),
        }
    }
    all
}

#[test]
fn no_message_is_larger_than_the_buffer_that_the_master_wants() {
    let many = "0123456789\n".repeat(100);
    let update = [Update::Stdout(lines(&many, &[1.0; 100]))];
    // A line costs 11 characters, 8 for its position and 8 for its time.
    for (size, messages) in [
        (65_536, 1),
        (2700, 1),
        (2699, 2),
        (270, 10),
        (27, 100),
        (1, 100),
    ] {
        let sent = sent(size, &update);
        assert_eq!(sent.len(), messages, "{size}");
        let mut text = String::new();
        for entries in sent {
            for entry in entries {
                let Value::List(parts) = entry else {
                    panic!("no pair");
                };
                let Value::List(stdout) = &parts[1] else {
                    panic!("no lines");
                };
                let piece = stdout[0].clone().into_text().unwrap();
                let Value::List(times) = &stdout[2] else {
                    panic!("no times");
                };
                assert_eq!(times.len(), piece.lines().count());
                text.push_str(&piece);
            }
        }
        assert_eq!(text, many);
    }
    let small = [
        Update::ExitCode(0),
        Update::Elapsed(1.0),
        Update::ExitCode(1),
    ];
    assert_eq!(sent(60, &small).len(), 1);
    assert_eq!(sent(59, &small).len(), 2);
    assert_eq!(sent(1, &small).len(), 3);
}

#[test]
fn updates_of_nothing_are_acknowledged_and_not_sent() {
    let mut master = Master::attached();
    let step = shell(&mut master);
    master.session.update(step, &[], 3);
    assert_eq!(master.event(), Event::Acknowledged { step, cost: 3 });
    assert_eq!(master.heard(), []);
}

#[test]
fn each_transfer_has_requests_of_its_own() {
    let path = ("path", text("/w/f"));
    let size = ("maxsize", Value::None);
    let block = ("blocksize", Value::Int(8));
    let ops = |name: &str, args: Value, transfers: &[Transfer]| {
        let mut master = Master::attached();
        let step = begun(&mut master, name, args);
        for transfer in transfers {
            master
                .session
                .transfer(step, TransferTag(1), transfer.clone());
        }
        let messages = master.messages();
        let ops: Vec<String> = messages
            .into_iter()
            .map(|message| match message {
                Value::Dict(mut pairs) => pairs.swap_remove(0).1.into_text().unwrap(),
                other => panic!("{other}"),
            })
            .collect();
        ops
    };
    let file = [
        Transfer::Write(b"x".to_vec()),
        Transfer::Close,
        Transfer::SetTimes(1.0, 2.0),
    ];
    assert_eq!(
        ops(
            "upload_file",
            map([path.clone(), size.clone(), block.clone()]),
            &file
        ),
        [
            "update_upload_file_write",
            "update_upload_file_close",
            "update_upload_file_utime"
        ]
    );
    let compress = ("compress", Value::None);
    let args = map([path.clone(), size.clone(), block.clone(), compress]);
    let directory = [Transfer::Write(b"x".to_vec()), Transfer::Unpack];
    assert_eq!(
        ops("upload_directory", args, &directory),
        [
            "update_upload_directory_write",
            "update_upload_directory_unpack"
        ]
    );
    let args = map([path, size, block, ("mode", Value::None)]);
    assert_eq!(
        ops("download_file", args, &[Transfer::Read(8), Transfer::Close]),
        ["update_read_file", "update_read_file_close"]
    );
}

#[test]
fn only_bytes_are_what_a_reader_has_read() {
    let args = map([
        ("path", text("/w/f")),
        ("maxsize", Value::None),
        ("blocksize", Value::Int(8)),
        ("mode", Value::None),
    ]);
    let mut master = Master::attached();
    let step = begun(&mut master, "download_file", args);
    for (number, (result, expected)) in [
        (Value::Bytes(b"ab".to_vec()), Ok(b"ab".to_vec())),
        (Value::Bytes(Vec::new()), Ok(Vec::new())),
        (Value::None, Err(NOTHING_READ.to_owned())),
        (
            Value::Int(3),
            Err("the master's file reader replied with the number 3".to_owned()),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let tag = TransferTag(number as u64);
        master.session.transfer(step, tag, Transfer::Read(8));
        master.respond(i64::try_from(number).unwrap(), result);
        let reply = expected;
        assert_eq!(master.event(), Event::Replied { step, tag, reply });
    }
    master
        .session
        .transfer(step, TransferTag(9), Transfer::Close);
    master.fail(4, "boom");
    let reply = Err("boom".to_owned());
    let tag = TransferTag(9);
    assert_eq!(master.event(), Event::Replied { step, tag, reply });
}

#[test]
fn paths_are_whole_and_parts_of_them_are_ignored() {
    let whole = |path: &str| coracle::calls::Place {
        components: vec![path.to_owned()],
        tilde: false,
    };
    let command = |name: &str, args: Value| {
        let mut master = Master::attached();
        master.ask(
            "start_command",
            &[
                ("command_id", text("1")),
                ("command_name", text(name)),
                ("args", args),
            ],
        );
        match master.event() {
            Event::Call(MasterCall::StartCommand { command, .. }) => *command,
            other => panic!("{other:?}"),
        }
    };
    let paths = list(&[text("/a"), text("/b")]);
    assert_eq!(
        command("mkdir", map([("paths", paths.clone())])),
        Command::MakeDirectories(vec![whole("/a"), whole("/b")])
    );
    let Command::RemoveDirectories(removal) = command("rmdir", map([("paths", paths)])) else {
        panic!("no removal");
    };
    assert_eq!(removal.places, [whole("/a"), whole("/b")]);
    let path = || {
        map([
            ("path", text("/a")),
            ("workdir", text("w")),
            ("file", text("f")),
        ])
    };
    assert_eq!(command("stat", path()), Command::Stat(whole("/a")));
    assert_eq!(command("glob", path()), Command::Glob(whole("/a")));
    assert_eq!(
        command("listdir", path()),
        Command::ListDirectory(whole("/a"))
    );
    assert_eq!(command("rmfile", path()), Command::RemoveFile(whole("/a")));
    let copy = map([("from_path", text("/a")), ("to_path", text("/b"))]);
    let Command::CopyDirectory(copy) = command("cpdir", copy) else {
        panic!("no copy");
    };
    assert_eq!((copy.from, copy.to), (whole("/a"), whole("/b")));
    let upload = map([
        ("path", text("/a")),
        ("workdir", text("w")),
        ("workersrc", text("~/x")),
        ("maxsize", Value::None),
        ("blocksize", Value::Int(4)),
    ]);
    let Command::UploadFile(upload) = command("upload_file", upload) else {
        panic!("no upload");
    };
    assert_eq!(upload.source, whole("/a"));
}

#[test]
fn what_is_missing_is_said_and_the_command_does_not_begin() {
    let mut master = Master::attached();
    let mut refused = |op: &str, fields: &[(&str, Value)]| {
        let number = master.ask(op, fields);
        assert!(matches!(master.event(), Event::Refused { .. }));
        let messages = master.messages();
        let [Value::Dict(pairs)] = &messages[..] else {
            panic!("{messages:?}");
        };
        assert_eq!(pairs[1].1, Value::Int(number));
        assert_eq!(pairs[3], (text("is_exception"), Value::Bool(true)));
        pairs[2].1.clone().into_text().unwrap()
    };
    let command = |name: &str, args: Value| {
        [
            ("command_id", text("5")),
            ("command_name", text(name)),
            ("args", args),
        ]
    };
    assert_eq!(
        refused("frobnicate", &[]),
        "Command frobnicate does not exist."
    );
    assert_eq!(
        refused("start_command", &[]),
        "the message lacks 'command_id'"
    );
    assert_eq!(
        refused("start_command", &command("stat", map([]))),
        "'path'"
    );
    assert_eq!(
        refused("start_command", &command("mkdir", map([]))),
        "'paths'"
    );
    assert_eq!(
        refused("start_command", &command("cpdir", map([]))),
        "'from_path'"
    );
    assert_eq!(
        refused("start_command", &command("nope", map([]))),
        "(command 5): unrecognized WorkerCommand 'nope'"
    );
    assert_eq!(
        refused("interrupt_command", &[]),
        "the message lacks 'command_id'"
    );
    assert_eq!(
        refused("set_worker_settings", &[]),
        "the message lacks 'args'"
    );
    let settings = map([("buffer_size", Value::Int(0))]);
    assert_eq!(
        refused("set_worker_settings", &[("args", settings)]),
        "'buffer_size' must be a number above 0, not the number 0"
    );
    assert_eq!(master.session.counts().steps, 0);
}

#[test]
fn settings_arrive_as_the_master_wrote_them() {
    let mut master = Master::connected();
    let settings = map([
        ("buffer_size", Value::Int(100)),
        ("buffer_timeout", Value::Float(0.5)),
        ("newline_re", text(r"\r")),
        ("max_line_length", Value::Int(80)),
    ]);
    master.ask("set_worker_settings", &[("args", settings)]);
    let Event::Call(MasterCall::SetWorkerSettings { settings, .. }) = master.event() else {
        panic!("no settings");
    };
    let expected = WorkerSettings {
        buffer_size: 100,
        buffer_timeout: Seconds::Float(0.5),
        newline_re: r"\r".to_owned(),
        max_line_length: 80,
    };
    assert_eq!(settings, expected);
}

#[test]
fn several_commands_of_a_builder_are_told_apart_by_their_ids() {
    let mut master = Master::attached();
    let args = || map([("path", text("/a"))]);
    let (_, first) = master.start("1", "stat", true, args());
    let (_, second) = master.start("2", "stat", true, args());
    master.session.complete(second, Ok(()));
    master.session.update(first, &[Update::ExitCode(0)], 1);
    let failure = Failure {
        kind: FailureKind::Other,
        message: "broken".to_owned(),
    };
    master.session.complete(first, Err(failure));
    // What comes later is not heard.
    master.session.update(first, &[Update::ExitCode(1)], 1);
    let ids: Vec<(Value, Value)> = master
        .messages()
        .into_iter()
        .map(|message| match message {
            Value::Dict(pairs) => (pairs[1].1.clone(), pairs[2].1.clone()),
            other => panic!("{other}"),
        })
        .collect();
    let rc = list(&[list(&[text("rc"), Value::Int(0)])]);
    assert_eq!(
        ids,
        [
            (Value::None, text("2")),
            (rc, text("1")),
            (text("broken"), text("1")),
        ]
    );
    master.ask(
        "interrupt_command",
        &[("command_id", text("2")), ("builder_name", text("b"))],
    );
    let Event::Call(MasterCall::InterruptCommand {
        builder,
        id,
        reason,
        ..
    }) = master.event()
    else {
        panic!("no interrupt");
    };
    assert_eq!(
        (builder, id, reason.as_str()),
        (None, CommandId("2".to_owned()), "")
    );
}

#[test]
fn pings_are_answered_and_ours_are_signs_of_life() {
    let mut master = Master::connected();
    master.say(b"\x89\x03abc").unwrap();
    let pong = Heard {
        opcode: 10,
        payload: b"abc".to_vec(),
    };
    assert_eq!(master.heard(), [pong]);
    assert!(master.session.keepalive());
    let ping = master.heard().remove(0);
    assert_eq!(ping.opcode, 9);
    master.say(b"\x8a\x00\x8a\x05other").unwrap();
    assert_eq!(master.session.next_event(), None);
    master
        .say(&[&b"\x8a\x09"[..], &ping.payload].concat())
        .unwrap();
    assert_eq!(master.event(), Event::KeepaliveAnswered);
    let number = master.ask("keepalive", &[]);
    let answered = map([
        ("op", text("response")),
        ("seq_number", Value::Int(number)),
        ("result", Value::None),
    ]);
    assert_eq!(master.messages(), [answered]);
}

#[test]
fn the_master_is_asked_again_as_long_as_it_has_more_to_arrange() {
    let mut master = Master::connected();
    master.set(65_536);
    let is_asked = |master: &mut Master| master.heard().iter().any(|heard| heard.opcode == 9);
    let run = |master: &mut Master, id: &str| {
        let (reply, step) = master.start(id, "stat", false, map([("path", text("/a"))]));
        master.session.answer(reply, Answer::Nothing);
        step
    };
    let first = run(&mut master, "1");
    master.session.complete(first, Ok(()));
    assert!(!is_asked(&mut master));
    master.respond(0, Value::None);
    assert!(matches!(master.event(), Event::Completed { .. }));
    assert!(is_asked(&mut master));
    // The answer comes behind the next command.
    let second = run(&mut master, "2");
    master.say(b"\x8a\x08attached").unwrap();
    assert_eq!(master.session.next_event(), None);
    master.session.complete(second, Ok(()));
    master.respond(1, Value::None);
    assert!(matches!(master.event(), Event::Completed { .. }));
    assert!(is_asked(&mut master));
    master.say(b"\x8a\x08attached").unwrap();
    assert_eq!(master.event(), Event::Attached);
    // Once is enough, also when the master arranges things anew.
    master.set(65_536);
    let third = run(&mut master, "3");
    master.session.complete(third, Ok(()));
    master.respond(2, Value::None);
    assert!(matches!(master.event(), Event::Completed { .. }));
    assert!(!is_asked(&mut master));
}

#[test]
fn a_goodbye_is_a_close_and_the_last_word() {
    let mut master = Master::attached();
    let step = shell(&mut master);
    master.session.say_goodbye();
    master.session.say_goodbye();
    master.session.complete(step, Ok(()));
    assert!(!master.session.keepalive());
    let close = Heard {
        opcode: 8,
        payload: vec![3, 0xe8],
    };
    assert_eq!(master.heard(), [close]);
}
