//! Bytes on their way to the master.

/// Above this many bytes, an emptied buffer is given back to the system: a burst must not cost
/// memory for the rest of the worker's life.
const KEEP: usize = 256 * 1024;

/// The bytes being written now. While they are, the session fills a second buffer, so that nothing
/// is ever moved to the front.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    written: usize,
    waiting: usize,
}

impl Outbox {
    /// Takes over what the session has for the master, once everything before it is written.
    pub fn refill(&mut self, outgoing: &mut Vec<u8>) {
        if self.written == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEEP);
            self.written = 0;
            std::mem::swap(&mut self.bytes, outgoing);
        }
        self.waiting = outgoing.len();
    }

    /// What is to be written next.
    pub fn unwritten(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// So many bytes of it have been written.
    pub fn written(&mut self, count: usize) {
        self.written = (self.written + count).min(self.bytes.len());
    }

    /// Bytes that have not been written, here and at the session.
    pub fn len(&self) -> usize {
        self.unwritten().len() + self.waiting
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_order_and_once() {
        let mut outbox = Outbox::default();
        let mut session = b"first".to_vec();
        outbox.refill(&mut session);
        assert!(session.is_empty());
        outbox.written(3);
        session.extend_from_slice(b" second");
        outbox.refill(&mut session);
        assert_eq!(outbox.unwritten(), b"st");
        assert_eq!(outbox.len(), 9);
        outbox.written(2);
        outbox.refill(&mut session);
        assert_eq!(outbox.unwritten(), b" second");
        outbox.written(7);
        outbox.refill(&mut session);
        assert!(outbox.is_empty());
    }

    #[test]
    fn the_memory_of_a_burst_is_given_back() {
        let mut outbox = Outbox::default();
        let mut session = vec![0; 10 * KEEP];
        outbox.refill(&mut session);
        outbox.written(10 * KEEP);
        outbox.refill(&mut session);
        outbox.refill(&mut session);
        assert!(session.capacity() <= 2 * KEEP);
    }
}
