//! `doctor`: tells what a machine lacks before it becomes a worker.

use std::path::PathBuf;

use argh::FromArgs;

use super::output::{Voice, say};
use super::{Exit, directory};
use crate::doctor::{self, System, Wanted};

/// Look at this machine: what is there, what is missing, and how it is installed.
#[derive(FromArgs)]
#[argh(subcommand, name = "doctor")]
pub struct Doctor {
    /// what is to be built: cpython
    #[argh(option, long = "for", arg_name = "what")]
    for_what: Option<String>,

    /// one line of JSON instead of text
    #[argh(switch)]
    json: bool,

    /// also try connections to other machines
    #[argh(switch)]
    network: bool,

    /// also log in with the name and password in this base directory
    #[argh(option, arg_name = "basedir")]
    login: Option<String>,

    /// tell the package names of this system instead of ours
    #[argh(option)]
    system: Option<String>,

    /// where builds are to be made (the current directory)
    #[argh(positional)]
    directory: Option<String>,
}

impl Doctor {
    /// Looks and prints; status 1 if something is missing.
    pub fn run(self, voice: Voice) -> Exit {
        match self.wanted() {
            Ok(wanted) => {
                let report = doctor::examine(&wanted);
                let text = match self.json {
                    true => report.json(),
                    false => report.text(),
                };
                say(text.trim_end());
                if report.is_good() {
                    Exit::GOOD
                } else {
                    Exit::BAD
                }
            }
            Err(why) => voice.failed(&why),
        }
    }

    fn wanted(&self) -> Result<Wanted, String> {
        let cpython = match self.for_what.as_deref() {
            None => false,
            Some("cpython") => true,
            Some(other) => return Err(format!("--for {other}: known is only cpython")),
        };
        let system = self.system.as_deref().map(System::named).transpose()?;
        Ok(Wanted {
            cpython,
            network: self.network,
            directory: directory(self.directory.as_ref()).to_owned(),
            login: self.login.as_ref().map(PathBuf::from),
            system,
        })
    }
}
