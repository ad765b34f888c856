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
    /// Whether bytes were under way at the last look.
    under_way: bool,
}

impl Uplink {
    /// The system has taken so many bytes.
    pub fn took(&mut self, count: usize) {
        self.taken = self
            .taken
            .saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Whether bytes have arrived since the last look, and some are still under way or were then: the
    /// master may have had no time yet to say something about the last of them. `held` is how many the
    /// system still holds, as far as it tells.
    pub fn is_moving(&mut self, outbox: &Outbox, held: Option<u64>) -> bool {
        let held = held.unwrap_or(0);
        let arrived = self.taken.saturating_sub(held);
        let has_moved = arrived > self.arrived;
        self.arrived = self.arrived.max(arrived);
        let under_way = held > 0 || !outbox.is_empty();
        let were_under_way = std::mem::replace(&mut self.under_way, under_way);
        has_moved && (under_way || were_under_way)
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
        // The last of them have arrived since: the master's answer may be on its way.
        assert!(uplink.is_moving(&outbox(0), Some(0)));
        // Now it is for the master to say something.
        uplink.took(50);
        assert!(!uplink.is_moving(&outbox(0), Some(0)));
    }

    #[test]
    fn a_system_that_does_not_tell_shows_it_by_taking_more() {
        let mut uplink = Uplink::default();
        uplink.took(1000);
        assert!(uplink.is_moving(&outbox(10), None));
        assert!(!uplink.is_moving(&outbox(10), None));
        uplink.took(1);
        assert!(uplink.is_moving(&outbox(0), None));
        uplink.took(1);
        assert!(!uplink.is_moving(&outbox(0), None));
    }
}
