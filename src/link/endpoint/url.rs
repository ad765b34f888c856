//! Proxies as URLs, and the environment variables that hold them.

use super::{Authority, Credentials, EndpointError, Proxy, ProxyKind};

/// The variables that programs look for, those for one scheme before those for all. The ones in small
/// letters come first, as with curl.
const VARIABLES: &[&str] = &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// What the variables say for a master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyVariables {
    /// Nothing is set, or `no_proxy` names the master.
    Direct,
    /// To go through this proxy, named by that variable.
    Through(Proxy, &'static str),
}

/// Reads the usual variables. `variable` returns the value of one.
///
/// # Errors
/// The variable, and what is wrong with it.
pub fn from_environment(
    master: &Authority,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<ProxyVariables, (&'static str, EndpointError)> {
    let value = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let exempt = value("no_proxy").or_else(|| value("NO_PROXY"));
    if exempt.is_some_and(|list| is_exempt(&list, master)) {
        return Ok(ProxyVariables::Direct);
    }
    for name in VARIABLES {
        let Some(text) = value(name) else { continue };
        let text = text.trim();
        let with_scheme = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let added = with_scheme.len() - text.len();
        let placed = |error: EndpointError| EndpointError {
            at: error.at.saturating_sub(added).max(1),
            ..error
        };
        let found = proxy(&with_scheme).map_err(|error| (*name, placed(error)))?;
        if let Some(proxy) = found {
            return Ok(ProxyVariables::Through(proxy, name));
        }
    }
    Ok(ProxyVariables::Direct)
}

/// Whether a `no_proxy` list names the master: `*`, a host, a domain with all below it, each perhaps
/// with a port.
fn is_exempt(list: &str, master: &Authority) -> bool {
    let host = master.host.trim_end_matches('.').to_lowercase();
    list.split([',', ' ']).map(str::trim).any(|entry| {
        let entry = entry.to_lowercase();
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
            _ => (entry.as_str(), None),
        };
        if port.is_some_and(|port| port != master.port.to_string()) {
            return false;
        }
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let name = name.trim_start_matches("*.").trim_start_matches('.');
        let name = name.trim_end_matches('.');
        name == "*"
            || !name.is_empty()
                && host
                    .strip_suffix(name)
                    .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

/// A proxy's URL: `http://user:password@host:port`; none if this is no URL.
pub fn proxy(text: &str) -> Result<Option<Proxy>, EndpointError> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok(None);
    };
    let after_scheme = scheme.chars().count() + 4;
    let wrong = |what: &str| EndpointError {
        at: after_scheme,
        what: what.to_owned(),
    };
    let (kind, default_port) = match scheme.to_lowercase().as_str() {
        "http" => (ProxyKind::Http, 80),
        "socks5" | "socks5h" => (ProxyKind::Socks5, 1080),
        _ => {
            return Err(EndpointError {
                at: 1,
                what: "a proxy's URL begins with http://, socks5:// or socks5h://".to_owned(),
            });
        }
    };
    let rest = rest.trim_end_matches('/');
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, rest),
    };
    if place.contains(['/', '?', '#']) {
        return Err(wrong("a proxy's URL ends with the port"));
    }
    let credentials = match user {
        None => None,
        Some(user) => {
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            let plain = |text| {
                decoded(text).ok_or_else(|| {
                    wrong("a % is not followed by two hexadecimal digits; a % itself is %25")
                })
            };
            Some(Credentials {
                user: plain(user)?,
                password: plain(password)?,
            })
        }
    };
    let (host, port) = match place.strip_prefix('[') {
        Some(v6) => match v6.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, after)) => (host, Some(after.strip_prefix(':').unwrap_or("-"))),
            None => return Err(wrong("the bracket is not closed")),
        },
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err(wrong("the proxy's host is missing"));
    }
    let port = match port {
        None => default_port,
        Some(port) => port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| wrong("the proxy's port must be a number from 1 to 65535"))?,
    };
    Ok(Some(Proxy {
        kind,
        at: Authority::new(host, port),
        credentials,
    }))
}

/// Without percent signs; none if one is not followed by two digits, or the result is no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}
