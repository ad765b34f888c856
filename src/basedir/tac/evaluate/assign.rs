//! Gives values to names, elements and environment variables, and takes them away.

use super::super::syntax::{Binary, Expression, ExpressionKind};
use super::super::value::Value;
use super::{Binding, Evaluator, Flow, LARGEST, unknown_at};

impl Evaluator<'_> {
    pub fn bind(&mut self, name: &str, value: Value, line: u32) {
        let sources = self.reads.clone();
        let binding = Binding {
            value,
            line,
            sources,
        };
        self.names.insert(name.to_owned(), binding);
    }

    pub fn assign(&mut self, target: &Expression, value: Value, line: u32) {
        match &target.kind {
            ExpressionKind::Name(name) => self.bind(name, value, line),
            ExpressionKind::Tuple(targets) | ExpressionKind::List(targets) => {
                let values = match &value {
                    Value::List(items) | Value::Tuple(items) if items.len() == targets.len() => {
                        items.clone()
                    }
                    Value::Unknown(_) => vec![value; targets.len()],
                    _ => {
                        let why = "the number of names and values differs";
                        let unknown = unknown_at(line, &self.excerpt(target), why);
                        vec![Value::Unknown(unknown); targets.len()]
                    }
                };
                for (target, value) in targets.iter().zip(values) {
                    self.assign(target, value, line);
                }
            }
            ExpressionKind::Index(base, index) => self.assign_item(base, index, value, line),
            // An attribute of some object: nothing that we look at.
            _ => {}
        }
    }

    /// `base[index] = value`
    fn assign_item(&mut self, base: &Expression, index: &Expression, value: Value, line: u32) {
        let key = self.value(index);
        if let Value::Environment = self.value(base) {
            match (key, value) {
                (Value::Text(name), Value::Text(value)) => self.set_variable(&name, &value),
                _ => self.environment_doubt(line),
            }
            return;
        }
        let ExpressionKind::Name(name) = &base.kind else {
            return;
        };
        let reads = self.reads.clone();
        let Some(binding) = self.names.get_mut(name) else {
            return;
        };
        binding.sources.extend(reads);
        match (&mut binding.value, key) {
            (_, Value::Unknown(unknown)) => binding.value = Value::Unknown(unknown),
            (Value::Dict(pairs), key) => {
                pairs.retain(|(known, _)| known.equals(&key) != Some(true));
                pairs.push((key, value));
            }
            (Value::List(items), Value::Int(index)) => {
                let slot = usize::try_from(index).ok().and_then(|at| items.get_mut(at));
                if let Some(slot) = slot {
                    *slot = value;
                }
            }
            _ => {}
        }
        let size = binding.value.size();
        if size > LARGEST {
            let unknown = unknown_at(line, name, "the value is too large");
            binding.value = Value::Unknown(unknown);
        }
        self.spend(size / 64);
    }

    pub fn updated(&mut self, target: &Expression, operator: Binary, value: &Expression) -> Value {
        let expression = Expression {
            line: target.line,
            start: target.start,
            end: value.end,
            kind: ExpressionKind::Binary(
                operator,
                Box::new(target.clone()),
                Box::new(value.clone()),
            ),
        };
        self.value(&expression)
    }

    pub(super) fn delete(&mut self, targets: &[Expression]) -> Flow {
        for target in targets {
            match &target.kind {
                ExpressionKind::Name(name) => {
                    self.names.remove(name);
                }
                ExpressionKind::Index(base, index) => {
                    let key = self.value(index);
                    let base_value = self.value(base);
                    match (base_value, key) {
                        (Value::Environment, Value::Text(name)) => {
                            let was_there = self.remove_variable(&name);
                            if !was_there && self.tries > 0 {
                                let why = format!("{name} is not in the environment");
                                let unknown = self.raising(target, why, "KeyError");
                                return Flow::Raised(unknown);
                            }
                        }
                        (Value::Environment, _) => self.environment_doubt(target.line),
                        (Value::Dict(mut pairs), key) => {
                            pairs.retain(|(known, _)| known.equals(&key) != Some(true));
                            self.assign(base, Value::Dict(pairs), target.line);
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Flow::Next
    }
}
