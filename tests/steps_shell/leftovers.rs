//! What a program leaves behind.

use std::time::{Duration, Instant};

use coracle::calls::Shell;

use crate::driver::{Report, Scene, is_alive, sh};

fn left_pid(scene: &Scene) -> String {
    let pid = std::fs::read_to_string(scene.workdir().join("pid")).unwrap();
    pid.trim().to_owned()
}

fn left_running(report: &Report) -> String {
    let header = report.header();
    let line = header.lines().find(|line| line.starts_with("killed "));
    line.unwrap_or_else(|| panic!("{header}")).to_owned()
}

#[test]
fn a_daemon_is_killed_and_named_when_the_step_is_over() {
    let scene = Scene::new();
    let report = scene.run(sh(
        "sleep 61 >/dev/null 2>&1 & echo $! > pid; echo done; exit 6",
    ));
    let pid = left_pid(&scene);
    assert!(!is_alive(&pid));
    assert_eq!((report.stdout().as_str(), report.code()), ("done\n", 6));
    let line = left_running(&report);
    assert_eq!(
        line,
        format!("killed 1 process that the step left running: sleep ({pid})")
    );
}

#[test]
fn a_daemon_in_a_session_of_its_own_is_found_too() {
    let scene = Scene::new();
    let script = "setsid sh -c 'echo $$ > pid; exec sleep 61' >/dev/null 2>&1 & \
        while ! test -s pid; do sleep 0.05; done";
    let report = scene.run(sh(script));
    assert!(!is_alive(&left_pid(&scene)));
    assert!(left_running(&report).contains("sleep ("));
    assert_eq!(report.code(), 0);
}

#[test]
fn output_that_a_daemon_keeps_open_is_closed_after_five_silent_seconds() {
    let scene = Scene::new();
    let started = Instant::now();
    let report = scene.run(sh("sleep 61 & echo $! > pid; echo done; exit 6"));
    let took = started.elapsed();
    assert!(
        took >= Duration::from_secs(5) && took < Duration::from_secs(15),
        "{took:?}"
    );
    let pid = left_pid(&scene);
    assert!(!is_alive(&pid));
    assert_eq!((report.stdout().as_str(), report.code()), ("done\n", 6));
    let what = "killed 1 process that the step left running and that kept its output open";
    assert_eq!(left_running(&report), format!("{what}: sleep ({pid})"));
    assert_eq!(report.reasons(), []);
}

#[test]
fn what_a_child_still_prints_after_the_end_of_the_program_is_shown() {
    let scene = Scene::new();
    let report = scene.run(sh("(sleep 0.5; echo late) & echo early; exit 2"));
    assert_eq!(
        (report.stdout().as_str(), report.code()),
        ("early\nlate\n", 2)
    );
    assert!(!report.header().contains("killed"));
}

#[test]
fn an_interrupt_does_not_wait_for_a_daemon() {
    let scene = Scene::new();
    let mut step = scene.start(sh("sleep 61 & echo $! > pid; echo done"));
    step.until("done\n");
    step.until_quiet(Duration::from_millis(300));
    let interrupted = Instant::now();
    step.interrupt();
    let report = step.finish();
    assert!(interrupted.elapsed() < Duration::from_secs(3));
    assert_eq!(report.code(), -1, "what was killed has not succeeded");
    assert!(!is_alive(&left_pid(&scene)));
}

#[test]
fn a_program_that_closes_its_output_is_waited_for() {
    let scene = Scene::new();
    let report = scene.run(sh("exec >&- 2>&-; sleep 0.3; exit 9"));
    assert_eq!(report.code(), 9);
}

#[test]
fn a_terminal_is_closed_with_its_program() {
    let scene = Scene::new();
    let shell = Shell {
        use_pty: true,
        ..sh("trap '' HUP; sleep 61 & echo $! > pid; echo done; exit 8")
    };
    let report = scene.run(shell);
    assert_eq!((report.stdout().as_str(), report.code()), ("done\n", 8));
    assert!(!is_alive(&left_pid(&scene)));
}
