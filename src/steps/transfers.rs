//! The commands that move files between the worker and its master (PROTOCOL 6.10 to 6.12).

mod archive;
mod blocks;
mod border;
mod directory;
mod download;
mod exchange;
mod outcome;
mod target;
mod tree;
mod upload;

pub use self::target::remove_parts;

use self::exchange::{Abandoned, Exchange};
use super::files::make_parent;
use super::{Context, Inbox, Reporter, place};
use crate::calls::{DownloadFile, Failure, Transfer, UploadDirectory, UploadFile};

/// `uploadFile` (PROTOCOL 6.10).
pub(super) fn upload_file(
    arguments: UploadFile,
    context: &Context,
    reporter: &mut Reporter,
    inbox: &mut Inbox,
) -> Result<(), Failure> {
    let path = place::resolve(&arguments.source, &context.builder_dir);
    match upload::send(&arguments, &path, Exchange::new(reporter, inbox)) {
        Ok(outcome) => outcome.report(reporter),
        Err(Abandoned) => Ok(()),
    }
}

/// `uploadDirectory` (PROTOCOL 6.11).
pub(super) fn upload_directory(
    arguments: UploadDirectory,
    context: &Context,
    reporter: &mut Reporter,
    inbox: &mut Inbox,
) -> Result<(), Failure> {
    let path = place::resolve(&arguments.source, &context.builder_dir);
    match directory::send(&arguments, &path, Exchange::new(reporter, inbox)) {
        Ok(outcome) => outcome.report(reporter),
        Err(Abandoned) => Ok(()),
    }
}

/// `downloadFile` (PROTOCOL 6.12).
pub(super) fn download_file(
    arguments: DownloadFile,
    context: &Context,
    reporter: &mut Reporter,
    inbox: &mut Inbox,
) -> Result<(), Failure> {
    let path = place::resolve(&arguments.target, &context.builder_dir);
    if let Err(failure) = make_parent(&path) {
        // Whatever it answers, the failure is ours.
        let _ = Exchange::new(reporter, inbox).call(Transfer::Close);
        return Err(failure);
    }
    match download::fetch(&arguments, &path, Exchange::new(reporter, inbox)) {
        Ok(outcome) => outcome.report(reporter),
        Err(Abandoned) => Ok(()),
    }
}
