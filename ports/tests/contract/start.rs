//! How a process starts, and what is said if it does not.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use ports::{Containment, Exit, ProcessSpec, StartStage, StepProcess};

use crate::common::{
    Place, end, env, exit_of, output, output_of, path_only, shell, shell_in, start_words, words,
};

fn start(words: &[OsString], env: &[(OsString, OsString)], directory: &Path) -> StepProcess {
    ports::start(&ProcessSpec {
        words,
        env,
        directory,
        terminal: false,
    })
    .unwrap()
}

/// Stage and kind of the error of a start, with pipes and with a terminal.
fn refused(
    words: &[OsString],
    env: &[(OsString, OsString)],
    directory: &Path,
) -> (StartStage, ErrorKind) {
    let [piped, on_terminal] = [false, true].map(|terminal| {
        let spec = ProcessSpec {
            words,
            env,
            directory,
            terminal,
        };
        let error = ports::start(&spec).unwrap_err();
        (error.stage, error.error.kind())
    });
    assert_eq!(piped, on_terminal);
    piped
}

#[test]
fn exit_code_is_told() {
    for code in [0, 1, 7, 127, 255] {
        let mut process = shell(&format!("exit {code}"));
        assert_eq!(exit_of(&mut process), Exit::Code(code));
        end(process);
    }
}

#[test]
fn signal_that_ended_the_process_is_told() {
    for (name, number) in [("KILL", libc::SIGKILL), ("TERM", libc::SIGTERM)] {
        let mut process = shell(&format!("kill -{name} $$; sleep 600"));
        assert_eq!(exit_of(&mut process), Exit::Signal(number));
        end(process);
    }
}

#[test]
fn process_that_still_runs_has_not_exited() {
    let mut process = shell("read line; exit 4");
    assert_eq!(process.exited(), None);
    drop(process.take_stdin());
    assert_eq!(exit_of(&mut process), Exit::Code(4));
    assert_eq!(process.exited(), Some(Exit::Code(4)));
}

#[test]
fn missing_directory_is_an_error_of_the_directory() {
    let missing = Path::new("/nowhere/at/all");
    let found = refused(&words(&["/bin/sh"]), &path_only(), missing);
    assert_eq!(found, (StartStage::Directory, ErrorKind::NotFound));
}

#[test]
fn missing_program_is_an_error_of_exec() {
    for program in ["/nowhere/at/all", "no-such-program-anywhere", "./none"] {
        let found = refused(&words(&[program]), &path_only(), Path::new("/"));
        assert_eq!(found, (StartStage::Exec, ErrorKind::NotFound), "{program}");
    }
}

#[test]
fn no_program_at_all_is_an_error_of_exec() {
    for list in [&[][..], &[""]] {
        let found = refused(&words(list), &path_only(), Path::new("/"));
        assert_eq!(found, (StartStage::Exec, ErrorKind::NotFound));
    }
}

#[test]
fn file_that_nobody_may_execute_is_an_error_of_exec() {
    let place = Place::new();
    fs::write(place.at("plain"), "#!/bin/sh\n").unwrap();
    let by_path = words(&[place.at("plain").to_str().unwrap()]);
    let found = refused(&by_path, &[], Path::new("/"));
    assert_eq!(found, (StartStage::Exec, ErrorKind::PermissionDenied));
    // Found in PATH and refused is told, not "not found".
    let path = format!("{}:/bin", place.0.display());
    let found = refused(&words(&["plain"]), &env(&[("PATH", &path)]), Path::new("/"));
    assert_eq!(found, (StartStage::Exec, ErrorKind::PermissionDenied));
}

#[test]
fn script_without_interpreter_line_is_an_error_of_exec() {
    let place = Place::new();
    let script = place.program("script", "echo hello\n");
    let error = start_words(&[script.into_os_string()]).unwrap_err();
    assert_eq!(error.stage, StartStage::Exec);
    assert_eq!(error.error.raw_os_error(), Some(libc::ENOEXEC));
}

#[test]
fn nul_byte_is_an_error_of_the_arguments() {
    let sh = words(&["/bin/sh"]);
    let root = Path::new("/");
    let expected = (StartStage::Arguments, ErrorKind::InvalidInput);
    assert_eq!(refused(&words(&["/bin/sh", "a\0b"]), &[], root), expected);
    assert_eq!(refused(&words(&["/bin\0/sh"]), &[], root), expected);
    assert_eq!(refused(&sh, &env(&[("A\0", "b")]), root), expected);
    assert_eq!(refused(&sh, &env(&[("A", "b\0")]), root), expected);
    assert_eq!(refused(&sh, &[], Path::new("/\0")), expected);
}

#[test]
fn arguments_that_are_too_long_are_an_error_of_exec() {
    let long = "x".repeat(64 * 1024 * 1024);
    let error = start_words(&words(&["/bin/sh", "-c", ":", &long])).unwrap_err();
    assert_eq!(error.stage, StartStage::Exec);
    assert_eq!(error.error.raw_os_error(), Some(libc::E2BIG));
}

#[test]
fn arguments_arrive_as_they_are() {
    let odd = OsString::from_vec(b"\xff 'two\nlines' \\ $HOME".to_vec());
    let mut list = words(&["/bin/sh", "-c", "printf '%s|' \"$@\"", "name", "", "a b"]);
    list.push(odd.clone());
    let mut process = start_words(&list).unwrap();
    drop(process.take_stdin());
    let all = crate::common::read_all(&mut process.take_stdout().unwrap());
    assert_eq!(all, [b"|a b|", &odd.into_vec()[..], b"|"].concat());
}

#[test]
fn program_is_looked_up_in_the_new_path() {
    let place = Place::new();
    place.program("first/tool", "#!/bin/sh\necho first\n");
    place.program("second/tool", "#!/bin/sh\necho second\n");
    fs::create_dir(place.at("empty")).unwrap();
    let path = |names: &[&str]| {
        let full = names
            .iter()
            .map(|name| place.at(name).display().to_string());
        env(&[("PATH", &full.collect::<Vec<_>>().join(":"))])
    };
    let run = |env: &[_]| output(&mut start(&words(&["tool"]), env, Path::new("/")));
    assert_eq!(run(&path(&["first", "second"])), "first\n");
    assert_eq!(
        run(&path(&["nowhere", "empty", "second", "first"])),
        "second\n"
    );
    // What is there but cannot be executed is passed over.
    fs::write(place.at("empty/tool"), "").unwrap();
    assert_eq!(run(&path(&["empty", "first"])), "first\n");
    // A file in the place of a directory, too.
    assert_eq!(run(&path(&["empty/tool", "second"])), "second\n");
}

#[test]
fn empty_entry_of_path_is_the_working_directory() {
    let place = Place::new();
    place.program("tool", "#!/bin/sh\necho here\n");
    for path in ["", ":/nowhere", "/nowhere:", "/nowhere::/nowhere"] {
        let mut process = start(&words(&["tool"]), &env(&[("PATH", path)]), &place.0);
        assert_eq!(output(&mut process), "here\n", "PATH={path}");
    }
}

#[test]
fn without_path_the_usual_places_are_searched() {
    let mut process = start(&words(&["sh", "-c", "echo found"]), &[], Path::new("/"));
    assert_eq!(output(&mut process), "found\n");
}

#[test]
fn environment_is_exactly_the_given_one() {
    let mut given = env(&[("PATH", "/bin:/usr/bin"), ("EMPTY", ""), ("WITH", "a=b c")]);
    given.push((
        OsString::from("ODD"),
        OsString::from_vec(b"\xfe\xff".to_vec()),
    ));
    let mut process = start(&words(&["env"]), &given, Path::new("/"));
    drop(process.take_stdin());
    let all = crate::common::read_all(&mut process.take_stdout().unwrap());
    let mut lines: Vec<&[u8]> = all.split(|byte| *byte == b'\n').collect();
    lines.sort_unstable();
    // And the one by which the step is found again.
    let is_mark = |line: &&[u8]| line.starts_with(b"CORACLE_STEP_");
    let marks = lines.iter().copied().filter(is_mark).count();
    match ports::containment() {
        Containment::Everything => assert_eq!(marks, 0),
        Containment::Environment => assert_eq!(marks, 1),
        Containment::ProcessGroup => assert!(marks <= 1),
    }
    lines.retain(|line| !is_mark(line));
    let expected: [&[u8]; 5] = [
        b"",
        b"EMPTY=",
        b"ODD=\xfe\xff",
        b"PATH=/bin:/usr/bin",
        b"WITH=a=b c",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn process_runs_in_its_directory() {
    let place = Place::new();
    fs::write(place.at("mark"), "it is here\n").unwrap();
    for terminal in [false, true] {
        let mut process = shell_in(&place.0, "cat mark", terminal);
        assert_eq!(output(&mut process).trim_end(), "it is here");
    }
}

#[test]
fn text_runs_in_the_shell() {
    let mut process = start_words(&ports::shell_words("echo $((6 * 7)); exit 5")).unwrap();
    assert_eq!(output(&mut process), "42\n");
    assert_eq!(exit_of(&mut process), Exit::Code(5));
}

#[test]
fn number_is_that_of_the_process() {
    let mut process = shell("echo $$");
    let id = process.id();
    assert_eq!(output(&mut process).trim(), id.to_string());
}

#[test]
fn many_arguments_arrive() {
    let mut list = words(&["/bin/sh", "-c", "echo $#", "name"]);
    list.extend((0..5000).map(|number| OsString::from(number.to_string())));
    let mut process = start_words(&list).unwrap();
    assert_eq!(output(&mut process), "5000\n");
    assert_eq!(output_of("echo $#"), "0\n");
}

#[test]
fn threads_may_start_steps_at_the_same_time() {
    let starters: Vec<_> = (0..4)
        .map(|thread| {
            std::thread::spawn(move || {
                for round in 0..25 {
                    // If another step inherited our writing end, cat would never end.
                    let mut process = shell("cat; exit 9");
                    let text = format!("{thread} {round}");
                    let mut stdin = process.take_stdin().unwrap();
                    assert_eq!(stdin.write(text.as_bytes()).unwrap(), text.len());
                    drop(stdin);
                    assert_eq!(output(&mut process), text);
                    assert_eq!(exit_of(&mut process), Exit::Code(9));
                    assert_eq!(end(process).killed, []);
                }
            })
        })
        .collect();
    for starter in starters {
        starter.join().unwrap();
    }
}
