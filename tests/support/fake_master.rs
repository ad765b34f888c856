//! The master's half of a conversation, for what a real master cannot be made to do on a fake clock:
//! it encodes calls and answers, and decodes what the worker sends.

use coracle::wire::banana::{Decoder, Item, encode};
use coracle::wire::jelly::{Value, unjelly};

/// A message of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    Dialect(String),
    Version(i64),
    Call {
        request: i64,
        object: Object,
        method: String,
        arguments: Vec<Value>,
    },
    Answer {
        request: i64,
        value: Value,
    },
    Error {
        request: i64,
        value: Value,
    },
    Decref(i64),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    Root,
    Luid(i64),
}

#[derive(Default)]
pub struct FakeMaster {
    decoder: Decoder,
    next_request: i64,
    dialect_seen: bool,
    /// Bytes for the worker.
    pub bytes: Vec<u8>,
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn dict(pairs: &[(&str, Value)]) -> Value {
    Value::Dict(
        pairs
            .iter()
            .map(|(key, value)| (text(key), value.clone()))
            .collect(),
    )
}

impl FakeMaster {
    pub fn new() -> FakeMaster {
        FakeMaster {
            decoder: Decoder::new(),
            next_request: 1,
            dialect_seen: false,
            bytes: Vec::new(),
        }
    }

    /// The dialects and the version, as a master sends them first.
    pub fn greet(&mut self) {
        // Words of the vocabulary are not legal yet (PROTOCOL 1.4).
        self.bytes
            .extend_from_slice(b"\x02\x80\x02\x82pb\x04\x82none");
        encode(&mut self.bytes, |out| {
            out.list(2);
            out.bytes(b"version");
            out.int(6);
        })
        .unwrap();
    }

    pub fn answer(&mut self, request: i64, value: &Value) {
        encode(&mut self.bytes, |out| {
            out.list(3);
            out.bytes(b"answer");
            out.int(request);
            out.value(value);
        })
        .unwrap();
    }

    /// An answer that says "it failed", as Twisted writes it.
    pub fn error(&mut self, request: i64, kind: &str, message: &str) {
        encode(&mut self.bytes, |out| {
            out.list(3);
            out.bytes(b"error");
            out.int(request);
            out.list(2);
            out.bytes(b"twisted.spread.pb.CopyableFailure");
            out.value(&dict(&[
                ("type", Value::Bytes(kind.as_bytes().to_vec())),
                ("value", text(message)),
                ("parents", Value::List(vec![text(kind)])),
                ("traceback", text("Traceback unavailable\n")),
            ]));
        })
        .unwrap();
    }

    /// Calls a method of an object of the worker; returns the number of the request.
    pub fn call(&mut self, object: i64, method: &str, arguments: &[Value]) -> i64 {
        let request = self.next_request;
        self.next_request += 1;
        encode(&mut self.bytes, |out| {
            out.list(7);
            out.bytes(b"message");
            out.int(request);
            out.int(object);
            out.bytes(method.as_bytes());
            out.int(1);
            out.value(&Value::Tuple(arguments.to_vec()));
            out.value(&Value::Dict(Vec::new()));
        })
        .unwrap();
        request
    }

    /// What the worker has sent.
    pub fn read(&mut self, mut bytes: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(item) = self.decoder.next(&mut bytes).unwrap() {
            messages.push(message(item));
            if !self.dialect_seen {
                self.dialect_seen = true;
                self.decoder.allow_words();
            }
        }
        messages
    }
}

fn message(item: Item) -> Message {
    let parts = match item {
        Item::Bytes(dialect) => return Message::Dialect(String::from_utf8(dialect).unwrap()),
        Item::List(parts) => parts,
        other => panic!("the worker sent {other:?}"),
    };
    let mut parts = parts.into_iter();
    let word = name(parts.next().unwrap());
    let mut next = || parts.next().unwrap();
    match word.as_str() {
        "version" => Message::Version(number(&next())),
        "answer" => Message::Answer {
            request: number(&next()),
            value: value(next()),
        },
        "error" => Message::Error {
            request: number(&next()),
            value: value(next()),
        },
        "decref" => Message::Decref(number(&next())),
        "message" => {
            let request = number(&next());
            let object = match next() {
                Item::Bytes(_) => Object::Root,
                item => Object::Luid(number(&item)),
            };
            let method = name(next());
            next();
            let Value::Tuple(arguments) = value(next()) else {
                panic!("arguments are a tuple")
            };
            Message::Call {
                request,
                object,
                method,
                arguments,
            }
        }
        other => panic!("the worker sent the word {other}"),
    }
}

fn number(item: &Item) -> i64 {
    match item {
        Item::Int(number) => *number,
        other => panic!("{other:?} is no number"),
    }
}

fn name(item: Item) -> String {
    match item {
        Item::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
        other => panic!("{other:?} is no name"),
    }
}

fn value(item: Item) -> Value {
    unjelly(item, &mut Vec::new()).unwrap()
}
