//! What happens in a conversation, for whoever plays the master.

use std::fmt;

use crate::calls::{Fact, ReplyTo, Transfer, Update};

/// Our number for a command; also its id on the wire, as decimal text (PROTOCOL 4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandNumber(pub u64);

impl fmt::Display for CommandNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Something that has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum ServeEvent {
    /// The worker is attached; what it tells about itself (PROTOCOL 4.3).
    Attached {
        /// Names and values, in order.
        facts: Vec<(String, Fact)>,
    },
    /// Wrong name or password; the worker was told so.
    LoginRefused {
        /// The name that it gave.
        name: String,
    },
    /// The worker could not be attached; it was told so.
    NotAttached {
        /// Why.
        why: String,
    },
    /// A command could not be set up; nothing more comes from it.
    NotStarted {
        /// Which.
        command: CommandNumber,
        /// What the worker says.
        failure: String,
    },
    /// A command has something to say; already acknowledged.
    Updates {
        /// Which.
        command: CommandNumber,
        /// In order.
        updates: Vec<Update>,
    },
    /// A command transfers a file. Must be answered with [`super::Serving::reply`].
    Transfer {
        /// Which.
        command: CommandNumber,
        /// Where the answer goes.
        reply: ReplyTo,
        /// What it asks.
        transfer: Transfer,
    },
    /// A command is over; nothing more comes from it.
    Completed {
        /// Which.
        command: CommandNumber,
        /// What went wrong, if it is no matter of an exit code.
        failure: Option<String>,
    },
    /// The worker has taken note of an interrupt; the end of the command follows.
    InterruptTaken {
        /// Which.
        command: CommandNumber,
    },
    /// The worker has shown that it is alive.
    Keepalive,
    /// The worker wants to be told to stop, once its builds are over.
    ShutdownWanted,
    /// The worker stops now, as it was told.
    ShutdownTaken,
    /// The worker did something that no worker should; the conversation goes on.
    Odd {
        /// What.
        what: String,
    },
}
