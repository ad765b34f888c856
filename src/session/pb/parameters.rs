//! The parameters of a call, by position or by name (PROTOCOL 3.1: both occur).

use crate::calls::{Failure, FailureKind};
use crate::wire::jelly::Value;

/// What came with a call. What nobody asks for is left out.
pub(super) struct Parameters {
    method: String,
    positional: std::vec::IntoIter<Value>,
    named: Vec<(String, Value)>,
}

impl Parameters {
    /// From the two values of a call.
    ///
    /// # Errors
    /// They are not a tuple and a dictionary with texts as keys.
    pub(super) fn new(method: &str, args: Value, kwargs: Value) -> Result<Parameters, Failure> {
        let (Value::Tuple(positional) | Value::List(positional)) = args else {
            return Err(bad(method, "its arguments are not a tuple"));
        };
        let Value::Dict(pairs) = kwargs else {
            return Err(bad(method, "its named arguments are not a dictionary"));
        };
        let named = pairs
            .into_iter()
            .map(|(name, value)| Ok((name.into_text()?, value)))
            .collect::<Result<_, Value>>()
            .map_err(|name| bad(method, &format!("{name} is the name of an argument")))?;
        Ok(Parameters {
            method: method.to_owned(),
            positional: positional.into_iter(),
            named,
        })
    }

    /// The next parameter; `names` are the names it has had.
    ///
    /// # Errors
    /// It is missing.
    pub(super) fn next(&mut self, names: &[&str]) -> Result<Value, Failure> {
        if let Some(value) = self.positional.next() {
            return Ok(value);
        }
        let found = self
            .named
            .iter()
            .position(|(name, _)| names.contains(&name.as_str()));
        match found {
            Some(index) => Ok(self.named.swap_remove(index).1),
            None => {
                let name = names.first().copied().unwrap_or_default();
                Err(bad(&self.method, &format!("argument '{name}' is missing")))
            }
        }
    }

    /// The next parameter as a text; numbers are accepted as well.
    ///
    /// # Errors
    /// It is missing or neither.
    pub(super) fn next_text(&mut self, names: &[&str]) -> Result<String, Failure> {
        match self.next(names)? {
            Value::Int(number) => Ok(number.to_string()),
            value => value
                .into_text()
                .map_err(|value| self.unfit(names, "a text", &value)),
        }
    }

    /// The failure for a parameter of the wrong type.
    pub(super) fn unfit(&self, names: &[&str], expected: &str, got: &Value) -> Failure {
        let name = names.first().copied().unwrap_or_default();
        let what = format!("argument '{name}' must be {expected}, not {got}");
        bad(&self.method, &what)
    }
}

fn bad(method: &str, what: &str) -> Failure {
    Failure {
        kind: FailureKind::BadArgument,
        message: format!("remote_{method:.64}: {what}"),
    }
}
