//! From the arguments to the running program, or to the reason why it does not run.

use coracle::calls::{CommandLine, EnvValue, Place, Seconds, Shell, Word};

use crate::driver::{Scene, sh, words};

fn env(changes: &[(&str, EnvValue)]) -> Vec<(String, EnvValue)> {
    changes
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

fn text(text: &str) -> EnvValue {
    EnvValue::Text(text.to_owned())
}

fn at(components: &[&str]) -> Place {
    Place {
        components: components.iter().map(|&c| c.to_owned()).collect(),
        tilde: false,
    }
}

#[test]
fn a_step_reports_header_output_exit_code_and_time_in_this_order() {
    let scene = Scene::new();
    let report = scene.run(sh("echo out; exit 3"));
    assert_eq!(report.result, Ok(()));
    assert_eq!(report.order(), "header stdout code header elapsed");
    assert_eq!(report.stdout(), "out\n");
    assert_eq!(report.code(), 3);
    let workdir = scene.workdir().display().to_string();
    let header = report.header();
    let (start, end) = header.split_at(header.find("elapsedTime=").unwrap());
    let expected = format!(
        "echo out; exit 3\n in dir {workdir}\n watching logfiles {{}}\n \
         argv: b'echo out; exit 3'\n using PTY: False\n"
    );
    assert_eq!(start, expected);
    let seconds = end
        .strip_prefix("elapsedTime=")
        .unwrap()
        .strip_suffix('\n')
        .unwrap();
    assert_eq!(seconds.split_once('.').unwrap().1.len(), 6);
    assert!(seconds.parse::<f64>().unwrap() < 30.0);
}

#[test]
fn the_work_directory_is_made_with_its_parents_and_shown_as_it_was_put_together() {
    let scene = Scene::new();
    let shell = Shell {
        workdir: at(&["a/b", "../c"]),
        ..sh("pwd; echo $PWD")
    };
    let report = scene.run(shell);
    let real = scene.context.builder_dir.join("a/c");
    assert_eq!(report.stdout(), format!("{0}\n{0}\n", real.display()));
    let shown = scene.context.builder_dir.join("a/b/../c");
    assert!(
        report
            .header()
            .contains(&format!(" in dir {}\n", shown.display()))
    );
}

#[test]
fn a_work_directory_that_cannot_be_made_is_a_failure() {
    let scene = Scene::new();
    scene.write("file", "");
    let shell = Shell {
        workdir: at(&["build", "file", "below"]),
        ..sh("true")
    };
    let report = scene.run(shell);
    let failure = report.result.clone().unwrap_err();
    let path = scene.workdir().join("file/below");
    let message = format!(
        "cannot make work directory {}: Not a directory",
        path.display()
    );
    assert_eq!(failure.message, message);
    assert_eq!(report.order(), "elapsed");
}

#[test]
fn a_work_directory_that_is_a_file_or_has_a_nul_byte_never_ends_in_a_panic() {
    let scene = Scene::new();
    scene.write("file", "");
    let shell = Shell {
        workdir: at(&["build", "file"]),
        ..words(&["true"])
    };
    let report = scene.run(shell);
    assert_eq!(report.code(), 1);
    let path = scene.workdir().join("file");
    let line = format!(
        "cannot start true: entering {}: Not a directory\n",
        path.display()
    );
    assert_eq!(report.stderr(), line);
    let shell = Shell {
        workdir: at(&["a\0b"]),
        ..sh("true")
    };
    let failure = scene.run(shell).result.unwrap_err();
    assert!(
        failure.message.starts_with("cannot make work directory"),
        "{failure:?}"
    );
}

#[test]
fn a_program_that_is_not_there_is_exit_code_1_and_one_line() {
    let scene = Scene::new();
    for program in ["/nonexistent/program", "nonexistent-program"] {
        let report = scene.run(words(&[program, "arg"]));
        assert_eq!(report.result, Ok(()));
        assert_eq!(report.order(), "header stderr code header elapsed");
        assert_eq!(report.code(), 1);
        let line = format!("cannot start {program}: No such file or directory\n");
        assert_eq!(report.stderr(), line);
    }
}

#[test]
fn a_file_that_is_no_program_is_exit_code_1() {
    let scene = Scene::new();
    scene.write("data", "data");
    let report = scene.run(words(&["./data"]));
    assert_eq!(report.code(), 1);
    assert_eq!(report.stderr(), "cannot start ./data: Permission denied\n");
}

#[test]
fn what_no_system_can_be_given_is_exit_code_1() {
    let scene = Scene::new();
    let nul = "its words, environment or directory contain a NUL byte";
    let name = |name: &str| Shell {
        env: env(&[(name, text("x"))]),
        ..words(&["true"])
    };
    for (shell, why) in [
        (
            words(&["true", "a\0b"]),
            format!("cannot start true: {nul}\n"),
        ),
        (name("a\0b"), format!("cannot start true: {nul}\n")),
        (
            name("a=b"),
            "cannot start true: no environment can have a variable named 'a=b'\n".to_owned(),
        ),
        (
            name(""),
            "cannot start true: no environment can have a variable named ''\n".to_owned(),
        ),
        (
            words(&[]),
            "cannot start the command: it is empty\n".to_owned(),
        ),
        (
            words(&[""]),
            "cannot start : No such file or directory\n".to_owned(),
        ),
    ] {
        let report = scene.run(shell);
        assert_eq!(report.stderr(), why);
        assert_eq!((report.code(), &report.result), (1, &Ok(())));
    }
}

#[test]
fn an_environment_of_the_wrong_type_is_a_failure_without_header() {
    let scene = Scene::new();
    let shell = Shell {
        env: env(&[("A", EnvValue::NotText)]),
        ..sh("true")
    };
    let report = scene.run(shell);
    assert_eq!(report.order(), "elapsed");
    let message = "'env' values must be strings or lists; key 'A' is incorrect";
    assert_eq!(report.result.unwrap_err().message, message);
}

#[test]
fn the_program_gets_the_environment_that_the_header_shows() {
    let mut scene = Scene::new();
    let own = [
        ("HOME", "/home/builder"),
        ("PATH", "/usr/bin:/bin"),
        ("LANG", "C.UTF-8"),
    ];
    scene.context.environment = own
        .map(|(name, value)| (name.into(), value.into()))
        .to_vec();
    let list = EnvValue::List(vec!["/p1".to_owned(), "/p2".to_owned()]);
    let shell = Shell {
        env: env(&[
            ("A", text("x${HOME}y${NOPE}")),
            ("B", list),
            ("LANG", EnvValue::Remove),
            ("PYTHONPATH", text("/pp")),
        ]),
        log_environ: true,
        ..words(&["env"])
    };
    let report = scene.run(shell);
    let workdir = scene.workdir().display().to_string();
    let variables = [
        "A=x/home/buildery",
        "B=/p1:/p2",
        "HOME=/home/builder",
        "PATH=/usr/bin:/bin",
        &format!("PWD={workdir}"),
        "PYTHONPATH=/pp:",
    ];
    let shown: String = variables
        .iter()
        .map(|variable| format!("  {variable}\n"))
        .collect();
    assert!(
        report
            .header()
            .contains(&format!(" environment:\n{shown} using"))
    );
    let stdout = report.stdout();
    let mut got: Vec<&str> = stdout.lines().collect();
    got.sort_unstable();
    assert_eq!(got, variables);
}

#[test]
fn programs_are_looked_up_in_the_path_of_the_step() {
    let scene = Scene::new();
    let directory = scene.base().join("bin");
    std::fs::create_dir(&directory).unwrap();
    let program = directory.join("only-here");
    std::fs::write(&program, "#!/bin/sh\necho found\n").unwrap();
    ports::set_mode(&program, 0o755).unwrap();
    let path = format!("{}:${{PATH}}", directory.display());
    let shell = Shell {
        env: env(&[("PATH", text(&path))]),
        ..words(&["only-here"])
    };
    assert_eq!(scene.run(shell).stdout(), "found\n");
}

#[test]
fn secrets_are_executed_but_not_shown() {
    let scene = Scene::new();
    let word = |real: &str, shown: Option<&str>| Word {
        real: real.to_owned(),
        shown: shown.map(str::to_owned),
    };
    let command = vec![
        word("sh", None),
        word("-c", None),
        word("test ${#1} -eq 7; echo $?; sleep 60", None),
        word("sh", None),
        word("hunter2", Some("XXXX")),
    ];
    let shell = Shell {
        command: CommandLine::Words(command),
        timeout: Some(Seconds::Float(0.3)),
        ..sh("")
    };
    let report = scene.run(shell);
    assert_eq!(report.stdout(), "0\n");
    assert_eq!(
        report.header().matches("XXXX").count(),
        3,
        "{}",
        report.header()
    );
    assert!(!format!("{report:?}").contains("hunter2"));
    let shell = Shell {
        command: CommandLine::Words(vec![word("/hunter2", Some("XXXX"))]),
        ..sh("")
    };
    let report = scene.run(shell);
    assert_eq!(
        report.stderr(),
        "cannot start XXXX: No such file or directory\n"
    );
    assert!(!format!("{report:?}").contains("hunter2"));
}

#[test]
fn an_interrupt_before_the_start_prevents_it() {
    let scene = Scene::new();
    let step = {
        let (handle, inbox) = coracle::steps::mailbox().unwrap();
        let reason = "early".to_owned();
        handle.send(coracle::calls::ToStep::Interrupt { reason });
        scene.start_with(sh("echo ran > ran"), handle, inbox)
    };
    let report = step.finish();
    assert_eq!(report.result, Ok(()));
    assert_eq!(report.code(), -1);
    assert!(
        report
            .header()
            .contains("\ncommand interrupted before it started\n")
    );
    assert!(!report.tells_elapsed());
    assert!(!scene.workdir().join("ran").exists());
}
