//! Sends a directory to the master as an archive (PROTOCOL 6.11).

use std::io;
use std::path::Path;

use super::archive::{Archive, Written};
use super::blocks::{BlockWriter, Outbox};
use super::exchange::{Abandoned, Exchange};
use super::outcome::Outcome;
use super::tree::{Kind, Member, Tree, Unreadable};
use crate::calls::{Compression, Transfer, UploadDirectory};
use crate::steps::files::errors::number;
use crate::steps::place::open_to_read;
use crate::steps::quote::text_repr;

/// Sends the archive and everything that is to be said about it, but the exit code.
///
/// The archive is never on disk: it is made while it is sent. Therefore everything is opened once
/// before, for what cannot be read fails the upload before it begins.
pub(super) fn send(
    arguments: &UploadDirectory,
    path: &Path,
    mut exchange: Exchange<'_>,
) -> Result<Outcome, Abandoned> {
    if let Some(unreadable) = first_unreadable(path, &mut exchange)? {
        return Ok(Outcome::trouble(cannot_read(path, &unreadable)));
    }
    exchange
        .reporter
        .header(&format!("sending {}\n", path.display()));
    let mut outbox = Outbox::new(exchange, arguments.block_size, arguments.max_size);
    let mut halt = None;
    let writer = BlockWriter::new(&mut outbox, &mut halt);
    let packed = pack(path, writer, arguments.compression);
    let mut outcome = match (halt, packed) {
        (Some(halt), _) => halt.outcome(path)?,
        (None, Ok(true)) => Outcome::done(),
        // What happened was said on the way.
        (None, Ok(false)) => Outcome::trouble(String::new()),
        (None, Err(error)) => Outcome::trouble(format!(
            "Cannot pack directory '{}': {}",
            path.display(),
            ports::words_of(&error)
        )),
    };
    if let Some(words) = outbox.drain()? {
        outcome.refuse(words);
    }
    let interrupted = outbox.exchange.interrupted();
    // Also for an archive that is cut short, so that the master forgets it. Never close, which a
    // master's end for directories does not have.
    match outbox.exchange.call(Transfer::Unpack)? {
        Ok(_) => {}
        Err(words) if interrupted => log::info!("an interrupted upload was not unpacked: {words}"),
        Err(words) => outcome.refuse(words),
    }
    Ok(outcome)
}

/// What cannot be read in a tree; none also if the master does not want to know any more.
fn first_unreadable(
    root: &Path,
    exchange: &mut Exchange<'_>,
) -> Result<Option<Unreadable>, Abandoned> {
    for member in Tree::new(root) {
        exchange.look()?;
        if exchange.interrupted() {
            break;
        }
        let member = match member {
            Ok(member) => member,
            Err(unreadable) => return Ok(Some(unreadable)),
        };
        if member.kind != Kind::File {
            continue;
        }
        if let Err(error) = open_to_read(&member.path) {
            let path = member.path;
            return Ok(Some(Unreadable { path, error }));
        }
    }
    Ok(None)
}

/// PROTOCOL 6.11, with the error as Python shows it.
fn cannot_read(root: &Path, unreadable: &Unreadable) -> String {
    let Unreadable { path, error } = unreadable;
    let (root, number, reason) = (root.display(), number(error), ports::words_of(error));
    let path = text_repr(&path.to_string_lossy());
    format!("Cannot read directory '{root}' for upload: [Errno {number}] {reason}: {path}")
}

/// Writes the archive. Whether all of it was as it was on disk.
fn pack(root: &Path, writer: BlockWriter<'_, '_>, compression: Compression) -> io::Result<bool> {
    let mut archive = Archive::new(writer, compression);
    let mut whole = true;
    let mut complaints = 0_usize;
    for member in Tree::new(root) {
        let complaint = match member {
            Ok(member) => {
                let written = archive.add(&member)?;
                let (note, fine) = note(&member, written);
                whole &= fine;
                note
            }
            Err(Unreadable { path, error }) => {
                whole = false;
                Some(not_sent(&path, &error))
            }
        };
        if let Some(complaint) = complaint {
            complaints += 1;
            if complaints <= MOST_COMPLAINTS {
                archive.writer().stderr(&complaint);
            } else {
                log::warn!("upload of a directory: {}", complaint.trim_end());
            }
        }
    }
    let mut writer = archive.finish()?;
    if let Some(more) = complaints.checked_sub(MOST_COMPLAINTS + 1) {
        let more = more + 1;
        writer.stderr(&format!("and {more} more, which are in the worker's log\n"));
    }
    writer.finish()?;
    Ok(whole)
}

/// Lines about single members that a step gets: they pass by the window for its output.
const MOST_COMPLAINTS: usize = 100;

/// What is to be said about a member, and whether it is in the archive as well as can be.
fn note(member: &Member, written: Written) -> (Option<String>, bool) {
    let path = member.path.display();
    match written {
        Written::Whole => (None, true),
        Written::Skipped => {
            let text = format!("'{path}' is a socket, pipe or device and not sent\n");
            (Some(text), true)
        }
        Written::Grew => {
            let text = format!("'{path}' grew while it was sent; its first part is sent\n");
            (Some(text), true)
        }
        Written::Shrank => {
            let text = format!("'{path}' shrank while it was sent; its end is zeros\n");
            (Some(text), false)
        }
        Written::Failed(error) => {
            let reason = ports::words_of(&error);
            let text = format!("Cannot read '{path}' to its end, which is zeros: {reason}\n");
            (Some(text), false)
        }
        Written::Missing(error) => (Some(not_sent(&member.path, &error)), false),
    }
}

fn not_sent(path: &Path, error: &io::Error) -> String {
    format!(
        "Cannot read '{}', not sent: {}\n",
        path.display(),
        ports::words_of(error)
    )
}
