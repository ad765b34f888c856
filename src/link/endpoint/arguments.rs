//! The arguments of an endpoint string, by name, and those that several types take.

use std::net::IpAddr;
use std::time::Duration;

use super::words::Word;
use super::{Authority, EndpointError, Way};

/// Longest time that a stage may be given, in seconds: a day.
const LONGEST: u64 = 86_400;

/// The arguments of a type, by name.
pub struct Arguments {
    given: Vec<(&'static str, Word)>,
    /// Where the string ends: that is where something is missing.
    end: usize,
}

impl Arguments {
    /// The first `positions` of the known names may be left out: then the words go to those of them
    /// that are not given by name, in order.
    pub fn new(
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

    /// One of them, if it is given.
    pub fn take(&mut self, name: &str) -> Option<Word> {
        let place = self.given.iter().position(|(known, _)| *known == name)?;
        Some(self.given.remove(place).1)
    }

    /// One that has two names.
    pub fn one_of(&mut self, name: &str, other: &str) -> Result<Option<Word>, EndpointError> {
        match (self.take(name), self.take(other)) {
            (Some(_), Some(word)) => Err(EndpointError {
                at: word.at,
                what: format!("{other} is another word for {name}, which is given too"),
            }),
            (one, another) => Ok(one.or(another)),
        }
    }

    /// The name or address of a host.
    pub fn not_empty(&self, word: &Word) -> Result<String, EndpointError> {
        let value = without_brackets(&word.value);
        if value.is_empty() || value.contains(char::is_whitespace) {
            return Err(EndpointError {
                at: word.value_at,
                what: "needs the name or address of a host".to_owned(),
            });
        }
        Ok(value.to_owned())
    }

    /// Host and port, which nobody can do without.
    pub fn authority(&mut self) -> Result<Authority, EndpointError> {
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

    /// Options of the socket.
    pub fn way(&mut self) -> Result<Way, EndpointError> {
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

/// An IPv6 address without its brackets.
pub fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}
