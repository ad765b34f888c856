//! Which way to the master the settings mean.

use std::path::PathBuf;

use log::{info, warn};

use super::WorkerError;
use crate::basedir::{MasterAddress, Protocol, Settings};
use crate::link::endpoint::{self, Endpoint, Pin, ProxyVariables, SystemRoots, Tls};
use crate::link::{TLS_IS_BUILT_IN, TlsError};
use crate::session::msgpack::is_path;

/// The way to the master.
///
/// # Errors
/// The settings ask for a way that this program does not have, or that nobody can have.
pub fn address(settings: &Settings) -> Result<Endpoint, WorkerError> {
    match settings.protocol {
        Protocol::Pb => {}
        Protocol::MsgpackV7 => msgpack_settings(settings)?,
    }
    let mut endpoint = match &settings.master {
        MasterAddress::Tcp { host, port, tls } => {
            if host.contains(|sign: char| sign.is_whitespace() || sign.is_control()) {
                return wrong(format!("buildmaster_host {host:?} is no name of a host"));
            }
            let endpoint = Endpoint::tcp(host, *port);
            if *tls { endpoint.with_tls() } else { endpoint }
        }
        MasterAddress::Endpoint(text) => endpoint::master(text.expose())
            .or_else(|error| wrong(format!("connection_string is wrong {error}")))?,
    };
    if let Some(text) = &settings.proxy {
        let (proxy, way) = endpoint::proxy(text.expose())
            .or_else(|error| wrong(format!("proxy_connection_string is wrong {error}")))?;
        endpoint = endpoint.through(proxy, way);
    } else if settings.proxy_from_environ && endpoint.proxy.is_none() {
        endpoint = through_environment(settings, endpoint)?;
    }
    match &mut endpoint.tls {
        Some(_) if !TLS_IS_BUILT_IN => return wrong(TlsError::LeftOut.to_string()),
        Some(tls) => complete(tls, settings)?,
        None if settings.tls_ca_file.is_some() || !settings.tls_pins.is_empty() => {
            warn!("tls_ca_file and tls_pin_sha256 have no effect: the connection is without TLS");
        }
        None => {}
    }
    Ok(endpoint)
}

/// The master's host and port, as far as the settings can be understood.
pub fn place(settings: &Settings) -> String {
    match &settings.master {
        MasterAddress::Tcp { .. } => settings.master.to_string(),
        MasterAddress::Endpoint(text) => endpoint::master(text.expose()).map_or_else(
            |_| "its address".to_owned(),
            |endpoint| endpoint.master.to_string(),
        ),
    }
}

fn wrong<T>(what: String) -> Result<T, WorkerError> {
    Err(WorkerError::Settings(what))
}

fn variable(settings: &Settings, name: &str) -> Option<String> {
    let found = settings.environment.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.to_string_lossy().into_owned())
}

fn through_environment(settings: &Settings, endpoint: Endpoint) -> Result<Endpoint, WorkerError> {
    let found = endpoint::from_environment(&endpoint.master, |name| variable(settings, name));
    match found {
        Ok(ProxyVariables::Direct) => Ok(endpoint),
        Ok(ProxyVariables::Through(proxy, name)) => {
            info!("{name} in the environment names {proxy}");
            let way = endpoint.way.clone();
            Ok(endpoint.through(proxy, way))
        }
        Err((name, error)) => wrong(format!("{name} in the environment is wrong {error}")),
    }
}

/// What the settings and the system have for TLS.
fn complete(tls: &mut Tls, settings: &Settings) -> Result<(), WorkerError> {
    match (&settings.tls_ca_file, &tls.trust) {
        (Some(_), Some(_)) => {
            return wrong(
                "tls_ca_file and trustRoots in connection_string both name whom to trust; give one"
                    .to_owned(),
            );
        }
        (Some(file), None) => tls.trust = Some(file.clone()),
        (None, _) => {}
    }
    for text in &settings.tls_pins {
        let Some(pin) = Pin::parse(text) else {
            return wrong(
                "tls_pin_sha256 must be the SHA-256 of the master's public key, in base64 or as 64 \
                 hexadecimal digits"
                    .to_owned(),
            );
        };
        tls.pins.push(pin);
    }
    tls.system = system_roots(
        variable(settings, "SSL_CERT_FILE"),
        variable(settings, "SSL_CERT_DIR"),
    );
    Ok(())
}

/// As OpenSSL has it: the variables stand in for the system's places.
fn system_roots(file: Option<String>, directories: Option<String>) -> SystemRoots {
    let set = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.is_empty());
    if set(&file) || set(&directories) {
        return SystemRoots {
            files: file
                .into_iter()
                .filter(|file| !file.is_empty())
                .map(PathBuf::from)
                .collect(),
            directories: directories
                .map(|list| std::env::split_paths(&list).collect())
                .unwrap_or_default(),
            named: true,
        };
    }
    let paths = |list: &[&str]| list.iter().map(PathBuf::from).collect();
    let places = ports::root_certificates();
    SystemRoots {
        files: paths(places.files),
        directories: paths(places.directories),
        named: false,
    }
}

/// What only MessagePack is particular about.
fn msgpack_settings(settings: &Settings) -> Result<(), WorkerError> {
    if settings.name.contains(':') {
        return wrong(
            "the worker's name must not contain ':' with protocol 'msgpack_experimental_v7'"
                .to_owned(),
        );
    }
    if settings.path.as_deref().is_some_and(|path| !is_path(path)) {
        return wrong(
            "path must begin with '/' and have neither spaces nor letters outside ASCII; write \
             others as %XX"
                .to_owned(),
        );
    }
    Ok(())
}
