//! Watches from a thread of its own whether the loop turns. A loop that does not (a hung file
//! system, a defect) would leave a worker that looks alive and does nothing for days; the process
//! ends instead, so that whoever watches it starts another one. The steps end with it.
//!
//! Nobody wakes up for this without need. Beside a loop that is busy the thread looks a few times in
//! the time limit; beside one that waits it sleeps until the next turn rouses it. Where the system does
//! not tell of changes of the clock, or a service manager wants signs of life, it goes on looking, and
//! makes an idle loop turn.
//!
//! It also notices when the loop has come to rest, which is the time to give memory back.

use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use log::error;

use super::phase;
use super::pulse::Pulse;
use ports::{Awake, ClockAlarm};

/// How long the loop may do one thing. Long enough for a slow disk, which is not our death.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Looks without a beat until the loop counts as stuck. Looks are counted rather than time, because
/// a process that was stopped as a whole (by a signal, with its virtual machine) has not been stuck:
/// it misses one look at most.
const LOOKS: u32 = 3;

/// More than keepalives and pokes make from one look to the next: two beats a turn.
const MANY_BEATS: u32 = 16;

/// How long the log may take for the last line. The log may be what the loop is stuck in.
const LAST_LINE_LIMIT: Duration = Duration::from_secs(5);

/// Begins to watch the loop, to end this process when it does not turn for about `limit`. With
/// `patience`, the service manager gets signs of life twice in that time, as long as the loop turns.
///
/// # Errors
/// No thread can be started.
pub fn watch(pulse: Arc<Pulse>, limit: Duration, patience: Option<Duration>) -> io::Result<()> {
    let mut watch = Watch::new(&pulse, limit, patience);
    let watching = move || {
        let mut alarm = ClockAlarm::new();
        watch.pokes |= !alarm.is_told();
        pulse.is_watched_by(alarm.rouser());
        while !pulse.is_over() {
            if !watch.pokes && sleep_while_idle(&mut alarm, &pulse) {
                watch.begin_anew(&pulse);
            }
            sleep(&mut alarm, watch.interval, &pulse);
            if watch.look(&pulse) == Verdict::Stuck {
                give_up(limit);
            }
            if watch.is_time_to_tidy(&pulse) {
                ports::release_memory();
            }
        }
    };
    std::thread::Builder::new()
        .name("watchdog".to_owned())
        .stack_size(128 * 1024)
        .spawn(watching)?;
    Ok(())
}

/// Sleeps as long as the loop waits; false beside a busy one. When the clock makes a jump the loop is
/// to look at it at once.
fn sleep_while_idle(alarm: &mut ClockAlarm, pulse: &Pulse) -> bool {
    let mut has_slept = false;
    while pulse.may_sleep() {
        has_slept = true;
        if alarm.sleep(None) == Awake::ClockChanged {
            pulse.poke();
        }
    }
    has_slept
}

/// Sleeps to the next look.
fn sleep(alarm: &mut ClockAlarm, time: Duration, pulse: &Pulse) {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match alarm.sleep(Some(left)) {
            Awake::TimeOver => return,
            Awake::ClockChanged => pulse.poke(),
            Awake::Roused => {}
        }
    }
}

/// What a look shows.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Turns,
    Stuck,
}

/// What the last looks have shown.
#[derive(Debug)]
struct Watch {
    /// From one look to the next.
    interval: Duration,
    /// So many looks without a beat are too many.
    most: u32,
    /// Whether somebody wants signs of life.
    reports: bool,
    /// Whether an idle loop is made to turn, so that it looks at the clocks or gives a sign of life.
    pokes: bool,
    beats: u32,
    missed: u32,
    /// The beats when memory was given back last, if it was.
    tidied: Option<u32>,
}

impl Watch {
    fn new(pulse: &Pulse, limit: Duration, patience: Option<Duration>) -> Watch {
        let longest = limit / LOOKS;
        let interval = patience.map_or(longest, |patience| longest.min(patience / 2));
        // A manager with a patience of a microsecond does not get a thread that spins.
        let interval = interval.max(Duration::from_millis(10));
        let most = limit.as_nanos().div_ceil(interval.as_nanos());
        Watch {
            interval,
            most: u32::try_from(most).unwrap_or(u32::MAX).max(2),
            reports: patience.is_some(),
            pokes: patience.is_some(),
            beats: pulse.beats(),
            missed: 0,
            tidied: None,
        }
    }

    /// Whether the loop waits, and has done much since memory was given back last.
    fn is_time_to_tidy(&mut self, pulse: &Pulse) -> bool {
        let beats = pulse.beats();
        let is_enough = |before| beats.wrapping_sub(before) >= MANY_BEATS;
        let is_time = pulse.is_idle() && self.tidied.is_none_or(is_enough);
        if is_time {
            self.tidied = Some(beats);
        }
        is_time
    }

    /// The turn that goes on just now is the first to be timed.
    fn begin_anew(&mut self, pulse: &Pulse) {
        self.beats = pulse.beats();
        self.missed = 0;
    }

    fn look(&mut self, pulse: &Pulse) -> Verdict {
        let beats = pulse.beats();
        let has_turned = beats != self.beats;
        self.beats = beats;
        // Nothing is to be expected of a loop that waits and that nobody has poked.
        let is_fine = has_turned || (pulse.is_idle() && !self.pokes);
        self.missed = if is_fine { 0 } else { self.missed + 1 };
        if self.missed >= self.most && !pulse.is_over() {
            return Verdict::Stuck;
        }
        if self.reports {
            pulse.ask_for_sign_of_life();
        }
        if self.reports || (self.pokes && !has_turned) {
            pulse.poke();
        }
        Verdict::Turns
    }
}

/// Says where the loop is stuck and ends the process.
fn give_up(limit: Duration) -> ! {
    let (said, heard) = mpsc::channel();
    let say = move || {
        error!(
            "the worker is stuck: it has been {} for {} s or more; ending this process so that it \
             can be started again",
            phase::current().text(),
            limit.as_secs_f64()
        );
        // The other side may be gone, and so is everything else then.
        let _ = said.send(());
    };
    if std::thread::Builder::new().spawn(say).is_ok() {
        let _ = heard.recv_timeout(LAST_LINE_LIMIT);
    }
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// A loop that turns when it is asked to.
    fn turn(pulse: &Arc<Pulse>) {
        let mut work = std::pin::pin!(pulse.of(std::future::pending::<()>()));
        let mut context = std::task::Context::from_waker(Waker::noop());
        assert!(Future::poll(work.as_mut(), &mut context).is_pending());
    }

    #[test]
    fn loop_that_is_busy_with_one_turn_for_three_looks_is_stuck() {
        let pulse = Arc::new(Pulse::default());
        let mut watch = Watch::new(&pulse, 2 * MINUTE, None);
        assert_eq!(watch.interval, Duration::from_secs(40));
        assert_eq!(watch.look(&pulse), Verdict::Turns);
        assert_eq!(watch.look(&pulse), Verdict::Turns);
        assert_eq!(watch.look(&pulse), Verdict::Stuck);
    }

    #[test]
    fn loop_that_waits_is_not_stuck() {
        let pulse = Arc::new(Pulse::default());
        let mut watch = Watch::new(&pulse, 2 * MINUTE, None);
        turn(&pulse);
        for _ in 0..10 {
            assert_eq!(watch.look(&pulse), Verdict::Turns);
        }
    }

    #[test]
    fn loop_that_does_not_turn_though_it_is_poked_is_stuck() {
        let pulse = Arc::new(Pulse::default());
        let mut watch = Watch::new(&pulse, 2 * MINUTE, None);
        watch.pokes = true;
        turn(&pulse);
        assert_eq!(watch.look(&pulse), Verdict::Turns);
        assert_eq!(watch.look(&pulse), Verdict::Turns);
        assert_eq!(watch.look(&pulse), Verdict::Turns);
        assert_eq!(watch.look(&pulse), Verdict::Stuck);
    }

    #[test]
    fn one_turn_is_enough_to_start_counting_anew() {
        let pulse = Arc::new(Pulse::default());
        let mut watch = Watch::new(&pulse, 2 * MINUTE, None);
        watch.pokes = true;
        for _ in 0..10 {
            assert_eq!(watch.look(&pulse), Verdict::Turns);
            assert_eq!(watch.look(&pulse), Verdict::Turns);
            turn(&pulse);
        }
    }

    #[test]
    fn impatient_manager_gets_its_signs_of_life_but_the_limit_stays() {
        let pulse = Arc::new(Pulse::default());
        let mut watch = Watch::new(&pulse, 2 * MINUTE, Some(Duration::from_secs(10)));
        assert_eq!(watch.interval, Duration::from_secs(5));
        for _ in 0..23 {
            assert_eq!(watch.look(&pulse), Verdict::Turns);
        }
        assert_eq!(watch.look(&pulse), Verdict::Stuck);
    }

    #[test]
    fn memory_is_given_back_when_the_loop_waits_after_work_and_not_again_without_work() {
        let pulse = Arc::new(Pulse::default());
        let mut watch = Watch::new(&pulse, MINUTE, None);
        assert!(!watch.is_time_to_tidy(&pulse), "it is busy starting");
        turn(&pulse);
        assert!(watch.is_time_to_tidy(&pulse));
        for _ in 0..3 {
            for _ in 1..MANY_BEATS / 2 {
                turn(&pulse);
                assert!(!watch.is_time_to_tidy(&pulse));
            }
            turn(&pulse);
            assert!(watch.is_time_to_tidy(&pulse));
        }
    }

    #[test]
    fn no_patience_at_all_makes_no_thread_spin() {
        let pulse = Arc::new(Pulse::default());
        let watch = Watch::new(&pulse, 2 * MINUTE, Some(Duration::from_micros(1)));
        assert_eq!(watch.interval, Duration::from_millis(10));
        assert_eq!(watch.most, 12_000);
    }

    #[test]
    fn loop_that_has_ended_is_not_stuck() {
        let pulse = Arc::new(Pulse::default());
        let mut watch = Watch::new(&pulse, MINUTE, None);
        pulse.end();
        for _ in 0..10 {
            assert_eq!(watch.look(&pulse), Verdict::Turns);
        }
    }

    /// Set in a process whose loop gets stuck.
    const ROLE: &str = "CORACLE_TEST_STUCK";

    /// Prints the log.
    struct Printer;

    impl log::Log for Printer {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            println!("{}", record.args());
        }

        fn flush(&self) {}
    }

    #[test]
    fn process_whose_loop_is_stuck_is_ended_and_says_where_it_was() {
        let name =
            "worker::watchdog::tests::process_whose_loop_is_stuck_is_ended_and_says_where_it_was";
        match std::env::var(ROLE).as_deref() {
            Ok("stuck") => {
                let _pulse = watched();
                return get_stuck();
            }
            Ok("stuck later") => return get_stuck_later(),
            Ok("idle") => return be_idle(),
            Ok(_) | Err(_) => {}
        }
        let run = |role: &str| {
            let program = std::env::current_exe().unwrap();
            let mut command = std::process::Command::new(program);
            command
                .args(["--exact", name, "--nocapture"])
                .env(ROLE, role);
            let output = command.output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            (output.status, text)
        };
        for role in ["stuck", "stuck later"] {
            let (status, text) = run(role);
            // By a signal, so that a service manager sees a failure.
            assert_eq!(status.code(), None, "{role}: {text}");
            assert!(
                text.contains("the worker is stuck: it has been starting a command for 0.3 s"),
                "{role}: {text}"
            );
        }
        let (status, text) = run("idle");
        assert!(status.success(), "{text}");
        assert!(text.contains("still here"), "{text}");
    }

    fn watched() -> Arc<Pulse> {
        log::set_logger(&Printer).unwrap();
        log::set_max_level(log::LevelFilter::Info);
        let pulse = Arc::new(Pulse::default());
        watch(Arc::clone(&pulse), Duration::from_millis(300), None).unwrap();
        pulse
    }

    fn get_stuck() {
        phase::enter(phase::Phase::StartingCommand);
        std::thread::sleep(MINUTE);
    }

    /// The watchdog has long gone to sleep when the loop gets stuck.
    fn get_stuck_later() {
        smol::block_on(watched().of(async {
            smol::Timer::after(Duration::from_secs(1)).await;
            get_stuck();
        }));
    }

    /// Nothing happens in this loop for many times the limit.
    fn be_idle() {
        let pulse = watched();
        let pause = smol::Timer::after(Duration::from_secs(2));
        smol::block_on(pulse.of(async move {
            let _ = pause.await;
        }));
        // It was woken for nothing but its timer, or the watchdog's looks where those are needed.
        let most = if ClockAlarm::new().is_told() { 6 } else { 60 };
        assert!((2..most).contains(&pulse.beats()), "{}", pulse.beats());
        println!("still here");
    }
}
