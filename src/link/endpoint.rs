//! How to reach a master, as the administrator writes it: Twisted's client endpoint strings, and the
//! URLs of proxies. Nothing here touches the network.

mod arguments;
mod parse;
mod url;
mod words;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

pub use parse::{master, proxy};
pub use url::{ProxyVariables, from_environment};

/// How long one stage of the way to the master may take, unless a string says otherwise
/// (Twisted's default for an attempt).
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// How to reach a master: over TCP, perhaps through a proxy, perhaps with TLS inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The master. With a proxy, this is what the proxy is asked for.
    pub master: Authority,
    /// The socket that we open, to the master or to the proxy.
    pub way: Way,
    /// Who carries the bytes, if not the network alone.
    pub proxy: Option<Proxy>,
    /// How the master proves that it is the one; none for a connection in the clear.
    pub tls: Option<Tls>,
}

/// Host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Name or address, without brackets.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
}

/// Options of the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// How long each stage (connecting, asking the proxy, agreeing on TLS) may take.
    pub timeout: Duration,
    /// The local address to come from.
    pub bind: Option<IpAddr>,
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Where it is.
    pub at: Authority,
    /// Who we are to it.
    pub credentials: Option<Credentials>,
}

/// What a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyKind {
    /// HTTP with the method CONNECT (RFC 9110, section 9.3.6).
    Http,
    /// SOCKS version 5 (RFC 1928).
    Socks5,
}

/// A user's name and password. Neither is shown anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// What TLS is to check, and what to show the master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The name that the master's certificate must have.
    pub name: String,
    /// PEM file of our own certificate, with what it needs to be checked.
    pub certificate: Option<PathBuf>,
    /// PEM file of its private key; without one it lies in the certificate's file.
    pub private_key: Option<PathBuf>,
    /// PEM file or directory of PEM files: the only issuers to trust.
    pub trust: Option<PathBuf>,
    /// The issuers to trust otherwise.
    pub system: SystemRoots,
    /// SHA-256 of the public keys that a master may have. Without `trust`, this is all there is to
    /// check.
    pub pins: Vec<Pin>,
}

/// Where a system keeps the certificates that everybody trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemRoots {
    /// PEM files, of which the first with certificates is taken.
    pub files: Vec<PathBuf>,
    /// Directories of PEM files, for a system without such a file.
    pub directories: Vec<PathBuf>,
    /// Whether the administrator named them: then the built-in set is no substitute.
    pub named: bool,
}

/// SHA-256 of a public key (its SubjectPublicKeyInfo in DER, as in RFC 7469).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin(pub [u8; 32]);

/// What is wrong with a string, and where. Says nothing that could be a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointError {
    /// Counted in characters, from 1.
    pub at: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl Endpoint {
    /// To this host and port, in the clear.
    pub fn tcp(host: &str, port: u16) -> Endpoint {
        Endpoint {
            master: Authority::new(host, port),
            way: Way::default(),
            proxy: None,
            tls: None,
        }
    }

    /// The same with TLS, for the name of the host.
    pub fn with_tls(mut self) -> Endpoint {
        self.tls = Some(Tls::new(&self.master.host));
        self
    }

    /// The same through a proxy, whose socket has these options.
    pub fn through(mut self, proxy: Proxy, way: Way) -> Endpoint {
        (self.proxy, self.way) = (Some(proxy), way);
        self
    }
}

/// As a person would tell somebody else: `m:9989 with TLS through the proxy p:3128`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.master)?;
        if self.tls.is_some() {
            f.write_str(" with TLS")?;
        }
        match &self.proxy {
            Some(proxy) => write!(f, " through {proxy}"),
            None => Ok(()),
        }
    }
}

impl Authority {
    /// Of a host and a port.
    pub fn new(host: &str, port: u16) -> Authority {
        Authority {
            host: host.to_owned(),
            port,
        }
    }
}

/// `host:port`, with brackets around an IPv6 address.
impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Default for Way {
    fn default() -> Way {
        Way {
            timeout: TIMEOUT,
            bind: None,
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ProxyKind::Http => write!(f, "the proxy {}", self.at),
            ProxyKind::Socks5 => write!(f, "the SOCKS5 proxy {}", self.at),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(...)")
    }
}

impl Tls {
    /// With the system's roots and nothing special.
    pub fn new(name: &str) -> Tls {
        Tls {
            name: name.to_owned(),
            certificate: None,
            private_key: None,
            trust: None,
            system: SystemRoots::default(),
            pins: Vec::new(),
        }
    }
}

impl Pin {
    /// Reads base64 or hexadecimal digits (with or without colons), also after `sha256//` or
    /// `sha256:`.
    pub fn parse(text: &str) -> Option<Pin> {
        let text = text.trim();
        let digest = ["sha256//", "sha256/", "sha256:"]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix))
            .unwrap_or(text);
        let digits: String = digest.chars().filter(|&sign| sign != ':').collect();
        let bytes = match digits.len() {
            64 => hexadecimal(&digits)?,
            _ => STANDARD_NO_PAD.decode(digest.trim_end_matches('=')).ok()?,
        };
        bytes.try_into().ok().map(Pin)
    }
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let value = |sign: u8| char::from(sign).to_digit(16);
    digits
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::try_from(value(pair[0])? * 16 + value(pair[1])?).ok())
        .collect()
}

/// Base64, as other programs write such a pin.
impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.at, self.what)
    }
}

impl std::error::Error for EndpointError {}

#[cfg(test)]
mod tests;
