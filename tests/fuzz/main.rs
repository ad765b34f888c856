//! Random input against everything that reads what a master sends. The cases are the same in every
//! run; `FUZZ_CASES` sets how many there are, `FUZZ_SEED` makes them others.

mod grammar;
mod random;
#[allow(dead_code)]
#[path = "../vectors/recording.rs"]
mod recording;

use coracle::session::msgpack::fuzz_msgpack;
use coracle::session::pb::fuzz_conversation;
use coracle::wire::{fuzz_messages, fuzz_values};
use grammar::{builders, message, value};
use random::Random;
use recording::From;

/// Runs so many cases; each has a source of randomness of its own, so that one can be run again alone.
fn cases(usual: u64, mut case: impl FnMut(&mut Random)) {
    let setting = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seed = setting("FUZZ_SEED").unwrap_or(1);
    for number in 0..setting("FUZZ_CASES").unwrap_or(usual) {
        // Shown if the case fails.
        println!("FUZZ_SEED={seed} case {number}");
        case(&mut Random::new(
            seed.wrapping_mul(1 << 32).wrapping_add(number),
        ));
    }
}

#[test]
fn random_bytes_are_values_or_an_error() {
    cases(5000, |random| {
        let bytes = random.bytes(200);
        fuzz_values(&bytes);
    });
}

#[test]
fn random_elements_are_values_or_an_error() {
    // Mostly small prefixes and valid types, so that lists are completed.
    cases(5000, |random| {
        let mut bytes = Vec::new();
        for _ in 0..random.below(100) {
            bytes.push(u8::try_from(random.below(6)).expect("small"));
            bytes.push(0x80 + u8::try_from(random.below(9)).expect("small"));
        }
        fuzz_values(&bytes);
    });
}

#[test]
fn random_values_round_trip() {
    cases(3000, |random| {
        let mut bytes = Vec::new();
        value(random, 6, &mut bytes);
        fuzz_values(&bytes);
    });
}

#[test]
fn random_messages_get_an_answer_or_an_error() {
    cases(3000, |random| {
        // Attached, or somewhere before.
        let start = if random.below(8) == 0 {
            random.below(5)
        } else {
            4
        };
        let mut bytes = vec![u8::try_from(start).expect("small")];
        builders(random, &mut bytes);
        for _ in 0..=random.below(12) {
            message(random, &mut bytes);
        }
        fuzz_conversation(&bytes);
    });
}

#[test]
fn mutated_recordings_get_an_answer_or_an_error() {
    let streams: Vec<Vec<u8>> = recording::all()
        .iter()
        .map(|recording| {
            recording
                .units
                .iter()
                .filter(|unit| unit.connection == 1 && unit.from == From::Master)
                .flat_map(|unit| unit.bytes.clone())
                .collect()
        })
        .collect();
    cases(3000, |random| {
        let stream = &streams[random.below(streams.len())];
        // From the very beginning.
        let mut bytes = vec![0];
        bytes.extend(stream);
        for _ in 0..=random.below(4) {
            random.mutate(&mut bytes, 1);
        }
        fuzz_conversation(&bytes);
        fuzz_values(&bytes[1..]);
    });
}

/// What recorded masters say in MessagePack over WebSocket behind the handshake.
fn message_streams() -> Vec<Vec<u8>> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/msgpack");
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .expect("tests/vectors/msgpack can be read")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("the recording can be read");
            text.lines()
                .map(|line| serde_json::from_str(line).expect("a line is JSON"))
                .filter(|unit: &serde_json::Value| unit["dir"] == "m->w" && unit["ws"].is_object())
                .filter_map(|unit| unit["hex"].as_str().map(recording::hex))
                .flatten()
                .collect()
        })
        .filter(|stream: &Vec<u8>| !stream.is_empty())
        .collect()
}

#[test]
fn random_frames_are_messages_or_an_error() {
    cases(5000, |random| {
        let mut bytes = random.bytes(200);
        fuzz_messages(&bytes);
        fuzz_msgpack(&bytes);
        // A legal frame around them.
        bytes.truncate(125);
        let length = u8::try_from(bytes.len()).expect("small");
        let frame = [&[1, 0x82, length][..], &bytes].concat();
        fuzz_messages(&frame[1..]);
        fuzz_msgpack(&frame);
    });
}

#[test]
fn mutated_message_recordings_get_an_answer_or_an_error() {
    let streams = message_streams();
    assert!(streams.len() >= 8, "recordings are missing");
    cases(3000, |random| {
        let stream = &streams[random.below(streams.len())];
        let mut bytes = vec![1];
        bytes.extend(stream);
        for _ in 0..=random.below(4) {
            random.mutate(&mut bytes, 1);
        }
        fuzz_msgpack(&bytes);
        fuzz_messages(&bytes[1..]);
    });
}
