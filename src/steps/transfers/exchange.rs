//! The transfer calls of a step and the master's replies to them, several under way at a time.

use std::collections::VecDeque;

use crate::calls::{ToStep, Transfer, TransferReply, TransferTag};
use crate::steps::mailbox::Mailbox;

/// Bytes of blocks under way that the master has not yet confirmed. On a link of 60 ms this allows
/// 17 MB a second; it is also what a transfer costs in memory.
pub(super) const WINDOW: usize = 1 << 20;

/// Blocks under way even if they are larger than the window.
pub(super) const LEAST_UNDER_WAY: usize = 2;

/// Most blocks under way, however small.
pub(super) const MOST_UNDER_WAY: usize = 64;

/// Nobody listens any more: leave at once and say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Abandoned;

/// One transfer's calls to the master.
pub(super) struct Exchange<'m> {
    mailbox: &'m mut Mailbox,
    under_way: VecDeque<Call>,
    /// Sum of the costs of the calls under way.
    cost: usize,
    next_tag: u64,
    interrupted: bool,
}

struct Call {
    tag: TransferTag,
    /// Bytes that the call or its reply holds.
    cost: usize,
    reply: Option<TransferReply>,
}

impl<'m> Exchange<'m> {
    pub(super) fn new(mailbox: &'m mut Mailbox) -> Exchange<'m> {
        Exchange {
            mailbox,
            under_way: VecDeque::new(),
            cost: 0,
            next_tag: 1,
            interrupted: false,
        }
    }

    /// Whether the master asked to stop, as of the last call that waited or looked.
    pub(super) fn interrupted(&self) -> bool {
        self.interrupted
    }

    /// Whether one more call of this cost may be sent before a reply is taken.
    pub(super) fn has_room(&self, cost: usize) -> bool {
        let count = self.under_way.len();
        count < LEAST_UNDER_WAY || (count < MOST_UNDER_WAY && self.cost + cost <= WINDOW)
    }

    /// Whether replies are still to come or to be taken.
    pub(super) fn is_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Sends a call without waiting for the reply.
    pub(super) fn send(&mut self, transfer: Transfer, cost: usize) {
        let tag = TransferTag(self.next_tag);
        self.next_tag += 1;
        self.mailbox.transfer(tag, transfer);
        self.cost += cost;
        self.under_way.push_back(Call {
            tag,
            cost,
            reply: None,
        });
    }

    /// Sees what has come meanwhile. Does not block.
    pub(super) fn look(&mut self) -> Result<(), Abandoned> {
        while let Some(message) = self.mailbox.poll() {
            self.receive(message)?;
        }
        Ok(())
    }

    /// The reply to the oldest call, if it has come. Does not block.
    pub(super) fn ready_reply(&mut self) -> Option<TransferReply> {
        let oldest = self.under_way.front_mut()?;
        let reply = oldest.reply.take()?;
        self.cost -= oldest.cost;
        self.under_way.pop_front();
        Some(reply)
    }

    /// Waits for the reply to the oldest call; none if no call is under way.
    pub(super) fn reply(&mut self) -> Result<Option<TransferReply>, Abandoned> {
        self.look()?;
        while !self.under_way.is_empty() {
            if let Some(reply) = self.ready_reply() {
                return Ok(Some(reply));
            }
            let message = self.mailbox.wait();
            self.receive(message)?;
        }
        Ok(None)
    }

    /// Makes a call after all others have been answered, and waits for its reply.
    pub(super) fn call(&mut self, transfer: Transfer) -> Result<TransferReply, Abandoned> {
        while self.reply()?.is_some() {}
        self.send(transfer, 0);
        Ok(self.reply()?.unwrap_or_else(|| Ok(Vec::new())))
    }

    fn receive(&mut self, message: ToStep) -> Result<(), Abandoned> {
        match message {
            ToStep::Reply { tag, reply } => {
                match self.under_way.iter_mut().find(|call| call.tag == tag) {
                    Some(call) if call.reply.is_none() => call.reply = Some(reply),
                    Some(_) | None => log::warn!("a reply came to a transfer that has none open"),
                }
                Ok(())
            }
            ToStep::Interrupt { .. } => {
                self.interrupted = true;
                Ok(())
            }
            ToStep::Abandon => Err(Abandoned),
            ToStep::Acknowledged { .. } => Ok(()),
        }
    }
}
