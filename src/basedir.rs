//! What lies in a base directory: `buildbot.tac`, the worker's description, the log, the lock.

mod arguments;
mod glob;
mod log_target;
mod secret;
mod settings;
mod startup;
pub mod tac;

use std::io;
use std::path::{Path, PathBuf};

pub use log_target::{LogTarget, Rotation};
pub use secret::Secret;
pub use settings::{
    AllowShutdown, MasterAddress, Protocol, ReadError, Settings, read, read_with, worker_file,
};
pub use startup::Startup;

/// What the system said, as C programs print it.
fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => ports::error_text(number),
        None => error.to_string(),
    }
}

/// A directory's own absolute path, without symbolic links; as given if that cannot be found out.
fn real_directory(directory: &Path) -> PathBuf {
    std::fs::canonicalize(directory).unwrap_or_else(|_| {
        let absolute = std::path::absolute(directory);
        absolute.unwrap_or_else(|_| directory.to_owned())
    })
}
