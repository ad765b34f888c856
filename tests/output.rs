//! Whatever a program prints and however it is cut into reads: what is reported is what a simple
//! program makes of all of it at once.
//!
//! A million cases take some minutes:
//!
//!     CORACLE_CASES=1000000 cargo test --release --test output
//!
//! `CORACLE_SEED=N` begins with another case; a failure names the seed of its case.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::mpsc;

use coracle::calls::{StepEvent, Update};
use coracle::steps::{TextEncoding, report_output};
use fastrand::Rng;

/// Most characters of a line, without its newline (PROTOCOL 6.2.9).
const LONGEST_LINE: usize = 4095;
/// Most characters of a cursor sequence that ends a line.
const LONGEST_SEQUENCE: usize = 32;

const PARTS: &[&[u8]] = &[
    b"\n",
    b"\r",
    b"\r\n",
    b"\x08",
    b"\x08\x08\x08",
    b"\x1b",
    b"\x1b[",
    b"\x1b[u",
    b"\x1b[2J",
    b"\x1b[12;2H",
    b"\x1b[1;1f",
    b"\x1b[31m",
    b"\x1b[1111111111111111;1111111111111111H",
    b"[",
    b"2",
    b";",
    b"J",
    b"H",
    b"words of a line ",
    b"100%\r",
    b"\0",
    "é".as_bytes(),
    "€".as_bytes(),
    "😀".as_bytes(),
    // Cut off, overlong, out of range, a surrogate, never a byte of UTF-8.
    b"\xc3",
    b"\xf0\x9f\x98",
    b"\xc0\xaf",
    b"\xf4\x90\x80\x80",
    b"\xed\xa0\x80",
    b"\xff",
    // Half a character of EUC-JP, and a whole one.
    b"\xc6",
    b"\xc6\xfc",
];

#[test]
fn random_output_in_random_reads_is_reported_without_loss() {
    let number = |name: &str, default: u64| {
        let given = std::env::var(name).ok();
        given.map_or(default, |text| text.parse().unwrap())
    };
    let (seed, cases) = (number("CORACLE_SEED", 1), number("CORACLE_CASES", 3000));
    for seed in seed..seed + cases {
        case(seed);
    }
}

fn case(seed: u64) {
    let mut random = Rng::with_seed(seed);
    let name = match random.u8(..10) {
        0 => "latin-1",
        1 => "cp1252",
        2 => "ascii",
        3 => "euc-jp",
        _ => "utf-8",
    };
    let bytes = output(&mut random);
    let reads = reads(&mut random, &bytes);
    let mut cuts: Vec<usize> = Vec::new();
    for read in &reads {
        cuts.push(cuts.last().unwrap_or(&0) + read.len());
    }
    let reported = reported(&reads, TextEncoding::named(name).unwrap());
    let expected = expected(&decoded(name, &bytes), &backspace_runs(&bytes, &cuts));
    assert!(
        reported == expected,
        "seed {seed}, {name}: {bytes:?} in reads that end at {cuts:?}\n{reported:?}\n{expected:?}"
    );
}

fn output(random: &mut Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..random.usize(..30) {
        match random.u8(..40) {
            0 => {
                let letter = ["x", "é", "😀", "\u{8}x"][random.usize(..4)];
                let count = random.usize(..10_000) / letter.len();
                bytes.extend_from_slice(letter.repeat(count).as_bytes());
            }
            1 => {
                // A line of just about the longest length.
                let count = LONGEST_LINE * random.usize(1..3) + random.usize(..3) - 1;
                bytes.extend(std::iter::repeat_n(b'l', count));
            }
            2 => bytes.extend(std::iter::repeat_with(|| random.u8(..)).take(20)),
            _ => bytes.extend_from_slice(random.choice(PARTS).unwrap()),
        }
    }
    bytes
}

/// Cut anywhere, also within characters and into nothing.
fn reads<'a>(random: &mut Rng, mut bytes: &'a [u8]) -> Vec<&'a [u8]> {
    let most = [1, 3, 20, 5000, usize::MAX][random.usize(..5)];
    let mut reads = Vec::new();
    while !bytes.is_empty() {
        let (read, rest) = bytes.split_at(random.usize(..=bytes.len().min(most)));
        reads.push(read);
        bytes = rest;
    }
    reads
}

fn reported(reads: &[&[u8]], encoding: TextEncoding) -> String {
    let (sender, events) = mpsc::channel();
    let post = Box::new(move |event| sender.send(event).unwrap());
    report_output(reads.iter().copied(), encoding, post);
    let mut text = String::new();
    for event in events {
        let StepEvent::Updates { updates, .. } = event else {
            panic!("only output was reported, not {event:?}")
        };
        for update in updates {
            let Update::Stdout(lines) = update else {
                panic!("only output was reported, not {update:?}")
            };
            assert!(lines.text.ends_with('\n'), "whole lines only");
            assert!(lines.text.len() < 640 * 1024, "what the wire can carry");
            text.push_str(&lines.text);
        }
    }
    text
}

/// All of it at once.
fn decoded(name: &str, bytes: &[u8]) -> String {
    match name {
        "utf-8" => String::from_utf8_lossy(bytes).into_owned(),
        "latin-1" => bytes.iter().copied().map(char::from).collect(),
        "ascii" => {
            let meaning = |&byte: &u8| match byte {
                0x80.. => char::REPLACEMENT_CHARACTER,
                byte => char::from(byte),
            };
            bytes.iter().map(meaning).collect()
        }
        "cp1252" => encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(bytes)
            .0
            .replace(|c| matches!(c, '\u{80}'..='\u{9f}'), "\u{fffd}"),
        "euc-jp" => {
            let text = encoding_rs::EUC_JP.decode_without_bom_handling(bytes).0;
            text.into_owned()
        }
        other => panic!("{other}"),
    }
}

/// How many line ends each backspace makes: a run of them is one, and each read begins a new run.
fn backspace_runs(bytes: &[u8], cuts: &[usize]) -> Vec<bool> {
    let mut ends = Vec::new();
    for (at, &byte) in bytes.iter().enumerate() {
        if byte == 8 {
            let goes_on = at > 0 && bytes[at - 1] == 8 && cuts.binary_search(&at).is_err();
            ends.push(!goes_on);
        }
    }
    ends
}

/// The lines of a text (PROTOCOL 6.2.9). `runs` says of each backspace whether it ends a line.
fn expected(text: &str, runs: &[bool]) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut runs = runs.iter();
    let mut lines = vec![Vec::new()];
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let (ends, length) = match rest {
            ['\u{8}', ..] => (*runs.next().unwrap(), 1),
            ['\r', '\n', ..] => (true, 2),
            ['\r' | '\n', ..] => (true, 1),
            ['\u{1b}', '[', ..] => match sequence(rest) {
                0 => (false, 0),
                length => (true, length),
            },
            _ => (false, 0),
        };
        if ends {
            lines.push(Vec::new());
        }
        if length == 0 {
            lines.last_mut().unwrap().push(rest[0]);
        }
        at += length.max(1);
    }
    // Only what is not empty is a last line without its end.
    if lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    let mut out = String::new();
    for line in lines {
        if line.is_empty() {
            out.push('\n');
        }
        for piece in line.chunks(LONGEST_LINE) {
            out.extend(piece);
            out.push('\n');
        }
    }
    out
}

/// The length of the cursor sequence at the beginning; 0 if there is none.
fn sequence(rest: &[char]) -> usize {
    let rest = &rest[..rest.len().min(LONGEST_SEQUENCE)];
    let text: String = rest.iter().collect();
    if text.starts_with("\u{1b}[u") {
        return 3;
    }
    if text.starts_with("\u{1b}[2J") {
        return 4;
    }
    let Some(end) = text.find(['H', 'f']) else {
        return 0;
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match text[2..end].split_once(';') {
        Some((row, column)) if is_number(row) && is_number(column) => end + 1,
        Some(_) | None => 0,
    }
}
