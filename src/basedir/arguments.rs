//! The arguments of the `Worker(...)` call, each taken by name and type. What is wrong with them is
//! collected, so that the administrator sees all of it at once.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::tac::{Binding, Given, Problem, Value, WorkerCall};
use crate::calls::Fact;

/// The parameters of `Worker`, in order (PROTOCOL 7.2; field.md 2.2).
const WORKER: &[&str] = &[
    "buildmaster_host",
    "port",
    "name",
    "passwd",
    "basedir",
    "keepalive",
    "keepaliveTimeout",
    "umask",
    "maxdelay",
    "numcpus",
    "unicode_encoding",
    "protocol",
    "useTls",
    "allow_shutdown",
    "maxRetries",
    "connection_string",
    "path",
    "delete_leftover_dirs",
    "proxy_connection_string",
];

/// Those of `BuildSlave`, before version 0.9.
const SLAVE: &[&str] = &[
    "buildmaster_host",
    "port",
    "name",
    "passwd",
    "basedir",
    "keepalive",
    "usePTY",
    "keepaliveTimeout",
    "umask",
    "maxdelay",
    "numcpus",
    "unicode_encoding",
    "allow_shutdown",
];

/// The names in a generated file that go into a parameter of another name.
const ASSIGNED_AS: &[(&str, &str)] = &[
    ("workername", "name"),
    ("slavename", "name"),
    ("use_tls", "useTls"),
    ("maxretries", "maxRetries"),
];

/// The arguments of the call.
pub struct Arguments {
    call_line: u32,
    given: HashMap<&'static str, Given>,
    missing: Vec<&'static str>,
    problems: Vec<Problem>,
    notes: Vec<String>,
    unsupported: bool,
}

impl Arguments {
    /// The arguments of this call; `problems` are those found so far.
    pub fn new(call: WorkerCall, problems: Vec<Problem>) -> Self {
        let mut arguments = Self {
            call_line: call.line,
            given: HashMap::new(),
            missing: Vec::new(),
            problems,
            notes: Vec::new(),
            unsupported: false,
        };
        let positions = if call.slave { SLAVE } else { WORKER };
        let mut places = positions.iter();
        for given in call.arguments {
            if given.spread {
                arguments.unevaluated("the `*` arguments", &given.value, given.line);
                continue;
            }
            match &given.name {
                None => match places.next() {
                    Some(name) => {
                        arguments.given.insert(name, given);
                    }
                    None => {
                        let text = "the call has more arguments than Worker takes".to_owned();
                        arguments.problem(given.line, text);
                    }
                },
                Some(name) => arguments.named(&name.clone(), given),
            }
        }
        arguments
    }

    fn named(&mut self, name: &str, given: Given) {
        let known = WORKER.iter().chain(SLAVE).find(|known| **known == name);
        match known {
            Some(&"usePTY") => self.note_pty(),
            Some(known) if self.given.contains_key(known) => {
                let text = format!("the argument {name} is given twice");
                self.problem(given.line, text);
            }
            Some(known) => {
                self.given.insert(known, given);
            }
            None if name == "usepty" => self.note_pty(),
            None => self.problem(given.line, format!("Worker has no argument {name}")),
        }
    }

    fn note_pty(&mut self) {
        self.note("usepty is ignored: the master decides for each step".to_owned());
    }

    /// Something wrong on a line.
    pub fn problem(&mut self, line: u32, text: String) {
        self.problems.push(Problem { line, text });
    }

    /// Something that the administrator should know.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// Something wrong with an argument.
    pub fn wrong(&mut self, name: &str, text: &str) {
        let line = self
            .given
            .get(name)
            .map_or(self.call_line, |given| given.line);
        self.problem(line, format!("{} {text}", label(name)));
    }

    /// What was noted, what is wrong, and whether some of it is only more than we can evaluate.
    pub fn finish(mut self) -> (Vec<String>, Vec<Problem>, bool) {
        if !self.missing.is_empty() {
            let names: Vec<&str> = self.missing.iter().map(|name| label(name)).collect();
            let text = format!("Worker(...) is not told {}", names.join(", "));
            self.problems.push(Problem {
                line: self.call_line,
                text,
            });
        }
        self.problems.sort_by_key(|problem| problem.line);
        self.problems.dedup();
        (self.notes, self.problems, self.unsupported)
    }

    /// Notes names with a value that never reaches the call.
    pub fn check_names(&mut self, names: &HashMap<String, Binding>) {
        let generated = [
            "umask",
            "maxdelay",
            "numcpus",
            "allow_shutdown",
            "maxretries",
            "use_tls",
        ];
        let more = [
            "delete_leftover_dirs",
            "connection_string",
            "proxy_connection_string",
        ];
        for name in generated
            .into_iter()
            .chain(more)
            .chain(["protocol", "keepalive"])
        {
            let parameter = ASSIGNED_AS.iter().find(|(assigned, _)| *assigned == name);
            let parameter = parameter.map_or(name, |(_, parameter)| parameter);
            let Some(binding) = names.get(name) else {
                continue;
            };
            let says_something = binding.value.is_true() && !self.given.contains_key(parameter);
            if says_something && parameter != "protocol" {
                let line = binding.line;
                self.note(format!(
                    "line {line}: {name} has no effect, since it is not an argument of Worker(...)"
                ));
            }
        }
    }

    /// The environment variables that went into an argument.
    pub fn sources(&self, name: &str) -> Vec<String> {
        let sources = self.given.get(name).map(|given| &given.sources);
        sources.map_or_else(Vec::new, |sources: &BTreeSet<String>| {
            sources.iter().cloned().collect()
        })
    }

    /// Whether an argument is given and not None.
    pub fn is_given(&self, name: &str) -> bool {
        let given = self.given.get(name);
        given.is_some_and(|given| !matches!(given.value, Value::None))
    }

    /// An argument that is given, known and not None.
    fn value(&mut self, name: &str) -> Option<Value> {
        let given = self.given.get(name)?;
        let (value, line) = (given.value.clone(), given.line);
        match value {
            Value::None => None,
            Value::Unknown(_) | Value::Symbol(_) => {
                self.unevaluated(label(name), &value, line);
                None
            }
            value => Some(value),
        }
    }

    fn unevaluated(&mut self, what: &str, value: &Value, line: u32) {
        self.unsupported = true;
        let (line, why) = match value {
            Value::Unknown(unknown) if unknown.expression.is_empty() => {
                (unknown.line, unknown.why.clone())
            }
            Value::Unknown(unknown) => (unknown.line, unknown.to_string()),
            Value::Symbol(path) => (line, format!("`{path}` is in another file or module")),
            _ => (line, "it is not known".to_owned()),
        };
        self.problem(line, format!("{what} cannot be evaluated: {why}"));
    }

    fn is_unknown(&self, name: &str) -> bool {
        let given = self.given.get(name);
        given.is_some_and(|given| matches!(given.value, Value::Unknown(_) | Value::Symbol(_)))
    }

    /// Notes that an argument is missing. If its value came from the environment, that is why.
    fn lacks(&mut self, name: &'static str) {
        if self.is_unknown(name) {
            return;
        }
        let sources = self.sources(name);
        if self.given.contains_key(name) && !sources.is_empty() {
            let text = format!(
                "is None or empty; set {} in the worker's environment",
                sources.join(" or ")
            );
            self.wrong(name, &text);
            return;
        }
        self.missing.push(name);
    }

    /// A text, if given.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        match self.value(name)? {
            // Older files write '' and False for "not".
            Value::Text(text) | Value::Path(text) => Some(text).filter(|text| !text.is_empty()),
            Value::Bool(false) => None,
            other => {
                self.wrong(name, &format!("must be text, not {}", other.kind()));
                None
            }
        }
    }

    /// A text that must be given.
    pub fn needed_text(&mut self, name: &'static str) -> Option<String> {
        let before = self.problems.len();
        let text = self.text(name);
        if text.is_none() && self.problems.len() == before {
            self.lacks(name);
        }
        text
    }

    /// The port, which must be given. The Python worker takes it as text too.
    pub fn port(&mut self) -> Option<u16> {
        let Some(value) = self.value("port") else {
            self.lacks("port");
            return None;
        };
        let number = match &value {
            Value::Text(text) => text.trim().parse::<u16>().ok(),
            Value::Int(number) => u16::try_from(*number).ok(),
            _ => None,
        };
        let port = number.filter(|port| *port > 0);
        if port.is_none() {
            let what = match value {
                Value::Int(number) => number.to_string(),
                Value::Text(_) => "a text that is none".to_owned(),
                other => other.kind().to_owned(),
            };
            self.wrong(
                "port",
                &format!("must be a number from 1 to 65535, not {what}"),
            );
        }
        port
    }

    /// A whole number in a range, if given.
    pub fn number(&mut self, name: &'static str, least: i64, most: i64) -> Option<i64> {
        let value = self.value(name)?;
        match value {
            Value::Int(number) if (least..=most).contains(&number) => Some(number),
            other => {
                let range = match name {
                    "umask" => "0 to 0o777".to_owned(),
                    _ => format!("at least {least}"),
                };
                let text = format!(
                    "must be None or a whole number, {range}, not {}",
                    said(&other)
                );
                self.wrong(name, &text);
                None
            }
        }
    }

    /// A number of seconds: `absent` if not given, none for None.
    pub fn seconds(&mut self, name: &'static str, absent: Option<Duration>) -> Option<Duration> {
        if !self.given.contains_key(name) {
            return absent;
        }
        let value = self.value(name)?;
        let number = match value {
            Value::Int(_) | Value::Float(_) => value.number(),
            _ => None,
        };
        let seconds = number.and_then(|number| Duration::try_from_secs_f64(number).ok());
        if seconds.is_none() {
            let text = format!("must be None or seconds, at least 0, not {}", said(&value));
            self.wrong(name, &text);
        }
        seconds
    }

    /// Yes or no, as written: True, False, or a number.
    pub fn flag(&mut self, name: &'static str) -> Fact {
        match self.value(name) {
            None => Fact::Bool(false),
            Some(Value::Bool(yes)) => Fact::Bool(yes),
            Some(Value::Int(number)) => Fact::Int(number),
            Some(other) => {
                let text = format!("must be True or False, not {}", other.kind());
                self.wrong(name, &text);
                Fact::Bool(false)
            }
        }
    }
}

/// A wrong value for a message. Never a text: in a call with an argument too many or too few, it
/// may be the password.
fn said(value: &Value) -> String {
    match value {
        Value::Int(_) | Value::Float(_) => value.quoted().unwrap_or_default(),
        other => other.kind().to_owned(),
    }
}

/// What an argument is called in a generated file.
fn label(name: &str) -> &str {
    let known = ASSIGNED_AS.iter().find(|(_, parameter)| *parameter == name);
    known.map_or(name, |(assigned, _)| assigned)
}
