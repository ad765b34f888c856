//! The arguments of a call, evaluated.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::super::value::{Computed, Refusal, Value, raise, refuse};

/// An argument, evaluated.
pub struct Given {
    /// Its name, unless it is given by position.
    pub name: Option<String>,
    /// Its value.
    pub value: Value,
    /// The line that decided it: that of the assignment, if it is a name.
    pub line: u32,
    /// The environment variables that went into it.
    pub sources: BTreeSet<String>,
    /// Whether it is a `*` or `**` argument of which we do not know what is in it.
    pub spread: bool,
}

#[cfg(test)]
impl Given {
    /// An argument by position.
    pub fn position(value: Value) -> Self {
        Self {
            name: None,
            value,
            line: 1,
            sources: BTreeSet::new(),
            spread: false,
        }
    }

    /// An argument by name.
    pub fn keyword(name: &str, value: Value) -> Self {
        Self {
            name: Some(name.to_owned()),
            ..Self::position(value)
        }
    }
}

/// Arguments, found by place or name.
pub struct Arguments(Vec<Given>);

impl Arguments {
    /// Of a call.
    pub fn new(given: Vec<Given>) -> Self {
        Self(given)
    }

    /// All of them, in order.
    pub fn into_given(self) -> Vec<Given> {
        self.0
    }

    /// The argument at this place or of this name, if given.
    pub fn get(&self, place: usize, name: &str) -> Computed<Option<&Value>> {
        let mut positions = self.0.iter().filter(|given| given.name.is_none());
        let named = self
            .0
            .iter()
            .find(|given| given.name.as_deref() == Some(name));
        match named.or_else(|| positions.nth(place)) {
            None => Ok(None),
            Some(given) => match &given.value {
                Value::Unknown(unknown) => Err(Refusal::Unknown(Rc::clone(unknown))),
                _ if given.spread => refuse("`*` arguments are not supported here"),
                value => Ok(Some(value)),
            },
        }
    }

    /// The argument at this place.
    pub fn need(&self, place: usize, name: &str) -> Computed<&Value> {
        match self.get(place, name)? {
            Some(value) => Ok(value),
            None => raise("TypeError", "an argument is missing"),
        }
    }

    /// The argument at this place, which must be a text.
    pub fn text(&self, place: usize, name: &str) -> Computed<&str> {
        let value = self.need(place, name)?;
        match value.as_text() {
            Some(text) => Ok(text),
            None => raise("TypeError", format!("needs text, not {}", value.kind())),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}
