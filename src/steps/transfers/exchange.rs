//! The transfer calls of a step and the master's replies to them, several under way at a time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::calls::{Transfer, TransferReply, TransferTag};
use crate::steps::mailbox::{Notice, Stop};
use crate::steps::window::Window;
use crate::steps::{Inbox, Reporter};

/// Bytes of blocks under way that the master has not yet confirmed: at first, and on a link that has
/// room for more. With a round trip of 60 ms the larger one carries 67 MB a second; it is also what a
/// transfer costs in memory at most.
const WINDOW: usize = 1024 * 1024;
const LARGEST_WINDOW: usize = 4 * 1024 * 1024;

/// Blocks under way even if they are larger than the window.
const LEAST_UNDER_WAY: usize = 2;

/// Most blocks under way, however small.
const MOST_UNDER_WAY: usize = 512;

/// How long the next reply may take once the master wants the transfer to end. Without an interrupt
/// it may take any time: the master is alive, or else we would have been abandoned.
const PATIENCE: Duration = Duration::from_secs(10);

/// Nobody listens any more: leave at once and say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Abandoned;

/// One transfer's calls to the master.
pub(super) struct Exchange<'a> {
    /// For what else the step has to say.
    pub(super) reporter: &'a mut Reporter,
    inbox: &'a mut Inbox,
    under_way: VecDeque<Call>,
    /// Of the costs of the calls under way.
    window: Window,
    /// When to give up waiting; none as long as the transfer is wanted.
    give_up: Option<Instant>,
}

struct Call {
    tag: TransferTag,
    /// Bytes that the call or its reply holds.
    cost: usize,
    reply: Option<TransferReply>,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(reporter: &'a mut Reporter, inbox: &'a mut Inbox) -> Exchange<'a> {
        Exchange {
            reporter,
            inbox,
            under_way: VecDeque::new(),
            window: Window::new(WINDOW, LARGEST_WINDOW),
            give_up: None,
        }
    }

    /// Whether the master asked to stop, as of the last call that waited or looked.
    pub(super) fn interrupted(&self) -> bool {
        self.inbox.interrupted()
    }

    /// Whether one more call of this cost may be sent before a reply is taken.
    pub(super) fn has_room(&mut self, cost: usize) -> bool {
        let count = self.under_way.len();
        let fits = self.window.fits(cost);
        if !fits {
            self.window.waited();
        }
        count < LEAST_UNDER_WAY || (count < MOST_UNDER_WAY && fits)
    }

    /// Sends a call without waiting for the reply.
    pub(super) fn send(&mut self, transfer: Transfer, cost: usize) {
        let tag = self.reporter.transfer(transfer);
        self.window.sent(cost, Instant::now());
        self.under_way.push_back(Call {
            tag,
            cost,
            reply: None,
        });
    }

    /// Sees what has come meanwhile. Does not block.
    pub(super) fn look(&mut self) -> Result<(), Abandoned> {
        while let Some(notice) = self.inbox.try_notice(self.reporter) {
            self.receive(notice)?;
        }
        Ok(())
    }

    /// The reply to the oldest call, if it has come. Does not block.
    pub(super) fn ready_reply(&mut self) -> Option<TransferReply> {
        let oldest = self.under_way.front_mut()?;
        let reply = oldest.reply.take()?;
        self.window.confirmed(oldest.cost, Instant::now());
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
            match self.inbox.wait_notice(self.reporter, self.give_up) {
                Some(notice) => self.receive(notice)?,
                None if self.give_up.is_some_and(|at| at <= Instant::now()) => {
                    self.under_way.clear();
                    self.window = Window::new(WINDOW, LARGEST_WINDOW);
                    return Ok(Some(Err(
                        "it did not answer after it had interrupted the transfer".to_owned(),
                    )));
                }
                None => {}
            }
        }
        Ok(None)
    }

    /// Makes a call and waits for its reply. No other call may be under way.
    pub(super) fn call(&mut self, transfer: Transfer) -> Result<TransferReply, Abandoned> {
        self.send(transfer, 0);
        // A call is under way, so there is a reply.
        Ok(self.reply()?.unwrap_or_else(|| Ok(Vec::new())))
    }

    fn receive(&mut self, notice: Notice) -> Result<(), Abandoned> {
        match notice {
            Notice::Reply { tag, reply } => {
                let call = self.under_way.iter_mut().find(|call| call.tag == tag);
                match call {
                    Some(call) if call.reply.is_none() => call.reply = Some(reply),
                    Some(_) | None => log::warn!("the master replied to a transfer that is over"),
                }
                // Slow is not silent.
                self.give_up = self.give_up.map(|_| Instant::now() + PATIENCE);
                Ok(())
            }
            // The inbox remembers that it came.
            Notice::Stop(Stop::Interrupt) => {
                self.give_up.get_or_insert(Instant::now() + PATIENCE);
                Ok(())
            }
            Notice::Stop(Stop::Abandon) => Err(Abandoned),
        }
    }
}
