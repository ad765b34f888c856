//! The commands that only touch files, on a real file system and beside the tools they stand for.

#![allow(clippy::unwrap_used, clippy::panic)]

mod stage;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use coracle::calls::{
    Command, CopyDirectory, FailureKind, FailureReason, Place, RemoveDirectories, Seconds,
    StepEvent, ToStep, Update,
};

use stage::{Report, Stage, has_gnu_tools, interrupt, is_superuser, place, program};

fn two(first: &str, second: &str) -> Place {
    Place {
        components: vec![first.to_owned(), second.to_owned()],
        tilde: false,
    }
}

fn rmdir(names: &[&str]) -> RemoveDirectories {
    RemoveDirectories {
        places: names.iter().map(|name| place(name)).collect(),
        timeout: Some(Seconds::Int(120)),
        max_time: None,
        log_environ: false,
    }
}

fn remove(stage: &Stage, names: &[&str]) -> Report {
    stage.run(Command::RemoveDirectories(rmdir(names)))
}

fn cpdir(from: &str, to: &str) -> CopyDirectory {
    CopyDirectory {
        from: place(from),
        to: place(to),
        timeout: Some(Seconds::Int(120)),
        max_time: None,
        log_environ: false,
    }
}

fn copy(stage: &Stage, from: &str, to: &str) -> Report {
    stage.run(Command::CopyDirectory(cpdir(from, to)))
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

// mkdir, stat, listdir, rmfile

#[test]
fn mkdir_makes_parents_and_is_content_with_what_is_there() {
    let stage = Stage::new();
    for _ in 0..2 {
        let report = stage.run(Command::MakeDirectories(vec![place("a/b/c")]));
        assert_eq!(report.order(), ["rc", "elapsed"]);
        assert_eq!(report.code(), 0);
        assert!(stage.path("a/b/c").is_dir());
    }
    for name in ["x/../y", "new/.", "slash/", "../beside"] {
        let report = stage.run(Command::MakeDirectories(vec![place(name)]));
        assert_eq!(report.code(), 0, "{name}: {}", report.header());
        assert!(stage.path(name).is_dir(), "{name}");
    }
}

#[test]
fn mkdir_stops_at_the_first_that_cannot_be_made() {
    let stage = Stage::new();
    stage.write("file", "");
    let places = vec![place("ok"), place("file"), place("never")];
    let report = stage.run(Command::MakeDirectories(places));
    assert_eq!(report.order(), ["rc", "elapsed", "header"]);
    assert_eq!(report.code(), 17);
    assert_eq!(
        report.header(),
        format!("mkdir: File exists: {}\n", stage.text("file"))
    );
    assert!(stage.path("ok").is_dir() && !exists(&stage.path("never")));

    let report = stage.run(Command::MakeDirectories(vec![place("file/below/it")]));
    assert_eq!(report.code(), 20);
}

#[test]
fn a_path_that_no_system_takes_is_an_exit_code() {
    let stage = Stage::new();
    let deep = "d/".repeat(5000);
    for (name, reason) in [("nul\0byte", "null"), (deep.as_str(), "File name too long")] {
        for command in [
            Command::MakeDirectories(vec![place(name)]),
            Command::Stat(place(name)),
            Command::RemoveFile(place(name)),
            Command::ListDirectory(place(name)),
        ] {
            let report = stage.run(command);
            assert_ne!(report.code(), 0);
            // The standard library's words for NUL bytes are its own.
            assert!(
                report.header().contains(reason) || reason == "null",
                "{}",
                report.header()
            );
            assert_eq!(report.result, Ok(()));
        }
    }
}

#[test]
fn stat_follows_links_and_tells_ten_numbers() {
    let stage = Stage::new();
    stage.write("file", "12345");
    ports::make_link(Path::new("file"), &stage.path("link")).unwrap();
    let report = stage.run(Command::Stat(two("", "link")));
    assert_eq!(report.order(), ["stat", "rc", "elapsed"]);
    assert_eq!(report.code(), 0);
    let Update::Stat(stat) = report.updates[0] else {
        panic!("no stat");
    };
    let python = "import os,sys; print(list(os.stat(sys.argv[1])))";
    let (_, output, _) = program(&stage.base, &["python3", "-c", python, &stage.text("file")]);
    assert_eq!(format!("{stat:?}\n"), output);
}

#[test]
fn stat_of_what_is_not_there_is_a_plain_code() {
    let stage = Stage::new();
    let report = stage.run(Command::Stat(two("", "nope")));
    assert_eq!(report.order(), ["rc", "elapsed", "header"]);
    assert_eq!(report.code(), 2);
    let path = stage.text("nope");
    assert_eq!(
        report.header(),
        format!("stat: No such file or directory: {path}\n")
    );
    assert_eq!(report.result, Ok(()));
}

#[test]
fn listdir_tells_all_names_but_no_dots() {
    let stage = Stage::new();
    stage.write("d/b", "");
    stage.write("d/.hidden", "");
    stage.mkdir("d/a");
    let stray = ports::name_from_bytes(b"odd\xff".to_vec());
    fs::write(stage.path("d").join(stray), "").unwrap();
    let report = stage.run(Command::ListDirectory(place("d")));
    assert_eq!(report.order(), ["files", "rc", "elapsed"]);
    assert_eq!(
        report.files().unwrap(),
        [".hidden", "a", "b", "odd\u{fffd}"]
    );

    let report = stage.run(Command::ListDirectory(place("d/b")));
    assert_eq!(report.code(), 20);
    let path = stage.text("d/b");
    assert_eq!(
        report.header(),
        format!("listdir: Not a directory: {path}\n")
    );
    assert_eq!(report.files(), None);
}

#[test]
fn rmfile_removes_a_link_but_not_what_it_points_to() {
    let stage = Stage::new();
    stage.write("file", "");
    ports::make_link(Path::new("file"), &stage.path("link")).unwrap();
    assert_eq!(stage.run(Command::RemoveFile(place("link"))).code(), 0);
    assert!(!exists(&stage.path("link")) && exists(&stage.path("file")));

    let report = stage.run(Command::RemoveFile(place("link")));
    assert_eq!(report.order(), ["rc", "elapsed", "header"]);
    assert_eq!(report.code(), 2);
    let path = stage.text("link");
    assert_eq!(
        report.header(),
        format!("rmfile: No such file or directory: {path}\n")
    );

    stage.mkdir("d");
    let code = stage.run(Command::RemoveFile(place("d"))).code();
    assert!(code == 21 || code == 1, "{code}");
}

// glob

fn glob(stage: &Stage, pattern: &str) -> Vec<String> {
    let report = stage.run(Command::Glob(place(pattern)));
    assert_eq!(
        report.order(),
        ["files", "rc", "elapsed"],
        "{}",
        report.header()
    );
    assert_eq!(report.code(), 0);
    report.files().unwrap()
}

#[test]
fn glob_finds_what_python_finds() {
    let stage = Stage::new();
    for name in [
        "a/b/c", "a/.h/c", "a/b/.d", "f.txt", "g.txt", "[x]/y", "a/b/c2/c",
    ] {
        stage.write(&name.replace("a/b/c2", "a/b2/c2"), "");
    }
    ports::make_link(Path::new("nowhere"), &stage.path("broken")).unwrap();
    ports::make_link(Path::new("a/b"), &stage.path("link")).unwrap();
    let script =
        "import glob,sys\nfor p in sys.argv[1:]: print(sorted(set(glob.glob(p, recursive=True))))";
    let patterns: Vec<String> = [
        "*", "**/c", "zzz*", "*.txt", "[fg].*", "[!f].txt", "[x]/*", "[[]x]/y", ".*", "**", "a/**",
        "a/**/", "**/b*/*", "*/", "link/*", "broken", "nope", "a//b/*", "./*", "../b/*", "a/.h/*",
        "**/**/c", "f.txt*", "f.txt/*", "brok*", "[f", "*[", "a/*/c", "?.txt",
    ]
    .iter()
    .map(|pattern| stage.text(pattern))
    .collect();
    let mut words = vec!["python3", "-c", script];
    words.extend(patterns.iter().map(String::as_str));
    let (_, output, trouble) = program(&stage.base, &words);
    assert_eq!(trouble, "");
    for (pattern, line) in patterns.iter().zip(output.lines()) {
        let ours: Vec<String> = glob(&stage, pattern)
            .iter()
            .map(|p| format!("'{p}'"))
            .collect();
        assert_eq!(format!("[{}]", ours.join(", ")), line, "{pattern}");
    }
}

#[test]
fn glob_does_not_walk_in_circles() {
    let stage = Stage::new();
    stage.write("a/b/f", "");
    ports::make_link(Path::new(".."), &stage.path("a/b/up")).unwrap();
    ports::make_link(Path::new("."), &stage.path("a/here")).unwrap();
    let found = glob(&stage, "**/f");
    assert_eq!(found, [stage.text("a/b/f")]);
}

#[test]
fn an_interrupted_listing_says_so() {
    let stage = Stage::new();
    stage.write("d/f", "");
    for command in [
        Command::Glob(place("**/f")),
        Command::ListDirectory(place("d")),
    ] {
        let report = stage
            .start_with(command, vec![interrupt()])
            .finish(|_, transfer| panic!("{transfer:?}"));
        assert_eq!(report.order(), ["header", "rc"]);
        assert_eq!(report.header(), "command interrupted\n");
        assert_eq!((report.code(), &report.result), (-1, &Ok(())));
    }
}

// rmdir

#[test]
fn rmdir_looks_like_rm() {
    let stage = Stage::new();
    stage.write("a/b/c", "");
    let report = remove(&stage, &["a"]);
    assert_eq!(report.order(), ["header", "rc", "elapsed"]);
    assert_eq!(report.code(), 0);
    assert!(!exists(&stage.path("a")));
    let (path, base) = (stage.text("a"), stage.base.display());
    let start = format!(
        "rm -rf {path}\n in dir {base} (timeout 120 secs)\n watching logfiles {{}}\n \
         argv: [b'rm', b'-rf', b'{path}']\n using PTY: False\nelapsedTime=0."
    );
    assert!(report.header().starts_with(&start), "{}", report.header());
}

#[test]
fn rmdir_shows_the_workers_environment_if_asked() {
    let stage = Stage::new();
    let mut arguments = rmdir(&["nope"]);
    arguments.log_environ = true;
    let report = stage.run(Command::RemoveDirectories(arguments));
    let base = stage.base.display();
    let block = format!("']\n environment:\n  A=1\n  PWD={base}\n using PTY: False\n");
    assert!(report.header().contains(&block), "{}", report.header());
}

#[test]
fn rmdir_removes_whatever_there_is_and_follows_no_link() {
    let stage = Stage::new();
    stage.write("precious/file", "");
    stage.write("tree/f", "");
    stage.write("plain", "");
    ports::make_link(Path::new("../precious"), &stage.path("tree/link")).unwrap();
    ports::make_link(Path::new("precious"), &stage.path("link")).unwrap();
    ports::make_link(Path::new("precious"), &stage.path("link2")).unwrap();
    let report = remove(
        &stage,
        &["tree", "plain", "missing", "link", "link2/", "plain/x"],
    );
    assert_eq!(report.code(), 0, "{}", report.stderr());
    assert_eq!(report.header().matches("elapsedTime=").count(), 6);
    assert!(exists(&stage.path("precious/file")));
    for name in ["tree", "plain", "link", "link2"] {
        assert!(!exists(&stage.path(name)), "{name}");
    }
}

#[test]
fn rmdir_refuses_what_rm_refuses_and_goes_on() {
    let stage = Stage::new();
    stage.write("d/f", "");
    stage.write("e/f", "");
    for name in ["d/.", "d/..", "d/./", ".."] {
        let report = remove(&stage, &[name, "e"]);
        assert_eq!(report.code(), 1, "{name}");
        if has_gnu_tools() {
            let (code, _, trouble) = program(&stage.base, &["rm", "-rf", &stage.text(name)]);
            assert_eq!((report.code(), report.stderr()), (code, trouble));
        }
        assert!(!exists(&stage.path("e")));
        assert!(exists(&stage.path("d/f")));
    }
    let report = remove(&stage, &["/"]);
    assert_eq!(report.code(), 1);
    assert_eq!(
        report.stderr(),
        "rm: it is dangerous to operate recursively on '/'\n"
    );
    let up = "../".repeat(40);
    assert_eq!(remove(&stage, &[&up]).code(), 1);
}

/// Makes directories inside each other until no path leads to the last, with a file in each.
fn build_deep_tree(stage: &Stage, root: &str) {
    let script = "
import os, sys
os.chdir(sys.argv[1])
for i in range(3000):
    os.mkdir('deep-directory')
    os.chdir('deep-directory')
    open('file', 'w').close()
";
    stage.mkdir(root);
    let words = ["python3", "-c", script, &stage.text(root)];
    let (code, _, trouble) = program(&stage.base, &words);
    assert_eq!((code, trouble.as_str()), (0, ""));
}

#[test]
fn rmdir_removes_trees_deeper_than_any_path() {
    let stage = Stage::new();
    build_deep_tree(&stage, "top");
    let report = remove(&stage, &["top"]);
    assert_eq!((report.code(), report.stderr().as_str()), (0, ""));
    assert!(!exists(&stage.path("top")));
}

#[test]
fn a_tree_deeper_than_any_path_is_copied_and_searched_as_far_as_paths_go() {
    let stage = Stage::new();
    build_deep_tree(&stage, "top");
    let report = copy(&stage, "top", "copy");
    assert_eq!(report.code(), 1);
    let stderr = report.stderr();
    assert!(stderr.ends_with(": File name too long\n"), "{stderr}");
    assert!(exists(
        &stage.path("copy/deep-directory/deep-directory/file")
    ));
    assert!(glob(&stage, "top/**/file").len() > 100);
    assert_eq!(remove(&stage, &["top", "copy"]).code(), 0);
}

#[test]
fn rmdir_removes_more_names_than_it_holds_at_a_time() {
    let stage = Stage::new();
    stage.mkdir("wide");
    for index in 0..5000 {
        fs::write(stage.path("wide").join(format!("f{index}")), "").unwrap();
        if index % 2 == 0 {
            fs::create_dir(stage.path("wide").join(format!("d{index}"))).unwrap();
        }
    }
    let report = remove(&stage, &["wide"]);
    assert_eq!(report.code(), 0, "{}", report.stderr());
    assert!(!exists(&stage.path("wide")));
}

#[test]
fn rmdir_gives_itself_the_permissions_it_needs() {
    let stage = Stage::new();
    for mode in [0o000, 0o400, 0o500, 0o600, 0o100, 0o300] {
        stage.write("a/b/c/f", "");
        stage.write("a/f", "");
        for name in ["a/b/c", "a/b", "a"] {
            ports::set_mode(&stage.path(name), mode).unwrap();
        }
        let report = remove(&stage, &["a"]);
        assert_eq!(
            (report.code(), report.stderr().as_str()),
            (0, ""),
            "{mode:o}"
        );
        assert!(!exists(&stage.path("a")));
    }
}

#[test]
fn rmdir_reports_what_stays_and_removes_the_rest() {
    let stage = Stage::new();
    if is_superuser(&stage) {
        return;
    }
    stage.write("locked/a/f", "");
    stage.write("other/f", "");
    ports::set_mode(&stage.path("locked"), 0o555).unwrap();
    let report = remove(&stage, &["locked/a", "other"]);
    assert_eq!(report.code(), 1);
    let path = stage.text("locked/a");
    assert_eq!(
        report.stderr(),
        format!("rm: cannot remove '{path}': Permission denied\n")
    );
    assert!(exists(&stage.path("locked/a")) && !exists(&stage.path("locked/a/f")));
    assert!(!exists(&stage.path("other")));
}

#[test]
fn an_interrupted_rmdir_ends_at_once_with_minus_one() {
    let stage = Stage::new();
    stage.write("d/f", "");
    stage.mkdir("never");
    let command = Command::RemoveDirectories(rmdir(&["d", "never"]));
    let report = stage
        .start_with(command, vec![interrupt()])
        .finish(|_, transfer| panic!("{transfer:?}"));
    assert_eq!(report.code(), -1);
    let text = "\ncommand interrupted, attempting to kill\nelapsedTime=";
    assert!(report.header().contains(text), "{}", report.header());
    assert!(!report.has_elapsed());
    assert_eq!(report.result, Ok(()));
    assert!(exists(&stage.path("d")) && exists(&stage.path("never")));
}

#[test]
fn rmdir_ends_at_its_limits_says_which_and_tries_the_next_path() {
    let stage = Stage::new();
    stage.write("d/f", "");
    let limit = Seconds::Float(1e-6);
    for (reason, what) in [
        (FailureReason::TotalTime, "elapsed"),
        (FailureReason::Silence, "without output"),
    ] {
        let mut arguments = rmdir(&["d", "missing"]);
        match reason {
            FailureReason::TotalTime => arguments.max_time = Some(limit),
            _ => arguments.timeout = Some(limit),
        }
        let report = stage.run(Command::RemoveDirectories(arguments));
        assert_eq!(report.code(), -1);
        assert_eq!(report.failure_reason(), Some(reason));
        let path = stage.text("d");
        let text = format!(
            "\ncommand timed out: {limit} seconds {what} running [b'rm', b'-rf', b'{path}'], \
             attempting to kill\nelapsedTime="
        );
        assert!(report.header().contains(&text), "{}", report.header());
        assert_eq!(report.header().matches("elapsedTime=").count(), 2);
        assert!(report.has_elapsed());
        assert!(exists(&stage.path("d")));
    }
}

#[test]
fn an_abandoned_rmdir_says_nothing_more() {
    let stage = Stage::new();
    stage.write("d/f", "");
    let mut running = stage.start(Command::RemoveDirectories(rmdir(&["d"])));
    running.handle.send(ToStep::Abandon);
    let deadline = Instant::now() + Duration::from_secs(30);
    while !matches!(running.next(), StepEvent::Complete(_)) {
        assert!(Instant::now() < deadline);
    }
}

// cpdir

/// Copies with us and with `cp`, and compares what is said and what is there.
fn compare_with_cp(stage: &Stage, from: &str, to: &str, before: &dyn Fn()) {
    if !has_gnu_tools() {
        return;
    }
    clear(stage);
    before();
    let ours = copy(stage, from, to);
    let (from_path, to_path) = (stage.text(from), stage.text(to));
    let listing = ["find", "../b", "-printf", "%P %y %m %T@ %l %s\\n"];
    let (_, our_tree, _) = program(&stage.path(""), &listing);
    clear(stage);
    before();
    let words = ["cp", "-R", "-P", "-p", "-v", &from_path, &to_path];
    let (code, output, trouble) = program(&stage.base, &words);
    let (_, their_tree, _) = program(&stage.path(""), &listing);
    assert_eq!(ours.code(), code, "{}", ours.stderr());
    assert_eq!(sorted(&ours.stderr()), sorted(&trouble));
    assert_eq!(sorted(&ours.stdout()), sorted(&output));
    assert_eq!(comparable(&our_tree), comparable(&their_tree));
}

fn clear(stage: &Stage) {
    fs::remove_dir_all(stage.path("")).unwrap();
    stage.mkdir("");
}

/// A listing without the times of what was made in this round, which are not those of the tree.
fn comparable(listing: &str) -> Vec<String> {
    let mut lines = sorted(listing);
    for line in &mut lines {
        if !line.contains(" 1577934245.6789012340 ") {
            let mut words: Vec<&str> = line.split(' ').collect();
            if words.len() > 3 {
                words[3] = "now";
            }
            *line = words.join(" ");
        }
    }
    lines
}

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// A tree with one of each, all with the same times in each round.
fn build_tree(stage: &Stage, root: &str) {
    let script = r#"
mkdir -p "$1/sub/empty" "$1/it's" && cd "$1" || exit 1
echo one > one; echo two > 'with space'; echo x > 'new
line'; printf '' > sub/none; echo s > script; chmod 755 script; chmod 600 one; chmod 750 sub
chmod 555 sub/empty; echo q > "it's/q\"uote"
ln -s one link; ln -s nowhere broken; ln -s sub dirlink; ln one hard; mkfifo pipe
printf 'caf\351' > "$(printf 'caf\351')"
find . -exec touch -h -d '2020-01-02 03:04:05.678901234' {} +
"#;
    let path = stage.text(root);
    let (code, _, trouble) = program(&stage.base, &["sh", "-c", script, "sh", &path]);
    assert_eq!((code, trouble.as_str()), (0, ""));
}

#[test]
fn cpdir_copies_as_cp_does() {
    let stage = Stage::new();
    compare_with_cp(&stage, "from", "to", &|| build_tree(&stage, "from"));
}

#[test]
fn cpdir_into_an_existing_directory_copies_as_cp_does() {
    let stage = Stage::new();
    let before = || {
        build_tree(&stage, "from");
        stage.mkdir("to");
        ports::set_mode(&stage.path("to"), 0o755).unwrap();
    };
    compare_with_cp(&stage, "from", "to", &before);
    compare_with_cp(&stage, "from/", "to/", &before);
    compare_with_cp(&stage, "from/it's", "to", &before);
}

#[test]
fn cpdir_over_an_older_copy_does_as_cp_does() {
    let stage = Stage::new();
    let before = || {
        build_tree(&stage, "from");
        build_tree(&stage, "to/from");
        stage.write("to/from/one", "old and longer");
    };
    compare_with_cp(&stage, "from", "to", &before);
}

#[test]
fn cpdir_with_something_in_the_way_does_as_cp_does() {
    let stage = Stage::new();
    let before = || {
        build_tree(&stage, "from");
        stage.mkdir("to/from/one");
        stage.write("to/from/sub", "");
        ports::make_link(Path::new("nowhere"), &stage.path("to/from/script")).unwrap();
        fs::hard_link(
            stage.path("from/with space"),
            stage.path("to/from/with space"),
        )
        .unwrap();
    };
    compare_with_cp(&stage, "from", "to", &before);
    compare_with_cp(&stage, "from", "to/from/sub", &before);
}

#[test]
fn cpdir_of_other_things_than_directories_does_as_cp_does() {
    let stage = Stage::new();
    let before = || build_tree(&stage, "from");
    for (from, to) in [
        ("from/one", "copy"),
        ("from/link", "copy"),
        ("from/pipe", "copy"),
        ("from/one", "from/one"),
        ("from/one", "from/hard"),
        ("nope", "copy"),
        ("from/one/", "copy"),
        ("it's missing", "copy"),
    ] {
        compare_with_cp(&stage, from, to, &before);
    }
}

#[test]
fn cpdir_into_itself_is_refused_as_cp_refuses_it() {
    let stage = Stage::new();
    stage.write("a/b/f", "");
    for to in ["a/b", "a/new", "a"] {
        let report = copy(&stage, "a", to);
        let last = stage.path(to).join(if to == "a/new" { "" } else { "a" });
        let (from, last) = (
            stage.text("a"),
            last.to_str().unwrap().trim_end_matches('/').to_owned(),
        );
        assert_eq!(report.code(), 1);
        assert_eq!(
            report.stderr(),
            format!("cp: cannot copy a directory, '{from}', into itself, '{last}'\n")
        );
    }
}

#[test]
fn cpdir_makes_the_parent_and_looks_like_cp() {
    let stage = Stage::new();
    stage.write("from/f", "x");
    let report = copy(&stage, "from", "p/q/to");
    assert_eq!(
        report.order(),
        ["header", "stdout", "header", "rc", "elapsed"]
    );
    assert_eq!(fs::read(stage.path("p/q/to/f")).unwrap(), b"x");
    let (from, to, base) = (
        stage.text("from"),
        stage.text("p/q/to"),
        stage.base.display(),
    );
    let start = format!(
        "cp -R -P -p -v {from} {to}\n in dir {base} (timeout 120 secs)\n watching logfiles {{}}\n \
         argv: [b'cp', b'-R', b'-P', b'-p', b'-v', b'{from}', b'{to}']\n using PTY: False\nelapsedTime="
    );
    assert!(report.header().starts_with(&start), "{}", report.header());
}

#[test]
fn cpdir_below_a_file_is_a_failure() {
    let stage = Stage::new();
    stage.mkdir("from");
    stage.write("file", "");
    let report = copy(&stage, "from", "file/x/to");
    let failure = report.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::System);
    assert!(
        failure.message.ends_with(": Not a directory"),
        "{}",
        failure.message
    );
}

#[test]
fn cpdir_reports_what_it_cannot_read_and_copies_the_rest() {
    let stage = Stage::new();
    if is_superuser(&stage) {
        return;
    }
    let before = || {
        stage.write("from/secret", "");
        stage.write("from/shut/f", "");
        stage.write("from/open", "");
        ports::set_mode(&stage.path("from/secret"), 0).unwrap();
        ports::set_mode(&stage.path("from/shut"), 0).unwrap();
    };
    before();
    let ours = copy(&stage, "from", "to");
    let words = [
        "cp",
        "-R",
        "-P",
        "-p",
        "-v",
        &stage.text("from"),
        &stage.text("to2"),
    ];
    let (code, output, trouble) = program(&stage.base, &words);
    assert_eq!(ours.code(), code);
    assert_eq!(
        sorted(&ours.stderr().replace("/to", "/to2")),
        sorted(&trouble)
    );
    assert_eq!(
        sorted(&ours.stdout().replace("/to", "/to2")),
        sorted(&output)
    );
    ports::set_mode(&stage.path("from/shut"), 0o700).unwrap();
}

#[test]
fn an_interrupted_cpdir_ends_in_the_middle_of_a_file() {
    let stage = Stage::new();
    stage.mkdir("from");
    // Sparse, so that it costs no disk; the copy would.
    fs::File::create(stage.path("from/huge"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let mut running = stage.start(Command::CopyDirectory(cpdir("from", "to")));
    // The header is posted at once; then copying begins.
    assert!(matches!(running.next(), StepEvent::Updates { .. }));
    running.interrupt();
    let report = running.finish(|_, transfer| panic!("{transfer:?}"));
    assert_eq!(report.code(), -1);
    assert!(report.header().contains("command interrupted"));
    assert!(!report.has_elapsed());
}

#[test]
fn a_master_that_takes_no_output_holds_the_copy_back_but_not_an_interrupt() {
    let stage = Stage::new();
    stage.mkdir("from");
    let long = "n".repeat(200);
    for index in 0..2000 {
        fs::write(stage.path("from").join(format!("{long}{index}")), "").unwrap();
    }
    let mut arguments = cpdir("from", "to");
    // Being held back is no silence.
    arguments.timeout = Some(Seconds::Float(0.3));
    let mut running = stage.start(Command::CopyDirectory(arguments));
    let mut bytes = 0;
    while let Some(event) = running.next_within(Duration::from_secs(1)) {
        if let StepEvent::Updates { cost, .. } = event {
            bytes += cost;
        }
    }
    assert!(bytes < 400 * 1024, "{bytes}");
    let copied = fs::read_dir(stage.path("to")).unwrap().count();
    assert!(copied < 2000, "{copied}");
    running.interrupt();
    let report = running.finish(|_, transfer| panic!("{transfer:?}"));
    assert_eq!(report.code(), -1);
    assert_eq!(report.failure_reason(), None);
}

#[test]
fn names_with_wildcards_and_spaces_are_only_names() {
    let stage = Stage::new();
    stage.write("a *b/f", "");
    stage.write("a xb/f", "");
    assert_eq!(remove(&stage, &["a *b"]).code(), 0);
    assert!(exists(&stage.path("a xb/f")) && !exists(&stage.path("a *b")));
}
