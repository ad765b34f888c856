//! A master on a socket, which does what the test says and takes everything the worker sends.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use coracle::wire::jelly::Value;

use crate::support::fake_master::{FakeMaster, Message, dict, text};

/// Longer than anything here takes, even on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(30);

const BOT: i64 = 1;
const BUILDER: i64 = 2;

/// One connection of a worker.
pub struct Master {
    stream: TcpStream,
    fake: FakeMaster,
    heard: Vec<Message>,
}

impl Master {
    /// Takes a connection, lets the worker log in and gives it the builder `b` in `dir`.
    pub fn attach(listener: &TcpListener) -> Master {
        let deadline = Instant::now() + LIMIT;
        let stream = loop {
            match listener.accept() {
                Ok((stream, _)) => break stream,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            assert!(Instant::now() < deadline, "nobody connects");
            std::thread::sleep(Duration::from_millis(5));
        };
        stream.set_nonblocking(false).unwrap();
        let pause = Duration::from_millis(10);
        stream.set_read_timeout(Some(pause)).unwrap();
        let mut master = Master {
            stream,
            fake: FakeMaster::new(),
            heard: Vec::new(),
        };
        master.fake.greet();
        let login = master.wait_for_call("login");
        let challenge = Value::Bytes(b"0123456789abcdef".to_vec());
        let answer = Value::Tuple(vec![challenge, Value::Remote(1)]);
        master.fake.answer(login, &answer);
        let respond = master.wait_for_call("respond");
        let pair = Value::Tuple(vec![text("b"), text("dir")]);
        master
            .fake
            .call(BOT, "setBuilderList", &[Value::List(vec![pair])]);
        master.fake.answer(respond, &Value::Remote(2));
        let is_answer = |message: &Message| matches!(message, Message::Answer { .. });
        master.wait_for(is_answer);
        master
    }

    /// Has the worker run a script in `dir/build`; the numbers are the command's.
    pub fn start(&mut self, number: i64, script: &str) {
        let arguments = dict(&[("workdir", text("build")), ("command", text(script))]);
        let command = Value::Remote(number + 10);
        let id = text(&number.to_string());
        let call = [command, id, text("shell"), arguments];
        self.fake.call(BUILDER, "startCommand", &call);
        self.turn();
    }

    /// Waits until a command is over; what it printed.
    pub fn wait_for_end(&mut self) -> String {
        self.wait_for_call("complete");
        let mut printed = String::new();
        for message in &self.heard {
            if let Message::Call {
                method, arguments, ..
            } = message
            {
                if method == "update" {
                    collect(arguments, &mut printed);
                }
            }
        }
        printed
    }

    /// Carries bytes both ways for a moment.
    pub fn turn(&mut self) {
        let bytes = std::mem::take(&mut self.fake.bytes);
        self.stream.write_all(&bytes).unwrap();
        let mut buffer = [0; 65536];
        let count = match self.stream.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(error) => panic!("{error}"),
        };
        let messages = self.fake.read(&buffer[..count]);
        for message in &messages {
            if let Message::Call {
                request, method, ..
            } = message
            {
                match method.as_str() {
                    "login" | "respond" => {}
                    "update" => self.fake.answer(*request, &Value::Int(0)),
                    _ => self.fake.answer(*request, &Value::None),
                }
            }
        }
        self.heard.extend(messages);
    }

    fn wait_for(&mut self, wanted: impl Fn(&Message) -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !self.heard.iter().any(&wanted) {
            assert!(Instant::now() < deadline, "only {:?}", self.heard);
            self.turn();
        }
    }

    fn wait_for_call(&mut self, wanted: &str) -> i64 {
        let is_it =
            |message: &Message| matches!(message, Message::Call { method, .. } if method == wanted);
        self.wait_for(is_it);
        let at = self.heard.iter().position(is_it).unwrap();
        match self.heard.remove(at) {
            Message::Call { request, .. } => request,
            other => panic!("{other:?}"),
        }
    }
}

/// All texts in a value.
fn collect(values: &[Value], into: &mut String) {
    for value in values {
        match value {
            Value::Text(text) => into.push_str(text),
            Value::List(values) | Value::Tuple(values) => collect(values, into),
            Value::Dict(pairs) => {
                for (_, value) in pairs {
                    collect(std::slice::from_ref(value), into);
                }
            }
            _ => {}
        }
    }
}
