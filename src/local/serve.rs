//! The master's half of a conversation over Perspective Broker (PROTOCOL sections 3 and 4), for one
//! worker: dialect, login, attachment, commands, transfers. Pure: bytes come in and go out, nothing
//! here touches a socket, a file, a log or a clock.

mod ask;
mod calls;
mod error;
mod event;
mod login;
mod receive;
#[cfg(test)]
mod tests;
mod updates;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use crate::calls::{Fact, ReplyTo, TransferReply};
use crate::wire::banana::{Decoder, Writer, encode};
use crate::wire::jelly::{RemoteFailure, Value};

pub use ask::Peer;
pub use error::ServeError;
pub use event::{CommandNumber, ServeEvent};

/// Who may log in, and what it is given to do.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The worker's name.
    pub name: String,
    /// Its password.
    pub password: String,
    /// What it has to prove its password on; of any length, never used twice.
    pub challenge: Vec<u8>,
    /// Builders with their directories below the base directory.
    pub builders: Vec<(String, String)>,
}

/// One connection of a worker. Bytes come in with [`Serving::receive`]; what they mean comes out of
/// [`Serving::next_event`], and the bytes to be sent out of [`Serving::outgoing`].
///
/// Bounds: those of [`crate::wire::banana`] for one expression; take the events and what is to be sent
/// after each `receive`.
pub struct Serving {
    decoder: Decoder,
    out: Vec<u8>,
    events: VecDeque<ServeEvent>,
    phase: Phase,
    account: Account,
    /// The number of our next call, and our calls that wait for an answer.
    next_request: i64,
    asked: BTreeMap<i64, Asked>,
    /// The worker's calls that wait for our answer: those of transfers.
    served: BTreeMap<i64, Served>,
    /// What the worker has told about itself, until it is attached.
    facts: Vec<(String, Fact)>,
    /// Our objects that the worker holds.
    objects: BTreeMap<i64, Object>,
    next_luid: i64,
    /// The worker's objects.
    bot: i64,
    builders: BTreeMap<String, i64>,
    next_command: u64,
    /// Commands that have not ended.
    running: BTreeSet<CommandNumber>,
}

/// How far the conversation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Dialect,
    Version,
    Login,
    /// The challenge is out.
    Challenged,
    /// The worker has proved itself and waits for the answer to this call.
    Attaching {
        respond: i64,
        greetings: usize,
    },
    In,
    /// It has not.
    Refused,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Phase::Dialect => "waiting for the worker's dialect",
            Phase::Version => "waiting for the worker's version",
            Phase::Login | Phase::Challenged => "waiting for the login",
            Phase::Attaching { .. } => "attaching the worker",
            Phase::In => "talking with the worker",
            Phase::Refused => "waiting for the refused worker to leave",
        }
    }
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Greeting,
    Facts,
    Builders,
    BuilderGreeting,
    Start(CommandNumber),
    Interrupt(CommandNumber),
    Shutdown,
    /// Nothing depends on it.
    Courtesy(&'static str),
}

/// A call of the worker that waits for our answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Served {
    /// Whether it wants one.
    wanted: bool,
    /// Whether bytes are asked for.
    read: bool,
}

/// What the worker may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Object {
    Challenger,
    Avatar,
    Command(CommandNumber),
    /// The writer or reader of a command.
    Peer(CommandNumber),
}

impl fmt::Debug for Serving {
    /// Without the password and without what the worker sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("phase", &self.phase)
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}

impl Serving {
    /// A conversation at its beginning: the offer of dialects is ready to be sent.
    pub fn new(account: Account) -> Serving {
        let mut serving = Serving {
            decoder: Decoder::new(),
            out: Vec::new(),
            events: VecDeque::new(),
            phase: Phase::Dialect,
            account,
            next_request: 1,
            asked: BTreeMap::new(),
            served: BTreeMap::new(),
            facts: Vec::new(),
            objects: BTreeMap::new(),
            next_luid: 1,
            bot: 0,
            builders: BTreeMap::new(),
            next_command: 1,
            running: BTreeSet::new(),
        };
        let offered = encode(&mut serving.out, |out| {
            out.list(2);
            // Words of the vocabulary are not legal yet (PROTOCOL 1.4).
            out.plain_bytes(b"pb");
            out.plain_bytes(b"none");
        });
        debug_assert!(offered.is_ok(), "two short words exceed no limit");
        serving
    }

    /// Takes bytes that have arrived, cut in any way.
    ///
    /// # Errors
    /// The conversation is over and the connection must be closed. Events from before are still there.
    pub fn receive(&mut self, mut bytes: &[u8]) -> Result<(), ServeError> {
        loop {
            match self.decoder.next(&mut bytes) {
                Ok(Some(expression)) => self.expression(expression)?,
                Ok(None) => return Ok(()),
                Err(error) => {
                    let phase = self.phase.name();
                    return Err(ServeError::Bytes { phase, error });
                }
            }
        }
    }

    /// The next thing that has happened.
    pub fn next_event(&mut self) -> Option<ServeEvent> {
        self.events.pop_front()
    }

    /// The bytes to be sent. The caller takes from the front what it has sent.
    pub fn outgoing(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Whether the worker is attached: commands can be started.
    pub fn is_attached(&self) -> bool {
        self.phase == Phase::In
    }

    /// Whether the worker has proved that it knows the password.
    pub fn was_attached(&self) -> bool {
        self.phase == Phase::In || self.bot != 0
    }

    /// How many commands have not ended.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// A new object for the worker to hold.
    fn lend(&mut self, object: Object) -> i64 {
        let luid = self.next_luid;
        self.next_luid += 1;
        self.objects.insert(luid, object);
        luid
    }

    fn answer(&mut self, request: i64, wanted: bool, value: impl FnOnce(&mut Writer<'_>)) {
        if !wanted {
            return;
        }
        let written = encode(&mut self.out, |out| {
            out.list(3);
            out.bytes(b"answer");
            out.int(request);
            value(out);
        });
        if let Err(error) = written {
            self.refuse(request, wanted, "builtins.ValueError", &error.to_string());
        }
    }

    /// Answers that a call has failed (PROTOCOL 3.5).
    fn refuse(&mut self, request: i64, wanted: bool, class: &str, text: &str) {
        if !wanted {
            return;
        }
        let failure = RemoteFailure {
            class: class.to_owned(),
            text: text.chars().take(1000).collect(),
            parents: [
                class,
                "builtins.Exception",
                "builtins.BaseException",
                "builtins.object",
            ]
            .map(str::to_owned)
            .to_vec(),
            traceback: "Traceback unavailable\n".to_owned(),
        };
        let written = encode(&mut self.out, |out| {
            out.list(3);
            out.bytes(b"error");
            out.int(request);
            out.value(&Value::Failure(Box::new(failure)));
        });
        debug_assert!(written.is_ok(), "the text is short");
    }

    /// Gives objects of the worker back, each exactly once (PROTOCOL 3.3).
    fn release(&mut self, luids: &[i64]) {
        for luid in luids {
            let written = encode(&mut self.out, |out| {
                out.list(2);
                out.bytes(b"decref");
                out.int(*luid);
            });
            debug_assert!(written.is_ok(), "three short elements exceed no limit");
        }
    }

    fn complain(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.events.push_back(ServeEvent::Odd { what });
    }

    /// Answers a call of a transfer: with bytes for a read, with nothing otherwise, or with an error.
    pub fn reply(&mut self, to: ReplyTo, reply: TransferReply) {
        let Some(Served { wanted, read }) = self.served.remove(&to.0) else {
            return;
        };
        match reply {
            Ok(bytes) if read => self.answer(to.0, wanted, |out| out.bytes(&bytes)),
            Ok(_) => self.answer(to.0, wanted, |out| out.none()),
            Err(why) => self.refuse(to.0, wanted, "builtins.OSError", &why),
        }
    }
}
