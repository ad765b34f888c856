//! Names, files and their attributes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{Found, Tried, Try};

/// Kinds of files in `st_mode` (POSIX, sys/stat.h).
const KIND: u32 = 0o170_000;
const LINK: u32 = 0o120_000;
const PIPE: u32 = 0o010_000;

pub(super) const TRIES: &[Try] = &[
    Try {
        name: "name_bytes, name_from_bytes",
        see: "pathname(7)",
        needed: true,
        look: names,
    },
    Try {
        name: "create_private, save, stat",
        see: "open(2), fdatasync(2), stat(2)",
        needed: true,
        look: private,
    },
    Try {
        name: "set_mode",
        see: "chmod(2)",
        needed: true,
        look: mode,
    },
    Try {
        name: "make_link",
        see: "symlink(2)",
        needed: false,
        look: link,
    },
    Try {
        name: "make_node",
        see: "mkfifo(2)",
        needed: false,
        look: node,
    },
    Try {
        name: "copy_attributes",
        see: "utimensat(2), lchown(2)",
        needed: true,
        look: attributes,
    },
    Try {
        name: "lock_file, is_locked, lock_holder",
        see: "flock(2), fcntl(2)",
        needed: false,
        look: lock,
    },
];

fn fresh(directory: &Path, name: &str) -> Result<PathBuf, String> {
    let path = directory.join(name);
    fs::write(&path, name).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

fn stat(path: &Path) -> Result<ports::FileStat, String> {
    ports::stat(path, false).map_err(|error| format!("stat: {error}"))
}

fn names(directory: &Path) -> Tried {
    let bytes = b"odd-\xff-name".to_vec();
    let name = ports::name_from_bytes(bytes.clone());
    if *ports::name_bytes(&name) != *bytes {
        return Err("a name comes back as another".to_owned());
    }
    match File::create(directory.join(&name)) {
        Ok(_) => Ok(Found::works()),
        Err(error) => Ok(Found::Degraded(format!(
            "the file system refuses names that are not UTF-8: {error}"
        ))),
    }
}

fn private(directory: &Path) -> Tried {
    let path = directory.join("private");
    let file = ports::create_private(&path).map_err(|error| error.to_string())?;
    ports::save(&file).map_err(|error| format!("save: {error}"))?;
    let mode = stat(&path)?.mode & 0o777;
    if ports::create_private(&path).is_ok() {
        return Err("it is made a second time".to_owned());
    }
    match mode {
        0o600 => Ok(Found::works()),
        other => Ok(Found::Degraded(format!(
            "permissions {other:o} instead of 600"
        ))),
    }
}

fn mode(directory: &Path) -> Tried {
    let path = fresh(directory, "mode")?;
    ports::set_mode(&path, 0o751).map_err(|error| error.to_string())?;
    match stat(&path)?.mode & 0o7777 {
        0o751 => Ok(Found::works()),
        other => Ok(Found::Degraded(format!(
            "permissions {other:o} instead of 751"
        ))),
    }
}

fn link(directory: &Path) -> Tried {
    let path = directory.join("link");
    ports::make_link(Path::new("nowhere"), &path).map_err(|error| error.to_string())?;
    match stat(&path)?.mode & KIND {
        LINK => Ok(Found::works()),
        other => Err(format!("a file of kind {other:o} instead of a link")),
    }
}

fn node(directory: &Path) -> Tried {
    let mut model = stat(&fresh(directory, "model")?)?;
    model.mode = PIPE | 0o600;
    let path = directory.join("pipe");
    ports::make_node(&path, &model).map_err(|error| error.to_string())?;
    match stat(&path)?.mode & KIND {
        PIPE => Ok(Found::works()),
        other => Err(format!("a file of kind {other:o} instead of a named pipe")),
    }
}

fn attributes(directory: &Path) -> Tried {
    let path = fresh(directory, "attributes")?;
    let mut model = stat(&path)?;
    model.mode = (model.mode & KIND) | 0o640;
    model.modified = (1_000_000_000, 0);
    ports::copy_attributes(&path, &model).map_err(|error| error.to_string())?;
    let got = stat(&path)?;
    match (got.mode & 0o777, got.modified.0) {
        (0o640, 1_000_000_000) => Ok(Found::works()),
        (mode, time) => Ok(Found::Degraded(format!(
            "permissions {mode:o}, time {time}"
        ))),
    }
}

fn lock(directory: &Path) -> Tried {
    let path = fresh(directory, "lock")?;
    let open = || {
        File::options()
            .write(true)
            .open(&path)
            .map_err(|error| error.to_string())
    };
    let (first, second) = (open()?, open()?);
    let take = |file: &File| ports::lock_file(file).map_err(|error| error.to_string());
    if !take(&first)? {
        return Err("a lock that nobody has is refused".to_owned());
    }
    if take(&second)? {
        return Ok(Found::Degraded(format!(
            "two can have one lock in {}",
            directory.display()
        )));
    }
    if !ports::is_locked(&second).map_err(|error| error.to_string())? {
        return Err("a lock that somebody has counts as free".to_owned());
    }
    match ports::lock_holder(&second) {
        Some(pid) if pid == std::process::id() => Ok(Found::works()),
        Some(pid) => Err(format!(
            "process {pid} is said to have the lock of this one"
        )),
        None => Ok(Found::Works(
            "the system does not tell who has it".to_owned(),
        )),
    }
}
