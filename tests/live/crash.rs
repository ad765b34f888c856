//! The worker is killed at the worst moments, and the next start cleans up and says what it did.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::Duration;

use coracle::journal::{
    EndReason, Event, Journal, Moment, Process, Run, Step, StepNumber, last_run,
};

use crate::worker::{Base, children, is_stopped, runs, signal, until};

/// Whether the system tells enough about processes for a clean-up.
fn can_clean_up() -> bool {
    ports::boot_id().is_some()
}

#[test]
fn what_a_killed_worker_and_its_killed_monitor_left_is_ended_by_the_next_start() {
    if !can_clean_up() {
        println!("not tested: this system does not tell processes apart");
        return;
    }
    let base = Base::new("live-crash");
    let (worker, mut master) = base.attach();
    master.start(0, "sleep 600 >/dev/null 2>&1 & echo $! > pid; sleep 601");
    let sleeper = base.wait_for_number(&mut master, "pid");
    // The worker must not see its monitor die.
    worker.signal("STOP");
    until("the worker has stopped", || is_stopped(worker.pid()));
    for monitor in children(worker.pid()) {
        signal(monitor, "KILL");
    }
    worker.kill();
    drop(master);
    assert!(runs(sleeper), "it ended without us");
    let (worker, master) = base.attach();
    let log = worker.log();
    assert!(!runs(sleeper), "{log}");
    for line in [
        "ended without notice after 2",
        "; one step was running",
        "(command 0): shell in builder b was running when the last worker ended: `sleep 600",
        &format!("killed what was left of it: sleep ({sleeper})"),
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    drop(master);
    worker.stop();
    // And that is the end of it.
    let (worker, _master) = base.attach();
    let log = worker.log();
    assert!(!log.contains("last worker"), "{log}");
}

#[test]
fn steps_die_with_a_killed_worker_and_the_next_start_says_which_they_were() {
    let base = Base::new("live-monitor");
    let (worker, mut master) = base.attach();
    master.start(0, "echo $$ > pid; exec sleep 600");
    let sleeper = base.wait_for_number(&mut master, "pid");
    worker.kill();
    until("the step is gone", || !runs(sleeper));
    drop(master);
    let (worker, _master) = base.attach();
    let log = worker.log();
    assert!(
        log.contains("(command 0): shell in builder b was running when the last worker ended"),
        "{log}"
    );
    if can_clean_up() {
        assert!(log.contains("; nothing of it is left"), "{log}");
    }
    let died = base.events().into_iter().any(|event| {
        matches!(event, Event::StepEnded { ending, .. } if ending.reason == EndReason::WorkerDied)
    });
    assert!(died);
}

#[test]
fn two_runs_in_order_are_written_down_and_nothing_is_said_about_them() {
    let base = Base::new("live-history");
    for _ in 0..2 {
        let (worker, mut master) = base.attach();
        master.start(0, "exit 3");
        master.wait_for_end();
        worker.stop();
    }
    let (worker, _master) = base.attach();
    assert!(!worker.log().contains("last worker"), "{}", worker.log());
    let events = base.events();
    let names: Vec<&str> = events.iter().map(name).collect();
    let run = [
        "started",
        "connected",
        "step",
        "program",
        "ended",
        "stopped",
    ];
    assert_eq!(names, [&run[..], &run, &run[..2]].concat());
    let numbers: Vec<u64> = events.iter().filter_map(step_number).collect();
    assert_eq!(numbers, [0, 1]);
    for event in events {
        if let Event::StepEnded { ending, .. } = event {
            assert_eq!((ending.code, ending.reason), (Some(3), EndReason::Finished));
        }
    }
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::WorkerStarted(_) => "started",
        Event::Connected { .. } => "connected",
        Event::StepStarted(_) => "step",
        Event::ProgramStarted { .. } => "program",
        Event::StepEnded { .. } => "ended",
        Event::ConnectionLost { .. } => "lost",
        Event::WorkerStopped => "stopped",
    }
}

fn step_number(event: &Event) -> Option<u64> {
    match event {
        Event::StepStarted(step) => Some(step.number.0),
        _ => None,
    }
}

#[test]
fn connection_that_is_lost_abandons_the_step_and_is_written_down() {
    let base = Base::new("live-lost");
    let (worker, mut master) = base.attach();
    master.start(0, "echo $$ > pid; exec sleep 600");
    let sleeper = base.wait_for_number(&mut master, "pid");
    drop(master);
    until("the step is gone", || !runs(sleeper));
    let _master = crate::master::Master::attach(&base.listener);
    let events = base.events();
    let reasons: Vec<EndReason> = events
        .iter()
        .filter_map(|event| match event {
            Event::StepEnded { ending, .. } => Some(ending.reason),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [EndReason::Abandoned]);
    assert!(events.iter().any(|event| name(event) == "lost"));
    worker.stop();
}

#[test]
fn worker_that_is_killed_at_any_moment_starts_again() {
    let base = Base::new("live-any-moment");
    for round in 0..20_u64 {
        let worker = base.start();
        if round % 2 == 0 {
            let mut master = crate::master::Master::attach(&base.listener);
            for number in 0..5 {
                master.start(number, "echo x; sleep 0.01");
            }
            std::thread::sleep(Duration::from_millis(round));
        } else {
            std::thread::sleep(Duration::from_millis(round / 2));
        }
        worker.kill();
    }
    let (worker, mut master) = base.attach();
    master.start(0, "echo alive");
    assert!(master.wait_for_end().contains("alive"));
    let steps: Vec<u64> = base.events().iter().filter_map(step_number).collect();
    let mut ascending = steps.clone();
    ascending.sort_unstable();
    ascending.dedup();
    assert_eq!(steps, ascending, "a number was used twice");
    worker.stop();
    let last = last_run(base.path()).unwrap().unwrap();
    assert!(last.stopped && last.unfinished.is_empty(), "{last:?}");
}

/// A process of somebody, which leads a group of its own.
fn somebody() -> Child {
    let mut command = Command::new("sleep");
    command.arg("600").process_group(0).spawn().unwrap()
}

/// Writes a journal whose last run crashed while this process ran for a step.
fn write_crash(base: &Base, boot: Option<String>, process: Process) {
    let mut journal = Journal::open(base.path()).unwrap();
    let now = Moment {
        wall: 1_700_000_000_000,
        process_clock: ports::process_clock(),
    };
    let step = Step {
        number: StepNumber(0),
        builder: "b".to_owned(),
        id: "77".to_owned(),
        name: "shell".to_owned(),
        directory: "/nowhere".to_owned(),
        line: "make\nall".to_owned(),
    };
    let run = Run {
        pid: 12345,
        boot,
        version: "0".to_owned(),
        first_step: StepNumber(0),
    };
    for event in [
        Event::WorkerStarted(run),
        Event::StepStarted(step),
        Event::ProgramStarted {
            step: StepNumber(0),
            process,
        },
    ] {
        journal.append(now, event).unwrap();
    }
}

/// What a worker does with a process in that place: whether it runs on, and what the log says.
fn fate(name: &str, boot: Option<String>, change: impl Fn(&mut Process)) -> (bool, String) {
    let base = Base::new(name);
    let mut child = somebody();
    let identity = ports::process_identity(child.id());
    let mut process = Process {
        pid: child.id(),
        start: identity.map(|identity| identity.start),
        session: identity.map(|identity| identity.session),
    };
    change(&mut process);
    write_crash(&base, boot, process);
    let (worker, _master) = base.attach();
    let runs_on = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    (runs_on, worker.log())
}

#[test]
fn process_of_a_step_that_still_runs_is_killed() {
    let (runs_on, log) = fate("live-ours", ports::boot_id(), |_| {});
    assert_eq!(runs_on, !can_clean_up(), "{log}");
    if can_clean_up() {
        assert!(
            log.contains(": `make all`; killed what was left of it: sleep ("),
            "{log}"
        );
    } else {
        assert!(log.contains("so nothing was killed"), "{log}");
    }
}

#[test]
fn stranger_who_got_the_number_of_a_step_is_left_alone() {
    let earlier = |process: &mut Process| process.start = process.start.map(|start| start - 1);
    let (runs_on, log) = fate("live-stranger", ports::boot_id(), earlier);
    assert!(runs_on, "{log}");
    if can_clean_up() {
        assert!(log.contains("belongs to another program now"), "{log}");
    }
}

#[test]
fn process_is_a_stranger_after_a_restart_of_the_system_even_if_it_looks_the_same() {
    let (runs_on, log) = fate("live-boot", Some("another-boot".to_owned()), |_| {});
    assert!(runs_on, "{log}");
    if can_clean_up() {
        assert!(log.contains("the system was restarted since"), "{log}");
        assert!(log.contains("it ended with the system"), "{log}");
    }
}

#[test]
fn process_of_which_too_little_is_known_is_left_alone() {
    let unknown = |process: &mut Process| process.start = None;
    let (runs_on, log) = fate("live-unknown", ports::boot_id(), unknown);
    assert!(runs_on && log.contains("so nothing was killed"), "{log}");
    let (runs_on, log) = fate("live-no-boot", None, |_| {});
    assert!(runs_on && log.contains("so nothing was killed"), "{log}");
}

#[test]
fn journal_that_cannot_be_written_costs_a_warning_and_nothing_else() {
    let base = Base::new("live-unwritable");
    fs::create_dir_all(base.path().join(".coracle/journal/in-the-way")).unwrap();
    let (worker, mut master) = base.attach();
    master.start(0, "echo alive");
    assert!(master.wait_for_end().contains("alive"));
    let log = worker.log();
    let warnings = log.lines().filter(|line| line.contains("the journal"));
    assert_eq!(warnings.count(), 1, "{log}");
    worker.stop();
}
