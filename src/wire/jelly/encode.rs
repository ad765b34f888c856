//! Writes values as expressions.

use super::super::banana::{BananaError, DEPTH_LIMIT, Writer};
use super::{RemoteFailure, Value, failure};

impl Writer<'_> {
    /// `None`.
    pub fn none(&mut self) {
        self.list(1);
        self.bytes(b"None");
    }

    /// A boolean.
    pub fn boolean(&mut self, value: bool) {
        self.list(2);
        self.bytes(b"boolean");
        self.bytes(if value { b"true" } else { b"false" });
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.list(2);
        self.bytes(b"unicode");
        self.bytes(text.as_bytes());
    }

    /// The head of a list value; its values follow.
    pub fn list_of(&mut self, length: usize) {
        self.list(length.saturating_add(1));
        self.bytes(b"list");
    }

    /// The head of a tuple; its values follow.
    pub fn tuple_of(&mut self, length: usize) {
        self.list(length.saturating_add(1));
        self.bytes(b"tuple");
    }

    /// The head of a dictionary; its pairs follow, each begun by [`Writer::pair`].
    pub fn dictionary_of(&mut self, length: usize) {
        self.list(length.saturating_add(1));
        self.bytes(b"dictionary");
    }

    /// The head of a pair; key and value follow.
    pub fn pair(&mut self) {
        self.list(2);
    }

    /// A reference to an object of ours.
    pub fn remote(&mut self, number: i64) {
        self.list(2);
        self.bytes(b"remote");
        self.int(number);
    }

    /// The head of a copied exception; its dictionary follows.
    pub fn failure_head(&mut self) {
        self.list(2);
        self.bytes(failure::FORM.as_bytes());
    }

    /// A whole value.
    pub fn value(&mut self, value: &Value) {
        self.value_within(value, 0);
    }

    fn value_within(&mut self, value: &Value, depth: usize) {
        // What is not a list in Banana does not count.
        let flat = matches!(value, Value::Int(_) | Value::Float(_) | Value::Bytes(_));
        if depth >= DEPTH_LIMIT && !flat {
            return self.fail(BananaError::TooDeep);
        }
        match value {
            Value::None => self.none(),
            Value::Bool(value) => self.boolean(*value),
            Value::Int(value) => self.int(*value),
            Value::Float(value) => self.float(*value),
            Value::Bytes(bytes) => self.bytes(bytes),
            Value::Text(text) => self.text(text),
            Value::List(values) => {
                self.list_of(values.len());
                self.values_within(values, depth);
            }
            Value::Tuple(values) => {
                self.tuple_of(values.len());
                self.values_within(values, depth);
            }
            Value::Dict(pairs) => self.pairs_within(pairs, depth),
            Value::Remote(number) => self.remote(*number),
            Value::Local(number) => {
                self.list(2);
                self.bytes(b"local");
                self.int(*number);
            }
            Value::Failure(failure) => self.remote_failure(failure),
            Value::Unpersistable(reason) => {
                self.list(2);
                self.bytes(b"unpersistable");
                self.bytes(reason.as_bytes());
            }
        }
    }

    fn values_within(&mut self, values: &[Value], depth: usize) {
        for value in values {
            self.value_within(value, depth + 1);
        }
    }

    fn pairs_within(&mut self, pairs: &[(Value, Value)], depth: usize) {
        self.dictionary_of(pairs.len());
        for (key, value) in pairs {
            self.pair();
            // The pair itself is a list too.
            self.value_within(key, depth + 2);
            self.value_within(value, depth + 2);
        }
    }

    /// A copied exception with the ten keys that all masters understand, in the order of current
    /// Twisted (PROTOCOL 3.5).
    fn remote_failure(&mut self, failure: &RemoteFailure) {
        self.failure_with_count(failure, 1);
    }

    /// A copied exception with a serial number of its own.
    pub fn failure_with_count(&mut self, failure: &RemoteFailure, count: i64) {
        self.failure_head();
        self.dictionary_of(10);
        self.key("count");
        self.int(count);
        self.key("type");
        self.bytes(failure.class.as_bytes());
        self.key("value");
        self.text(&failure.text);
        self.key("captureVars");
        self.boolean(false);
        self.key("tb");
        self.none();
        self.key("unsafeTracebacks");
        self.boolean(false);
        self.key("parents");
        self.list_of(failure.parents.len());
        for parent in &failure.parents {
            self.text(parent);
        }
        self.key("frames");
        self.list_of(0);
        self.key("stack");
        self.list_of(0);
        self.key("traceback");
        self.text(&failure.traceback);
    }

    /// The head of a pair and its key; the value follows.
    pub fn key(&mut self, key: &str) {
        self.pair();
        self.text(key);
    }
}
