//! What `{name}` in a recipe stands for.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How deep values may name each other.
const DEPTH: usize = 8;

/// One value: a text or several words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ValueOf {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Words; in the middle of a text they are joined by spaces.
    Words(Vec<String>),
}

/// Values by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(pub BTreeMap<String, ValueOf>);

impl Values {
    /// These, over those of before.
    pub fn with(mut self, others: &BTreeMap<String, ValueOf>) -> Values {
        let others = others.iter();
        self.0
            .extend(others.map(|(name, value)| (name.clone(), value.clone())));
        self
    }

    /// A text with everything filled in.
    ///
    /// # Errors
    /// A name that is not there, or names that go round in a circle.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        self.fill_within(text, DEPTH)
    }

    /// Words with everything filled in.
    ///
    /// # Errors
    /// As [`Values::fill`].
    pub fn fill_words(&self, words: &[String]) -> Result<Vec<String>, String> {
        let mut filled = Vec::new();
        for word in words {
            match self.only_name(word) {
                Some(ValueOf::Words(words)) => {
                    for word in words {
                        filled.push(self.fill(word)?);
                    }
                }
                Some(ValueOf::Text(_) | ValueOf::Number(_)) | None => {
                    filled.push(self.fill(word)?);
                }
            }
        }
        Ok(filled)
    }

    /// The value, for a word that is nothing but its name.
    fn only_name(&self, word: &str) -> Option<&ValueOf> {
        self.0.get(word.strip_prefix('{')?.strip_suffix('}')?)
    }

    fn fill_within(&self, text: &str, depth: usize) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, tail) = rest.split_at(at);
            filled.push_str(before);
            let name = tail[1..].split('}').next().unwrap_or_default();
            let is_name = tail.len() > name.len() + 1
                && !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            if before.ends_with('$') || !is_name {
                filled.push('{');
                rest = &tail[1..];
                continue;
            }
            if depth == 0 {
                return Err(format!("the value {{{name}}} contains itself"));
            }
            match self.0.get(name) {
                None => return Err(format!("there is no value {{{name}}}")),
                Some(ValueOf::Text(text)) => filled.push_str(&self.fill_within(text, depth - 1)?),
                Some(ValueOf::Number(number)) => filled.push_str(&number.to_string()),
                Some(ValueOf::Words(words)) => {
                    filled.push_str(&self.fill_within(&words.join(" "), depth - 1)?);
                }
            }
            rest = &tail[name.len() + 2..];
        }
        filled.push_str(rest);
        Ok(filled)
    }
}
