//! The commands that only touch files.

use super::{Context, Inbox, Reporter};
use crate::calls::{CopyDirectory, Failure, FailureKind, Place, RemoveDirectories};

pub(super) fn make_directories(
    _arguments: Vec<Place>,
    _context: &Context,
    _reporter: &mut Reporter,
    _inbox: &mut Inbox,
) -> Result<(), Failure> {
    Err(missing("make_directories"))
}

pub(super) fn remove_directories(
    _arguments: RemoveDirectories,
    _context: &Context,
    _reporter: &mut Reporter,
    _inbox: &mut Inbox,
) -> Result<(), Failure> {
    Err(missing("remove_directories"))
}

pub(super) fn copy_directory(
    _arguments: CopyDirectory,
    _context: &Context,
    _reporter: &mut Reporter,
    _inbox: &mut Inbox,
) -> Result<(), Failure> {
    Err(missing("copy_directory"))
}

pub(super) fn stat(
    _arguments: Place,
    _context: &Context,
    _reporter: &mut Reporter,
    _inbox: &mut Inbox,
) -> Result<(), Failure> {
    Err(missing("stat"))
}

pub(super) fn glob(
    _arguments: Place,
    _context: &Context,
    _reporter: &mut Reporter,
    _inbox: &mut Inbox,
) -> Result<(), Failure> {
    Err(missing("glob"))
}

pub(super) fn list_directory(
    _arguments: Place,
    _context: &Context,
    _reporter: &mut Reporter,
    _inbox: &mut Inbox,
) -> Result<(), Failure> {
    Err(missing("list_directory"))
}

pub(super) fn remove_file(
    _arguments: Place,
    _context: &Context,
    _reporter: &mut Reporter,
    _inbox: &mut Inbox,
) -> Result<(), Failure> {
    Err(missing("remove_file"))
}

fn missing(name: &str) -> Failure {
    Failure {
        kind: FailureKind::UnknownCommand,
        message: format!("command {name} is not there yet"),
    }
}
