//! Computes expressions.

use std::rc::Rc;

use super::super::literal::{Number, Piece};
use super::super::parse::parse_field;
use super::super::syntax::{Expression, ExpressionKind};
use super::super::value::{Computed, Refusal, Value, raise, refuse};
use super::{Evaluator, LARGEST, format, operators, paths};

/// Deepest f-strings in f-strings.
const FIELDS: u32 = 4;

/// What can be used without an import. Modules are here too: a file that forgot to import one did
/// not work with Python, and does no harm here.
const KNOWN: &[&str] = &[
    "int",
    "str",
    "float",
    "bool",
    "len",
    "list",
    "tuple",
    "set",
    "dict",
    "sorted",
    "open",
    "repr",
    "print",
    "range",
    "min",
    "max",
    "abs",
    "any",
    "all",
    "isinstance",
    "unicode",
    "bytes",
    "os",
    "sys",
    "socket",
    "platform",
    "fnmatch",
    "pathlib",
    "multiprocessing",
    "io",
    "Worker",
    "BuildSlave",
    "service",
    "LogFile",
    "FileLogObserver",
    "ILogObserver",
    "Exception",
    "BaseException",
    "KeyError",
    "LookupError",
    "IndexError",
    "ValueError",
    "TypeError",
    "OSError",
    "IOError",
    "EnvironmentError",
    "FileNotFoundError",
    "PermissionError",
    "IsADirectoryError",
    "ImportError",
    "ModuleNotFoundError",
    "NameError",
    "AttributeError",
    "RuntimeError",
    "SystemExit",
    "AssertionError",
];

impl Evaluator<'_> {
    /// The value of an expression, known or not.
    pub fn value(&mut self, expression: &Expression) -> Value {
        let computed = if self.spend(1) {
            self.compute(expression)
        } else {
            refuse("the file computes too much")
        };
        match computed {
            Ok(value) if value.size() > LARGEST => {
                let refusal = refuse::<Value>("the value is too large").err();
                refusal.map_or(Value::None, |refusal| {
                    Value::Unknown(self.explain(refusal, expression))
                })
            }
            Ok(value) => {
                self.spend(value.size() / 64);
                value
            }
            Err(refusal) => Value::Unknown(self.explain(refusal, expression)),
        }
    }

    /// The value of an expression, if it is known.
    pub fn known(&mut self, expression: &Expression) -> Computed {
        match self.value(expression) {
            Value::Unknown(unknown) => Err(Refusal::Unknown(unknown)),
            value => Ok(value),
        }
    }

    fn compute(&mut self, expression: &Expression) -> Computed {
        match &expression.kind {
            ExpressionKind::None => Ok(Value::None),
            ExpressionKind::Bool(value) => Ok(Value::Bool(*value)),
            ExpressionKind::Number(Number::Int(value)) => Ok(Value::Int(*value)),
            ExpressionKind::Number(Number::Float(value)) => Ok(Value::Float(*value)),
            ExpressionKind::Text(pieces) => self.pieces(pieces),
            ExpressionKind::Name(name) => self.name(name),
            ExpressionKind::List(items) => Ok(Value::List(self.values(items))),
            ExpressionKind::Tuple(items) => Ok(Value::Tuple(self.values(items))),
            ExpressionKind::Dict(pairs) => {
                let pairs = pairs.iter();
                let pairs = pairs.map(|(key, value)| (self.value(key), self.value(value)));
                Ok(Value::Dict(pairs.collect()))
            }
            ExpressionKind::Attribute(base, name) => {
                let base = self.known(base)?;
                self.attribute(base, name)
            }
            ExpressionKind::Call(function, arguments) => {
                self.call(function, arguments, expression.line)
            }
            ExpressionKind::Index(base, index) => {
                let base = self.known(base)?;
                let index = self.known(index)?;
                self.item(base, &index)
            }
            ExpressionKind::Slice(base, first, last) => {
                let base = self.known(base)?;
                let mut bound = |bound: &Option<Box<Expression>>| match bound {
                    Some(bound) => self.known(bound).map(Some),
                    None => Ok(None),
                };
                let (first, last) = (bound(first)?, bound(last)?);
                operators::slice(&base, first.as_ref(), last.as_ref())
            }
            ExpressionKind::Unary(operator, operand) => {
                let operand = self.known(operand)?;
                operators::unary(*operator, &operand)
            }
            ExpressionKind::Binary(operator, left, right) => {
                let left = self.known(left)?;
                let right = self.known(right)?;
                operators::binary(*operator, &left, &right, LARGEST)
            }
            ExpressionKind::Compare(left, pairs) => self.compare(left, pairs),
            ExpressionKind::And(left, right) => match self.known(left)? {
                left if left.is_true() => self.known(right),
                left => Ok(left),
            },
            ExpressionKind::Or(left, right) => match self.known(left)? {
                left if left.is_true() => Ok(left),
                _ => self.known(right),
            },
            ExpressionKind::Conditional(condition, value, other) => {
                if self.known(condition)?.is_true() {
                    self.known(value)
                } else {
                    self.known(other)
                }
            }
            ExpressionKind::Comprehension(element, target, values, conditions) => {
                self.comprehension(element, target, values, conditions)
            }
            ExpressionKind::Unsupported(what) => refuse(format!("{what} is not supported")),
        }
    }

    fn values(&mut self, expressions: &[Expression]) -> Vec<Value> {
        let values = expressions.iter().map(|expression| self.value(expression));
        values.collect()
    }

    fn pieces(&mut self, pieces: &[Piece]) -> Computed {
        let mut result = String::new();
        for piece in pieces {
            match piece {
                Piece::Fixed(text) => result.push_str(text),
                Piece::Field {
                    source,
                    conversion,
                    format,
                } => result.push_str(&self.field(source, *conversion, format)?),
            }
        }
        Ok(Value::Text(result))
    }

    fn field(&mut self, source: &str, conversion: Option<char>, spec: &str) -> Computed<String> {
        if self.fields >= FIELDS {
            return refuse("f-strings are nested too deeply");
        }
        let expression = match parse_field(source) {
            Ok(expression) => expression,
            Err(why) => return refuse(why),
        };
        self.fields += 1;
        let value = self.value(&expression);
        self.fields -= 1;
        match value {
            // Its place in the file is the place in the field; the reason is what is right.
            Value::Unknown(unknown) => Err(Refusal::Because {
                why: unknown.why.clone(),
                raises: unknown.raises,
            }),
            value => format::field(&value, conversion, spec),
        }
    }

    fn name(&mut self, name: &str) -> Computed {
        if let Some(binding) = self.names.get(name) {
            let binding = binding.clone();
            self.reads.extend(binding.sources);
            return match binding.value {
                Value::Unknown(unknown) => Err(Refusal::Unknown(unknown)),
                value => Ok(value),
            };
        }
        match name {
            "__file__" => Ok(Value::Text(self.file.clone())),
            "__name__" => Ok(Value::text("builtins")),
            _ if KNOWN.contains(&name) => Ok(self.symbol(name)),
            _ => raise("NameError", format!("the name {name} is not defined")),
        }
    }

    /// What a full name stands for.
    pub fn symbol(&self, path: &str) -> Value {
        let path = match path.strip_prefix("posixpath") {
            Some(rest) => format!("os.path{rest}"),
            None => path.to_owned(),
        };
        match path.as_str() {
            "os.environ" | "os.environb" => Value::Environment,
            "os.name" => Value::text(ports::SYSTEM_KIND),
            "os.sep" | "os.path.sep" => Value::text(std::path::MAIN_SEPARATOR_STR),
            "os.pathsep" => Value::text(ports::PATH_SEPARATOR),
            "os.linesep" => Value::text("\n"),
            "os.curdir" => Value::text("."),
            "os.pardir" => Value::text(".."),
            "sys.platform" => Value::text(platform()),
            _ => Value::Symbol(path),
        }
    }

    fn attribute(&mut self, base: Value, name: &str) -> Computed {
        match base {
            Value::Symbol(path) => Ok(self.symbol(&format!("{path}.{name}"))),
            Value::Path(path) => match name {
                "parent" => Ok(Value::Path(paths::parent(&path))),
                "name" => Ok(Value::Text(paths::base_name(&path).to_owned())),
                _ => Ok(Value::Method(Box::new(Value::Path(path)), name.to_owned())),
            },
            // `FileLogObserver(...).emit` is what older files install.
            Value::Observer(log) => Ok(Value::Observer(log)),
            base => Ok(Value::Method(Box::new(base), name.to_owned())),
        }
    }

    fn item(&mut self, base: Value, index: &Value) -> Computed {
        match (&base, index) {
            (Value::Environment, Value::Text(name)) => match self.variable(name)? {
                Some(value) => Ok(Value::Text(value)),
                None => raise("KeyError", format!("{name} is not set in the environment")),
            },
            (Value::Dict(pairs), key) => {
                let found = pairs
                    .iter()
                    .find(|(known, _)| known.equals(key) == Some(true));
                match found {
                    Some((_, Value::Unknown(unknown))) => Err(Refusal::Unknown(Rc::clone(unknown))),
                    Some((_, value)) => Ok(value.clone()),
                    None => raise("KeyError", "the dictionary has no such key"),
                }
            }
            _ => operators::item(&base, index),
        }
    }

    fn compare(
        &mut self,
        left: &Expression,
        pairs: &[(super::super::syntax::Comparison, Expression)],
    ) -> Computed {
        let mut left = self.known(left)?;
        for (comparison, right) in pairs {
            let right = self.known(right)?;
            let environment;
            let within = if let Value::Environment = right {
                environment = Value::List(self.variable_names());
                &environment
            } else {
                &right
            };
            if !operators::compare(*comparison, &left, within)? {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    fn comprehension(
        &mut self,
        element: &Expression,
        target: &Expression,
        values: &Expression,
        conditions: &[Expression],
    ) -> Computed {
        let values = self.known(values)?;
        let items = self.items(&values)?;
        // The names of a comprehension are its own.
        let mut hidden = Vec::new();
        hide(target, &mut |name| {
            hidden.push((name.to_owned(), self.names.remove(name)))
        });
        let result = self.collect(element, target, items, conditions);
        for (name, binding) in hidden {
            match binding {
                Some(binding) => self.names.insert(name, binding),
                None => self.names.remove(&name),
            };
        }
        result.map(Value::List)
    }

    fn collect(
        &mut self,
        element: &Expression,
        target: &Expression,
        items: Vec<Value>,
        conditions: &[Expression],
    ) -> Computed<Vec<Value>> {
        let mut result = Vec::new();
        'items: for item in items {
            if !self.spend(1) {
                return refuse("the file computes too much");
            }
            self.assign(target, item, target.line);
            for condition in conditions {
                if !self.known(condition)?.is_true() {
                    continue 'items;
                }
            }
            result.push(self.known(element)?);
        }
        Ok(result)
    }

    /// What a loop over the value goes through.
    pub fn items(&self, value: &Value) -> Computed<Vec<Value>> {
        match value {
            Value::List(items) | Value::Tuple(items) => Ok(items.clone()),
            Value::Text(text) => Ok(text.chars().map(Value::text).collect()),
            Value::Dict(pairs) => Ok(pairs.iter().map(|(key, _)| key.clone()).collect()),
            Value::Environment => Ok(self.variable_names()),
            Value::File(content) => Ok(content.split_inclusive('\n').map(Value::text).collect()),
            Value::Unknown(unknown) => Err(Refusal::Unknown(Rc::clone(unknown))),
            other => refuse(format!("{} cannot be gone through", other.kind())),
        }
    }
}

/// Tells the names in a target.
fn hide(target: &Expression, tell: &mut impl FnMut(&str)) {
    match &target.kind {
        ExpressionKind::Name(name) => tell(name),
        ExpressionKind::Tuple(items) | ExpressionKind::List(items) => {
            for item in items {
                hide(item, tell);
            }
        }
        _ => {}
    }
}

/// Python's name for the system, as far as files ask for it.
fn platform() -> &'static str {
    match std::env::consts::OS {
        "windows" => "win32",
        "macos" => "darwin",
        "solaris" | "illumos" => "sunos5",
        "haiku" => "haiku1",
        other => other,
    }
}
