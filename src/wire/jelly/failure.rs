//! Exceptions copied over the wire (PROTOCOL 3.5).

use std::fmt;

use super::Value;

/// The type word of a copied exception.
pub(super) const FORM: &str = "twisted.spread.pb.CopyableFailure";

/// An exception of the peer, as far as it is of use. What is missing in it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteFailure {
    /// The dotted name of its class.
    pub class: String,
    /// Its text.
    pub text: String,
    /// The dotted names of the class and all its bases.
    pub parents: Vec<String>,
    /// Where it happened, several lines.
    pub traceback: String,
}

impl RemoteFailure {
    /// From the dictionary behind the type word. Unknown keys are left out, and so are values of a
    /// wrong type.
    pub(super) fn from_pairs(pairs: Vec<(Value, Value)>) -> RemoteFailure {
        let mut failure = RemoteFailure::default();
        for (key, value) in pairs {
            let Ok(key) = key.into_text() else { continue };
            match key.as_str() {
                "type" => failure.class = value.into_text().unwrap_or_default(),
                "value" => {
                    failure.text = value.into_text().unwrap_or_else(|other| other.to_string());
                }
                "traceback" => failure.traceback = value.into_text().unwrap_or_default(),
                "parents" => failure.parents = texts(value),
                // count, tb, frames, pickled and so on: nothing in them is of use here.
                _ => {}
            }
        }
        failure
    }

    /// Whether it is an exception of this class or of one derived from it.
    pub fn is_a(&self, class: &str) -> bool {
        self.class == class || self.parents.iter().any(|parent| parent == class)
    }

    /// A measure of the memory it takes, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.class.len()
            + self.text.len()
            + self.traceback.len()
            + self
                .parents
                .iter()
                .map(|parent| 24 + parent.len())
                .sum::<usize>()
    }
}

impl fmt::Display for RemoteFailure {
    /// Class and text, on one line as far as the text is one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.class.as_str(), self.text.as_str()) {
            ("", "") => f.write_str("an exception without a name"),
            (class, "") => f.write_str(class),
            ("", text) => f.write_str(text),
            (class, text) => write!(f, "{class}: {text}"),
        }
    }
}

fn texts(value: Value) -> Vec<String> {
    let (Value::List(values) | Value::Tuple(values)) = value else {
        return Vec::new();
    };
    values
        .into_iter()
        .filter_map(|value| value.into_text().ok())
        .collect()
}
