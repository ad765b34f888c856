//! Reads the recorded sessions of tests/vectors/msgpack; see tests/vectors/README.md for their format.

use std::fs;
use std::path::Path;

use coracle::wire::jelly::Value;
use coracle::wire::msgpack::decode;
use serde_json::Value as Json;

use crate::recording::{From, hex};

/// One header block or one frame.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Where it is, for an error.
    pub place: String,
    pub connection: u64,
    pub from: From,
    pub bytes: Vec<u8>,
    pub content: Content,
}

#[derive(Debug, Clone)]
pub enum Content {
    /// The lines of a header block.
    Http(Vec<String>),
    /// A message, and what the recording says it is.
    Message {
        payload: Vec<u8>,
        value: Value,
        json: Json,
    },
}

pub struct Recording {
    pub name: String,
    pub units: Vec<Unit>,
}

/// All recorded sessions.
pub fn all() -> Vec<Recording> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/msgpack");
    let mut paths: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

/// The recorded session of this name.
pub fn one(name: &str) -> Recording {
    all().into_iter().find(|r| r.name == name).unwrap()
}

fn read(path: &Path) -> Recording {
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let text = fs::read_to_string(path).unwrap();
    let units = text
        .lines()
        .enumerate()
        .filter_map(|(index, line)| unit(&format!("{name}:{}", index + 1), line))
        .collect();
    Recording { name, units }
}

/// One line; none for the end of a direction.
fn unit(place: &str, line: &str) -> Option<Unit> {
    let json: Json = serde_json::from_str(line).unwrap();
    let bytes = hex(json["hex"].as_str()?);
    let content = match json["http"].as_array() {
        Some(lines) => {
            let lines = lines.iter().map(|line| line.as_str().unwrap().to_owned());
            Content::Http(lines.collect())
        }
        None => {
            let payload = hex(json["payload_hex"].as_str().unwrap());
            Content::Message {
                value: decode(&payload).unwrap(),
                payload,
                json: json["msgpack"].clone(),
            }
        }
    };
    Some(Unit {
        place: place.to_owned(),
        connection: json["conn"].as_u64().unwrap(),
        from: match json["dir"].as_str() {
            Some("m->w") => From::Master,
            _ => From::Worker,
        },
        bytes,
        content,
    })
}

/// Whether a value is what the recording says it is.
pub fn same(value: &Value, json: &Json) -> bool {
    match (value, json) {
        (Value::None, Json::Null) => true,
        (Value::Bool(value), Json::Bool(other)) => value == other,
        (Value::Int(number), Json::Number(_)) => json.as_i64() == Some(*number),
        (Value::Text(text), Json::String(other)) => text == other,
        // Bytes that are text are shown as such.
        (Value::Bytes(bytes), Json::String(text)) => bytes == text.as_bytes(),
        (Value::Bytes(bytes), Json::Object(object)) => {
            object.get("hex").and_then(Json::as_str).map(hex).as_ref() == Some(bytes)
        }
        // The reader of JSON may be off by the last bit; the bytes are compared elsewhere.
        (Value::Float(number), Json::Object(object)) => object
            .get("float")
            .and_then(Json::as_f64)
            .is_some_and(|other| (number - other).abs() <= other.abs() * f64::EPSILON),
        (Value::List(values), Json::Array(list)) => {
            values.len() == list.len() && values.iter().zip(list).all(|(a, b)| same(a, b))
        }
        (Value::Dict(pairs), Json::Object(object)) => {
            pairs.len() == object.len()
                && pairs.iter().all(|(key, value)| {
                    matches!(key, Value::Text(key)
                        if object.get(key).is_some_and(|json| same(value, json)))
                })
        }
        (_, _) => false,
    }
}
