//! Base directories as people have them, and what is read from them or said about them.

// Helpers of tests may panic like tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use coracle::basedir::{
    AllowShutdown, LogTarget, MasterAddress, Protocol, ReadError, Rotation, Secret, Settings,
    read_with,
};
use coracle::calls::Fact;

/// A new directory with this `buildbot.tac`.
fn directory(tac: &[u8]) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tac-{}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("buildbot.tac"), tac).unwrap();
    path.canonicalize().unwrap()
}

fn environment(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn settings(tac: &str, pairs: &[(&str, &str)]) -> (PathBuf, Settings) {
    let directory = directory(tac.as_bytes());
    let settings = read_with(&directory, environment(pairs)).unwrap();
    (directory, settings)
}

/// What is said about this file, a line each, without the path.
fn complaints(tac: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    let directory = directory(tac.as_bytes());
    let error = read_with(&directory, environment(pairs)).unwrap_err();
    assert!(matches!(error, ReadError::Wrong { .. }), "{error}");
    let start = format!("{}: ", directory.join("buildbot.tac").display());
    let text = error.to_string();
    let lines = text.lines();
    lines
        .map(|line| line.strip_prefix(&start).expect(line).to_owned())
        .collect()
}

/// A file whose call has these arguments.
fn with_arguments(before: &str, arguments: &str) -> String {
    format!(
        "import os\nfrom buildbot_worker.bot import Worker\n\
         application = service.Application('buildbot-worker')\n{before}\ns = Worker({arguments})\n"
    )
}

const PLAIN: &str = include_str!("tac/plain.tac");
const SLAVE: &str = include_str!("tac/slave.tac");
const CONTAINER: &str = include_str!("tac/container.tac");
const EDITED: &str = include_str!("tac/edited.tac");

#[test]
fn a_generated_file_gives_every_setting() {
    let (directory, settings) = settings(PLAIN, &[("PATH", "/bin")]);
    assert_eq!(settings.directory, directory);
    assert_eq!(settings.basedir, directory);
    let master = MasterAddress::Tcp {
        host: "master.example.org".to_owned(),
        port: 9989,
        tls: true,
    };
    assert_eq!(settings.master, master);
    assert_eq!(settings.name, "haiku-1");
    assert_eq!(settings.password.expose(), "it's \"secret\" \\ and ä");
    assert_eq!(settings.keepalive, Some(Duration::from_secs(600)));
    assert_eq!(settings.umask, Some(0o22));
    assert_eq!(settings.max_delay, Some(Duration::from_secs(300)));
    assert_eq!(settings.cpus, Some(3));
    assert_eq!(settings.allow_shutdown, Some(AllowShutdown::Signal));
    assert_eq!(settings.max_retries, Some(7));
    assert_eq!(settings.delete_leftover_dirs, Fact::Int(1));
    assert!(settings.deletes_leftover_dirs());
    assert_eq!(settings.protocol, Protocol::Pb);
    assert_eq!(
        (settings.proxy, settings.path, settings.encoding),
        (None, None, None)
    );
    assert_eq!(settings.notes, [""; 0]);
    let log = LogTarget::File {
        path: directory.join("twistd.log"),
        rotation: Rotation {
            length: Some(5000),
            files: Some(3),
        },
    };
    assert_eq!(settings.log, log);
}

#[test]
fn a_file_from_the_time_of_slaves_still_works() {
    let (directory, settings) = settings(SLAVE, &[]);
    assert_eq!(settings.name, "old-one");
    assert_eq!(settings.umask, Some(0o22));
    assert_eq!(settings.basedir, directory);
    assert_eq!(settings.allow_shutdown, None);
    assert_eq!(settings.keepalive, Some(Duration::from_secs(600)));
    assert!(matches!(settings.log, LogTarget::File { .. }));
}

#[test]
fn a_container_is_configured_by_its_environment() {
    let variables = [
        ("BUILDMASTER", "m.example.org"),
        ("BUILDMASTER_PORT", "1234"),
        ("WORKERNAME", "w"),
        ("WORKERPASS", "sekrit"),
        ("PATH", "/bin"),
    ];
    let (directory, settings) = settings(CONTAINER, &variables);
    assert_eq!(settings.master.to_string(), "m.example.org:1234");
    assert_eq!(settings.name, "w");
    assert_eq!(settings.password.expose(), "sekrit");
    assert_eq!(settings.basedir, directory);
    assert_eq!(settings.log, LogTarget::StandardOutput);
    assert_eq!(settings.delete_leftover_dirs, Fact::Bool(false));
    let names: Vec<_> = settings
        .environment
        .iter()
        .map(|(name, _)| name.to_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["BUILDMASTER", "BUILDMASTER_PORT", "WORKERNAME", "PATH"]
    );
}

#[test]
fn the_variable_that_holds_the_password_is_hidden_even_if_the_file_does_not() {
    let file = with_arguments("", "'h', 1, 'n', os.environ['MY_PW'].strip(), '.', 600");
    let (_, settings) = settings(&file, &[("MY_PW", "sekrit "), ("OTHER", "sekrit")]);
    let names: Vec<_> = settings
        .environment
        .iter()
        .map(|(name, _)| name.to_str().unwrap())
        .collect();
    assert_eq!(names, ["OTHER"]);
    assert_eq!(settings.notes.len(), 1);
    assert!(settings.notes[0].contains("MY_PW"));
    assert!(!format!("{settings:?}").contains("password: Secret(\"sekrit"));
}

#[test]
fn a_file_edited_over_the_years_works() {
    let directory = directory(EDITED.as_bytes());
    fs::write(directory.join("password.txt"), "from a file\n").unwrap();
    let settings = read_with(&directory, environment(&[("NUMBER", "7")])).unwrap();
    assert_eq!(settings.name, "builder-7");
    assert_eq!(settings.password.expose(), "from a file");
    let master = MasterAddress::Tcp {
        host: "master.example.org".to_owned(),
        port: 19989,
        tls: true,
    };
    assert_eq!(settings.master, master);
    assert_eq!(settings.keepalive, Some(Duration::from_millis(60_500)));
    assert_eq!(settings.cpus, Some(2));
    assert_eq!(settings.allow_shutdown, Some(AllowShutdown::File));
    assert!(settings.tells_variable("LC_ALL") && !settings.tells_variable("HOME"));
    assert_eq!(settings.log, LogTarget::Unset);
    let limits = settings.step_limits;
    assert_eq!((limits.nice, limits.core), (5, Some(1 << 20)));
    assert_eq!(settings.notes.len(), 1);
    assert!(
        settings.notes[0].contains("coracle_colour"),
        "{:?}",
        settings.notes
    );
}

#[test]
fn limits_of_steps_are_checked() {
    let read = |line: &str| {
        let file = format!(
            "{line}\n{}",
            with_arguments("", "'h', 1, 'n', 'p', '.', 600")
        );
        read_with(&directory(file.as_bytes()), Vec::new())
    };
    let limits = |line: &str| read(line).unwrap().step_limits;
    assert_eq!(
        limits("coracle_core_limit = 'unlimited'").core,
        Some(u64::MAX)
    );
    assert_eq!(limits("coracle_core_limit = 0").core, Some(0));
    assert_eq!(limits("coracle_core_limit = None").core, None);
    assert_eq!(limits("coracle_nice = 39").nice, 39);
    for wrong in [
        "coracle_nice = 40",
        "coracle_nice = -1",
        "coracle_nice = 'very'",
        "coracle_core_limit = -1",
    ] {
        let error = read(wrong).unwrap_err().to_string();
        assert!(error.contains(wrong.split(' ').next().unwrap()), "{error}");
    }
}

#[test]
fn windows_line_ends_tabs_and_a_byte_order_mark_do_not_matter() {
    let tabs = PLAIN.replace("    ", "\t").replace('\n', "\r\n");
    let bytes = [b"\xef\xbb\xbf", tabs.as_bytes()].concat();
    let settings = read_with(&directory(&bytes), Vec::new()).unwrap();
    assert_eq!(settings.name, "haiku-1");
}

#[test]
fn a_latin_1_file_with_a_cookie_is_read() {
    let file = with_arguments("", "'h', 1, 'n', 'p\u{e9}', '.', 600");
    let text = format!("# -*- coding: latin-1 -*-\n{file}");
    let bytes: Vec<u8> = text
        .chars()
        .map(|sign| u8::try_from(sign).unwrap())
        .collect();
    let settings = read_with(&directory(&bytes), Vec::new()).unwrap();
    assert_eq!(settings.password.expose(), "pé");
}

#[test]
fn a_connection_string_replaces_host_and_port() {
    let call = "None, None, 'n', 'p', '.', 0, connection_string='tls:h:9989'";
    let (_, settings) = settings(&with_arguments("", call), &[]);
    assert_eq!(
        settings.master,
        MasterAddress::Endpoint(Secret::new("tls:h:9989".to_owned()))
    );
    assert_eq!(settings.keepalive, None);
    let both = "'h', 1, 'n', 'p', '.', 0, connection_string='tls:h:9989'";
    assert_eq!(
        complaints(&with_arguments("", both), &[]),
        [
            "line 5: buildmaster_host must be None where there is a connection_string",
            "line 5: port must be None where there is a connection_string",
        ]
    );
    let proxy = format!("{call}, proxy_connection_string='tcp:p:3128'");
    assert_eq!(
        complaints(&with_arguments("", &proxy), &[]),
        [
            "line 5: proxy_connection_string does not go together with a connection string; \
             give host and port"
        ]
    );
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    assert_eq!(
        complaints(&with_arguments("", ""), &[]),
        ["line 5: Worker(...) is not told buildmaster_host, port, workername, passwd, basedir"]
    );
    assert_eq!(
        complaints(CONTAINER, &[]),
        ["line 18: passwd is None or empty; set WORKERPASS in the worker's environment"]
    );
}

#[test]
fn everything_that_is_wrong_is_told_with_its_line() {
    let before = "\
host = 5
port = 'abc'
keepalive = -1
umask = '022'
numcpus = 0
protocol = 'smtp'
tls = 'yes'
";
    let call = "host, port, 'n', ['p'], '.', keepalive, umask=umask, numcpus=numcpus, \
                protocol=protocol, useTls=tls, frob=1, usepty=0, allow_shutdown='now', \
                maxRetries=1.5, maxdelay='x'";
    assert_eq!(
        complaints(&with_arguments(before, call), &[]),
        [
            "line 4: buildmaster_host must be text, not a whole number",
            "line 5: port must be a number from 1 to 65535, not a text that is none",
            "line 6: keepalive must be None or seconds, at least 0, not -1",
            "line 7: umask must be None or a whole number, 0 to 0o777, not text",
            "line 8: numcpus must be None or a whole number, at least 1, not 0",
            "line 9: protocol must be 'pb' or 'msgpack_experimental_v7'",
            "line 10: use_tls must be True or False, not text",
            "line 12: Worker has no argument frob",
            "line 12: passwd must be text, not a list",
            "line 12: maxdelay must be None or seconds, at least 0, not text",
            "line 12: maxretries must be None or a whole number, at least 0, not a number with a fraction",
            "line 12: allow_shutdown must be None, 'signal' or 'file'",
        ]
        .map(|line| line.replace("not a number with a fraction", "not 1.5"))
    );
}

#[test]
fn what_cannot_be_evaluated_is_told_with_the_supported_forms() {
    let file = with_arguments(
        "import vault\npasswd = vault.read('s3cret')[0]\nunused = vault.other()",
        "'h', vault.PORT, 'n', passwd, '.', 600",
    );
    let complaints = complaints(&file, &[]);
    assert_eq!(
        complaints[..2],
        [
            "line 5: passwd cannot be evaluated: `vault.read('...')`: the function vault.read is \
             not one of those that are supported",
            "line 7: port cannot be evaluated: `vault.PORT` is in another file or module",
        ]
    );
    assert!(complaints[2].starts_with("supported are literals"));
    assert_eq!(complaints.len(), 3);
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let file = with_arguments("", "'h', os.environ['PORT'], 'n', 'p', '.', 600");
    let complaints = complaints(&file, &[]);
    assert!(
        complaints[0].contains("PORT is not set in the environment"),
        "{complaints:?}"
    );
}

#[test]
fn the_password_is_in_no_message_whatever_is_wrong() {
    let calls = [
        "'h', 1, 's3cret', 5, '.', 600",
        "'h', 's3cret', 'n', '.', 600",
        "'h', 1, 'n', 's3cret', '/nonexistent', 600",
        "'h', 1, 'n', frob('s3cret'), '.', 600",
        "'h', 1, 'n', 's3cret' + 5, '.', 600",
        "'h', 1, 'n', 's3cret'.frob(), '.', 600",
        "'h', 1, 'n', passwd='s3cret', basedir='.', keepalive='s3cret', protocol='s3cret'",
        "*frob('s3cret')",
        "'h', 1, 'n', f\"{frob('s3cret')}\", '.', 600",
        "'h', 1, 'n', {'s3cret': 1}['x'], '.', 600",
        "'h', 1, 'n', 's3cret' if frob() else '', '.', 600",
        "'h', 1, 'n', int('s3cret'), '.', 600",
        "'h', 1, 'n', 's3cret' % 5, '.', 600",
        "'h', 1, 'n', 's3cret, '.', 600",
        "'h', 1, 'n', 's3cret' 600",
    ];
    for call in calls {
        for text in complaints(&with_arguments("", call), &[]) {
            assert!(!text.contains("s3cret"), "{call}: {text}");
        }
    }
}

#[test]
fn a_file_without_a_worker_or_with_two_is_refused() {
    let none = "application = service.Application('buildbot-worker')\n";
    assert!(complaints(none, &[])[0].starts_with("there is no call of Worker(...)"));
    let call = "'h', 1, 'n', 'p', '.', 600";
    let two = with_arguments(&format!("a = Worker({call})"), call);
    assert_eq!(
        complaints(&two, &[]),
        ["line 5: a second Worker(...); a base directory is for one worker"]
    );
    let perhaps = with_arguments("", call).replace("s = Worker", "if frob():\n    s = Worker");
    let complaints = complaints(&perhaps, &[]);
    assert!(
        complaints
            .iter()
            .any(|line| line.contains("depends on `frob`")),
        "{complaints:?}"
    );
}

#[test]
fn a_base_directory_elsewhere_is_used_and_said() {
    let elsewhere = directory(b"");
    let call = format!("'h', '9989', 'n', 'p', '{}', 600", elsewhere.display());
    let (here, settings) = settings(&with_arguments("", &call), &[]);
    assert_eq!(settings.basedir, elsewhere);
    assert_eq!(settings.directory, here);
    assert!(settings.notes[0].contains(&elsewhere.display().to_string()));
    let missing = with_arguments(
        "basedir = '/nonexistent/place'",
        "'h', 1, 'n', 'p', basedir, 600",
    );
    assert_eq!(
        complaints(&missing, &[]),
        ["line 4: basedir is /nonexistent/place, which is no directory"]
    );
}

#[test]
fn a_setting_that_never_reaches_the_worker_is_noted() {
    let file = with_arguments("numcpus = 4", "'h', 1, 'n', 'p', '.', 600");
    let (_, settings) = settings(&file, &[]);
    assert_eq!(settings.cpus, None);
    assert!(settings.notes[0].contains("numcpus has no effect"));
}

#[test]
fn a_directory_that_is_no_workers_is_refused_in_the_known_words() {
    let directory = directory(b"some other file\n");
    let file = directory.join("buildbot.tac");
    let error = read_with(&directory, Vec::new()).unwrap_err().to_string();
    let expected = format!(
        "unexpected content in '{}'\ninvalid worker directory '{}'",
        file.display(),
        directory.display()
    );
    assert_eq!(error, expected);
    fs::remove_file(&file).unwrap();
    let error = read_with(&directory, Vec::new()).unwrap_err().to_string();
    let expected = format!(
        "error reading '{}': No such file or directory\ninvalid worker directory '{}'",
        file.display(),
        directory.display()
    );
    assert_eq!(error, expected);
}

#[test]
fn garbage_is_an_error_and_nothing_worse() {
    let marker = "Application('buildbot-worker')\n";
    let mut seed = 1_u32;
    for round in 0..300 {
        let mut bytes = marker.as_bytes().to_vec();
        for _ in 0..round * 3 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let signs = b"()[]{}'\"\\\n\t :=.,+-*%#0aifdefn@!lambda\xc3\xa4";
            bytes.push(signs[usize::try_from(seed >> 16).unwrap() % signs.len()]);
        }
        assert!(read_with(&directory(&bytes), Vec::new()).is_err());
    }
}

#[test]
fn every_beginning_and_every_mutilation_of_a_file_is_survived() {
    let place = directory(b"");
    let file = place.join("buildbot.tac");
    for end in 0..PLAIN.len() {
        fs::write(&file, &PLAIN[..end]).unwrap();
        let _ = read_with(&place, Vec::new()).map(|settings| settings.name);
    }
    for at in (0..EDITED.len()).filter(|at| EDITED.is_char_boundary(*at)) {
        let mutilated = format!("{}{}", &EDITED[..at], &EDITED[(at + 3).min(EDITED.len())..]);
        fs::write(&file, mutilated).unwrap();
        let _ = read_with(&place, Vec::new()).map(|settings| settings.name);
    }
}

#[test]
fn a_huge_file_is_refused() {
    let bytes = [
        b"Application('buildbot-worker')\n",
        vec![b'#'; 300_000].as_slice(),
    ]
    .concat();
    let error = read_with(&directory(&bytes), Vec::new()).unwrap_err();
    assert!(error.to_string().contains("larger than 256 KiB"));
}
