//! What we call at the master (PROTOCOL 4.7, 6.10 to 6.12).

use super::failure::end_of_step;
use super::{Asked, Event, PbSession, Phase, Target, updates};
use crate::calls::{Failure, StepId, Transfer, TransferTag, Update};
use crate::wire::banana::{BananaError, STRING_LIMIT};

/// Most updates in one call. Far below the limit of a list, however an update is split.
const BATCH: usize = 4096;

impl PbSession {
    /// Sends updates of a step, in order. [`Event::Acknowledged`] gives their cost back. Nothing happens
    /// for a step that is over or of another connection.
    pub fn update(&mut self, step: StepId, updates: &[Update], cost: usize) {
        let Some(command) = self.steps.get(&step).map(|lent| lent.command) else {
            return;
        };
        if updates.is_empty() {
            self.events.push_back(Event::Acknowledged { step, cost });
            return;
        }
        let batches = updates.chunks(BATCH);
        let last = batches.len() - 1;
        for (index, batch) in batches.enumerate() {
            let cost = if index == last { cost } else { 0 };
            let asked = Asked::Update { step, cost };
            let sent = self.call(Target::Luid(command), "update", asked, |out| {
                updates::write(out, batch);
            });
            if let Err(error) = sent {
                self.events.push_back(Event::RemoteFailure {
                    what: format!("updates of step {}", step.0),
                    message: format!("cannot be sent: {error}"),
                });
                self.events.push_back(Event::Acknowledged { step, cost });
            }
        }
    }

    /// Makes a call of a transfer; [`Event::Replied`] answers it, at once if it cannot be made.
    /// Nothing happens for a step that is over or of another connection.
    pub fn transfer(&mut self, step: StepId, tag: TransferTag, transfer: Transfer) {
        let Some(lent) = self.steps.get(&step) else {
            return;
        };
        let sent = match lent.peer {
            None => Err("the master sent no file for this command".to_owned()),
            Some(peer) => self
                .transfer_call(peer, step, tag, transfer)
                .map_err(|error| format!("cannot be sent to the master: {error}")),
        };
        if let Err(error) = sent {
            let reply = Err(error);
            self.events.push_back(Event::Replied { step, tag, reply });
        }
    }

    fn transfer_call(
        &mut self,
        peer: i64,
        step: StepId,
        tag: TransferTag,
        transfer: Transfer,
    ) -> Result<(), BananaError> {
        let peer = Target::Luid(peer);
        let asked = |read| Asked::Transfer { step, tag, read };
        match transfer {
            Transfer::Write(bytes) => self.call(peer, "write", asked(false), |out| {
                out.tuple_of(1);
                // Raw bytes, never a text.
                out.bytes(&bytes);
            }),
            Transfer::Read(length) => self.call(peer, "read", asked(true), |out| {
                // The master loses the connection over an answer above the limit (PROTOCOL 1.2).
                let length = length.min(STRING_LIMIT);
                out.tuple_of(1);
                out.int(i64::try_from(length).unwrap_or(i64::MAX));
            }),
            Transfer::Close => self.call(peer, "close", asked(false), |out| out.tuple_of(0)),
            Transfer::SetTimes(accessed, modified) => {
                self.call(peer, "utime", asked(false), |out| {
                    out.tuple_of(1);
                    out.tuple_of(2);
                    out.float(accessed);
                    out.float(modified);
                })
            }
            Transfer::Unpack => self.call(peer, "unpack", asked(false), |out| out.tuple_of(0)),
        }
    }

    /// Ends a step, and gives back all that the master lent for it. Nothing happens for a step that
    /// is over or of another connection.
    pub fn complete(&mut self, step: StepId, result: Result<(), Failure>) {
        let Some(lent) = self.steps.remove(&step) else {
            return;
        };
        if result.is_err() {
            self.failures += 1;
        }
        let count = self.failures;
        let command = Target::Luid(lent.command);
        let sent = self.call(command, "complete", Asked::Complete { step }, |out| {
            out.tuple_of(1);
            match &result {
                Ok(()) => out.none(),
                Err(failure) => out.failure_with_count(&end_of_step(failure), count),
            }
        });
        debug_assert!(sent.is_ok(), "an exception's texts are shortened");
        // The order on the stream makes it safe to do so before the answer (PROTOCOL 3.3).
        self.release(&lent.references);
    }

    /// Forgets a step of which the master wants to hear nothing more (PROTOCOL 4.5, 4.6: a builder that
    /// is gone, a command that was left over), and gives back all that the master lent for it.
    pub fn forget(&mut self, step: StepId) {
        if let Some(lent) = self.steps.remove(&step) {
            self.release(&lent.references);
        }
    }

    /// Asks the master for a sign of life; [`Event::KeepaliveAnswered`] is one. Returns whether it was
    /// sent, which it is not before the login.
    pub fn keepalive(&mut self) -> bool {
        self.ask_avatar("keepalive", Asked::Keepalive)
    }

    /// Tells the master that we want to stop; [`Event::ShutdownAsked`] answers it. Returns whether it
    /// was sent, which it is not before the login.
    pub fn ask_for_shutdown(&mut self) -> bool {
        self.ask_avatar("shutdown", Asked::Shutdown)
    }

    fn ask_avatar(&mut self, method: &str, asked: Asked) -> bool {
        let Phase::In { avatar } = self.phase else {
            return false;
        };
        self.call(Target::Luid(avatar), method, asked, |out| out.tuple_of(0))
            .is_ok()
    }
}
