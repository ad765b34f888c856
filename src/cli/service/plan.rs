//! One service of one worker: what its files say and where they go.

use std::path::{Path, PathBuf};

use super::instance::Instance;
use super::systems::{self, System};
use super::template;

/// Everything about one service of one worker, ready to be printed or installed.
#[derive(Debug)]
pub struct Plan {
    /// The service file, or the line of a crontab.
    pub text: String,
    /// What of the text says for which directory it is.
    pub mark: String,
    pub instance: Instance,
    /// The service file; none for a crontab.
    pub file: Option<PlannedFile>,
    /// A second file, that switches the service on.
    pub switch: Option<PlannedFile>,
    /// Commands that make the service start at the next boot.
    pub enable: Vec<Vec<String>>,
    /// What a person types to start it now.
    pub start: String,
}

/// A file to be.
#[derive(Debug)]
pub struct PlannedFile {
    /// Absolute.
    pub path: PathBuf,
    pub text: String,
    /// Permission bits.
    pub mode: u32,
}

impl Plan {
    /// The service of a worker.
    ///
    /// # Errors
    /// The format cannot hold a name.
    pub fn new(system: &System, instance: &Instance) -> Result<Plan, String> {
        let service = system.naming.service(&instance.name);
        let value = |name: &str| value(instance, &service, name);
        let render = |template: &str| template::render(template, &value);
        let planned = |path: &str, text: String, mode| {
            let path = PathBuf::from(render(path)?);
            Ok::<_, String>(PlannedFile { path, text, mode })
        };
        let text = render(system.template)?;
        let file = system
            .file
            .map(|path| planned(path, text.clone(), system.mode));
        let switch = system
            .switch
            .map(|(path, text)| planned(path, render(text)?, systems::TEXT));
        let words = |words: &&[&str]| words.iter().map(|word| render(word)).collect();
        Ok(Plan {
            mark: render(system.mark)?,
            instance: instance.clone(),
            file: file.transpose()?,
            switch: switch.transpose()?,
            enable: system.enable.iter().map(words).collect::<Result<_, _>>()?,
            start: render(system.start)?,
            text,
        })
    }
}

/// What the templates call by this name.
fn value<'a>(instance: &'a Instance, service: &'a str, name: &str) -> Option<&'a str> {
    let below = |tops: &[&str]| {
        let place = Path::new(&instance.basedir);
        tops.iter().any(|top| place.starts_with(top)).then_some("")
    };
    match name {
        "service" => Some(service),
        "instance" => Some(&instance.name),
        "user" => Some(&instance.user),
        "home" => instance.home.as_deref(),
        "basedir" => Some(&instance.basedir),
        "program" => Some(&instance.program),
        "drain_seconds" => Some(systems::DRAIN_SECONDS),
        "kill_seconds" => Some(systems::KILL_SECONDS),
        "stop_words" => Some(systems::STOP_WORDS),
        "status_words" => Some(systems::STATUS_WORDS),
        // Conditions: their value is not written.
        "unprivileged" => (instance.user != "root").then_some(""),
        "in_system" => below(&["/usr", "/boot", "/efi", "/etc"]),
        "in_tmp" => below(&["/tmp", "/var/tmp"]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(basedir: &str, user: &str) -> Instance {
        Instance {
            name: "worker".to_owned(),
            basedir: basedir.to_owned(),
            program: "/opt/coracle".to_owned(),
            user: user.to_owned(),
            home: None,
        }
    }

    fn unit(basedir: &str, user: &str) -> String {
        let system = System::named("systemd").unwrap();
        Plan::new(system, &instance(basedir, user)).unwrap().text
    }

    #[test]
    fn hardening_leaves_the_worker_its_directory() {
        let usual = unit("/home/bb/worker", "bb");
        assert!(usual.contains("\nPrivateTmp=yes\n"));
        assert!(!usual.contains("ReadWritePaths"));
        assert!(!unit("/var/tmp/worker", "bb").contains("\nPrivateTmp"));
        let in_usr = unit("/usr/local/worker", "bb");
        assert!(in_usr.contains("\nReadWritePaths=\"/usr/local/worker\"\n"));
    }

    #[test]
    fn root_keeps_what_it_is_root_for() {
        assert!(unit("/srv/w", "bb").contains("\nNoNewPrivileges=yes\n"));
        assert!(!unit("/srv/w", "root").contains("\nNoNewPrivileges"));
        assert!(!unit("/srv/w", "root").contains("\nCapabilityBoundingSet"));
    }

    #[test]
    fn every_service_has_its_mark() {
        for system in systems::SYSTEMS {
            let plan = Plan::new(system, &instance("/srv/w", "bb")).unwrap();
            assert!(plan.text.contains(&plan.mark), "{}", system.name);
            assert!(plan.mark.contains("/srv/w"), "{}", system.name);
        }
    }
}
