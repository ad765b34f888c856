//! A whole conversation in MessagePack over WebSocket in memory, on a clock that the test moves. The
//! steps are real.

#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code)]
#[path = "session/msgpack/master.rs"]
mod master;
mod support;

use std::fs;
use std::time::{Duration, Instant};

use coracle::basedir;
use coracle::session::keepalive::Keepalive;
use coracle::wire::jelly::Value;
use coracle::wire::msgpack::decode;
use coracle::worker::LoopEvent;
use coracle::worker::builders::Builders;
use coracle::worker::conversation::{Conversation, End, Workplace};
use coracle::worker::running::RunningSteps;
use master::{frame, frames, map, message, session, text, welcome};
use smol::channel::Receiver;
use support::scratch::Scratch;

/// A worker without a connection.
struct Worker {
    workplace: Workplace,
    inbox: Receiver<LoopEvent>,
    scratch: Scratch,
}

impl Worker {
    fn new(name: &str) -> Worker {
        let scratch = Scratch::new(name);
        let tac = format!(
            "from buildbot_worker.bot import Worker\n\
             basedir = '{}'\n\
             application = service.Application('buildbot-worker')\n\
             s = Worker('localhost', 9989, 'box', 'sekrit', basedir, 60, \
             protocol='msgpack_experimental_v7')\n",
            scratch.path().display()
        );
        fs::write(scratch.path().join("buildbot.tac"), tac).unwrap();
        let settings = basedir::read(scratch.path()).unwrap();
        let (events, inbox) = smol::channel::unbounded();
        let workplace = Workplace {
            environment: settings.environment.clone(),
            builders: Builders::new(settings.basedir.clone(), false),
            steps: RunningSteps::new(events),
            settings,
        };
        Worker {
            workplace,
            inbox,
            scratch,
        }
    }

    fn path(&self, name: &str) -> String {
        self.scratch.path().join(name).to_str().unwrap().to_owned()
    }

    fn connect(&mut self) -> Pair<'_> {
        let now = Instant::now();
        let keepalive = Keepalive::new(Some(Duration::from_secs(60)), Duration::from_secs(30), now);
        let mut pair = Pair {
            base: self.path(""),
            worker: Conversation::new(&mut self.workplace, session(), keepalive, now),
            inbox: self.inbox.clone(),
            now,
            next_number: 0,
            heard: Vec::new(),
            pings: Vec::new(),
            closed: false,
            answered: 0,
        };
        let request = std::mem::take(pair.worker.outgoing());
        let answer = welcome(&String::from_utf8(request).unwrap());
        pair.worker.received(answer.as_bytes(), now).unwrap();
        pair
    }
}

/// Both ends of a connection.
struct Pair<'a> {
    base: String,
    worker: Conversation<'a>,
    inbox: Receiver<LoopEvent>,
    now: Instant,
    next_number: i64,
    /// All messages of the worker.
    heard: Vec<Value>,
    /// Its pings.
    pings: Vec<Vec<u8>>,
    closed: bool,
    /// How many of its messages have a response or need none.
    answered: usize,
}

fn field(value: &Value, name: &str) -> Option<Value> {
    let Value::Dict(pairs) = value else {
        panic!("no map: {value}");
    };
    let found = pairs.iter().find(|(key, _)| *key == text(name));
    found.map(|(_, value)| value.clone())
}

fn op(value: &Value) -> String {
    field(value, "op").unwrap().into_text().unwrap()
}

impl Pair<'_> {
    fn listen(&mut self) {
        let bytes = std::mem::take(self.worker.outgoing());
        for heard in frames(&bytes) {
            match heard.opcode {
                2 => self.heard.push(decode(&heard.payload).unwrap()),
                9 => self.pings.push(heard.payload),
                8 => self.closed = true,
                other => panic!("opcode {other}"),
            }
        }
    }

    fn say(&mut self, bytes: &[u8]) {
        self.worker.received(bytes, self.now).unwrap();
        self.listen();
    }

    fn ask(&mut self, op: &str, fields: &[(&str, Value)]) -> i64 {
        let number = self.next_number;
        self.next_number += 1;
        let mut pairs = vec![
            (text("op"), text(op)),
            (text("seq_number"), Value::Int(number)),
        ];
        pairs.extend(fields.iter().map(|(key, value)| (text(key), value.clone())));
        self.say(&message(&Value::Dict(pairs)));
        number
    }

    /// The response to a request of the master, if there is one.
    fn response(&self, number: i64) -> Option<Value> {
        let found = self.heard.iter().find(|message| {
            op(message) == "response" && field(message, "seq_number") == Some(Value::Int(number))
        });
        found.cloned()
    }

    /// Answers everything with nothing, as a master does.
    fn acknowledge(&mut self) {
        while self.answered < self.heard.len() {
            let message = self.heard[self.answered].clone();
            self.answered += 1;
            if op(&message) != "response" {
                let response = map([
                    ("op", text("response")),
                    ("seq_number", field(&message, "seq_number").unwrap()),
                    ("result", Value::None),
                ]);
                self.say(&self::message(&response));
            }
        }
        for ping in std::mem::take(&mut self.pings) {
            self.say(&frame(0x8a, &ping));
        }
    }

    /// Lets the steps speak until something is so.
    fn until(&mut self, is_so: impl Fn(&Self) -> bool) {
        self.acknowledge();
        while !is_so(self) {
            let event = smol::block_on(smol::future::or(
                async { self.inbox.recv().await.ok() },
                async {
                    smol::Timer::after(Duration::from_secs(20)).await;
                    None
                },
            ));
            let Some(LoopEvent::Step(step, event)) = event else {
                panic!("no step speaks: {:?}", self.heard)
            };
            self.worker.step_says(step, event, self.now);
            self.listen();
            self.acknowledge();
        }
    }

    fn completions(&self) -> usize {
        self.heard
            .iter()
            .filter(|message| op(message) == "complete")
            .count()
    }

    fn until_complete(&mut self) {
        let before = self.completions();
        self.until(|pair| pair.completions() > before);
    }

    fn set(&mut self, newline_re: &str, max_line_length: i64) -> i64 {
        let settings = map([
            ("buffer_size", Value::Int(65_536)),
            ("buffer_timeout", Value::Int(5)),
            ("newline_re", text(newline_re)),
            ("max_line_length", Value::Int(max_line_length)),
        ]);
        self.ask("set_worker_settings", &[("args", settings)])
    }

    fn command(&mut self, id: &str, name: &str, builder: Option<&str>, args: Value) -> i64 {
        let mut fields = vec![
            ("command_id", text(id)),
            ("command_name", text(name)),
            ("args", args),
        ];
        if let Some(builder) = builder {
            fields.push(("builder_name", text(builder)));
        }
        self.ask("start_command", &fields)
    }

    fn shell(&mut self, id: &str, script: &str) {
        let args = map([
            ("workdir", text(&format!("{}b/build", self.base))),
            ("command", text(script)),
            ("logEnviron", Value::Bool(false)),
        ]);
        self.command(id, "shell", Some("b"), args);
    }

    /// As a 4.3 master does it, for a worker without builders.
    fn attach(&mut self) {
        self.ask("print", &[("message", text("attached"))]);
        self.ask("get_worker_info", &[]);
        self.set("(\\r\\n|x)", 4096);
        let path = map([("path", text(&self.base))]);
        self.command("1", "listdir", None, path);
        assert!(!self.worker.is_attached());
        self.until_complete();
        assert!(self.worker.is_attached());
    }

    /// The lines of a stream that the master has heard, with positions and times as they came.
    fn stream(&self, id: &str, key: &str) -> (String, Vec<i64>, Vec<f64>) {
        let mut all = (String::new(), Vec::new(), Vec::new());
        for message in &self.heard {
            let ours = field(message, "command_id") == Some(text(id));
            let Some(Value::List(entries)) = field(message, "args").filter(|_| ours) else {
                continue;
            };
            for entry in entries {
                let Value::List(parts) = entry else {
                    panic!("no pair");
                };
                if parts[0] != text(key) {
                    continue;
                }
                let Value::List(lines) = &parts[1] else {
                    all.1.push(match parts[1] {
                        Value::Int(number) => number,
                        _ => panic!("no number"),
                    });
                    continue;
                };
                let [
                    Value::Text(text),
                    Value::List(positions),
                    Value::List(times),
                ] = &lines[..]
                else {
                    panic!("no lines: {lines:?}");
                };
                let before = i64::try_from(all.0.chars().count()).unwrap();
                all.0.push_str(text);
                all.1
                    .extend(positions.iter().map(|position| match position {
                        Value::Int(number) => before + number,
                        other => panic!("{other}"),
                    }));
                all.2.extend(times.iter().map(|time| match time {
                    Value::Float(time) => *time,
                    other => panic!("{other}"),
                }));
            }
        }
        all
    }

    fn pass(&mut self, seconds: u64) -> Result<(), End> {
        self.now += Duration::from_secs(seconds);
        let outcome = self.worker.tick(self.now);
        self.listen();
        outcome
    }
}

#[test]
fn a_worker_without_builders_is_attached_without_being_told() {
    let mut worker = Worker::new("msgpack-attach");
    let mut pair = worker.connect();
    pair.attach();
    let info = pair.response(1).unwrap();
    let info = field(&info, "result").unwrap();
    let base = field(&info, "basedir").unwrap().into_text().unwrap();
    assert_eq!(format!("{base}/"), pair.base);
    assert_eq!(pair.stream("1", "rc").1, [0]);
    // The watchdog has nothing to bark at.
    pair.pass(61).unwrap();
}

#[test]
fn a_master_that_lets_us_in_and_never_attaches_us_is_left() {
    let mut worker = Worker::new("msgpack-never");
    let mut pair = worker.connect();
    pair.ask("print", &[("message", text("attached"))]);
    pair.pass(59).unwrap();
    assert!(matches!(pair.pass(2), Err(End::Lost(_))));
}

#[test]
fn a_newline_expression_of_the_masters_own_is_obeyed() {
    let mut worker = Worker::new("msgpack-lines");
    let mut pair = worker.connect();
    pair.attach();
    pair.set("(\\r\\n|\\r(?=.)|\\033K|;+)", 6);
    let script = "printf 'a;;b\\033Kc\\rd\\r\\n'; printf 'é123456\\rx'";
    pair.shell("2", script);
    pair.until_complete();
    let (text, positions, times) = pair.stream("2", "stdout");
    assert_eq!(text, "a\nb\nc\nd\né1234\n56\nx\n");
    let expected: Vec<i64> = text
        .chars()
        .enumerate()
        .filter(|(_, c)| *c == '\n')
        .map(|(at, _)| i64::try_from(at).unwrap())
        .collect();
    assert_eq!(positions, expected);
    assert_eq!(times.len(), positions.len());
    assert!(times.iter().all(|time| *time > 1.6e9));
    // And it is no more than a wish of this connection.
    let refused = pair.set("(", 4096);
    let response = pair.response(refused).unwrap();
    assert_eq!(field(&response, "is_exception"), Some(Value::Bool(true)));
    let words = field(&response, "result").unwrap().into_text().unwrap();
    assert!(words.contains("newline_re '('"), "{words}");
    assert_eq!(words.lines().count(), 1);
}

#[test]
fn interrupting_one_command_of_a_builder_leaves_the_other() {
    let mut worker = Worker::new("msgpack-two");
    let mut pair = worker.connect();
    pair.attach();
    pair.shell("2", "echo two; exec sleep 1000");
    pair.shell("3", "echo three; while [ ! -e go ]; do sleep 0.1; done");
    pair.until(|pair| {
        pair.stream("2", "stdout").0 == "two\n" && pair.stream("3", "stdout").0 == "three\n"
    });
    let asked = pair.ask(
        "interrupt_command",
        &[
            ("command_id", text("2")),
            ("builder_name", text("b")),
            ("why", text("x")),
        ],
    );
    assert!(pair.response(asked).is_some());
    pair.until_complete();
    assert_eq!(pair.stream("2", "rc").1, [-1]);
    assert!(pair.stream("3", "rc").1.is_empty());
    fs::write(format!("{}b/build/go", pair.base), "").unwrap();
    pair.until_complete();
    assert_eq!(pair.stream("3", "rc").1, [0]);
    let unknown = pair.ask("interrupt_command", &[("command_id", text("99"))]);
    assert_eq!(
        field(&pair.response(unknown).unwrap(), "result"),
        Some(Value::None)
    );
}

#[test]
fn a_silent_master_is_pinged_and_then_left() {
    let mut worker = Worker::new("msgpack-silent");
    let mut pair = worker.connect();
    pair.attach();
    pair.pings.clear();
    pair.pass(60).unwrap();
    assert_eq!(pair.pings.len(), 1);
    pair.acknowledge();
    pair.pass(31).unwrap();
    pair.pass(60).unwrap();
    assert_eq!(pair.pings.len(), 1);
    assert!(matches!(pair.pass(31), Err(End::Lost(_))));
}

#[test]
fn an_idle_worker_that_wants_to_go_says_goodbye_and_goes() {
    let mut worker = Worker::new("msgpack-idle");
    let mut pair = worker.connect();
    pair.attach();
    pair.pass(30).unwrap();
    pair.worker.ask_for_shutdown();
    assert!(pair.worker.deadline().unwrap() <= pair.now);
    pair.pass(0).unwrap();
    assert!(pair.closed);
    assert_eq!(pair.pass(1), Err(End::Drained));
}

#[test]
fn builds_that_run_end_first_and_none_begins() {
    let mut worker = Worker::new("msgpack-drain");
    let mut pair = worker.connect();
    pair.attach();
    pair.ask("print", &[("message", text("ping"))]);
    pair.shell("2", "while [ ! -e ../../go ]; do sleep 0.1; done");
    pair.worker.ask_for_shutdown();
    pair.pass(50).unwrap();
    pair.acknowledge();
    // A build is about to begin: the answer would let it.
    let ping = pair.ask("print", &[("message", text("ping"))]);
    let other = pair.ask(
        "print",
        &[("message", text("master got a duplicate connection"))],
    );
    assert!(pair.response(ping).is_none());
    assert!(pair.response(other).is_some());
    fs::write(format!("{}go", pair.base), "").unwrap();
    pair.until_complete();
    pair.pass(10).unwrap();
    assert!(!pair.closed);
    // The next step of the build that runs.
    pair.shell("3", "true");
    pair.until_complete();
    assert_eq!(pair.stream("3", "rc").1, [0]);
    pair.pass(15).unwrap();
    assert!(!pair.closed);
    pair.pass(10).unwrap();
    assert!(pair.closed);
    assert!(pair.response(ping).is_none());
    assert_eq!(pair.pass(1), Err(End::Drained));
}

#[test]
fn a_master_that_says_shutdown_is_answered_and_left() {
    let mut worker = Worker::new("msgpack-shutdown");
    let mut pair = worker.connect();
    pair.attach();
    let asked = pair.ask("shutdown", &[]);
    assert!(pair.response(asked).is_some());
    // That the master closes first changes nothing.
    let closed = End::Lost("the master closed the connection".to_owned());
    assert_eq!(pair.worker.real_end(closed), End::Shutdown);
}

#[test]
fn a_download_that_brings_nothing_fails_and_says_whose_fault_it_is() {
    let mut worker = Worker::new("msgpack-download");
    let mut pair = worker.connect();
    pair.attach();
    let args = map([
        ("path", text(&format!("{}b/down", pair.base))),
        ("maxsize", Value::None),
        ("blocksize", Value::Int(8)),
        ("mode", Value::None),
    ]);
    pair.command("2", "download_file", Some("b"), args);
    pair.until_complete();
    assert_eq!(pair.stream("2", "rc").1, [1]);
    let words = pair.stream("2", "stderr").0;
    assert!(
        words.contains("a defect of Buildbot's MessagePack protocol"),
        "{words}"
    );
    let end = pair.heard.iter().find(|message| {
        op(message) == "complete" && field(message, "command_id") == Some(text("2"))
    });
    assert_eq!(field(end.unwrap(), "args"), Some(Value::None));
    assert!(!fs::exists(format!("{}b/down", pair.base)).unwrap());
}

#[test]
fn a_refused_login_names_the_status() {
    let mut worker = Worker::new("msgpack-401");
    let now = Instant::now();
    let keepalive = Keepalive::new(None, Duration::from_secs(30), now);
    let mut conversation = Conversation::new(&mut worker.workplace, session(), keepalive, now);
    let end = conversation.received(b"HTTP/1.1 401 Unauthorized\r\n\r\n", now);
    let expected =
        "unauthorized login (HTTP status 401 Unauthorized); check worker name and password";
    assert_eq!(end, Err(End::Refused(expected.to_owned())));
}
