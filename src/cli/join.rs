//! `join`: prepares a new worker of CPython's fleet and prints the request for it.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use argh::FromArgs;

use super::Exit;
use super::output::{Voice, complain, say};
use crate::bringup;
use crate::doctor::{self, Wanted};
use crate::join::{self, Answers, Evidence, Machine, Password, Written};

/// Longest answer, in bytes.
const LONGEST: u64 = 4096;

/// Describe this machine in a base directory, and print the request to CPython's fleet.
#[derive(FromArgs)]
#[argh(subcommand, name = "join")]
pub struct Join {
    /// what your workers' names begin with, without '-'
    #[argh(option)]
    owner: Option<String>,

    /// your name
    #[argh(option)]
    person: Option<String>,

    /// your e-mail address
    #[argh(option)]
    contact: Option<String>,

    /// your user name at GitHub
    #[argh(option)]
    github: Option<String>,

    /// the worker's name
    #[argh(option)]
    name: Option<String>,

    /// the operating system
    #[argh(option)]
    os: Option<String>,

    /// the processor architecture
    #[argh(option)]
    arch: Option<String>,

    /// new-owner, new-worker or existing
    #[argh(option)]
    password: Option<String>,

    /// anything special about the worker
    #[argh(option)]
    special: Option<String>,

    /// overwrite info/admin and info/host even if somebody has edited them
    #[argh(switch, short = 'f')]
    force: bool,

    /// also try connections to other machines
    #[argh(switch)]
    network: bool,

    /// where `coracle bringup` worked, for its report (bringup, if it is there)
    #[argh(option)]
    bringup: Option<String>,

    /// the worker's directory
    #[argh(positional)]
    basedir: String,
}

impl Join {
    /// Asks, writes, prints.
    pub fn run(self, voice: Voice) -> Exit {
        match self.join() {
            Ok(()) => Exit::GOOD,
            Err(why) => voice.failed(&why),
        }
    }

    fn join(&self) -> Result<(), String> {
        let machine = Machine::here();
        let bringup = self.brought_up()?;
        let mut asker = Asker::new();
        let answers = self.answers(&machine, &mut asker)?;
        let basedir = Path::new(&self.basedir);
        for written in join::describe(basedir, &answers, &machine, self.force)? {
            complain(&match written {
                Written::Yes(path) => format!("wrote {}", path.display()),
                Written::Kept(path) => format!(
                    "{} was edited and stays as it is; --force overwrites it",
                    path.display()
                ),
            });
        }
        complain("looking at this machine (coracle doctor --for cpython) ...");
        let evidence = Evidence {
            doctor: Some(doctor::examine(&Wanted {
                cpython: true,
                network: self.network,
                directory: PathBuf::from(&self.basedir),
                login: None,
                system: None,
            })),
            bringup,
        };
        complain("the request, to be pasted:");
        say(join::text(&answers, &machine, &evidence).trim_end());
        Ok(())
    }

    /// What the last bring-up found.
    fn brought_up(&self) -> Result<Option<String>, String> {
        let directory = Path::new(self.bringup.as_deref().unwrap_or("bringup"));
        for file in ["report/report.json", "report.json"] {
            if let Some(record) = bringup::Record::read(&directory.join(file))? {
                return Ok(Some(bringup::summary(&record)));
            }
        }
        match &self.bringup {
            Some(given) => Err(format!("there is no report of a bring-up in {given}")),
            None => Ok(None),
        }
    }

    fn answers(&self, machine: &Machine, asker: &mut Asker) -> Result<Answers, String> {
        let needed = |name: &str| format!("--{name} is needed, since nobody can be asked here");
        let mut ask =
            |name: &str, given: &Option<String>, question: &str, default: Option<&str>| {
                let answer = asker.ask(given.as_deref(), question, default)?;
                let answer = answer.ok_or_else(|| needed(name))?;
                one_line(name, &answer)
            };
        let owner = ask(
            "owner",
            &self.owner,
            "What your workers' names begin with (often your last name)",
            None,
        )?;
        if !join::usable_owner(&owner) {
            return Err(format!(
                "owner {owner}: use letters, digits and '_' only; the text before the first '-' of a worker's name is its owner"
            ));
        }
        let suggested = join::suggested(&owner, machine);
        let name = ask("name", &self.name, "The worker's name", Some(&suggested))?;
        check_name(&name, &owner, &suggested)?;
        let person = ask("person", &self.person, "Your name", None)?;
        let contact = ask("contact", &self.contact, "Your e-mail address", None)?;
        let github = ask("github", &self.github, "Your user name at GitHub", Some(""))?;
        let os = ask("os", &self.os, "The operating system", Some(&machine.os))?;
        let arch = ask(
            "arch",
            &self.arch,
            "The processor architecture",
            Some(&machine.arch),
        )?;
        let password = ask(
            "password",
            &self.password,
            "The password: new-owner, new-worker or existing",
            Some("new-owner"),
        )?;
        let special = ask(
            "special",
            &self.special,
            "Anything special about it",
            Some(""),
        )?;
        Ok(Answers {
            owner,
            person,
            contact,
            github: mention(&github),
            name,
            os,
            arch,
            password: Password::named(&password)?,
            special,
        })
    }
}

/// Whether the fleet could take the name.
fn check_name(name: &str, owner: &str, suggested: &str) -> Result<(), String> {
    if !join::usable(name) {
        return Err(format!("name {name}: use OWNER-SYSTEM, as in {suggested}"));
    }
    if name.split('-').next() != Some(owner) {
        return Err(format!("name {name}: must begin with the owner, {owner}-"));
    }
    Ok(())
}

/// With the `@` that GitHub makes a link of.
fn mention(github: &str) -> String {
    match github.trim_start_matches('@') {
        "" => String::new(),
        user => format!("@{user}"),
    }
}

/// An answer as it may stand in a file and in a request.
fn one_line(name: &str, answer: &str) -> Result<String, String> {
    let answer = answer.trim();
    if answer.chars().any(char::is_control) {
        return Err(format!(
            "{name}: must be one line without control characters"
        ));
    }
    if answer.len() as u64 > LONGEST {
        return Err(format!("{name}: is longer than {LONGEST} bytes"));
    }
    Ok(answer.to_owned())
}

/// Asks on a terminal; elsewhere there is nobody to ask.
struct Asker {
    terminal: bool,
}

impl Asker {
    fn new() -> Asker {
        Asker {
            terminal: io::stdin().is_terminal(),
        }
    }

    /// What was given, or else an answer, or else the default; none if there is none of these.
    fn ask(
        &mut self,
        given: Option<&str>,
        question: &str,
        default: Option<&str>,
    ) -> Result<Option<String>, String> {
        if let Some(given) = given {
            return Ok(Some(given.to_owned()));
        }
        if !self.terminal {
            return Ok(default.map(str::to_owned));
        }
        loop {
            let shown = match default {
                None => String::new(),
                Some("") => " [none]".to_owned(),
                Some(default) => format!(" [{default}]"),
            };
            let mut out = io::stderr().lock();
            let _ = write!(out, "{question}{shown}: ").and_then(|()| out.flush());
            drop(out);
            match (read_line()?, default) {
                (None, _) => return Err("the questions were not answered".to_owned()),
                (Some(line), None) if line.trim().is_empty() => {}
                (Some(line), Some(default)) if line.trim().is_empty() => {
                    return Ok(Some(default.to_owned()));
                }
                (Some(line), _) => return Ok(Some(line)),
            }
        }
    }
}

/// A line that was typed; none at the end.
fn read_line() -> Result<Option<String>, String> {
    let mut line = Vec::new();
    let mut input = io::stdin().lock().take(LONGEST);
    let read = input.read_until(b'\n', &mut line);
    read.map_err(|error| format!("cannot read the answer: {error}"))?;
    if line.is_empty() {
        return Ok(None);
    }
    let text = String::from_utf8(line).map_err(|_| "the answer is not UTF-8 text".to_owned())?;
    Ok(Some(text))
}
