//! Masters of Python 2 (PROTOCOL 2.4, 9.1): raw strings everywhere, some texts in between.

use coracle::calls::{
    Answer, BuilderName, Command, CommandId, CommandLine, EnvValue, LogFile, MasterCall, Place,
    ReplyTo, Seconds, Shell, Word,
};
use coracle::session::pb::Event;
use coracle::wire::jelly::Value;

use crate::master::{Master, raw, text};

fn raw_dict(pairs: Vec<(&str, Value)>) -> Value {
    Value::Dict(
        pairs
            .into_iter()
            .map(|(key, value)| (raw(key), value))
            .collect(),
    )
}

/// Attaches as a master of 0.9 on Python 2 does.
fn attached() -> Master {
    let mut master = Master::connected();
    master.lent += 1;
    master.next_luid = 2;
    master.answer(
        1,
        &Value::Tuple(vec![Value::Bytes(vec![7; 16]), Value::Remote(1)]),
    );
    master.called();
    let named = raw_dict(vec![("message", raw("attached"))]);
    let request = master.call_with(1, raw("print"), 1, &Value::Tuple(vec![]), &named);
    let message = "attached".to_owned();
    let reply = ReplyTo(request);
    assert_eq!(
        master.event(),
        Event::Call(MasterCall::Print { reply, message })
    );
    master.session.answer(reply, Answer::Nothing);
    let wanted = Value::List(vec![Value::Tuple(vec![
        text("bu\u{ef}lder"),
        Value::Bytes("bu\u{ef}ld".as_bytes().to_vec()),
    ])]);
    let request = master.call(1, "setBuilderList", &[wanted]);
    let reply = ReplyTo(request);
    let name = BuilderName("bu\u{ef}lder".to_owned());
    let builders = vec![(name.clone(), "bu\u{ef}ld".to_owned())];
    assert_eq!(
        master.event(),
        Event::Call(MasterCall::SetBuilderList { reply, builders })
    );
    master.session.answer(reply, Answer::Builders(vec![name]));
    let avatar = master.lend();
    master.answer(2, &avatar);
    assert_eq!(master.event(), Event::LoggedIn);
    master.listen();
    master.heard.clear();
    master
}

fn place(components: &[&str], tilde: bool) -> Place {
    Place {
        components: components.iter().map(|c| (*c).to_owned()).collect(),
        tilde,
    }
}

#[test]
fn a_shell_command_in_raw_strings_is_understood() {
    let mut master = attached();
    let args = raw_dict(vec![
        ("workdir", raw("build")),
        (
            "env",
            raw_dict(vec![
                ("A", raw("1")),
                ("B", Value::None),
                ("C", Value::Int(5)),
            ]),
        ),
        ("want_stdout", Value::Int(1)),
        ("want_stderr", Value::Int(0)),
        (
            "logfiles",
            raw_dict(vec![
                ("z", raw("z.log")),
                (
                    "a",
                    raw_dict(vec![("filename", raw("a.log")), ("follow", Value::Int(1))]),
                ),
            ]),
        ),
        ("timeout", Value::Float(1200.0)),
        ("maxTime", Value::None),
        ("usePTY", Value::Int(0)),
        ("logEnviron", Value::Int(1)),
        ("initial_stdin", raw("in")),
        (
            "command",
            Value::List(vec![
                raw("svn"),
                Value::Tuple(vec![raw("obfuscated"), raw("secret"), raw("XXX")]),
                text("\u{e9}"),
            ]),
        ),
    ]);
    let command = master.lend();
    let request = master.call(2, "startCommand", &[command, raw("12"), raw("shell"), args]);
    let Event::Call(MasterCall::StartCommand {
        reply,
        builder,
        id,
        name,
        command,
        ..
    }) = master.event()
    else {
        panic!("no command");
    };
    assert_eq!(reply, ReplyTo(request));
    assert_eq!(builder, Some(BuilderName("bu\u{ef}lder".to_owned())));
    assert_eq!((id, name.as_str()), (CommandId("12".to_owned()), "shell"));
    let word = |real: &str, shown: Option<&str>| Word {
        real: real.to_owned(),
        shown: shown.map(str::to_owned),
    };
    let log = |name: &str, filename: &str, follow| LogFile {
        name: name.to_owned(),
        filename: filename.to_owned(),
        follow,
    };
    let expected = Shell {
        command: CommandLine::Words(vec![
            word("svn", None),
            word("secret", Some("XXX")),
            word("\u{e9}", None),
        ]),
        workdir: place(&["build"], false),
        env: vec![
            ("A".to_owned(), EnvValue::Text("1".to_owned())),
            ("B".to_owned(), EnvValue::Remove),
            ("C".to_owned(), EnvValue::NotText),
        ],
        initial_stdin: Some("in".to_owned()),
        want_stdout: true,
        want_stderr: false,
        logfiles: vec![log("z", "z.log", None), log("a", "a.log", Some(true))],
        timeout: Some(Seconds::Float(1200.0)),
        max_time: None,
        max_lines: None,
        sigterm_time: None,
        interrupt_signal: "KILL".to_owned(),
        use_pty: false,
        log_environ: true,
    };
    assert_eq!(*command, Command::Shell(Box::new(expected)));
}

#[test]
fn transfers_of_masters_that_say_slave_are_understood() {
    let mut master = attached();
    for (name, file, peer) in [
        ("uploadFile", "slavesrc", "writer"),
        ("downloadFile", "slavedest", "reader"),
    ] {
        let args = raw_dict(vec![
            ("workdir", raw("build")),
            (file, raw("~/f")),
            (peer, master.lend()),
            ("blocksize", Value::Int(16384)),
            ("maxsize", Value::None),
            ("mode", Value::None),
        ]);
        let (request, step, _) = master.start(name, args);
        master.session.answer(ReplyTo(request), Answer::Nothing);
        master.session.complete(step, Ok(()));
        master.listen();
        master.heard.clear();
    }
    assert_eq!(master.released.len(), master.lent - 1);
}

#[test]
fn exceptions_of_python_2_are_understood() {
    let mut master = Master::connected();
    let state = raw_dict(vec![
        ("type", raw("exceptions.RuntimeError")),
        ("value", raw("rejecting duplicate slave")),
        ("traceback", raw("Traceback unavailable\n")),
    ]);
    master.say(|out| {
        out.list(3);
        out.bytes(b"error");
        out.int(1);
        out.failure_head();
        out.value(&state);
    });
    let message = "exceptions.RuntimeError: rejecting duplicate slave".to_owned();
    let unauthorized = false;
    assert_eq!(
        master.event(),
        Event::LoginRefused {
            unauthorized,
            message
        }
    );
}

#[test]
fn a_master_of_before_0_9_is_answered_in_its_way() {
    let mut master = attached();
    // It asks for what we do not have, and falls back.
    let request = master.call(1, "getSlaveInfo", &[]);
    let (class, _) = master.refused(request);
    assert_eq!(class, "twisted.spread.flavors.NoSuchMethod");
    let object = master.lend();
    let request = master.call(2, "setMaster", &[object]);
    assert_eq!(master.answered(request), Value::None);
}
