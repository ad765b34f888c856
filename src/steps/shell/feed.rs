//! Gives a program its standard input while it runs.

use std::io;

use ports::WriteEnd;

/// Standard input of a program, as far as it has not been written yet.
pub(super) struct Feed {
    end: Option<WriteEnd>,
    bytes: Vec<u8>,
    written: usize,
    /// A terminal is not closed at the end of input (PROTOCOL 6.2.5).
    stays_open: bool,
}

impl Feed {
    /// Input for the program; without any, it sees end of file at once, except on a terminal.
    pub(super) fn new(end: Option<WriteEnd>, bytes: Vec<u8>, terminal: bool) -> Feed {
        let mut feed = Feed {
            end,
            bytes,
            written: 0,
            stays_open: terminal,
        };
        feed.close_if_done();
        feed
    }

    /// The end to be waited for, while there is something to write.
    pub(super) fn waiting(&self) -> Option<&WriteEnd> {
        self.end
            .as_ref()
            .filter(|_| self.written < self.bytes.len())
    }

    /// Writes what fits.
    pub(super) fn write(&mut self) {
        while let Some(end) = self
            .end
            .as_mut()
            .filter(|_| self.written < self.bytes.len())
        {
            match end.write(&self.bytes[self.written..]) {
                Ok(0) => return,
                Ok(count) => self.written += count,
                Err(error) => {
                    // That a program does not read its input is its own business.
                    if error.kind() != io::ErrorKind::BrokenPipe {
                        log::warn!("cannot write to a program's standard input: {error}");
                    }
                    self.close();
                }
            }
        }
        self.close_if_done();
    }

    /// End of file for the program, and of its terminal if it has one.
    pub(super) fn close(&mut self) {
        self.end = None;
        self.bytes = Vec::new();
        self.written = 0;
    }

    fn close_if_done(&mut self) {
        if self.written >= self.bytes.len() && !self.stays_open {
            self.close();
        }
    }
}
