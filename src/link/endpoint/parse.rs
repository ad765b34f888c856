//! Endpoint strings of masters and proxies.
//!
//! The names of arguments are Twisted's: `tcp:`, `ssl:` and `tls:` take what they take there (`ssl:`
//! and `tls:` each other's names too). `http:` and `socks5:` are ours.

use std::path::PathBuf;

use super::arguments::{Arguments, without_brackets};
use super::words::{Word, words};
use super::{Authority, Credentials, Endpoint, EndpointError, Proxy, ProxyKind, Tls, Way, url};

const TCP: &[&str] = &["host", "port", "timeout", "bindAddress"];

/// `tls:` takes them in this order without names too (PROTOCOL 7.6).
const TLS: &[&str] = &[
    "host",
    "port",
    "timeout",
    "bindAddress",
    "certificate",
    "privateKey",
    "trustRoots",
    "endpoint",
    "certKey",
    "caCertsDir",
    "hostname",
];

const PROXY: &[&str] = &[
    "host",
    "port",
    "timeout",
    "bindAddress",
    "username",
    "password",
];

const PROXY_TO_MASTER: &[&str] = &[
    "host",
    "port",
    "timeout",
    "bindAddress",
    "username",
    "password",
    "to",
];

/// Reads a `connection_string`.
///
/// # Errors
/// What is wrong, and at which character.
pub fn master(text: &str) -> Result<Endpoint, EndpointError> {
    let (kind, at, rest) = kind(text)?;
    match kind.as_str() {
        "tcp" => {
            let mut arguments = Arguments::new(TCP, 2, rest)?;
            let (master, way) = (arguments.authority()?, arguments.way()?);
            Ok(Endpoint {
                master,
                way,
                proxy: None,
                tls: None,
            })
        }
        "tls" => tls(Arguments::new(TLS, 8, rest)?),
        "ssl" => tls(Arguments::new(TLS, 2, rest)?),
        "http" | "socks5" => {
            let mut arguments = Arguments::new(PROXY_TO_MASTER, 2, rest)?;
            let target = arguments.take("to").ok_or_else(|| EndpointError {
                at,
                what: format!(
                    "{kind}: names a proxy, and the master is missing: write it as \
                     to=HOST\\:PORT, or the proxy into proxy_connection_string and the master \
                     into buildmaster_host and port"
                ),
            })?;
            let master = target_of(&target)?;
            let (proxy, way) = proxy_of(kind_of_proxy(&kind), arguments)?;
            Ok(Endpoint {
                master,
                way,
                proxy: Some(proxy),
                tls: None,
            })
        }
        _ => Err(unknown(
            text,
            &kind,
            at,
            "tcp:, tls:, ssl:, socks5: and http:",
        )),
    }
}

/// Reads a `proxy_connection_string`: an endpoint, or a URL.
///
/// # Errors
/// What is wrong, and at which character.
pub fn proxy(text: &str) -> Result<(Proxy, Way), EndpointError> {
    if let Some(proxy) = url::proxy(text)? {
        return Ok((proxy, Way::default()));
    }
    let (kind, at, rest) = kind(text)?;
    match kind.as_str() {
        "tcp" | "http" | "socks5" => {
            proxy_of(kind_of_proxy(&kind), Arguments::new(PROXY, 2, rest)?)
        }
        "tls" | "ssl" => Err(EndpointError {
            at,
            what: "a proxy is reached without TLS (TLS with the master runs inside): use tcp: or \
                   socks5:"
                .to_owned(),
        }),
        _ => Err(unknown(text, &kind, at, "tcp:, http: and socks5:")),
    }
}

/// `tcp:` and `http:` mean a proxy that knows CONNECT.
fn kind_of_proxy(kind: &str) -> ProxyKind {
    match kind {
        "socks5" => ProxyKind::Socks5,
        _ => ProxyKind::Http,
    }
}

/// The type in small letters, where it stands, and the words behind it.
fn kind(text: &str) -> Result<(String, usize, Vec<Word>), EndpointError> {
    let mut words = words(text)?;
    let first = words.remove(0);
    if first.name.is_some() || words.is_empty() {
        return Err(EndpointError {
            at: first.at,
            what: "does not begin with a type and a colon, as in tcp:host=HOST:port=PORT"
                .to_owned(),
        });
    }
    Ok((first.value.to_lowercase(), first.at, words))
}

fn unknown(text: &str, kind: &str, at: usize, supported: &str) -> EndpointError {
    // A stray user:password@host must not be shown.
    let harmless = kind.len() <= 20
        && kind.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !text.contains('@');
    let shown = if harmless {
        format!("unknown type {kind}:")
    } else {
        "unknown type".to_owned()
    };
    EndpointError {
        at,
        what: format!("{shown}; coracle knows {supported}"),
    }
}

fn tls(mut arguments: Arguments) -> Result<Endpoint, EndpointError> {
    let master = arguments.authority()?;
    let way = arguments.way()?;
    let mut tls = Tls::new(&master.host);
    if let Some(name) = arguments.take("hostname") {
        tls.name = arguments.not_empty(&name)?;
    }
    let certificate = arguments.one_of("certificate", "certKey")?;
    tls.certificate = path(certificate)?;
    let key = arguments.take("privateKey");
    if let (Some(key), None) = (&key, &tls.certificate) {
        return Err(EndpointError {
            at: key.at,
            what: "privateKey without certificate".to_owned(),
        });
    }
    tls.private_key = path(key)?;
    tls.trust = path(arguments.one_of("trustRoots", "caCertsDir")?)?;
    let below = arguments.take("endpoint");
    let endpoint = Endpoint {
        master,
        way,
        proxy: None,
        tls: Some(tls),
    };
    match below {
        None => Ok(endpoint),
        Some(word) => inside(endpoint, &word),
    }
}

/// `endpoint=`: what TLS runs in, instead of a connection to its host. Twisted takes timeout and local
/// address from there too.
fn inside(endpoint: Endpoint, word: &Word) -> Result<Endpoint, EndpointError> {
    let placed = |error: EndpointError| EndpointError {
        at: word.value_at,
        what: format!("in endpoint, {error}"),
    };
    let (kind, at, rest) = kind(&word.value).map_err(placed)?;
    match kind.as_str() {
        "tcp" => {
            let below = master(&word.value).map_err(placed)?;
            Ok(Endpoint {
                master: below.master,
                way: below.way,
                ..endpoint
            })
        }
        "http" | "socks5" => {
            let mut arguments = Arguments::new(PROXY_TO_MASTER, 2, rest).map_err(placed)?;
            let target = arguments.take("to");
            let target = target.map(|target| target_of(&target).map_err(placed));
            let (proxy, way) = proxy_of(kind_of_proxy(&kind), arguments).map_err(placed)?;
            let master = target.transpose()?.unwrap_or(endpoint.master.clone());
            Ok(Endpoint { master, ..endpoint }.through(proxy, way))
        }
        _ => Err(placed(unknown(
            &word.value,
            &kind,
            at,
            "tcp:, socks5: and http: there",
        ))),
    }
}

fn proxy_of(kind: ProxyKind, mut arguments: Arguments) -> Result<(Proxy, Way), EndpointError> {
    let mut at = arguments.authority()?;
    let mut credentials = None;
    if let Some((user, host)) = at.host.rsplit_once('@') {
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        credentials = Some(Credentials {
            user: user.to_owned(),
            password: password.to_owned(),
        });
        at.host = without_brackets(host).to_owned();
    }
    if let Some(user) = arguments.take("username") {
        credentials = Some(Credentials {
            user: user.value,
            password: String::new(),
        });
    }
    if let Some(password) = arguments.take("password") {
        match &mut credentials {
            Some(credentials) => credentials.password = password.value,
            None => {
                return Err(EndpointError {
                    at: password.at,
                    what: "password without username".to_owned(),
                });
            }
        }
    }
    let way = arguments.way()?;
    let proxy = Proxy {
        kind,
        at,
        credentials,
    };
    Ok((proxy, way))
}

/// `to=HOST\:PORT`.
fn target_of(word: &Word) -> Result<Authority, EndpointError> {
    let wrong = || EndpointError {
        at: word.value_at,
        what: "to must be HOST\\:PORT".to_owned(),
    };
    let (host, port) = word.value.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().ok().filter(|port| *port > 0);
    let host = without_brackets(host);
    if host.is_empty() {
        return Err(wrong());
    }
    Ok(Authority::new(host, port.ok_or_else(wrong)?))
}

fn path(word: Option<Word>) -> Result<Option<PathBuf>, EndpointError> {
    match word {
        None => Ok(None),
        Some(word) if word.value.is_empty() => Err(EndpointError {
            at: word.value_at,
            what: "an empty path".to_owned(),
        }),
        Some(word) => Ok(Some(PathBuf::from(word.value))),
    }
}
