//! Runs the statements of a configuration file, as far as they can be understood without Python.
//!
//! What is not understood gives a value that says why it is not known. It travels along and is
//! reported only if a setting turns out to need it.

mod arguments;
mod assign;
mod call;
mod expression;
mod format;
mod functions;
mod methods;
mod operators;
pub mod paths;
mod surroundings;
mod uncertain;

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::rc::Rc;

use super::syntax::{Block, Expression, Handler, Statement, StatementKind};
use super::value::{Refusal, Unknown, Value};
use super::{LogBlock, Problem, Tac, WorkerCall};
pub use arguments::Given;

/// Most steps, where large values count more. A generated file takes about a hundred.
const FUEL: usize = 200_000;

/// Largest value, in bytes.
const LARGEST: usize = 1024 * 1024;

/// What a name stands for.
#[derive(Clone)]
pub struct Binding {
    /// Its value.
    pub value: Value,
    /// The line that gave it.
    pub line: u32,
    /// The environment variables that went into it.
    pub sources: BTreeSet<String>,
}

/// The file being run.
pub struct Evaluator<'s> {
    source: &'s str,
    /// The file's path and directory, absolute.
    file: String,
    directory: String,
    names: HashMap<String, Binding>,
    /// The environment variables that the statement being run has read.
    reads: BTreeSet<String>,
    environment: Vec<(OsString, OsString)>,
    workers: Vec<WorkerCall>,
    log: LogBlock,
    problems: Vec<Problem>,
    fuel: usize,
    /// How many `try` we are in.
    tries: u32,
    /// How many f-strings we are in.
    fields: u32,
}

/// Where to go on after a statement.
enum Flow {
    Next,
    Break,
    Continue,
    /// To the handler of this exception.
    Raised(Rc<Unknown>),
    /// The file ends here.
    Stop,
}

/// Runs the statements.
pub fn run(
    source: &str,
    statements: &Block,
    file: String,
    directory: String,
    environment: Vec<(OsString, OsString)>,
) -> Tac {
    let mut evaluator = Evaluator {
        source,
        file,
        directory,
        names: HashMap::new(),
        reads: BTreeSet::new(),
        environment,
        workers: Vec::new(),
        log: LogBlock::Absent,
        problems: Vec::new(),
        fuel: FUEL,
        tries: 0,
        fields: 0,
    };
    if let Flow::Raised(unknown) = evaluator.block(statements) {
        evaluator.problem(unknown.line, unknown.to_string());
    }
    Tac {
        workers: evaluator.workers,
        names: evaluator.names,
        environment: evaluator.environment,
        log: evaluator.log,
        problems: evaluator.problems,
    }
}

impl Evaluator<'_> {
    fn problem(&mut self, line: u32, text: String) {
        self.problems.push(Problem { line, text });
    }

    fn block(&mut self, block: &Block) -> Flow {
        for statement in block {
            match self.statement(statement) {
                Flow::Next => {}
                other => return other,
            }
        }
        Flow::Next
    }

    fn statement(&mut self, statement: &Statement) -> Flow {
        let line = statement.line;
        self.reads.clear();
        match &statement.kind {
            StatementKind::Assign(targets, value) => {
                let value = self.value(value);
                for target in targets {
                    self.assign(target, value.clone(), line);
                }
                self.raised(&value)
            }
            StatementKind::Update(target, operator, value) => {
                let value = self.updated(target, *operator, value);
                self.assign(target, value.clone(), line);
                self.raised(&value)
            }
            StatementKind::Evaluate(value) => {
                let value = self.value(value);
                if let Value::Unknown(unknown) = &value {
                    if unknown.raises == Some("SystemExit") && self.tries == 0 {
                        self.problem(line, "the file ends itself here (sys.exit)".to_owned());
                        return Flow::Stop;
                    }
                }
                self.raised(&value)
            }
            StatementKind::Delete(targets) => self.delete(targets),
            StatementKind::Import(names) => {
                for (name, path) in names {
                    let value = self.symbol(path);
                    self.bind(name, value, line);
                }
                Flow::Next
            }
            StatementKind::If(branches, otherwise) => self.if_statement(branches, otherwise),
            StatementKind::For(target, values, body) => self.for_statement(target, values, body),
            StatementKind::While(body) => {
                self.taint(body, &unknown_at(line, "while", "`while` is not run"));
                Flow::Next
            }
            StatementKind::With(items, body) => self.with_statement(items, body, line),
            StatementKind::Try(body, handlers, otherwise, finally) => {
                self.try_statement(body, handlers, otherwise, finally)
            }
            StatementKind::Raise(what) => self.raise_statement(what.as_ref(), line),
            StatementKind::Assert(condition) => self.assert_statement(condition),
            StatementKind::Define(name) => {
                let why = "functions and classes of the file are not run";
                self.bind(name, Value::Unknown(unknown_at(line, name, why)), line);
                Flow::Next
            }
            StatementKind::Break => Flow::Break,
            StatementKind::Continue => Flow::Continue,
            StatementKind::Pass => Flow::Next,
            StatementKind::Unreadable(why, names) => {
                self.taint_names(names, &unknown_at(line, "", why));
                Flow::Next
            }
        }
    }

    /// Whether a value is an exception for the `try` we are in.
    fn raised(&self, value: &Value) -> Flow {
        match value {
            Value::Unknown(unknown) if self.tries > 0 && unknown.raises.is_some() => {
                Flow::Raised(Rc::clone(unknown))
            }
            _ => Flow::Next,
        }
    }

    fn raising(&self, at: &Expression, why: String, exception: &'static str) -> Rc<Unknown> {
        Rc::new(Unknown {
            line: at.line,
            expression: self.excerpt(at),
            why,
            raises: Some(exception),
        })
    }

    fn if_statement(&mut self, branches: &[(Expression, Block)], otherwise: &Block) -> Flow {
        for (at, (condition, body)) in branches.iter().enumerate() {
            match self.value(condition) {
                Value::Unknown(unknown) => {
                    let raised = self.raised(&Value::Unknown(Rc::clone(&unknown)));
                    if let Flow::Raised(_) = raised {
                        return raised;
                    }
                    for (_, body) in &branches[at..] {
                        self.taint(body, &unknown);
                    }
                    self.taint(otherwise, &unknown);
                    return Flow::Next;
                }
                value if value.is_true() => return self.block(body),
                _ => {}
            }
        }
        self.block(otherwise)
    }

    fn for_statement(&mut self, target: &Expression, values: &Expression, body: &Block) -> Flow {
        let value = self.value(values);
        let items = match self.items(&value) {
            Ok(items) => items,
            Err(refusal) => {
                let unknown = self.explain(refusal, values);
                self.taint_target(target, &unknown);
                self.taint(body, &unknown);
                return self.raised(&Value::Unknown(unknown));
            }
        };
        for item in items {
            if !self.spend(1) {
                self.problem(values.line, "this loop takes too long".to_owned());
                return Flow::Stop;
            }
            self.assign(target, item, values.line);
            match self.block(body) {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
                other => return other,
            }
        }
        Flow::Next
    }

    fn with_statement(
        &mut self,
        items: &[(Expression, Option<Expression>)],
        body: &Block,
        line: u32,
    ) -> Flow {
        for (value, target) in items {
            let value = self.value(value);
            if let raised @ Flow::Raised(_) = self.raised(&value) {
                return raised;
            }
            if let Some(target) = target {
                self.assign(target, value, line);
            }
        }
        self.block(body)
    }

    fn try_statement(
        &mut self,
        body: &Block,
        handlers: &[Handler],
        otherwise: &Block,
        finally: &Block,
    ) -> Flow {
        self.tries += 1;
        let flow = self.block(body);
        self.tries -= 1;
        let flow = match flow {
            Flow::Next => self.block(otherwise),
            Flow::Raised(unknown) => self.handle(handlers, unknown),
            Flow::Break | Flow::Continue | Flow::Stop => flow,
        };
        match self.block(finally) {
            Flow::Next => flow,
            other => other,
        }
    }

    fn handle(&mut self, handlers: &[Handler], unknown: Rc<Unknown>) -> Flow {
        let raised = unknown.raises.unwrap_or("Exception");
        for handler in handlers {
            let catches = match &handler.catches {
                None => true,
                Some(expression) => {
                    let value = self.value(expression);
                    catches(&value, raised)
                }
            };
            if catches {
                if let Some(name) = &handler.name {
                    self.bind(name, Value::Unknown(Rc::clone(&unknown)), unknown.line);
                }
                return self.block(&handler.body);
            }
        }
        Flow::Raised(unknown)
    }

    fn raise_statement(&mut self, what: Option<&Expression>, line: u32) -> Flow {
        let expression = what.map_or(String::new(), |what| self.excerpt(what));
        if self.tries > 0 {
            return Flow::Raised(Rc::new(Unknown {
                line,
                expression,
                why: "the file raises this exception".to_owned(),
                raises: Some("Exception"),
            }));
        }
        self.problem(
            line,
            format!("the file ends itself here: raise {expression}"),
        );
        Flow::Stop
    }

    fn assert_statement(&mut self, condition: &Expression) -> Flow {
        match self.value(condition) {
            Value::Unknown(_) => Flow::Next,
            value if value.is_true() => Flow::Next,
            _ if self.tries > 0 => {
                let why = "this does not hold".to_owned();
                Flow::Raised(self.raising(condition, why, "AssertionError"))
            }
            _ => {
                let text = format!("`{}` does not hold", self.excerpt(condition));
                self.problem(condition.line, text);
                Flow::Stop
            }
        }
    }

    /// Takes from what the file may still compute.
    fn spend(&mut self, amount: usize) -> bool {
        self.fuel = self.fuel.saturating_sub(amount);
        self.fuel > 0
    }

    fn explain(&self, refusal: Refusal, at: &Expression) -> Rc<Unknown> {
        match refusal {
            Refusal::Unknown(unknown) => unknown,
            Refusal::Because { why, raises } => Rc::new(Unknown {
                line: at.line,
                expression: self.excerpt(at),
                why,
                raises,
            }),
        }
    }

    /// An expression for a message: on one line, not too long, and without the content of texts,
    /// since one of them may be the password.
    fn excerpt(&self, expression: &Expression) -> String {
        super::excerpt(self.source, expression.start, expression.end)
    }
}

fn unknown_at(line: u32, expression: &str, why: &str) -> Rc<Unknown> {
    Rc::new(Unknown {
        line,
        expression: expression.to_owned(),
        why: why.to_owned(),
        raises: None,
    })
}

/// Whether an `except` of this value catches this exception.
fn catches(value: &Value, raised: &str) -> bool {
    match value {
        Value::Tuple(items) => items.iter().any(|item| catches(item, raised)),
        Value::Symbol(name) => {
            let name = name.rsplit('.').next().unwrap_or(name);
            match name {
                "Exception" => raised != "SystemExit",
                "BaseException" => true,
                "LookupError" => matches!(raised, "KeyError" | "IndexError"),
                "IOError" | "OSError" | "EnvironmentError" => raised == "OSError",
                // All that matters here is that the file could not be read.
                "FileNotFoundError" | "PermissionError" | "IsADirectoryError" => {
                    raised == "OSError"
                }
                other => other == raised,
            }
        }
        _ => true,
    }
}
