//! Puts a service where its system looks for it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::crontab;
use super::plan::{Plan, PlannedFile};
use crate::basedir;
use crate::cli::output::{complain, say};

impl Plan {
    /// Installs it, for the running system or below a directory that will be one.
    ///
    /// # Errors
    /// What kept it from that, and what to do.
    pub fn install(&self, destdir: Option<&Path>) -> Result<(), String> {
        match (&self.file, destdir) {
            (Some(file), Some(top)) => {
                self.write_files(file, top)?;
                for words in &self.enable {
                    say(&format!("to do on that system: {}", words.join(" ")));
                }
                return Ok(());
            }
            (Some(file), None) => {
                if !ports::is_superuser() {
                    let path = file.path.display();
                    return Err(format!(
                        "writing {path} needs root; run the same command as root, or without --install to see what it would write"
                    ));
                }
                self.write_files(file, Path::new("/"))?;
                for words in &self.enable {
                    run(words)?;
                }
            }
            (None, Some(_)) => {
                return Err(
                    "a crontab is no file to be put into an image; give the printed line to crontab(1) there"
                        .to_owned(),
                );
            }
            (None, None) => crontab::install(self)?,
        }
        self.tell_what_next();
        Ok(())
    }

    fn write_files(&self, file: &PlannedFile, top: &Path) -> Result<(), String> {
        let path = below(top, &file.path);
        if let Ok(present) = fs::read(&path) {
            // A service of the same name may be that of another directory.
            if !String::from_utf8_lossy(&present).contains(&self.mark) {
                let path = path.display();
                return Err(format!(
                    "{path} is there already and is not for {}; give this one another --name, or remove that one",
                    self.instance.basedir
                ));
            }
        }
        write(&path, file)?;
        match &self.switch {
            Some(switch) => write(&below(top, &switch.path), switch),
            None => Ok(()),
        }
    }

    fn tell_what_next(&self) {
        say(&format!(
            "the worker starts at the next boot; to start it now: {}",
            self.start
        ));
        let basedir = Path::new(&self.instance.basedir);
        if let Ok(Some(holder)) = basedir::holder(basedir) {
            let pid = holder.pid;
            let process = pid.map_or(String::new(), |pid| format!(", process {pid}"));
            complain(&format!(
                "a worker already runs in {}{process}; stop it before you start the service",
                self.instance.basedir
            ));
        }
    }
}

/// An absolute path, below another directory than the root.
fn below(top: &Path, path: &Path) -> PathBuf {
    top.join(path.strip_prefix("/").unwrap_or(path))
}

/// Writes a file in one step, with its mode, and says so.
fn write(path: &Path, file: &PlannedFile) -> Result<(), String> {
    let shown = path.display();
    if fs::read(path).is_ok_and(|present| present == file.text.as_bytes()) {
        say(&format!("{shown} is up to date"));
        return Ok(());
    }
    let written = match path.parent() {
        Some(parent) => fs::create_dir_all(parent),
        None => Ok(()),
    };
    written
        .and_then(|()| replace(path, file))
        .map_err(|error| format!("cannot write {shown}: {error}"))?;
    say(&format!("wrote {shown}"));
    Ok(())
}

fn replace(path: &Path, file: &PlannedFile) -> io::Result<()> {
    // Service managers skip names that begin with a dot.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.new"));
    let result = fs::write(&new, &file.text)
        .and_then(|()| ports::set_mode(&new, file.mode))
        .and_then(|()| fs::rename(&new, path));
    if result.is_err() {
        let _ = fs::remove_file(&new);
    }
    result
}

/// Runs a command, which prints for itself.
fn run(words: &[String]) -> Result<(), String> {
    let line = words.join(" ");
    let Some((program, rest)) = words.split_first() else {
        return Ok(());
    };
    let _ = io::stdout().flush();
    let status = Command::new(program).args(rest).status();
    match status {
        Ok(status) if status.success() => {
            say(&format!("ran {line}"));
            Ok(())
        }
        Ok(status) => Err(format!(
            "`{line}` failed ({status}); the file is written, enable it by hand"
        )),
        Err(error) => Err(format!(
            "cannot run `{line}`: {error}; the file is written, enable it by hand"
        )),
    }
}
