//! `create-worker`: makes a base directory (PROTOCOL 7.3).

use std::io::Read;
use std::path::PathBuf;

use argh::FromArgs;

use super::Exit;
use super::output::{Voice, say};
use crate::basedir::Secret;
use crate::basedir::create::{NewMaster, NewWorker, Typed, create};

/// Longest password file, in bytes.
const LONGEST: u64 = 64 * 1024;

/// The port of a master that names none.
const PORT: u16 = 9989;

/// Make a directory for a new worker. Its name and password come from whoever runs the master.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "create-worker",
    example = "{command_name} ~/worker buildbot.example.org:9020 my-box sekrit",
    example = "{command_name} --passwd-file - ~/worker buildbot.example.org my-box < password",
    note = "A directory that exists is kept as it is; only what is missing is made."
)]
pub struct CreateWorker {
    /// accepted for old scripts: a directory that exists is used in any case
    #[argh(switch, short = 'f')]
    #[allow(dead_code)]
    force: bool,

    /// write a buildbot.tac that works wherever the directory is moved to
    #[argh(switch, short = 'r')]
    relocatable: bool,

    /// leave the log to whoever supervises the worker
    #[argh(switch, short = 'n')]
    no_logrotate: bool,

    /// print nothing unless something is wrong
    #[argh(switch, short = 'q')]
    quiet: bool,

    /// reach the master with TLS
    #[argh(switch)]
    use_tls: bool,

    /// delete directories that no builder uses any more
    #[argh(switch)]
    delete_leftover_dirs: bool,

    /// seconds between questions whether the master is there, 0 for none (60; 600 as buildbot-worker)
    #[argh(option, short = 'k')]
    keepalive: Option<String>,

    /// permissions that new files do not get, such as 0o22 (None)
    #[argh(option, default = "String::from(\"None\")")]
    umask: String,

    /// longest time between attempts to connect, in seconds (300)
    #[argh(option, default = "String::from(\"300\")")]
    maxdelay: String,

    /// after how many failed attempts the worker stops (None)
    #[argh(option, default = "String::from(\"None\")")]
    maxretries: String,

    /// how many processors the master is told (None: as many as there are)
    #[argh(option, default = "String::from(\"None\")")]
    numcpus: String,

    /// bytes at which twistd.log is put aside (10000000)
    #[argh(option, short = 's', default = "String::from(\"10000000\")")]
    log_size: String,

    /// how many old logs are kept (10; None for all)
    #[argh(option, short = 'l', default = "String::from(\"10\")")]
    log_count: String,

    /// how a graceful stop is asked for: signal or file
    #[argh(option, short = 'a')]
    allow_shutdown: Option<String>,

    /// how to talk to the master: pb or msgpack_experimental_v7 (pb)
    #[argh(option, default = "String::from(\"pb\")")]
    protocol: String,

    /// a Twisted endpoint instead of host and port
    #[argh(option)]
    connection_string: Option<String>,

    /// a Twisted endpoint of an HTTP proxy
    #[argh(option)]
    proxy_connection_string: Option<String>,

    /// a file with the password, or - for standard input; then without PASSWD
    #[argh(option)]
    passwd_file: Option<String>,

    /// an environment variable with the password; then without PASSWD
    #[argh(option)]
    passwd_env: Option<String>,

    /// the directory to make
    #[argh(positional)]
    basedir: String,

    /// HOST or HOST:PORT; an IPv6 address stands in brackets
    #[argh(positional)]
    master: String,

    /// the worker's name at the master
    #[argh(positional)]
    name: String,

    /// what proves the name, unless an option gives it
    #[argh(positional)]
    passwd: Option<String>,
}

impl CreateWorker {
    /// Makes the directory.
    ///
    /// # Errors
    /// What was typed wrong, in one line.
    pub fn run(self, voice: Voice) -> Result<Exit, String> {
        let quiet = self.quiet;
        let worker = self.worker(voice)?;
        let shown = worker.basedir.display().to_string();
        let mut tell = |line: &str| {
            if !quiet {
                say(line);
            }
        };
        if let Err(error) = create(&worker, &mut tell) {
            say(&error.to_string());
            say(&format!("failed to configure worker in {shown}"));
            return Ok(Exit::BAD);
        }
        tell(&format!("worker configured in {shown}"));
        Ok(Exit::GOOD)
    }

    fn worker(self, voice: Voice) -> Result<NewWorker, String> {
        let (basedir, name) = (&self.basedir, &self.name);
        if name.is_empty() {
            return Err("the worker's name is empty".to_owned());
        }
        let master = master_address(&self.master)?;
        let log = (
            integer("log-size", &self.log_size)?,
            typed("log-count", &self.log_count)?,
        );
        let basedir = absolute(basedir)?;
        Ok(NewWorker {
            relocatable: self.relocatable,
            master,
            name: name.clone(),
            password: self.password()?,
            log: (!self.no_logrotate).then_some(log),
            keepalive: match &self.keepalive {
                Some(text) => integer("keepalive", text)?,
                None => keepalive(voice),
            },
            umask: typed("umask", &self.umask)?,
            max_delay: integer("maxdelay", &self.maxdelay)?,
            cpus: typed("numcpus", &self.numcpus)?,
            allow_shutdown: match self.allow_shutdown.as_deref() {
                None | Some("signal" | "file") => self.allow_shutdown,
                Some(_) => return Err("allow-shutdown must be signal or file".to_owned()),
            },
            max_retries: typed("maxretries", &self.maxretries)?,
            tls: self.use_tls,
            delete_leftover_dirs: self.delete_leftover_dirs,
            connection_string: self.connection_string,
            proxy: self.proxy_connection_string,
            protocol: self.protocol,
            basedir,
        })
    }

    fn password(&self) -> Result<Secret, String> {
        let text = match (&self.passwd_file, &self.passwd_env, &self.passwd) {
            (Some(_), Some(_), _) => {
                return Err("--passwd-file and --passwd-env do not go together".to_owned());
            }
            (Some(file), None, _) => password_from_file(file)?,
            (None, Some(name), _) => std::env::var(name)
                .map_err(|_| format!("there is no text in the environment variable {name}"))?,
            (None, None, word) => word.clone().unwrap_or_default(),
        };
        if text.is_empty() {
            return Err("the password is empty".to_owned());
        }
        Ok(Secret::new(text))
    }
}

/// The first line of a file, `-` being standard input.
fn password_from_file(file: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = if file == "-" {
        std::io::stdin()
            .lock()
            .take(LONGEST)
            .read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(LONGEST).read_to_end(&mut bytes))
    };
    read.map_err(|error| format!("cannot read the password from {file}: {error}"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| format!("cannot read the password from {file}: it is not UTF-8 text"))?;
    Ok(text.lines().next().unwrap_or("").to_owned())
}

fn absolute(basedir: &str) -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|error| format!("no current directory: {error}"))?;
    let here = here
        .to_str()
        .ok_or("the current directory has no name in UTF-8")?;
    Ok(PathBuf::from(crate::basedir::tac::paths::absolute(
        here, basedir,
    )))
}

/// Seconds between keepalives unless somebody says otherwise. The Python worker never notices that
/// they are not answered; ours does, and a minute keeps most NAT mappings alive.
fn keepalive(voice: Voice) -> i64 {
    match voice {
        Voice::Coracle => 60,
        Voice::BuildbotWorker => 600,
    }
}

fn integer(name: &str, text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| format!("{name} must be a number, not {text}"))
}

fn typed(name: &str, text: &str) -> Result<Typed, String> {
    Typed::parse(text).ok_or_else(|| {
        format!("{name} must be None, a decimal number or 0o and octal digits, not {text}")
    })
}

/// HOST, HOST:PORT, [V6] or [V6]:PORT.
fn master_address(text: &str) -> Result<NewMaster, String> {
    if text.starts_with("http:") || text.starts_with("https:") {
        return Err("the master is given as HOST or HOST:PORT, not as a URL".to_owned());
    }
    let v6 = || {
        Err(format!(
            "invalid master {text}: an IPv6 address stands in brackets, as in [::1]:9989"
        ))
    };
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        match rest.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, after)) => match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None => return v6(),
            },
            None => return v6(),
        }
    } else {
        match text.split_once(':') {
            Some((_, port)) if port.contains(':') => return v6(),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let port = match port {
        None => PORT,
        Some(port) => match port.parse() {
            Ok(port) if port > 0 => port,
            _ => {
                return Err(format!(
                    "invalid port {port} of the master: needs a number up to 65535"
                ));
            }
        },
    };
    if host.is_empty() {
        return Err("the master's host is empty".to_owned());
    }
    Ok(NewMaster {
        host: host.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masters_are_given_in_four_ways() {
        for (text, host, port) in [
            ("h", "h", 9989),
            ("h:1", "h", 1),
            ("[::1]", "::1", 9989),
            ("[::1]:65535", "::1", 65535),
        ] {
            let expected = NewMaster {
                host: host.to_owned(),
                port,
            };
            assert_eq!(master_address(text), Ok(expected), "{text}");
        }
        for wrong in [
            "http://h", "::1", "h:", "h:x", "h:0", "h:65536", "[::1", "[::1]x", "", ":1", "[]",
        ] {
            assert!(master_address(wrong).is_err(), "{wrong}");
        }
    }
}
