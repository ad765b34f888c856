//! `service`: prints or installs what makes a system start a worker at boot.

mod crontab;
mod install;
mod instance;
mod plan;
mod systems;
mod template;

use std::io::{self, Write};
use std::path::Path;

use argh::FromArgs;

use super::output::{Voice, complain, say};
use super::{Exit, directory, start};
use crate::basedir;
use instance::{Instance, Wanted};
use plan::Plan;
use systems::System;

/// Print or install the boot service of a worker.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "service",
    example = "{command_name} ~/worker",
    example = "{command_name} --for freebsd --user buildbot /var/worker",
    example = "{command_name} --install ~/worker"
)]
pub struct Service {
    /// systemd, openrc, freebsd, openbsd, netbsd, dragonfly, illumos, macos, haiku or cron (what
    /// this system has)
    #[argh(option, long = "for", arg_name = "system")]
    system: Option<String>,

    /// run the worker as this user (the owner of the directory)
    #[argh(option)]
    user: Option<String>,

    /// tells this worker from others on the host (the name of the directory)
    #[argh(option)]
    name: Option<String>,

    /// where coracle is (this program)
    #[argh(option)]
    program: Option<String>,

    /// install the service instead of printing it
    #[argh(switch)]
    install: bool,

    /// install below this directory, into an image of a system or a package
    #[argh(option)]
    destdir: Option<String>,

    /// only tell whether the worker runs: exit status 0 if so, 1 if not
    #[argh(switch)]
    status: bool,

    /// the worker's directory (the current one)
    #[argh(positional)]
    basedir: Option<String>,
}

impl Service {
    /// Prints or installs the service, or tells whether the worker runs.
    pub fn run(self, voice: Voice) -> Exit {
        if self.status {
            return self.tell_status(voice);
        }
        match self.print_or_install() {
            Ok(()) => Exit::GOOD,
            Err(why) => {
                complain(&format!("{}: {why}", voice.program()));
                Exit::BAD
            }
        }
    }

    /// What service scripts ask.
    fn tell_status(&self, voice: Voice) -> Exit {
        let directory = directory(self.basedir.as_ref());
        if let Err(error) = basedir::worker_file(directory) {
            return start::unusable(voice, &error);
        }
        match basedir::holder(directory) {
            Ok(Some(holder)) => {
                let process = holder
                    .pid
                    .map_or(String::new(), |pid| format!(", process {pid}"));
                say(&format!(
                    "the worker in {} is running{process}",
                    directory.display()
                ));
                Exit::GOOD
            }
            Ok(None) => {
                say(&format!(
                    "the worker in {} is not running",
                    directory.display()
                ));
                Exit::BAD
            }
            Err(error) => {
                complain(&error.to_string());
                Exit::BAD
            }
        }
    }

    fn print_or_install(&self) -> Result<(), String> {
        let here = ports::service_manager();
        let system = match &self.system {
            Some(name) => System::named(name)?,
            None => System::of(here)?,
        };
        let destdir = self.destdir.as_ref().map(Path::new);
        let is_cron = system.manager.is_none();
        let elsewhere = !is_cron && system.manager != here;
        if self.install && destdir.is_none() && elsewhere {
            return Err(format!(
                "services of this host are not managed by {}; leave out --install to print the service, or give --destdir",
                system.name
            ));
        }
        let instance = Instance::find(&Wanted {
            basedir: directory(self.basedir.as_ref()),
            user: self.user.as_deref(),
            name: self.name.as_deref(),
            program: self.program.as_deref(),
            may_be_absent: destdir.is_some() || !self.install && (elsewhere || is_cron),
            has_users: system.has_users,
        })?;
        let plan = Plan::new(system, &instance)?;
        if self.install || destdir.is_some() {
            return plan.install(destdir);
        }
        let mut out = io::stdout().lock();
        out.write_all(plan.text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|error| format!("cannot print the service: {error}"))
    }
}
