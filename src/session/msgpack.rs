//! The conversation in MessagePack over WebSocket, `msgpack_experimental_v7` (PROTOCOL section 5): the
//! handshake with name and password, requests and responses in both directions, pings.

mod ask;
mod fuzz;
mod receive;
mod serve;
mod updates;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use crate::calls::{StepId, TransferTag};
use crate::session::{Event, ProtocolError};
use crate::wire::msgpack::Writer;
use crate::wire::websocket::handshake::Request;
use crate::wire::websocket::{self, Frame, Receiver};

pub use crate::wire::websocket::handshake::is_path;
#[doc(hidden)]
pub use fuzz::fuzz_msgpack;

/// A source of numbers that nobody can foresee, for the key of the handshake and the masks of frames.
pub type Random = Box<dyn FnMut() -> u32 + Send>;

/// What the handshake says about us.
#[derive(Clone, PartialEq, Eq)]
pub struct Greeting {
    /// Host and port of the master as a URL has them, brackets around an IPv6 address.
    pub host: String,
    /// The path of the URL, see [`is_path`].
    pub path: String,
    /// Name and version of this program.
    pub agent: String,
    /// The worker's name, without a colon.
    pub name: String,
    /// Its password.
    pub password: String,
}

/// The payload of a ping that asks for a sign of life.
const KEEPALIVE: &[u8] = b"keepalive";

/// The payload of a ping that asks whether the attachment is complete.
const ATTACHED: &[u8] = b"attached";

/// One connection to a master. Bytes come in with [`MsgpackSession::receive`]; what they mean comes out
/// of [`MsgpackSession::next_event`], and the bytes to be sent out of [`MsgpackSession::outgoing`].
///
/// Bounds: a message of the master holds at most about 32 MiB. The events of one `receive` are as many
/// as its bytes allow; take them before the next one. Bytes to be sent are kept until they are taken:
/// while they pile up, receive nothing, for every request that is received adds a response.
pub struct MsgpackSession {
    phase: Phase,
    random: Random,
    out: Vec<u8>,
    /// The message being written; kept for its memory.
    scratch: Vec<u8>,
    events: VecDeque<Event>,
    /// The number of the next request of ours, and the requests that wait for a response.
    next_request: i64,
    asked: BTreeMap<i64, Asked>,
    /// The master's requests that wait for our response, by the number that the worker knows.
    next_reply: i64,
    served: BTreeMap<i64, Served>,
    next_step: StepId,
    /// The commands that have begun and are not complete.
    steps: BTreeMap<StepId, Begun>,
    /// Most characters of one `update` (PROTOCOL 6.2.10).
    buffer_size: usize,
    attachment: Attachment,
}

/// How far the conversation has come.
enum Phase {
    /// The request is sent; the answer so far.
    Handshake { request: Request, answer: Vec<u8> },
    /// Frames both ways.
    Open(Box<Receiver>),
    /// Nothing more is to be said.
    Over,
}

/// How far the master has come with attaching us (PROTOCOL 5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attachment {
    /// It has not given us its settings.
    Begun,
    /// It has; now it makes directories, with commands of its own.
    Arranging,
    /// It is done.
    Done,
}

/// What the response to a request of ours means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
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
        /// Whether the command was the master's own.
        internal: bool,
    },
}

/// A request of the master that waits for our response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Served {
    /// The master's number for it.
    number: i64,
    /// The step that it began.
    step: Option<StepId>,
}

/// A command under way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Begun {
    /// The master's id of it, the only thing that tells it from others.
    id: String,
    /// What it moves, if anything.
    moves: Moves,
    /// Whether the master began it for itself.
    internal: bool,
}

/// What a command moves between us and the master: each has requests of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moves {
    Nothing,
    FileUp,
    DirectoryUp,
    FileDown,
}

/// How much of a conversation is open, for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests of ours without a response.
    pub asked: usize,
    /// Requests of the master without a response.
    pub served: usize,
    /// Commands that are not complete.
    pub steps: usize,
}

impl fmt::Debug for MsgpackSession {
    /// Without the password and without what the master sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MsgpackSession")
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl MsgpackSession {
    /// A conversation at its beginning: the handshake is to be sent. Commands are numbered from
    /// `first_step` on.
    pub fn new(greeting: Greeting, mut random: Random, first_step: StepId) -> MsgpackSession {
        let mut key = [0; 16];
        for part in key.chunks_exact_mut(4) {
            part.copy_from_slice(&random().to_be_bytes());
        }
        let request = Request {
            host: greeting.host,
            path: greeting.path,
            agent: greeting.agent,
            name: greeting.name,
            password: greeting.password,
            key,
        };
        MsgpackSession {
            out: request.bytes(),
            phase: Phase::Handshake {
                request,
                answer: Vec::new(),
            },
            random,
            scratch: Vec::new(),
            events: VecDeque::new(),
            next_request: 0,
            asked: BTreeMap::new(),
            next_reply: 0,
            served: BTreeMap::new(),
            next_step: first_step,
            steps: BTreeMap::new(),
            buffer_size: updates::BUFFER_SIZE,
            attachment: Attachment::Begun,
        }
    }

    /// Takes bytes that have arrived, cut in any way.
    ///
    /// # Errors
    /// The conversation is over, and the connection must be closed. Events from before are still
    /// there.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        self.received(bytes).inspect_err(|_| {
            self.phase = Phase::Over;
        })
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
            steps: self.steps.len(),
        }
    }

    /// Asks the master for a sign of life; [`Event::KeepaliveAnswered`] is one. It is a ping of the
    /// WebSocket, for there is no such request (PROTOCOL 5.4). Returns whether it was sent, which it is
    /// not before the handshake is over.
    pub fn keepalive(&mut self) -> bool {
        self.ping(KEEPALIVE)
    }

    /// Says that no more will come.
    pub fn say_goodbye(&mut self) {
        if let Phase::Open(_) = self.phase {
            self.send(Frame::Close(websocket::NORMAL_CLOSE));
            self.phase = Phase::Over;
        }
    }

    /// The payload is no secret and no text of anybody's choice, so it needs no mask that nobody can
    /// foresee.
    fn ping(&mut self, payload: &[u8]) -> bool {
        let open = matches!(self.phase, Phase::Open(_));
        if open {
            websocket::write(&mut self.out, Frame::Ping(payload), [0; 4]);
        }
        open
    }

    fn send(&mut self, frame: Frame<'_>) {
        let mask = (self.random)().to_be_bytes();
        websocket::write(&mut self.out, frame, mask);
    }

    /// Sends a message that `write` writes.
    fn send_message(&mut self, write: impl FnOnce(&mut Writer<'_>)) {
        let mut message = std::mem::take(&mut self.scratch);
        message.clear();
        write(&mut Writer::new(&mut message));
        if matches!(self.phase, Phase::Open(_)) {
            self.send(Frame::Binary(&message));
        }
        message.shrink_to(updates::BUFFER_SIZE);
        self.scratch = message;
    }
}
