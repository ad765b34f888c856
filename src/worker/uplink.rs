//! How far the bytes for the master get. On a slow link the answer to a keepalive comes late, because
//! the question waits behind what a step has printed. As long as bytes get through, the link lives.

use super::outbox::Outbox;

/// Counts the bytes of one connection.
#[derive(Debug, Default)]
pub struct Uplink {
    /// Bytes that the system has taken.
    taken: u64,
    /// Most bytes that had arrived at a look.
    arrived: u64,
}

impl Uplink {
    /// The system has taken so many bytes.
    pub fn took(&mut self, count: usize) {
        self.taken = self
            .taken
            .saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Whether bytes are still under way, and more of them have arrived since the last look. `held` is
    /// how many the system still holds, as far as it tells.
    pub fn is_moving(&mut self, outbox: &Outbox, held: Option<u64>) -> bool {
        let held = held.unwrap_or(0);
        let arrived = self.taken.saturating_sub(held);
        let has_moved = arrived > self.arrived;
        self.arrived = self.arrived.max(arrived);
        has_moved && (held > 0 || !outbox.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(length: usize) -> Outbox {
        let mut outbox = Outbox::default();
        outbox.refill(&mut vec![0; length]);
        outbox
    }

    #[test]
    fn a_link_lives_while_bytes_arrive_and_more_are_under_way() {
        let mut uplink = Uplink::default();
        uplink.took(1000);
        assert!(uplink.is_moving(&outbox(0), Some(900)));
        // Nothing more has arrived.
        assert!(!uplink.is_moving(&outbox(0), Some(900)));
        uplink.took(50);
        assert!(!uplink.is_moving(&outbox(0), Some(950)));
        assert!(uplink.is_moving(&outbox(0), Some(949)));
        // All has arrived: now it is for the master to say something.
        assert!(!uplink.is_moving(&outbox(0), Some(0)));
    }

    #[test]
    fn a_system_that_does_not_tell_shows_it_by_taking_more() {
        let mut uplink = Uplink::default();
        uplink.took(1000);
        assert!(uplink.is_moving(&outbox(10), None));
        assert!(!uplink.is_moving(&outbox(10), None));
        uplink.took(1);
        assert!(!uplink.is_moving(&outbox(0), None));
    }
}
