//! Random input against everything that reads what a master sends. The cases are the same in every
//! run; `FUZZ_CASES` sets how many there are, `FUZZ_SEED` makes them others.

mod grammar;
mod random;
#[allow(dead_code)]
#[path = "../vectors/recording.rs"]
mod recording;

use coracle::session::pb::fuzz_conversation;
use coracle::wire::fuzz_values;
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
