//! Runs one hot path so many times, so that `ci/bench --check` can count its instructions: the same
//! input gives the same number whatever the machine does meanwhile.
//!
//!     hot_paths NAME COUNT
#![allow(clippy::unwrap_used, clippy::panic)]

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;

use coracle::calls::{Lines, StepEvent, StepId, Update};
use coracle::session::pb::{Login, PbSession};
use coracle::steps::{TextEncoding, report_output};
use coracle::wire::banana::{Decoder, encode};
use coracle::wire::jelly::Value;

const READ: usize = 64 * 1024;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, count] = words.as_slice() else {
        panic!("give the name of a path and a count")
    };
    let count: usize = count.parse().unwrap();
    match name.as_str() {
        "short lines" => split(count, "test_dict ... ok\nlib/größe.c: a warning\n", "utf-8"),
        "long lines" => split(count, "words without an end ", "utf-8"),
        "progress" => split(count, " 12% of it\r", "utf-8"),
        "invalid bytes" => split(count, "\u{0}", "ascii"),
        "latin-1" => split(count, "words of a line\n", "latin-1"),
        "updates out" => updates_out(count),
        "calls in" => calls_in(count),
        other => panic!("no path is called {other}"),
    }
}

/// Decodes, splits and batches 64 KiB at a time.
fn split(count: usize, text: &str, encoding: &str) {
    let bytes = text.repeat(READ / text.len() + 1);
    let bytes = if encoding == "ascii" {
        vec![0xff; READ]
    } else {
        bytes.into_bytes()
    };
    let reads = std::iter::repeat_n(&bytes[..READ], count);
    let post = |event: StepEvent| drop(black_box(event));
    report_output(
        reads,
        TextEncoding::named(encoding).unwrap(),
        Box::new(post),
    );
}

/// Encodes updates of 64 KiB.
fn updates_out(count: usize) {
    let login = Login {
        name: "box".to_owned(),
        password: "sekrit".to_owned(),
    };
    let mut session = PbSession::new(login, StepId(1));
    attach(&mut session);
    let lines = Lines {
        text: "x".repeat(READ),
        times: Vec::new(),
    };
    let updates = [Update::Stdout(lines)];
    for _ in 0..count {
        session.update(StepId(1), black_box(&updates), READ);
        assert!(session.outgoing().len() > READ, "an update was written");
        session.outgoing().clear();
    }
}

/// Far enough that a step can speak: greeting, login, and one command.
fn attach(session: &mut PbSession) {
    let mut bytes = b"\x02\x80\x02\x82pb\x04\x82none".to_vec();
    encode(&mut bytes, |out| {
        out.list(2);
        out.bytes(b"version");
        out.int(6);
    })
    .unwrap();
    let challenge = Value::Bytes(b"0123456789abcdef".to_vec());
    answer(
        &mut bytes,
        1,
        &Value::Tuple(vec![challenge, Value::Remote(1)]),
    );
    answer(&mut bytes, 2, &Value::Remote(2));
    let builder = Value::Tuple(vec![text("b"), text("dir")]);
    call(
        &mut bytes,
        1,
        1,
        "setBuilderList",
        vec![Value::List(vec![builder])],
    );
    session.receive(&bytes).unwrap();
    let mut reply = None;
    while let Some(event) = session.next_event() {
        if let coracle::session::pb::Event::Call(coracle::calls::MasterCall::SetBuilderList {
            reply: to,
            builders,
        }) = event
        {
            reply = Some((to, builders.into_iter().map(|(name, _)| name).collect()));
        }
    }
    let (to, builders) = reply.unwrap();
    session.answer(to, coracle::calls::Answer::Builders(builders));
    let mut bytes = Vec::new();
    call(&mut bytes, 2, 2, "startCommand", start_command());
    session.receive(&bytes).unwrap();
    while session.next_event().is_some() {}
    session.outgoing().clear();
}

/// Decodes what a master sends for a step, and its answers.
fn calls_in(count: usize) {
    let mut bytes = Vec::new();
    call(&mut bytes, 7, 2, "startCommand", start_command());
    for request in 0..8 {
        answer(&mut bytes, request, &Value::Int(0));
    }
    let seen = Rc::new(Cell::new(0));
    let mut decoder = Decoder::new();
    decoder.allow_words();
    for _ in 0..count {
        let mut rest = bytes.as_slice();
        while let Some(item) = decoder.next(&mut rest).unwrap() {
            black_box(item);
            seen.set(seen.get() + 1);
        }
    }
    assert_eq!(seen.get(), 9 * count);
}

fn start_command() -> Vec<Value> {
    let arguments = Value::Dict(vec![
        (text("workdir"), text("build")),
        (text("command"), text("make -j4 all")),
        (text("want_stdout"), Value::Int(1)),
        (text("want_stderr"), Value::Int(1)),
        (text("logfiles"), Value::Dict(Vec::new())),
        (text("timeout"), Value::Int(1200)),
        (text("usePTY"), Value::Bool(false)),
    ]);
    vec![Value::Remote(9), text("1"), text("shell"), arguments]
}

fn answer(bytes: &mut Vec<u8>, request: i64, value: &Value) {
    encode(bytes, |out| {
        out.list(3);
        out.bytes(b"answer");
        out.int(request);
        out.value(value);
    })
    .unwrap();
}

fn call(bytes: &mut Vec<u8>, request: i64, object: i64, method: &str, arguments: Vec<Value>) {
    encode(bytes, |out| {
        out.list(7);
        out.bytes(b"message");
        out.int(request);
        out.int(object);
        out.bytes(method.as_bytes());
        out.int(1);
        out.value(&Value::Tuple(arguments));
        out.value(&Value::Dict(Vec::new()));
    })
    .unwrap();
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
