//! The command itself: what it installs where, what it refuses, what it says of a running worker.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::scratch::Scratch;
use super::{SYSTEMS, base_directory, coracle, stderr, stdout, write_program};

/// The words that install for a directory on another host.
fn install_words<'a>(system: &'a str, top: &'a str, basedir: &'a str) -> Vec<&'a str> {
    let mut words = vec![
        "service",
        "--for",
        system,
        "--name",
        "one",
        "--program",
        "/opt/coracle",
    ];
    words.extend(["--destdir", top]);
    if system != "haiku" {
        words.extend(["--user", "daemon"]);
    }
    words.push(basedir);
    words
}

#[test]
fn files_go_where_their_system_looks_for_them() {
    for (system, file) in SYSTEMS {
        let scratch = Scratch::new("install");
        let top = scratch.path().to_str().unwrap();
        let output = coracle(&install_words(system, top, "/srv/w"));
        assert!(output.status.success(), "{}", stderr(&output));
        let path = scratch.path().join(file);
        assert!(stdout(&output).starts_with(&format!("wrote {}\n", path.display())));
        let text = fs::read_to_string(&path).unwrap();
        let mode = ports::stat(&path, false).unwrap().mode & 0o7777;
        assert_eq!(
            mode,
            if text.starts_with("#!") { 0o755 } else { 0o644 },
            "{system}"
        );
        let again = coracle(&install_words(system, top, "/srv/w"));
        assert!(stdout(&again).starts_with(&format!("{} is up to date\n", path.display())));
    }
}

#[test]
fn a_service_of_another_directory_is_not_overwritten_but_ones_own_is() {
    for (system, file) in SYSTEMS {
        let scratch = Scratch::new("other");
        let top = scratch.path().to_str().unwrap();
        assert!(
            coracle(&install_words(system, top, "/srv/w"))
                .status
                .success()
        );
        let path = scratch.path().join(file);
        let before = fs::read_to_string(&path).unwrap();
        let output = coracle(&install_words(system, top, "/srv/other/w"));
        assert_eq!(output.status.code(), Some(1), "{system}");
        assert!(
            stderr(&output).contains("another --name"),
            "{}",
            stderr(&output)
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
        let mut words = install_words(system, top, "/srv/w");
        let program = words
            .iter()
            .position(|word| *word == "/opt/coracle")
            .unwrap();
        words[program] = "/usr/bin/coracle";
        assert!(coracle(&words).status.success(), "{system}");
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .contains("/usr/bin/coracle")
        );
    }
}

#[test]
fn the_switch_of_a_service_is_written_too() {
    for (system, line) in [
        ("netbsd", "coracle_one=YES\n"),
        ("dragonfly", "coracle_one_enable=YES\n"),
    ] {
        let scratch = Scratch::new("switch");
        let top = scratch.path().to_str().unwrap();
        assert!(
            coracle(&install_words(system, top, "/srv/w"))
                .status
                .success()
        );
        let switch = scratch.path().join("etc/rc.conf.d/coracle_one");
        assert_eq!(fs::read_to_string(switch).unwrap(), line);
    }
}

#[test]
fn commands_for_a_system_that_does_not_run_are_told_and_not_run() {
    let scratch = Scratch::new("told");
    let top = scratch.path().to_str().unwrap();
    let output = coracle(&install_words("systemd", top, "/srv/w"));
    let said = stdout(&output);
    assert!(
        said.contains("to do on that system: systemctl enable coracle-one.service\n"),
        "{said}"
    );
}

#[test]
fn what_is_printed_is_what_is_installed() {
    let scratch = Scratch::new("print");
    let top = scratch.path().to_str().unwrap();
    assert!(
        coracle(&install_words("haiku", top, "/srv/w"))
            .status
            .success()
    );
    let file = scratch
        .path()
        .join("boot/system/settings/launch/coracle-one");
    let words = [
        "service",
        "--for",
        "haiku",
        "--name",
        "one",
        "--program",
        "/opt/coracle",
        "/srv/w",
    ];
    let output = coracle(&words);
    assert_eq!(stdout(&output), fs::read_to_string(file).unwrap());
}

#[test]
fn a_service_is_named_after_its_directory() {
    let scratch = Scratch::new("named");
    let top = scratch.path().to_str().unwrap();
    let name = |basedir: &str| {
        let words = [
            "service",
            "--for",
            "openbsd",
            "--user",
            "daemon",
            "--destdir",
            top,
            basedir,
        ];
        assert!(coracle(&words).status.success());
    };
    name("/srv/My-worker.1");
    name("/srv/second");
    assert!(scratch.path().join("etc/rc.d/coracle_my_worker_1").exists());
    assert!(scratch.path().join("etc/rc.d/coracle_second").exists());
}

#[test]
fn what_cannot_be_is_refused_in_one_line() {
    let scratch = Scratch::new("refused");
    let top = scratch.path().to_str().unwrap();
    let directory = base_directory(&scratch, "w");
    let cases: &[(&[&str], &str)] = &[
        (&["--for", "windows", &directory], "known are systemd"),
        (&["--for", "haiku", "relative/w"], "absolute path"),
        (
            &["--for", "haiku", "--user", "u", "/srv/w"],
            "leave out --user",
        ),
        (
            &["--for", "haiku", "--name", "a b", "/srv/w"],
            "the name \"a b\"",
        ),
        (
            &["--for", "haiku", "--program", "coracle", "/srv/w"],
            "absolute",
        ),
        (&["--for", "haiku", "/"], "--name"),
        (&["--for", "freebsd", "/srv/w"], "--user"),
        (
            &["--for", "freebsd", "--user", "a;b", "/srv/w"],
            "user name",
        ),
        (
            &[
                "--for",
                "cron",
                "--install",
                "--user",
                "no-such-user",
                &directory,
            ],
            "no user",
        ),
        (
            &[
                "--for",
                "cron",
                "--destdir",
                top,
                "--user",
                "daemon",
                "/srv/w",
            ],
            "crontab",
        ),
        (
            &["--for", "cron", "--install", "/srv/no such place"],
            "no such place",
        ),
    ];
    for (words, expected) in cases {
        let output = coracle(&[&["service"][..], words].concat());
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        assert!(said.contains(expected), "{words:?}: {said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn nothing_is_installed_for_a_system_that_this_is_not() {
    let scratch = Scratch::new("elsewhere");
    let directory = base_directory(&scratch, "w");
    let (other, _) = SYSTEMS
        .iter()
        .find(|(name, _)| *name == "haiku" || *name == "macos")
        .unwrap();
    let output = coracle(&[
        "service",
        "--for",
        other,
        "--install",
        "--user",
        "daemon",
        &directory,
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--destdir"), "{}", stderr(&output));
}

#[test]
fn a_directory_of_root_needs_a_user() {
    let scratch = Scratch::new("owner");
    let directory = base_directory(&scratch, "w");
    let output = coracle(&["service", "--for", "cron", &directory]);
    let owner = ports::stat(Path::new(&directory), true).unwrap().uid;
    if owner == 0 {
        assert!(
            stderr(&output).contains("--user root"),
            "{}",
            stderr(&output)
        );
    } else {
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let root = coracle(&["service", "--for", "cron", "--user", "root", &directory]);
    assert!(root.status.success());
}

#[test]
fn the_status_tells_whether_the_worker_runs() {
    let scratch = Scratch::new("status");
    let directory = base_directory(&scratch, "my worker");
    let status = || coracle(&["service", "--status", &directory]);
    let before = status();
    assert_eq!(before.status.code(), Some(1));
    assert!(stdout(&before).ends_with("is not running\n"));
    assert!(coracle(&["start", "-q", &directory]).status.success());
    let during = status();
    let stopped = coracle(&["stop", &directory]);
    assert_eq!(during.status.code(), Some(0));
    assert!(stdout(&during).contains("is running, process "));
    assert!(stopped.status.success());
    assert_eq!(status().status.code(), Some(1));
    let nowhere = coracle(&["service", "--status", "/nowhere"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(stderr(&nowhere).contains("/nowhere"));
}

/// crontab(1), as far as we use it.
const CRONTAB: &str = r#"#!/bin/sh
at=${0%/*}
[ "$1" != -u ] || shift 2
case $1 in
-l) [ -f "$at/tab" ] || { echo "no crontab for you" >&2; exit 1; }
    [ ! -f "$at/broken" ] || { echo "it is broken" >&2; exit 1; }
    cat "$at/tab" ;;
-) cat > "$at/tab" ;;
*) exit 2 ;;
esac
"#;

#[test]
fn a_crontab_gets_the_line_and_keeps_what_it_has() {
    let scratch = Scratch::new("crontab");
    let directory = base_directory(&scratch, "w");
    write_program(&scratch.path().join("crontab"), CRONTAB);
    let tab = scratch.path().join("tab");
    let user = Command::new("id").arg("-un").output().unwrap();
    let user = stdout(&user);
    let install = |program: &str| {
        let path = std::env::var("PATH").unwrap();
        Command::new(env!("CARGO_BIN_EXE_coracle"))
            .args([
                "service",
                "--for",
                "cron",
                "--install",
                "--user",
                user.trim(),
            ])
            .args(["--program", program, &directory])
            .env("PATH", format!("{}:{path}", scratch.path().display()))
            .output()
            .unwrap()
    };
    let line = |program: &str| format!("@reboot '{program}' start -q '{directory}'\n");
    assert!(install("/opt/a").status.success());
    assert_eq!(fs::read_to_string(&tab).unwrap(), line("/opt/a"));
    let other = "# mine\n0 4 * * * date\n";
    fs::write(&tab, format!("{other}{}", line("/opt/a"))).unwrap();
    assert!(stdout(&install("/opt/a")).contains("up to date"));
    assert!(install("/opt/b").status.success());
    assert_eq!(
        fs::read_to_string(&tab).unwrap(),
        format!("{other}{}", line("/opt/b"))
    );
    fs::write(scratch.path().join("broken"), "").unwrap();
    let broken = install("/opt/c");
    assert_eq!(broken.status.code(), Some(1));
    assert!(stderr(&broken).contains("it is broken"));
    assert_eq!(
        fs::read_to_string(&tab).unwrap(),
        format!("{other}{}", line("/opt/b"))
    );
}
