//! The command line: what is typed, what is printed, and the exit status (PROTOCOL 7.3, 7.4).
//!
//! Called as `buildbot-worker`, the program prints what scripts know from that one.

#[cfg(feature = "tools")]
mod bringup;
mod create_worker;
#[cfg(feature = "tools")]
mod doctor;
#[cfg(feature = "tools")]
mod join;
#[cfg(feature = "tools")]
mod live;
mod output;
mod own_program;
mod restart;
#[cfg(feature = "tools")]
mod selftest;
mod service;
mod start;
mod stop;
#[cfg(feature = "tools")]
mod try_out;
mod words;

use std::ffi::OsString;
use std::path::Path;

use argh::FromArgs;

pub use output::Voice;
use output::{complain, say};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Code(u8),
    /// As this request ends a program, so that whoever waits sees it.
    Signal(ports::StopRequest),
}

impl Exit {
    /// All is well.
    const GOOD: Exit = Exit::Code(0);
    /// It is not, and the reason has been printed.
    const BAD: Exit = Exit::Code(1);
}

/// Run a Buildbot worker.
#[derive(FromArgs)]
#[argh(
    example = "{command_name} create-worker ~/worker buildbot.example.org:9020 my-box sekrit",
    example = "{command_name} start ~/worker",
    example = "{command_name} service --install ~/worker",
    note = "`{command_name} COMMAND --help` tells more about a command."
)]
struct Arguments {
    /// print the version and exit
    #[argh(switch)]
    version: bool,

    /// log more
    #[argh(switch)]
    verbose: bool,

    #[argh(subcommand)]
    command: Option<Command>,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Command {
    CreateWorker(Box<create_worker::CreateWorker>),
    Start(start::Start),
    Stop(stop::Stop),
    Restart(restart::Restart),
    Service(Box<service::Service>),
    #[cfg(feature = "tools")]
    Doctor(Box<doctor::Doctor>),
    #[cfg(feature = "tools")]
    Join(Box<join::Join>),
    #[cfg(feature = "tools")]
    Try(try_out::Try),
    #[cfg(feature = "tools")]
    SelfTest(selftest::SelfTest),
    #[cfg(feature = "tools")]
    BringUp(Box<bringup::BringUp>),
}

/// Runs the command line `words`, the program's own name first.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Exit {
    let mut words = words.into_iter();
    let program = words.next().unwrap_or_else(|| OsString::from("coracle"));
    let voice = Voice::of(&program);
    let exit = run_words(words, voice);
    match (exit, output::lost()) {
        (Exit::Code(code), Some(why)) => {
            let name = voice.program();
            complain(&format!("{name}: cannot write to standard output: {why}"));
            Exit::Code(code.max(1))
        }
        (exit, _) => exit,
    }
}

fn run_words(words: impl Iterator<Item = OsString>, voice: Voice) -> Exit {
    let words: Result<Vec<String>, OsString> = words.map(OsString::into_string).collect();
    let words = match words {
        Ok(words) => words,
        Err(word) => {
            let word = word.to_string_lossy();
            return usage_error(voice, None, &format!("{word} is not UTF-8 text"));
        }
    };
    let name = voice.program();
    let command = words::command(&words).map(str::to_owned);
    let normal = match words::normal(&words) {
        Ok(normal) => normal,
        Err(why) => return usage_error(voice, command.as_deref(), &why),
    };
    let normal: Vec<&str> = normal.iter().map(String::as_str).collect();
    match Arguments::from_args(&[name], &normal) {
        Ok(arguments) => run_command(arguments, voice),
        Err(early) if early.status.is_ok() => {
            say(short_usage(&early.output).trim_end());
            Exit::GOOD
        }
        Err(early) => usage_error(voice, command.as_deref(), &one_line(&early.output)),
    }
}

fn run_command(arguments: Arguments, voice: Voice) -> Exit {
    if arguments.version {
        say(&match voice {
            Voice::Coracle => crate::basedir::version(),
            Voice::BuildbotWorker => {
                let version = env!("CARGO_PKG_VERSION");
                format!("worker version: {version}\ncoracle, without Python and Twisted")
            }
        });
        return Exit::GOOD;
    }
    let verbose = arguments.verbose;
    match arguments.command {
        None => usage_error(voice, None, "must specify a command"),
        Some(Command::CreateWorker(options)) => match options.run(voice) {
            Ok(exit) => exit,
            Err(why) => usage_error(voice, Some("create-worker"), &why),
        },
        Some(Command::Start(options)) => options.run(voice, verbose),
        Some(Command::Stop(options)) => options.run(voice),
        Some(Command::Restart(options)) => options.run(voice, verbose),
        Some(Command::Service(options)) => options.run(voice),
        #[cfg(feature = "tools")]
        Some(Command::Doctor(options)) => options.run(voice),
        #[cfg(feature = "tools")]
        Some(Command::Join(options)) => options.run(voice),
        #[cfg(feature = "tools")]
        Some(Command::Try(options)) => options.run(voice, verbose),
        #[cfg(feature = "tools")]
        Some(Command::SelfTest(options)) => options.run(voice, verbose),
        #[cfg(feature = "tools")]
        Some(Command::BringUp(options)) => options.run(voice, verbose),
    }
}

/// The directory that a command is for.
fn directory(given: Option<&String>) -> &Path {
    Path::new(given.map_or(".", String::as_str))
}

/// A help text whose first line does not list more options than anybody reads: they all follow.
fn short_usage(help: &str) -> String {
    const LONGEST: usize = 120;
    let (usage, rest) = help.split_once('\n').unwrap_or((help, ""));
    match (usage.split_once(" ["), usage.rsplit_once("[--] ")) {
        (Some((command, _)), Some((_, words))) if usage.len() > LONGEST => {
            format!("{command} [options] {words}\n{rest}")
        }
        _ => help.to_owned(),
    }
}

/// What a parser says on several lines, on one.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let kept: Vec<&str> = lines.take_while(|line| !line.starts_with("Run ")).collect();
    kept.join(" ")
}

/// Something typed that cannot be obeyed.
fn usage_error(voice: Voice, command: Option<&str>, why: &str) -> Exit {
    let name = voice.program();
    match voice {
        Voice::Coracle => {
            let known = command.filter(|command| words::is_command(command));
            let command = known.map_or(String::new(), |command| format!(" {command}"));
            complain(&format!("{name}: {why}; see `{name}{command} --help`"));
        }
        Voice::BuildbotWorker => {
            let help = match command {
                Some(command) if words::is_command(command) => vec![command, "--help"],
                Some(_) | None => vec!["--help"],
            };
            let usage = match Arguments::from_args(&[name], &help) {
                Ok(_) => String::new(),
                Err(early) => early.output,
            };
            let usage = short_usage(&usage);
            say(&format!("{name}:  {why}\n\n{}", usage.trim_end()));
        }
    }
    Exit::BAD
}
