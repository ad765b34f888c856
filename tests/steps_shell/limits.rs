//! Limits on silence, time and lines.

use coracle::calls::{FailureReason, Seconds, Shell};

use crate::driver::{Scene, sh};

#[test]
fn a_silent_program_is_killed() {
    let scene = Scene::new();
    let shell = Shell {
        timeout: Some(Seconds::Float(0.3)),
        ..sh("echo start; sleep 60")
    };
    let report = scene.run(shell);
    assert_eq!(
        report.order(),
        "header stdout reason header code header elapsed"
    );
    assert_eq!(report.stdout(), "start\n");
    assert_eq!(report.reasons(), [FailureReason::Silence]);
    assert_eq!(report.code(), -1);
    let text = "\ncommand timed out: 0.3 seconds without output running b'echo start; sleep 60', \
                attempting to kill\nprocess killed by signal 9\nelapsedTime=";
    assert!(report.header().contains(text), "{}", report.header());
}

#[test]
fn output_without_newline_or_audience_is_no_silence() {
    let scene = Scene::new();
    let script = "for i in 1 2 3 4 5 6; do printf .; sleep 0.2; done";
    for want_stdout in [true, false] {
        let shell = Shell {
            timeout: Some(Seconds::Float(0.7)),
            want_stdout,
            ..sh(script)
        };
        assert_eq!(scene.run(shell).code(), 0);
    }
}

#[test]
fn a_program_that_runs_too_long_is_killed_though_it_speaks() {
    let scene = Scene::new();
    let shell = Shell {
        max_time: Some(Seconds::Float(0.5)),
        timeout: Some(Seconds::Int(20)),
        ..sh("while :; do echo tick; sleep 0.05; done")
    };
    let report = scene.run(shell);
    assert_eq!(report.reasons(), [FailureReason::TotalTime]);
    assert_eq!(report.code(), -1);
    assert!(
        report
            .header()
            .contains("command timed out: 0.5 seconds elapsed running b'while")
    );
    assert!(report.tells_elapsed());
}

#[test]
fn a_program_asked_to_end_may_end_by_itself() {
    let scene = Scene::new();
    let shell = Shell {
        max_time: Some(Seconds::Float(0.5)),
        sigterm_time: Some(Seconds::Int(20)),
        ..sh("trap 'echo got TERM; exit 7' TERM; echo start; sleep 60 & wait")
    };
    let report = scene.run(shell);
    assert_eq!(report.stdout(), "start\ngot TERM\n");
    assert_eq!(report.code(), 7);
    assert_eq!(report.reasons(), [FailureReason::TotalTime]);
}

#[test]
fn a_killed_program_that_claims_success_has_failed() {
    let scene = Scene::new();
    let shell = Shell {
        max_time: Some(Seconds::Float(0.3)),
        sigterm_time: Some(Seconds::Int(20)),
        ..sh("trap 'exit 0' TERM; sleep 60 & wait")
    };
    let report = scene.run(shell);
    assert_eq!(report.code(), -1);
    assert!(!report.header().contains("killed by signal"));
}

#[test]
fn too_many_lines_end_the_program_and_the_last_of_them_is_shown() {
    let scene = Scene::new();
    let script = "i=0; while [ $i -lt 50 ]; do echo line $i; i=$((i+1)); done; sleep 60";
    let shell = Shell {
        max_lines: Some(5),
        ..sh(script)
    };
    let report = scene.run(shell);
    assert_eq!(report.reasons(), [FailureReason::MaxLines]);
    assert_eq!(report.code(), -1);
    assert!(report.stdout().contains("line 5\n"));
    let header = report.header();
    let (_, told) = header.split_once("\ncommand exceeds max lines: ").unwrap();
    let count = told
        .split_once("/5 written/allowed running b'i=0;")
        .unwrap()
        .0;
    assert_eq!(
        count.parse::<usize>().unwrap(),
        report.stdout().lines().count()
    );
    let order = report.order();
    assert!(
        order.contains("reason header stdout header code"),
        "{order}"
    );
}

#[test]
fn a_limit_of_no_lines_is_a_limit() {
    let scene = Scene::new();
    let none = |text: &str| Shell {
        max_lines: Some(0),
        ..sh(text)
    };
    assert_eq!(scene.run(none("printf silence")).code(), 0);
    let report = scene.run(none("echo one >&2; sleep 60"));
    assert_eq!((report.code(), report.stderr().as_str()), (-1, "one\n"));
}

#[test]
fn exactly_the_allowed_lines_are_allowed() {
    let scene = Scene::new();
    let shell = Shell {
        max_lines: Some(4),
        ..sh(r"printf 'a\r\nb\rc\n'; echo d >&2")
    };
    let report = scene.run(shell);
    assert_eq!((report.code(), report.reasons()), (0, Vec::new()));
}

#[test]
fn limits_that_are_no_sensible_numbers_do_no_harm() {
    let scene = Scene::new();
    for limit in [
        Seconds::Float(f64::INFINITY),
        Seconds::Float(f64::NAN),
        Seconds::Int(i64::MAX),
    ] {
        let shell = Shell {
            timeout: Some(limit),
            max_time: Some(limit),
            sigterm_time: Some(limit),
            ..sh("echo fine")
        };
        assert_eq!(scene.run(shell).stdout(), "fine\n");
    }
    let shell = Shell {
        timeout: Some(Seconds::Int(-5)),
        ..sh("sleep 60")
    };
    assert_eq!(scene.run(shell).reasons(), [FailureReason::Silence]);
}
