//! Each generation of masters attaches, runs a build and goes (PROTOCOL 9.1, row by row).
//!
//! | row of the table | test |
//! | --- | --- |
//! | calls, attach order, text | `every_generation_attaches_and_builds_in_the_same_words` |
//! | `want_stdout`, `logEnviron`, `usePTY` | `switches_are_truths_or_numbers` |
//! | `max_lines`, `sigtermTime`, `maxTime` | `limits_that_a_generation_does_not_know_are_no_limits` |
//! | `interruptSignal` | `the_signal_is_the_one_named_or_kill` |
//! | order of keys, `failure_reason` | `no_update_depends_on_the_order_in_which_a_master_takes_keys` |
//! | text in `complete` | `the_end_of_a_command_is_never_a_plain_string` |
//! | lines | `output_is_sent_as_text_that_a_log_object_can_split` |
//! | version of commands | `names_of_before_0_9_are_taken_where_the_new_ones_are_missing` |

use coracle::calls::{
    Answer, BuilderName, Command, CommandId, Fact, Failure, FailureKind, FailureReason, Lines,
    MasterCall, ReplyTo, Seconds, Shell, Update,
};
use coracle::session::pb::Event;
use coracle::wire::jelly::Value;

use crate::master::{Master, raw, text};

/// How a master writes the texts of one kind.
type Say = fn(&str) -> Value;

/// A generation of masters, by what it writes as which kind of text.
struct Generation {
    name: &'static str,
    /// Keys of dictionaries, names of commands and their ids.
    key: Say,
    /// Values: what a person wrote in the configuration.
    value: Say,
    /// Builder names, which came from a database.
    stored: Say,
}

const GENERATIONS: [Generation; 3] = [
    Generation {
        name: "0.9 on Python 2, all native strings",
        key: raw,
        value: raw,
        stored: raw,
    },
    Generation {
        name: "1.x on Python 2, builders and values from the database",
        key: raw,
        value: text,
        stored: text,
    },
    Generation {
        name: "0.9 to 4.3 on Python 3",
        key: text,
        value: text,
        stored: text,
    },
];

fn dict(say: Say, pairs: Vec<(&str, Value)>) -> Value {
    Value::Dict(pairs.into_iter().map(|(k, v)| (say(k), v)).collect())
}

/// Logs in and attaches one builder, checking what the worker hears and says.
fn attach(generation: &Generation) -> Master {
    let mut master = Master::connected();
    master.lent += 1;
    master.next_luid = 2;
    let challenge = Value::Tuple(vec![Value::Bytes(vec![7; 16]), Value::Remote(1)]);
    master.answer(1, &challenge);
    master.called();
    hear_print(&mut master, generation, 1);
    let request = master.call(1, "getWorkerInfo", &[]);
    let reply = ReplyTo(request);
    let asked = Event::Call(MasterCall::GetWorkerInfo { reply });
    assert_eq!(master.event(), asked, "{}", generation.name);
    let facts = vec![("system".to_owned(), Fact::Text("posix".to_owned()))];
    master.session.answer(reply, Answer::Facts(facts));
    let pairs = Value::Dict(vec![(text("system"), text("posix"))]);
    assert_eq!(master.answered(request), pairs);
    let wanted = Value::List(vec![Value::Tuple(vec![
        (generation.stored)("bü"),
        (generation.value)("dir"),
    ])]);
    let request = master.call(1, "setBuilderList", &[wanted]);
    let reply = ReplyTo(request);
    let name = BuilderName("bü".to_owned());
    let builders = vec![(name.clone(), "dir".to_owned())];
    let asked = Event::Call(MasterCall::SetBuilderList { reply, builders });
    assert_eq!(master.event(), asked, "{}", generation.name);
    master.session.answer(reply, Answer::Builders(vec![name]));
    let lent = Value::Dict(vec![(text("bü"), Value::Remote(2))]);
    assert_eq!(master.answered(request), lent);
    hear_print(&mut master, generation, 2);
    let avatar = master.lend();
    master.answer(2, &avatar);
    assert_eq!(master.event(), Event::LoggedIn, "{}", generation.name);
    master.listen();
    master.heard.clear();
    master
}

/// `print` with its parameter by name, as all generations call it.
fn hear_print(master: &mut Master, generation: &Generation, luid: i64) {
    let named = dict(
        generation.key,
        vec![("message", (generation.value)("attached"))],
    );
    let request = master.call_with(luid, raw("print"), 1, &Value::Tuple(vec![]), &named);
    let reply = ReplyTo(request);
    let message = "attached".to_owned();
    let asked = Event::Call(MasterCall::Print { reply, message });
    assert_eq!(master.event(), asked, "{}", generation.name);
    master.session.answer(reply, Answer::Nothing);
    assert_eq!(master.answered(request), Value::None);
}

/// Starts a shell command with these arguments besides the ones it needs.
fn shell(master: &mut Master, generation: &Generation, more: Vec<(&str, Value)>) -> Shell {
    let mut args = vec![
        ("workdir", (generation.value)("build")),
        ("command", (generation.value)("make")),
    ];
    args.extend(more);
    let command = master.lend();
    let given = dict(generation.key, args);
    let call = [
        command,
        (generation.key)("12"),
        (generation.key)("shell"),
        given,
    ];
    let request = master.call(2, "startCommand", &call);
    let Event::Call(MasterCall::StartCommand {
        reply, id, command, ..
    }) = master.event()
    else {
        panic!("no command: {}", generation.name);
    };
    assert_eq!(
        (reply, id),
        (ReplyTo(request), CommandId("12".to_owned())),
        "{}",
        generation.name
    );
    match *command {
        Command::Shell(shell) => *shell,
        other => panic!("no shell: {other:?}"),
    }
}

/// A shell command that runs, the request answered; the number of its command object.
fn running(generation: &Generation) -> (Master, coracle::calls::StepId, i64) {
    let mut master = attach(generation);
    let args = vec![
        ("workdir", (generation.value)("build")),
        ("command", (generation.value)("make")),
    ];
    let (request, step, luid) = master.start("shell", dict(generation.key, args));
    master.session.answer(ReplyTo(request), Answer::Nothing);
    assert_eq!(master.answered(request), Value::None);
    (master, step, luid)
}

fn lines(text: &str) -> Lines {
    Lines {
        text: text.to_owned(),
        times: Vec::new(),
    }
}

#[test]
fn every_generation_attaches_and_builds_in_the_same_words() {
    for generation in &GENERATIONS {
        let mut master = attach(generation);
        let builder = BuilderName("bü".to_owned());
        let request = master.call(2, "startBuild", &[]);
        let reply = ReplyTo(request);
        let asked = Event::Call(MasterCall::StartBuild {
            reply,
            builder: builder.clone(),
        });
        assert_eq!(master.event(), asked, "{}", generation.name);
        master.session.answer(reply, Answer::Nothing);
        assert_eq!(master.answered(request), Value::None);
        shell(&mut master, generation, vec![]);
        let why = [(generation.key)("12"), (generation.value)("stöp")];
        let request = master.call(2, "interruptCommand", &why);
        let reply = ReplyTo(request);
        let asked = Event::Call(MasterCall::InterruptCommand {
            reply,
            builder: Some(builder),
            id: CommandId("12".to_owned()),
            reason: "stöp".to_owned(),
        });
        assert_eq!(master.event(), asked, "{}", generation.name);
        let request = master.call(1, "shutdown", &[]);
        let reply = ReplyTo(request);
        let asked = Event::Call(MasterCall::Shutdown { reply });
        assert_eq!(master.event(), asked, "{}", generation.name);
    }
}

#[test]
fn switches_are_truths_or_numbers() {
    let forms = [
        (Value::Bool(true), true),
        (Value::Bool(false), false),
        (Value::Int(1), true),
        (Value::Int(0), false),
    ];
    for generation in &GENERATIONS {
        for (form, means) in &forms {
            let mut master = attach(generation);
            let switches = ["want_stdout", "want_stderr", "usePTY", "logEnviron"];
            let given = switches.map(|name| (name, form.clone())).to_vec();
            let shell = shell(&mut master, generation, given);
            let taken = [
                shell.want_stdout,
                shell.want_stderr,
                shell.use_pty,
                shell.log_environ,
            ];
            assert_eq!(taken, [*means; 4], "{form} of {}", generation.name);
        }
        let mut master = attach(generation);
        let shell = shell(&mut master, generation, vec![]);
        assert!(shell.want_stdout && shell.want_stderr && shell.log_environ && !shell.use_pty);
    }
}

/// Masters that take the worker for one of before 3.0 send this; ours says that it is not.
#[test]
fn a_terminal_as_the_worker_is_configured_is_refused_by_name() {
    for generation in &GENERATIONS {
        let mut master = attach(generation);
        let args = vec![
            ("workdir", (generation.value)("build")),
            ("command", (generation.value)("make")),
            ("usePTY", (generation.value)("slave-config")),
        ];
        let command = master.lend();
        let given = dict(generation.key, args);
        let call = [
            command,
            (generation.key)("1"),
            (generation.key)("shell"),
            given,
        ];
        let request = master.call(2, "startCommand", &call);
        let (class, why) = master.refused(request);
        assert_eq!(class, "builtins.ValueError");
        assert!(why.contains("'usePTY'"), "{why}");
    }
}

#[test]
fn limits_that_a_generation_does_not_know_are_no_limits() {
    let generation = &GENERATIONS[0];
    let mut master = attach(generation);
    let bare = shell(&mut master, generation, vec![]);
    assert_eq!(bare.max_lines, None);
    assert_eq!(bare.max_time, None);
    assert_eq!(bare.sigterm_time, None);

    let generation = &GENERATIONS[2];
    let mut master = attach(generation);
    let names = ["max_lines", "maxTime", "sigtermTime", "initial_stdin"];
    let nones = names.map(|name| (name, Value::None)).to_vec();
    let with_nones = shell(&mut master, generation, nones);
    assert_eq!((with_nones.max_lines, with_nones.max_time), (None, None));
    let mut master = attach(generation);
    let limits = vec![
        ("max_lines", Value::Int(3)),
        ("maxTime", Value::Int(7)),
        ("sigtermTime", Value::Float(1.5)),
    ];
    let limited = shell(&mut master, generation, limits);
    assert_eq!(limited.max_lines, Some(3));
    assert_eq!(limited.max_time, Some(Seconds::Int(7)));
    assert_eq!(limited.sigterm_time, Some(Seconds::Float(1.5)));
}

#[test]
fn the_signal_is_the_one_named_or_kill() {
    for generation in &GENERATIONS {
        for (given, wanted) in [
            (Some("KILL"), "KILL"),
            (Some("TERM"), "TERM"),
            (None, "KILL"),
        ] {
            let mut master = attach(generation);
            let more = given.map(|name| ("interruptSignal", (generation.value)(name)));
            let shell = shell(&mut master, generation, more.into_iter().collect());
            assert_eq!(shell.interrupt_signal, wanted, "{}", generation.name);
        }
    }
}

#[test]
fn no_update_depends_on_the_order_in_which_a_master_takes_keys() {
    for generation in &GENERATIONS {
        let (mut master, step, luid) = running(generation);
        let sent = [
            Update::Header(lines("begin\n")),
            Update::Stdout(lines("out\n")),
            Update::FailureReason(FailureReason::TotalTime),
            Update::ExitCode(-1),
            Update::Header(lines("end\n")),
            Update::Elapsed(2.0),
        ];
        master.session.update(step, &sent, 9);
        let (request, object, method, args) = master.called();
        assert_eq!((object, method.as_str()), (luid, "update"));
        let [Value::List(elements)] = &args[..] else {
            panic!("{args:?}");
        };
        let keys: Vec<String> = elements.iter().map(only_key).collect();
        let wanted = [
            "header",
            "stdout",
            "failure_reason",
            "rc",
            "header",
            "elapsed",
        ];
        assert_eq!(keys, wanted, "{}", generation.name);
        // A number of its own type in Python 2; what it is does not matter.
        master.answer(request, &Value::Int(0));
        assert_eq!(master.event(), Event::Acknowledged { step, cost: 9 });
    }
}

/// The key of an update, which must have no other.
fn only_key(element: &Value) -> String {
    let Value::List(parts) = element else {
        panic!("{element}");
    };
    match &parts[..] {
        [Value::Dict(pairs), Value::Int(0)] if pairs.len() == 1 => {
            pairs[0].0.clone().into_text().unwrap()
        }
        other => panic!("{other:?}"),
    }
}

/// Masters up to 3.4 call methods of a failure on whatever is not None.
#[test]
fn the_end_of_a_command_is_never_a_plain_string() {
    for generation in &GENERATIONS {
        let (mut master, step, luid) = running(generation);
        master.session.complete(step, Ok(()));
        let (_, object, method, args) = master.called();
        assert_eq!((object, method.as_str()), (luid, "complete"));
        assert_eq!(args, [Value::None], "{}", generation.name);

        let (mut master, step, _) = running(generation);
        let failure = Failure {
            kind: FailureKind::Other,
            message: "no such luck".to_owned(),
        };
        master.session.complete(step, Err(failure));
        let (_, _, _, args) = master.called();
        match &args[..] {
            [Value::Failure(failure)] => {
                assert!(failure.text.contains("no such luck"), "{}", failure.text);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn output_is_sent_as_text_that_a_log_object_can_split() {
    for generation in &GENERATIONS {
        let (mut master, step, _) = running(generation);
        let log = Update::Log {
            name: "notes".to_owned(),
            lines: lines("no end"),
        };
        master
            .session
            .update(step, &[Update::Stdout(lines("one\ntwo")), log], 1);
        let (_, _, _, args) = master.called();
        let update = |key: &str, value: Value| {
            let pairs = vec![(text(key), value)];
            Value::List(vec![Value::Dict(pairs), Value::Int(0)])
        };
        let wanted = Value::List(vec![
            update("stdout", text("one\ntwo")),
            update("log", Value::Tuple(vec![text("notes"), text("no end")])),
        ]);
        // No positions and no times, which are of MessagePack.
        assert_eq!(args, [wanted], "{}", generation.name);
    }
}

#[test]
fn names_of_before_0_9_are_taken_where_the_new_ones_are_missing() {
    for generation in &GENERATIONS {
        for (name, old, new, peer) in [
            ("uploadFile", "slavesrc", "workersrc", "writer"),
            ("uploadDirectory", "slavesrc", "workersrc", "writer"),
            ("downloadFile", "slavedest", "workerdest", "reader"),
        ] {
            let commands = [old, new].map(|file| {
                let mut master = attach(generation);
                let args = vec![
                    ("workdir", (generation.value)("build")),
                    (file, (generation.value)("a file")),
                    (peer, master.lend()),
                    ("blocksize", Value::Int(16384)),
                    ("maxsize", Value::None),
                    ("compress", Value::None),
                    ("keepstamp", Value::Int(0)),
                    ("mode", Value::None),
                ];
                let object = master.lend();
                let given = dict(generation.key, args);
                let call = [object, (generation.key)("1"), (generation.key)(name), given];
                master.call(2, "startCommand", &call);
                match master.event() {
                    Event::Call(MasterCall::StartCommand { command, .. }) => command,
                    other => panic!("{name} of {}: {other:?}", generation.name),
                }
            });
            assert_eq!(commands[0], commands[1], "{name} of {}", generation.name);
        }
    }
}
