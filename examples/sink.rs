//! A master that only takes: it attaches one worker, runs what it is told on its standard input, and
//! throws the output away. `ci/bench` measures workers with it, for a real master is slower than they
//! are.
//!
//! Prints `port N`, then `attached SECONDS` (after the connection). Each line of input is one order;
//! its words are separated by tabs:
//!
//! - `shell SCRIPT`: `done SECONDS BYTES FIRST`, where FIRST is the time to the first output;
//! - `tiny COUNT`: so many steps of `true`, one after the other;
//! - `upload PATH BLOCKSIZE TARGET`: the worker's file PATH to the file TARGET here;
//! - `download SOURCE BLOCKSIZE PATH`: the other way;
//! - `quit`.
#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code)]
#[path = "../tests/support/fake_master.rs"]
mod fake_master;

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use coracle::wire::jelly::Value;
use fake_master::{FakeMaster, Message, Object, dict, text};

const CHALLENGER: i64 = 1;
const AVATAR: i64 = 2;
/// Our ends of transfers.
const WRITER: i64 = 3;
const READER: i64 = 4;

fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("port {}", listener.local_addr().unwrap().port());
    let (stream, _) = listener.accept().unwrap();
    stream.set_nodelay(true).unwrap();
    let began = Instant::now();
    let mut sink = Sink::new(stream);
    sink.attach();
    println!("attached {:.6}", began.elapsed().as_secs_f64());
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split('\t').collect();
        let began = Instant::now();
        sink.received = 0;
        sink.first = None;
        match words.as_slice() {
            ["shell", script] => sink.shell(script),
            ["tiny", count] => {
                for _ in 0..count.parse().unwrap() {
                    sink.shell("true");
                }
            }
            ["upload", path, size, target] => sink.upload(path, size.parse().unwrap(), target),
            ["download", source, size, path] => sink.download(source, size.parse().unwrap(), path),
            ["quit"] => return,
            other => panic!("no such order: {other:?}"),
        }
        let first = sink.first.map_or(0.0, |at| (at - began).as_secs_f64());
        let seconds = began.elapsed().as_secs_f64();
        println!("done {seconds:.6} {} {first:.6}", sink.received);
    }
}

struct Sink {
    stream: TcpStream,
    master: FakeMaster,
    buffer: Vec<u8>,
    /// The worker's object for itself, and for its builder.
    bot: i64,
    builder: i64,
    next_command: i64,
    /// Bytes of output or files.
    received: u64,
    /// When the first output came.
    first: Option<Instant>,
    target: Option<File>,
    source: Option<File>,
}

impl Sink {
    fn new(stream: TcpStream) -> Sink {
        Sink {
            stream,
            master: FakeMaster::new(),
            buffer: vec![0; 1 << 20],
            bot: 0,
            builder: 0,
            next_command: 100,
            received: 0,
            first: None,
            target: None,
            source: None,
        }
    }

    /// Login and attachment with one builder, as a master does it (PROTOCOL 3.6, 4).
    fn attach(&mut self) {
        self.master.greet();
        let (login, _) = self.wait_for_call("login");
        let challenge = Value::Bytes(b"0123456789abcdef".to_vec());
        let answer = Value::Tuple(vec![challenge, Value::Remote(CHALLENGER)]);
        self.master.answer(login, &answer);
        let (respond, arguments) = self.wait_for_call("respond");
        let Some(Value::Remote(bot)) = arguments.get(1) else {
            panic!("the response lends no object: {arguments:?}")
        };
        self.bot = *bot;
        self.master.answer(respond, &Value::Remote(AVATAR));
        let print = self.master.call(self.bot, "print", &[text("attached")]);
        self.wait_for_answer(print);
        let info = self.master.call(self.bot, "getWorkerInfo", &[]);
        self.wait_for_answer(info);
        let pair = Value::Tuple(vec![text("b"), text("dir")]);
        let arguments = [Value::List(vec![pair])];
        let builders = self.master.call(self.bot, "setBuilderList", &arguments);
        let Value::Dict(builders) = self.wait_for_answer(builders) else {
            panic!("no builders")
        };
        let Some((_, Value::Remote(builder))) = builders.first() else {
            panic!("no builder: {builders:?}")
        };
        self.builder = *builder;
        let print = self.master.call(self.builder, "print", &[text("attached")]);
        self.wait_for_answer(print);
    }

    fn shell(&mut self, script: &str) {
        let arguments = dict(&[
            ("workdir", text("build")),
            ("command", text(script)),
            ("env", Value::None),
            ("want_stdout", Value::Int(1)),
            ("want_stderr", Value::Int(1)),
            ("logfiles", Value::Dict(Vec::new())),
            ("timeout", Value::Int(1200)),
            ("maxTime", Value::None),
            ("usePTY", Value::Bool(script.starts_with("PTY=1;"))),
            ("logEnviron", Value::Bool(false)),
            ("initial_stdin", Value::None),
        ]);
        self.command("shell", arguments);
    }

    fn upload(&mut self, path: &str, size: i64, target: &str) {
        self.target = Some(File::create(target).unwrap());
        let arguments = dict(&[
            ("workdir", text("build")),
            ("workersrc", text(path)),
            ("writer", Value::Remote(WRITER)),
            ("maxsize", Value::None),
            ("blocksize", Value::Int(size)),
            ("keepstamp", Value::Bool(false)),
        ]);
        self.command("uploadFile", arguments);
        self.target = None;
    }

    fn download(&mut self, source: &str, size: i64, path: &str) {
        self.source = Some(File::open(source).unwrap());
        let arguments = dict(&[
            ("workdir", text("build")),
            ("workerdest", text(path)),
            ("reader", Value::Remote(READER)),
            ("maxsize", Value::None),
            ("blocksize", Value::Int(size)),
            ("mode", Value::None),
        ]);
        self.command("downloadFile", arguments);
        self.source = None;
    }

    /// Runs a command to its end.
    fn command(&mut self, name: &str, arguments: Value) {
        let command = self.next_command;
        self.next_command += 1;
        let id = text(&command.to_string());
        let call = [Value::Remote(command), id, text(name), arguments];
        self.master.call(self.builder, "startCommand", &call);
        self.wait_for(|message| match message {
            Message::Call {
                object,
                method,
                arguments,
                ..
            } => {
                if method == "complete" && !matches!(arguments.first(), Some(Value::None)) {
                    panic!("{arguments:?}");
                }
                method == "complete" && *object == Object::Luid(command)
            }
            _ => false,
        });
    }

    fn wait_for_call(&mut self, wanted: &str) -> (i64, Vec<Value>) {
        match self
            .wait_for(|message| matches!(message, Message::Call { method, .. } if method == wanted))
        {
            Message::Call {
                request, arguments, ..
            } => (request, arguments),
            other => panic!("{other:?}"),
        }
    }

    fn wait_for_answer(&mut self, wanted: i64) -> Value {
        match self.wait_for(
            |message| matches!(message, Message::Answer { request, .. } if *request == wanted),
        ) {
            Message::Answer { value, .. } => value,
            other => panic!("{other:?}"),
        }
    }

    /// Takes everything until a message is the one that is wanted; no message behind that has come yet.
    fn wait_for(&mut self, wanted: impl Fn(&Message) -> bool) -> Message {
        loop {
            let bytes = std::mem::take(&mut self.master.bytes);
            self.stream.write_all(&bytes).unwrap();
            let count = self.stream.read(&mut self.buffer).unwrap();
            assert!(count > 0, "the worker closed the connection");
            let messages = self.master.read(&self.buffer[..count]);
            let mut found = None;
            for message in messages {
                let is_it = wanted(&message);
                self.serve(&message);
                if is_it {
                    found = Some(message);
                }
            }
            if let Some(found) = found {
                let bytes = std::mem::take(&mut self.master.bytes);
                self.stream.write_all(&bytes).unwrap();
                return found;
            }
        }
    }

    fn serve(&mut self, message: &Message) {
        let Message::Call {
            request,
            method,
            arguments,
            ..
        } = message
        else {
            if let Message::Error { value, .. } = message {
                panic!("the worker failed: {value:?}");
            }
            return;
        };
        let answer = match (method.as_str(), arguments.first()) {
            ("update", Some(updates)) => {
                let length = output(updates);
                if length > 0 {
                    self.first.get_or_insert_with(Instant::now);
                }
                self.received += length;
                Value::Int(0)
            }
            ("write", Some(block)) => {
                let bytes = match block {
                    Value::Bytes(bytes) => bytes.as_slice(),
                    Value::Text(text) => text.as_bytes(),
                    other => panic!("a block is no {other:?}"),
                };
                self.received += bytes.len() as u64;
                self.target.as_mut().unwrap().write_all(bytes).unwrap();
                Value::None
            }
            ("read", Some(Value::Int(size))) => {
                let mut block = Vec::new();
                let source = self.source.as_mut().unwrap();
                let most = u64::try_from(*size).unwrap();
                source.take(most).read_to_end(&mut block).unwrap();
                self.received += block.len() as u64;
                Value::Bytes(block)
            }
            ("login" | "respond", _) => return,
            _ => Value::None,
        };
        self.master.answer(*request, &answer);
    }
}

/// Bytes of output in an update; headers do not count.
fn output(updates: &Value) -> u64 {
    match updates {
        Value::List(parts) | Value::Tuple(parts) => parts.iter().map(output).sum(),
        Value::Dict(pairs) => pairs
            .iter()
            .filter(|(key, _)| *key == text("stdout") || *key == text("stderr"))
            .map(|(_, value)| match value {
                Value::Text(text) => text.len() as u64,
                Value::Bytes(bytes) => bytes.len() as u64,
                Value::List(parts) | Value::Tuple(parts) => match parts.first() {
                    Some(Value::Text(text)) => text.len() as u64,
                    _ => 0,
                },
                _ => 0,
            })
            .sum(),
        _ => 0,
    }
}
