//! What the worker tells the master about itself (PROTOCOL 4.3).

use std::fs;
use std::io;
use std::path::Path;

use log::warn;

use super::os_release;
use super::settings::Settings;
use crate::calls::{COMMAND_NAMES, Fact};

/// Largest description, in bytes. More than 640 KiB breaks the connection (PROTOCOL 1.2).
const LARGEST: u64 = 600_000;

/// The level of all our commands: that of Buildbot 4.1 to 4.3 (PROTOCOL 4.4).
const COMMANDS_LEVEL: &str = "3.3";

/// What the master is told, in the order of PROTOCOL 4.3; each name once, the later of two values.
/// Reads `info/` and the system's description anew; what is wrong with them goes to the log.
pub fn facts(settings: &Settings) -> Vec<(String, Fact)> {
    let mut facts = Facts(Vec::new());
    information(&settings.basedir.join("info"), &mut facts);
    for (key, value) in os_release::read() {
        facts.set(format!("os_{}", key.to_lowercase()), Fact::Text(value));
    }
    facts.set("environ", Fact::Map(environment(settings)));
    facts.set("system", Fact::Text(ports::SYSTEM_KIND.to_owned()));
    let basedir = settings.basedir.to_string_lossy().into_owned();
    facts.set("basedir", Fact::Text(basedir));
    let cpus = match settings.cpus {
        Some(cpus) => i64::from(cpus),
        None => i64::try_from(ports::cpu_count()).unwrap_or(1),
    };
    facts.set("numcpus", Fact::Int(cpus));
    facts.set("version", Fact::Text(version()));
    facts.set("worker_commands", Fact::Map(commands()));
    facts.set(
        "delete_leftover_dirs",
        settings.delete_leftover_dirs.clone(),
    );
    facts.0
}

/// The version as the master shows it: the name of this program with its version, since no master
/// computes with it.
pub fn version() -> String {
    format!("coracle {}", env!("CARGO_PKG_VERSION"))
}

/// The commands we know, with their level: also the answer to the old `getCommands`.
pub fn commands() -> Vec<(String, String)> {
    let commands = COMMAND_NAMES.iter();
    commands
        .map(|name| ((*name).to_owned(), COMMANDS_LEVEL.to_owned()))
        .collect()
}

struct Facts(Vec<(String, Fact)>);

impl Facts {
    fn set(&mut self, name: impl Into<String>, fact: Fact) {
        let name = name.into();
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, fact));
    }
}

/// The files of `info/`, sorted by name.
fn information(directory: &Path, facts: &mut Facts) {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => {
            let why = ports::words_of(&error);
            warn!("cannot list {}: {why}", directory.display());
            return;
        }
    };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let path = directory.join(&name);
        let content = match (name.to_str(), description(&path)) {
            (_, Ok(None)) => continue,
            (Some(name), Ok(Some(text))) => {
                facts.set(name, Fact::Text(text));
                continue;
            }
            (None, Ok(Some(_))) => "its name is not UTF-8 text".to_owned(),
            (_, Err(why)) => why,
        };
        warn!("{} is not told to the master: {content}", path.display());
    }
}

/// The content of a file of `info/`; none for a directory.
fn description(path: &Path) -> Result<Option<String>, String> {
    let found = fs::metadata(path).map_err(|error| ports::words_of(&error))?;
    if found.is_dir() {
        return Ok(None);
    }
    if !found.is_file() {
        return Err("it is not a plain file".to_owned());
    }
    if found.len() > LARGEST {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    let bytes = fs::read(path).map_err(|error| ports::words_of(&error))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err("it is not UTF-8 text".to_owned()),
    }
}

fn environment(settings: &Settings) -> Vec<(String, String)> {
    let variables = settings.environment.iter();
    variables
        .map(|(name, value)| (name.to_string_lossy(), value.to_string_lossy()))
        .filter(|(name, _)| settings.tells_variable(name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basedir::{read_with, test_directory};

    fn settings(directory: &Path, more: &str) -> Settings {
        let tac = format!(
            "# Application('buildbot-worker')\n{more}\n\
             Worker('h', 1, 'n', 'p', '.', 600, numcpus=3, delete_leftover_dirs=1)\n"
        );
        fs::write(directory.join("buildbot.tac"), tac).unwrap();
        let variable =
            |name: &str, value: &[u8]| (name.into(), ports::name_from_bytes(value.to_vec()));
        let environment = vec![variable("PATH", b"/bin"), variable("ODD", b"a\xffb")];
        read_with(directory, environment).unwrap()
    }

    fn fact<'f>(facts: &'f [(String, Fact)], name: &str) -> Option<&'f Fact> {
        let found = facts.iter().find(|(known, _)| known == name);
        found.map(|(_, fact)| fact)
    }

    #[test]
    fn facts_come_in_the_order_of_the_protocol() {
        let directory = test_directory("facts");
        fs::create_dir_all(directory.join("info/old")).unwrap();
        fs::write(directory.join("info/host"), "a board\n").unwrap();
        fs::write(directory.join("info/admin"), "me\n").unwrap();
        fs::write(directory.join("info/environ"), "hidden by the real one").unwrap();
        let facts = facts(&settings(&directory, ""));
        let names: Vec<&str> = facts.iter().map(|(name, _)| name.as_str()).collect();
        let without_os: Vec<&str> = names
            .into_iter()
            .filter(|name| !name.starts_with("os_"))
            .collect();
        assert_eq!(
            without_os,
            [
                "admin",
                "host",
                "environ",
                "system",
                "basedir",
                "numcpus",
                "version",
                "worker_commands",
                "delete_leftover_dirs"
            ]
        );
        assert_eq!(
            fact(&facts, "host"),
            Some(&Fact::Text("a board\n".to_owned()))
        );
        assert_eq!(fact(&facts, "numcpus"), Some(&Fact::Int(3)));
        assert_eq!(fact(&facts, "delete_leftover_dirs"), Some(&Fact::Int(1)));
        let directory = directory.to_str().unwrap().to_owned();
        assert_eq!(fact(&facts, "basedir"), Some(&Fact::Text(directory)));
        match fact(&facts, "worker_commands") {
            Some(Fact::Map(commands)) => assert_eq!(commands.len(), 14),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_variable_that_is_no_text_keeps_nobody_from_attaching() {
        let facts = facts(&settings(&test_directory("facts-odd"), ""));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = Fact::Map(vec![pair("PATH", "/bin"), pair("ODD", "a\u{fffd}b")]);
        assert_eq!(fact(&facts, "environ"), Some(&expected));
    }

    #[test]
    fn the_administrator_chooses_what_the_master_is_told_of_the_environment() {
        let settings = settings(&test_directory("facts-told"), "coracle_environ = ['P*']");
        let expected = Fact::Map(vec![("PATH".to_owned(), "/bin".to_owned())]);
        assert_eq!(fact(&facts(&settings), "environ"), Some(&expected));
        assert_eq!(settings.environment.len(), 2);
    }

    #[test]
    fn descriptions_that_cannot_be_told_are_left_out() {
        let directory = test_directory("facts-info");
        let info = directory.join("info");
        fs::create_dir(&info).unwrap();
        fs::write(info.join("good"), "ä").unwrap();
        fs::write(info.join("binary"), b"\xff\xfe").unwrap();
        fs::write(info.join("huge"), vec![b'a'; 600_001]).unwrap();
        ports::make_link(Path::new("nowhere"), &info.join("dangling")).unwrap();
        ports::make_link(Path::new("/dev/zero"), &info.join("endless")).unwrap();
        fs::write(info.join(ports::name_from_bytes(b"n\xff".to_vec())), "text").unwrap();
        let facts = facts(&settings(&directory, ""));
        assert_eq!(fact(&facts, "good"), Some(&Fact::Text("ä".to_owned())));
        for name in ["binary", "huge", "dangling", "endless", "n\u{fffd}"] {
            assert_eq!(fact(&facts, name), None, "{name}");
        }
    }
}
