//! `join`: prepares a new worker of CPython's fleet and prints the request for it.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use argh::FromArgs;

use super::Exit;
use super::output::{Voice, complain, say};
use crate::basedir::worker_file;
use crate::bringup;
use crate::doctor::{self, Wanted};
use crate::join::{self, Answers, Evidence, Machine, Password, Written};

/// Longest answer, in bytes.
const LONGEST: u64 = 4096;

/// Where the fleet's workers connect to (the devguide's page for owners of workers).
const MASTER: &str = "buildbot-api.python.org:9020";

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
        self.check_basedir()?;
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

    /// Whether there is a worker's base directory.
    fn check_basedir(&self) -> Result<(), String> {
        let basedir = Path::new(&self.basedir);
        let Err(error) = worker_file(basedir) else {
            return Ok(());
        };
        let text = error.to_string();
        let why = text.lines().next().unwrap_or_default();
        let what = match basedir.exists() {
            true => format!("is no worker's directory: {why}"),
            false => "is not there".to_owned(),
        };
        let quoted = match self.basedir.as_str() {
            "" => "''",
            given => given,
        };
        Err(format!(
            "{quoted} {what}; `coracle create-worker {quoted} {MASTER} NAME PASSWORD` makes it first (until the fleet has sent you a password, any will do)"
        ))
    }

    fn answers(&self, machine: &Machine, asker: &mut Asker) -> Result<Answers, String> {
        self.check_given()?;
        let any = |_: &str| Ok(());
        let mut ask = |name, given: &Option<String>, question, default, check: Check<'_>| {
            asker.ask(name, given.as_deref(), question, default, check)
        };
        let question = "What your workers' names begin with (often your last name)";
        let owner = ask("owner", &self.owner, question, None, &check_owner)?;
        let suggested = join::suggested(&owner, machine);
        let default = Some(suggested.as_str());
        let question = "The worker's name";
        let name = ask("name", &self.name, question, default, &|name| {
            check_name(name, &owner, &suggested)
        })?;
        let person = ask("person", &self.person, "Your name", None, &any)?;
        let question = "Your e-mail address";
        let contact = ask("contact", &self.contact, question, None, &check_contact)?;
        let question = "Your user name at GitHub";
        let github = ask("github", &self.github, question, Some(""), &check_github)?;
        let question = "The operating system";
        let os = ask("os", &self.os, question, Some(&machine.os), &any)?;
        let question = "The processor architecture";
        let arch = ask("arch", &self.arch, question, Some(&machine.arch), &any)?;
        let question = "The password: new-owner, new-worker or existing";
        let default = Some("new-owner");
        let password = ask(
            "password",
            &self.password,
            question,
            default,
            &check_password,
        )?;
        let question = "Anything special about it";
        let special = ask("special", &self.special, question, Some(""), &any)?;
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

    /// Before anybody is asked anything: what was given can be used.
    fn check_given(&self) -> Result<(), String> {
        let given: [(&str, &Option<String>, Check<'_>); 4] = [
            ("owner", &self.owner, &check_owner),
            ("contact", &self.contact, &check_contact),
            ("github", &self.github, &check_github),
            ("password", &self.password, &check_password),
        ];
        for (name, given, check) in given {
            if let Some(given) = given {
                check(&one_line(name, given)?)?;
            }
        }
        Ok(())
    }
}

/// Tells what is wrong with an answer.
type Check<'a> = &'a dyn Fn(&str) -> Result<(), String>;

fn check_owner(owner: &str) -> Result<(), String> {
    if join::usable_owner(owner) {
        return Ok(());
    }
    Err(format!(
        "owner {owner}: use letters, digits and '_' only; the text before the first '-' of a worker's name is its owner"
    ))
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

fn check_contact(contact: &str) -> Result<(), String> {
    match join::usable_contact(contact) {
        true => Ok(()),
        false => Err(format!(
            "contact {contact}: give one e-mail address, as in jo@example.org"
        )),
    }
}

fn check_github(github: &str) -> Result<(), String> {
    let user = github.strip_prefix('@').unwrap_or(github);
    match github.is_empty() || join::usable_github(user) {
        true => Ok(()),
        false => Err(format!(
            "github {github}: give the name of a user, as in @jo: letters, digits and single hyphens"
        )),
    }
}

fn check_password(word: &str) -> Result<(), String> {
    Password::named(word).map(|_| ())
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

    /// What was given, or else an answer, or else the default. A bad answer is asked for again; what
    /// was given or there by default is checked too.
    ///
    /// # Errors
    /// There is nobody to ask, or what was given is bad.
    fn ask(
        &mut self,
        name: &str,
        given: Option<&str>,
        question: &str,
        default: Option<&str>,
        check: Check<'_>,
    ) -> Result<String, String> {
        let checked = |answer: &str| {
            let answer = one_line(name, answer)?;
            if answer.is_empty() && default != Some("") {
                return Err(format!("{name}: is empty"));
            }
            check(&answer).map(|()| answer)
        };
        if let Some(given) = given {
            return checked(given);
        }
        if !self.terminal {
            let needed = || format!("--{name} is needed, since nobody can be asked here");
            return checked(default.ok_or_else(needed)?);
        }
        let shown = match default {
            None => String::new(),
            Some("") => " [none]".to_owned(),
            Some(default) => format!(" [{default}]"),
        };
        loop {
            let mut out = io::stderr().lock();
            let _ = write!(out, "{question}{shown}: ").and_then(|()| out.flush());
            drop(out);
            let typed = match read_line()? {
                Typed::End => return Err("the questions were not answered".to_owned()),
                Typed::Bad(why) => Err(format!("{name}: {why}")),
                Typed::Line(line) if line.trim().is_empty() => match default {
                    None => continue,
                    Some(default) => checked(default),
                },
                Typed::Line(line) => checked(&line),
            };
            match typed {
                Ok(answer) => return Ok(answer),
                Err(why) => complain(&why),
            }
        }
    }
}

/// What was typed.
enum Typed {
    Line(String),
    /// A line that cannot be an answer, and why.
    Bad(&'static str),
    End,
}

/// The next line.
fn read_line() -> Result<Typed, String> {
    let mut line = Vec::new();
    let mut input = io::stdin().lock();
    let mut is_long = false;
    loop {
        let mut part = Vec::new();
        let read = input.by_ref().take(LONGEST).read_until(b'\n', &mut part);
        let read = read.map_err(|error| format!("cannot read the answer: {error}"))?;
        let is_end = read == 0 || part.ends_with(b"\n");
        if line.is_empty() {
            line = part;
        } else {
            is_long = true;
        }
        if is_end {
            break;
        }
    }
    Ok(match String::from_utf8(line) {
        Ok(text) if text.is_empty() => Typed::End,
        _ if is_long => Typed::Bad("is too long"),
        Ok(text) => Typed::Line(text),
        Err(_) => Typed::Bad("is not UTF-8 text"),
    })
}
