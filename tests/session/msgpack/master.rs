//! The master's end of a conversation, made by hand.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use coracle::calls::{Answer, MasterCall, ReplyTo, StepId};
use coracle::session::msgpack::{Greeting, MsgpackSession};
use coracle::session::{Event, ProtocolError};
use coracle::wire::jelly::Value;
use coracle::wire::msgpack::{Writer, decode};
use sha1::{Digest, Sha1};

/// A master and the worker's session, joined in memory.
pub struct Master {
    pub session: MsgpackSession,
    next_number: i64,
    /// What the worker has sent and was not looked at.
    pub bytes: Vec<u8>,
}

/// A frame of the worker's, unmasked.
#[derive(Debug, PartialEq)]
pub struct Heard {
    pub opcode: u8,
    pub payload: Vec<u8>,
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn map<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Dict(
        pairs
            .into_iter()
            .map(|(key, value)| (text(key), value))
            .collect(),
    )
}

pub fn session() -> MsgpackSession {
    let greeting = Greeting {
        host: "m:1".to_owned(),
        path: "/ws".to_owned(),
        agent: "test".to_owned(),
        name: "w".to_owned(),
        password: "sekrit".to_owned(),
    };
    let mut number = 0_u32;
    let random = Box::new(move || {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        number
    });
    MsgpackSession::new(greeting, random, StepId(1))
}

/// An unmasked frame.
pub fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![head];
    match u16::try_from(payload.len()) {
        Ok(length @ 0..=125) => bytes.push(u8::try_from(length).unwrap()),
        Ok(length) => {
            bytes.push(126);
            bytes.extend(length.to_be_bytes());
        }
        Err(_) => {
            bytes.push(127);
            bytes.extend((payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// A message in one frame.
pub fn message(value: &Value) -> Vec<u8> {
    let mut payload = Vec::new();
    Writer::new(&mut payload).value(value);
    frame(0x82, &payload)
}

/// The frames in what a worker has sent, their masks taken off.
pub fn frames(bytes: &[u8]) -> Vec<Heard> {
    let mut heard = Vec::new();
    let mut rest = bytes;
    while let [head, length, after @ ..] = rest {
        assert_eq!(head & 0xf0, 0x80, "whole frames without extensions");
        assert_eq!(length & 0x80, 0x80, "a client's frames are masked");
        let (length, after) = match length & 0x7f {
            126 => (
                usize::from(u16::from_be_bytes([after[0], after[1]])),
                &after[2..],
            ),
            127 => {
                let length = u64::from_be_bytes(after[..8].try_into().unwrap());
                (usize::try_from(length).unwrap(), &after[8..])
            }
            length => (usize::from(length), after),
        };
        let (mask, after) = after.split_at(4);
        let payload = after[..length].iter().zip(mask.iter().cycle());
        heard.push(Heard {
            opcode: head & 0x0f,
            payload: payload.map(|(byte, mask)| byte ^ mask).collect(),
        });
        rest = &after[length..];
    }
    heard
}

/// The answer of a master that lets the worker in.
pub fn welcome(request: &str) -> String {
    let key = request.split("Sec-WebSocket-Key: ").nth(1).unwrap();
    let key = key.split("\r\n").next().unwrap();
    let accept = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let accept = STANDARD.encode(Sha1::digest(accept));
    format!(
        "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

impl Master {
    /// After the handshake.
    pub fn connected() -> Master {
        let mut session = session();
        let request = String::from_utf8(std::mem::take(session.outgoing())).unwrap();
        assert!(request.starts_with("GET /ws HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("\r\nHost: m:1\r\n"), "{request}");
        session.receive(welcome(&request).as_bytes()).unwrap();
        assert_eq!(session.next_event(), Some(Event::LoggedIn));
        Master {
            session,
            next_number: 0,
            bytes: Vec::new(),
        }
    }

    /// After the settings, with one builder's directory made.
    pub fn attached() -> Master {
        let mut master = Master::connected();
        master.set(65_536);
        master.ask("print", &[("message", text("attached"))]);
        assert_eq!(master.event(), Event::Attached);
        let Event::Call(MasterCall::Print { reply, .. }) = master.event() else {
            panic!("no message");
        };
        master.session.answer(reply, Answer::Nothing);
        master.heard();
        master
    }

    /// Gives the settings with this buffer size.
    pub fn set(&mut self, buffer_size: i64) {
        let settings = map([
            ("buffer_size", Value::Int(buffer_size)),
            ("buffer_timeout", Value::Int(5)),
            ("newline_re", text("x")),
            ("max_line_length", Value::Int(4096)),
        ]);
        self.ask("set_worker_settings", &[("args", settings)]);
        let Event::Call(MasterCall::SetWorkerSettings { reply, .. }) = self.event() else {
            panic!("no settings");
        };
        self.session.answer(reply, Answer::Nothing);
        self.heard();
    }

    pub fn say(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        self.session.receive(bytes)
    }

    /// Makes a request; returns its number.
    pub fn ask(&mut self, op: &str, fields: &[(&str, Value)]) -> i64 {
        let number = self.next_number;
        self.next_number += 1;
        let mut pairs = vec![
            (text("op"), text(op)),
            (text("seq_number"), Value::Int(number)),
        ];
        pairs.extend(fields.iter().map(|(key, value)| (text(key), value.clone())));
        self.say(&message(&Value::Dict(pairs))).unwrap();
        number
    }

    /// Starts a command in builder `b`, or in none.
    pub fn start(&mut self, id: &str, name: &str, builder: bool, args: Value) -> (ReplyTo, StepId) {
        let mut fields = vec![
            ("command_id", text(id)),
            ("command_name", text(name)),
            ("args", args),
        ];
        if builder {
            fields.push(("builder_name", text("b")));
        }
        self.ask("start_command", &fields);
        match self.event() {
            Event::Call(MasterCall::StartCommand {
                reply,
                step,
                builder: named,
                ..
            }) => {
                assert_eq!(named.is_some(), builder);
                (reply, step)
            }
            other => panic!("no command: {other:?}"),
        }
    }

    /// A response to a request of the worker's.
    pub fn respond(&mut self, number: i64, result: Value) {
        let response = map([
            ("op", text("response")),
            ("seq_number", Value::Int(number)),
            ("result", result),
        ]);
        self.say(&message(&response)).unwrap();
    }

    /// A response that says "it failed".
    pub fn fail(&mut self, number: i64, words: &str) {
        let response = map([
            ("op", text("response")),
            ("seq_number", Value::Int(number)),
            ("result", text(words)),
            ("is_exception", Value::Bool(true)),
        ]);
        self.say(&message(&response)).unwrap();
    }

    pub fn event(&mut self) -> Event {
        self.session.next_event().expect("an event")
    }

    /// What the worker has sent, its masks taken off.
    pub fn heard(&mut self) -> Vec<Heard> {
        self.bytes.append(self.session.outgoing());
        let bytes = std::mem::take(&mut self.bytes);
        frames(&bytes)
    }

    /// The messages that the worker has sent.
    pub fn messages(&mut self) -> Vec<Value> {
        let frames = self.heard();
        frames
            .iter()
            .filter(|heard| heard.opcode == 2)
            .map(|heard| decode(&heard.payload).unwrap())
            .collect()
    }
}
