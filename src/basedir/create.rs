//! Makes a base directory: `buildbot.tac`, `info/` (PROTOCOL 7.1 to 7.3).

mod template;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::secret::Secret;

/// A number as somebody typed it, valid in Python: `None`, `0`, a decimal without leading zero, or
/// `0o` and octal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed(String);

impl Typed {
    /// Takes what was typed, if it is valid.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let octal =
            |text: &str| !text.is_empty() && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
        let valid = text == "None"
            || text == "0"
            || digits(text) && !text.starts_with('0')
            || text.strip_prefix("0o").is_some_and(octal);
        valid.then(|| Typed(text.to_owned()))
    }

    /// `None`.
    pub fn none() -> Self {
        Typed("None".to_owned())
    }
}

/// The master that a new worker is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMaster {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// What a new base directory is made of.
#[derive(Debug, Clone)]
pub struct NewWorker {
    /// The directory, absolute.
    pub basedir: PathBuf,
    /// The file names its own directory instead of a path.
    pub relocatable: bool,
    /// The master.
    pub master: NewMaster,
    /// The worker's name.
    pub name: String,
    /// Its password.
    pub password: Secret,
    /// Bytes at which the log is put aside, and how many old ones are kept; none for no log block.
    pub log: Option<(i64, Typed)>,
    /// Seconds.
    pub keepalive: i64,
    /// Permission bits that new files do not get.
    pub umask: Typed,
    /// Seconds.
    pub max_delay: i64,
    /// How many processors are reported.
    pub cpus: Typed,
    /// `signal` or `file`.
    pub allow_shutdown: Option<String>,
    /// How many failed attempts to connect end the worker.
    pub max_retries: Typed,
    /// Whether to use TLS.
    pub tls: bool,
    /// Whether unused directories are deleted.
    pub delete_leftover_dirs: bool,
    /// A Twisted endpoint instead of host and port.
    pub connection_string: Option<String>,
    /// A Twisted endpoint of a proxy.
    pub proxy: Option<String>,
    /// `pb` or `msgpack_experimental_v7`; checked at the start only.
    pub protocol: String,
}

/// Why a directory was not made.
#[derive(Debug)]
pub struct CreateError {
    /// What was done: `make directory`, `write`.
    doing: &'static str,
    path: PathBuf,
    error: io::Error,
}

impl std::fmt::Display for CreateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let why = ports::words_of(&self.error);
        write!(f, "cannot {} {}: {why}", self.doing, self.path.display())
    }
}

impl std::error::Error for CreateError {}

/// Makes the directory, or adds what is missing to one that is there; nothing that is there is
/// changed. `say` gets each line that tells what is done.
///
/// # Errors
/// The first thing that the system refused.
pub fn create(worker: &NewWorker, say: &mut dyn FnMut(&str)) -> Result<(), CreateError> {
    let shown = worker.basedir.display().to_string();
    if worker.basedir.is_dir() {
        say("updating existing installation");
    } else {
        say(&format!("mkdir {shown}"));
        make_directory(&worker.basedir)?;
    }
    write_tac(worker, say)?;
    let info = worker.basedir.join("info");
    if !info.is_dir() {
        say(&format!("mkdir {}", info.display()));
        make_directory(&info)?;
    }
    let mut created = false;
    for (name, text) in [("admin", ADMIN), ("host", HOST)] {
        let path = info.join(name);
        if !path.exists() {
            say(&format!(
                "Creating info/{name}, you need to edit it appropriately."
            ));
            fs::write(&path, text).map_err(failed("write", &path))?;
            created = true;
        }
    }
    if !info.join("access_uri").exists() {
        say("Not creating info/access_uri - add it if you wish");
    }
    if created {
        say(&format!(
            "Please edit the files in {} appropriately.",
            info.display()
        ));
    }
    Ok(())
}

/// What `info/admin` contains at first: existing workers and masters know it.
pub const ADMIN: &str = "Your Name Here <admin@youraddress.invalid>\n";
/// What `info/host` contains at first.
pub const HOST: &str = "Please put a description of this build host here\n";

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CreateError {
    let path = path.to_owned();
    move |error| CreateError { doing, path, error }
}

fn make_directory(path: &Path) -> Result<(), CreateError> {
    fs::create_dir(path).map_err(failed("make directory", path))
}

fn write_tac(worker: &NewWorker, say: &mut dyn FnMut(&str)) -> Result<(), CreateError> {
    let text = template::tac(worker);
    let path = worker.basedir.join("buildbot.tac");
    let known = match fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed("read", &path)(error)),
    };
    match known {
        None => write_secret(&path, &text),
        Some(bytes) if bytes == text.as_bytes() => {
            say("buildbot.tac already exists and is correct");
            Ok(())
        }
        Some(_) => {
            say("not touching existing buildbot.tac");
            say("creating buildbot.tac.new instead");
            write_secret(&worker.basedir.join("buildbot.tac.new"), &text)
        }
    }
}

/// Writes a file that nobody else may read, not even for a moment.
fn write_secret(path: &Path, text: &str) -> Result<(), CreateError> {
    let doing = "write";
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(doing, path)(error)),
    }
    ports::create_private(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(failed(doing, path))
}

#[cfg(test)]
mod tests;
