//! Takes arguments of a certain type out of a dictionary.

use super::{Dialect, bad};
use crate::calls::{Failure, FailureKind, Seconds};
use crate::wire::jelly::Value;

/// The arguments of a command. Each can be taken once.
pub(super) struct Arguments {
    dialect: Dialect,
    pairs: Vec<(String, Value)>,
}

impl Arguments {
    /// From the value that a master sent.
    ///
    /// # Errors
    /// It is no dictionary, or has keys that are no texts.
    pub(super) fn new(dialect: Dialect, args: Value) -> Result<Arguments, Failure> {
        let Value::Dict(pairs) = args else {
            return Err(bad(format!(
                "the arguments must be a dictionary, not {args}"
            )));
        };
        pairs
            .into_iter()
            .map(|(name, value)| Ok((name.into_text()?, value)))
            .collect::<Result<_, Value>>()
            .map(|pairs| Arguments { dialect, pairs })
            .map_err(|name| bad(format!("{name} is the name of an argument")))
    }

    /// In which words they are.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Takes an argument, None included. As in Python, the last of several counts.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let index = self.pairs.iter().rposition(|(other, _)| other == name)?;
        Some(self.pairs.remove(index).1)
    }

    /// Takes an argument that is not None.
    pub(super) fn given(&mut self, name: &str) -> Option<Value> {
        self.take(name).filter(|value| *value != Value::None)
    }

    /// Whether there is such an argument, other than None.
    pub(super) fn has(&self, name: &str) -> bool {
        self.pairs
            .iter()
            .any(|(other, value)| other == name && *value != Value::None)
    }

    /// Makes sure that there are these arguments.
    ///
    /// # Errors
    /// All that are missing, as the Python worker says it (PROTOCOL 4.6).
    pub(super) fn need(&self, class: &str, names: &[&str]) -> Result<(), Failure> {
        let missing: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| !self.has(name))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(bad(format!(
            "{class} is missing args: {}",
            missing.join(", ")
        )))
    }

    /// Makes sure that there is this argument, be it None.
    ///
    /// # Errors
    /// It is missing.
    pub(super) fn need_key(&self, name: &str) -> Result<(), Failure> {
        if self.pairs.iter().any(|(other, _)| other == name) {
            return Ok(());
        }
        Err(missing(name))
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        self.given(name)
            .map(|value| {
                value
                    .into_text()
                    .map_err(|value| unfit(name, "a text", &value))
            })
            .transpose()
    }

    /// A text that has to be there.
    pub(super) fn required_text(&mut self, name: &str) -> Result<String, Failure> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// A text or a list of texts that has to be there.
    pub(super) fn required_texts(&mut self, name: &str) -> Result<Vec<String>, Failure> {
        match self.given(name) {
            None => Err(missing(name)),
            Some(Value::List(values) | Value::Tuple(values)) => values
                .into_iter()
                .map(|value| shown_text(value).map_err(|value| unfit(name, "texts", &value)))
                .collect(),
            Some(value) => value
                .into_text()
                .map(|text| vec![text])
                .map_err(|value| unfit(name, "a text or a list of texts", &value)),
        }
    }

    /// A boolean, or a number in its place.
    pub(super) fn flag(&mut self, name: &str, default: bool) -> Result<bool, Failure> {
        match self.given(name) {
            None => Ok(default),
            Some(Value::Bool(value)) => Ok(value),
            Some(Value::Int(value)) => Ok(value != 0),
            Some(Value::Float(value)) => Ok(value != 0.0),
            Some(other) => Err(unfit(name, "True or False", &other)),
        }
    }

    /// A whole number; a fraction is cut off.
    pub(super) fn int(&mut self, name: &str) -> Result<Option<i64>, Failure> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Int(value)) => Ok(Some(value)),
            Some(Value::Bool(value)) => Ok(Some(i64::from(value))),
            // The cast saturates; nobody means a number out of its range.
            Some(Value::Float(value)) if !value.is_nan() => Ok(Some(value as i64)),
            Some(other) => Err(unfit(name, "a whole number", &other)),
        }
    }

    /// A number of seconds. Absent means `default`; None means none.
    pub(super) fn number(
        &mut self,
        name: &str,
        default: Option<Seconds>,
    ) -> Result<Option<Seconds>, Failure> {
        let seconds = match self.take(name) {
            None => return Ok(default),
            Some(Value::None) => return Ok(None),
            Some(Value::Int(value)) => Seconds::Int(value),
            Some(Value::Bool(value)) => Seconds::Int(i64::from(value)),
            Some(Value::Float(value)) if !value.is_nan() => Seconds::Float(value),
            Some(other) => return Err(unfit(name, "a number of seconds", &other)),
        };
        if seconds.value() < 0.0 {
            return Err(bad(format!(
                "argument '{name}' must not be negative, but is {seconds}"
            )));
        }
        // For ever is no limit.
        Ok(Some(seconds).filter(|seconds| seconds.value().is_finite()))
    }

    /// A limit in seconds: like [`Arguments::number`], and 0 means none as well.
    pub(super) fn seconds(
        &mut self,
        name: &str,
        default: Option<Seconds>,
    ) -> Result<Option<Seconds>, Failure> {
        let seconds = self.number(name, default)?;
        Ok(seconds.filter(|seconds| seconds.value() != 0.0))
    }

    /// A reference to an object of the master.
    pub(super) fn reference(&mut self, name: &str) -> Result<i64, Failure> {
        match self.given(name) {
            None => Err(missing(name)),
            Some(Value::Remote(luid)) => Ok(luid),
            Some(other) => Err(unfit(name, "a reference", &other)),
        }
    }
}

/// The failure for an argument that is not there, as the Python worker says it (PROTOCOL 4.6).
pub(super) fn missing(name: &str) -> Failure {
    Failure {
        kind: FailureKind::MissingArgument,
        message: format!("'{name}'"),
    }
}

/// The failure for an argument of the wrong type.
pub(super) fn unfit(name: &str, expected: &str, got: &Value) -> Failure {
    bad(format!("argument '{name}' must be {expected}, not {got}"))
}

/// A text, or what Python's `str` makes of a simple value.
///
/// # Errors
/// Returns the value if it is not simple.
pub(super) fn shown_text(value: Value) -> Result<String, Value> {
    match value {
        Value::None => Ok("None".to_owned()),
        Value::Bool(true) => Ok("True".to_owned()),
        Value::Bool(false) => Ok("False".to_owned()),
        Value::Int(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(python_float(number)),
        other => other.into_text(),
    }
}

/// A float as Python shows it: the shortest digits that tell it apart, with an exponent from 1e16 and
/// below 1e-4.
fn python_float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        // Rust writes `1e16` and `1e-5`, Python `1e+16` and `1e-05`.
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent),
        };
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    format!("{number:?}")
}
