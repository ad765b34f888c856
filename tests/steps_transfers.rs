//! File transfers, with a master played by the test.

#![allow(clippy::unwrap_used, clippy::panic)]

mod stage;

use std::fs;
use std::path::Path;
use std::time::Duration;

use coracle::calls::{
    Command, Compression, DownloadFile, FailureKind, StepEvent, ToStep, Transfer, TransferReply,
    TransferTag, UploadDirectory, UploadFile,
};

use stage::{Report, Running, Stage, has_gnu_tools, is_superuser, place, program};

/// A master's end of a transfer: a file that is written or read.
#[derive(Default)]
struct Master {
    written: Vec<u8>,
    blocks: Vec<Vec<u8>>,
    source: Vec<u8>,
    read: usize,
    /// What was called, but for the blocks.
    calls: Vec<Transfer>,
}

impl Master {
    fn with_source(source: &[u8]) -> Master {
        Master {
            source: source.to_vec(),
            ..Master::default()
        }
    }

    fn answer(&mut self, transfer: Transfer) -> TransferReply {
        match transfer {
            Transfer::Write(block) => {
                assert!(!block.is_empty());
                self.written.extend_from_slice(&block);
                self.blocks.push(block);
                Ok(Vec::new())
            }
            Transfer::Read(size) => {
                let end = (self.read + size).min(self.source.len());
                let bytes = self.source[self.read..end].to_vec();
                self.read = end;
                Ok(bytes)
            }
            call => {
                self.calls.push(call);
                Ok(Vec::new())
            }
        }
    }

    /// Serves a step to its end.
    fn serve(&mut self, stage: &Stage, command: Command) -> Report {
        stage
            .start(command)
            .finish(|_, transfer| self.answer(transfer))
    }
}

/// Bytes that look random and are the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

fn upload(name: &str, block_size: usize) -> UploadFile {
    UploadFile {
        source: place(name),
        max_size: None,
        block_size,
        keep_times: false,
    }
}

fn download(name: &str, block_size: usize) -> DownloadFile {
    DownloadFile {
        target: place(name),
        max_size: None,
        block_size,
        mode: None,
    }
}

fn directory(name: &str, compression: Compression) -> UploadDirectory {
    UploadDirectory {
        source: place(name),
        max_size: None,
        block_size: 16_384,
        compression,
    }
}

/// Nothing but these names is in the builder's directory.
fn assert_only(stage: &Stage, names: &[&str]) {
    let found = fs::read_dir(stage.path("")).unwrap();
    let mut found: Vec<_> = found
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, names);
}

/// Lets a step ask for as much as it likes; what it asked for when it waits for replies.
fn asked_without_replies(running: &mut Running) -> Vec<(TransferTag, Transfer)> {
    let mut asked = Vec::new();
    while let Some(event) = running.next_within(Duration::from_millis(500)) {
        match event {
            StepEvent::Transfer { tag, transfer } => asked.push((tag, transfer)),
            StepEvent::Updates { .. } => {}
            StepEvent::Complete(_) => panic!("the step did not wait"),
        }
    }
    asked
}

fn size(transfer: &Transfer) -> usize {
    match transfer {
        Transfer::Write(block) => block.len(),
        Transfer::Read(size) => *size,
        other => panic!("{other:?}"),
    }
}

const SIZES: [usize; 7] = [1, 2, 3, 5, 4096, 262_144, 655_360];

// uploadFile

#[test]
fn an_uploaded_file_arrives_whole_whatever_its_size() {
    let stage = Stage::new();
    for block_size in SIZES {
        for blocks in 0..=3 {
            for more in [0, 1, block_size - 1] {
                let length = (block_size * blocks + more).min(1_500_000);
                let content = noise(length);
                stage.write("file", &content);
                let mut master = Master::default();
                let report = master.serve(&stage, Command::UploadFile(upload("file", block_size)));
                assert_eq!(report.code(), 0);
                assert_eq!(report.stderr(), "");
                assert_eq!(report.result, Ok(()));
                assert!(master.written == content, "{length} in {block_size}");
                assert!(master.blocks.iter().all(|block| block.len() <= block_size));
                assert_eq!(master.calls, [Transfer::Close]);
            }
        }
    }
}

#[test]
fn an_upload_says_what_it_sends_and_then_how_it_ended() {
    let stage = Stage::new();
    stage.write("up.txt", "0123456789");
    let mut master = Master::default();
    let report = master.serve(&stage, Command::UploadFile(upload("up.txt", 4)));
    assert_eq!(report.order(), ["header", "rc", "elapsed"]);
    let path = stage.text("up.txt");
    assert_eq!(report.header(), format!("sending {path}\n"));
    assert_eq!(master.blocks, [&b"0123"[..], b"4567", b"89"]);
}

#[test]
fn a_file_with_as_many_bytes_as_allowed_is_taken_for_truncated() {
    let stage = Stage::new();
    stage.write("up.txt", "0123456789");
    let path = stage.text("up.txt");
    for (limit, blocks, code) in [
        (6, vec!["0123", "45"], 1),
        (10, vec!["0123", "4567", "89"], 1),
        (11, vec!["0123", "4567", "89"], 0),
        (0, vec![], 1),
        (8, vec!["0123", "4567"], 1),
    ] {
        let mut arguments = upload("up.txt", 4);
        arguments.max_size = Some(limit);
        let mut master = Master::default();
        let report = master.serve(&stage, Command::UploadFile(arguments));
        assert_eq!(report.code(), code, "{limit}");
        let text = format!("Maximum filesize reached, truncating file '{path}'\n");
        assert_eq!(report.stderr(), if code == 1 { &text } else { "" });
        if code == 1 {
            assert_eq!(report.order(), ["header", "rc", "elapsed", "stderr"]);
        }
        let expected: Vec<_> = blocks.iter().map(|block| block.as_bytes()).collect();
        assert_eq!(master.blocks, expected, "{limit}");
        assert_eq!(master.calls, [Transfer::Close]);
        assert_eq!(report.result, Ok(()));
    }
}

#[test]
fn what_cannot_be_opened_is_closed_all_the_same() {
    let stage = Stage::new();
    stage.mkdir("dir");
    program(&stage.path(""), &["mkfifo", "pipe"]);
    for name in ["missing", "dir", "pipe"] {
        let mut arguments = upload(name, 4096);
        arguments.keep_times = true;
        let mut master = Master::default();
        let report = master.serve(&stage, Command::UploadFile(arguments));
        assert_eq!(report.order(), ["header", "rc", "elapsed", "stderr"]);
        assert_eq!(report.code(), 1);
        let path = stage.text(name);
        assert_eq!(
            report.stderr(),
            format!("Cannot open file '{path}' for upload\n")
        );
        assert_eq!(master.calls, [Transfer::Close]);
        assert_eq!(report.result, Ok(()));
    }
}

#[test]
fn the_times_of_a_file_are_sent_after_close_and_may_be_refused() {
    let stage = Stage::new();
    stage.write("file", "x");
    let file = stage.text("file");
    for refuse in [false, true] {
        program(&stage.base, &["touch", "-a", "-d", "@1000000000.25", &file]);
        program(&stage.base, &["touch", "-m", "-d", "@1100000000.5", &file]);
        let mut arguments = upload("file", 4096);
        arguments.keep_times = true;
        let mut calls = Vec::new();
        let report = stage
            .start(Command::UploadFile(arguments))
            .finish(|_, transfer| {
                let reply = match transfer {
                    Transfer::SetTimes(..) if refuse => Err("no".to_owned()),
                    _ => Ok(Vec::new()),
                };
                calls.push(transfer);
                reply
            });
        assert_eq!(
            calls,
            [
                Transfer::Write(b"x".to_vec()),
                Transfer::Close,
                Transfer::SetTimes(1_000_000_000.25, 1_100_000_000.5)
            ]
        );
        assert_eq!((report.code(), report.result), (0, Ok(())));
    }
}

#[test]
fn each_block_of_a_text_is_text() {
    let stage = Stage::new();
    let text: String = "aé€😀".chars().cycle().take(20_000).collect();
    stage.write("file", &text);
    for block_size in [4, 5, 7, 1021, 32_768] {
        let mut master = Master::default();
        master.serve(&stage, Command::UploadFile(upload("file", block_size)));
        assert_eq!(master.written, text.as_bytes());
        for block in &master.blocks {
            assert!(std::str::from_utf8(block).is_ok(), "{block_size}");
        }
    }
}

#[test]
fn a_device_with_nothing_to_say_does_not_hold_an_upload() {
    let device = std::path::Path::new("/dev/ptmx");
    if !device.exists() {
        return; // a system without such terminals
    }
    let stage = Stage::new();
    let mut master = Master::default();
    let report = master.serve(&stage, Command::UploadFile(upload("/dev/ptmx", 1000)));
    assert_eq!(report.code(), 1);
    let text = report.stderr();
    assert!(text.starts_with("Cannot "), "{text}");
    assert_eq!(master.calls, [Transfer::Close]);
}

#[test]
fn an_upload_has_a_bounded_window_under_way() {
    let stage = Stage::new();
    stage.write("file", noise(4 << 20));
    for (block_size, least, most) in [
        (262_144, 4, 4),
        (655_360, 2, 2),
        (32_768, 32, 32),
        (16, 512, 512),
    ] {
        let mut running = stage.start(Command::UploadFile(upload("file", block_size)));
        let mut under_way = asked_without_replies(&mut running);
        let count = under_way.len();
        assert!(least <= count && count <= most, "{count} of {block_size}");
        // One reply makes room for about one block.
        let (tag, _) = under_way.remove(0);
        running.reply(tag, Ok(Vec::new()));
        let (tag, _) = running.next_transfer().unwrap();
        under_way.push((tag, Transfer::Close));
        for (tag, _) in under_way {
            running.reply(tag, Ok(Vec::new()));
        }
        let report = running.finish(|_, _| Ok(Vec::new()));
        assert_eq!(report.code(), 0);
    }
}

#[test]
fn replies_in_any_order_and_replies_to_nothing_do_no_harm() {
    let stage = Stage::new();
    let content = noise(1_000_000);
    stage.write("file", &content);
    let mut running = stage.start(Command::UploadFile(upload("file", 100_000)));
    let mut master = Master::default();
    let mut under_way = asked_without_replies(&mut running);
    for (_, transfer) in &under_way {
        master.answer(transfer.clone()).unwrap();
    }
    under_way.reverse();
    for (tag, _) in under_way {
        running.reply(TransferTag(u64::MAX), Err("never asked".to_owned()));
        running.reply(tag, Ok(b"bytes nobody wants".to_vec()));
        running.reply(tag, Err("twice".to_owned()));
    }
    let report = running.finish(|_, transfer| master.answer(transfer));
    assert_eq!((report.code(), &report.result), (0, &Ok(())));
    assert_eq!(master.written, content);
}

#[test]
fn a_master_that_cannot_write_gets_its_close_and_its_failure_back() {
    let stage = Stage::new();
    stage.write("file", noise(3_000_000));
    for fails_at in [0, 1, 5, 11] {
        let mut calls = Vec::new();
        let mut count = 0;
        let report = stage
            .start(Command::UploadFile(upload("file", 262_144)))
            .finish(|_, transfer| {
                if !matches!(transfer, Transfer::Write(_)) {
                    calls.push(transfer);
                    return Ok(Vec::new());
                }
                count += 1;
                if count > fails_at {
                    return Err("No space left on device".to_owned());
                }
                Ok(Vec::new())
            });
        assert_eq!(report.code(), 1);
        assert_eq!(calls, [Transfer::Close]);
        let failure = report.result.clone().unwrap_err();
        assert_eq!(failure.kind, FailureKind::Other);
        assert!(failure.message.ends_with("No space left on device"));
        // Not more than what was under way when it failed.
        assert!(count <= fails_at + 5, "{count}");
    }
}

#[test]
fn a_master_that_cannot_close_fails_the_upload() {
    let stage = Stage::new();
    stage.write("file", "x");
    let report = stage
        .start(Command::UploadFile(upload("file", 10)))
        .finish(|_, transfer| match transfer {
            Transfer::Close => Err("Input/output error".to_owned()),
            _ => Ok(Vec::new()),
        });
    assert_eq!(report.code(), 1);
    assert!(report.result.is_err());
}

#[test]
fn an_interrupted_upload_finishes_what_is_under_way_and_closes() {
    let stage = Stage::new();
    stage.write("file", noise(5_000_000));
    for stage_of_it in 0..6 {
        let mut running = stage.start(Command::UploadFile(upload("file", 262_144)));
        let mut under_way = Vec::new();
        for _ in 0..stage_of_it.min(4) {
            under_way.push(running.next_transfer().unwrap().0);
        }
        running.interrupt();
        let mut calls = Vec::new();
        for tag in under_way {
            running.reply(tag, Ok(Vec::new()));
        }
        let report = running.finish(|_, transfer| {
            calls.push(transfer);
            Ok(Vec::new())
        });
        assert_eq!(report.code(), 1);
        assert_eq!(report.result, Ok(()));
        assert!(!report.has_elapsed());
        assert_eq!(report.stderr(), "");
        assert_eq!(calls.pop(), Some(Transfer::Close));
        assert!(calls.len() < 10, "{}", calls.len());
    }
}

#[test]
fn an_interrupted_transfer_ends_even_if_the_master_never_answers() {
    let stage = Stage::new();
    stage.write("file", noise(5_000_000));
    stage.write("old", "old");
    for (command, name) in [
        (Command::UploadFile(upload("file", 262_144)), "file"),
        (Command::DownloadFile(download("old", 1000)), "old"),
    ] {
        let size = fs::metadata(stage.path(name)).unwrap().len();
        let mut running = stage.start(command);
        running.next_transfer().unwrap();
        running.interrupt();
        let mut report = None;
        for _ in 0..60 {
            match running.next_within(Duration::from_secs(15)) {
                Some(StepEvent::Complete(result)) => report = Some(result),
                Some(StepEvent::Updates { .. } | StepEvent::Transfer { .. }) => {}
                None => break,
            }
            if report.is_some() {
                break;
            }
        }
        assert!(report.is_some(), "{name} never ends");
        assert_eq!(fs::metadata(stage.path(name)).unwrap().len(), size);
    }
}

#[test]
fn an_abandoned_upload_leaves_without_a_word() {
    let stage = Stage::new();
    stage.write("file", noise(5_000_000));
    let mut running = stage.start(Command::UploadFile(upload("file", 262_144)));
    running.next_transfer().unwrap();
    running.handle.send(ToStep::Abandon);
    while let Some((_, transfer)) = running.next_transfer() {
        assert!(matches!(transfer, Transfer::Write(_)), "{transfer:?}");
    }
}

// downloadFile

#[test]
fn a_downloaded_file_arrives_whole_whatever_its_size() {
    let stage = Stage::new();
    for block_size in SIZES {
        for blocks in 0..=3 {
            for more in [0, 1, block_size - 1] {
                let content = noise((block_size * blocks + more).min(1_500_000));
                let mut master = Master::with_source(&content);
                let command = Command::DownloadFile(download("file", block_size));
                let report = master.serve(&stage, command);
                assert_eq!(report.order(), ["rc", "elapsed"]);
                assert_eq!((report.code(), &report.result), (0, &Ok(())));
                assert!(fs::read(stage.path("file")).unwrap() == content);
                assert_eq!(master.calls, [Transfer::Close]);
                assert_only(&stage, &["file"]);
            }
        }
    }
}

#[test]
fn the_mode_is_set_and_the_parent_made() {
    let stage = Stage::new();
    for (mode, expected) in [(Some(0o755), 0o755), (Some(0o400), 0o400), (None, 0o400)] {
        let mut arguments = download("sub/dir/file", 10);
        arguments.mode = mode;
        if expected == 0o400 && mode.is_none() && !is_superuser(&stage) {
            continue; // it is not ours to write any more
        }
        if mode == Some(0o400) {
            fs::remove_file(stage.path("sub/dir/file")).unwrap();
        }
        let mut master = Master::with_source(b"content");
        let report = master.serve(&stage, Command::DownloadFile(arguments));
        assert_eq!(report.code(), 0, "{}", report.stderr());
        let stat = ports::stat(&stage.path("sub/dir/file"), true).unwrap();
        assert_eq!(stat.mode & 0o7777, expected);
    }
}

#[test]
fn an_existing_file_keeps_its_mode_and_its_other_names() {
    let stage = Stage::new();
    stage.write("file", "old");
    ports::set_mode(&stage.path("file"), 0o750).unwrap();
    let mut master = Master::with_source(b"new");
    master.serve(&stage, Command::DownloadFile(download("file", 10)));
    let stat = ports::stat(&stage.path("file"), true).unwrap();
    assert_eq!(stat.mode & 0o7777, 0o750);
    assert_eq!(fs::read(stage.path("file")).unwrap(), b"new");

    fs::hard_link(stage.path("file"), stage.path("other")).unwrap();
    let mut master = Master::with_source(b"newer");
    master.serve(&stage, Command::DownloadFile(download("file", 10)));
    assert_eq!(fs::read(stage.path("other")).unwrap(), b"newer");
    assert_only(&stage, &["file", "other"]);
}

#[test]
fn links_are_followed_and_devices_written_to() {
    let stage = Stage::new();
    stage.write("real", "old and longer");
    ports::make_link(Path::new("real"), &stage.path("link")).unwrap();
    ports::make_link(Path::new("new"), &stage.path("dangling")).unwrap();
    for (name, real) in [("link", "real"), ("dangling", "new")] {
        let mut master = Master::with_source(b"content");
        let report = master.serve(&stage, Command::DownloadFile(download(name, 10)));
        assert_eq!(report.code(), 0);
        assert_eq!(fs::read(stage.path(real)).unwrap(), b"content");
    }
    let before = ports::stat(Path::new("/dev/null"), true).unwrap();
    let mut arguments = download("/dev/null", 10);
    arguments.mode = Some(0o600);
    let mut master = Master::with_source(b"content");
    assert_eq!(
        master
            .serve(&stage, Command::DownloadFile(arguments))
            .code(),
        0
    );
    let after = ports::stat(Path::new("/dev/null"), true).unwrap();
    assert_eq!((after.mode, after.inode), (before.mode, before.inode));
}

#[test]
fn a_target_that_cannot_be_opened_is_closed_all_the_same() {
    let stage = Stage::new();
    stage.mkdir("dir");
    program(&stage.path(""), &["mkfifo", "pipe"]);
    let mut names = vec!["dir", "pipe", "dir/"];
    if !is_superuser(&stage) {
        stage.write("readonly", "old");
        ports::set_mode(&stage.path("readonly"), 0o444).unwrap();
        stage.mkdir("shut");
        ports::set_mode(&stage.path("shut"), 0o555).unwrap();
        names.extend(["readonly", "shut/file"]);
    }
    for name in names {
        let mut master = Master::with_source(b"content");
        let report = master.serve(&stage, Command::DownloadFile(download(name, 10)));
        assert_eq!(report.order(), ["rc", "elapsed", "stderr"]);
        assert_eq!(report.code(), 1);
        let path = stage.text(name);
        assert_eq!(
            report.stderr(),
            format!("Cannot open file '{path}' for download\n")
        );
        assert_eq!((master.calls, master.read), (vec![Transfer::Close], 0));
        assert_eq!(report.result, Ok(()));
    }
}

#[test]
fn a_writable_file_in_a_directory_that_is_not_is_written_in_place() {
    let stage = Stage::new();
    stage.write("shut/file", "old and longer");
    ports::set_mode(&stage.path("shut"), 0o555).unwrap();
    let mut master = Master::with_source(b"new");
    let report = master.serve(&stage, Command::DownloadFile(download("shut/file", 10)));
    assert_eq!(report.code(), 0);
    assert_eq!(fs::read(stage.path("shut/file")).unwrap(), b"new");
}

#[test]
fn a_parent_that_cannot_be_made_is_a_failure() {
    let stage = Stage::new();
    stage.write("file", "");
    let mut master = Master::with_source(b"content");
    let report = master.serve(&stage, Command::DownloadFile(download("file/sub/x", 10)));
    let failure = report.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::System);
    assert_eq!(master.calls, [Transfer::Close]);
}

#[test]
fn a_download_of_as_many_bytes_as_allowed_is_taken_for_truncated() {
    let stage = Stage::new();
    for block_size in [1, 3, 4, 8, 100] {
        for (limit, content, code) in [
            (10, "0123456789", 1),
            (11, "0123456789", 0),
            (0, "", 1),
            (5, "01234", 1),
        ] {
            let mut arguments = download("file", block_size);
            arguments.max_size = Some(limit);
            let mut master = Master::with_source(b"0123456789");
            let report = master.serve(&stage, Command::DownloadFile(arguments));
            assert_eq!(report.code(), code, "{limit} {block_size}");
            assert_eq!(fs::read(stage.path("file")).unwrap(), content.as_bytes());
            let path = stage.text("file");
            let text = format!("Maximum filesize reached, truncating file '{path}'\n");
            assert_eq!(report.stderr(), if code == 1 { &text } else { "" });
            assert_eq!(master.calls, [Transfer::Close]);
            // Not one byte more is asked for.
            assert!(master.read as u64 <= limit);
        }
    }
}

#[test]
fn reads_are_made_ahead_only_when_the_first_was_answered_in_full() {
    let stage = Stage::new();
    let mut running = stage.start(Command::DownloadFile(download("file", 262_144)));
    let first = asked_without_replies(&mut running);
    assert_eq!(first.len(), 1);
    running.reply(first[0].0, Ok(noise(262_144)));
    let more = asked_without_replies(&mut running);
    assert_eq!(
        more.iter().map(|(_, read)| size(read)).collect::<Vec<_>>(),
        [262_144; 4]
    );
    // A short answer is not the end, but a reason to be less greedy.
    running.reply(more[0].0, Ok(b"short".to_vec()));
    assert!(asked_without_replies(&mut running).is_empty());
    for (tag, _) in &more[1..] {
        running.reply(*tag, Ok(Vec::new()));
    }
    let report = running.finish(|_, transfer| {
        assert_eq!(transfer, Transfer::Close);
        Ok(Vec::new())
    });
    assert_eq!(report.code(), 0);
    assert_eq!(fs::metadata(stage.path("file")).unwrap().len(), 262_149);
}

#[test]
fn a_master_that_reads_in_small_pieces_is_read_to_the_end() {
    let stage = Stage::new();
    let content = noise(100_000);
    for limit in [None, Some(100_001)] {
        let mut arguments = download("file", 4096);
        arguments.max_size = limit;
        let mut at = 0;
        let mut turn = 0;
        let report = stage
            .start(Command::DownloadFile(arguments))
            .finish(|_, transfer| {
                let Transfer::Read(size) = transfer else {
                    return Ok(Vec::new());
                };
                turn += 1;
                let size = if turn % 3 == 0 { size.min(100) } else { size };
                let end = (at + size).min(content.len());
                let bytes = content[at..end].to_vec();
                at = end;
                Ok(bytes)
            });
        assert_eq!(report.code(), 0);
        assert!(fs::read(stage.path("file")).unwrap() == content);
    }
}

#[test]
fn a_master_that_breaks_down_or_the_rules_leaves_the_old_file() {
    let stage = Stage::new();
    let broken: [TransferReply; 2] = [Err("Input/output error".to_owned()), Ok(vec![0; 11])];
    for reply in broken {
        for good in 0..4 {
            stage.write("file", "old");
            let mut reads = 0;
            let mut closed = 0;
            let report = stage
                .start(Command::DownloadFile(download("file", 10)))
                .finish(|_, transfer| match transfer {
                    Transfer::Read(_) => {
                        reads += 1;
                        if reads <= good {
                            Ok(vec![b'x'; 10])
                        } else {
                            reply.clone()
                        }
                    }
                    _ => {
                        closed += 1;
                        Ok(Vec::new())
                    }
                });
            assert_eq!((report.code(), closed), (1, 1));
            assert!(report.result.is_err());
            assert_eq!(fs::read(stage.path("file")).unwrap(), b"old");
            assert_only(&stage, &["file"]);
        }
    }
}

#[test]
fn a_close_that_fails_does_not_fail_the_download() {
    let stage = Stage::new();
    let report = stage
        .start(Command::DownloadFile(download("file", 10)))
        .finish(|_, transfer| match transfer {
            Transfer::Close => Err("what file?".to_owned()),
            _ => Ok(Vec::new()),
        });
    assert_eq!((report.code(), report.result), (0, Ok(())));
    assert_eq!(fs::read(stage.path("file")).unwrap(), b"");
}

#[test]
fn an_interrupted_download_leaves_the_old_file_and_closes() {
    let stage = Stage::new();
    for replies in 0..4 {
        stage.write("file", "old");
        let mut running = stage.start(Command::DownloadFile(download("file", 1000)));
        for _ in 0..replies {
            let (tag, _) = running.next_transfer().unwrap();
            running.reply(tag, Ok(vec![b'x'; 1000]));
        }
        running.interrupt();
        let mut last = None;
        let report = running.finish(|_, transfer| {
            let reply = match &transfer {
                Transfer::Read(size) => Ok(vec![b'x'; *size]),
                _ => Ok(Vec::new()),
            };
            last = Some(transfer);
            reply
        });
        assert_eq!(last, Some(Transfer::Close));
        assert_eq!((report.code(), &report.result), (1, &Ok(())));
        assert!(!report.has_elapsed());
        assert_eq!(fs::read(stage.path("file")).unwrap(), b"old");
        assert_only(&stage, &["file"]);
    }
}

#[test]
fn an_abandoned_download_leaves_nothing_behind() {
    let stage = Stage::new();
    let mut running = stage.start(Command::DownloadFile(download("file", 1000)));
    let (tag, _) = running.next_transfer().unwrap();
    running.reply(tag, Ok(vec![b'x'; 1000]));
    running.next_transfer().unwrap();
    running.handle.send(ToStep::Abandon);
    while let Some((_, transfer)) = running.next_transfer() {
        assert!(matches!(transfer, Transfer::Read(_)), "{transfer:?}");
    }
    assert_only(&stage, &[]);
}

#[test]
fn a_full_disk_is_named() {
    if !Path::new("/dev/full").exists() {
        return; // only some systems have a device that is always full
    }
    let stage = Stage::new();
    let mut master = Master::with_source(&noise(100));
    let report = master.serve(&stage, Command::DownloadFile(download("/dev/full", 10)));
    assert_eq!((report.code(), &report.result), (1, &Ok(())));
    let text = "Cannot write file '/dev/full': No space left on device\n";
    assert_eq!(report.stderr(), text);
    assert_eq!(master.calls, [Transfer::Close]);
}

// uploadDirectory

/// What is in a directory, as Python sees it.
fn listing(directory: &Path) -> String {
    let script = r#"
import os, sys, stat, hashlib
for root, dirs, files in os.walk(sys.argv[1].encode()):
    dirs.sort()
    for name in [b'.'] + sorted(dirs + files):
        path = os.path.join(root, name)
        if name != b'.' and os.path.isdir(path) and not os.path.islink(path): continue
        s = os.lstat(path)
        what = os.readlink(path) if stat.S_ISLNK(s.st_mode) else b''
        if stat.S_ISREG(s.st_mode): what = hashlib.sha256(open(path, 'rb').read()).hexdigest()
        print(os.path.relpath(path, sys.argv[1].encode()), oct(s.st_mode), int(s.st_mtime) if not stat.S_ISLNK(s.st_mode) else '', what)
"#;
    let directory = directory.to_str().unwrap();
    let (code, output, trouble) = program(Path::new("/"), &["python3", "-c", script, directory]);
    assert_eq!((code, trouble.as_str()), (0, ""));
    output
}

/// Extracts an archive as a master does, with or without the filter of newer ones.
fn extract(stage: &Stage, archive: &[u8], mode: &str, filter: &str) -> String {
    let file = stage.base.join("archive");
    fs::write(&file, archive).unwrap();
    let target = stage.base.join("extracted");
    let _ = fs::remove_dir_all(&target);
    fs::create_dir(&target).unwrap();
    let script = "import sys,tarfile\nfilter={'filter': sys.argv[4]} if hasattr(tarfile, 'data_filter') else {}\nwith tarfile.open(sys.argv[1], sys.argv[2]) as t: t.extractall(sys.argv[3], **filter)";
    let (file, into) = (file.to_str().unwrap(), target.to_str().unwrap());
    let words = ["python3", "-c", script, file, mode, into, filter];
    let (code, _, trouble) = program(&stage.base, &words);
    assert_eq!((code, trouble.as_str()), (0, ""));
    listing(&target)
}

#[test]
fn an_uploaded_directory_is_the_same_at_the_master() {
    if !has_gnu_tools() {
        return; // the tree is made with them
    }
    let stage = Stage::new();
    let script = r#"
mkdir -p d/sub/deeper d/empty; cd d
echo one > one; printf '' > none; head -c 100000 /dev/urandom > noise; chmod 755 one; chmod 700 sub
ln -s one link; ln -s ./sub//deeper/ odd-link; ln one hard; echo x > 'new
line'; echo é > é; printf x > "$(printf 'stray\351')"
long=$(printf 'n%.0s' $(seq 1 240)); echo long > $long; mkdir -p "sub/$long/$long"; echo > "sub/$long/$long/$long"
exact=$(printf 'e%.0s' $(seq 1 100)); echo > $exact; mkdir $exact.d; ln -s sub/$long/$long/$long long-link
echo > "sub/deeper/$(printf 'e%.0s' $(seq 1 89))"
find . -exec touch -h -d '2020-01-02 03:04:05' {} +
chmod 750 .
"#;
    let (code, _, trouble) = program(&stage.path(""), &["sh", "-c", script]);
    assert_eq!((code, trouble.as_str()), (0, ""));
    let original = listing(&stage.path("d"));
    assert_eq!(original.lines().count(), 21, "{original}");
    for (compression, mode) in [
        (Compression::None, "r:"),
        (Compression::Gzip, "r:gz"),
        (Compression::Bzip2, "r:bz2"),
    ] {
        let mut master = Master::default();
        let report = master.serve(
            &stage,
            Command::UploadDirectory(directory("d", compression)),
        );
        assert_eq!(report.order(), ["header", "rc", "elapsed"]);
        let path = stage.text("d");
        assert_eq!(report.header(), format!("sending {path}\n"));
        assert_eq!((report.code(), &report.result), (0, &Ok(())));
        // Never close (PROTOCOL 6.11).
        assert_eq!(master.calls, [Transfer::Unpack]);
        let (last, others) = master.blocks.split_last().unwrap();
        assert!(others.iter().all(|block| block.len() == 16_384) && last.len() <= 16_384);
        assert_eq!(
            extract(&stage, &master.written, mode, "fully_trusted"),
            original
        );
        let filtered = extract(&stage, &master.written, mode, "data");
        assert_eq!(filtered.lines().count(), original.lines().count());
    }
}

#[test]
fn what_no_master_takes_is_left_out_and_said() {
    let stage = Stage::new();
    stage.write("d/file", "x");
    program(&stage.path("d"), &["mkfifo", "pipe"]);
    let bind = "import socket; socket.socket(socket.AF_UNIX).bind('sock')";
    program(&stage.path("d"), &["python3", "-c", bind]);
    let mut master = Master::default();
    let command = Command::UploadDirectory(directory("d", Compression::None));
    let report = master.serve(&stage, command);
    assert_eq!((report.code(), &report.result), (0, &Ok(())));
    let said = |name: &str| {
        let path = stage.text(name);
        format!("'{path}' is a socket, pipe or device and not sent\n")
    };
    assert_eq!(report.stderr(), said("d/pipe") + &said("d/sock"));
    let there = extract(&stage, &master.written, "r:", "data");
    assert_eq!(there.lines().count(), 2, "{there}");
}

#[test]
fn a_step_is_not_flooded_with_what_is_left_out() {
    let stage = Stage::new();
    stage.mkdir("d");
    let many = "for i in $(seq 1 150); do mkfifo p$i; done";
    program(&stage.path("d"), &["sh", "-c", many]);
    let mut master = Master::default();
    let command = Command::UploadDirectory(directory("d", Compression::Gzip));
    let report = master.serve(&stage, command);
    assert_eq!(report.code(), 0);
    let said = report.stderr();
    assert_eq!(said.lines().count(), 101);
    assert!(
        said.ends_with("and 50 more, which are in the worker's log\n"),
        "{said}"
    );
}

#[test]
fn a_link_to_a_directory_is_sent_as_the_directory() {
    let stage = Stage::new();
    stage.write("real/file", "x");
    ports::make_link(Path::new("real"), &stage.path("link")).unwrap();
    let mut master = Master::default();
    let command = Command::UploadDirectory(directory("link", Compression::None));
    assert_eq!(master.serve(&stage, command).code(), 0);
    let there = extract(&stage, &master.written, "r:", "data");
    assert!(there.contains("b'file' 0o1006"), "{there}");
}

#[test]
fn a_file_in_place_of_a_directory_is_the_only_member_and_has_no_name() {
    let stage = Stage::new();
    stage.write("file", "content");
    let mut master = Master::default();
    let command = Command::UploadDirectory(directory("file", Compression::None));
    assert_eq!(master.serve(&stage, command).code(), 0);
    let mut archive = tar::Archive::new(master.written.as_slice());
    let mut members = archive.entries().unwrap();
    let mut member = members.next().unwrap().unwrap();
    assert_eq!(member.path_bytes().as_ref(), b"");
    let mut content = String::new();
    std::io::Read::read_to_string(&mut member, &mut content).unwrap();
    assert_eq!(content, "content");
    assert!(members.next().is_none());
}

#[test]
fn a_directory_that_cannot_be_read_is_not_even_begun() {
    let stage = Stage::new();
    let mut cases = vec![("nodir", "nodir", "[Errno 2] No such file or directory")];
    if !is_superuser(&stage) {
        stage.write("d/a/secret", "");
        stage.write("e/shut/f", "");
        ports::set_mode(&stage.path("d/a/secret"), 0).unwrap();
        ports::set_mode(&stage.path("e/shut"), 0).unwrap();
        cases.push(("d", "d/a/secret", "[Errno 13] Permission denied"));
        cases.push(("e", "e/shut", "[Errno 13] Permission denied"));
    }
    for (name, culprit, reason) in cases {
        let command = Command::UploadDirectory(directory(name, Compression::None));
        let report = stage.run(command);
        assert_eq!(report.order(), ["rc", "elapsed", "stderr"]);
        assert_eq!(report.code(), 1);
        let (path, culprit) = (stage.text(name), stage.text(culprit));
        let text = format!("Cannot read directory '{path}' for upload: {reason}: '{culprit}'\n");
        assert_eq!(report.stderr(), text);
        assert_eq!(report.result, Ok(()));
    }
}

#[test]
fn an_archive_beyond_the_limit_is_cut_and_still_unpacked() {
    let stage = Stage::new();
    stage.write("d/noise", noise(200_000));
    for compression in [Compression::None, Compression::Gzip, Compression::Bzip2] {
        let mut arguments = directory("d", compression);
        arguments.max_size = Some(100_000);
        let mut written = 0;
        let mut calls = Vec::new();
        let report = stage
            .start(Command::UploadDirectory(arguments))
            .finish(|_, transfer| match transfer {
                Transfer::Write(block) => {
                    written += block.len();
                    Ok(Vec::new())
                }
                other => {
                    calls.push(other);
                    Err("unexpected end of data".to_owned())
                }
            });
        assert_eq!(written, 100_000);
        assert_eq!(calls, [Transfer::Unpack]);
        assert_eq!(report.code(), 1);
        let path = stage.text("d");
        let text = format!("Maximum filesize reached, truncating file '{path}'\n");
        assert_eq!(report.stderr(), text);
        let failure = report.result.unwrap_err();
        assert!(failure.message.ends_with("unexpected end of data"));
    }
}

#[test]
fn an_archive_of_exactly_the_limit_is_taken_for_truncated() {
    let stage = Stage::new();
    stage.write("d/file", "x");
    let mut master = Master::default();
    let arguments = directory("d", Compression::None);
    master.serve(&stage, Command::UploadDirectory(arguments.clone()));
    let length = master.written.len() as u64;
    for (limit, code) in [(length, 1), (length + 1, 0)] {
        let mut master = Master::default();
        let mut arguments = arguments.clone();
        arguments.max_size = Some(limit);
        let report = master.serve(&stage, Command::UploadDirectory(arguments));
        assert_eq!(report.code(), code);
        assert_eq!(master.written.len() as u64, length);
    }
}

#[test]
fn an_archive_that_cannot_be_unpacked_is_a_failure() {
    let stage = Stage::new();
    stage.write("d/file", "x");
    let command = Command::UploadDirectory(directory("d", Compression::None));
    let report = stage.start(command).finish(|_, transfer| match transfer {
        Transfer::Unpack => Err("OutsideDestinationError".to_owned()),
        _ => Ok(Vec::new()),
    });
    assert_eq!(report.code(), 1);
    assert!(report.result.is_err());
}

#[test]
fn an_interrupted_directory_is_unpacked_and_nobody_minds_that_it_fails() {
    let stage = Stage::new();
    stage.mkdir("d");
    // Zeros without end that make hardly a block.
    let sparse = fs::File::create(stage.path("d/sparse")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    for compression in [Compression::None, Compression::Gzip, Compression::Bzip2] {
        let mut running = stage.start(Command::UploadDirectory(directory("d", compression)));
        if compression == Compression::None {
            let (tag, _) = running.next_transfer().unwrap();
            running.reply(tag, Ok(Vec::new()));
        } else {
            // Time to begin. What comes meanwhile has to be answered.
            match running.next_within(Duration::from_millis(300)) {
                Some(StepEvent::Transfer { tag, .. }) => running.reply(tag, Ok(Vec::new())),
                Some(StepEvent::Updates { .. }) | None => {}
                Some(StepEvent::Complete(result)) => panic!("it is over: {result:?}"),
            }
        }
        running.interrupt();
        let mut calls = Vec::new();
        let report = running.finish(|_, transfer| match transfer {
            Transfer::Write(_) => Ok(Vec::new()),
            other => {
                calls.push(other);
                Err("unexpected end of data".to_owned())
            }
        });
        assert_eq!(calls, [Transfer::Unpack]);
        assert_eq!((report.code(), &report.result), (1, &Ok(())));
        assert!(!report.has_elapsed());
    }
}

#[test]
fn an_abandoned_directory_leaves_without_a_word() {
    let stage = Stage::new();
    stage.write("d/file", noise(5_000_000));
    let command = Command::UploadDirectory(directory("d", Compression::None));
    let mut running = stage.start(command);
    running.next_transfer().unwrap();
    running.handle.send(ToStep::Abandon);
    while let Some((_, transfer)) = running.next_transfer() {
        assert!(matches!(transfer, Transfer::Write(_)), "{transfer:?}");
    }
}
