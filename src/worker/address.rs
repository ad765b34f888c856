//! Which address the settings mean.

use super::WorkerError;
use crate::basedir::{MasterAddress, Protocol, Settings};
use crate::session::msgpack::is_path;

/// Where the master listens.
#[derive(Debug, Clone)]
pub struct Address {
    /// Name or address.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
}

/// The address to dial.
///
/// # Errors
/// The settings ask for a way to the master that this program does not have.
pub fn address(settings: &Settings) -> Result<Address, WorkerError> {
    let lacks = |what: &str| {
        Err(WorkerError::Settings(format!(
            "{what}; this version reaches a master over plain TCP only: give buildmaster_host and \
             port"
        )))
    };
    match settings.protocol {
        Protocol::Pb => {}
        Protocol::MsgpackV7 => msgpack_settings(settings)?,
    }
    if settings.proxy.is_some() {
        return lacks("proxy_connection_string is set");
    }
    match &settings.master {
        MasterAddress::Tcp {
            host,
            port,
            tls: false,
        } => Ok(Address {
            host: host.clone(),
            port: *port,
        }),
        MasterAddress::Tcp { tls: true, .. } => lacks("use_tls is set"),
        MasterAddress::Endpoint(_) => lacks("connection_string is set"),
    }
}

/// What only MessagePack is particular about.
fn msgpack_settings(settings: &Settings) -> Result<(), WorkerError> {
    let wrong = |what: &str| Err(WorkerError::Settings(what.to_owned()));
    if settings.name.contains(':') {
        return wrong(
            "the worker's name must not contain ':' with protocol 'msgpack_experimental_v7'",
        );
    }
    if settings.path.as_deref().is_some_and(|path| !is_path(path)) {
        return wrong(
            "path must begin with '/' and have neither spaces nor letters outside ASCII; write \
             others as %XX",
        );
    }
    Ok(())
}
