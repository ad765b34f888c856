use super::*;
use crate::calls::{CommandLine, EnvValue, LogFile, Shell, Word};

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn raw(text: &str) -> Value {
    Value::Bytes(text.as_bytes().to_vec())
}

fn list<const N: usize>(values: [Value; N]) -> Value {
    Value::List(values.to_vec())
}

fn dict<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Dict(pairs.map(|(key, value)| (text(key), value)).to_vec())
}

fn id() -> CommandId {
    CommandId("47".to_owned())
}

fn read(name: &str, args: Value) -> Result<Command, String> {
    parse(Dialect::Pb, name, &id(), args)
        .map(|parsed| parsed.command)
        .map_err(|failure| failure.message)
}

fn refused(name: &str, args: Value) -> (FailureKind, String) {
    let failure = parse(Dialect::Pb, name, &id(), args).unwrap_err();
    (failure.kind, failure.message)
}

/// A shell command with these arguments besides the required ones.
fn shell_with(mut more: Vec<(Value, Value)>) -> Result<Shell, String> {
    more.push((text("workdir"), text("build")));
    if !more.iter().any(|(key, _)| *key == text("command")) {
        more.push((text("command"), list([text("make")])));
    }
    match read("shell", Value::Dict(more))? {
        Command::Shell(shell) => Ok(*shell),
        other => panic!("{other:?}"),
    }
}

fn shell<const N: usize>(more: [(&str, Value); N]) -> Result<Shell, String> {
    shell_with(more.map(|(key, value)| (text(key), value)).to_vec())
}

fn words(command: Value) -> Result<Vec<Word>, String> {
    match shell([("command", command)])?.command {
        CommandLine::Words(words) => Ok(words),
        CommandLine::Text(text) => panic!("{text}"),
    }
}

fn plain(real: &str) -> Word {
    Word {
        real: real.to_owned(),
        shown: None,
    }
}

fn at<const N: usize>(components: [&str; N]) -> Place {
    place(components.map(str::to_owned), false)
}

fn home<const N: usize>(components: [&str; N]) -> Place {
    place(components.map(str::to_owned), true)
}

#[test]
fn an_unknown_command_is_refused_with_the_text_of_the_python_worker() {
    assert_eq!(
        refused("no_such_command", dict([])),
        (
            FailureKind::UnknownCommand,
            "(command 47): unrecognized WorkerCommand 'no_such_command'".to_owned()
        )
    );
}

#[test]
fn every_command_that_is_told_to_the_master_is_known() {
    for name in crate::calls::COMMAND_NAMES {
        let (kind, message) = refused(name, dict([]));
        assert_eq!(kind, FailureKind::MissingArgument, "{name}: {message}");
    }
}

#[test]
fn what_is_missing_is_named_as_the_python_worker_does() {
    let missing = |name: &str| (FailureKind::MissingArgument, format!("'{name}'"));
    let bad = |message: &str| (FailureKind::BadArgument, message.to_owned());
    let w = || ("workdir", text("w"));
    let cases = [
        ("shell", dict([]), missing("workdir")),
        (
            "shell",
            dict([("workdir", Value::None)]),
            missing("workdir"),
        ),
        (
            "shell",
            dict([w()]),
            bad("WorkerShellCommand is missing args: command"),
        ),
        ("mkdir", dict([("foo", Value::Int(1))]), missing("dir")),
        ("rmdir", dict([]), missing("dir")),
        ("cpdir", dict([("todir", text("t"))]), missing("fromdir")),
        ("cpdir", dict([("fromdir", text("f"))]), missing("todir")),
        ("stat", dict([w()]), missing("file")),
        ("glob", dict([]), missing("path")),
        ("listdir", dict([]), missing("dir")),
        ("rmfile", dict([]), missing("path")),
        ("uploadFile", dict([w()]), missing("workersrc")),
        (
            "uploadDirectory",
            dict([("workersrc", text("x"))]),
            missing("workdir"),
        ),
        ("downloadFile", dict([w()]), missing("workerdest")),
        (
            "uploadFile",
            dict([w(), ("workersrc", text("x"))]),
            bad("WorkerFileUploadCommand is missing args: writer, blocksize"),
        ),
        (
            "uploadDirectory",
            dict([w(), ("workersrc", text("x")), ("writer", Value::Remote(1))]),
            bad("WorkerDirectoryUploadCommand is missing args: blocksize"),
        ),
        (
            "downloadFile",
            dict([w(), ("workerdest", text("x")), ("blocksize", Value::Int(1))]),
            bad("WorkerFileDownloadCommand is missing args: reader"),
        ),
        (
            "downloadFile",
            dict([
                w(),
                ("workerdest", text("x")),
                ("blocksize", Value::Int(1)),
                ("reader", Value::Remote(1)),
            ]),
            missing("maxsize"),
        ),
    ];
    for (name, args, expected) in cases {
        assert_eq!(refused(name, args), expected, "{name}");
    }
}

#[test]
fn arguments_that_are_no_dictionary_are_refused() {
    assert_eq!(
        refused("mkdir", list([])),
        (
            FailureKind::BadArgument,
            "the arguments must be a dictionary, not a list of 0".to_owned()
        )
    );
    let args = Value::Dict(vec![(Value::Int(1), Value::None)]);
    assert_eq!(refused("mkdir", args).0, FailureKind::BadArgument);
}

#[test]
fn a_shell_command_with_the_least_arguments_has_the_defaults() {
    let expected = Shell {
        command: CommandLine::Words(vec![plain("make")]),
        workdir: at(["build"]),
        env: vec![],
        initial_stdin: None,
        want_stdout: true,
        want_stderr: true,
        logfiles: vec![],
        timeout: None,
        max_time: None,
        max_lines: None,
        sigterm_time: None,
        interrupt_signal: "KILL".to_owned(),
        use_pty: false,
        log_environ: true,
    };
    assert_eq!(shell([]).unwrap(), expected);
    // None is like absent.
    let names = [
        "env",
        "initial_stdin",
        "want_stdout",
        "want_stderr",
        "logfiles",
        "timeout",
        "maxTime",
        "max_lines",
        "sigtermTime",
        "interruptSignal",
        "logEnviron",
    ];
    let nones = names.map(|name| (text(name), Value::None)).to_vec();
    assert_eq!(shell_with(nones).unwrap(), expected);
    // What nobody knows is left out.
    let unknown = shell([("not_really", text("x")), ("dir", Value::Remote(1))]);
    assert_eq!(unknown.unwrap(), expected);
}

#[test]
fn a_text_is_a_command_for_the_shell() {
    let command = |value| shell([("command", value)]).unwrap().command;
    let expected = CommandLine::Text("echo hi".to_owned());
    assert_eq!(command(text("echo hi")), expected);
    assert_eq!(command(raw("echo hi")), expected);
}

#[test]
fn words_that_are_no_text_become_what_python_shows() {
    let command = Value::Tuple(vec![
        text("make"),
        raw("-j"),
        Value::Int(-4),
        Value::Bool(true),
        Value::Bool(false),
        Value::None,
        Value::Float(1.0),
        Value::Float(0.5),
        Value::Float(1e16),
        Value::Float(-1.5e-5),
        Value::Float(123456789012345.0),
        Value::Float(f64::INFINITY),
    ]);
    let expected = [
        "make",
        "-j",
        "-4",
        "True",
        "False",
        "None",
        "1.0",
        "0.5",
        "1e+16",
        "-1.5e-05",
        "123456789012345.0",
        "inf",
    ];
    assert_eq!(words(command).unwrap(), expected.map(plain));
    assert_eq!(
        words(list([dict([])])).unwrap_err(),
        "argument 'command' must be a list of texts, not a dictionary of 0"
    );
    assert_eq!(words(list([])).unwrap(), []);
}

#[test]
fn a_secret_is_a_tuple_of_three_and_nothing_else() {
    let secret = |head: Value| Value::Tuple(vec![head, text("real"), text("shown")]);
    let expected = Word {
        real: "real".to_owned(),
        shown: Some("shown".to_owned()),
    };
    for head in [text("obfuscated"), raw("obfuscated")] {
        assert_eq!(
            words(list([secret(head)])).unwrap(),
            std::slice::from_ref(&expected)
        );
    }
    let others = [
        secret(text("other")),
        list([text("obfuscated"), text("real"), text("shown")]),
        Value::Tuple(vec![text("obfuscated"), text("real")]),
    ];
    for other in others {
        let message = words(list([other])).unwrap_err();
        // Whatever was meant, it is not shown.
        assert!(!message.contains("real"), "{message}");
    }
    let number = Value::Tuple(vec![text("obfuscated"), Value::Int(1234), text("x")]);
    assert_eq!(words(list([number])).unwrap()[0].real, "1234");
}

#[test]
fn the_environment_keeps_its_order_and_its_kinds() {
    let env = dict([
        ("Z", text("x${HOME}y")),
        ("B", list([text("/p1"), raw("/p2"), Value::Int(3)])),
        ("LANG", Value::None),
        ("A", Value::Int(5)),
        ("T", Value::Tuple(vec![text("a")])),
        ("L", list([list([])])),
    ]);
    let expected = [
        ("Z", EnvValue::Text("x${HOME}y".to_owned())),
        (
            "B",
            EnvValue::List(["/p1", "/p2", "3"].map(str::to_owned).to_vec()),
        ),
        ("LANG", EnvValue::Remove),
        ("A", EnvValue::NotText),
        ("T", EnvValue::NotText),
        ("L", EnvValue::NotText),
    ]
    .map(|(key, value)| (key.to_owned(), value));
    assert_eq!(shell([("env", env)]).unwrap().env, expected);
    assert_eq!(
        shell([("env", text("A=1"))]).unwrap_err(),
        "argument 'env' must be a dictionary, not a text"
    );
}

#[test]
fn logfiles_keep_their_order_and_the_way_they_were_given() {
    let logfiles = dict([
        ("z", text("z.log")),
        (
            "f",
            dict([("filename", text("f.log")), ("follow", Value::Bool(true))]),
        ),
        (
            "g",
            dict([("filename", raw("g.log")), ("other", Value::None)]),
        ),
    ]);
    let log = |name: &str, follow| LogFile {
        name: name.to_owned(),
        filename: format!("{name}.log"),
        follow,
    };
    let expected = [log("z", None), log("f", Some(true)), log("g", Some(false))];
    assert_eq!(shell([("logfiles", logfiles)]).unwrap().logfiles, expected);
    let nameless = dict([("x", dict([]))]);
    assert_eq!(shell([("logfiles", nameless)]).unwrap_err(), "'filename'");
    let number = dict([("x", Value::Int(1))]);
    assert!(shell([("logfiles", number)]).is_err());
}

#[test]
fn limits_in_seconds_keep_the_way_they_were_written() {
    let timeout = |value| shell([("timeout", value)]).map(|shell| shell.timeout);
    assert_eq!(timeout(Value::Int(1200)).unwrap(), Some(Seconds::Int(1200)));
    assert_eq!(
        timeout(Value::Float(0.5)).unwrap(),
        Some(Seconds::Float(0.5))
    );
    for none in [
        Value::Int(0),
        Value::Float(0.0),
        Value::Float(f64::INFINITY),
        Value::Bool(false),
    ] {
        assert_eq!(timeout(none).unwrap(), None);
    }
    for wrong in [Value::Int(-1), Value::Float(f64::NAN), text("60")] {
        assert!(timeout(wrong).is_err());
    }
    let max_time = shell([("maxTime", Value::Int(0))]).unwrap().max_time;
    assert_eq!(max_time, None);
}

#[test]
fn zero_is_a_limit_of_lines_and_a_time_for_sigterm() {
    let shell = shell([("max_lines", Value::Int(0)), ("sigtermTime", Value::Int(0))]).unwrap();
    assert_eq!(shell.max_lines, Some(0));
    assert_eq!(shell.sigterm_time, Some(Seconds::Int(0)));
}

#[test]
fn an_empty_signal_is_the_default() {
    let signal = |name| {
        shell([("interruptSignal", text(name))])
            .unwrap()
            .interrupt_signal
    };
    assert_eq!(signal(""), "KILL");
    assert_eq!(signal("TERM"), "TERM");
}

#[test]
fn flags_may_be_numbers() {
    let flag = |value| shell([("want_stdout", value)]).map(|shell| shell.want_stdout);
    assert_eq!(flag(Value::Int(0)), Ok(false));
    assert_eq!(flag(Value::Int(1)), Ok(true));
    assert_eq!(flag(Value::Bool(false)), Ok(false));
    assert_eq!(flag(Value::Float(1.0)), Ok(true));
    assert!(flag(text("yes")).is_err());
}

#[test]
fn a_terminal_is_wanted_or_not_and_nothing_else() {
    let pty = |value| shell([("usePTY", value)]).map(|shell| shell.use_pty);
    assert_eq!(pty(Value::Bool(true)), Ok(true));
    assert_eq!(pty(Value::Int(1)), Ok(true));
    assert_eq!(pty(Value::Int(0)), Ok(false));
    for wrong in [
        text("slave-config"),
        Value::None,
        Value::Int(2),
        Value::Float(1.0),
    ] {
        assert!(pty(wrong).is_err());
    }
}

#[test]
fn the_last_of_several_arguments_of_one_name_counts() {
    let args = dict([("dir", text("a")), ("dir", text("b"))]);
    assert_eq!(
        read("listdir", args).unwrap(),
        Command::ListDirectory(at(["b"]))
    );
}

#[test]
fn the_commands_on_files_join_what_they_are_given() {
    let cases = [
        (
            "mkdir",
            dict([("dir", text("a/b"))]),
            Command::MakeDirectories(vec![at(["a/b"])]),
        ),
        (
            "stat",
            dict([("file", text("f")), ("workdir", text("w"))]),
            Command::Stat(at(["w", "f"])),
        ),
        (
            "stat",
            dict([("file", raw("f"))]),
            Command::Stat(at(["", "f"])),
        ),
        (
            "glob",
            dict([("path", text("~/*"))]),
            Command::Glob(at(["~/*"])),
        ),
        (
            "listdir",
            dict([("dir", text("."))]),
            Command::ListDirectory(at(["."])),
        ),
        (
            "rmfile",
            dict([("path", text("~/f"))]),
            Command::RemoveFile(home(["~/f"])),
        ),
    ];
    for (name, args, expected) in cases {
        assert_eq!(read(name, args), Ok(expected));
    }
}

#[test]
fn rmdir_takes_one_or_several_and_two_minutes() {
    let remove = |places: Vec<Place>, timeout| {
        Ok(Command::RemoveDirectories(RemoveDirectories {
            places,
            timeout,
            max_time: None,
            log_environ: true,
        }))
    };
    let minutes = Some(Seconds::Int(120));
    let one = dict([("dir", text("a"))]);
    assert_eq!(read("rmdir", one), remove(vec![at(["a"])], minutes));
    let two = dict([
        ("dir", list([text("a"), raw("b")])),
        ("timeout", Value::None),
    ]);
    assert_eq!(read("rmdir", two), remove(vec![at(["a"]), at(["b"])], None));
    let none = dict([("dir", list([]))]);
    assert_eq!(
        read("rmdir", none),
        Err("argument 'dir' is an empty list".to_owned())
    );
}

#[test]
fn cpdir_takes_both_ends() {
    let args = dict([
        ("fromdir", text("a")),
        ("todir", text("b")),
        ("timeout", Value::Int(5)),
        ("maxTime", Value::Float(9.5)),
        ("logEnviron", Value::Bool(false)),
    ]);
    let expected = Command::CopyDirectory(CopyDirectory {
        from: at(["a"]),
        to: at(["b"]),
        timeout: Some(Seconds::Int(5)),
        max_time: Some(Seconds::Float(9.5)),
        log_environ: false,
    });
    assert_eq!(read("cpdir", args), Ok(expected));
}

fn upload(more: Vec<(&str, Value)>) -> Result<Parsed, Failure> {
    let mut pairs = vec![
        (text("workdir"), text("w")),
        (text("workersrc"), text("~/f")),
        (text("writer"), Value::Remote(7)),
        (text("blocksize"), Value::Int(16384)),
        (text("maxsize"), Value::None),
    ];
    for (key, value) in more {
        pairs.push((text(key), value));
    }
    parse(Dialect::Pb, "uploadFile", &id(), Value::Dict(pairs))
}

#[test]
fn an_upload_knows_its_writer() {
    let expected = UploadFile {
        source: home(["w", "~/f"]),
        max_size: None,
        block_size: 16384,
        keep_times: false,
    };
    let parsed = upload(vec![]).unwrap();
    assert_eq!(parsed.peer, Some(7));
    assert_eq!(parsed.command, Command::UploadFile(expected));
    let wrong = upload(vec![("writer", text("x"))]).unwrap_err();
    assert_eq!(
        wrong.message,
        "argument 'writer' must be a reference, not a text"
    );
}

#[test]
fn block_sizes_stay_in_bounds() {
    let block_size = |value| match upload(vec![("blocksize", value)]).unwrap().command {
        Command::UploadFile(upload) => upload.block_size,
        other => panic!("{other:?}"),
    };
    assert_eq!(block_size(Value::Int(716_800)), 262_144);
    assert_eq!(block_size(Value::Int(i64::MAX)), 262_144);
    assert_eq!(block_size(Value::Int(262_144)), 262_144);
    assert_eq!(block_size(Value::Int(0)), 1);
    assert_eq!(block_size(Value::Int(-5)), 1);
    assert_eq!(block_size(Value::Float(100.9)), 100);
}

#[test]
fn a_size_is_not_negative() {
    let max_size = |value| {
        upload(vec![("maxsize", value)]).map(|parsed| match parsed.command {
            Command::UploadFile(upload) => upload.max_size,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(max_size(Value::Int(0)), Ok(Some(0)));
    assert_eq!(max_size(Value::Int(1 << 40)), Ok(Some(1 << 40)));
    assert!(max_size(Value::Int(-1)).is_err());
}

#[test]
fn a_directory_is_compressed_in_one_of_three_ways() {
    let compression = |value| {
        let args = dict([
            ("workdir", text("w")),
            ("workersrc", text("d")),
            ("writer", Value::Remote(1)),
            ("blocksize", Value::Int(1)),
            ("maxsize", Value::Int(9)),
            ("compress", value),
        ]);
        read("uploadDirectory", args).map(|command| match command {
            Command::UploadDirectory(upload) => upload.compression,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(compression(Value::None), Ok(Compression::None));
    assert_eq!(compression(text("gz")), Ok(Compression::Gzip));
    assert_eq!(compression(raw("bz2")), Ok(Compression::Bzip2));
    assert_eq!(
        compression(text("xz")),
        Err("argument 'compress' must be 'gz', 'bz2' or None, not 'xz'".to_owned())
    );
}

#[test]
fn a_download_keeps_the_permission_bits_of_its_mode() {
    let mode = |value| {
        let args = dict([
            ("workdir", text("w")),
            ("workerdest", text("f")),
            ("reader", Value::Remote(1)),
            ("blocksize", Value::Int(1)),
            ("maxsize", Value::None),
            ("mode", value),
        ]);
        read("downloadFile", args).map(|command| match command {
            Command::DownloadFile(download) => download.mode,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(mode(Value::None), Ok(None));
    assert_eq!(mode(Value::Int(0o755)), Ok(Some(0o755)));
    assert_eq!(mode(Value::Int(0o100_644)), Ok(Some(0o644)));
    assert!(mode(Value::Int(-1)).is_err());
    assert!(mode(text("0755")).is_err());
}

#[test]
fn the_names_with_an_underscore_may_bring_the_whole_path() {
    let args = dict([
        ("path", text("/srv/b/f")),
        ("writer", Value::Remote(1)),
        ("blocksize", Value::Int(1)),
        ("maxsize", Value::None),
    ]);
    let Ok(Command::UploadFile(upload)) = read("upload_file", args) else {
        panic!("no upload");
    };
    assert_eq!(upload.source, at(["/srv/b/f"]));
}
