//! Sends a file to the master (PROTOCOL 6.10).

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ports::FileStat;

use super::blocks::Outbox;
use super::border::begun_character;
use super::exchange::{Abandoned, Exchange};
use super::outcome::Outcome;
use crate::calls::{Transfer, UploadFile};
use crate::steps::place::open_to_read;

/// Sends the file and everything that is to be said about it, but the exit code.
pub(super) fn send(
    arguments: &UploadFile,
    path: &Path,
    exchange: Exchange<'_>,
) -> Result<Outcome, Abandoned> {
    let opened = open(path);
    exchange
        .reporter
        .header(&format!("sending {}\n", path.display()));
    let mut outbox = Outbox::new(exchange, arguments.block_size, arguments.max_size);
    let mut outcome = match &opened {
        Ok((file, _)) => send_blocks(file, path, &mut outbox)?,
        Err(error) => {
            let path = path.display();
            log::warn!("cannot open {path} for upload: {error}");
            Outcome::trouble(format!("Cannot open file '{path}' for upload"))
        }
    };
    if let Some(words) = outbox.drain()? {
        outcome.refuse(words);
    }
    let mut exchange = outbox.exchange;
    if let Err(words) = exchange.call(Transfer::Close)? {
        outcome.refuse(words);
    }
    if let (true, Ok((_, stat))) = (arguments.keep_times, &opened) {
        let times = Transfer::SetTimes(seconds(stat.accessed), seconds(stat.modified));
        if let Err(words) = exchange.call(times)? {
            log::warn!("the master did not set the times of the upload: {words}");
        }
    }
    Ok(outcome)
}

/// Opens what can be read to an end without waiting for anybody.
fn open(path: &Path) -> io::Result<(File, FileStat)> {
    let stat = ports::stat(path, true)?;
    match stat.mode & 0o170_000 {
        0o040_000 => Err(io::ErrorKind::IsADirectory.into()),
        // It has no content of its own, and may never have an end.
        0o010_000 => Err(io::ErrorKind::Unsupported.into()),
        _ => Ok((open_to_read(path)?, stat)),
    }
}

fn send_blocks(file: &File, path: &Path, outbox: &mut Outbox<'_>) -> Result<Outcome, Abandoned> {
    let mut begun = Vec::new();
    loop {
        let next = outbox.next_size().and_then(|size| {
            let mut block = std::mem::take(&mut begun);
            let wanted = size.saturating_sub(block.len());
            block.reserve_exact(wanted);
            let read = file.take(wanted as u64).read_to_end(&mut block);
            if block.len() == size {
                let cut = block.len() - begun_character(&block);
                if cut > 0 {
                    begun = block.split_off(cut);
                }
            }
            if !block.is_empty() {
                outbox.send(block)?;
            }
            Ok(read.map(|count| count < wanted))
        });
        match next {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => return Ok(Outcome::done()),
            Ok(Err(error)) => {
                let (path, reason) = (path.display(), ports::words_of(&error));
                return Ok(Outcome::trouble(format!(
                    "Cannot read file '{path}': {reason}"
                )));
            }
            Err(halt) => return halt.outcome(path),
        }
    }
}

/// As Python's `os.path.getmtime`.
fn seconds((seconds, nanoseconds): (i64, u32)) -> f64 {
    // Rounded to what a float can hold, as there.
    seconds as f64 + f64::from(nanoseconds) * 1e-9
}
