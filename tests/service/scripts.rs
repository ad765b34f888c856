//! Files that are scripts: checked, and run with our own small rc.subr, su and openrc-run around
//! them. What these do is what rc.subr(8), su(1) and openrc-run(8) say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::scratch::Scratch;
use super::{
    ODD, Recorder, SYSTEMS, base_directory, coracle, has_tool, service, service_of, stderr, stdout,
    write_program,
};

const SHELL_SCRIPTS: &[&str] = &["openrc", "freebsd", "netbsd", "dragonfly"];

/// The systems whose rc.subr(8) has `run_rc_command`, and the variable that switches a service on.
const RC_COMMAND: &[(&str, &str)] = &[
    ("freebsd", "coracle_one_enable"),
    ("netbsd", "coracle_one"),
    ("dragonfly", "coracle_one_enable"),
];

/// rc.subr of FreeBSD, NetBSD and DragonFly, as far as our scripts go.
const RC_SUBR: &str = r#"
load_rc_config() {
    [ "$1" = "$name" ] || exit 8
    [ ! -f "$FAKE_ROOT/rc.conf" ] || . "$FAKE_ROOT/rc.conf"
}
run_rc_command() {
    case " start stop restart $extra_commands " in
    *" $1 "*) ;;
    *) exit 7 ;;
    esac
    eval "enabled=\$$rcvar"
    [ "$enabled" = YES ] || { echo "$rcvar is not YES"; exit 6; }
    if [ "$1" = restart ]; then
        eval "$stop_cmd"
        eval "$start_cmd"
    else
        eval "_cmd=\$${1}_cmd"
        eval "$_cmd"
    fi
}
"#;

/// `su -m USER -c LINE`, which leaves the environment as it is.
const SU: &str = r#"#!/bin/sh
[ "$1 $3 $#" = "-m -c 4" ] || exit 9
echo "$2" > "$FAKE_ROOT/user"
exec "${SHELL:-/bin/sh}" -c "$4"
"#;

/// rc.subr of OpenBSD, as far as our script goes.
const OPENBSD_RC_SUBR: &str = r#"
_name=${0##*/}
[ -n "$daemon" ] || exit 8
eval "daemon_flags=\${${_name}_flags-$daemon_flags} daemon_user=\${${_name}_user:-$daemon_user}"
# The real one does this to find out what to look for in the list of processes.
pexp="$(eval echo ${daemon}${daemon_flags:+ ${daemon_flags}})"
rc_exec() {
    echo "$daemon_user" > "$FAKE_ROOT/user"
    sh -c "$@"
}
rc_cmd() {
    case $1 in
    start) rc_check || rc_start ;;
    stop) ! rc_check || rc_stop ;;
    check) rc_check ;;
    *) exit 7 ;;
    esac
}
"#;

/// A script in a root of its own.
struct FakeRoot {
    scratch: Scratch,
    script: PathBuf,
}

impl FakeRoot {
    fn new(script: &str, real: &str, fake: &str) -> FakeRoot {
        let scratch = Scratch::new("root");
        let top = scratch.path();
        fs::write(top.join("rc.subr"), fake).unwrap();
        write_program(&top.join("su"), SU);
        let read = format!("\n. {real}\n");
        assert!(script.contains(&read));
        let here = format!("\n. '{}'\n", top.join("rc.subr").display());
        let path = top.join("coracle_one");
        write_program(&path, &script.replace(&read, &here));
        FakeRoot {
            script: path,
            scratch,
        }
    }

    fn rc_conf(&self, text: &str) {
        fs::write(self.scratch.path().join("rc.conf"), text).unwrap();
    }

    /// Runs a script of this root.
    fn run(&self, shell: &str, script: &Path, word: &str) -> Output {
        let top = self.scratch.path();
        let path = std::env::var("PATH").unwrap();
        Command::new(shell)
            .arg(script)
            .arg(word)
            .env("PATH", format!("{}:{path}", top.display()))
            .env("FAKE_ROOT", top)
            .output()
            .unwrap()
    }

    /// As whom the last thing was run, if not as the one who runs the tests.
    fn su(&self) -> String {
        let path = self.scratch.path().join("user");
        fs::read_to_string(path).unwrap().trim().to_owned()
    }
}

#[test]
fn shells_can_read_the_scripts() {
    for system in SHELL_SCRIPTS {
        for name in ODD {
            check_syntax(
                "sh",
                &service(system, &format!("/srv/{name}"), "/opt/it's $x").unwrap(),
            );
        }
    }
    if has_tool("ksh") {
        for name in ODD {
            check_syntax(
                "ksh",
                &service("openbsd", &format!("/srv/{name}"), "/opt/it's $x").unwrap(),
            );
        }
    }
}

fn check_syntax(shell: &str, script: &str) {
    let scratch = Scratch::new("syntax");
    let path = scratch.path().join("script");
    fs::write(&path, script).unwrap();
    let output = Command::new(shell).arg("-n").arg(&path).output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        stderr(&output)
    );
}

#[test]
fn shellcheck_finds_nothing_in_the_scripts() {
    if !has_tool("shellcheck") {
        return;
    }
    for system in SHELL_SCRIPTS.iter().chain(&["openbsd"]) {
        let shell = if *system == "openbsd" { "ksh" } else { "sh" };
        let scratch = Scratch::new("shellcheck");
        let path = scratch.path().join("script");
        fs::write(
            &path,
            service(system, "/srv/my worker", "/opt/coracle").unwrap(),
        )
        .unwrap();
        // 1091: it cannot read rc.subr. 2034, 2154: variables that rc.subr reads and sets.
        // 2317: functions that rc.subr calls.
        let codes = "--exclude=SC1091,SC2034,SC2154,SC2317";
        let mut check = Command::new("shellcheck");
        let output = check
            .args(["-s", shell, codes])
            .arg(&path)
            .output()
            .unwrap();
        assert!(output.status.success(), "{system}: {}", stdout(&output));
    }
}

#[test]
fn rc_commands_become_the_right_words() {
    let recorder = Recorder::new("c'or $x acle");
    for (system, switch) in RC_COMMAND {
        for name in ODD {
            let basedir = format!("/srv/{name}");
            let script = service(system, &basedir, recorder.program()).unwrap();
            let root = FakeRoot::new(&script, "/etc/rc.subr", RC_SUBR);
            root.rc_conf(&format!("{switch}=YES\n"));
            let cases: [(&str, &[&str]); 4] = [
                ("start", &["start", "-q"]),
                ("stop", &["stop"]),
                ("status", &["service", "--status"]),
                ("restart", &["start", "-q"]),
            ];
            for (word, expected) in cases {
                let output = root.run("sh", &root.script, word);
                assert!(
                    output.status.success(),
                    "{system} {word}: {}",
                    stderr(&output)
                );
                assert_eq!(recorder.words(), [expected, &[basedir.as_str()]].concat());
            }
        }
    }
}

#[test]
fn rc_scripts_run_the_program_as_the_user_in_fit_surroundings() {
    let recorder = Recorder::new("coracle");
    for (system, switch) in RC_COMMAND {
        let script = service(system, "/srv/w", recorder.program()).unwrap();
        let root = FakeRoot::new(&script, "/etc/rc.subr", RC_SUBR);
        root.rc_conf(&format!("{switch}=YES\n"));
        assert!(root.run("sh", &root.script, "start").status.success());
        assert_eq!(root.su(), "daemon");
        let home = Command::new("sh")
            .args(["-c", "echo ~daemon"])
            .output()
            .unwrap();
        assert_eq!(recorder.noted("home"), [stdout(&home).trim()]);
        assert_eq!(recorder.noted("directory"), ["/"]);
        assert!(recorder.noted("path")[0].contains("/usr/local/bin"));
        let env = recorder.noted("env");
        assert!(env.contains(&"USER=daemon".to_owned()));
        for own in ["RUN", "BINARY", "BASEDIR", "USER", "HOME"] {
            let own = format!("CORACLE_{own}=");
            assert!(!env.iter().any(|line| line.starts_with(&own)), "{own}");
        }
    }
}

#[test]
fn the_status_of_the_program_is_that_of_the_script() {
    let recorder = Recorder::new("coracle");
    for (system, switch) in RC_COMMAND {
        let script = service(system, "/srv/w", recorder.program()).unwrap();
        let root = FakeRoot::new(&script, "/etc/rc.subr", RC_SUBR);
        root.rc_conf(&format!(
            "{switch}=YES\nRECORDER_STATUS=1\nexport RECORDER_STATUS\n"
        ));
        assert_eq!(
            root.run("sh", &root.script, "status").status.code(),
            Some(1)
        );
    }
}

#[test]
fn rc_conf_has_the_last_word() {
    let recorder = Recorder::new("coracle");
    for (system, switch) in RC_COMMAND {
        let script = service(system, "/srv/w", "/nowhere/coracle").unwrap();
        let root = FakeRoot::new(&script, "/etc/rc.subr", RC_SUBR);
        assert_eq!(root.run("sh", &root.script, "start").status.code(), Some(6));
        root.rc_conf(&format!(
            "{switch}=YES\ncoracle_one_user=bin\ncoracle_one_basedir='/other place'\ncoracle_one_binary='{}'\n",
            recorder.program()
        ));
        assert!(root.run("sh", &root.script, "start").status.success());
        assert_eq!(root.su(), "bin");
        assert_eq!(recorder.words(), ["start", "-q", "/other place"]);
    }
}

#[test]
fn rcctl_words_become_the_right_words() {
    if !has_tool("ksh") {
        return;
    }
    let recorder = Recorder::new("c'or $x acle");
    for name in ODD {
        let basedir = format!("/srv/{name}");
        let script = service("openbsd", &basedir, recorder.program()).unwrap();
        let root = FakeRoot::new(&script, "/etc/rc.d/rc.subr", OPENBSD_RC_SUBR);
        assert!(root.run("ksh", &root.script, "check").status.success());
        assert_eq!(recorder.words(), ["service", "--status", &basedir]);
        assert_eq!(root.su(), "daemon");
        assert!(root.run("ksh", &root.script, "stop").status.success());
        assert_eq!(recorder.words(), ["stop", &basedir]);
    }
}

#[test]
fn one_script_of_openbsd_serves_several_workers() {
    if !has_tool("ksh") {
        return;
    }
    let recorder = Recorder::new("coracle");
    let script = service("openbsd", "/srv/w", recorder.program()).unwrap();
    let root = FakeRoot::new(&script, "/etc/rc.d/rc.subr", OPENBSD_RC_SUBR);
    let other = root.scratch.path().join("coracle_other");
    ports::make_link(Path::new("coracle_one"), &other).unwrap();
    let set = "coracle_other_flags='/home/other/my worker' coracle_other_user=bin";
    let script = fs::read_to_string(&root.script).unwrap();
    fs::write(&root.script, format!("{set}\n{script}")).unwrap();
    assert!(root.run("ksh", &other, "check").status.success());
    assert_eq!(
        recorder.words(),
        ["service", "--status", "/home/other/my worker"]
    );
    assert_eq!(root.su(), "bin");
    assert!(root.run("ksh", &root.script, "check").status.success());
    assert_eq!(recorder.words(), ["service", "--status", "/srv/w"]);
    assert_eq!(root.su(), "daemon");
}

/// Stops a worker, however a test ends.
struct Stopped<'a>(&'a str);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        coracle(&["stop", "-q", self.0]);
    }
}

/// A script has the program itself start, find and stop a worker. `question` is the system's word
/// for whether it runs.
fn lives_and_dies(system: &str, shell: &str, real: &str, fake: &str, question: &str) {
    let scratch = Scratch::new("life");
    let basedir = base_directory(&scratch, "my 'odd' $worker");
    let _guard = Stopped(&basedir);
    let user = Command::new("id").arg("-un").output().unwrap();
    let program = env!("CARGO_BIN_EXE_coracle");
    let script = service_of(system, stdout(&user).trim(), &basedir, program).unwrap();
    let root = FakeRoot::new(&script, real, fake);
    root.rc_conf("coracle_one_enable=YES\ncoracle_one=YES\n");
    let status = |word: &str| root.run(shell, &root.script, word).status.code();
    assert_eq!(status(question), Some(1), "{system}");
    assert_eq!(status("start"), Some(0), "{system}");
    assert_eq!(status(question), Some(0), "{system}");
    assert_eq!(status("stop"), Some(0), "{system}");
    assert_eq!(status(question), Some(1), "{system}");
    assert_eq!(status("stop"), Some(0), "{system}");
}

#[test]
fn rc_scripts_start_find_and_stop_a_real_worker() {
    for (system, _) in RC_COMMAND {
        lives_and_dies(system, "sh", "/etc/rc.subr", RC_SUBR, "status");
    }
    if has_tool("ksh") {
        let real = "/etc/rc.d/rc.subr";
        lives_and_dies("openbsd", "ksh", real, OPENBSD_RC_SUBR, "check");
    }
}

/// What openrc-run does with a script that has a supervisor: it evaluates the variables once more.
const OPENRC_RUN: &str = r#"
checkpath() { printf '%s\n' "$@" > "$FAKE_ROOT/checkpath"; }
. "$FAKE_ROOT/script"
start_pre || exit 5
depend() { :; }
[ "$supervisor $command_user $respawn_max" = "supervise-daemon daemon 0" ] || exit 6
eval "set -- \"\$directory\" $command $command_args"
eval "directory=$directory"
printf '%s\n' "$directory" > "$FAKE_ROOT/directory"
shift
exec "$@"
"#;

#[test]
fn openrc_supervises_the_worker_in_the_foreground() {
    let recorder = Recorder::new("c'or $x acle");
    for name in ODD {
        let basedir = format!("/srv/{name}");
        let scratch = Scratch::new("openrc");
        let top = scratch.path();
        let script = service("openrc", &basedir, recorder.program()).unwrap();
        fs::write(top.join("script"), script).unwrap();
        let mut run = Command::new("sh");
        let output = run
            .args(["-c", OPENRC_RUN])
            .env("FAKE_ROOT", top)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(recorder.words(), ["start", "--nodaemon", &basedir]);
        let directory = fs::read_to_string(top.join("directory")).unwrap();
        assert_eq!(directory, format!("{basedir}\n"));
        let checked = fs::read_to_string(top.join("checkpath")).unwrap();
        assert!(checked.ends_with("daemon\n--mode\n0644\n/var/log/coracle-one.log\n"));
    }
}

#[test]
fn scripts_are_executable_and_data_is_not() {
    for (system, _) in SYSTEMS {
        let text = service(system, "/srv/w", "/opt/coracle").unwrap();
        let is_script = text.starts_with("#!");
        let known = SHELL_SCRIPTS.contains(system) || *system == "openbsd";
        assert_eq!(is_script, known, "{system}");
    }
}
