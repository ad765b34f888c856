//! The entry of a fuzzer to the conversation.

use super::{Greeting, MsgpackSession};
use crate::calls::{
    Answer, Failure, FailureKind, Lines, MasterCall, StepId, Transfer, TransferTag, Update,
};
use crate::session::Event;

/// A handshake's answer to the key that the fuzzer's session sends.
const WELCOME: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n";

/// Plays a master that says anything, and a worker that answers each call in a plausible way. The first
/// byte chooses whether the handshake is over. Only a defect of ours makes it panic.
pub fn fuzz_msgpack(data: &[u8]) {
    let Some((&start, data)) = data.split_first() else {
        return;
    };
    let greeting = Greeting {
        host: "m:1".to_owned(),
        path: "/".to_owned(),
        agent: "fuzz".to_owned(),
        name: "w".to_owned(),
        password: "sekrit".to_owned(),
    };
    let mut session = MsgpackSession::new(greeting, Box::new(|| 0), StepId(1));
    if start % 8 != 0 {
        assert_eq!(session.receive(WELCOME), Ok(()), "the answer is legal");
    }
    let mut steps = Vec::new();
    work(&mut session, &mut steps);
    for piece in data.chunks(61) {
        let received = session.receive(piece);
        work(&mut session, &mut steps);
        session.keepalive();
        if received.is_err() {
            break;
        }
    }
    for step in steps {
        session.complete(step, Ok(()));
    }
    let counts = session.counts();
    assert_eq!((counts.steps, counts.served), (0, 0), "something is left");
    assert!(session.events.is_empty(), "events are left");
}

fn work(session: &mut MsgpackSession, steps: &mut Vec<StepId>) {
    while let Some(event) = session.next_event() {
        if let Event::Call(call) = event {
            serve(session, steps, call);
        }
    }
}

fn serve(session: &mut MsgpackSession, steps: &mut Vec<StepId>, call: MasterCall) {
    match call {
        MasterCall::Print { reply, .. }
        | MasterCall::StartBuild { reply, .. }
        | MasterCall::SetBuilderList { reply, .. }
        | MasterCall::GetVersion { reply }
        | MasterCall::InterruptCommand { reply, .. }
        | MasterCall::SetWorkerSettings { reply, .. }
        | MasterCall::Shutdown { reply } => session.answer(reply, Answer::Nothing),
        MasterCall::GetWorkerInfo { reply } | MasterCall::GetCommands { reply } => {
            session.answer(reply, Answer::Facts(Vec::new()));
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
                text: format!("{}\n", id.0),
                times: Vec::new(),
            };
            session.update(step, &[Update::Stdout(lines), Update::ExitCode(0)], 1);
            session.transfer(step, TransferTag(1), Transfer::Read(usize::MAX));
            steps.push(step);
        }
    }
}
