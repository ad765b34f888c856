//! The arguments of `shell` (PROTOCOL 6.2.1).

use super::reader::{Arguments, missing, shown_text, unfit};
use super::{Dialect, Parsed, local, place};
use crate::calls::{Command, CommandLine, EnvValue, Failure, LogFile, Shell, Word};
use crate::wire::jelly::Value;

pub(super) fn shell(args: &mut Arguments) -> Result<Parsed, Failure> {
    let workdir = args.required_text("workdir")?;
    args.need("WorkerShellCommand", &["command"])?;
    let shell = Shell {
        command: command_line(args)?,
        workdir: place([workdir], false),
        env: environment(args)?,
        initial_stdin: args.text("initial_stdin")?,
        want_stdout: args.flag("want_stdout", true)?,
        want_stderr: args.flag("want_stderr", true)?,
        logfiles: logfiles(args)?,
        timeout: args.seconds("timeout", None)?,
        max_time: args.seconds("maxTime", None)?,
        max_lines: args.int("max_lines")?,
        sigterm_time: args.number("sigtermTime", None)?,
        interrupt_signal: args
            .text("interruptSignal")?
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "KILL".to_owned()),
        use_pty: use_pty(args)?,
        log_environ: args.flag("logEnviron", true)?,
    };
    Ok(local(Command::Shell(Box::new(shell))))
}

/// A text, or a list of words (PROTOCOL 6.2.3).
fn command_line(args: &mut Arguments) -> Result<CommandLine, Failure> {
    let dialect = args.dialect();
    match args.given("command") {
        None => Err(missing("command")),
        Some(Value::List(values) | Value::Tuple(values)) => values
            .into_iter()
            .map(|value| word(value, dialect))
            .collect::<Result<_, _>>()
            .map(CommandLine::Words),
        Some(value) => value
            .into_text()
            .map(CommandLine::Text)
            .map_err(|value| unfit("command", "a text or a list of texts", &value)),
    }
}

fn word(value: Value, dialect: Dialect) -> Result<Word, Failure> {
    let unfit = |value: Value| unfit("command", "a list of texts", &value);
    match value {
        // MessagePack has no tuples. The Python worker does not know a secret there, and prints it.
        Value::List(parts) if dialect == Dialect::Msgpack && is_obfuscated(&parts) => {
            word(Value::Tuple(parts), dialect)
        }
        // Only a tuple: a list of the same shape is not meant to be one (PROTOCOL 6.2.3).
        Value::Tuple(parts) if is_obfuscated(&parts) => {
            let [_, real, shown] =
                <[Value; 3]>::try_from(parts).map_err(|parts| unfit(Value::Tuple(parts)))?;
            Ok(Word {
                real: shown_text(real).map_err(unfit)?,
                shown: Some(shown_text(shown).map_err(unfit)?),
            })
        }
        value => Ok(Word {
            real: shown_text(value).map_err(unfit)?,
            shown: None,
        }),
    }
}

fn is_obfuscated(parts: &[Value]) -> bool {
    match parts {
        [Value::Text(head), _, _] => head == "obfuscated",
        [Value::Bytes(head), _, _] => head == b"obfuscated",
        _ => false,
    }
}

/// In the order in which the master sent it.
fn environment(args: &mut Arguments) -> Result<Vec<(String, EnvValue)>, Failure> {
    let pairs = match args.given("env") {
        None => return Ok(Vec::new()),
        Some(Value::Dict(pairs)) => pairs,
        Some(other) => return Err(unfit("env", "a dictionary", &other)),
    };
    pairs
        .into_iter()
        .map(|(key, value)| {
            let key = shown_text(key).map_err(|key| unfit("env", "named by texts", &key))?;
            Ok((key, env_value(value)))
        })
        .collect()
}

fn env_value(value: Value) -> EnvValue {
    match value {
        Value::None => EnvValue::Remove,
        Value::List(values) => values
            .into_iter()
            .map(shown_text)
            .collect::<Result<_, _>>()
            .map_or(EnvValue::NotText, EnvValue::List),
        value => value.into_text().map_or(EnvValue::NotText, EnvValue::Text),
    }
}

/// In the order in which the master sent them.
fn logfiles(args: &mut Arguments) -> Result<Vec<LogFile>, Failure> {
    let dialect = args.dialect();
    let pairs = match args.given("logfiles") {
        None => return Ok(Vec::new()),
        Some(Value::Dict(pairs)) => pairs,
        Some(other) => return Err(unfit("logfiles", "a dictionary", &other)),
    };
    pairs
        .into_iter()
        .map(|(name, value)| {
            let name =
                shown_text(name).map_err(|name| unfit("logfiles", "named by texts", &name))?;
            logfile(name, value, dialect)
        })
        .collect()
}

fn logfile(name: String, value: Value, dialect: Dialect) -> Result<LogFile, Failure> {
    let (filename, follow) = match value {
        value @ Value::Dict(_) => {
            let mut options = Arguments::new(dialect, value)?;
            let filename = options.required_text("filename")?;
            (filename, Some(options.flag("follow", false)?))
        }
        value => {
            let expected = "a dictionary of file names";
            let filename = value
                .into_text()
                .map_err(|value| unfit("logfiles", expected, &value))?;
            (filename, None)
        }
    };
    Ok(LogFile {
        name,
        filename,
        follow,
    })
}

/// Unlike all others, None is an error here: a master replaces it by its default (PROTOCOL 9.4).
fn use_pty(args: &mut Arguments) -> Result<bool, Failure> {
    match args.take("usePTY") {
        None | Some(Value::Bool(false) | Value::Int(0)) => Ok(false),
        Some(Value::Bool(true) | Value::Int(1)) => Ok(true),
        Some(other) => Err(unfit("usePTY", "True or False", &other)),
    }
}
