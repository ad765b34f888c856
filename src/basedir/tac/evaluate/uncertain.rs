//! What may or may not run: everything that it could change is not known afterwards.

use std::rc::Rc;

use super::super::LogBlock;
use super::super::parse::ENVIRONMENT;
use super::super::syntax::{Block, Expression, ExpressionKind, StatementKind};
use super::super::value::{Unknown, Value};
use super::{Evaluator, functions};

impl Evaluator<'_> {
    /// Marks everything that a block may change as unknown, since we do not know whether it runs.
    pub fn taint(&mut self, block: &Block, unknown: &Rc<Unknown>) {
        for statement in block {
            match &statement.kind {
                StatementKind::Assign(targets, value) => {
                    for target in targets {
                        self.taint_target(target, unknown);
                    }
                    self.taint_call(value, unknown);
                }
                StatementKind::Update(target, ..) => self.taint_target(target, unknown),
                StatementKind::Evaluate(value) => self.taint_call(value, unknown),
                StatementKind::Delete(targets) => {
                    for target in targets {
                        self.taint_target(target, unknown);
                    }
                }
                StatementKind::Import(names) => {
                    for (name, _) in names {
                        self.taint_names(std::slice::from_ref(name), unknown);
                    }
                }
                StatementKind::If(branches, otherwise) => {
                    for (_, body) in branches {
                        self.taint(body, unknown);
                    }
                    self.taint(otherwise, unknown);
                }
                StatementKind::For(target, _, body) => {
                    self.taint_target(target, unknown);
                    self.taint(body, unknown);
                }
                StatementKind::While(body) => self.taint(body, unknown),
                StatementKind::With(items, body) => {
                    for target in items.iter().filter_map(|(_, target)| target.as_ref()) {
                        self.taint_target(target, unknown);
                    }
                    self.taint(body, unknown);
                }
                StatementKind::Try(body, handlers, otherwise, finally) => {
                    let bodies = handlers.iter().map(|handler| &handler.body);
                    for body in [body, otherwise, finally].into_iter().chain(bodies) {
                        self.taint(body, unknown);
                    }
                }
                StatementKind::Unreadable(_, names) => self.taint_names(names, unknown),
                StatementKind::Define(name) => {
                    self.taint_names(std::slice::from_ref(name), unknown);
                }
                StatementKind::Raise(_)
                | StatementKind::Assert(_)
                | StatementKind::Break
                | StatementKind::Continue
                | StatementKind::Pass => {}
            }
        }
    }

    pub fn taint_names(&mut self, names: &[String], unknown: &Rc<Unknown>) {
        for name in names {
            if name == ENVIRONMENT {
                self.environment_doubt(unknown.line);
            } else {
                self.bind(name, Value::Unknown(Rc::clone(unknown)), unknown.line);
            }
        }
    }

    pub fn taint_target(&mut self, target: &Expression, unknown: &Rc<Unknown>) {
        match &target.kind {
            ExpressionKind::Name(name) => self.taint_names(std::slice::from_ref(name), unknown),
            ExpressionKind::Tuple(targets) | ExpressionKind::List(targets) => {
                for target in targets {
                    self.taint_target(target, unknown);
                }
            }
            ExpressionKind::Index(base, _) => match (self.value(base), &base.kind) {
                (Value::Environment, _) => self.environment_doubt(target.line),
                (_, ExpressionKind::Name(name)) => {
                    self.taint_names(std::slice::from_ref(name), unknown);
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// A call that may or may not be made.
    fn taint_call(&mut self, value: &Expression, unknown: &Rc<Unknown>) {
        let ExpressionKind::Call(function, _) = &value.kind else {
            return;
        };
        match self.value(function) {
            Value::Symbol(path) if functions::is_worker(&path) => {
                let text = format!("whether this worker is made depends on {unknown}");
                self.problem(value.line, text);
            }
            Value::Method(base, name) => match (*base, name.as_str()) {
                (Value::Environment, "pop" | "popitem" | "clear" | "update") => {
                    self.environment_doubt(value.line);
                }
                (Value::Object, "setComponent") => self.log = LogBlock::Unclear(value.line),
                _ => {
                    if let ExpressionKind::Attribute(base, _) = &function.kind {
                        if let ExpressionKind::Name(name) = &base.kind {
                            self.taint_names(std::slice::from_ref(name), unknown);
                        }
                    }
                }
            },
            _ => {}
        }
    }

    /// What a file does to hide variables must be done, or secrets become public.
    pub fn environment_doubt(&mut self, line: u32) {
        let text = "how this changes the environment cannot be evaluated".to_owned();
        if !self.problems.iter().any(|known| known.line == line) {
            self.problem(line, text);
        }
    }
}
