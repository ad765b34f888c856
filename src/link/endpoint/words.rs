//! The words of an endpoint string: `type:value:name=value`, where a backslash takes the meaning from
//! the character behind it. Twisted's rules (its `endpoints` module), and one more: a value that
//! begins with `[` goes to the matching `]`, so that `tcp:[::1]:9989` means what it looks like.

use super::EndpointError;

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Where it begins, in characters from 1.
    pub at: usize,
    /// What stands before the first `=`, if there is one.
    pub name: Option<String>,
    /// The value.
    pub value: String,
    /// Where the value begins.
    pub value_at: usize,
}

/// Takes a string apart; there is at least one word.
pub fn words(text: &str) -> Result<Vec<Word>, EndpointError> {
    let mut found = Vec::new();
    let mut word = Word::beginning(1);
    let mut bracket = None;
    let mut signs = text.chars().zip(1..);
    while let Some((sign, at)) = signs.next() {
        match sign {
            '\\' => match signs.next() {
                Some((escaped, _)) => word.value.push(escaped),
                None => {
                    return Err(EndpointError {
                        at,
                        what: "a backslash with nothing behind it; a backslash itself is \\\\"
                            .to_owned(),
                    });
                }
            },
            '[' if word.value.is_empty() => {
                bracket = Some(at);
                word.value.push(sign);
            }
            ']' if bracket.is_some() => {
                bracket = None;
                word.value.push(sign);
            }
            _ if bracket.is_some() => word.value.push(sign),
            ':' => {
                found.push(std::mem::replace(&mut word, Word::beginning(at + 1)));
            }
            '=' if word.name.is_none() => {
                word.name = Some(std::mem::take(&mut word.value));
                word.value_at = at + 1;
            }
            _ => word.value.push(sign),
        }
    }
    if let Some(at) = bracket {
        return Err(EndpointError {
            at,
            what: "the bracket is not closed; an IPv6 address stands in [ and ]".to_owned(),
        });
    }
    found.push(word);
    Ok(found)
}

impl Word {
    fn beginning(at: usize) -> Word {
        Word {
            at,
            name: None,
            value: String::new(),
            value_at: at,
        }
    }
}
