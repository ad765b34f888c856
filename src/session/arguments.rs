//! The arguments of a command, from the value a master sent to a [`Command`] (PROTOCOL sections 4.4, 4.6
//! and 6).
//!
//! Strict about what is required, with the texts of the Python worker; tolerant about the rest: None is
//! like absent, texts may be bytes (Python 2), flags may be numbers, numbers may have a fraction.

mod reader;
mod shell;
#[cfg(test)]
mod tests;

use crate::calls::{
    Command, CommandId, Compression, CopyDirectory, DownloadFile, Failure, FailureKind, Place,
    RemoveDirectories, Seconds, UploadDirectory, UploadFile,
};
use crate::wire::jelly::Value;
use reader::Arguments;

/// Largest block of a transfer in bytes. A master honours any size up to 640 KiB and loses the
/// connection above (PROTOCOL 1.2); this is what its own uploads ask for.
pub const BLOCK_LIMIT: usize = 256 * 1024;

/// How long removing or copying may make no progress unless the master says otherwise
/// (PROTOCOL 6.4, 6.5).
const TREE_TIMEOUT: Seconds = Seconds::Int(120);

/// A command, and the number of the master's object that a transfer writes to or reads from; none for
/// other commands and over MessagePack.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The command.
    pub command: Command,
    /// The writer or reader.
    pub peer: Option<i64>,
}

/// In which words a master names the arguments (PROTOCOL 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Perspective Broker: the worker joins the parts of a path, and transfers come with an object of
    /// the master.
    Pb,
    /// MessagePack: paths are whole, and transfers belong to the command.
    Msgpack,
}

/// Reads the arguments of the command `name`. Unknown arguments are left out.
///
/// # Errors
/// The command is unknown, a required argument is missing, or an argument has the wrong type.
pub fn parse(dialect: Dialect, name: &str, id: &CommandId, args: Value) -> Result<Parsed, Failure> {
    let read = match name {
        "shell" => shell::shell,
        "uploadFile" | "upload_file" => upload_file,
        "uploadDirectory" | "upload_directory" => upload_directory,
        "downloadFile" | "download_file" => download_file,
        "mkdir" => mkdir,
        "rmdir" => rmdir,
        "cpdir" => cpdir,
        "stat" => stat,
        "glob" => glob,
        "listdir" => listdir,
        "rmfile" => rmfile,
        _ => {
            return Err(Failure {
                kind: FailureKind::UnknownCommand,
                message: format!("(command {id}): unrecognized WorkerCommand '{name:.200}'"),
            });
        }
    };
    read(&mut Arguments::new(dialect, args)?)
}

fn upload_file(args: &mut Arguments) -> Result<Parsed, Failure> {
    let source = transfer_place(args, ["workersrc", "slavesrc"])?;
    let transfer = transfer(args, "WorkerFileUploadCommand", "writer")?;
    Ok(Parsed {
        command: Command::UploadFile(UploadFile {
            source,
            max_size: transfer.max_size,
            block_size: transfer.block_size,
            keep_times: args.flag("keepstamp", false)?,
        }),
        peer: transfer.peer,
    })
}

fn upload_directory(args: &mut Arguments) -> Result<Parsed, Failure> {
    let source = transfer_place(args, ["workersrc", "slavesrc"])?;
    let transfer = transfer(args, "WorkerDirectoryUploadCommand", "writer")?;
    args.need_key("compress")?;
    let compression = match args.text("compress")?.as_deref() {
        None | Some("") => Compression::None,
        Some("gz") => Compression::Gzip,
        Some("bz2") => Compression::Bzip2,
        Some(other) => {
            let message = format!("argument 'compress' must be 'gz', 'bz2' or None, not '{other}'");
            return Err(bad(message));
        }
    };
    Ok(Parsed {
        command: Command::UploadDirectory(UploadDirectory {
            source,
            max_size: transfer.max_size,
            block_size: transfer.block_size,
            compression,
        }),
        peer: transfer.peer,
    })
}

fn download_file(args: &mut Arguments) -> Result<Parsed, Failure> {
    let target = transfer_place(args, ["workerdest", "slavedest"])?;
    let transfer = transfer(args, "WorkerFileDownloadCommand", "reader")?;
    args.need_key("mode")?;
    let mode = args
        .int("mode")?
        .map(|mode| not_negative("mode", mode))
        .transpose()?
        // What is above the permission bits tells a kind of file; chmod(2) leaves it out too.
        .map(|mode| u32::try_from(mode & 0o7777).unwrap_or_default());
    Ok(Parsed {
        command: Command::DownloadFile(DownloadFile {
            target,
            max_size: transfer.max_size,
            block_size: transfer.block_size,
            mode,
        }),
        peer: transfer.peer,
    })
}

/// What all transfers have in common.
struct TransferArguments {
    peer: Option<i64>,
    max_size: Option<u64>,
    block_size: usize,
}

fn transfer(
    args: &mut Arguments,
    class: &str,
    peer_name: &str,
) -> Result<TransferArguments, Failure> {
    let peer = match args.dialect() {
        Dialect::Pb => {
            args.need(class, &[peer_name, "blocksize"])?;
            Some(args.reference(peer_name)?)
        }
        Dialect::Msgpack => {
            args.need(class, &["blocksize"])?;
            None
        }
    };
    // None is for no limit, but the Python worker wants it to be said.
    args.need_key("maxsize")?;
    let block_size = args.int("blocksize")?.unwrap_or_default();
    let max_size = args
        .int("maxsize")?
        .map(|size| not_negative("maxsize", size))
        .transpose()?;
    Ok(TransferArguments {
        peer,
        max_size,
        block_size: usize::try_from(block_size.max(1))
            .unwrap_or(BLOCK_LIMIT)
            .min(BLOCK_LIMIT),
    })
}

/// The worker's end of a transfer. The commands with an underscore may bring the whole path; over
/// MessagePack they do, and its parts besides.
fn transfer_place(args: &mut Arguments, names: [&'static str; 2]) -> Result<Place, Failure> {
    if args.dialect() == Dialect::Msgpack {
        return Ok(place([args.required_text("path")?], false));
    }
    let path = args.text("path")?;
    if let Some(path) = path.filter(|_| !args.has(names[0]) && !args.has(names[1])) {
        return Ok(place([path], false));
    }
    let workdir = args.required_text("workdir")?;
    let name = if args.has(names[1]) && !args.has(names[0]) {
        names[1]
    } else {
        names[0]
    };
    Ok(place([workdir, args.required_text(name)?], true))
}

fn mkdir(args: &mut Arguments) -> Result<Parsed, Failure> {
    Ok(local(Command::MakeDirectories(places(args)?)))
}

fn rmdir(args: &mut Arguments) -> Result<Parsed, Failure> {
    Ok(local(Command::RemoveDirectories(RemoveDirectories {
        places: places(args)?,
        timeout: args.seconds("timeout", Some(TREE_TIMEOUT))?,
        max_time: args.seconds("maxTime", None)?,
        log_environ: args.flag("logEnviron", true)?,
    })))
}

fn cpdir(args: &mut Arguments) -> Result<Parsed, Failure> {
    Ok(local(Command::CopyDirectory(CopyDirectory {
        from: place(
            [args.required_text(name(args, "fromdir", "from_path"))?],
            false,
        ),
        to: place([args.required_text(name(args, "todir", "to_path"))?], false),
        timeout: args.seconds("timeout", Some(TREE_TIMEOUT))?,
        max_time: args.seconds("maxTime", None)?,
        log_environ: args.flag("logEnviron", true)?,
    })))
}

fn stat(args: &mut Arguments) -> Result<Parsed, Failure> {
    if args.dialect() == Dialect::Msgpack {
        let path = args.required_text("path")?;
        return Ok(local(Command::Stat(place([path], false))));
    }
    let workdir = args.text("workdir")?.unwrap_or_default();
    let file = args.required_text("file")?;
    Ok(local(Command::Stat(place([workdir, file], false))))
}

fn glob(args: &mut Arguments) -> Result<Parsed, Failure> {
    let path = args.required_text("path")?;
    Ok(local(Command::Glob(place([path], false))))
}

fn listdir(args: &mut Arguments) -> Result<Parsed, Failure> {
    let path = args.required_text(name(args, "dir", "path"))?;
    Ok(local(Command::ListDirectory(place([path], false))))
}

fn rmfile(args: &mut Arguments) -> Result<Parsed, Failure> {
    let path = args.required_text("path")?;
    let tilde = args.dialect() == Dialect::Pb;
    Ok(local(Command::RemoveFile(place([path], tilde))))
}

/// The name that an argument has in the master's dialect.
fn name(args: &Arguments, pb: &'static str, msgpack: &'static str) -> &'static str {
    match args.dialect() {
        Dialect::Pb => pb,
        Dialect::Msgpack => msgpack,
    }
}

/// `dir` or `paths`, one or several.
fn places(args: &mut Arguments) -> Result<Vec<Place>, Failure> {
    let name = name(args, "dir", "paths");
    let places: Vec<Place> = args
        .required_texts(name)?
        .into_iter()
        .map(|path| place([path], false))
        .collect();
    if places.is_empty() {
        return Err(bad(format!("argument '{name}' is an empty list")));
    }
    Ok(places)
}

fn place<const N: usize>(components: [String; N], tilde: bool) -> Place {
    Place {
        components: Vec::from(components),
        tilde,
    }
}

fn local(command: Command) -> Parsed {
    Parsed {
        command,
        peer: None,
    }
}

fn not_negative(name: &str, number: i64) -> Result<u64, Failure> {
    u64::try_from(number).map_err(|_| {
        bad(format!(
            "argument '{name}' must not be negative, but is {number}"
        ))
    })
}

fn bad(message: String) -> Failure {
    Failure {
        kind: FailureKind::BadArgument,
        message,
    }
}
