//! The conversation with a master, pure: bytes and points in time come in as arguments, calls and
//! bytes come out. No socket, no file, no log and no clock.

pub mod arguments;
mod error;
mod event;
pub mod keepalive;
pub mod msgpack;
pub mod pb;

use crate::calls::{Answer, Failure, ReplyTo, StepId, Transfer, TransferTag, Update};

pub use error::ProtocolError;
pub use event::Event;

use msgpack::MsgpackSession;
use pb::PbSession;

/// One connection to a master, whichever way the two talk. See [`PbSession`] and [`MsgpackSession`] for
/// what each method does and what bounds there are.
#[derive(Debug)]
pub enum Session {
    /// Perspective Broker.
    Pb(Box<PbSession>),
    /// MessagePack over WebSocket.
    Msgpack(Box<MsgpackSession>),
}

impl From<PbSession> for Session {
    fn from(session: PbSession) -> Session {
        Session::Pb(Box::new(session))
    }
}

impl From<MsgpackSession> for Session {
    fn from(session: MsgpackSession) -> Session {
        Session::Msgpack(Box::new(session))
    }
}

/// Calls the method of this name of the session there is.
macro_rules! either {
    ($self:ident.$method:ident($($argument:expr),*)) => {
        match $self {
            Session::Pb(session) => session.$method($($argument),*),
            Session::Msgpack(session) => session.$method($($argument),*),
        }
    };
}

impl Session {
    /// Takes bytes that have arrived, cut in any way.
    ///
    /// # Errors
    /// The conversation is over. Events from before are still there.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        either!(self.receive(bytes))
    }

    /// The next thing that has happened.
    pub fn next_event(&mut self) -> Option<Event> {
        either!(self.next_event())
    }

    /// The bytes to be sent. The caller takes from the front what it has sent.
    pub fn outgoing(&mut self) -> &mut Vec<u8> {
        either!(self.outgoing())
    }

    /// The number of the next command; the next connection goes on with it.
    pub fn next_step(&self) -> StepId {
        either!(self.next_step())
    }

    /// Answers a call of the master.
    pub fn answer(&mut self, reply: ReplyTo, answer: Answer) {
        either!(self.answer(reply, answer));
    }

    /// Sends updates of a step, in order.
    pub fn update(&mut self, step: StepId, updates: &[Update], cost: usize) {
        either!(self.update(step, updates, cost));
    }

    /// Makes a call of a transfer.
    pub fn transfer(&mut self, step: StepId, tag: TransferTag, transfer: Transfer) {
        either!(self.transfer(step, tag, transfer));
    }

    /// Ends a step.
    pub fn complete(&mut self, step: StepId, result: Result<(), Failure>) {
        either!(self.complete(step, result));
    }

    /// Forgets a step of which the master wants to hear nothing more.
    pub fn forget(&mut self, step: StepId) {
        either!(self.forget(step));
    }

    /// Asks the master for a sign of life. Returns whether it was sent.
    pub fn keepalive(&mut self) -> bool {
        either!(self.keepalive())
    }

    /// Tells the master that we want to stop. Returns whether it was sent: MessagePack has no words for
    /// it (PROTOCOL 5.4).
    pub fn ask_for_shutdown(&mut self) -> bool {
        match self {
            Session::Pb(session) => session.ask_for_shutdown(),
            Session::Msgpack(_) => false,
        }
    }

    /// Says goodbye, where that is more than closing the connection.
    pub fn say_goodbye(&mut self) {
        match self {
            Session::Pb(_) => {}
            Session::Msgpack(session) => session.say_goodbye(),
        }
    }

    /// How the log speaks of signs of life.
    pub fn sign_of_life(&self) -> SignOfLife {
        match self {
            Session::Pb(_) => SignOfLife {
                plan: "sending application-level keepalives",
                sent: "sending app-level keepalive",
                answered: "Master replied to keepalive, everything's fine",
            },
            Session::Msgpack(_) => SignOfLife {
                plan: "sending WebSocket pings",
                sent: "sending a WebSocket ping",
                answered: "the master answered our ping, everything's fine",
            },
        }
    }

    /// Whether the master gives each builder a directory of ours; otherwise its paths are absolute, and
    /// a builder is but a name (PROTOCOL 5.3).
    pub fn has_builder_directories(&self) -> bool {
        match self {
            Session::Pb(_) => true,
            Session::Msgpack(_) => false,
        }
    }
}

/// How the log speaks of signs of life (PROTOCOL 7.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignOfLife {
    /// That we ask for one from time to time; the interval follows.
    pub plan: &'static str,
    /// That we have asked for one.
    pub sent: &'static str,
    /// That it has come.
    pub answered: &'static str,
}
