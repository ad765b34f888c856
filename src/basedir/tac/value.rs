//! What expressions of a configuration file evaluate to.

use std::fmt;
use std::rc::Rc;

/// Deepest lists in lists.
const NESTING: u32 = 50;

/// A value. Deliberately without `Debug`: one of them is the password.
#[derive(Clone)]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text; also bytes.
    Text(String),
    /// A list or set.
    List(Vec<Value>),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A dictionary.
    Dict(Vec<(Value, Value)>),
    /// A path of `pathlib`.
    Path(String),
    /// `os.environ`.
    Environment,
    /// An open file: its content.
    File(String),
    /// Something of a module, by its full name.
    Symbol(String),
    /// Something of a value, to be called.
    Method(Box<Value>, String),
    /// A rotating log file.
    LogFile(LogFile),
    /// What writes log lines there.
    Observer(Box<Value>),
    /// The application or the worker: what is done with it does not concern us.
    Object,
    /// What we cannot know, and why.
    Unknown(Rc<Unknown>),
}

/// A log file of Twisted.
#[derive(Clone, PartialEq, Debug)]
pub struct LogFile {
    /// As given.
    pub path: String,
    /// Bytes; none for "never".
    pub rotate_length: Option<u64>,
    /// How many old files are kept; none for all.
    pub max_files: Option<u64>,
}

/// Why a value is not known.
pub struct Unknown {
    /// Where.
    pub line: u32,
    /// The expression, with the content of texts left out.
    pub expression: String,
    /// Why.
    pub why: String,
    /// The exception that Python raises here, if that is the reason.
    pub raises: Option<&'static str>,
}

/// Why a computation has no result.
pub enum Refusal {
    /// It needs something that is not known.
    Unknown(Rc<Unknown>),
    /// The reason lies here.
    Because {
        /// Why.
        why: String,
        /// The exception that Python raises here, if any.
        raises: Option<&'static str>,
    },
}

/// The result of a computation.
pub type Computed<T = Value> = Result<T, Refusal>;

/// We do not do that.
pub fn refuse<T>(why: impl Into<String>) -> Computed<T> {
    Err(Refusal::Because {
        why: why.into(),
        raises: None,
    })
}

/// Python raises an exception here.
pub fn raise<T>(exception: &'static str, why: impl Into<String>) -> Computed<T> {
    Err(Refusal::Because {
        why: why.into(),
        raises: Some(exception),
    })
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Value::Text(text.into())
    }

    /// Whether we do not know it.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Value::Unknown(_))
    }

    /// What kind of value this is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::None => "None",
            Value::Bool(_) => "True or False",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number with a fraction",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Tuple(_) => "a tuple",
            Value::Dict(_) => "a dictionary",
            Value::Path(_) => "a path",
            Value::Environment => "the environment",
            Value::File(_) => "an open file",
            Value::Symbol(_) => "something from a module",
            Value::Method(..) => "a method that is not called",
            Value::LogFile(_) | Value::Observer(_) => "a log",
            Value::Object => "an object",
            Value::Unknown(_) => "unknown",
        }
    }

    /// Whether Python takes it as true.
    pub fn is_true(&self) -> bool {
        match self {
            Value::None => false,
            Value::Bool(value) => *value,
            Value::Int(value) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::List(items) | Value::Tuple(items) => !items.is_empty(),
            Value::Dict(pairs) => !pairs.is_empty(),
            Value::Path(_)
            | Value::Environment
            | Value::File(_)
            | Value::Symbol(_)
            | Value::Method(..)
            | Value::LogFile(_)
            | Value::Observer(_)
            | Value::Object
            | Value::Unknown(_) => true,
        }
    }

    /// The value as a number, for `==`, `<` and arithmetic.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Bool(value) => Some(f64::from(u8::from(*value))),
            // Above 2^53 comparisons with fractions are not exact; no setting is that large.
            Value::Int(value) => Some(*value as f64),
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The value as a whole number, where Python takes it for one.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Value::Bool(value) => Some(i64::from(*value)),
            Value::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The text of a text or path.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) | Value::Path(text) => Some(text),
            _ => None,
        }
    }

    /// `==`; none if that is not known.
    pub fn equals(&self, other: &Value) -> Option<bool> {
        match (self, other) {
            (Value::Text(one), Value::Text(two)) | (Value::Path(one), Value::Path(two)) => {
                Some(one == two)
            }
            (Value::None, Value::None) => Some(true),
            (Value::List(one), Value::List(two)) | (Value::Tuple(one), Value::Tuple(two)) => {
                if one.len() != two.len() {
                    return Some(false);
                }
                let mut all = true;
                for (one, two) in one.iter().zip(two) {
                    all &= one.equals(two)?;
                }
                Some(all)
            }
            (
                Value::Dict(_)
                | Value::Symbol(_)
                | Value::Object
                | Value::Unknown(_)
                | Value::Method(..),
                _,
            )
            | (
                _,
                Value::Dict(_)
                | Value::Symbol(_)
                | Value::Object
                | Value::Unknown(_)
                | Value::Method(..),
            ) => None,
            (one, two) => match (one.integer(), two.integer()) {
                (Some(one), Some(two)) => Some(one == two),
                _ => match (one.number(), two.number()) {
                    (Some(one), Some(two)) => Some(one == two),
                    _ => Some(false),
                },
            },
        }
    }

    /// As `str()` shows it; none for what has no useful text.
    pub fn shown(&self) -> Option<String> {
        match self {
            Value::Text(text) | Value::Path(text) => Some(text.clone()),
            _ => self.quoted(),
        }
    }

    /// As `repr()` shows it; none for what has no useful text.
    pub fn quoted(&self) -> Option<String> {
        Some(match self {
            Value::None => "None".to_owned(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => format!("{value:?}"),
            Value::Text(text) => quote(text),
            Value::List(items) => format!("[{}]", joined(items)?),
            Value::Tuple(items) if items.len() == 1 => format!("({},)", joined(items)?),
            Value::Tuple(items) => format!("({})", joined(items)?),
            Value::Dict(_)
            | Value::Path(_)
            | Value::Environment
            | Value::File(_)
            | Value::Symbol(_)
            | Value::Method(..)
            | Value::LogFile(_)
            | Value::Observer(_)
            | Value::Object
            | Value::Unknown(_) => return None,
        })
    }

    /// How much memory it takes, roughly, in bytes; far too much if it is nested so deeply that
    /// going through it could exhaust the stack.
    pub fn size(&self) -> usize {
        self.size_within(NESTING)
    }

    fn size_within(&self, levels: u32) -> usize {
        let Some(below) = levels.checked_sub(1) else {
            return usize::MAX;
        };
        let more = match self {
            Value::Text(text) | Value::Path(text) | Value::File(text) => text.len(),
            Value::List(items) | Value::Tuple(items) => items
                .iter()
                .fold(0, |sum, item| item.size_within(below).saturating_add(sum)),
            Value::Dict(pairs) => pairs.iter().fold(0, |sum, (key, value)| {
                let size = key
                    .size_within(below)
                    .saturating_add(value.size_within(below));
                size.saturating_add(sum)
            }),
            Value::Method(base, _) | Value::Observer(base) => base.size_within(below),
            Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Environment
            | Value::Symbol(_)
            | Value::LogFile(_)
            | Value::Object
            | Value::Unknown(_) => 0,
        };
        more.saturating_add(32)
    }
}

fn joined(items: &[Value]) -> Option<String> {
    let shown: Option<Vec<String>> = items.iter().map(Value::quoted).collect();
    Some(shown?.join(", "))
}

/// A text as Python writes it: single quotes unless there is a single and no double one in it.
pub fn quote(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut result = String::with_capacity(text.len() + 2);
    result.push(quote);
    for sign in text.chars() {
        match sign {
            '\\' => result.push_str("\\\\"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            _ if sign == quote => {
                result.push('\\');
                result.push(sign);
            }
            _ if (sign as u32) < 0x20 || sign == '\u{7f}' => {
                result.push_str(&format!("\\x{:02x}", sign as u32));
            }
            _ if sign.is_control() || ('\u{e000}'..='\u{f8ff}').contains(&sign) => {
                result.push_str(&format!("\\u{:04x}", sign as u32));
            }
            _ => result.push(sign),
        }
    }
    result.push(quote);
    result
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.expression, self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_python_quotes_them() {
        assert_eq!(quote("a"), "'a'");
        assert_eq!(quote("it's"), "\"it's\"");
        assert_eq!(quote("it's \"so\""), "'it\\'s \"so\"'");
        assert_eq!(quote("a\\b\n\u{1}é"), "'a\\\\b\\n\\x01é'");
    }

    #[test]
    fn numbers_of_different_kinds_are_equal() {
        assert_eq!(Value::Int(1).equals(&Value::Bool(true)), Some(true));
        assert_eq!(Value::Int(1).equals(&Value::Float(1.0)), Some(true));
        assert_eq!(Value::Int(1).equals(&Value::text("1")), Some(false));
        assert_eq!(Value::None.equals(&Value::Int(0)), Some(false));
    }
}
