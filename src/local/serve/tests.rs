// Helpers of tests may panic like tests.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::calls::{Answer, Lines, MasterCall, StepId, Transfer, TransferTag, Update};
use crate::session::pb::{Event, Login, PbSession};

/// Our master and our worker's session, joined in memory.
struct Pair {
    serving: Serving,
    session: PbSession,
    heard: Vec<ServeEvent>,
    asked: Vec<MasterCall>,
    others: Vec<Event>,
}

impl Pair {
    fn new(password: &str) -> Pair {
        let account = Account {
            name: "w".to_owned(),
            password: "sekrit".to_owned(),
            challenge: vec![7; 16],
            builders: vec![("b".to_owned(), "dir".to_owned())],
        };
        let login = Login {
            name: "w".to_owned(),
            password: password.to_owned(),
        };
        Pair {
            serving: Serving::new(account),
            session: PbSession::new(login, StepId(1)),
            heard: Vec::new(),
            asked: Vec::new(),
            others: Vec::new(),
        }
    }

    fn attached() -> Pair {
        let mut pair = Pair::new("sekrit");
        pair.talk();
        assert!(pair.serving.is_attached());
        assert_eq!(
            pair.heard,
            [ServeEvent::Attached {
                facts: vec![("version".to_owned(), Fact::Text("1".to_owned()))],
            }]
        );
        pair.heard.clear();
        pair.asked.clear();
        pair.others.clear();
        pair
    }

    /// Carries bytes, one at a time, until both are silent.
    fn talk(&mut self) {
        loop {
            let down = std::mem::take(self.serving.outgoing());
            let up = std::mem::take(self.session.outgoing());
            if down.is_empty() && up.is_empty() {
                return;
            }
            for byte in &down {
                self.session.receive(&[*byte]).unwrap();
            }
            while let Some(event) = self.session.next_event() {
                match event {
                    Event::Call(call) => self.answer(call),
                    other => self.others.push(other),
                }
            }
            for byte in &up {
                self.serving.receive(&[*byte]).unwrap();
            }
            while let Some(event) = self.serving.next_event() {
                self.heard.push(event);
            }
        }
    }

    fn answer(&mut self, call: MasterCall) {
        let (reply, answer) = match &call {
            MasterCall::GetWorkerInfo { reply } => {
                let fact = ("version".to_owned(), Fact::Text("1".to_owned()));
                (*reply, Answer::Facts(vec![fact]))
            }
            MasterCall::SetBuilderList { reply, builders } => {
                let names = builders.iter().map(|(name, _)| name.clone()).collect();
                (*reply, Answer::Builders(names))
            }
            MasterCall::Print { reply, .. }
            | MasterCall::GetCommands { reply }
            | MasterCall::GetVersion { reply }
            | MasterCall::SetWorkerSettings { reply, .. }
            | MasterCall::StartBuild { reply, .. }
            | MasterCall::StartCommand { reply, .. }
            | MasterCall::InterruptCommand { reply, .. }
            | MasterCall::Shutdown { reply } => (*reply, Answer::Nothing),
        };
        self.session.answer(reply, answer);
        self.asked.push(call);
    }

    fn start(&mut self, name: &str, peer: Option<Peer>) -> CommandNumber {
        let text = |text: &str| Value::Text(text.to_owned());
        let arguments = [
            ("command", text("true")),
            ("workdir", text("build")),
            ("workersrc", text("f")),
            ("workerdest", text("f")),
            ("maxsize", Value::None),
            ("blocksize", Value::Int(100)),
            ("mode", Value::None),
            ("file", text("f")),
        ];
        let arguments = arguments
            .map(|(key, value)| (key.to_owned(), value))
            .to_vec();
        let command = self
            .serving
            .start_command("b", name, arguments, peer)
            .unwrap();
        self.talk();
        command
    }
}

#[test]
fn our_own_worker_is_attached_and_told_its_builders() {
    let mut pair = Pair::new("sekrit");
    pair.talk();
    let names: Vec<&str> = pair
        .asked
        .iter()
        .map(|call| match call {
            MasterCall::Print { message, .. } => message.as_str(),
            MasterCall::GetWorkerInfo { .. } => "info",
            MasterCall::SetBuilderList { .. } => "builders",
            _ => "other",
        })
        .collect();
    assert_eq!(names, ["attached", "info", "builders", "attached"]);
    assert_eq!(pair.others, [Event::LoggedIn]);
}

#[test]
fn a_wrong_password_is_refused_as_a_real_master_does() {
    let mut pair = Pair::new("wrong");
    pair.talk();
    assert!(!pair.serving.was_attached());
    let name = "w".to_owned();
    assert_eq!(pair.heard, [ServeEvent::LoginRefused { name }]);
    assert!(matches!(
        pair.others.as_slice(),
        [Event::LoginRefused {
            unauthorized: true,
            ..
        }]
    ));
}

#[test]
fn a_command_reports_and_ends() {
    let mut pair = Pair::attached();
    pair.serving.start_build("b").unwrap();
    let command = pair.start("shell", None);
    assert!(matches!(
        pair.asked.as_slice(),
        [
            MasterCall::StartBuild { .. },
            MasterCall::StartCommand { .. }
        ]
    ));
    let updates = vec![
        Update::Stdout(Lines {
            text: "out\n".to_owned(),
            times: Vec::new(),
        }),
        Update::Log {
            name: "aside".to_owned(),
            lines: Lines {
                text: "log\n".to_owned(),
                times: Vec::new(),
            },
        },
        Update::FailureReason(crate::calls::FailureReason::Silence),
        Update::Files(vec!["a".to_owned()]),
        Update::Stat([1, 2, 3, 4, 5, 6, i64::MAX, 8, 9, 10]),
        Update::ExitCode(-1),
        Update::Elapsed(1.5),
    ];
    pair.session.update(StepId(1), &updates, 99);
    pair.session.complete(StepId(1), Ok(()));
    pair.talk();
    let failure = None;
    assert_eq!(
        pair.heard,
        [
            ServeEvent::Updates { command, updates },
            ServeEvent::Completed { command, failure },
        ]
    );
    let acknowledged = Event::Acknowledged {
        step: StepId(1),
        cost: 99,
    };
    assert_eq!(
        pair.others,
        [acknowledged, Event::Completed { step: StepId(1) }]
    );
    assert_eq!(pair.serving.running(), 0);
}

#[test]
fn files_go_up_and_down() {
    let mut pair = Pair::attached();
    let up = pair.start("uploadFile", Some(Peer::Writer));
    let bytes = b"None\x00\xff".to_vec();
    pair.session
        .transfer(StepId(1), TransferTag(1), Transfer::Write(bytes.clone()));
    pair.talk();
    let Some(ServeEvent::Transfer {
        command,
        reply,
        transfer,
    }) = pair.heard.pop()
    else {
        panic!("no transfer");
    };
    assert_eq!((command, transfer), (up, Transfer::Write(bytes)));
    pair.serving
        .reply(reply, Err("the disk is full".to_owned()));
    pair.talk();
    assert!(matches!(
        pair.others.pop(),
        Some(Event::Replied { reply: Err(why), .. }) if why.contains("the disk is full")
    ));
    pair.start("downloadFile", Some(Peer::Reader));
    for answer in [b"some".to_vec(), Vec::new()] {
        pair.session
            .transfer(StepId(2), TransferTag(2), Transfer::Read(10));
        pair.talk();
        let Some(ServeEvent::Transfer {
            reply,
            transfer: Transfer::Read(10),
            ..
        }) = pair.heard.pop()
        else {
            panic!("no read");
        };
        pair.serving.reply(reply, Ok(answer.clone()));
        pair.talk();
        assert!(matches!(
            pair.others.pop(),
            Some(Event::Replied { reply: Ok(got), .. }) if got == answer
        ));
    }
}

#[test]
fn interrupts_keepalives_pings_and_the_end_are_understood() {
    let mut pair = Pair::attached();
    let command = pair.start("shell", None);
    pair.asked.clear();
    pair.serving.interrupt("b", command, "enough").unwrap();
    pair.serving.ping();
    assert!(pair.session.keepalive());
    pair.serving.shut_down();
    pair.talk();
    assert!(matches!(
        pair.asked.as_slice(),
        [
            MasterCall::InterruptCommand { reason, .. },
            MasterCall::Print { .. },
            MasterCall::Shutdown { .. },
        ] if reason == "enough"
    ));
    assert!(pair.heard.contains(&ServeEvent::InterruptTaken { command }));
    assert!(pair.heard.contains(&ServeEvent::Keepalive));
    assert!(pair.heard.contains(&ServeEvent::ShutdownTaken));
    assert!(pair.others.contains(&Event::KeepaliveAnswered));
}

#[test]
fn a_command_that_a_worker_does_not_have_is_not_started() {
    let mut pair = Pair::attached();
    let started = pair.start("bake", None);
    assert!(matches!(
        pair.heard.as_slice(),
        [ServeEvent::NotStarted { command, failure }]
            if *command == started && failure.contains("unrecognized WorkerCommand 'bake'")
    ));
    assert!(
        pair.serving
            .start_command("other", "shell", Vec::new(), None)
            .is_err()
    );
}

#[test]
fn a_command_whose_arguments_are_too_large_costs_nothing() {
    let mut pair = Pair::attached();
    let huge = vec![("command".to_owned(), Value::Bytes(vec![b'x'; 700_000]))];
    let error = pair
        .serving
        .start_command("b", "shell", huge, None)
        .unwrap_err();
    assert!(error.to_string().contains("700000 bytes"), "{error}");
    assert_eq!(pair.serving.running(), 0);
    pair.start("shell", None);
    assert_eq!(pair.serving.running(), 1);
}

#[test]
fn a_hostile_worker_gets_errors_and_nothing_worse() {
    let greeting: &[u8] = b"\x02\x82pb\x02\x80\x13\x87\x06\x81";
    let cases: [&[u8]; 9] = [
        b"GET /a/page/with/a/long/name/that/is/no/banana HTTP/1.1\r\nHost: localhost\r\n",
        b"\x02\x82no",
        b"\x01\x81",
        b"\x02\x82pb\x02\x80\x13\x87\x07\x81",
        b"\x02\x82pb\x05\x81",
        // An answer that nobody waits for; a message of another size; a word that is none.
        b"\x03\x80\x1b\x87\x05\x81\x01\x80\x01\x87",
        b"\x03\x80\x1a\x87\x05\x81\x01\x81",
        b"\x01\x80\x03\x82abc",
        b"\x00\x80",
    ];
    for (index, case) in cases.iter().enumerate() {
        let mut serving = Pair::new("").serving;
        let bytes = if index < 5 {
            case.to_vec()
        } else {
            [greeting, case].concat()
        };
        assert!(serving.receive(&bytes).is_err(), "case {index}");
    }
}

#[test]
fn calls_of_objects_that_are_not_held_are_answered_with_an_error() {
    let mut pair = Pair::attached();
    let mut bytes = Vec::new();
    for (object, method) in [(99, "update"), (2, "dance")] {
        encode(&mut bytes, |out| {
            out.list(7);
            out.bytes(b"message");
            out.int(100 + object);
            out.int(object);
            out.bytes(method.as_bytes());
            out.int(1);
            out.tuple_of(0);
            out.dictionary_of(0);
        })
        .unwrap();
    }
    pair.serving.receive(&bytes).unwrap();
    let sent = std::mem::take(pair.serving.outgoing());
    let text = String::from_utf8_lossy(&sent).into_owned();
    assert!(text.contains("Invalid Object ID") && text.contains("No such method: remote_dance"));
    assert!(matches!(
        [pair.serving.next_event(), pair.serving.next_event()],
        [Some(ServeEvent::Odd { .. }), Some(ServeEvent::Odd { .. })]
    ));
}
