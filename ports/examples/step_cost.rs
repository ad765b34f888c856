//! What it costs to start and end a step: `cargo run --release -p ports --example step_cost`.
//!
//! For comparison the same program is also run by the standard library, which contains nothing.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ports::{ProcessSpec, Source};

const ROUNDS: u32 = 500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words = [OsString::from("/bin/true")];
    for terminal in [false, true] {
        let spec = ProcessSpec {
            words: &words,
            env: &[],
            directory: Path::new("/"),
            terminal,
        };
        let (mut started, mut exited, mut ended) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            let mut process = ports::start(&spec).map_err(|error| error.error)?;
            started += begin.elapsed();
            while process.exited().is_none() {
                ports::wait(&[Source::Exit(&process)], None)?;
            }
            exited += begin.elapsed();
            process.end(Instant::now() + Duration::from_secs(10));
            ended += begin.elapsed();
        }
        let kind = if terminal { "terminal" } else { "pipes" };
        println!(
            "{kind}: started {:?}, exited {:?}, ended {:?}",
            started / ROUNDS,
            exited / ROUNDS,
            ended / ROUNDS
        );
    }
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        Command::new("/bin/true").env_clear().output()?;
    }
    println!("standard library: {:?}", begin.elapsed() / ROUNDS);
    Ok(())
}
