//! What a worker is told by its `buildbot.tac`, with every value parsed.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::arguments::Arguments;
use super::secret::Secret;
use super::startup::Startup;
use super::tac::{self, Problem, Tac};
use super::worker_file::{ReadError, worker_file};
use super::{log_target, name_pattern, own, step_limits};
use crate::calls::Fact;

/// Everything that a base directory says (field.md 2.2).
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where `buildbot.tac` lies; absolute. The pid file and `.coracle/` are here.
    pub directory: PathBuf,
    /// The base directory: builders' directories, `info/`, `twistd.hostname`; absolute, exists.
    /// Usually the same.
    pub basedir: PathBuf,
    /// Where the master is.
    pub master: MasterAddress,
    /// A Twisted endpoint of an HTTP proxy (PROTOCOL 7.6); never together with an endpoint of the
    /// master.
    pub proxy: Option<Secret>,
    /// How to talk to it.
    pub protocol: Protocol,
    /// Path of the WebSocket's URL; for MessagePack.
    pub path: Option<String>,
    /// Our name.
    pub name: String,
    /// What proves it.
    pub password: Secret,
    /// How often to ask the master whether it is there; none for never.
    pub keepalive: Option<Duration>,
    /// Longest time between two attempts to connect, where the file says so.
    pub max_delay: Option<Duration>,
    /// After how many failed attempts the worker stops; none for never.
    pub max_retries: Option<u64>,
    /// Permission bits that new files do not get, where the file says so.
    pub umask: Option<u32>,
    /// How many processors we report, where the file says so.
    pub cpus: Option<u32>,
    /// The coding of what steps print, where the file says so; UTF-8 otherwise.
    pub encoding: Option<String>,
    /// Whether the administrator may stop the worker gracefully, and how.
    pub allow_shutdown: Option<AllowShutdown>,
    /// Whether unused directories are deleted: as written in the file, since the master is told.
    pub delete_leftover_dirs: Fact,
    /// Where the log goes.
    pub log: log_target::LogTarget,
    /// The environment for steps, and for what the master is told: that of the process, as the file
    /// changes it, without the variables that the password came from.
    pub environment: Vec<(OsString, OsString)>,
    /// Our own setting `coracle_environ`: patterns of the only variables that the master is told.
    pub told_environment: Option<Vec<String>>,
    /// Our own settings `coracle_nice` and `coracle_core_limit`: what steps are held to.
    pub step_limits: ports::StepLimits,
    /// Our own setting `tls_ca_file`: the only issuers to trust; a file or directory.
    pub tls_ca_file: Option<PathBuf>,
    /// Our own setting `tls_pin_sha256`: keys that a master may have, as written.
    pub tls_pins: Vec<String>,
    /// Our own setting `proxy_from_environ`: whether the usual variables name the proxy.
    pub proxy_from_environ: bool,
    /// What the administrator should know; for the log.
    pub notes: Vec<String>,
    /// Tells whoever started us how it goes; says nothing unless the command line arranged it.
    pub startup: Startup,
}

impl Settings {
    /// Whether directories that no builder uses are deleted.
    pub fn deletes_leftover_dirs(&self) -> bool {
        match &self.delete_leftover_dirs {
            Fact::Bool(yes) => *yes,
            Fact::Int(number) => *number != 0,
            Fact::Text(_) | Fact::Map(_) => false,
        }
    }

    /// Whether the master is told this variable of the environment.
    pub fn tells_variable(&self, name: &str) -> bool {
        match &self.told_environment {
            None => true,
            Some(patterns) => patterns
                .iter()
                .any(|pattern| name_pattern::matches(pattern, name)),
        }
    }
}

/// Where a master is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterAddress {
    /// Host and port.
    Tcp {
        /// Name or address.
        host: String,
        /// 1 to 65535.
        port: u16,
        /// `use_tls`: with TLS, checked against the platform's certificates and the host's name.
        tls: bool,
    },
    /// A Twisted client endpoint (`connection_string`), as written.
    Endpoint(Secret),
}

impl fmt::Display for MasterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MasterAddress::Tcp { host, port, .. } if host.contains(':') => {
                write!(f, "[{host}]:{port}")
            }
            MasterAddress::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
            // It may hold a proxy's password.
            MasterAddress::Endpoint(_) => f.write_str("the address in connection_string"),
        }
    }
}

/// How to talk to a master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Perspective Broker.
    Pb,
    /// MessagePack over WebSocket.
    MsgpackV7,
}

/// How the administrator may ask for a graceful stop (PROTOCOL 7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowShutdown {
    /// By SIGHUP.
    Signal,
    /// By touching `shutdown.stamp`.
    File,
}

/// Reads the settings in a base directory. Looks at the environment of the process.
///
/// # Errors
/// See [`ReadError`]; everything that is wrong is told at once.
pub fn read(directory: &Path) -> Result<Settings, ReadError> {
    read_with(directory, std::env::vars_os().collect())
}

/// As [`read`], with this environment.
///
/// # Errors
/// As [`read`].
pub fn read_with(
    directory: &Path,
    environment: Vec<(OsString, OsString)>,
) -> Result<Settings, ReadError> {
    let (file, bytes) = worker_file(directory)?;
    let directory = super::real_directory(directory);
    let wrong = |problems, unsupported| ReadError::Wrong {
        file: file.clone(),
        problems,
        unsupported,
    };
    let file_text = file.to_string_lossy().into_owned();
    let directory_text = directory.to_string_lossy().into_owned();
    let tac = tac::read(&bytes, file_text, directory_text, environment).map_err(|error| {
        let problem = Problem {
            line: error.line,
            text: error.why,
        };
        wrong(vec![problem], false)
    })?;
    settings(tac, directory).map_err(|wrongs| wrong(wrongs.problems, wrongs.unsupported))
}

/// What is wrong with a file that could be read.
struct Wrongs {
    problems: Vec<Problem>,
    unsupported: bool,
}

fn settings(mut tac: Tac, directory: PathBuf) -> Result<Settings, Wrongs> {
    let mut problems = std::mem::take(&mut tac.problems);
    let call = match tac.workers.len() {
        1 => tac.workers.remove(0),
        count => {
            let line = tac.workers.get(1).map_or(0, |second| second.line);
            let text = match count {
                0 => "there is no call of Worker(...) that could be read".to_owned(),
                _ => "a second Worker(...); a base directory is for one worker".to_owned(),
            };
            problems.push(Problem { line, text });
            let unsupported = count == 0;
            return Err(Wrongs {
                problems,
                unsupported,
            });
        }
    };
    let mut arguments = Arguments::new(call, problems);
    let draft = draft(&mut arguments, &directory);
    let own = own::read(&tac, &directory, &mut arguments);
    let step_limits = step_limits::read(&tac, &mut arguments);
    let password_sources = arguments.sources("passwd");
    let log = log_target::from_block(&tac.log, &directory, &mut arguments);
    arguments.check_names(&tac.names);
    let (notes, problems, unsupported) = arguments.finish();
    let Some(draft) = draft.filter(|_| problems.is_empty()) else {
        return Err(Wrongs {
            problems,
            unsupported,
        });
    };
    let mut settings = Settings {
        directory,
        log,
        environment: tac.environment,
        told_environment: own.told_environment,
        tls_ca_file: own.tls_ca_file,
        tls_pins: own.tls_pins,
        proxy_from_environ: own.proxy_from_environ,
        step_limits,
        notes,
        ..draft
    };
    hide_password(&mut settings, &password_sources);
    Ok(settings)
}

/// The settings that are arguments of the call; none if something that cannot be absent is.
fn draft(arguments: &mut Arguments, directory: &Path) -> Option<Settings> {
    let master = master(arguments);
    let name = arguments.needed_text("name");
    let password = arguments.needed_text("passwd").map(Secret::new);
    let basedir = basedir(arguments, directory);
    let protocol = protocol(arguments);
    let proxy = arguments.text("proxy_connection_string").map(Secret::new);
    if let (Some(_), Some(MasterAddress::Endpoint(_))) = (&proxy, &master) {
        let text = "does not go together with a connection string; give host and port";
        arguments.wrong("proxy_connection_string", text);
    }
    let keepalive = arguments.seconds("keepalive", Some(Duration::from_secs(600)));
    let max_delay = arguments.seconds("maxdelay", None);
    let max_retries = arguments.number("maxRetries", 0, i64::MAX);
    let umask = arguments.number("umask", 0, 0o777);
    let cpus = arguments.number("numcpus", 1, i64::from(u32::MAX));
    let encoding = arguments.text("unicode_encoding");
    let path = arguments.text("path");
    let allow_shutdown = allow_shutdown(arguments);
    let delete_leftover_dirs = arguments.flag("delete_leftover_dirs");
    Some(Settings {
        directory: directory.to_owned(),
        basedir: basedir?,
        master: master?,
        proxy,
        protocol: protocol?,
        path,
        name: name?,
        password: password?,
        keepalive: keepalive.filter(|keepalive| !keepalive.is_zero()),
        max_delay,
        max_retries: max_retries.and_then(|number| u64::try_from(number).ok()),
        umask: umask.and_then(|number| u32::try_from(number).ok()),
        cpus: cpus.and_then(|number| u32::try_from(number).ok()),
        encoding,
        allow_shutdown,
        delete_leftover_dirs,
        log: log_target::LogTarget::Unset,
        environment: Vec::new(),
        told_environment: None,
        step_limits: ports::StepLimits::default(),
        tls_ca_file: None,
        tls_pins: Vec::new(),
        proxy_from_environ: false,
        notes: Vec::new(),
        startup: Startup::silent(),
    })
}

fn master(arguments: &mut Arguments) -> Option<MasterAddress> {
    let endpoint = arguments.text("connection_string");
    let tls = match arguments.flag("useTls") {
        Fact::Bool(yes) => yes,
        Fact::Int(number) => number != 0,
        Fact::Text(_) | Fact::Map(_) => false,
    };
    if let Some(endpoint) = endpoint {
        for name in ["buildmaster_host", "port"] {
            if arguments.is_given(name) {
                let text = "must be None where there is a connection_string";
                arguments.wrong(name, text);
            }
        }
        return Some(MasterAddress::Endpoint(Secret::new(endpoint)));
    }
    let host = arguments.needed_text("buildmaster_host");
    let port = arguments.port();
    Some(MasterAddress::Tcp {
        host: host?,
        port: port?,
        tls,
    })
}

fn basedir(arguments: &mut Arguments, directory: &Path) -> Option<PathBuf> {
    let text = arguments.needed_text("basedir")?;
    let here = directory.to_string_lossy();
    let absolute = tac::paths::absolute(&here, &text);
    // The directory may have a name that is no text; then this is still it.
    let basedir = if absolute == here {
        directory.to_owned()
    } else {
        PathBuf::from(absolute)
    };
    if !basedir.is_dir() {
        let text = format!("is {}, which is no directory", basedir.display());
        arguments.wrong("basedir", &text);
        return None;
    }
    if super::real_directory(&basedir) != directory {
        arguments.note(format!(
            "basedir is {}, as buildbot.tac says, and not {}, where it lies",
            basedir.display(),
            directory.display()
        ));
    }
    Some(basedir)
}

fn protocol(arguments: &mut Arguments) -> Option<Protocol> {
    match arguments.text("protocol").as_deref() {
        None | Some("pb") => Some(Protocol::Pb),
        Some("msgpack_experimental_v7") => Some(Protocol::MsgpackV7),
        Some(_) => {
            arguments.wrong("protocol", "must be 'pb' or 'msgpack_experimental_v7'");
            None
        }
    }
}

fn allow_shutdown(arguments: &mut Arguments) -> Option<AllowShutdown> {
    match arguments.text("allow_shutdown").as_deref() {
        None => None,
        Some("signal") => Some(AllowShutdown::Signal),
        Some("file") => Some(AllowShutdown::File),
        Some(_) => {
            arguments.wrong("allow_shutdown", "must be None, 'signal' or 'file'");
            None
        }
    }
}

/// Removes the variables that the password was read from: what steps print is public, and so is
/// what the master is told.
fn hide_password(settings: &mut Settings, sources: &[String]) {
    let password = settings.password.expose().to_owned();
    let mut hidden = Vec::new();
    settings.environment.retain(|(name, value)| {
        let is_source = sources
            .iter()
            .any(|source| name.as_os_str() == source.as_str());
        let holds = value.to_str().is_some_and(|value| {
            !value.is_empty() && (value.contains(&password) || password.contains(value))
        });
        let hide = is_source && holds;
        if hide {
            hidden.push(name.to_string_lossy().into_owned());
        }
        !hide
    });
    for name in hidden {
        settings.notes.push(format!(
            "the environment variable {name} holds the password; steps and master do not see it"
        ));
    }
}
