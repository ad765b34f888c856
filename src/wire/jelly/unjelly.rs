//! Reads an expression as a value.

use std::collections::BTreeMap;

use super::super::banana::{DEPTH_LIMIT, Item};
use super::{EXPANSION_LIMIT, JellyError, RemoteFailure, Value, failure, text_from};

/// Reads one top-level value. The number of every object of the sender that is found in it is
/// appended to `remotes`, once for each time it was sent, in order: each has to be released
/// (PROTOCOL 3.3). So it is done also when the value is refused.
///
/// Sets become lists. Dates, decimals, classes, instances, functions, modules and persistent or cached
/// objects are refused: no supported master sends them (PROTOCOL 2.1).
///
/// # Errors
/// The first thing that is wrong.
pub fn unjelly(item: Item, remotes: &mut Vec<i64>) -> Result<Value, JellyError> {
    let mut reader = Reader {
        remotes,
        shared: BTreeMap::new(),
        expansion: 0,
    };
    reader.value(item, 0)
}

struct Reader<'a> {
    remotes: &'a mut Vec<i64>,
    /// What `reference` gave a number; none while its content is being read.
    shared: BTreeMap<i64, Option<Shared>>,
    /// The cost of all copies made so far.
    expansion: usize,
}

/// A value that may come again, measured once.
struct Shared {
    value: Value,
    cost: usize,
    depth: usize,
}

type Items = std::vec::IntoIter<Item>;

impl Reader<'_> {
    fn value(&mut self, item: Item, depth: usize) -> Result<Value, JellyError> {
        match item {
            Item::Int(number) => Ok(Value::Int(number)),
            Item::Float(number) => Ok(Value::Float(number)),
            Item::Bytes(bytes) => Ok(Value::Bytes(bytes)),
            Item::List(_) if depth >= DEPTH_LIMIT => Err(JellyError::TooDeep),
            Item::List(items) => {
                let mut items = items.into_iter();
                match items.next() {
                    Some(Item::Bytes(word)) => self.form(&word, items, depth + 1),
                    Some(_) | None => Err(JellyError::NoTypeWord),
                }
            }
        }
    }

    fn form(&mut self, word: &[u8], items: Items, depth: usize) -> Result<Value, JellyError> {
        match word {
            b"None" => Ok(Value::None),
            b"boolean" => boolean(items),
            b"unicode" => string("unicode", items).map(|bytes| Value::Text(text_from(bytes))),
            b"list" | b"set" | b"frozenset" => self.values(items, depth).map(Value::List),
            b"tuple" => self.values(items, depth).map(Value::Tuple),
            b"dictionary" => self.pairs(items, depth).map(Value::Dict),
            b"remote" => {
                let number = number("remote", items)?;
                self.remotes.push(number);
                Ok(Value::Remote(number))
            }
            b"local" => number("local", items).map(Value::Local),
            b"reference" => self.reference(items, depth),
            b"dereference" => self.dereference(number("dereference", items)?, depth),
            b"unpersistable" => {
                string("unpersistable", items).map(|bytes| Value::Unpersistable(text_from(bytes)))
            }
            _ if word == failure::FORM.as_bytes() => self.failure(items, depth),
            _ => Err(refusal(word)),
        }
    }

    /// All values of a list. Goes on behind an error, so that no reference is overlooked.
    fn values(&mut self, items: Items, depth: usize) -> Result<Vec<Value>, JellyError> {
        let mut values = Vec::with_capacity(items.len());
        let mut failed = None;
        for item in items {
            match self.value(item, depth) {
                Ok(value) => values.push(value),
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(values), Err)
    }

    /// The pairs of a dictionary, which have no type word (PROTOCOL 2.1).
    fn pairs(&mut self, items: Items, depth: usize) -> Result<Vec<(Value, Value)>, JellyError> {
        let mut pairs = Vec::with_capacity(items.len());
        let mut failed = None;
        for item in items {
            match self.pair(item, depth) {
                Ok(pair) => pairs.push(pair),
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(pairs), Err)
    }

    fn pair(&mut self, item: Item, depth: usize) -> Result<(Value, Value), JellyError> {
        let Item::List(items) = item else {
            return Err(PAIR);
        };
        let [key, value] = <[Item; 2]>::try_from(items).map_err(|_| PAIR)?;
        let key = self.value(key, depth + 1);
        let value = self.value(value, depth + 1);
        Ok((key?, value?))
    }

    fn reference(&mut self, mut items: Items, depth: usize) -> Result<Value, JellyError> {
        let (Some(Item::Int(number)), Some(content), None) =
            (items.next(), items.next(), items.next())
        else {
            return Err(JellyError::Malformed {
                form: "reference",
                expected: "a number and a value",
            });
        };
        if self.shared.contains_key(&number) {
            return Err(JellyError::RepeatedReference(number));
        }
        self.shared.insert(number, None);
        let value = self.value(content, depth)?;
        let (cost, depth) = (value.cost(), value.depth());
        self.expansion = pay(self.expansion, cost)?;
        let shared = Shared {
            value: value.clone(),
            cost,
            depth,
        };
        self.shared.insert(number, Some(shared));
        Ok(value)
    }

    fn dereference(&mut self, number: i64, depth: usize) -> Result<Value, JellyError> {
        let Some(Some(shared)) = self.shared.get(&number) else {
            return Err(JellyError::UnknownReference(number));
        };
        if depth + shared.depth > DEPTH_LIMIT {
            return Err(JellyError::TooDeep);
        }
        // Counted before the copy is made.
        self.expansion = pay(self.expansion, shared.cost)?;
        Ok(shared.value.clone())
    }

    /// A copied exception. It may hold anything, down to the variables of a frame; what cannot be read
    /// is left out, because the exception itself must not be lost.
    fn failure(&mut self, mut items: Items, depth: usize) -> Result<Value, JellyError> {
        let (Some(Item::List(state)), None) = (items.next(), items.next()) else {
            return Err(STATE);
        };
        let mut state = state.into_iter();
        match state.next() {
            Some(Item::Bytes(word)) if word == b"dictionary" => {}
            Some(_) | None => return Err(STATE),
        }
        let pairs = state
            .filter_map(|item| self.pair(item, depth).ok())
            .collect();
        Ok(Value::Failure(Box::new(RemoteFailure::from_pairs(pairs))))
    }
}

const STATE: JellyError = JellyError::Malformed {
    form: failure::FORM,
    expected: "one dictionary",
};

/// What all copies cost with one more.
fn pay(sum: usize, cost: usize) -> Result<usize, JellyError> {
    let sum = sum.saturating_add(cost);
    if sum > EXPANSION_LIMIT {
        return Err(JellyError::TooLarge);
    }
    Ok(sum)
}

const PAIR: JellyError = JellyError::Malformed {
    form: "dictionary",
    expected: "pairs of key and value",
};

fn boolean(mut items: Items) -> Result<Value, JellyError> {
    match (items.next(), items.next()) {
        (Some(Item::Bytes(word)), None) if word == b"true" => Ok(Value::Bool(true)),
        (Some(Item::Bytes(word)), None) if word == b"false" => Ok(Value::Bool(false)),
        (_, _) => Err(JellyError::Malformed {
            form: "boolean",
            expected: "'true' or 'false'",
        }),
    }
}

fn string(form: &'static str, mut items: Items) -> Result<Vec<u8>, JellyError> {
    match (items.next(), items.next()) {
        (Some(Item::Bytes(bytes)), None) => Ok(bytes),
        (_, _) => Err(JellyError::Malformed {
            form,
            expected: "one string",
        }),
    }
}

fn number(form: &'static str, mut items: Items) -> Result<i64, JellyError> {
    match (items.next(), items.next()) {
        (Some(Item::Int(number)), None) => Ok(number),
        (_, _) => Err(JellyError::Malformed {
            form,
            expected: "one number",
        }),
    }
}

fn refusal(word: &[u8]) -> JellyError {
    const KNOWN: [&[u8]; 16] = [
        b"class",
        b"module",
        b"function",
        b"method",
        b"instance",
        b"datetime",
        b"date",
        b"time",
        b"timedelta",
        b"decimal",
        b"persistent",
        b"cache",
        b"cached",
        b"lcache",
        b"copy",
        b"instance_atom",
    ];
    // A peer chooses the word: keep what is shown short and printable.
    let shown = word[..word.len().min(64)].escape_ascii().to_string();
    // A dotted name is an instance of that class.
    if KNOWN.contains(&word) || word.contains(&b'.') {
        JellyError::Refused(shown)
    } else {
        JellyError::UnknownType(shown)
    }
}
