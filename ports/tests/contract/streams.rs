//! Standard input, output and error.

use std::io::ErrorKind;
use std::time::Instant;

use ports::{Exit, Read, Source};

use crate::common::{exit_of, output, read_all, read_to, shell, soon};

#[test]
fn input_arrives_and_closing_it_is_its_end() {
    let mut process = shell("cat; echo end");
    let mut stdin = process.take_stdin().unwrap();
    assert_eq!(stdin.write(b"one\ntwo\n").unwrap(), 8);
    drop(stdin);
    assert_eq!(output(&mut process), "one\ntwo\nend\n");
}

#[test]
fn input_closed_at_once_is_empty() {
    let mut process = shell("wc -c");
    assert_eq!(output(&mut process).trim(), "0");
}

#[test]
fn ends_can_be_taken_once() {
    let mut process = shell("exit 0");
    assert!(process.take_stdin().is_some() && process.take_stdin().is_none());
    assert!(process.take_stdout().is_some() && process.take_stdout().is_none());
    assert!(process.take_stderr().is_some() && process.take_stderr().is_none());
}

#[test]
fn error_output_is_separate() {
    let mut process = shell("echo out; echo err >&2");
    let mut stderr = process.take_stderr().unwrap();
    assert_eq!(output(&mut process), "out\n");
    assert_eq!(read_all(&mut stderr), b"err\n");
}

#[test]
fn nothing_printed_yet_is_not_the_end() {
    let mut process = shell("read line; echo $line");
    let mut stdout = process.take_stdout().unwrap();
    assert_eq!(stdout.read(&mut [0; 10]).unwrap(), Read::NotYet);
    process.take_stdin().unwrap().write(b"now\n").unwrap();
    assert_eq!(read_all(&mut stdout), b"now\n");
    assert_eq!(stdout.read(&mut [0; 10]).unwrap(), Read::End);
}

#[test]
fn output_that_nobody_reads_holds_the_process_back_and_none_is_lost() {
    let mut process = shell("dd if=/dev/zero bs=1000 count=3000 2>/dev/null; echo end >&2");
    let mut stdout = process.take_stdout().unwrap();
    let mut stderr = process.take_stderr().unwrap();
    let mut total = 0;
    let mut buffer = [0; 7919];
    let deadline = soon();
    loop {
        match stdout.read(&mut buffer).unwrap() {
            Read::Bytes(count) => {
                assert!(buffer[..count].iter().all(|byte| *byte == 0));
                total += count;
                // Pipes hold far less than a megabyte, so it cannot have written all of it yet.
                if total < 1_000_000 {
                    assert_eq!(process.exited(), None);
                    assert_eq!(stderr.read(&mut [0; 10]).unwrap(), Read::NotYet);
                }
            }
            Read::NotYet => {
                ports::wait(&[Source::Readable(&stdout)], Some(deadline)).unwrap();
            }
            Read::End => break,
        }
        assert!(Instant::now() < deadline);
    }
    assert_eq!(total, 3_000_000);
    assert_eq!(read_all(&mut stderr), b"end\n");
    assert_eq!(exit_of(&mut process), Exit::Code(0));
}

#[test]
fn input_that_nobody_reads_is_not_written_now() {
    let mut process = shell("sleep 600");
    let mut stdin = process.take_stdin().unwrap();
    while stdin.write(&[b'x'; 5000]).unwrap() > 0 {}
    let ready = ports::wait(&[Source::Writable(&stdin)], Some(Instant::now())).unwrap();
    assert_eq!(ready, [false]);
}

#[test]
fn much_input_arrives_whole() {
    let mut process = shell("wc -c");
    let mut stdin = process.take_stdin().unwrap();
    let bytes = vec![b'x'; 1_000_000];
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let ready = ports::wait(&[Source::Writable(&stdin)], Some(soon())).unwrap();
        assert_eq!(ready, [true]);
        rest = &rest[stdin.write(rest).unwrap()..];
    }
    drop(stdin);
    assert_eq!(output(&mut process).trim(), "1000000");
}

#[test]
fn writing_to_a_process_that_does_not_read_is_a_broken_pipe() {
    let mut process = shell("exec <&-; echo closed; sleep 600");
    read_to(&mut process.take_stdout().unwrap(), "closed");
    let mut stdin = process.take_stdin().unwrap();
    let ready = ports::wait(&[Source::Writable(&stdin)], Some(soon())).unwrap();
    assert_eq!(ready, [true]);
    let error = stdin.write(b"x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

#[test]
fn output_ends_when_the_process_closes_it_and_not_when_we_do() {
    // The monitor must not hold it open.
    let mut process = shell("exec >&- 2>&-; sleep 600");
    assert_eq!(read_all(&mut process.take_stdout().unwrap()), b"");
    assert_eq!(read_all(&mut process.take_stderr().unwrap()), b"");
    assert_eq!(process.exited(), None);
}

#[test]
fn output_goes_on_while_a_background_process_has_it() {
    let mut process = shell("exec 3<&0; (read line; echo late) <&3 & exit 0");
    let mut stdout = process.take_stdout().unwrap();
    assert_eq!(exit_of(&mut process), Exit::Code(0));
    assert_eq!(stdout.read(&mut [0; 10]).unwrap(), Read::NotYet);
    process.take_stdin().unwrap().write(b"\n").unwrap();
    assert_eq!(read_all(&mut stdout), b"late\n");
}
