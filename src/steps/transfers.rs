//! The commands that move files between the worker and its master.

use super::{Context, Inbox, Reporter};
use crate::calls::{DownloadFile, Failure, FailureKind, UploadDirectory, UploadFile};

pub(super) fn upload_file(
    _arguments: UploadFile,
    _context: &Context,
    _reporter: &mut Reporter,
    _inbox: &mut Inbox,
) -> Result<(), Failure> {
    Err(missing("upload_file"))
}

pub(super) fn upload_directory(
    _arguments: UploadDirectory,
    _context: &Context,
    _reporter: &mut Reporter,
    _inbox: &mut Inbox,
) -> Result<(), Failure> {
    Err(missing("upload_directory"))
}

pub(super) fn download_file(
    _arguments: DownloadFile,
    _context: &Context,
    _reporter: &mut Reporter,
    _inbox: &mut Inbox,
) -> Result<(), Failure> {
    Err(missing("download_file"))
}

fn missing(name: &str) -> Failure {
    Failure {
        kind: FailureKind::UnknownCommand,
        message: format!("command {name} is not there yet"),
    }
}
