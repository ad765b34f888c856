//! What comes out of a conversation.

use crate::calls::{MasterCall, StepId, TransferReply, TransferTag};

/// Something that has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The master asks for something, and waits for the answer.
    Call(MasterCall),
    /// The master asked for something that does not exist or makes no sense. It has been told; this
    /// is for the log.
    Refused {
        /// What, and why not.
        what: String,
    },
    /// The master has let us in.
    LoggedIn,
    /// The master has finished attaching us. Only where it does not tell us its builders (MessagePack,
    /// PROTOCOL 5.5).
    Attached,
    /// The master has not let us in. The connection may still be open (PROTOCOL 3.6).
    LoginRefused {
        /// Name or password is wrong; otherwise it is something that may pass.
        unauthorized: bool,
        /// What the master says.
        message: String,
    },
    /// The master has taken updates of this cost, or has refused them (then
    /// [`Event::RemoteFailure`] came before).
    Acknowledged {
        /// Whose updates.
        step: StepId,
        /// As it was given with them.
        cost: usize,
    },
    /// The reply to a transfer call.
    Replied {
        /// Whose call.
        step: StepId,
        /// Which one.
        tag: TransferTag,
        /// The bytes or the master's error.
        reply: TransferReply,
    },
    /// The master knows that the step is over.
    Completed {
        /// Which one.
        step: StepId,
    },
    /// The master answered updates, an end or a keepalive with an error. For the log: there is
    /// nothing to be done about it.
    RemoteFailure {
        /// What it was about.
        what: String,
        /// What the master says.
        message: String,
    },
    /// The master has answered the keepalive.
    KeepaliveAnswered,
    /// The master has heard that we want to stop: it will call for it when no build runs here any
    /// more. Or it refused, with its reason.
    ShutdownAsked {
        /// Its answer.
        answer: Result<(), String>,
    },
}
