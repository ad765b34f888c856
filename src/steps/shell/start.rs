//! Starts the program of a step, or says why not.

use std::ffi::OsString;
use std::path::Path;

use ports::{ProcessSpec, StartError, StartStage, StepProcess};

use crate::calls::{CommandLine, Shell};
use crate::steps::environment::{Environment, impossible_name};
use crate::steps::header::shown;
use crate::steps::{TextEncoding, Unencodable};

/// Why a program did not start; one line without newline.
pub(super) enum Refusal {
    /// What the master asked for cannot be started: an exit code, not a failure (PROTOCOL 6.2.5).
    Users(String),
    /// The system is at its limits: a failure, so that the master may try it again.
    Systems(String),
}

/// Starts the program.
pub(super) fn start(
    shell: &Shell,
    environment: &Environment,
    directory: &Path,
    encoding: TextEncoding,
) -> Result<StepProcess, Refusal> {
    let (words, program) = match &shell.command {
        CommandLine::Text(text) => {
            let words = ports::shell_words(text);
            let program = words
                .first()
                .map(|word| word.to_string_lossy().into_owned());
            (words, program)
        }
        CommandLine::Words(words) => {
            let program = words.first().map(|word| shown(word).to_owned());
            let words = words.iter().map(|word| OsString::from(&word.real));
            (words.collect(), program)
        }
    };
    let Some(program) = program else {
        return Err(Refusal::Users(
            "cannot start the command: it is empty".to_owned(),
        ));
    };
    if let Some(name) = impossible_name(&shell.env) {
        return Err(Refusal::Users(format!(
            "cannot start {program}: no environment can have a variable named '{name}'"
        )));
    }
    let words = encoded(words, shell.initial_stdin.as_deref(), encoding).map_err(|character| {
        Refusal::Users(format!(
            "cannot start {program}: the worker's unicode_encoding has no character '{character}'"
        ))
    })?;
    let spec = ProcessSpec {
        words: &words,
        env: environment,
        directory,
        terminal: shell.use_pty,
    };
    ports::start(&spec).map_err(|error| refusal(&program, directory, &error))
}

/// The words in the coding of the worker; makes sure that the program's input can be encoded too.
fn encoded(
    words: Vec<OsString>,
    stdin: Option<&str>,
    encoding: TextEncoding,
) -> Result<Vec<OsString>, char> {
    if encoding == TextEncoding::Utf8 {
        return Ok(words);
    }
    let encode = |text: &str| {
        let encoded = encoding.encode(text);
        encoded.map_err(|Unencodable(character)| character)
    };
    encode(stdin.unwrap_or_default())?;
    let word = |word: OsString| match word.to_str() {
        Some(text) => encode(text).map(ports::name_from_bytes),
        None => Ok(word),
    };
    words.into_iter().map(word).collect()
}

fn refusal(program: &str, directory: &Path, error: &StartError) -> Refusal {
    let why = ports::words_of(&error.error);
    let systems = |doing: &str| Refusal::Systems(format!("cannot start {program}: {doing}: {why}"));
    match error.stage {
        StartStage::Arguments => Refusal::Users(format!(
            "cannot start {program}: its words, environment or directory contain a NUL byte"
        )),
        StartStage::Directory => {
            let directory = directory.display();
            Refusal::Users(format!(
                "cannot start {program}: entering {directory}: {why}"
            ))
        }
        StartStage::Exec => Refusal::Users(format!("cannot start {program}: {why}")),
        StartStage::Pipes => systems("making pipes"),
        StartStage::Terminal => systems("opening a pseudo terminal"),
        StartStage::Fork => systems("making a process"),
        StartStage::Group => systems("making a process group"),
        StartStage::Descriptors => systems("setting up its standard streams"),
    }
}
