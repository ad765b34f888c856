//! Log files that are watched while a program runs.

use coracle::calls::{LogFile, Seconds, Shell};

use crate::driver::{Scene, sh};

fn watching(text: &str, follow: Option<bool>) -> Shell {
    let logfile = LogFile {
        name: "mylog".to_owned(),
        filename: "my.log".to_owned(),
        follow,
    };
    Shell {
        logfiles: vec![logfile],
        ..sh(text)
    }
}

#[test]
fn a_new_file_is_shown_from_its_beginning_before_the_exit_code() {
    let scene = Scene::new();
    let report = scene.run(watching("echo one > my.log; echo two >> my.log", None));
    assert_eq!(report.log("mylog"), "one\ntwo\n");
    assert_eq!(report.order(), "header log code header elapsed");
}

#[test]
fn a_file_that_does_not_change_is_not_shown() {
    let scene = Scene::new();
    scene.write("my.log", "old\n");
    assert_eq!(scene.run(watching("true", None)).log("mylog"), "");
}

#[test]
fn a_changed_file_is_shown_from_its_beginning_or_from_its_end_then() {
    let scene = Scene::new();
    for (follow, shown) in [
        (None, "old\nnew\n"),
        (Some(false), "old\nnew\n"),
        (Some(true), ""),
    ] {
        scene.write("my.log", "old\n");
        let report = scene.run(watching("echo new >> my.log", follow));
        assert_eq!(report.log("mylog"), shown);
    }
}

#[test]
fn a_followed_file_is_shown_from_where_it_was_when_it_was_noticed() {
    let scene = Scene::new();
    scene.write("my.log", "old\n");
    let script = "echo skipped >> my.log; sleep 2.5; echo shown >> my.log";
    let report = scene.run(watching(script, Some(true)));
    assert_eq!(report.log("mylog"), "shown\n");
}

#[test]
fn growth_of_a_log_file_is_no_silence() {
    let scene = Scene::new();
    let script = "for i in 1 2 3 4 5; do echo $i >> my.log; sleep 1; done";
    let shell = Shell {
        timeout: Some(Seconds::Float(3.5)),
        ..watching(script, None)
    };
    let report = scene.run(shell);
    assert_eq!(
        (report.log("mylog").as_str(), report.code()),
        ("1\n2\n3\n4\n5\n", 0)
    );
}

#[test]
fn a_truncated_file_is_shown_anew() {
    let scene = Scene::new();
    let script = "printf 'first line\\nhalf' > my.log; sleep 2.5; echo second > my.log";
    let report = scene.run(watching(script, None));
    assert_eq!(report.log("mylog"), "first line\nhalf\nsecond\n");
}

#[test]
fn a_rotated_file_is_read_to_its_end_and_the_new_one_from_its_beginning() {
    let scene = Scene::new();
    let script = "printf 'one\\n' > my.log; sleep 2.5; printf 'two' >> my.log; \
        mv my.log my.log.1; echo three > my.log";
    let report = scene.run(watching(script, None));
    assert_eq!(report.log("mylog"), "one\ntwo\nthree\n");
}

#[test]
fn a_large_file_is_shown_whole() {
    let scene = Scene::new();
    let report = scene.run(watching("seq 1 200000 > my.log", None));
    let all: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    assert!(
        report.log("mylog") == all,
        "every line of the file, once and in order"
    );
}

#[test]
fn what_is_no_regular_file_is_left_alone() {
    let scene = Scene::new();
    scene.write("x", "");
    let report = scene.run(watching("mkfifo my.log", None));
    assert_eq!((report.log("mylog").as_str(), report.code()), ("", 0));
}
