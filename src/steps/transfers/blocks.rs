//! Sends blocks to the master's writer, as many under way as the exchange allows.

use std::io::{self, Write};
use std::path::Path;

use super::exchange::{Abandoned, Exchange};
use super::outcome::Outcome;
use crate::calls::Transfer;

/// Why no more is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Halt {
    /// As many bytes as the master wants have been sent.
    Full,
    /// The master wants the step stopped.
    Interrupted,
    /// The master could not write; its words.
    Refused(String),
    /// Nobody listens any more.
    Abandoned,
}

impl From<Abandoned> for Halt {
    fn from(Abandoned: Abandoned) -> Halt {
        Halt::Abandoned
    }
}

impl Halt {
    /// What becomes of the transfer of this path.
    pub(super) fn outcome(self, path: &Path) -> Result<Outcome, Abandoned> {
        match self {
            Halt::Full => Ok(Outcome::full(path)),
            Halt::Interrupted => Ok(Outcome::interrupted()),
            Halt::Refused(words) => Ok(Outcome::refused(words)),
            Halt::Abandoned => Err(Abandoned),
        }
    }
}

/// Blocks on their way to the master.
pub(super) struct Outbox<'a> {
    pub(super) exchange: Exchange<'a>,
    block_size: usize,
    /// Bytes that may still be sent, if there is a limit.
    left: Option<u64>,
}

impl<'a> Outbox<'a> {
    /// Blocks of at most `block_size` bytes, and at most `max_size` bytes in all.
    pub(super) fn new(
        exchange: Exchange<'a>,
        block_size: usize,
        max_size: Option<u64>,
    ) -> Outbox<'a> {
        Outbox {
            exchange,
            block_size: block_size.max(1),
            left: max_size,
        }
    }

    /// How long the next block may be, at least 1; sees first whether there is to be one at all. The
    /// limit comes before the end of the file: what has exactly as many bytes as the master wants
    /// is taken for truncated (PROTOCOL 6.10).
    pub(super) fn next_size(&mut self) -> Result<usize, Halt> {
        self.look()?;
        match self.left.map(usize::try_from) {
            Some(Ok(0)) => Err(Halt::Full),
            Some(Ok(left)) => Ok(self.block_size.min(left)),
            Some(Err(_)) | None => Ok(self.block_size),
        }
    }

    /// Sees what the master has said meanwhile. Does not block.
    pub(super) fn look(&mut self) -> Result<(), Halt> {
        self.exchange.look()?;
        while let Some(reply) = self.exchange.ready_reply() {
            reply.map_err(Halt::Refused)?;
        }
        if self.exchange.interrupted() {
            return Err(Halt::Interrupted);
        }
        Ok(())
    }

    /// Sends a block, not longer than [`Outbox::next_size`] said. Waits until there is room for it.
    pub(super) fn send(&mut self, block: Vec<u8>) -> Result<(), Halt> {
        let cost = block.len();
        while !self.exchange.has_room(cost) {
            if let Some(reply) = self.exchange.reply()? {
                reply.map_err(Halt::Refused)?;
            }
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(cost as u64);
        }
        self.exchange.send(Transfer::Write(block), cost);
        Ok(())
    }

    /// Waits for all replies. What the master says if it could not write one of the blocks.
    pub(super) fn drain(&mut self) -> Result<Option<String>, Abandoned> {
        let mut refused = None;
        while let Some(reply) = self.exchange.reply()? {
            if let Err(words) = reply {
                refused.get_or_insert(words);
            }
        }
        Ok(refused)
    }
}

/// Makes blocks of what is written. After the first error every write fails, and `halt` says why.
pub(super) struct BlockWriter<'o, 'a> {
    outbox: &'o mut Outbox<'a>,
    block: Vec<u8>,
    halt: &'o mut Option<Halt>,
}

impl<'o, 'a> BlockWriter<'o, 'a> {
    pub(super) fn new(outbox: &'o mut Outbox<'a>, halt: &'o mut Option<Halt>) -> Self {
        BlockWriter {
            outbox,
            block: Vec::new(),
            halt,
        }
    }

    /// Error output of the step.
    pub(super) fn stderr(&mut self, text: &str) {
        self.outbox.exchange.reporter.stderr(text);
    }

    /// Sends the last block.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.halting(|writer| {
            writer.send_block()?;
            // The limit may have been met exactly.
            writer.outbox.next_size().map(drop)
        })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<usize, Halt> {
        let size = self.outbox.next_size()?;
        let taken = (size - self.block.len()).min(bytes.len());
        self.block.reserve_exact(size - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == size {
            self.send_block()?;
        }
        Ok(taken)
    }

    fn send_block(&mut self) -> Result<(), Halt> {
        if self.block.is_empty() {
            return Ok(());
        }
        self.outbox.send(std::mem::take(&mut self.block))
    }

    fn halting<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, Halt>) -> io::Result<T> {
        if self.halt.is_some() {
            return Err(io::ErrorKind::Other.into());
        }
        act(self).map_err(|halt| {
            *self.halt = Some(halt);
            io::ErrorKind::Other.into()
        })
    }
}

impl Write for BlockWriter<'_, '_> {
    /// Writing nothing is a look at whether there is any use in going on.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.halting(|writer| match bytes {
            [] => writer.outbox.look().map(|()| 0),
            bytes => writer.put(bytes),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
