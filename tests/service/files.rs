//! Files that are data: unit, manifest, property list, crontab.

use std::fs;
use std::process::{Command, Stdio};

use super::scratch::Scratch;
use super::{ODD, Recorder, SYSTEMS, coracle, has_tool, service, stderr, stdout};

#[test]
fn every_system_takes_odd_names_or_says_why_not() {
    for (system, _) in SYSTEMS {
        for name in ODD {
            let basedir = format!("/srv/{name}");
            let refused = match *system {
                "systemd" => name.ends_with([' ', '\\']),
                _ => false,
            };
            match service(system, &basedir, "/opt/coracle") {
                Ok(_) => assert!(!refused, "{system} took {name}"),
                Err(why) => {
                    assert!(refused, "{system} refused {name}: {why}");
                    assert!(why.contains(&basedir), "{why}");
                }
            }
        }
    }
}

#[test]
fn what_no_format_can_hold_is_refused_in_one_line() {
    for (system, _) in SYSTEMS {
        for name in ["new\nline", "tab\tstop", "bell\u{7}", "next\u{85}line"] {
            let why = service(system, &format!("/srv/{name}"), "/opt/coracle").unwrap_err();
            assert_eq!(why.trim_end().lines().count(), 1, "{why}");
            assert!(why.contains("control character"), "{why}");
            let why = service(system, "/srv/w", &format!("/opt/{name}")).unwrap_err();
            assert!(why.contains("the program"), "{why}");
        }
    }
    assert!(
        service("systemd", "/srv/w", "/opt/it's")
            .unwrap_err()
            .contains("quote")
    );
    assert!(
        service("systemd", "/srv/w ", "/opt/x")
            .unwrap_err()
            .contains("blank")
    );
    assert!(
        service("haiku", "/srv/$HOME/w", "/opt/x")
            .unwrap_err()
            .contains("$HOME")
    );
}

/// The values of a setting of a unit.
fn settings<'a>(unit: &'a str, name: &str) -> Vec<&'a str> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    lines
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value)
        .collect()
}

/// A command line as systemd.service(5) says it is read: words, quotes, `\`, `%%`, `$$`.
fn unit_words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut letters = line.chars().peekable();
    while let Some(first) = letters.next() {
        match first {
            ' ' => continue,
            '"' => {
                let mut word = String::new();
                loop {
                    match letters.next().expect("a closing quote") {
                        '"' => break,
                        '\\' => word.push(letters.next().unwrap()),
                        doubled @ ('%' | '$') if words.is_empty() && doubled == '$' => {
                            word.push('$')
                        }
                        doubled @ ('%' | '$') => {
                            assert_eq!(letters.next(), Some(doubled), "{line}");
                            word.push(doubled);
                        }
                        other => word.push(other),
                    }
                }
                words.push(word);
            }
            plain => {
                let mut word = String::from(plain);
                while let Some(letter) = letters.next_if(|letter| *letter != ' ') {
                    word.push(letter);
                }
                words.push(word);
            }
        }
    }
    words
}

#[test]
fn a_unit_starts_the_worker_in_the_foreground() {
    for name in ODD {
        let basedir = format!("/srv/{name}");
        let unit = service("systemd", &basedir, "/opt/a $b%/coracle").unwrap();
        let start = settings(&unit, "ExecStart");
        let expected = ["/opt/a $b%/coracle", "start", "--nodaemon", &basedir];
        assert_eq!(unit_words(start[0]), expected);
        let stop = settings(&unit, "ExecStop");
        let expected = ["stop", "--drain", "--timeout", "900", &basedir];
        assert_eq!(unit_words(stop[0])[1..], expected);
        let directory = settings(&unit, "WorkingDirectory")[0];
        assert_eq!(directory.replace("%%", "%"), basedir);
        assert_eq!(settings(&unit, "User"), ["daemon"]);
        assert_eq!(settings(&unit, "Restart"), ["always"]);
        assert_eq!(settings(&unit, "Type"), ["notify"]);
        assert_eq!(settings(&unit, "KillMode"), ["mixed"]);
        assert_eq!(settings(&unit, "OOMPolicy"), ["continue"]);
    }
}

#[test]
fn systemd_finds_nothing_wrong_with_a_unit() {
    if !has_tool("systemd-analyze") {
        return;
    }
    let scratch = Scratch::new("unit");
    let program = scratch.path().join("cor $a%c é");
    fs::copy(env!("CARGO_BIN_EXE_coracle"), &program).unwrap();
    for name in ODD {
        // Below /usr, so that the unit has all its lines.
        let unit = service(
            "systemd",
            &format!("/usr/{name}"),
            program.to_str().unwrap(),
        )
        .unwrap();
        let path = scratch.path().join("coracle-one.service");
        fs::write(&path, unit).unwrap();
        let mut verify = Command::new("systemd-analyze");
        let output = verify
            .arg("verify")
            .arg("--man=no")
            .arg(&path)
            .output()
            .unwrap();
        let said = stderr(&output);
        assert!(output.status.success(), "{name}: {said}");
        assert!(!said.contains("coracle-one"), "{name}: {said}");
    }
}

/// Text of XML as it was meant.
fn unescaped(text: &str) -> String {
    let pairs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ];
    pairs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The values of an attribute, in order.
fn attributes(xml: &str, name: &str) -> Vec<String> {
    let start = format!(" {name}=\"");
    let values = xml
        .split(&start)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    values.map(unescaped).collect()
}

#[test]
fn the_methods_of_a_manifest_have_the_right_words() {
    let recorder = Recorder::new("c'or %s a&<cle");
    for name in ODD {
        let basedir = format!("/srv/{name}");
        let xml = service("illumos", &basedir, recorder.program()).unwrap();
        let methods = attributes(&xml, "exec");
        let words: [&[&str]; 2] = [&["start", "--nodaemon", &basedir], &["stop", &basedir]];
        assert_eq!(methods.len(), words.len());
        for (method, words) in methods.iter().zip(words) {
            // smf_method(7): %% is %, and the words are those of `sh -c`, with exec in front.
            let line = format!("exec {}", method.replace("%%", "%"));
            assert!(
                Command::new("sh")
                    .args(["-c", &line])
                    .status()
                    .unwrap()
                    .success()
            );
            assert_eq!(recorder.words(), words);
        }
        assert_eq!(attributes(&xml, "working_directory"), [basedir]);
        assert_eq!(attributes(&xml, "user"), ["daemon"]);
    }
}

#[test]
fn a_manifest_has_the_elements_of_its_format_in_their_order() {
    let xml = service("illumos", "/srv/w", "/opt/coracle").unwrap();
    // service_bundle(5): what a service consists of.
    let order = [
        "<service_bundle ",
        "<service ",
        "<create_default_instance ",
        "<dependency ",
        "<method_context ",
        "<method_credential ",
        "<method_environment>",
        "<exec_method ",
        "<property_group ",
        "<stability ",
        "<template>",
        "<common_name>",
        "</service>",
    ];
    let at: Vec<usize> = order
        .iter()
        .map(|element| xml.find(element).unwrap())
        .collect();
    assert!(at.is_sorted(), "{at:?}");
    let names = attributes(&xml, "name");
    assert!(names.contains(&"application/coracle-one".to_owned()));
    assert!(xml.contains("name=\"duration\" type=\"astring\" value=\"child\""));
}

#[test]
fn manifests_and_property_lists_are_well_formed() {
    if !has_tool("xmllint") {
        return;
    }
    for system in ["illumos", "macos"] {
        for name in ODD {
            let xml = service(system, &format!("/srv/{name}"), "/opt/a&b<c").unwrap();
            let scratch = Scratch::new("xml");
            let path = scratch.path().join("service.xml");
            fs::write(&path, xml).unwrap();
            let mut lint = Command::new("xmllint");
            // CORACLE_SMF_DTD: service_bundle.dtd.1, where somebody has it.
            match std::env::var("CORACLE_SMF_DTD") {
                Ok(dtd) if system == "illumos" => lint.args(["--noout", "--dtdvalid", &dtd]),
                Ok(_) | Err(_) => lint.args(["--noout", "--nonet"]),
            };
            let output = lint.arg(&path).output().unwrap();
            assert!(output.status.success(), "{name}: {}", stderr(&output));
        }
    }
}

#[test]
fn launchd_gets_the_right_words() {
    for name in ODD {
        let basedir = format!("/srv/{name}");
        let plist = service("macos", &basedir, "/opt/a&b's <c>").unwrap();
        let strings: Vec<String> = plist
            .split("<string>")
            .skip(1)
            .map(|rest| unescaped(rest.split("</string>").next().unwrap()))
            .collect();
        let expected = [
            "coracle.one",
            "/opt/a&b's <c>",
            "start",
            "--nodaemon",
            &basedir,
        ];
        assert_eq!(strings[..5], expected);
        assert_eq!(strings[5..7], ["daemon", &basedir]);
    }
}

#[test]
fn a_reader_of_property_lists_understands_ours() {
    if !has_tool("python3") {
        return;
    }
    let basedir = "/srv/a & <b> 'c' \"d\" % $e é";
    let plist = service("macos", basedir, "/opt/cor&acle").unwrap();
    let read = "import plistlib, sys\n\
                p = plistlib.loads(sys.stdin.buffer.read())\n\
                assert p['RunAtLoad'] is True and p['KeepAlive'] is True\n\
                assert p['ExitTimeOut'] == 60 and p['UserName'] == 'daemon'\n\
                assert p['WorkingDirectory'] == p['ProgramArguments'][3]\n\
                sys.stdout.buffer.write('\\n'.join(p['ProgramArguments']).encode())\n";
    let mut python = Command::new("python3")
        .args(["-c", read])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = python.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, plist.as_bytes()).unwrap();
    drop(input);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let words = stdout(&output);
    let words: Vec<&str> = words.lines().collect();
    assert_eq!(words, ["/opt/cor&acle", "start", "--nodaemon", basedir]);
}

#[test]
fn cron_gets_one_line_with_the_right_words() {
    let recorder = Recorder::new("c'or %s acle");
    for name in ODD {
        let basedir = format!("/srv/{name}");
        let words = [
            "service",
            "--for",
            "cron",
            "--program",
            recorder.program(),
            "--name",
            "one",
        ];
        let output = coracle(&[&words[..], &["--user", "daemon", &basedir]].concat());
        if name.contains('\\') {
            assert!(stderr(&output).contains("backslash"), "{name}");
            continue;
        }
        let text = stdout(&output);
        let line = text.strip_suffix('\n').unwrap();
        let command = line.strip_prefix("@reboot ").unwrap();
        // crontab(5): a % that is not escaped ends the command.
        assert!(!command.replace("\\%", "").contains('%'));
        let command = command.replace("\\%", "%");
        assert!(
            Command::new("sh")
                .args(["-c", &command])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(recorder.words(), ["start", "-q", &basedir]);
    }
}
