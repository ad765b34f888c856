//! `twistd.hostname`: which machine uses this directory (PROTOCOL 7.1).

use std::fs;

use log::{info, warn};

use super::settings::Settings;

/// Writes the name of this machine. That it cannot be written is no reason not to start.
pub fn record_hostname(settings: &Settings) {
    info!("recording hostname in twistd.hostname");
    let path = settings.basedir.join("twistd.hostname");
    if let Err(error) = fs::write(&path, format!("{}\n", ports::node_name())) {
        let why = ports::words_of(&error);
        warn!("cannot write {}: {why}", path.display());
    }
}
