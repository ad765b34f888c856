//! What lies in a base directory: `buildbot.tac`, the worker's description, the log, the lock.

mod arguments;
pub mod create;
mod facts;
mod hostname;
mod lock;
mod log_target;
pub mod logging;
mod name_pattern;
mod os_release;
mod own;
mod pid_file;
mod secret;
mod settings;
mod startup;
mod step_limits;
pub mod tac;
mod worker_file;

use std::path::{Path, PathBuf};

pub use create::{ADMIN as ADMIN_UNEDITED, HOST as HOST_UNEDITED};
pub use facts::{commands, facts, version};
pub use hostname::record_hostname;
pub use lock::{Holder, Lock, LockError, holder, lasting_holder};
pub use log_target::{LogTarget, Rotation};
pub use os_release::read as os_release;
pub use pid_file::{Named, PidFile, named, remove_stale};
pub use secret::Secret;
pub use settings::{AllowShutdown, MasterAddress, Protocol, Settings, read, read_with};
pub use startup::{Following, Startup, Verdict};
pub use worker_file::{ReadError, worker_file};

/// A directory's own absolute path, without symbolic links; as given if that cannot be found out.
fn real_directory(directory: &Path) -> PathBuf {
    std::fs::canonicalize(directory).unwrap_or_else(|_| {
        let absolute = std::path::absolute(directory);
        absolute.unwrap_or_else(|_| directory.to_owned())
    })
}

/// A new, empty directory for a test.
#[cfg(test)]
fn test_directory(name: &str) -> PathBuf {
    let name = format!("coracle-{name}-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory for the test");
    path.canonicalize().expect("a directory for the test")
}
