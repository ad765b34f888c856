//! `coracle doctor --login`: masters that let us in, refuse, hang up, or are none.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use coracle::wire::jelly::Value as Jelly;
use serde_json::Value;

use super::fake_master::{FakeMaster, Message};
use super::{Machine, check};

/// What a master answers to the password.
#[derive(Clone, Copy)]
enum Answer {
    LetIn,
    Error(&'static str, &'static str),
}

const UNAUTHORIZED: &str = "twisted.cred.error.UnauthorizedLogin";

/// Plays a master up to its answer, on the first connection.
fn master(answer: Answer) -> u16 {
    serve(move |mut stream| {
        let mut master = FakeMaster::new();
        master.greet();
        let mut buffer = [0; 4096];
        loop {
            stream.write_all(&master.bytes).unwrap();
            master.bytes.clear();
            let count = stream.read(&mut buffer).unwrap_or(0);
            if count == 0 {
                return;
            }
            for message in master.read(&buffer[..count]) {
                let Message::Call {
                    request,
                    method,
                    arguments,
                    ..
                } = message
                else {
                    continue;
                };
                match (method.as_str(), answer) {
                    ("login", _) => {
                        let challenge = Jelly::Bytes(vec![7; 16]);
                        let asked = Jelly::Tuple(vec![challenge, Jelly::Remote(1)]);
                        master.answer(request, &asked);
                    }
                    ("respond", Answer::LetIn) => {
                        assert_eq!(arguments.len(), 2);
                        master.answer(request, &Jelly::Remote(2));
                    }
                    ("respond", Answer::Error(kind, message)) => {
                        master.error(request, kind, message);
                    }
                    (other, _) => panic!("the worker called {other}"),
                }
            }
        }
    })
}

/// Serves one connection; returns the port.
fn serve(with: impl FnOnce(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || with(listener.accept().unwrap().0));
    port
}

/// The checks with the base directory of a worker for that port.
fn report(host: &str, port: u16, more: &str) -> (Machine, Value) {
    let machine = Machine::new();
    let basedir = machine.scratch.path().join("worker");
    fs::create_dir(&basedir).unwrap();
    let tac = format!(
        "# Application('buildbot-worker')\nWorker('{host}', {port}, 'board', 'sekrit', '.', 60{more})\n"
    );
    fs::write(basedir.join("buildbot.tac"), tac).unwrap();
    ports::set_mode(&basedir.join("buildbot.tac"), 0o600).unwrap();
    let report = machine.json(&["--login", basedir.to_str().unwrap()]);
    let text = report.to_string();
    assert!(!text.contains("sekrit"), "{text}");
    (machine, report)
}

fn login(port: u16) -> (String, String) {
    let (_machine, report) = report("127.0.0.1", port, "");
    assert_eq!(check(&report, "password")["verdict"], "ok");
    let login = check(&report, "login");
    let text = |key: &str| login[key].as_str().unwrap().to_owned();
    (text("verdict"), text("saw"))
}

#[test]
fn a_master_that_lets_us_in_is_fine() {
    let (verdict, saw) = login(master(Answer::LetIn));
    assert_eq!(verdict, "ok", "{saw}");
    assert!(saw.contains("let board in after"), "{saw}");
}

#[test]
fn a_wrong_password_is_told() {
    let (verdict, saw) = login(master(Answer::Error(UNAUTHORIZED, "")));
    assert_eq!(verdict, "missing");
    assert!(
        saw.contains("name or password is wrong (name board)"),
        "{saw}"
    );
}

#[test]
fn a_second_worker_of_that_name_is_told() {
    let answer = Answer::Error("builtins.RuntimeError", "rejecting duplicate worker");
    let (verdict, saw) = login(master(answer));
    assert_eq!(verdict, "warning");
    assert!(saw.contains("a worker board is connected already"), "{saw}");
}

#[test]
fn another_refusal_is_told_in_the_masters_words() {
    let (verdict, saw) = login(master(Answer::Error("builtins.KeyError", "out of order")));
    assert_eq!(verdict, "missing");
    assert!(
        saw.ends_with("refused the login: builtins.KeyError: out of order"),
        "{saw}"
    );
}

#[test]
fn a_closed_port_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (verdict, saw) = login(port);
    assert_eq!(verdict, "missing");
    assert!(saw.starts_with("refused: "), "{saw}");
}

#[test]
fn an_unknown_host_is_a_name_look_up() {
    let (_machine, report) = report("no-such-host.invalid", 9989, "");
    let login = check(&report, "login");
    assert_eq!(login["verdict"], "missing");
    assert!(login["saw"].as_str().unwrap().starts_with("name look-up: "));
}

#[test]
fn something_that_is_no_master_is_told() {
    let port = serve(|mut stream| {
        stream
            .write_all(
                b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html>",
            )
            .unwrap();
        let _ = stream.read(&mut [0; 64]);
    });
    let (verdict, saw) = login(port);
    assert_eq!(verdict, "missing");
    assert!(saw.contains("but not as a master"), "{saw}");
    assert!(saw.contains("does it want TLS?"), "{saw}");
}

#[test]
fn a_master_that_hangs_up_is_told() {
    let (verdict, saw) = login(serve(drop));
    assert_eq!(verdict, "missing");
    assert!(saw.contains("lost it before the answer"), "{saw}");
}

#[test]
fn what_cannot_be_tried_is_said() {
    let (_machine, report) = report("127.0.0.1", 1, ", protocol='msgpack_experimental_v7'");
    assert_eq!(check(&report, "login")["verdict"], "warning");
}

#[test]
fn a_password_that_others_can_read_is_told() {
    let machine = Machine::new();
    let basedir = machine.scratch.path().join("worker");
    fs::create_dir(&basedir).unwrap();
    let tac = "# Application('buildbot-worker')\nWorker('127.0.0.1', 1, 'a', 'b', '.', 60)\n";
    let file = basedir.join("buildbot.tac");
    fs::write(&file, tac).unwrap();
    ports::set_mode(&file, 0o644).unwrap();
    let report = machine.json(&["--login", basedir.to_str().unwrap()]);
    let password = check(&report, "password");
    assert_eq!(password["verdict"], "warning");
    let remedy = password["remedy"].as_str().unwrap();
    assert_eq!(remedy, format!("chmod 600 {}", file.display()));
    let missing = machine.json(&["--login", "/no/such/worker"]);
    assert_eq!(check(&missing, "base directory")["verdict"], "missing");
}
