//! Reads the recorded sessions of this directory; see README.md for their format.

use std::fs;
use std::path::Path;

use coracle::wire::banana::Item;
use serde_json::Value as Json;

/// One direction of a connection, as the recordings name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Master,
    Worker,
}

/// One expression as it was on the wire.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Where it is, for an error.
    pub place: String,
    pub connection: u64,
    pub from: From,
    pub bytes: Vec<u8>,
    pub sexp: Json,
}

/// One recorded session.
#[derive(Debug, Clone)]
pub struct Recording {
    pub name: String,
    pub units: Vec<Unit>,
}

/// All recorded sessions.
pub fn all() -> Vec<Recording> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut names: Vec<String> = fs::read_dir(directory)
        .expect("tests/vectors can be read")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".jsonl").map(str::to_owned))
        .collect();
    names.sort();
    names.iter().map(|name| one(name)).collect()
}

/// The recorded session of this name.
pub fn one(name: &str) -> Recording {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(format!("{name}.jsonl"));
    let text = fs::read_to_string(&path).expect("the recording can be read");
    let units = text
        .lines()
        .enumerate()
        .filter_map(|(index, line)| unit(&format!("{name}:{}", index + 1), line))
        .collect();
    Recording {
        name: name.to_owned(),
        units,
    }
}

/// One line; none for the end of a direction.
fn unit(place: &str, line: &str) -> Option<Unit> {
    let json: Json = serde_json::from_str(line).expect("a line is JSON");
    let bytes = hex(json["hex"].as_str()?);
    let from = match json["dir"].as_str() {
        Some("m->w") => From::Master,
        Some("w->m") => From::Worker,
        other => unreachable!("{place}: direction {other:?}"),
    };
    Some(Unit {
        place: place.to_owned(),
        connection: json["conn"].as_u64().expect("a connection has a number"),
        from,
        bytes,
        sexp: json["sexp"].clone(),
    })
}

/// Whether an expression is what the recording says it is.
pub fn same(item: &Item, sexp: &Json) -> bool {
    match (item, sexp) {
        (Item::Int(number), Json::Number(_)) => sexp.as_i64() == Some(*number),
        (Item::Bytes(bytes), Json::String(text)) => bytes == text.as_bytes(),
        (Item::Bytes(bytes), Json::Object(object)) => {
            object.get("hex").and_then(Json::as_str).map(hex).as_ref() == Some(bytes)
        }
        // The reader of JSON may be off by the last bit; the bytes are compared elsewhere.
        (Item::Float(number), Json::Object(object)) => object
            .get("float")
            .and_then(Json::as_f64)
            .is_some_and(|other| (number - other).abs() <= other.abs() * f64::EPSILON),
        (Item::List(items), Json::Array(list)) => {
            items.len() == list.len() && items.iter().zip(list).all(|(item, sexp)| same(item, sexp))
        }
        (_, _) => false,
    }
}

pub fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|index| u8::from_str_radix(&text[2 * index..2 * index + 2], 16).expect("hex digits"))
        .collect()
}
