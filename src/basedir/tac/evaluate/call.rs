//! Calls: what is called, and with which arguments.

use std::rc::Rc;

use super::super::syntax::{Argument, Expression, ExpressionKind, Style};
use super::super::value::{Computed, Unknown, Value, refuse};
use super::arguments::Given;
use super::{Evaluator, LARGEST, functions};

impl Evaluator<'_> {
    pub fn call(&mut self, function: &Expression, arguments: &[Argument], line: u32) -> Computed {
        if let ExpressionKind::Attribute(base, method) = &function.kind {
            if let ExpressionKind::Name(name) = &base.kind {
                if self.changes_list(name, method) {
                    return self.change_list(name.clone(), method, arguments);
                }
            }
        }
        let function = self.known(function)?;
        let given = self.arguments(arguments);
        match function {
            Value::Symbol(path) if functions::is_worker(&path) => {
                self.worker(&path, given, line);
                Ok(Value::Object)
            }
            Value::Symbol(path) => self.function(&path, given),
            Value::Method(base, name) => self.method(*base, &name, given, line),
            Value::Object | Value::Observer(_) => Ok(Value::None),
            other => refuse(format!("{} cannot be called", other.kind())),
        }
    }

    fn changes_list(&self, name: &str, method: &str) -> bool {
        let Some(binding) = self.names.get(name) else {
            return false;
        };
        matches!(binding.value, Value::List(_) | Value::Dict(_))
            && matches!(
                method,
                "append"
                    | "extend"
                    | "insert"
                    | "remove"
                    | "update"
                    | "sort"
                    | "reverse"
                    | "clear"
                    | "add"
                    | "discard"
                    | "popitem"
            )
    }

    /// A method that changes a list, set or dictionary in place.
    fn change_list(&mut self, name: String, method: &str, arguments: &[Argument]) -> Computed {
        let given = self.arguments(arguments);
        let reads = self.reads.clone();
        let argument = given.into_iter().next().map(|given| given.value);
        let more = argument.as_ref().map(|value| self.items(value));
        let Some(binding) = self.names.get_mut(&name) else {
            return Ok(Value::None);
        };
        binding.sources.extend(reads);
        match (&mut binding.value, method, argument, more) {
            (Value::List(items), "append" | "add", Some(item), _) => items.push(item),
            (Value::List(items), "extend" | "update", _, Some(Ok(more))) => items.extend(more),
            (Value::Dict(pairs), "update", Some(Value::Dict(more)), _) => {
                for (key, value) in more {
                    pairs.retain(|(known, _)| known.equals(&key) != Some(true));
                    pairs.push((key, value));
                }
            }
            (value, _, _, _) => {
                *value = Value::Unknown(Rc::new(Unknown {
                    line: binding.line,
                    expression: format!("{name}.{method}()"),
                    why: "this change of a list or dictionary is not supported".to_owned(),
                    raises: None,
                }));
            }
        }
        let size = binding.value.size();
        if size > LARGEST {
            binding.value = Value::Unknown(Rc::new(Unknown {
                line: binding.line,
                expression: name,
                why: "the value is too large".to_owned(),
                raises: None,
            }));
        }
        self.spend(size / 64);
        Ok(Value::None)
    }

    /// Evaluates arguments, each with the environment variables that it needs.
    pub fn arguments(&mut self, arguments: &[Argument]) -> Vec<Given> {
        let mut all = Vec::new();
        let before = std::mem::take(&mut self.reads);
        let mut total = before;
        for argument in arguments {
            let value = self.value(&argument.value);
            let sources = std::mem::take(&mut self.reads);
            total.extend(sources.iter().cloned());
            let line = match &argument.value.kind {
                ExpressionKind::Name(name) => self.names.get(name).map(|known| known.line),
                _ => None,
            };
            let given = |name, value| Given {
                name,
                value,
                line: line.unwrap_or(argument.value.line),
                sources: sources.clone(),
                spread: false,
            };
            match (&argument.style, value) {
                (Style::Position, value) => all.push(given(None, value)),
                (Style::Keyword(name), value) => all.push(given(Some(name.clone()), value)),
                (Style::Positions, Value::List(items) | Value::Tuple(items)) => {
                    all.extend(items.into_iter().map(|item| given(None, item)));
                }
                (Style::Keywords, Value::Dict(pairs)) => {
                    for (key, value) in pairs {
                        let name = key.as_text().unwrap_or("?").to_owned();
                        all.push(given(Some(name), value));
                    }
                }
                (Style::Positions | Style::Keywords, value) => {
                    let mut spread = given(None, value);
                    spread.spread = true;
                    all.push(spread);
                }
            }
        }
        self.reads = total;
        all
    }
}
