//! Recorded sessions, played again: the master's half is fed as it was recorded; the worker's half is
//! made by the session from what the recorded worker said, and must be the same bytes, masks included.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use coracle::calls::{
    Answer, Fact, FailureReason, Lines, MasterCall, ReplyTo, StepId, Transfer, TransferTag, Update,
};
use coracle::session::Event;
use coracle::session::msgpack::{Greeting, MsgpackSession};
use coracle::wire::jelly::Value;
use coracle::wire::msgpack::Writer;
use coracle::wire::websocket::{Frame, Message, Receiver, write};

use super::recording::{self, Content, Recording, Unit, same};
use crate::recording::From;

/// How a connection of a recording is played.
struct Player {
    session: MsgpackSession,
    /// What the session wants to send and the recorded worker has not sent yet.
    ours: Vec<u8>,
    steps: BTreeMap<String, StepId>,
    replies: BTreeMap<i64, ReplyTo>,
    calls: Vec<MasterCall>,
    events: Vec<Event>,
    piece: usize,
}

/// A field of a message.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Dict(pairs) = value else {
        panic!("no map");
    };
    let found = pairs
        .iter()
        .find(|(key, _)| *key == Value::Text(name.to_owned()));
    found.map(|(_, value)| value)
}

fn text(value: &Value) -> String {
    value.clone().into_text().unwrap()
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        other => panic!("{other} is no number"),
    }
}

fn float(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        other => panic!("{other} is no float"),
    }
}

fn list(value: &Value) -> &[Value] {
    match value {
        Value::List(values) => values,
        other => panic!("{other} is no list"),
    }
}

impl Player {
    fn new(
        opening: &Unit,
        random: Arc<Mutex<VecDeque<u32>>>,
        first: StepId,
        piece: usize,
    ) -> Player {
        let Content::Http(lines) = &opening.content else {
            panic!("{}: no request", opening.place);
        };
        let header = |name: &str| {
            let line = lines.iter().find(|line| line.starts_with(name)).unwrap();
            line.split_once(": ").unwrap().1.to_owned()
        };
        let credentials = header("Authorization: Basic ").split_off("Basic ".len());
        let credentials = String::from_utf8(STANDARD.decode(credentials).unwrap()).unwrap();
        let (name, password) = credentials.split_once(':').unwrap();
        let greeting = Greeting {
            host: header("Host"),
            path: lines[0].split(' ').nth(1).unwrap().to_owned(),
            agent: header("User-Agent"),
            name: name.to_owned(),
            password: password.to_owned(),
        };
        let random = Box::new(move || random.lock().unwrap().pop_front().unwrap());
        Player {
            session: MsgpackSession::new(greeting, random, first),
            ours: Vec::new(),
            steps: BTreeMap::new(),
            replies: BTreeMap::new(),
            calls: Vec::new(),
            events: Vec::new(),
            piece,
        }
    }

    fn feed(&mut self, unit: &Unit) {
        for piece in unit.bytes.chunks(self.piece) {
            self.session.receive(piece).unwrap();
        }
        while let Some(event) = self.session.next_event() {
            if let (Event::Call(call), Content::Message { value, .. }) = (&event, &unit.content) {
                self.calls.push(call.clone());
                let number = number(field(value, "seq_number").unwrap());
                self.replies.insert(number, reply_to(call));
                if let MasterCall::StartCommand { step, id, .. } = call {
                    self.steps.insert(id.0.clone(), *step);
                }
            }
            self.events.push(event);
        }
    }

    /// The recorded worker said something: the session is made to say the same, and has to.
    fn expect(&mut self, unit: &Unit) {
        if self.collect(unit) {
            return;
        }
        if let Content::Message { value, .. } = &unit.content {
            match text(field(value, "op").unwrap()).as_str() {
                "response" => self.respond(value),
                op => self.ask(op, value),
            }
        }
        assert!(
            self.collect(unit),
            "{}: {} became\n{}",
            unit.place,
            unit.bytes.escape_ascii(),
            self.ours.escape_ascii()
        );
    }

    /// Whether the next bytes of ours are those of the unit, which are then taken. Our question whether
    /// the attachment is complete is no part of the recording.
    fn collect(&mut self, unit: &Unit) -> bool {
        self.ours.append(self.session.outgoing());
        let mut question = Vec::new();
        write(&mut question, Frame::Ping(b"attached"), [0; 4]);
        if self.ours.starts_with(&question) {
            self.ours.drain(..question.len());
        }
        let same = self.ours.starts_with(&unit.bytes);
        if same {
            self.ours.drain(..unit.bytes.len());
        }
        same
    }

    fn respond(&mut self, response: &Value) {
        let number = number(field(response, "seq_number").unwrap());
        let answer = match field(response, "result").unwrap() {
            Value::None => Answer::Nothing,
            Value::Dict(pairs) => Answer::Facts(
                pairs
                    .iter()
                    .map(|(name, value)| (text(name), fact(value)))
                    .collect(),
            ),
            other => panic!("a response with {other}"),
        };
        self.session.answer(self.replies[&number], answer);
    }

    fn ask(&mut self, op: &str, request: &Value) {
        let step = self.steps[&text(field(request, "command_id").unwrap())];
        let args = field(request, "args");
        let bytes = || match args {
            Some(Value::Bytes(bytes)) => bytes.clone(),
            other => panic!("written {other:?}"),
        };
        let time = |name| float(field(request, name).unwrap());
        let transfer = match op {
            "update" => {
                let updates: Vec<Update> = list(args.unwrap()).iter().map(update).collect();
                return self.session.update(step, &updates, 7);
            }
            "complete" => {
                assert_eq!(args, Some(&Value::None));
                return self.session.complete(step, Ok(()));
            }
            "update_upload_file_write" | "update_upload_directory_write" => {
                Transfer::Write(bytes())
            }
            "update_upload_file_close" | "update_read_file_close" => Transfer::Close,
            "update_upload_file_utime" => {
                Transfer::SetTimes(time("access_time"), time("modified_time"))
            }
            "update_upload_directory_unpack" => Transfer::Unpack,
            "update_read_file" => {
                let length = number(field(request, "length").unwrap());
                Transfer::Read(usize::try_from(length).unwrap())
            }
            other => panic!("the worker asked for '{other}'"),
        };
        self.session.transfer(step, TransferTag(0), transfer);
    }
}

fn reply_to(call: &MasterCall) -> ReplyTo {
    match call {
        MasterCall::Print { reply, .. }
        | MasterCall::GetWorkerInfo { reply }
        | MasterCall::GetCommands { reply }
        | MasterCall::GetVersion { reply }
        | MasterCall::SetBuilderList { reply, .. }
        | MasterCall::StartBuild { reply, .. }
        | MasterCall::SetWorkerSettings { reply, .. }
        | MasterCall::StartCommand { reply, .. }
        | MasterCall::InterruptCommand { reply, .. }
        | MasterCall::Shutdown { reply } => *reply,
    }
}

fn op(call: &MasterCall) -> &'static str {
    match call {
        MasterCall::Print { .. } => "print",
        MasterCall::GetWorkerInfo { .. } => "get_worker_info",
        MasterCall::SetWorkerSettings { .. } => "set_worker_settings",
        MasterCall::StartCommand { .. } => "start_command",
        MasterCall::InterruptCommand { .. } => "interrupt_command",
        MasterCall::Shutdown { .. } => "shutdown",
        other => panic!("{other:?}"),
    }
}

fn fact(value: &Value) -> Fact {
    match value {
        Value::Text(text) => Fact::Text(text.clone()),
        Value::Int(number) => Fact::Int(*number),
        Value::Bool(value) => Fact::Bool(*value),
        Value::Dict(pairs) => Fact::Map(
            pairs
                .iter()
                .map(|(key, value)| (text(key), text(value)))
                .collect(),
        ),
        other => panic!("{other} as a fact"),
    }
}

fn lines(value: &Value) -> Lines {
    let parts = list(value);
    Lines {
        text: text(&parts[0]),
        times: list(&parts[2]).iter().map(float).collect(),
    }
}

fn update(entry: &Value) -> Update {
    let [key, value] = list(entry) else {
        panic!("no pair: {entry}");
    };
    match text(key).as_str() {
        "stdout" => Update::Stdout(lines(value)),
        "stderr" => Update::Stderr(lines(value)),
        "header" => Update::Header(lines(value)),
        "log" => Update::Log {
            name: text(&list(value)[0]),
            lines: lines(&list(value)[1]),
        },
        "rc" => Update::ExitCode(i32::try_from(number(value)).unwrap()),
        "elapsed" => Update::Elapsed(float(value)),
        "failure_reason" => Update::FailureReason(match text(value).as_str() {
            "timeout" => FailureReason::TotalTime,
            other => panic!("the reason '{other}'"),
        }),
        "files" => Update::Files(list(value).iter().map(text).collect()),
        "stat" => {
            let numbers: Vec<i64> = list(value).iter().map(number).collect();
            Update::Stat(numbers.try_into().unwrap())
        }
        other => panic!("the update '{other}'"),
    }
}

/// What the recorded worker drew: the key of its handshake, then the mask of each frame.
fn drawn<'a>(units: impl Iterator<Item = &'a Unit>) -> VecDeque<u32> {
    let mut numbers = VecDeque::new();
    let word = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    for unit in units.filter(|unit| unit.from == From::Worker) {
        match &unit.content {
            Content::Http(lines) => {
                let key = lines
                    .iter()
                    .find_map(|l| l.strip_prefix("Sec-WebSocket-Key: "));
                let key = STANDARD.decode(key.unwrap()).unwrap();
                numbers.extend(key.chunks(4).map(word));
            }
            Content::Message { payload, .. } => {
                let start = unit.bytes.len() - payload.len();
                numbers.push_back(word(&unit.bytes[start - 4..start]));
            }
        }
    }
    numbers
}

/// Plays the connections of a recording one after the other, in pieces of so many bytes.
fn play(recording: &Recording, piece: usize) -> Vec<Player> {
    let mut players: Vec<Player> = Vec::new();
    let last = recording.units.iter().map(|u| u.connection).max().unwrap();
    for connection in 1..=last {
        let units = || {
            recording
                .units
                .iter()
                .filter(|u| u.connection == connection)
        };
        let random = Arc::new(Mutex::new(drawn(units())));
        let first = players.last().map_or(StepId(1), |p| p.session.next_step());
        let opening = units().next().unwrap();
        let mut player = Player::new(opening, Arc::clone(&random), first, piece);
        for unit in units() {
            // A traceback of Python in place of our words.
            let failed = matches!(&unit.content, Content::Message { json, .. }
                if json["op"] == "complete" && !json["args"].is_null());
            if failed {
                break;
            }
            match unit.from {
                From::Master => player.feed(unit),
                From::Worker => player.expect(unit),
            }
        }
        player.ours.append(player.session.outgoing());
        players.push(player);
    }
    players
}

#[test]
fn every_recorded_message_reads_as_the_recording_says_and_writes_alike() {
    let mut count = 0;
    for recording in recording::all() {
        for unit in &recording.units {
            let Content::Message {
                payload,
                value,
                json,
            } = &unit.content
            else {
                continue;
            };
            assert!(same(value, json), "{}: {value:?}", unit.place);
            let mut written = Vec::new();
            Writer::new(&mut written).value(value);
            assert!(written == *payload, "{}", unit.place);
            count += 1;
        }
    }
    assert!(count > 340, "{count}");
}

#[test]
fn every_recorded_frame_of_a_master_is_its_message_in_any_cut() {
    for recording in recording::all() {
        let frames: Vec<&Unit> = recording
            .units
            .iter()
            .filter(|u| u.from == From::Master && matches!(u.content, Content::Message { .. }))
            .collect();
        let bytes: Vec<u8> = frames.iter().flat_map(|unit| unit.bytes.clone()).collect();
        for piece in [1, 7, bytes.len().max(1)] {
            let mut receiver = Receiver::new();
            let mut expected = frames.iter();
            for piece in bytes.chunks(piece) {
                receiver.feed(piece);
                while let Some(message) = receiver.next_message().unwrap() {
                    let Content::Message { payload, .. } = &expected.next().unwrap().content else {
                        panic!("no message");
                    };
                    assert_eq!(message, Message::Binary(payload.clone()));
                }
            }
            assert!(expected.next().is_none(), "{}", recording.name);
        }
    }
}

#[test]
fn the_worker_says_what_the_recorded_worker_said_byte_for_byte() {
    let mut played = 0;
    for recording in recording::all() {
        for piece in [1, usize::MAX] {
            for player in play(&recording, piece) {
                let rest = player.ours.escape_ascii().to_string();
                // After the last unit there may be our question.
                assert!(
                    rest.is_empty() || rest.ends_with("attached"),
                    "{}: said more: {rest}",
                    recording.name
                );
                played += 1;
            }
        }
    }
    assert!(played >= 24, "{played}");
}

#[test]
fn every_request_of_a_recorded_master_becomes_the_call_it_means() {
    for recording in recording::all() {
        let expected: Vec<&str> = recording
            .units
            .iter()
            .filter(|unit| unit.from == From::Master)
            .filter_map(|unit| match &unit.content {
                Content::Message { json, .. } => json["op"].as_str(),
                Content::Http(_) => None,
            })
            .filter(|op| *op != "response")
            .collect();
        let players = play(&recording, 1);
        let mut came: Vec<&str> = players
            .iter()
            .flat_map(|p| p.calls.iter().map(op))
            .collect();
        if recording.name == "unknown" {
            // It was refused at once.
            came.push("start_command");
        }
        assert_eq!(came, expected, "{}", recording.name);
    }
}

#[test]
fn finished_sessions_leave_nothing_behind() {
    for name in ["fs", "shell", "transfer", "buffer", "secret"] {
        let player = play(&recording::one(name), 1).remove(0);
        let counts = player.session.counts();
        assert_eq!(
            (counts.asked, counts.served, counts.steps),
            (0, 0, 0),
            "{name}"
        );
        let count = |wanted: fn(&Event) -> bool| player.events.iter().filter(|e| wanted(e)).count();
        let steps = player.session.next_step().0 - 1;
        assert_eq!(
            count(|e| matches!(e, Event::Completed { .. })) as u64,
            steps,
            "{name}"
        );
        assert_eq!(count(|e| *e == Event::LoggedIn), 1, "{name}");
        assert_eq!(count(|e| *e == Event::Attached), 1, "{name}");
        assert_eq!(count(|e| matches!(e, Event::Refused { .. })), 0, "{name}");
    }
}

#[test]
fn a_worker_without_builders_is_attached_when_the_master_has_nothing_more_to_do() {
    let mut player = play(&recording::one("login-ok"), 1).remove(0);
    assert!(!player.events.contains(&Event::Attached));
    player.session.receive(b"\x8a\x08attached").unwrap();
    assert_eq!(player.session.next_event(), Some(Event::Attached));
    assert_eq!(player.session.next_event(), None);
}

#[test]
fn a_wrong_password_is_a_refusal_with_the_status() {
    for player in play(&recording::one("login-bad-password"), 1) {
        let refused = Event::LoginRefused {
            unauthorized: true,
            message: "HTTP status 401 Unauthorized".to_owned(),
        };
        assert_eq!(player.events, [refused]);
    }
}

#[test]
fn a_read_that_brings_nothing_is_no_end_of_file() {
    let player = play(&recording::one("transfer"), 1).remove(0);
    let replies: Vec<_> = player
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Replied {
                reply: Err(words), ..
            } => Some(words.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(replies, [coracle::calls::NOTHING_READ]);
}

#[test]
fn a_secret_is_known_as_one() {
    let player = play(&recording::one("secret"), 1).remove(0);
    let Some(MasterCall::StartCommand { command, .. }) = player.calls.last() else {
        panic!("no command");
    };
    let shown = format!("{command:?}");
    assert!(
        shown.contains(r#"Word { real: "real-secret", shown: Some("<hidden>") }"#),
        "{shown}"
    );
}
