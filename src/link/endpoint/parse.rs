//! Endpoint strings of masters and proxies.
//!
//! The names of arguments are Twisted's: `tcp:`, `ssl:` and `tls:` take what they take there (`ssl:`
//! and `tls:` each other's names too). `http:` and `socks5:` are ours.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

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

/// Longest time that a stage may be given, in seconds: a day.
const LONGEST: u64 = 86_400;

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

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

/// The arguments of a type, by name.
struct Arguments {
    given: Vec<(&'static str, Word)>,
    /// Where the string ends: that is where something is missing.
    end: usize,
}

impl Arguments {
    /// The first `positions` of the known names may be left out: then the words go to those of them
    /// that are not given by name, in order.
    fn new(
        known: &'static [&'static str],
        positions: usize,
        words: Vec<Word>,
    ) -> Result<Arguments, EndpointError> {
        let end = words
            .last()
            .map_or(1, |last| last.value_at + last.value.chars().count());
        let named: Vec<Option<&str>> = words.iter().map(|word| word.name.as_deref()).collect();
        let mut places = known
            .iter()
            .take(positions)
            .filter(|place| !named.contains(&Some(place)));
        let places: Vec<&'static str> = places.by_ref().copied().collect();
        let mut places = places.into_iter();
        let mut given: Vec<(&'static str, Word)> = Vec::new();
        for word in words {
            let at = word.at;
            let wrong = |what: String| EndpointError { at, what };
            let name = match &word.name {
                Some(name) => known.iter().copied().find(|known| known == name).ok_or_else(|| {
                    wrong(format!("unknown argument; known are {}", known.join(", ")))
                })?,
                None => places.next().ok_or_else(|| {
                    wrong("more than host and port; the rest is given as name=value, and a colon in a value as \\:".to_owned())
                })?,
            };
            if given.iter().any(|(other, _)| *other == name) {
                return Err(wrong(format!("{name} is given twice")));
            }
            given.push((name, word));
        }
        Ok(Arguments { given, end })
    }

    fn take(&mut self, name: &str) -> Option<Word> {
        let place = self.given.iter().position(|(known, _)| *known == name)?;
        Some(self.given.remove(place).1)
    }

    fn one_of(&mut self, name: &str, other: &str) -> Result<Option<Word>, EndpointError> {
        match (self.take(name), self.take(other)) {
            (Some(_), Some(word)) => Err(EndpointError {
                at: word.at,
                what: format!("{other} is another word for {name}, which is given too"),
            }),
            (one, another) => Ok(one.or(another)),
        }
    }

    fn not_empty(&self, word: &Word) -> Result<String, EndpointError> {
        let value = without_brackets(&word.value);
        if value.is_empty() || value.contains(char::is_whitespace) {
            return Err(EndpointError {
                at: word.value_at,
                what: "needs the name or address of a host".to_owned(),
            });
        }
        Ok(value.to_owned())
    }

    fn authority(&mut self) -> Result<Authority, EndpointError> {
        let missing = |what: &str| EndpointError {
            at: self.end,
            what: format!("{what} is missing"),
        };
        let (no_host, no_port) = (missing("host"), missing("port"));
        let host = self.take("host").ok_or(no_host)?;
        let host = self.not_empty(&host)?;
        let port = self.take("port").ok_or(no_port)?;
        let number = port.value.parse().ok().filter(|port| *port > 0);
        let port = number.ok_or_else(|| EndpointError {
            at: port.value_at,
            what: "port must be a number from 1 to 65535".to_owned(),
        })?;
        Ok(Authority { host, port })
    }

    fn way(&mut self) -> Result<Way, EndpointError> {
        let mut way = Way::default();
        if let Some(word) = self.take("timeout") {
            let seconds = word.value.parse().ok();
            let seconds = seconds.filter(|seconds| (1..=LONGEST).contains(seconds));
            let seconds = seconds.ok_or_else(|| EndpointError {
                at: word.value_at,
                what: format!("timeout must be whole seconds, 1 to {LONGEST}"),
            })?;
            way.timeout = Duration::from_secs(seconds);
        }
        if let Some(word) = self.take("bindAddress") {
            let address: Option<IpAddr> = without_brackets(&word.value).parse().ok();
            let address = address.ok_or_else(|| EndpointError {
                at: word.value_at,
                what: "bindAddress must be an IP address of this machine".to_owned(),
            })?;
            way.bind = Some(address);
        }
        Ok(way)
    }
}
