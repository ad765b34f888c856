//! How much may be under way to the master without being confirmed. Time comes in as an argument.
//!
//! A window that is too small for a long link makes every byte wait for the answer to an earlier one;
//! one that is larger than the link can hold only costs memory. So it begins small, and doubles when
//! a whole window full is confirmed within one and a half round trips of an unburdened link: then the link
//! had room for more. A master that is slow itself confirms much less in that time, and the window
//! stays as it is. This is how TCP receivers size their windows ("dynamic right-sizing", Fisk and
//! Feng, 2001).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A link with a shorter round trip is not long: the smallest window carries 50 MB a second over it, and
/// a larger one would only cost memory.
const SHORT_TRIP: Duration = Duration::from_millis(5);

/// So many round trips are measured before any is believed.
const LEAST_TRIPS: u32 = 4;

/// Bytes under way, and how many there may be.
#[derive(Debug)]
pub(super) struct Window {
    size: usize,
    least: usize,
    most: usize,
    under_way: usize,
    /// For some of the bytes under way: the count of all sent bytes up to them, and when they were
    /// sent.
    marks: VecDeque<(u64, Instant)>,
    sent: u64,
    confirmed: u64,
    /// The shortest time from sending to confirmation that was seen.
    trip: Option<Duration>,
    /// How many were seen.
    trips: u32,
    /// When the count of this round began, and with how many confirmed bytes.
    round: Option<(Instant, u64)>,
    /// The sender had to wait in this round.
    was_full: bool,
}

/// Most marks that are kept.
const MOST_MARKS: usize = 64;

impl Window {
    /// A window of `least` bytes that may grow to `most`.
    pub(super) fn new(least: usize, most: usize) -> Window {
        Window {
            size: least,
            least,
            most,
            under_way: 0,
            marks: VecDeque::new(),
            sent: 0,
            confirmed: 0,
            trip: None,
            trips: 0,
            round: None,
            was_full: false,
        }
    }

    /// How many bytes may be under way.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether fewer bytes are under way than may be.
    pub(super) fn has_room(&self) -> bool {
        self.under_way < self.size
    }

    /// Whether so many more bytes fit.
    pub(super) fn fits(&self, bytes: usize) -> bool {
        self.under_way.saturating_add(bytes) <= self.size
    }

    /// The sender has more, and waits because there is no room.
    pub(super) fn waited(&mut self) {
        self.was_full = true;
    }

    /// So many bytes have been sent.
    pub(super) fn sent(&mut self, bytes: usize, now: Instant) {
        self.under_way = self.under_way.saturating_add(bytes);
        self.sent = self.sent.wrapping_add(bytes as u64);
        if self.marks.len() < MOST_MARKS {
            self.marks.push_back((self.sent, now));
        }
        self.round.get_or_insert((now, self.confirmed));
        self.was_full |= !self.has_room();
    }

    /// So many bytes have been confirmed.
    pub(super) fn confirmed(&mut self, bytes: usize, now: Instant) {
        let bytes = bytes.min(self.under_way);
        self.under_way -= bytes;
        self.confirmed = self.confirmed.wrapping_add(bytes as u64);
        while let Some(&(upto, sent_at)) = self.marks.front() {
            if upto > self.confirmed {
                break;
            }
            self.marks.pop_front();
            let trip = now.saturating_duration_since(sent_at);
            self.trip = Some(self.trip.map_or(trip, |shortest| shortest.min(trip)));
            self.trips = self.trips.saturating_add(1);
        }
        self.adapt(now);
    }

    fn adapt(&mut self, now: Instant) {
        let (Some(trip), Some((began, confirmed_then))) = (self.trip, self.round) else {
            return;
        };
        if trip < SHORT_TRIP {
            self.size = self.least;
            return;
        }
        let round = trip * 3 / 2;
        let full = self.confirmed.wrapping_sub(confirmed_then) >= self.size as u64;
        let late = now.saturating_duration_since(began) > round;
        if full && !late && self.was_full && self.trips >= LEAST_TRIPS {
            self.size = (self.size * 2).min(self.most);
        }
        if full || late {
            self.was_full = !self.has_room();
            self.round = (self.under_way > 0).then_some((now, self.confirmed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    /// Sends as much as is allowed over a link with this delay to a master that takes this many bytes a
    /// second, and answers each piece; the window after some seconds.
    fn window_after(delay: Duration, rate: f64, step: usize) -> usize {
        let mut window = Window::new(256 * KIB, 2048 * KIB);
        let start = Instant::now();
        let mut now = start;
        let mut busy_until = start;
        let mut answers: VecDeque<Instant> = VecDeque::new();
        while now < start + Duration::from_secs(5) {
            while window.fits(step) {
                window.sent(step, now);
                let arrives = now + delay / 2;
                busy_until = busy_until.max(arrives) + Duration::from_secs_f64(step as f64 / rate);
                answers.push_back(busy_until + delay / 2);
            }
            window.waited();
            let answer = answers.pop_front().unwrap();
            now = answer;
            window.confirmed(step, now);
        }
        window.size()
    }

    #[test]
    fn a_long_link_with_room_gets_a_large_window() {
        for delay in [20, 60, 100, 300] {
            let size = window_after(Duration::from_millis(delay), 1e9, 64 * KIB);
            assert_eq!(size, 2048 * KIB, "{delay} ms");
        }
    }

    #[test]
    fn a_slow_master_nearby_gets_no_more_than_it_takes() {
        for rate in [1e5, 1e6, 4e6] {
            let size = window_after(Duration::from_micros(200), rate, 64 * KIB);
            assert_eq!(size, 256 * KIB, "{rate} bytes a second");
        }
    }

    #[test]
    fn a_fast_master_nearby_needs_no_large_window() {
        let size = window_after(Duration::from_micros(500), 1e9, 64 * KIB);
        assert_eq!(size, 256 * KIB);
    }

    #[test]
    fn a_slow_and_long_link_is_not_flooded() {
        // 100 ms at 2 MB a second hold 200 KB.
        let size = window_after(Duration::from_millis(100), 2e6, 64 * KIB);
        assert!(size <= 512 * KIB, "{size}");
    }

    #[test]
    fn a_sender_that_never_waits_keeps_its_window() {
        let mut window = Window::new(256 * KIB, 2048 * KIB);
        let mut now = Instant::now();
        for _ in 0..100_000 {
            window.sent(KIB, now);
            now += Duration::from_micros(10);
            window.confirmed(KIB, now);
        }
        assert_eq!(window.size(), 256 * KIB);
    }

    #[test]
    fn a_master_that_confirms_more_than_was_sent_does_no_harm() {
        let mut window = Window::new(KIB, 2 * KIB);
        let now = Instant::now();
        window.confirmed(usize::MAX, now);
        window.sent(10, now);
        window.confirmed(usize::MAX, now);
        assert!(window.fits(KIB));
        window.sent(usize::MAX, now);
        window.sent(usize::MAX, now);
        assert!(!window.has_room());
        window.confirmed(usize::MAX, now);
        assert!(window.has_room());
    }
}
