//! What we ask of the master (PROTOCOL 5.4, 6.10 to 6.12).

use super::{Asked, Moves, MsgpackSession, updates};
use crate::calls::{Failure, StepId, Transfer, TransferTag, Update};
use crate::session::Event;
use crate::session::arguments::BLOCK_LIMIT;
use crate::wire::msgpack::Writer;

impl MsgpackSession {
    /// Sends updates of a step, in order, as many in one message as the master wants.
    /// [`Event::Acknowledged`] gives their cost back. Nothing happens for a step that is over or of
    /// another connection.
    pub fn update(&mut self, step: StepId, updates: &[Update], cost: usize) {
        if !self.steps.contains_key(&step) {
            return;
        }
        let mut asked = Vec::new();
        updates::messages(updates, self.buffer_size, |entries| {
            let asked_one = Asked::Update { step, cost: 0 };
            asked.push(self.ask(step, "update", asked_one, 1, |out| {
                out.text("args");
                updates::write(out, entries);
            }));
        });
        match asked.last().and_then(|number| self.asked.get_mut(number)) {
            Some(last) => *last = Asked::Update { step, cost },
            None => self.events.push_back(Event::Acknowledged { step, cost }),
        }
    }

    /// Makes a call of a transfer; [`Event::Replied`] answers it. Nothing happens for a step that is
    /// over or of another connection.
    pub fn transfer(&mut self, step: StepId, tag: TransferTag, transfer: Transfer) {
        let Some(begun) = self.steps.get(&step) else {
            return;
        };
        let moves = begun.moves;
        let asked = |read| Asked::Transfer { step, tag, read };
        match transfer {
            Transfer::Write(bytes) => {
                let op = match moves {
                    Moves::DirectoryUp => "update_upload_directory_write",
                    Moves::FileUp | Moves::FileDown | Moves::Nothing => "update_upload_file_write",
                };
                self.ask(step, op, asked(false), 1, |out| {
                    out.text("args");
                    out.bytes(&bytes);
                });
            }
            Transfer::Read(length) => {
                let length = i64::try_from(length.min(BLOCK_LIMIT)).unwrap_or(i64::MAX);
                self.ask(step, "update_read_file", asked(true), 1, |out| {
                    out.text("length");
                    out.int(length);
                });
            }
            Transfer::Close => {
                let op = match moves {
                    Moves::FileDown => "update_read_file_close",
                    Moves::FileUp | Moves::DirectoryUp | Moves::Nothing => {
                        "update_upload_file_close"
                    }
                };
                self.ask(step, op, asked(false), 0, |_| {});
            }
            Transfer::SetTimes(accessed, modified) => {
                self.ask(step, "update_upload_file_utime", asked(false), 2, |out| {
                    out.text("access_time");
                    out.float(accessed);
                    out.text("modified_time");
                    out.float(modified);
                });
            }
            Transfer::Unpack => {
                self.ask(
                    step,
                    "update_upload_directory_unpack",
                    asked(false),
                    0,
                    |_| {},
                );
            }
        }
    }

    /// Ends a step. Nothing happens for a step that is over or of another connection.
    pub fn complete(&mut self, step: StepId, result: Result<(), Failure>) {
        let Some(begun) = self.steps.get(&step) else {
            return;
        };
        let internal = begun.internal;
        let asked = Asked::Complete { step, internal };
        self.ask(step, "complete", asked, 1, |out| {
            out.text("args");
            match &result {
                Ok(()) => out.nil(),
                Err(failure) => out.text(&failure.message),
            }
        });
        self.steps.remove(&step);
    }

    /// Forgets a step of which the master wants to hear nothing more.
    pub fn forget(&mut self, step: StepId) {
        self.steps.remove(&step);
    }

    /// Sends a request about a step; `fields` writes so many keys and values. Returns its number.
    fn ask(
        &mut self,
        step: StepId,
        op: &str,
        asked: Asked,
        fields: usize,
        write: impl FnOnce(&mut Writer<'_>),
    ) -> i64 {
        let number = self.next_request;
        self.next_request = number.wrapping_add(1);
        self.asked.insert(number, asked);
        let id = self
            .steps
            .get(&step)
            .map(|begun| begun.id.clone())
            .unwrap_or_default();
        self.send_message(|out| {
            out.map_of(3 + fields);
            out.text("op");
            out.text(op);
            write(out);
            out.text("command_id");
            out.text(&id);
            out.text("seq_number");
            out.int(number);
        });
        number
    }
}
