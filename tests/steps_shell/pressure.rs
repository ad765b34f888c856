//! A program that says more than the master takes.

use std::time::{Duration, Instant};

use coracle::calls::{Seconds, Shell, ToStep};

use crate::driver::{Scene, sh};

/// More than the window, the batch and a read, and far less than what the programs print.
const BOUND: usize = 1 << 20;

#[test]
fn an_endless_program_that_nobody_listens_to_is_held_and_can_be_interrupted() {
    let scene = Scene::new();
    let mut step = scene.start(sh("yes yes | cat; sleep 60"));
    step.acknowledging = false;
    step.until_quiet(Duration::from_millis(700));
    assert!(step.posted < BOUND, "{} bytes", step.posted);
    let interrupted = Instant::now();
    step.interrupt();
    let report = step.finish();
    assert!(interrupted.elapsed() < Duration::from_secs(4));
    assert_eq!(report.code(), -1);
    assert!(report.stdout().len() < BOUND);
    assert!(report.header().contains("command interrupted"));
}

#[test]
fn a_terminal_that_nobody_listens_to_is_taken_away_from_a_program_that_does_not_end() {
    let scene = Scene::new();
    let shell = Shell {
        use_pty: true,
        interrupt_signal: "INT".to_owned(),
        ..sh("trap '' INT; yes; sleep 60")
    };
    let mut step = scene.start(shell);
    step.acknowledging = false;
    step.until_quiet(Duration::from_millis(700));
    step.interrupt();
    let report = step.finish();
    let header = report.header();
    assert!(header.contains("process killed by signal 1\n"), "{header}");
    assert_eq!(report.code(), -1);
}

#[test]
fn an_endless_program_that_nobody_listens_to_can_be_abandoned() {
    let scene = Scene::new();
    let mut step = scene.start(sh("yes"));
    step.acknowledging = false;
    step.until_quiet(Duration::from_millis(500));
    step.handle.send(ToStep::Abandon);
    let report = step.finish();
    assert!(!report.order().contains("code"));
}

#[test]
fn a_program_that_we_hold_back_is_not_silent_but_its_time_runs() {
    let scene = Scene::new();
    let shell = Shell {
        timeout: Some(Seconds::Float(0.3)),
        max_time: Some(Seconds::Float(1.5)),
        ..sh("yes")
    };
    let mut step = scene.start(shell);
    step.acknowledging = false;
    let report = step.finish();
    assert_eq!(report.reasons(), [coracle::calls::FailureReason::TotalTime]);
    assert_eq!(report.code(), -1);
}

#[test]
fn nothing_is_lost_when_the_master_takes_its_time() {
    let scene = Scene::new();
    let mut step = scene.start(sh("seq 1 300000; seq 1 300000 >&2"));
    step.acknowledging = false;
    step.until_quiet(Duration::from_millis(500));
    step.acknowledging = true;
    step.handle.send(ToStep::Acknowledged { cost: BOUND });
    let report = step.finish();
    let all: String = (1..=300_000).map(|number| format!("{number}\n")).collect();
    assert!(
        report.stdout() == all,
        "every line of output, once and in order"
    );
    assert!(
        report.stderr() == all,
        "every line of error output, once and in order"
    );
    assert_eq!(report.code(), 0);
}
