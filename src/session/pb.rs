//! The conversation over Perspective Broker (PROTOCOL sections 3 and 4): dialect, login, the calls in
//! both directions, and the references that each side lends to the other.

mod ask;
mod failure;
mod fuzz;
mod objects;
mod parameters;
mod proof;
mod receive;
mod serve;
mod updates;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use crate::calls::{StepId, TransferTag};
use crate::session::ProtocolError;
use crate::wire::banana::{BananaError, Decoder, Writer, encode};

pub use super::Event;
#[doc(hidden)]
pub use fuzz::fuzz_conversation;
use objects::Objects;
pub use proof::password_proof;

/// Who we are for the master.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The worker's name.
    pub name: String,
    /// Its password.
    pub password: String,
}

/// One connection to a master. Bytes come in with [`PbSession::receive`]; what they mean comes out of
/// [`PbSession::next_event`], and the bytes to be sent out of [`PbSession::outgoing`].
///
/// Bounds: an expression of the master holds at most about 16 MiB. The events of one `receive` are as
/// many as its bytes allow; take them before the next one. Bytes to be sent are kept until they are
/// taken: while they pile up, receive nothing, for every call that is received adds an answer.
pub struct PbSession {
    decoder: Decoder,
    out: Vec<u8>,
    events: VecDeque<Event>,
    phase: Phase,
    login: Login,
    /// The number of the next call of ours, and the calls that wait for an answer.
    next_request: i64,
    asked: BTreeMap<i64, Asked>,
    /// The master's calls that wait for our answer.
    served: BTreeMap<i64, Served>,
    /// Our objects that the master knows.
    objects: Objects,
    next_step: StepId,
    /// The commands that have begun and are not complete.
    steps: BTreeMap<StepId, Lent>,
    /// How many failures were sent; each gets a number (PROTOCOL 3.5).
    failures: i64,
}

/// How far the conversation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing has come yet.
    Offer,
    /// Dialect, version and login are sent; the master's version is next.
    Version,
    /// Calls and answers; the login may still be under way.
    Open,
    /// The master has let us in; its object stands for it.
    In { avatar: i64 },
}

impl Phase {
    /// What we are doing, for an error.
    fn name(self) -> &'static str {
        match self {
            Phase::Offer => super::error::OFFER,
            Phase::Version => "waiting for the master's version",
            Phase::Open => "logging in",
            Phase::In { .. } => "talking with the master",
        }
    }
}

/// What the answer to a call of ours means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Login,
    Respond,
    Update {
        step: StepId,
        cost: usize,
    },
    Transfer {
        step: StepId,
        tag: TransferTag,
        /// Whether bytes come back.
        read: bool,
    },
    Complete {
        step: StepId,
    },
    Keepalive,
    Shutdown,
}

/// A call of the master that waits for our answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Served {
    /// Whether the master wants an answer at all.
    wanted: bool,
    /// The step that it began.
    step: Option<StepId>,
}

/// What the master has lent us for a command. All of it is given back when the command is over.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lent {
    /// Takes updates and the end.
    command: i64,
    /// The writer or reader of a transfer.
    peer: Option<i64>,
    /// Every reference that came with the call, the two above among them.
    references: Vec<i64>,
}

/// An object at the master.
#[derive(Debug, Clone, Copy)]
enum Target {
    /// The one with a name (PROTOCOL 3.2).
    Root,
    /// Any other.
    Luid(i64),
}

/// How much of a conversation is open, for a status and for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Calls of ours without an answer.
    pub asked: usize,
    /// Calls of the master without an answer.
    pub served: usize,
    /// Objects of ours that the master holds: the bot and one for each builder.
    pub objects: usize,
    /// Commands that are not complete.
    pub steps: usize,
    /// References of the master that we hold for commands.
    pub lent: usize,
}

impl fmt::Debug for PbSession {
    /// Without the password and without what the master sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PbSession")
            .field("phase", &self.phase)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl PbSession {
    /// A conversation at its beginning; the master speaks first. Commands are numbered from
    /// `first_step` on.
    pub fn new(login: Login, first_step: StepId) -> PbSession {
        PbSession {
            decoder: Decoder::new(),
            out: Vec::new(),
            events: VecDeque::new(),
            phase: Phase::Offer,
            login,
            next_request: 1,
            asked: BTreeMap::new(),
            served: BTreeMap::new(),
            objects: Objects::default(),
            next_step: first_step,
            steps: BTreeMap::new(),
            failures: 0,
        }
    }

    /// Takes bytes that have arrived, cut in any way.
    ///
    /// # Errors
    /// The conversation is over, and the connection must be closed. Events from before are still
    /// there.
    pub fn receive(&mut self, mut bytes: &[u8]) -> Result<(), ProtocolError> {
        loop {
            let next = self.decoder.next(&mut bytes);
            match next {
                Ok(Some(expression)) => self.expression(expression)?,
                Ok(None) => return Ok(()),
                Err(error) => {
                    return Err(ProtocolError::Bytes {
                        phase: self.phase.name(),
                        error,
                    });
                }
            }
        }
    }

    /// The next thing that has happened.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The bytes to be sent. The caller takes from the front what it has sent.
    pub fn outgoing(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// The number of the next command; the next connection goes on with it.
    pub fn next_step(&self) -> StepId {
        self.next_step
    }

    /// How much is open.
    pub fn counts(&self) -> Counts {
        Counts {
            asked: self.asked.len(),
            served: self.served.len(),
            objects: self.objects.len(),
            steps: self.steps.len(),
            lent: self.steps.values().map(|lent| lent.references.len()).sum(),
        }
    }

    /// Calls a method of an object at the master. `arguments` writes a tuple.
    fn call(
        &mut self,
        target: Target,
        method: &str,
        asked: Asked,
        arguments: impl FnOnce(&mut Writer<'_>),
    ) -> Result<(), BananaError> {
        let request = self.next_request;
        encode(&mut self.out, |out| {
            out.list(7);
            out.bytes(b"message");
            out.int(request);
            match target {
                Target::Root => out.bytes(b"root"),
                Target::Luid(luid) => out.int(luid),
            }
            out.bytes(method.as_bytes());
            out.int(1);
            arguments(out);
            out.dictionary_of(0);
        })?;
        self.next_request += 1;
        self.asked.insert(request, asked);
        Ok(())
    }

    /// Gives references back, each exactly once (PROTOCOL 3.3).
    fn release(&mut self, references: &[i64]) {
        for reference in references {
            let written = encode(&mut self.out, |out| {
                out.list(2);
                out.bytes(b"decref");
                out.int(*reference);
            });
            debug_assert!(written.is_ok(), "three short elements exceed no limit");
        }
    }
}
