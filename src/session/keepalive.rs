//! When to ask the master for a sign of life, and when to give it up (PROTOCOL 4.10 has no deadline
//! for the answer; we do, because a worker that waits for ever on a dead link is no use).

use std::time::{Duration, Instant};

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// Nothing.
    Fine,
    /// Ask for a sign of life, and tell [`Keepalive::sent`].
    SendKeepalive,
    /// The link is dead: nothing was heard for too long after we asked.
    Dead,
}

/// The clock of one connection. Every byte that arrives is a sign of life, whatever it is about.
#[derive(Debug, Clone)]
pub struct Keepalive {
    /// From one question to the next; none: never ask.
    interval: Option<Duration>,
    /// How long an answer may take.
    patience: Duration,
    /// When the last question was asked, or the connection began.
    asked: Instant,
    /// When bytes arrived last, or the connection began.
    heard: Instant,
    /// Until when something must be heard; none while nothing is outstanding.
    deadline: Option<Instant>,
}

impl Keepalive {
    /// A clock that starts now. An interval of zero means none.
    pub fn new(interval: Option<Duration>, patience: Duration, now: Instant) -> Keepalive {
        Keepalive {
            interval: interval.filter(|interval| !interval.is_zero()),
            patience,
            asked: now,
            heard: now,
            deadline: None,
        }
    }

    /// From one question to the next; none: never ask.
    pub fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// Bytes have arrived.
    pub fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.deadline = None;
    }

    /// When bytes arrived last, or the connection began.
    pub fn last_heard(&self) -> Instant {
        self.heard
    }

    /// A question was sent. While one is outstanding, a further one does not extend its deadline.
    pub fn sent(&mut self, now: Instant) {
        self.asked = now;
        if self.deadline.is_none() {
            // A point in time that cannot be represented never comes.
            self.deadline = now.checked_add(self.patience);
        }
    }

    /// When to look again; none: never.
    pub fn next(&self) -> Option<Instant> {
        self.deadline.or_else(|| self.due())
    }

    /// What is to be done at this point in time.
    pub fn check(&self, now: Instant) -> Liveness {
        match (self.deadline, self.due()) {
            (Some(deadline), _) if now >= deadline => Liveness::Dead,
            (None, Some(due)) if now >= due => Liveness::SendKeepalive,
            (_, _) => Liveness::Fine,
        }
    }

    /// What is to be done now that there is a reason to doubt the link (the machine was suspended):
    /// ask at once, unless an answer is outstanding already.
    pub fn probe(&self, now: Instant) -> Liveness {
        match self.deadline {
            Some(deadline) if now >= deadline => Liveness::Dead,
            Some(_) => Liveness::Fine,
            None => Liveness::SendKeepalive,
        }
    }

    /// When the next question is due: the period runs from question to question (PROTOCOL 4.10).
    fn due(&self) -> Option<Instant> {
        self.interval
            .and_then(|interval| self.asked.checked_add(interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(60);
    const PATIENCE: Duration = Duration::from_secs(30);

    fn clock() -> (Keepalive, Instant) {
        let start = Instant::now();
        (Keepalive::new(Some(INTERVAL), PATIENCE, start), start)
    }

    #[test]
    fn the_first_question_is_due_one_interval_after_the_start() {
        let (clock, start) = clock();
        assert_eq!(clock.next(), Some(start + INTERVAL));
        assert_eq!(clock.check(start), Liveness::Fine);
        assert_eq!(
            clock.check(start + INTERVAL - Duration::from_nanos(1)),
            Liveness::Fine
        );
        assert_eq!(clock.check(start + INTERVAL), Liveness::SendKeepalive);
    }

    #[test]
    fn a_question_without_an_answer_means_a_dead_link() {
        let (mut clock, start) = clock();
        let asked = start + INTERVAL;
        clock.sent(asked);
        assert_eq!(clock.next(), Some(asked + PATIENCE));
        assert_eq!(clock.check(asked), Liveness::Fine);
        assert_eq!(clock.check(asked + PATIENCE), Liveness::Dead);
    }

    #[test]
    fn any_byte_answers_the_question() {
        let (mut clock, start) = clock();
        let asked = start + INTERVAL;
        clock.sent(asked);
        clock.heard(asked + Duration::from_secs(29));
        assert_eq!(clock.check(asked + PATIENCE), Liveness::Fine);
        assert_eq!(clock.next(), Some(asked + INTERVAL));
        assert_eq!(clock.last_heard(), asked + Duration::from_secs(29));
    }

    #[test]
    fn a_second_question_does_not_extend_the_deadline_of_the_first() {
        let (mut clock, start) = clock();
        clock.sent(start);
        clock.sent(start + Duration::from_secs(20));
        assert_eq!(clock.check(start + PATIENCE), Liveness::Dead);
    }

    #[test]
    fn patience_longer_than_the_interval_does_not_ask_twice() {
        let start = Instant::now();
        let mut clock = Keepalive::new(Some(PATIENCE), INTERVAL, start);
        clock.sent(start);
        assert_eq!(clock.check(start + PATIENCE), Liveness::Fine);
        assert_eq!(clock.check(start + INTERVAL), Liveness::Dead);
    }

    #[test]
    fn without_an_interval_nothing_is_asked() {
        let start = Instant::now();
        for interval in [None, Some(Duration::ZERO)] {
            let clock = Keepalive::new(interval, PATIENCE, start);
            assert_eq!(clock.next(), None);
            assert_eq!(clock.check(start + INTERVAL * 1000), Liveness::Fine);
        }
    }

    #[test]
    fn a_question_asked_without_an_interval_still_has_a_deadline() {
        let start = Instant::now();
        let mut clock = Keepalive::new(None, PATIENCE, start);
        clock.sent(start);
        assert_eq!(clock.next(), Some(start + PATIENCE));
        clock.heard(start);
        assert_eq!(clock.next(), None);
    }

    #[test]
    fn a_doubt_is_a_reason_to_ask_at_once_but_only_once() {
        for interval in [None, Some(INTERVAL)] {
            let start = Instant::now();
            let mut clock = Keepalive::new(interval, PATIENCE, start);
            assert_eq!(clock.probe(start), Liveness::SendKeepalive);
            clock.sent(start);
            assert_eq!(clock.probe(start), Liveness::Fine);
            assert_eq!(clock.check(start + PATIENCE), Liveness::Dead);
            assert_eq!(clock.probe(start + PATIENCE), Liveness::Dead);
            clock.heard(start);
            assert_eq!(clock.probe(start), Liveness::SendKeepalive);
        }
    }

    #[test]
    fn an_interval_beyond_the_end_of_time_is_none() {
        let clock = Keepalive::new(Some(Duration::MAX), Duration::MAX, Instant::now());
        assert_eq!(clock.next(), None);
    }
}
