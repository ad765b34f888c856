//! The entry of a fuzzer to the conversation.

use super::{Event, Login, PbSession};
use crate::calls::{
    Answer, BuilderName, Failure, FailureKind, Lines, MasterCall, StepId, Transfer, TransferTag,
    Update,
};
use crate::wire::banana::{Decoder, Item};
use crate::wire::jelly::unjelly;

/// Plays a master that says anything, and a worker that answers each call in a plausible way. The first
/// byte chooses how far the login has come before. Only a defect of ours makes it panic.
pub fn fuzz_conversation(data: &[u8]) {
    let Some((&start, data)) = data.split_first() else {
        return;
    };
    let login = Login {
        name: "w".to_owned(),
        password: "sekrit".to_owned(),
    };
    let mut session = PbSession::new(login, StepId(1));
    for said in &OPENING[..usize::from(start) % (OPENING.len() + 1)] {
        assert_eq!(session.receive(said), Ok(()), "the opening is legal");
    }
    let mut worker = Worker::default();
    worker.listen(&mut session);
    for piece in data.chunks(61) {
        let received = session.receive(piece);
        worker.work(&mut session);
        worker.listen(&mut session);
        if received.is_err() {
            break;
        }
    }
    for step in worker.steps {
        session.complete(step, Ok(()));
    }
    let counts = session.counts();
    assert_eq!((counts.steps, counts.lent), (0, 0), "a reference is left");
    assert!(session.events.len() <= 4, "events are left");
}

/// What a master says until the worker is attached.
const OPENING: [&[u8]; 4] = [
    b"\x02\x80\x02\x82pb\x04\x82none",
    b"\x02\x80\x13\x87\x06\x81",
    b"\x03\x80\x1b\x87\x01\x81\x03\x80\x0b\x87\x04\x82abcd\x02\x80\x10\x87\x01\x81",
    b"\x03\x80\x1b\x87\x02\x81\x02\x80\x10\x87\x02\x81",
];

/// The worker around the session.
#[derive(Default)]
struct Worker {
    decoder: Decoder,
    heard: usize,
    steps: Vec<StepId>,
}

impl Worker {
    fn work(&mut self, session: &mut PbSession) {
        while let Some(event) = session.next_event() {
            match event {
                Event::Call(call) => self.serve(session, call),
                Event::LoggedIn => {
                    session.keepalive();
                    session.ask_for_shutdown();
                }
                Event::Replied { .. }
                | Event::Attached
                | Event::Refused { .. }
                | Event::LoginRefused { .. }
                | Event::Acknowledged { .. }
                | Event::Completed { .. }
                | Event::RemoteFailure { .. }
                | Event::KeepaliveAnswered
                | Event::ShutdownAsked { .. } => {}
            }
        }
    }

    fn serve(&mut self, session: &mut PbSession, call: MasterCall) {
        match call {
            MasterCall::Print { reply, .. }
            | MasterCall::SetWorkerSettings { reply, .. }
            | MasterCall::StartBuild { reply, .. }
            | MasterCall::InterruptCommand { reply, .. }
            | MasterCall::Shutdown { reply } => session.answer(reply, Answer::Nothing),
            MasterCall::GetWorkerInfo { reply } | MasterCall::GetCommands { reply } => {
                session.answer(reply, Answer::Facts(Vec::new()));
            }
            MasterCall::GetVersion { reply } => session.answer(reply, Answer::Text(String::new())),
            MasterCall::SetBuilderList { reply, builders } => {
                let names: Vec<BuilderName> = builders.into_iter().map(|(name, _)| name).collect();
                session.answer(reply, Answer::Builders(names));
            }
            MasterCall::StartCommand {
                reply, step, id, ..
            } => {
                if id.0.len() % 3 == 2 {
                    let failure = Failure {
                        kind: FailureKind::Other,
                        message: id.0,
                    };
                    return session.answer(reply, Answer::Failure(failure));
                }
                session.answer(reply, Answer::Nothing);
                let lines = Lines {
                    text: id.0,
                    times: Vec::new(),
                };
                session.update(step, &[Update::Stdout(lines), Update::ExitCode(0)], 1);
                session.transfer(step, TransferTag(1), Transfer::Read(usize::MAX));
                self.steps.push(step);
            }
        }
    }

    /// Whatever happens, what the worker says is well formed.
    fn listen(&mut self, session: &mut PbSession) {
        let bytes = std::mem::take(session.outgoing());
        let mut input = bytes.as_slice();
        loop {
            match self.decoder.next(&mut input) {
                Ok(Some(item)) => {
                    self.heard += 1;
                    if self.heard == 1 {
                        assert_eq!(item, Item::Bytes(b"pb".to_vec()), "the dialect is first");
                        self.decoder.allow_words();
                    } else {
                        check_message(item);
                    }
                }
                Ok(None) => break,
                Err(error) => unreachable!("the worker sent {error}"),
            }
        }
    }
}

fn check_message(item: Item) {
    let Item::List(items) = item else {
        unreachable!("the worker sent {item}");
    };
    let head = items.first().cloned();
    let values = match head {
        Some(Item::Bytes(word)) => match word.as_slice() {
            b"version" | b"decref" => 2..2,
            b"answer" | b"error" => 2..3,
            b"message" => 5..7,
            other => unreachable!("the worker sent '{}'", other.escape_ascii()),
        },
        other => unreachable!("the worker sent {other:?}"),
    };
    assert_eq!(items.len(), values.end, "a message has its fields");
    for value in items.into_iter().skip(values.start) {
        assert!(
            unjelly(value, &mut Vec::new()).is_ok(),
            "values can be read"
        );
    }
}
