//! A master over TCP, driven by the test: accepts, attaches, starts commands, and answers only what
//! it is told to.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use coracle::wire::jelly::Value;

use crate::support::fake_master::{FakeMaster, Message, Object, dict, text};

/// What a worker may take to do anything at all, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The worker's object for itself, and for its only builder.
pub const BOT: i64 = 1;
pub const BUILDER: i64 = 2;

const CHALLENGER: i64 = 1;
const AVATAR: i64 = 2;

/// Waits for connections of one worker.
pub struct Master {
    listener: TcpListener,
}

impl Master {
    pub fn new() -> Master {
        Master::from(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// At an address of the test's choice.
    pub fn from(listener: TcpListener) -> Master {
        listener.set_nonblocking(true).unwrap();
        Master { listener }
    }

    pub fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// The next connection.
    pub fn accept(&self) -> Session {
        self.accept_within(PATIENCE)
            .unwrap_or_else(|| panic!("no connection within {PATIENCE:?}"))
    }

    pub fn accept_within(&self, time: Duration) -> Option<Session> {
        let until = Instant::now() + time;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => return Some(Session::new(stream)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
            if Instant::now() >= until {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Takes connections until one gets as far as being attached.
    pub fn attach(&self) -> Session {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let mut session = self.accept();
            if session.try_attach().is_ok() {
                return session;
            }
        }
        panic!("the worker did not attach within {PATIENCE:?}")
    }
}

/// The connection is over.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone;

/// One connection.
pub struct Session {
    pub stream: TcpStream,
    pub master: FakeMaster,
    /// What has come and was not taken.
    pub heard: Vec<Message>,
    /// Whether updates and ends are answered as they come.
    pub acknowledges: bool,
    /// Bytes of updates heard.
    pub output: Vec<u8>,
}

impl Session {
    fn new(stream: TcpStream) -> Session {
        stream.set_nonblocking(false).unwrap();
        stream.set_nodelay(true).unwrap();
        Session {
            stream,
            master: FakeMaster::new(),
            heard: Vec::new(),
            acknowledges: true,
            output: Vec::new(),
        }
    }

    /// Sends what the master has to say.
    pub fn flush(&mut self) -> Result<(), Gone> {
        let bytes = std::mem::take(&mut self.master.bytes);
        self.stream.write_all(&bytes).map_err(|_| Gone)
    }

    /// Reads once, or until the deadline.
    fn read(&mut self, until: Instant) -> Result<(), Gone> {
        let left = until.saturating_duration_since(Instant::now());
        let left = left.max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(left)).unwrap();
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(Gone),
            Ok(count) => {
                let messages = self.master.read(&buffer[..count]);
                for message in messages {
                    self.note(message);
                }
                self.flush()
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(()),
                _ => Err(Gone),
            },
        }
    }

    fn note(&mut self, message: Message) {
        if let Message::Call {
            request, method, ..
        } = &message
        {
            let answer = match method.as_str() {
                "update" => Some(Value::Int(0)),
                "complete" | "keepalive" | "shutdown" => Some(Value::None),
                _ => None,
            };
            if let Some(answer) = answer.filter(|_| self.acknowledges) {
                self.master.answer(*request, &answer);
            }
            if method == "update" {
                if let Message::Call { arguments, .. } = &message {
                    self.output.extend(texts(arguments));
                }
                return;
            }
        }
        self.heard.push(message);
    }

    /// Waits for the first message that fits, and takes it.
    pub fn wait_for(&mut self, wanted: impl Fn(&Message) -> bool) -> Result<Message, Gone> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.heard.iter().position(&wanted) {
                return Ok(self.heard.remove(at));
            }
            assert!(Instant::now() < until, "waited in vain: {:?}", self.heard);
            self.read(until)?;
        }
    }

    pub fn wait_for_call(&mut self, wanted: &str) -> Result<(i64, Vec<Value>), Gone> {
        match self.wait_for(|message| is_call(message, wanted))? {
            Message::Call {
                request, arguments, ..
            } => Ok((request, arguments)),
            other => panic!("{other:?}"),
        }
    }

    pub fn wait_for_answer(&mut self, wanted: i64) -> Result<Value, Gone> {
        let is_it = |message: &Message| matches!(message, Message::Answer { request, .. } | Message::Error { request, .. } if *request == wanted);
        match self.wait_for(is_it)? {
            Message::Answer { value, .. } => Ok(value),
            other => panic!("{other:?}"),
        }
    }

    /// Waits for output that contains a text.
    pub fn wait_for_output(&mut self, wanted: &str) -> Result<(), Gone> {
        let until = Instant::now() + PATIENCE;
        while !self.shown().contains(wanted) {
            assert!(Instant::now() < until, "no {wanted:?} in {}", self.shown());
            self.read(until)?;
        }
        Ok(())
    }

    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    /// The worker has closed the connection, or closes it within this time; whether in order.
    pub fn wait_for_end(&mut self, time: Duration) -> Option<Gone> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            if self.read(until).is_err() {
                return Some(Gone);
            }
        }
        None
    }

    /// Up to the worker's login call.
    pub fn greet(&mut self) -> Result<i64, Gone> {
        self.master.greet();
        self.flush()?;
        Ok(self.wait_for_call("login")?.0)
    }

    /// Answers the login and takes the response; returns the number of that call.
    pub fn challenge(&mut self, login: i64) -> Result<i64, Gone> {
        let challenge = Value::Bytes(b"0123456789abcdef".to_vec());
        let answer = Value::Tuple(vec![challenge, Value::Remote(CHALLENGER)]);
        self.master.answer(login, &answer);
        self.flush()?;
        Ok(self.wait_for_call("respond")?.0)
    }

    pub fn let_in(&mut self, respond: i64) -> Result<(), Gone> {
        self.master.answer(respond, &Value::Remote(AVATAR));
        self.flush()
    }

    /// Login and attachment with one builder, as a master does it.
    pub fn try_attach(&mut self) -> Result<(), Gone> {
        let login = self.greet()?;
        let respond = self.challenge(login)?;
        let print = self.master.call(BOT, "print", &[text("attached")]);
        let info = self.master.call(BOT, "getWorkerInfo", &[]);
        let builders = self.set_builders(&[("b", "dir")]);
        self.flush()?;
        for request in [print, info, builders] {
            self.wait_for_answer(request)?;
        }
        self.let_in(respond)
    }

    pub fn set_builders(&mut self, builders: &[(&str, &str)]) -> i64 {
        let pair = |(name, dir): &(&str, &str)| Value::Tuple(vec![text(name), text(dir)]);
        let pairs = builders.iter().map(pair).collect();
        self.master
            .call(BOT, "setBuilderList", &[Value::List(pairs)])
    }

    /// Starts a shell command; the master's object for it has this number.
    pub fn start(&mut self, builder: i64, command: i64, script: &str) -> Result<(), Gone> {
        let arguments = dict(&[("workdir", text("build")), ("command", text(script))]);
        self.start_command(builder, command, "shell", arguments)
    }

    pub fn start_command(
        &mut self,
        builder: i64,
        command: i64,
        name: &str,
        arguments: Value,
    ) -> Result<(), Gone> {
        let id = text(&command.to_string());
        let call = [Value::Remote(command), id, text(name), arguments];
        let request = self.master.call(builder, "startCommand", &call);
        self.flush()?;
        self.wait_for_answer(request).map(drop)
    }

    pub fn interrupt(&mut self, builder: i64, command: i64) -> Result<(), Gone> {
        let id = text(&command.to_string());
        self.master
            .call(builder, "interruptCommand", &[id, text("enough")]);
        self.flush()
    }

    /// Waits for the end of a command; nothing if it went well, or the failure.
    pub fn wait_for_complete(&mut self, command: i64) -> Result<Value, Gone> {
        let is_it = |message: &Message| {
            is_call(message, "complete")
                && matches!(message, Message::Call { object, .. } if *object == Object::Luid(command))
        };
        match self.wait_for(is_it)? {
            Message::Call { arguments, .. } => Ok(arguments.into_iter().next().unwrap()),
            other => panic!("{other:?}"),
        }
    }

    /// A command from start to end; its output, headers and exit code included.
    pub fn run(&mut self, builder: i64, command: i64, script: &str) -> Result<String, Gone> {
        self.output.clear();
        self.start(builder, command, script)?;
        self.wait_for_complete(command)?;
        Ok(self.shown())
    }

    /// Closes in both directions.
    pub fn close(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

pub fn is_call(message: &Message, wanted: &str) -> bool {
    matches!(message, Message::Call { method, .. } if method == wanted)
}

/// The texts and exit codes of an update call, one after the other.
fn texts(arguments: &[Value]) -> Vec<u8> {
    fn walk(value: &Value, out: &mut Vec<u8>) {
        match value {
            Value::Text(text) => out.extend(text.as_bytes()),
            Value::List(parts) | Value::Tuple(parts) => parts.iter().for_each(|v| walk(v, out)),
            Value::Dict(pairs) => {
                for (key, value) in pairs {
                    match value {
                        Value::Int(code) if *key == text("rc") => {
                            out.extend(format!("[rc {code}]").as_bytes());
                        }
                        _ => walk(value, out),
                    }
                }
            }
            _ => {}
        }
    }
    let mut out = Vec::new();
    arguments.iter().for_each(|value| walk(value, &mut out));
    out
}
