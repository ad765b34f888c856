//! Random expressions that look like what a master sends, and are wrong in places.

use coracle::wire::banana::{Writer, encode};

use crate::random::Random;

const WORDS: [&str; 23] = [
    "None",
    "boolean",
    "unicode",
    "list",
    "tuple",
    "dictionary",
    "remote",
    "local",
    "reference",
    "dereference",
    "set",
    "frozenset",
    "unpersistable",
    "datetime",
    "instance",
    "a.b.C",
    "decimal",
    "true",
    "twisted.spread.pb.CopyableFailure",
    "obfuscated",
    "shell",
    "workdir",
    "command",
];

const METHODS: [&str; 14] = [
    "print",
    "getWorkerInfo",
    "getCommands",
    "getVersion",
    "setBuilderList",
    "shutdown",
    "startBuild",
    "startCommand",
    "startCommand",
    "startCommand",
    "interruptCommand",
    "setMaster",
    "getSlaveInfo",
    "wat",
];

const COMMANDS: [&str; 14] = [
    "shell",
    "uploadFile",
    "uploadDirectory",
    "downloadFile",
    "mkdir",
    "rmdir",
    "cpdir",
    "stat",
    "glob",
    "listdir",
    "rmfile",
    "upload_file",
    "download_file",
    "wat",
];

const ARGUMENTS: [&str; 30] = [
    "workdir",
    "command",
    "env",
    "initial_stdin",
    "want_stdout",
    "logfiles",
    "timeout",
    "maxTime",
    "max_lines",
    "sigtermTime",
    "interruptSignal",
    "usePTY",
    "logEnviron",
    "dir",
    "fromdir",
    "todir",
    "file",
    "path",
    "workersrc",
    "workerdest",
    "slavesrc",
    "writer",
    "reader",
    "maxsize",
    "blocksize",
    "keepstamp",
    "compress",
    "mode",
    "filename",
    "follow",
];

/// Appends one message, mostly well formed.
pub fn message(random: &mut Random, bytes: &mut Vec<u8>) {
    let written = encode(bytes, |out| match random.below(40) {
        0 => anything(random, out, 3),
        1 | 2 => {
            out.list(3);
            out.bytes(random.choose(&["answer", "error"]).as_bytes());
            small(random, out);
            tree(random, out, 3);
        }
        3..=6 => {
            out.list(2);
            out.bytes(b"decref");
            small(random, out);
        }
        7..=10 => builder_list(random, out),
        _ => call(random, out),
    });
    assert_eq!(written, Ok(()));
}

/// Appends one value, mostly well formed.
pub fn value(random: &mut Random, depth: usize, bytes: &mut Vec<u8>) {
    assert_eq!(encode(bytes, |out| tree(random, out, depth)), Ok(()));
}

fn small(random: &mut Random, out: &mut Writer<'_>) {
    out.int(i64::try_from(random.below(6)).expect("small"));
}

fn call_head(random: &mut Random, out: &mut Writer<'_>, luid: usize, method: &str) {
    out.list(7);
    out.bytes(b"message");
    out.int(random.int());
    out.int(i64::try_from(luid).expect("small"));
    out.bytes(method.as_bytes());
    out.int(i64::from(random.below(8) > 0));
}

/// Appends a list of builders, so that there is one with the number 2 most of the time.
pub fn builders(random: &mut Random, bytes: &mut Vec<u8>) {
    assert_eq!(encode(bytes, |out| builder_list(random, out)), Ok(()));
}

fn builder_list(random: &mut Random, out: &mut Writer<'_>) {
    call_head(random, out, 1, "setBuilderList");
    out.tuple_of(1);
    let count = random.below(4);
    out.list_of(count);
    for _ in 0..count {
        out.tuple_of(2);
        text(random, out);
        text(random, out);
    }
    out.dictionary_of(0);
}

fn call(random: &mut Random, out: &mut Writer<'_>) {
    let method = random.choose(&METHODS);
    let luid = 1 + random.below(3);
    call_head(random, out, luid, method);
    if method == "startCommand" {
        out.tuple_of(4);
        out.remote(i64::try_from(random.below(9)).expect("small"));
        text(random, out);
        out.text(random.choose(&COMMANDS));
        if random.below(4) == 0 {
            arguments(random, out);
        } else {
            required_arguments(random, out);
        }
    } else {
        let count = random.below(4);
        out.tuple_of(count);
        for _ in 0..count {
            tree(random, out, 2);
        }
    }
    if random.below(4) == 0 {
        arguments(random, out);
    } else {
        out.dictionary_of(0);
    }
}

/// All that any command needs, and one more.
fn required_arguments(random: &mut Random, out: &mut Writer<'_>) {
    let texts = [
        "workdir",
        "command",
        "dir",
        "fromdir",
        "todir",
        "file",
        "path",
        "workersrc",
        "workerdest",
    ];
    let peers = ["writer", "reader"];
    let nones = ["maxsize", "compress", "mode"];
    out.dictionary_of(texts.len() + peers.len() + nones.len() + 2);
    for name in texts {
        out.key(name);
        text(random, out);
    }
    for name in peers {
        out.key(name);
        out.remote(random.int());
    }
    for name in nones {
        out.key(name);
        out.none();
    }
    out.key("blocksize");
    out.int(random.int());
    out.key(random.choose(&ARGUMENTS));
    tree(random, out, 3);
}

fn arguments(random: &mut Random, out: &mut Writer<'_>) {
    let count = random.below(20);
    out.dictionary_of(count);
    for _ in 0..count {
        out.key(random.choose(&ARGUMENTS));
        match random.below(3) {
            0 => tree(random, out, 3),
            1 => text(random, out),
            _ => small(random, out),
        }
    }
}

fn text(random: &mut Random, out: &mut Writer<'_>) {
    let word = random.choose(&WORDS);
    if random.below(2) == 0 {
        out.text(word);
    } else {
        out.bytes(word.as_bytes());
    }
}

/// A value, with a mistake now and then.
fn tree(random: &mut Random, out: &mut Writer<'_>, depth: usize) {
    let kinds = if depth == 0 { 8 } else { 13 };
    let count = random.below(4);
    match random.below(kinds) {
        0 => out.int(random.int()),
        1 => out.float(random.float()),
        2 => out.bytes(&random.bytes(20)),
        3 => text(random, out),
        4 => out.none(),
        5 => out.boolean(random.below(2) == 0),
        6 => out.remote(random.int()),
        7 => {
            out.list(2);
            out.bytes(b"dereference");
            small(random, out);
        }
        8 => {
            out.list_of(count);
            (0..count).for_each(|_| tree(random, out, depth - 1));
        }
        9 => {
            out.tuple_of(count);
            (0..count).for_each(|_| tree(random, out, depth - 1));
        }
        10 => {
            out.dictionary_of(count);
            for _ in 0..count {
                out.pair();
                tree(random, out, depth - 1);
                tree(random, out, depth - 1);
            }
        }
        11 => {
            out.list(3);
            out.bytes(b"reference");
            small(random, out);
            tree(random, out, depth - 1);
        }
        _ if random.below(10) == 0 => anything(random, out, depth),
        _ => tree(random, out, depth - 1),
    }
}

/// An expression that need not mean anything.
fn anything(random: &mut Random, out: &mut Writer<'_>, depth: usize) {
    match random.below(if depth == 0 { 3 } else { 5 }) {
        0 => out.int(random.int()),
        1 => out.bytes(&random.bytes(10)),
        2 => out.float(random.float()),
        _ => {
            let count = random.below(5);
            out.list(count + 1);
            out.bytes(random.choose(&WORDS).as_bytes());
            (0..count).for_each(|_| anything(random, out, depth - 1));
        }
    }
}
