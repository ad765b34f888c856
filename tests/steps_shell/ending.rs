//! Interrupts, signals, and the end in general.

use std::time::{Duration, Instant};

use coracle::calls::{Command, Seconds, Shell, StepEvent, ToStep, Update};
use coracle::steps;

use crate::driver::{Scene, is_alive, sh};

#[test]
fn an_interrupted_program_is_killed_and_does_not_tell_how_long_it_took() {
    let scene = Scene::new();
    let mut step = scene.start(sh("echo start; sleep 60"));
    step.until("start\n");
    step.interrupt();
    let report = step.finish();
    assert_eq!(report.result, Ok(()));
    assert_eq!(report.order(), "header stdout header code header");
    assert_eq!(report.code(), -1);
    assert_eq!(report.reasons(), []);
    let text =
        "\ncommand interrupted, attempting to kill\nprocess killed by signal 9\nelapsedTime=";
    assert!(report.header().contains(text), "{}", report.header());
}

#[test]
fn a_program_on_a_terminal_can_be_interrupted() {
    let scene = Scene::new();
    let shell = Shell {
        use_pty: true,
        ..sh("trap '' HUP; echo start; sleep 60 & wait")
    };
    let mut step = scene.start(shell);
    step.until("start\n");
    step.interrupt();
    let report = step.finish();
    assert_eq!((report.stdout().as_str(), report.code()), ("start\n", -1));
}

#[test]
fn the_whole_group_is_signalled_both_times() {
    let scene = Scene::new();
    let script = "trap 'exit 5' TERM; \
        sh -c 'trap \"\" TERM; echo child $$; sleep 60; sleep 60' & \
        echo $! > pid; sleep 0.2; echo ready; wait; wait";
    let shell = Shell {
        sigterm_time: Some(Seconds::Float(0.4)),
        ..sh(script)
    };
    let mut step = scene.start(shell);
    step.until("ready\n");
    step.interrupt();
    let report = step.finish();
    assert_eq!(report.code(), 5);
    let pid = std::fs::read_to_string(scene.workdir().join("pid")).unwrap();
    assert!(!is_alive(pid.trim()));
}

#[test]
fn a_program_that_ignores_the_first_signal_gets_the_second() {
    let scene = Scene::new();
    let shell = Shell {
        sigterm_time: Some(Seconds::Float(0.2)),
        ..sh("trap '' TERM; echo ready; while :; do sleep 0.1; done")
    };
    let mut step = scene.start(shell);
    step.until("ready\n");
    step.interrupt();
    let report = step.finish();
    assert_eq!(report.code(), -1);
    assert!(report.header().contains("process killed by signal 9\n"));
}

#[test]
fn a_second_interrupt_leaves_no_time_to_obey() {
    let scene = Scene::new();
    let shell = Shell {
        sigterm_time: Some(Seconds::Int(1000)),
        ..sh("trap 'echo deaf' TERM; echo ready; while :; do sleep 0.1; done")
    };
    let mut step = scene.start(shell);
    step.until("ready\n");
    step.interrupt();
    step.until("deaf\n");
    step.interrupt();
    step.interrupt();
    let report = step.finish();
    assert_eq!(report.code(), -1);
    assert_eq!(report.header().matches("command interrupted").count(), 1);
}

#[test]
fn the_signal_that_the_master_names_is_sent() {
    let scene = Scene::new();
    let shell = Shell {
        interrupt_signal: "INT".to_owned(),
        ..sh("trap 'echo got INT; exit 4' INT; echo ready; while :; do sleep 0.1; done")
    };
    let mut step = scene.start(shell);
    step.until("ready\n");
    step.interrupt();
    let report = step.finish();
    assert_eq!(
        (report.stdout().as_str(), report.code()),
        ("ready\ngot INT\n", 4)
    );
}

#[test]
fn a_signal_that_no_system_has_counts_as_kill() {
    let scene = Scene::new();
    let shell = Shell {
        interrupt_signal: "NOPE".to_owned(),
        ..sh("echo ready; sleep 60")
    };
    let mut step = scene.start(shell);
    step.until("ready\n");
    step.interrupt();
    let report = step.finish();
    assert!(report.header().contains("process killed by signal 9\n"));
}

#[test]
fn a_program_that_ignores_the_last_signal_ends_in_a_failure_after_five_seconds() {
    let scene = Scene::new();
    let shell = Shell {
        interrupt_signal: "INT".to_owned(),
        ..sh("trap '' INT; echo $$ > pid; echo ready; while :; do sleep 0.1; done")
    };
    let mut step = scene.start(shell);
    step.until("ready\n");
    let interrupted = Instant::now();
    step.interrupt();
    let report = step.finish();
    assert!(interrupted.elapsed() >= Duration::from_secs(5));
    let text = "SIGINT failed to kill process";
    assert!(
        report
            .header()
            .ends_with(&format!("{text}\nusing fake rc=-1\n")),
        "{report:?}"
    );
    assert_eq!(report.code(), -1);
    assert_eq!(report.result.unwrap_err().message, text);
    let pid = std::fs::read_to_string(scene.workdir().join("pid")).unwrap();
    assert!(!is_alive(pid.trim()), "it is gone all the same");
}

#[test]
fn a_program_that_a_signal_ends_says_which() {
    let scene = Scene::new();
    let report = scene.run(sh("kill -TERM $$"));
    assert_eq!(report.code(), -1);
    assert!(
        report
            .header()
            .contains("process killed by signal 15\nelapsedTime=")
    );
    assert_eq!(report.order(), "header code header elapsed");
}

#[test]
fn an_abandoned_step_ends_at_once_and_says_nothing() {
    let scene = Scene::new();
    let script = "trap '' TERM; echo $$ > pid; echo ready; while :; do sleep 0.1; done";
    let mut step = scene.start(sh(script));
    step.until("ready\n");
    step.handle.send(ToStep::Abandon);
    let report = step.finish();
    assert_eq!(report.order(), "header stdout");
    assert_eq!(report.result, Ok(()));
    let pid = std::fs::read_to_string(scene.workdir().join("pid")).unwrap();
    assert!(!is_alive(pid.trim()));
}

#[test]
fn a_step_whose_worker_is_gone_is_abandoned() {
    let scene = Scene::new();
    let mut step = scene.start(sh("echo ready; sleep 60"));
    step.until("ready\n");
    let (other, _inbox) = coracle::steps::mailbox().unwrap();
    drop(std::mem::replace(&mut step.handle, other));
    assert_eq!(step.finish().order(), "header stdout");
}

#[test]
fn a_defect_ends_the_step_with_a_failure_and_the_program_with_it() {
    let scene = Scene::new();
    let (_handle, inbox) = steps::mailbox().unwrap();
    let (sender, ends) = std::sync::mpsc::channel();
    let post: steps::Post = Box::new(move |event| match event {
        StepEvent::Updates { updates, .. }
            if updates
                .iter()
                .any(|update| matches!(update, Update::Stdout(_))) =>
        {
            panic!("a defect of the test's own")
        }
        StepEvent::Updates { .. } | StepEvent::Transfer { .. } => {}
        StepEvent::Complete(result) => sender.send(result).unwrap(),
    });
    let shell = sh("echo $$ > pid; echo ready; sleep 60");
    steps::run(
        Command::Shell(Box::new(shell)),
        scene.context.clone(),
        inbox,
        post,
    );
    let results: Vec<_> = ends.try_iter().collect();
    assert_eq!(results.len(), 1);
    let failure = results[0].as_ref().unwrap_err();
    assert!(
        failure.message.contains("a defect of the test's own"),
        "{failure:?}"
    );
    let pid = std::fs::read_to_string(scene.workdir().join("pid")).unwrap();
    assert!(!is_alive(pid.trim()));
}
