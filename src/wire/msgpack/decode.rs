//! Reads one message.

use rmp::Marker;
use rmp::decode::bytes::{Bytes, BytesReadError};
use rmp::decode::{RmpRead, ValueReadError, read_marker};

use super::MsgpackError;
use crate::wire::banana::{DEPTH_LIMIT, EXPRESSION_ITEMS};
use crate::wire::jelly::Value;

/// The value that a message consists of. Memory is taken for what is there, never for what a length
/// promises. Text that is not UTF-8 becomes U+FFFD; a number above `i64::MAX` becomes a float.
///
/// # Errors
/// See [`MsgpackError`].
pub fn decode(message: &[u8]) -> Result<Value, MsgpackError> {
    let mut reader = Reader {
        bytes: Bytes::new(message),
        items: 1,
    };
    let value = reader.value(0)?;
    if reader.bytes.remaining_slice().is_empty() {
        Ok(value)
    } else {
        Err(MsgpackError::Trailing)
    }
}

struct Reader<'a> {
    bytes: Bytes<'a>,
    /// Values so far, promised ones included.
    items: usize,
}

/// The only thing that goes wrong with bytes in memory is that there are too few.
impl From<ValueReadError<BytesReadError>> for MsgpackError {
    fn from(_: ValueReadError<BytesReadError>) -> MsgpackError {
        MsgpackError::Incomplete
    }
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, MsgpackError> {
        let bytes = &mut self.bytes;
        let marker = read_marker(bytes).map_err(|_| MsgpackError::Incomplete)?;
        match marker {
            Marker::Null => Ok(Value::None),
            Marker::True => Ok(Value::Bool(true)),
            Marker::False => Ok(Value::Bool(false)),
            Marker::FixPos(number) => Ok(Value::Int(number.into())),
            Marker::FixNeg(number) => Ok(Value::Int(number.into())),
            Marker::U8 => Ok(Value::Int(bytes.read_data_u8()?.into())),
            Marker::U16 => Ok(Value::Int(bytes.read_data_u16()?.into())),
            Marker::U32 => Ok(Value::Int(bytes.read_data_u32()?.into())),
            Marker::U64 => {
                let number = bytes.read_data_u64()?;
                // Nobody counts so far; what is meant is "very many".
                Ok(i64::try_from(number).map_or(Value::Float(number as f64), Value::Int))
            }
            Marker::I8 => Ok(Value::Int(bytes.read_data_i8()?.into())),
            Marker::I16 => Ok(Value::Int(bytes.read_data_i16()?.into())),
            Marker::I32 => Ok(Value::Int(bytes.read_data_i32()?.into())),
            Marker::I64 => Ok(Value::Int(bytes.read_data_i64()?)),
            Marker::F32 => Ok(Value::Float(bytes.read_data_f32()?.into())),
            Marker::F64 => Ok(Value::Float(bytes.read_data_f64()?)),
            Marker::FixStr(length) => self.text(length.into()),
            Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                let length = self.length(marker)?;
                self.text(length)
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                let length = self.length(marker)?;
                Ok(Value::Bytes(self.take(length)?.to_vec()))
            }
            Marker::FixArray(length) => self.list(length.into(), depth),
            Marker::Array16 | Marker::Array32 => {
                let length = self.length(marker)?;
                self.list(length, depth)
            }
            Marker::FixMap(length) => self.dict(length.into(), depth),
            Marker::Map16 | Marker::Map32 => {
                let length = self.length(marker)?;
                self.dict(length, depth)
            }
            Marker::Reserved
            | Marker::FixExt1
            | Marker::FixExt2
            | Marker::FixExt4
            | Marker::FixExt8
            | Marker::FixExt16
            | Marker::Ext8
            | Marker::Ext16
            | Marker::Ext32 => Err(MsgpackError::NoSuchType),
        }
    }

    /// The length behind a marker that has one.
    fn length(&mut self, marker: Marker) -> Result<usize, MsgpackError> {
        let bytes = &mut self.bytes;
        let length = match marker {
            Marker::Str8 | Marker::Bin8 => bytes.read_data_u8()?.into(),
            Marker::Str16 | Marker::Bin16 | Marker::Array16 | Marker::Map16 => {
                bytes.read_data_u16()?.into()
            }
            _ => bytes.read_data_u32()?,
        };
        // What does not fit into memory is not there either.
        usize::try_from(length).map_err(|_| MsgpackError::Incomplete)
    }

    fn take(&mut self, length: usize) -> Result<&[u8], MsgpackError> {
        let rest = self.bytes.remaining_slice();
        let (taken, rest) = rest
            .split_at_checked(length)
            .ok_or(MsgpackError::Incomplete)?;
        self.bytes = Bytes::new(rest);
        Ok(taken)
    }

    fn text(&mut self, length: usize) -> Result<Value, MsgpackError> {
        let bytes = self.take(length)?;
        Ok(Value::Text(String::from_utf8_lossy(bytes).into_owned()))
    }

    fn list(&mut self, length: usize, depth: usize) -> Result<Value, MsgpackError> {
        let depth = self.deeper(length, depth)?;
        let mut values = Vec::with_capacity(length);
        for _ in 0..length {
            values.push(self.value(depth)?);
        }
        Ok(Value::List(values))
    }

    fn dict(&mut self, length: usize, depth: usize) -> Result<Value, MsgpackError> {
        let depth = self.deeper(length.saturating_mul(2), depth)?;
        let mut pairs = Vec::with_capacity(length);
        for _ in 0..length {
            pairs.push((self.value(depth)?, self.value(depth)?));
        }
        Ok(Value::Dict(pairs))
    }

    /// One level more, for so many values. Each takes a byte at least, so a promise that the message
    /// cannot keep is seen before anything is done about it.
    fn deeper(&mut self, values: usize, depth: usize) -> Result<usize, MsgpackError> {
        if depth >= DEPTH_LIMIT {
            return Err(MsgpackError::TooDeep);
        }
        if values > self.bytes.remaining_slice().len() {
            return Err(MsgpackError::Incomplete);
        }
        self.items += values;
        if self.items > EXPRESSION_ITEMS {
            return Err(MsgpackError::TooManyItems);
        }
        Ok(depth + 1)
    }
}
