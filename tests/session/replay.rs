//! Recorded sessions, played again: the master's half is fed as it was recorded; the worker's half is
//! made by the session from what the recorded worker said, and must be the same bytes.

use std::collections::BTreeMap;

use coracle::calls::{
    Answer, BuilderName, Fact, FailureReason, Lines, MasterCall, ReplyTo, StepId, Transfer,
    TransferTag, Update,
};
use coracle::session::pb::{Event, Login, PbSession};
use coracle::wire::banana::{Decoder, Item};
use coracle::wire::jelly::{Value, unjelly};

use crate::recording::{self, From, Recording, Unit};

/// How a connection of a recording is played.
struct Player {
    /// The number of the connection in the recording.
    connection: u64,
    session: PbSession,
    /// What the session wants to send and the recorded worker has not sent yet.
    ours: Vec<u8>,
    /// The steps, by the number of the master's command object, and of its writer or reader.
    steps: BTreeMap<i64, StepId>,
    /// The calls in the order in which they came.
    calls: Vec<MasterCall>,
    events: Vec<Event>,
}

/// The fields of a message as values.
fn fields(unit: &Unit) -> Vec<Item> {
    let mut decoder = Decoder::new();
    decoder.allow_words();
    match decoder.next(&mut unit.bytes.as_slice()) {
        Ok(Some(Item::List(items))) => items,
        Ok(Some(item)) => vec![item],
        other => panic!("{}: {other:?}", unit.place),
    }
}

fn value(item: &Item) -> Value {
    unjelly(item.clone(), &mut Vec::new()).unwrap()
}

fn number(item: &Item) -> i64 {
    match item {
        Item::Int(number) => *number,
        other => panic!("{other} is no number"),
    }
}

fn word(item: &Item) -> String {
    match item {
        Item::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        Item::Int(_) | Item::Float(_) | Item::List(_) => String::new(),
    }
}

fn text(value: &Value) -> String {
    value.clone().into_text().unwrap()
}

impl Player {
    fn new(name: &str, connection: u64, first_step: StepId) -> Player {
        let login = Login {
            name: name.to_owned(),
            password: "sekrit".to_owned(),
        };
        Player {
            connection,
            session: PbSession::new(login, first_step),
            ours: Vec::new(),
            steps: BTreeMap::new(),
            calls: Vec::new(),
            events: Vec::new(),
        }
    }

    /// The master said something: one byte at a time, to be strict.
    fn feed(&mut self, unit: &Unit) {
        for byte in &unit.bytes {
            self.session.receive(&[*byte]).unwrap();
        }
        while let Some(event) = self.session.next_event() {
            if let Event::Call(call) = &event {
                self.calls.push(call.clone());
                if let MasterCall::StartCommand { step, .. } = call {
                    self.note_step(*step, unit);
                }
            }
            self.events.push(event);
        }
    }

    fn note_step(&mut self, step: StepId, unit: &Unit) {
        let mut lent = Vec::new();
        unjelly(fields(unit)[5].clone(), &mut lent).unwrap();
        for luid in lent {
            self.steps.insert(luid, step);
        }
    }

    /// The recorded worker said something: the session is made to say the same, and has to.
    fn expect(&mut self, unit: &Unit) {
        let fields = fields(unit);
        let head = word(&fields[0]);
        let already = self.collect(unit);
        if !already {
            match head.as_str() {
                "message" => self.ask(unit, &fields),
                "answer" => self.answer(&fields),
                // Ours are sent together with the end of a step.
                "decref" => return,
                other => panic!("{}: '{other}' was not sent", unit.place),
            }
            assert!(
                self.collect(unit),
                "{}: {} became\n{}",
                unit.place,
                unit.bytes.escape_ascii(),
                self.ours.escape_ascii()
            );
        }
        if head == "message" && word(&fields[3]) == "complete" {
            // The references of the step follow at once; the recorded worker sent them late or never.
            let releases = 6 * self.steps_of(number(&fields[2])).len();
            assert_eq!(self.ours.len(), releases, "{}", unit.place);
            self.ours.clear();
        }
    }

    /// Whether the next bytes of ours are those of the unit, which are then taken.
    fn collect(&mut self, unit: &Unit) -> bool {
        self.ours.append(self.session.outgoing());
        let same = self.ours.starts_with(&unit.bytes);
        if same {
            self.ours.drain(..unit.bytes.len());
        }
        same
    }

    /// The numbers of all that was lent for the step of this command object.
    fn steps_of(&self, command: i64) -> Vec<i64> {
        let step = self.steps[&command];
        self.steps
            .iter()
            .filter(|(_, other)| **other == step)
            .map(|(luid, _)| *luid)
            .collect()
    }

    fn answer(&mut self, fields: &[Item]) {
        let answer = match value(&fields[2]) {
            Value::None => Answer::Nothing,
            Value::Text(text) => Answer::Text(text),
            Value::Dict(pairs) => {
                facts_or_builders(self.is_builder_list(number(&fields[1])), pairs)
            }
            other => panic!("an answer with {other}"),
        };
        self.session.answer(ReplyTo(number(&fields[1])), answer);
    }

    fn is_builder_list(&self, request: i64) -> bool {
        self.calls.iter().any(
            |call| matches!(call, MasterCall::SetBuilderList { reply, .. } if reply.0 == request),
        )
    }

    fn ask(&mut self, unit: &Unit, fields: &[Item]) {
        let luid = number(&fields[2]);
        let Value::Tuple(args) = value(&fields[5]) else {
            panic!("{}: no tuple", unit.place);
        };
        let transfer = |transfer| (self.steps[&luid], TransferTag(0), transfer);
        let (step, tag, transfer) = match word(&fields[3]).as_str() {
            "update" => {
                let updates = updates(&args[0]);
                return self.session.update(self.steps[&luid], &updates, 1);
            }
            "complete" if args[0] == Value::None => {
                return self.session.complete(self.steps[&luid], Ok(()));
            }
            "keepalive" => {
                assert!(self.session.keepalive());
                return;
            }
            "shutdown" => {
                assert!(self.session.ask_for_shutdown());
                return;
            }
            "write" => match &args[0] {
                Value::Bytes(bytes) => transfer(Transfer::Write(bytes.clone())),
                other => panic!("{}: written {other}", unit.place),
            },
            "read" => match &args[0] {
                Value::Int(length) => transfer(Transfer::Read(usize::try_from(*length).unwrap())),
                other => panic!("{}: read {other}", unit.place),
            },
            "close" => transfer(Transfer::Close),
            "unpack" => transfer(Transfer::Unpack),
            "utime" => match &args[0] {
                Value::Tuple(times) => match times[..] {
                    [Value::Float(accessed), Value::Float(modified)] => {
                        transfer(Transfer::SetTimes(accessed, modified))
                    }
                    _ => panic!("{}: times {times:?}", unit.place),
                },
                other => panic!("{}: times {other}", unit.place),
            },
            other => panic!("{}: the worker called '{other}'", unit.place),
        };
        self.session.transfer(step, tag, transfer);
    }
}

fn facts_or_builders(builders: bool, pairs: Vec<(Value, Value)>) -> Answer {
    if builders {
        return Answer::Builders(
            pairs
                .iter()
                .map(|(name, _)| BuilderName(text(name)))
                .collect(),
        );
    }
    Answer::Facts(
        pairs
            .iter()
            .map(|(name, fact)| (text(name), self::fact(fact)))
            .collect(),
    )
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

/// The updates in the argument of `update`.
fn updates(list: &Value) -> Vec<Update> {
    let Value::List(elements) = list else {
        panic!("no list of updates");
    };
    elements.iter().map(update).collect()
}

fn update(element: &Value) -> Update {
    let Value::List(parts) = element else {
        panic!("no update");
    };
    let [Value::Dict(pairs), Value::Int(0)] = &parts[..] else {
        panic!("no update: {parts:?}");
    };
    let [(key, value)] = &pairs[..] else {
        panic!("not one key: {pairs:?}");
    };
    let lines = |value: &Value| Lines {
        text: text(value),
        times: Vec::new(),
    };
    match (text(key).as_str(), value) {
        ("stdout", value) => Update::Stdout(lines(value)),
        ("stderr", value) => Update::Stderr(lines(value)),
        ("header", value) => Update::Header(lines(value)),
        ("log", Value::Tuple(parts)) => Update::Log {
            name: text(&parts[0]),
            lines: lines(&parts[1]),
        },
        ("rc", Value::Int(code)) => Update::ExitCode(i32::try_from(*code).unwrap()),
        ("elapsed", Value::Float(seconds)) => Update::Elapsed(*seconds),
        ("failure_reason", value) => Update::FailureReason(match text(value).as_str() {
            "timeout_without_output" => FailureReason::Silence,
            "timeout" => FailureReason::TotalTime,
            "max_lines_failure" => FailureReason::MaxLines,
            other => panic!("the reason '{other}'"),
        }),
        ("files", Value::List(names)) => Update::Files(names.iter().map(text).collect()),
        ("stat", Value::Tuple(numbers)) => {
            let numbers: Vec<i64> = numbers
                .iter()
                .map(|number| match number {
                    Value::Int(number) => *number,
                    other => panic!("{other} in stat"),
                })
                .collect();
            Update::Stat(numbers.try_into().unwrap())
        }
        (other, value) => panic!("the update '{other}' with {value}"),
    }
}

/// Plays the connections of a recording one after the other.
fn play(recording: &Recording, units: impl Fn(&Unit) -> bool) -> Vec<Player> {
    let mut players: Vec<Player> = Vec::new();
    for unit in recording.units.iter().filter(|unit| units(unit)) {
        // Attempts that were turned away have a number, too.
        if players
            .last()
            .is_none_or(|p| p.connection != unit.connection)
        {
            let first = players.last().map_or(StepId(1), |p| p.session.next_step());
            let name = worker_name(recording);
            players.push(Player::new(&name, unit.connection, first));
        }
        let player = players.last_mut().unwrap();
        match unit.from {
            From::Master => player.feed(unit),
            From::Worker => player.expect(unit),
        }
    }
    for player in &mut players {
        player.ours.append(player.session.outgoing());
    }
    players
}

/// The name with which the recorded worker logged in.
fn worker_name(recording: &Recording) -> String {
    let login = recording
        .units
        .iter()
        .find(|unit| unit.sexp[3] == "login")
        .unwrap();
    login.sexp[5][1].as_str().unwrap().to_owned()
}

/// What cannot be the same: our exceptions have another serial number and no frames, wrong password
/// is not ours, and we never ask for more than a master can send.
fn differs(recording: &Recording) -> bool {
    [
        "bad-env",
        "download-oversize",
        "login-bad-password",
        "login-unknown-user",
        "missing-args",
        "shell-missing-workdir",
        "unknown-command",
    ]
    .contains(&recording.name.as_str())
}

#[test]
fn the_worker_says_what_the_recorded_worker_said_byte_for_byte() {
    let mut played = 0;
    for recording in recording::all().iter().filter(|r| !differs(r)) {
        for player in play(recording, |_| true) {
            assert_eq!(
                player.ours.escape_ascii().to_string(),
                "",
                "{}: said more",
                recording.name
            );
            played += 1;
        }
    }
    assert!(played >= 34, "{played}");
}

#[test]
fn every_call_of_a_recorded_master_becomes_the_call_it_means() {
    for recording in recording::all().iter().filter(|r| !differs(r)) {
        for player in play(recording, |_| true) {
            let connection = player.connection;
            let expected: Vec<String> = recording
                .units
                .iter()
                .filter(|unit| unit.connection == connection && unit.from == From::Master)
                .filter(|unit| unit.sexp[0] == "message")
                .map(|unit| unit.sexp[3].as_str().unwrap().to_owned())
                .collect();
            let came: Vec<&str> = player.calls.iter().map(method).collect();
            assert_eq!(came, expected, "{}", recording.name);
        }
    }
}

fn method(call: &MasterCall) -> &'static str {
    match call {
        MasterCall::Print { .. } => "print",
        MasterCall::GetWorkerInfo { .. } => "getWorkerInfo",
        MasterCall::GetCommands { .. } => "getCommands",
        MasterCall::GetVersion { .. } => "getVersion",
        MasterCall::SetBuilderList { .. } => "setBuilderList",
        MasterCall::SetWorkerSettings { .. } => "set_worker_settings",
        MasterCall::StartBuild { .. } => "startBuild",
        MasterCall::StartCommand { .. } => "startCommand",
        MasterCall::InterruptCommand { .. } => "interruptCommand",
        MasterCall::Shutdown { .. } => "shutdown",
    }
}

#[test]
fn finished_sessions_leave_nothing_behind() {
    for name in ["fs-commands", "uploadFile", "downloadFile", "shell-rich"] {
        let player = play(&recording::one(name), |_| true).remove(0);
        let counts = player.session.counts();
        assert_eq!(counts.asked, 0, "{name}");
        assert_eq!(counts.served, 0, "{name}");
        assert_eq!((counts.steps, counts.lent), (0, 0), "{name}");
        // The bot and one builder.
        assert_eq!(counts.objects, 2, "{name}");
        let completed = player
            .events
            .iter()
            .filter(|event| matches!(event, Event::Completed { .. }))
            .count();
        assert_eq!(
            completed,
            player.session.next_step().0 as usize - 1,
            "{name}"
        );
        let logged_in = |event: &&Event| **event == Event::LoggedIn;
        assert_eq!(player.events.iter().filter(logged_in).count(), 1, "{name}");
    }
}

#[test]
fn steps_are_numbered_on_over_connections() {
    let recording = recording::one("download-oversize");
    let players = play(&recording, |unit| unit.sexp[3] != "read");
    let steps: Vec<u64> = players
        .iter()
        .flat_map(|player| player.steps.values().map(|step| step.0))
        .collect();
    assert!(players.len() >= 3);
    assert_eq!(steps, [1, 1, 2, 2, 3, 3]);
}

#[test]
fn what_a_reader_sends_arrives_unchanged() {
    let player = play(&recording::one("downloadFile"), |_| true).remove(0);
    let read: Vec<Vec<u8>> = player
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Replied { reply, .. } => reply.clone().ok(),
            _ => None,
        })
        .collect();
    let content = [
        b"\x00\x01\x02binary-data\xff\xfeend".to_vec(),
        "text café\n".into(),
    ]
    .concat();
    assert_eq!(read.concat(), content);
}

#[test]
fn after_a_reconfiguration_the_builders_that_stay_keep_their_numbers() {
    // The answers with the numbers are compared byte by byte; here is what is left at the end: the
    // bot, the builder that stayed, and the new one.
    let mut player = play(&recording::one("attach-reconfig"), |_| true).remove(0);
    assert_eq!(player.session.counts().objects, 3);
    assert!(
        !player
            .events
            .iter()
            .any(|e| matches!(e, Event::Refused { .. }))
    );
    // Builder 3 was released once and sent twice: it still answers. Builder 2 is gone.
    let call = |request: u8, luid: u8| {
        let mut bytes = vec![7, 0x80, 0x1a, 0x87, request, 0x81, luid, 0x81, 10, 0x82];
        bytes.extend(b"startBuild");
        bytes.extend([1, 0x81, 1, 0x80, 0x0b, 0x87, 1, 0x80, 0x05, 0x87]);
        bytes
    };
    player.session.receive(&call(100, 3)).unwrap();
    assert_eq!(
        player.session.next_event(),
        Some(Event::Call(MasterCall::StartBuild {
            reply: ReplyTo(100),
            builder: BuilderName("attach".to_owned()),
        }))
    );
    player.session.receive(&call(101, 2)).unwrap();
    assert_eq!(
        player.session.next_event(),
        Some(Event::Refused {
            what: "startBuild: Invalid Object ID".to_owned()
        })
    );
}

#[test]
fn a_wrong_password_is_told_apart_from_a_duplicate() {
    let refusal = |name: &str| {
        let recording = recording::one(name);
        let mut player = Player::new(&worker_name(&recording), 1, StepId(1));
        for unit in recording.units.iter().filter(|u| u.from == From::Master) {
            player.feed(unit);
        }
        assert_eq!(player.session.counts().asked, 0);
        player.events
    };
    let unauthorized = Event::LoginRefused {
        unauthorized: true,
        message: "twisted.cred.error.UnauthorizedLogin".to_owned(),
    };
    // The master then releases the bot.
    for name in ["login-bad-password", "login-unknown-user"] {
        assert_eq!(refusal(name), std::slice::from_ref(&unauthorized));
    }
    assert_eq!(
        refusal("duplicate-second"),
        [Event::LoginRefused {
            unauthorized: false,
            message: "builtins.RuntimeError: rejecting duplicate worker".to_owned(),
        }]
    );
}

/// The exceptions in answers, as a master reads them: class, text, parents.
fn errors(units: &[Unit]) -> Vec<(String, String, Vec<String>)> {
    units
        .iter()
        .filter(|unit| unit.sexp[0] == "error")
        .map(|unit| match value(&fields(unit)[2]) {
            Value::Failure(failure) => (failure.class, failure.text, failure.parents),
            other => panic!("{other}"),
        })
        .collect()
}

#[test]
fn errors_of_set_up_are_those_of_the_recorded_worker() {
    for name in ["missing-args", "shell-missing-workdir", "unknown-command"] {
        let recording = recording::one(name);
        // Up to the error, byte for byte.
        let end = recording.units.iter().position(|u| u.sexp[0] == "error");
        let mut upto = recording.clone();
        upto.units.truncate(end.unwrap());
        let player = play(&upto, |_| true).remove(0);
        let ours = player.ours;
        let unit = |bytes: Vec<u8>| Unit {
            bytes,
            ..recording.units[end.unwrap()].clone()
        };
        let said = errors(&[unit(ours.clone())]);
        let recorded = errors(&recording.units);
        assert_eq!(said, recorded, "{name}");
        // The same bytes but for the serial number, which is one byte; then the release of the
        // command's reference.
        let theirs = &recording.units[end.unwrap()].bytes;
        let (error, release) = ours.split_at(theirs.len());
        let different = error.iter().zip(theirs).filter(|(a, b)| a != b).count();
        assert!(different <= 1, "{name}");
        assert_eq!(release, [2, 0x80, 0x1d, 0x87, 3, 0x81], "{name}");
        assert!(matches!(player.events.last(), Some(Event::Refused { .. })));
        assert_eq!(player.session.counts().steps, 0);
    }
}

#[test]
fn a_master_is_never_asked_for_more_than_it_can_send() {
    // The recorded worker did, and lost the connection.
    let recording = recording::one("download-oversize");
    let mut player = play(&recording, |unit| {
        unit.connection == 1 && unit.sexp[3] != "read"
    })
    .remove(0);
    let Some(MasterCall::StartCommand { step, command, .. }) = player.calls.last() else {
        panic!("no command");
    };
    let coracle::calls::Command::DownloadFile(download) = command.as_ref() else {
        panic!("{command:?}");
    };
    assert_eq!(download.block_size, 262_144);
    let step = *step;
    player
        .session
        .transfer(step, TransferTag(1), Transfer::Read(716_800));
    let sent = player.session.outgoing().clone();
    let call = fields(&Unit {
        bytes: sent,
        ..recording.units[0].clone()
    });
    assert_eq!(value(&call[5]), Value::Tuple(vec![Value::Int(655_360)]));
}
