//! Standard input, output and error.

use std::time::{Duration, Instant};

use coracle::calls::{Shell, Update};

use crate::driver::{Scene, sh, words};

fn pty(text: &str) -> Shell {
    Shell {
        use_pty: true,
        ..sh(text)
    }
}

#[test]
fn output_is_decoded_and_cut_into_lines() {
    let scene = Scene::new();
    let script = r"printf 'a\rb\r\nc\n'; printf 'x\033[uy\033[2Jz\033[3;4Hq\b\b\bw\n';
        printf '\377\376 caf\303\251\n'; head -c 5000 /dev/zero | tr '\0' L; echo; printf partial";
    let report = scene.run(sh(script));
    let long = format!("{}\n{}\n", "L".repeat(4095), "L".repeat(905));
    let start = "a\nb\nc\nx\ny\nz\nq\nw\n\u{FFFD}\u{FFFD} café\n";
    assert_eq!(report.stdout(), format!("{start}{long}partial\n"));
    // As recorded: text without a newline comes last.
    assert!(
        report.order().ends_with("code header elapsed stdout"),
        "{}",
        report.order()
    );
}

#[test]
fn a_character_that_is_never_finished_is_shown() {
    let scene = Scene::new();
    let report = scene.run(sh(r"printf 'a\303'"));
    assert_eq!(report.stdout(), "a\u{FFFD}\n");
}

#[test]
fn output_and_error_output_are_told_apart() {
    let scene = Scene::new();
    let report = scene.run(sh("echo out; echo err >&2"));
    assert_eq!(
        (report.stdout().as_str(), report.stderr().as_str()),
        ("out\n", "err\n")
    );
}

#[test]
fn a_stream_that_is_not_wanted_is_read_and_not_told() {
    let scene = Scene::new();
    let script = "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero; echo done";
    let shell = Shell {
        want_stderr: false,
        max_lines: Some(5),
        ..sh(&format!("seq 100000 >&2; {script}"))
    };
    let report = scene.run(shell);
    assert_eq!(report.stderr(), "");
    assert!(report.stdout().ends_with("done\n"));
    assert_eq!(report.code(), 0);
    let shell = Shell {
        want_stdout: false,
        ..sh("echo out; echo err >&2")
    };
    let report = scene.run(shell);
    assert_eq!(
        (report.stdout().as_str(), report.stderr().as_str()),
        ("", "err\n")
    );
}

#[test]
fn standard_input_is_at_its_end_at_once() {
    let scene = Scene::new();
    let report = scene.run(sh("cat; echo end"));
    assert_eq!(report.stdout(), "end\n");
}

#[test]
fn input_is_written_while_output_is_read() {
    let scene = Scene::new();
    let line = format!("{}é\n", "x".repeat(100));
    let text = line.repeat(20_000);
    let shell = Shell {
        initial_stdin: Some(text.clone()),
        ..words(&["cat"])
    };
    let report = scene.run(shell);
    assert!(report.stdout() == text, "what comes out is what went in");
    assert!(
        report
            .header()
            .contains(&format!(" writing {} bytes to stdin\n", text.len()))
    );
    assert_eq!(report.code(), 0);
}

#[test]
fn a_program_need_not_read_its_input() {
    let scene = Scene::new();
    let shell = Shell {
        initial_stdin: Some("x".repeat(1 << 20)),
        ..sh("exec <&-; echo done")
    };
    let report = scene.run(shell);
    assert_eq!((report.stdout().as_str(), report.code()), ("done\n", 0));
}

#[test]
fn a_terminal_is_a_terminal_and_its_line_ends_are_undone() {
    let scene = Scene::new();
    let report = scene.run(pty("tty >/dev/null && echo yes; echo err >&2; printf rest"));
    assert_eq!(report.stdout(), "yes\nerr\nrest\n");
    assert_eq!(report.stderr(), "");
    assert_eq!(report.code(), 0);
    assert!(report.header().contains(" using PTY: True\n"));
}

#[test]
fn reading_from_a_terminal_waits() {
    let scene = Scene::new();
    let mut step = scene.start(pty("echo ask; read answer; echo $?"));
    step.until("ask\n");
    step.until_quiet(Duration::from_millis(300));
    step.interrupt();
    let report = step.finish();
    assert_eq!(report.stdout(), "ask\n");
    assert_eq!(report.code(), -1);
}

#[test]
fn a_program_with_input_gets_no_terminal() {
    let scene = Scene::new();
    for input in ["text", ""] {
        let shell = Shell {
            initial_stdin: Some(input.to_owned()),
            ..pty("test -t 1; echo $?")
        };
        let report = scene.run(shell);
        assert_eq!(report.stdout(), "1\n");
        let header = report.header();
        let start = "WARNING: disabling usePTY for this commandtest -t 1; echo $?\n in dir ";
        assert!(header.starts_with(start), "{header}");
        assert!(header.contains(" using PTY: False\n"));
    }
}

#[test]
fn the_first_output_is_not_held_back() {
    let scene = Scene::new();
    let mut step = scene.start(sh("echo first; sleep 0.6; echo second; sleep 60"));
    let started = Instant::now();
    step.until("first\n");
    step.until("second\n");
    assert!(started.elapsed() < Duration::from_millis(2500));
    step.interrupt();
    step.finish();
}

#[test]
fn lines_have_the_times_at_which_they_came() {
    let mut scene = Scene::new();
    scene.context.output.line_times = true;
    let report = scene.run(sh("echo a; sleep 0.5; echo b"));
    let times: Vec<f64> = report
        .updates
        .iter()
        .flat_map(|update| match update {
            Update::Stdout(lines) => lines.times.clone(),
            _ => Vec::new(),
        })
        .collect();
    assert_eq!(times.len(), 2);
    assert!(times[1] - times[0] > 0.4, "{times:?}");
}
