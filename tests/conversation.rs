//! A whole conversation in memory, on a clock that the test moves: login, commands, interrupts,
//! keepalives, and every way to lose the master. The steps are real processes.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use coracle::basedir;
use coracle::calls::StepId;
use coracle::session::keepalive::Keepalive;
use coracle::session::pb::{Login, PbSession};
use coracle::wire::jelly::Value;
use coracle::worker::LoopEvent;
use coracle::worker::builders::Builders;
use coracle::worker::conversation::{Conversation, End, Workplace};
use coracle::worker::running::RunningSteps;
use smol::channel::Receiver;
use support::fake_master::{FakeMaster, Message, Object, dict, text};
use support::scratch::Scratch;

const BOT: i64 = 1;
const CHALLENGER: i64 = 1;
const AVATAR: i64 = 2;

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
             s = Worker('localhost', 9989, 'box', 'sekrit', basedir, 60)\n",
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

    fn connect(&mut self) -> Pair<'_> {
        let now = Instant::now();
        let login = Login {
            name: "box".to_owned(),
            password: "sekrit".to_owned(),
        };
        let keepalive = Keepalive::new(Some(Duration::from_secs(60)), Duration::from_secs(30), now);
        let session = PbSession::new(login, StepId(1));
        let worker = Conversation::new(&mut self.workplace, session, keepalive, now);
        Pair {
            worker,
            master: FakeMaster::new(),
            inbox: self.inbox.clone(),
            now,
            heard: Vec::new(),
            acknowledged: 0,
        }
    }
}

/// Both ends of a connection.
struct Pair<'a> {
    worker: Conversation<'a>,
    master: FakeMaster,
    inbox: Receiver<LoopEvent>,
    now: Instant,
    /// What the master has heard and no test has looked at.
    heard: Vec<Message>,
    /// How many of them the master has answered.
    acknowledged: usize,
}

impl Pair<'_> {
    /// Carries bytes both ways until both are silent.
    fn settle(&mut self) -> Result<(), End> {
        loop {
            let to_worker = std::mem::take(&mut self.master.bytes);
            let outcome = match to_worker.as_slice() {
                [] => Ok(()),
                bytes => self.worker.received(bytes, self.now),
            };
            let to_master = std::mem::take(self.worker.outgoing());
            self.heard.extend(self.master.read(&to_master));
            outcome?;
            if to_worker.is_empty() && to_master.is_empty() {
                return Ok(());
            }
        }
    }

    fn pass(&mut self, seconds: u64) -> Result<(), End> {
        self.now += Duration::from_secs(seconds);
        self.worker.tick(self.now)
    }

    /// Lets the steps speak until the master has heard the end of one.
    fn until_complete(&mut self) {
        self.until_called("complete");
    }

    /// Lets the steps speak until the master has heard a call of this method.
    fn until_called(&mut self, method: &str) {
        self.until(|pair| pair.heard.iter().any(|message| is_call(message, method)));
    }

    /// Lets the steps speak until something is so.
    fn until(&mut self, is_so: impl Fn(&Self) -> bool) {
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
            self.settle().unwrap();
            self.acknowledge();
        }
    }

    /// Answers the worker's calls as a master does: updates with 0, the rest with None.
    fn acknowledge(&mut self) {
        for message in self.heard.iter().skip(self.acknowledged) {
            if let Message::Call {
                request, method, ..
            } = message
            {
                let value = if method == "update" {
                    Value::Int(0)
                } else {
                    Value::None
                };
                self.master.answer(*request, &value);
            }
        }
        self.acknowledged = self.heard.len();
        self.settle().unwrap();
    }

    fn login(&mut self) {
        self.master.greet();
        self.settle().unwrap();
        let request = self.take_call("login").0;
        let challenge = Value::Bytes(b"0123456789abcdef".to_vec());
        self.master.answer(
            request,
            &Value::Tuple(vec![challenge, Value::Remote(CHALLENGER)]),
        );
        self.settle().unwrap();
    }

    /// Login and attachment with one builder `b` in the directory `dir`.
    fn attach(&mut self) {
        self.login();
        let respond = self.take_call("respond").0;
        self.master.call(BOT, "print", &[text("attached")]);
        self.master.call(BOT, "getWorkerInfo", &[]);
        self.set_builders(&[("b", "dir")]);
        self.master.answer(respond, &Value::Remote(AVATAR));
        self.settle().unwrap();
        assert!(self.worker.is_attached());
        self.heard.clear();
    }

    fn set_builders(&mut self, builders: &[(&str, &str)]) -> i64 {
        let pairs = builders
            .iter()
            .map(|(name, dir)| Value::Tuple(vec![text(name), text(dir)]))
            .collect();
        self.master
            .call(BOT, "setBuilderList", &[Value::List(pairs)])
    }

    fn start(&mut self, command_object: i64, id: &str, script: &str) {
        let arguments = dict(&[("workdir", text("build")), ("command", text(script))]);
        let call = [
            Value::Remote(command_object),
            text(id),
            text("shell"),
            arguments,
        ];
        self.master.call(2, "startCommand", &call);
        self.settle().unwrap();
    }

    /// Removes the first call of this method from what the master has heard.
    fn take_call(&mut self, wanted: &str) -> (i64, Object, Vec<Value>) {
        let at = self
            .heard
            .iter()
            .position(|message| is_call(message, wanted));
        let at = at.unwrap_or_else(|| panic!("no call of {wanted} in {:?}", self.heard));
        match self.heard.remove(at) {
            Message::Call {
                request,
                object,
                arguments,
                ..
            } => (request, object, arguments),
            other => panic!("{other:?}"),
        }
    }

    /// All values of one key in the updates for one command.
    fn updates(&self, command_object: i64, key: &str) -> Vec<Value> {
        let mut found = Vec::new();
        for message in &self.heard {
            let Message::Call {
                object: Object::Luid(luid),
                method,
                arguments,
                ..
            } = message
            else {
                continue;
            };
            if method != "update" || *luid != command_object {
                continue;
            }
            let [Value::List(updates)] = arguments.as_slice() else {
                panic!("{arguments:?}")
            };
            for update in updates {
                let Value::List(parts) = update else {
                    panic!("{update:?}")
                };
                let [Value::Dict(pairs), Value::Int(0)] = parts.as_slice() else {
                    panic!("{parts:?}")
                };
                found.extend(
                    pairs
                        .iter()
                        .filter(|(k, _)| *k == text(key))
                        .map(|(_, v)| v.clone()),
                );
            }
        }
        found
    }
}

fn is_call(message: &Message, wanted: &str) -> bool {
    matches!(message, Message::Call { method, .. } if method == wanted)
}

fn joined(values: &[Value]) -> String {
    values
        .iter()
        .map(|value| match value {
            Value::Text(text) => text.as_str(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_worker_attaches_and_reports_itself() {
    let mut worker = Worker::new("attach");
    let mut pair = worker.connect();
    pair.login();
    let (respond, _, arguments) = pair.take_call("respond");
    assert_eq!(arguments[1], Value::Remote(BOT));
    let info = pair.master.call(BOT, "getWorkerInfo", &[]);
    let builders = pair.set_builders(&[("b", "dir")]);
    pair.master.answer(respond, &Value::Remote(AVATAR));
    pair.settle().unwrap();
    let answer = |request| {
        pair.heard.iter().find_map(|message| match message {
            Message::Answer {
                request: number,
                value,
            } if *number == request => Some(value.clone()),
            _ => None,
        })
    };
    let Some(Value::Dict(facts)) = answer(info) else {
        panic!("no facts")
    };
    assert!(facts.contains(&(text("system"), text("posix"))));
    assert_eq!(answer(builders), Some(dict(&[("b", Value::Remote(2))])));
    assert!(pair.worker.is_attached());
    assert!(worker.scratch.path().join("dir").is_dir());
}

#[test]
fn a_command_reports_its_output_and_end_and_gives_its_reference_back() {
    let mut worker = Worker::new("command");
    let mut pair = worker.connect();
    pair.attach();
    pair.start(7, "0", "echo hello");
    pair.until_complete();
    assert_eq!(joined(&pair.updates(7, "stdout")), "hello\n");
    assert_eq!(pair.updates(7, "rc"), [Value::Int(0)]);
    let (_, object, arguments) = pair.take_call("complete");
    assert_eq!((object, arguments), (Object::Luid(7), vec![Value::None]));
    assert!(pair.heard.contains(&Message::Decref(7)));
}

#[test]
fn an_interrupted_command_is_killed_and_says_so() {
    let mut worker = Worker::new("interrupt");
    let mut pair = worker.connect();
    pair.attach();
    pair.start(7, "0", "echo ready; sleep 1000");
    // The header comes before the program, its output after.
    pair.until(|pair| !pair.updates(7, "stdout").is_empty());
    pair.master
        .call(2, "interruptCommand", &[text("0"), text("enough")]);
    pair.settle().unwrap();
    pair.until_complete();
    assert_eq!(pair.updates(7, "rc"), [Value::Int(-1)]);
    assert!(joined(&pair.updates(7, "header")).contains("command interrupted, attempting to kill"));
    assert!(pair.updates(7, "elapsed").is_empty());
}

#[test]
fn an_interrupt_for_another_command_changes_nothing() {
    let mut worker = Worker::new("interrupt-other");
    let mut pair = worker.connect();
    pair.attach();
    pair.start(7, "0", "echo alive");
    pair.master
        .call(2, "interruptCommand", &[text("99"), text("enough")]);
    pair.settle().unwrap();
    pair.until_complete();
    assert_eq!(pair.updates(7, "rc"), [Value::Int(0)]);
}

#[test]
fn two_commands_of_one_builder_both_end() {
    let mut worker = Worker::new("second");
    let mut pair = worker.connect();
    pair.attach();
    pair.start(7, "0", "sleep 1000");
    pair.start(8, "1", "echo second");
    pair.until_complete();
    let (_, object, _) = pair.take_call("complete");
    assert_eq!(object, Object::Luid(8));
    assert_eq!(joined(&pair.updates(8, "stdout")), "second\n");
    pair.master
        .call(2, "interruptCommand", &[text("0"), text("enough")]);
    pair.settle().unwrap();
    pair.until_complete();
    let (_, object, _) = pair.take_call("complete");
    assert_eq!(object, Object::Luid(7));
    assert_eq!(pair.updates(7, "rc"), [Value::Int(-1)]);
}

#[test]
fn quick_commands_sent_at_once_keep_their_order() {
    let mut worker = Worker::new("order");
    let mut pair = worker.connect();
    pair.attach();
    for number in 0..30 {
        let name = text(&format!("d{number}"));
        for (offset, command, key) in [(0, "mkdir", "dir"), (1, "stat", "file")] {
            let object = 100 + 2 * number + offset;
            let arguments = dict(&[(key, name.clone())]);
            let id = text(&object.to_string());
            let call = [Value::Remote(object), id, text(command), arguments];
            pair.master.call(2, "startCommand", &call);
        }
    }
    pair.settle().unwrap();
    for _ in 0..60 {
        pair.until_complete();
        pair.take_call("complete");
    }
    for object in 100..160 {
        assert_eq!(pair.updates(object, "rc"), [Value::Int(0)], "{object}");
    }
}

#[test]
fn a_builder_that_the_master_takes_away_loses_its_command() {
    let mut worker = Worker::new("taken");
    let mut pair = worker.connect();
    pair.attach();
    pair.start(7, "0", "sleep 1000");
    pair.set_builders(&[("other", "other")]);
    pair.settle().unwrap();
    assert!(pair.heard.contains(&Message::Decref(7)));
    assert!(
        !pair
            .heard
            .iter()
            .any(|message| is_call(message, "complete"))
    );
}

#[test]
fn an_unknown_command_is_answered_with_an_error() {
    let mut worker = Worker::new("unknown");
    let mut pair = worker.connect();
    pair.attach();
    let call = [Value::Remote(7), text("0"), text("dance"), dict(&[])];
    let request = pair.master.call(2, "startCommand", &call);
    pair.settle().unwrap();
    let refused = pair.heard.iter().any(
        |message| matches!(message, Message::Error { request: number, .. } if *number == request),
    );
    assert!(refused, "{:?}", pair.heard);
    assert!(pair.heard.contains(&Message::Decref(7)));
}

#[test]
fn an_unanswered_keepalive_ends_the_conversation() {
    let mut worker = Worker::new("keepalive");
    let mut pair = worker.connect();
    pair.attach();
    assert!(pair.worker.deadline().is_some());
    pair.pass(61).unwrap();
    pair.settle().unwrap();
    pair.take_call("keepalive");
    pair.pass(29).unwrap();
    let Err(End::Lost(reason)) = pair.pass(2) else {
        panic!("still there")
    };
    assert!(reason.contains("keepalive"), "{reason}");
}

#[test]
fn a_jump_of_the_clock_makes_the_worker_ask_at_once_and_wait_no_longer_than_usual() {
    let mut worker = Worker::new("jump");
    let mut pair = worker.connect();
    pair.attach();
    pair.pass(1).unwrap();
    pair.worker.probe(pair.now).unwrap();
    pair.settle().unwrap();
    pair.take_call("keepalive");
    pair.pass(29).unwrap();
    let Err(End::Lost(reason)) = pair.pass(1) else {
        panic!("still there")
    };
    assert!(reason.contains("keepalive"), "{reason}");
}

#[test]
fn a_jump_of_the_clock_that_the_connection_survived_changes_nothing() {
    let mut worker = Worker::new("jump-alive");
    let mut pair = worker.connect();
    pair.attach();
    pair.worker.probe(pair.now).unwrap();
    pair.settle().unwrap();
    let request = pair.take_call("keepalive").0;
    // Another jump while the answer is outstanding.
    pair.worker.probe(pair.now).unwrap();
    pair.settle().unwrap();
    assert!(!pair.heard.iter().any(|heard| is_call(heard, "keepalive")));
    pair.master.answer(request, &Value::None);
    pair.settle().unwrap();
    pair.pass(31).unwrap();
    assert!(pair.worker.is_attached());
}

#[test]
fn a_jump_of_the_clock_during_the_login_is_left_to_the_limit_of_the_login() {
    let mut worker = Worker::new("jump-login");
    let mut pair = worker.connect();
    pair.login();
    pair.worker.probe(pair.now).unwrap();
    pair.settle().unwrap();
    assert!(!pair.heard.iter().any(|heard| is_call(heard, "keepalive")));
    pair.pass(100).unwrap();
}

#[test]
fn any_byte_of_the_master_is_a_sign_of_life() {
    let mut worker = Worker::new("alive");
    let mut pair = worker.connect();
    pair.attach();
    pair.pass(61).unwrap();
    pair.settle().unwrap();
    pair.take_call("keepalive");
    pair.pass(20).unwrap();
    pair.master.call(BOT, "print", &[text("keepalive")]);
    pair.settle().unwrap();
    pair.pass(29).unwrap();
}

#[test]
fn a_login_that_never_ends_is_given_up() {
    let mut worker = Worker::new("slow-login");
    let mut pair = worker.connect();
    pair.login();
    pair.pass(100).unwrap();
    assert!(matches!(pair.pass(21), Err(End::Lost(_))));
}

#[test]
fn a_login_without_builders_is_given_up() {
    let mut worker = Worker::new("no-builders");
    let mut pair = worker.connect();
    pair.login();
    let respond = pair.take_call("respond").0;
    pair.master.answer(respond, &Value::Remote(AVATAR));
    pair.settle().unwrap();
    assert!(!pair.worker.is_attached());
    pair.pass(59).unwrap();
    let Err(End::Lost(reason)) = pair.pass(2) else {
        panic!("still there")
    };
    assert!(reason.contains("not attached"), "{reason}");
}

#[test]
fn a_wrong_password_is_named() {
    let mut worker = Worker::new("password");
    let mut pair = worker.connect();
    pair.login();
    let respond = pair.take_call("respond").0;
    pair.master
        .error(respond, "twisted.cred.error.UnauthorizedLogin", "");
    let Err(End::Refused(reason)) = pair.settle() else {
        panic!("let in")
    };
    assert_eq!(reason, "unauthorized login; check worker name and password");
}

#[test]
fn a_duplicate_name_is_refused_and_not_the_end_of_the_worker() {
    let mut worker = Worker::new("duplicate");
    let mut pair = worker.connect();
    pair.login();
    let respond = pair.take_call("respond").0;
    pair.master.error(
        respond,
        "builtins.RuntimeError",
        "rejecting duplicate worker",
    );
    let Err(End::Refused(reason)) = pair.settle() else {
        panic!("let in")
    };
    assert!(
        reason.contains("rejecting duplicate worker: another live connection"),
        "{reason}"
    );
}

#[test]
fn a_shutdown_is_answered_before_the_worker_leaves() {
    let mut worker = Worker::new("shutdown");
    let mut pair = worker.connect();
    pair.attach();
    let request = pair.master.call(BOT, "shutdown", &[]);
    pair.settle().unwrap();
    assert!(pair.heard.contains(&Message::Answer {
        request,
        value: Value::None
    }));
    assert_eq!(
        pair.worker.tick(pair.now + Duration::from_millis(250)),
        Err(End::Shutdown)
    );
}

#[test]
fn a_wish_to_shut_down_reaches_the_masters_object() {
    let mut worker = Worker::new("wish");
    let mut pair = worker.connect();
    pair.attach();
    pair.worker.ask_for_shutdown();
    pair.settle().unwrap();
    let (_, object, _) = pair.take_call("shutdown");
    assert_eq!(object, Object::Luid(AVATAR));
}

#[test]
fn where_the_master_refuses_to_let_it_go_the_worker_goes_when_nothing_runs() {
    let mut worker = Worker::new("refused-wish");
    let mut pair = worker.connect();
    pair.attach();
    pair.start(7, "0", "sleep 1000");
    pair.worker.ask_for_shutdown();
    pair.settle().unwrap();
    let (request, _, _) = pair.take_call("shutdown");
    pair.master
        .error(request, "builtins.AttributeError", "what?");
    pair.settle().unwrap();
    // What runs is finished.
    pair.pass(50).unwrap();
    // No build begins: its master gets no answer, until the connection ends.
    let begun = pair.master.call(2, "startBuild", &[]);
    pair.settle().unwrap();
    let is_answer =
        |message: &Message| matches!(message, Message::Answer { request, .. } if *request == begun);
    assert!(!pair.heard.iter().any(is_answer), "{:?}", pair.heard);
    let interrupt = [text("0"), text("enough")];
    pair.master.call(2, "interruptCommand", &interrupt);
    pair.settle().unwrap();
    pair.until_complete();
    pair.pass(19).unwrap();
    // Another command of the same build.
    pair.heard.clear();
    pair.acknowledged = 0;
    pair.start(8, "1", "echo alive");
    pair.until_complete();
    assert_eq!(joined(&pair.updates(8, "stdout")), "alive\n");
    pair.pass(19).unwrap();
    assert!(
        pair.worker
            .deadline()
            .is_some_and(|at| at <= pair.now + Duration::from_secs(1))
    );
    pair.pass(1).unwrap();
    assert_eq!(pair.pass(1), Err(End::Drained));
}

#[test]
fn garbage_ends_the_conversation_with_a_reason() {
    let mut worker = Worker::new("garbage");
    let mut pair = worker.connect();
    pair.attach();
    pair.master.bytes.extend_from_slice(&[0xff; 40]);
    assert!(matches!(pair.settle(), Err(End::Lost(_))));
}

#[test]
fn after_a_loss_the_steps_end_and_a_new_connection_attaches() {
    let mut worker = Worker::new("loss");
    let mut pair = worker.connect();
    pair.attach();
    pair.start(7, "0", "sleep 1000");
    drop(pair);
    worker.workplace.steps.abandon_all();
    while !worker.workplace.steps.is_empty() {
        let Ok(LoopEvent::Step(step, event)) = worker.inbox.recv_blocking() else {
            panic!()
        };
        let unheard = worker.workplace.steps.note(step, event, Instant::now());
        assert_eq!(unheard, None);
    }
    let mut pair = worker.connect();
    pair.attach();
    pair.start(9, "5", "echo again");
    pair.until_complete();
    assert_eq!(joined(&pair.updates(9, "stdout")), "again\n");
}
