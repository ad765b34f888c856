//! Writes messages, without values in between.

use rmp::encode;

use crate::wire::jelly::Value;

/// Appends values to bytes in the shortest form, as Python's `msgpack` does. Whoever writes a list or
/// a map writes its elements next.
pub struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    /// Appends to these bytes.
    pub fn new(out: &'a mut Vec<u8>) -> Writer<'a> {
        Writer(out)
    }

    /// nil.
    pub fn nil(&mut self) {
        written(encode::write_nil(self.0).is_ok());
    }

    /// True or false.
    pub fn boolean(&mut self, value: bool) {
        written(encode::write_bool(self.0, value).is_ok());
    }

    /// A whole number.
    pub fn int(&mut self, number: i64) {
        written(encode::write_sint(self.0, number).is_ok());
    }

    /// A number with a fraction.
    pub fn float(&mut self, number: f64) {
        written(encode::write_f64(self.0, number).is_ok());
    }

    /// A text. More than 4 GiB, which nobody has, would be cut.
    pub fn text(&mut self, text: &str) {
        written(encode::write_str(self.0, text).is_ok());
    }

    /// Bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        written(encode::write_bin(self.0, bytes).is_ok());
    }

    /// The beginning of a list of so many values.
    pub fn list_of(&mut self, length: usize) {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        written(encode::write_array_len(self.0, length).is_ok());
    }

    /// The beginning of a map of so many pairs: key, value, key, value.
    pub fn map_of(&mut self, length: usize) {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        written(encode::write_map_len(self.0, length).is_ok());
    }

    /// Any value. What MessagePack has no type for becomes nil.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::None
            | Value::Remote(_)
            | Value::Local(_)
            | Value::Failure(_)
            | Value::Unpersistable(_) => self.nil(),
            Value::Bool(value) => self.boolean(*value),
            Value::Int(number) => self.int(*number),
            Value::Float(number) => self.float(*number),
            Value::Bytes(bytes) => self.bytes(bytes),
            Value::Text(text) => self.text(text),
            Value::List(values) | Value::Tuple(values) => {
                self.list_of(values.len());
                for value in values {
                    self.value(value);
                }
            }
            Value::Dict(pairs) => {
                self.map_of(pairs.len());
                for (key, value) in pairs {
                    self.value(key);
                    self.value(value);
                }
            }
        }
    }
}

/// Memory takes everything.
fn written(ok: bool) {
    debug_assert!(ok, "writing to memory cannot fail");
}
