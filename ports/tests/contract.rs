//! What every port promises.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use ports::{Exit, ProcessSpec, Read, Source};

fn words(list: &[&str]) -> Vec<OsString> {
    list.iter().map(OsString::from).collect()
}

#[test]
fn output_arrives_and_exit_code_is_told() {
    let words = words(&["/bin/sh", "-c", "echo hello; exit 7"]);
    for terminal in [false, true] {
        let mut process = ports::start(&ProcessSpec {
            words: &words,
            env: &[],
            directory: Path::new("/"),
            terminal,
        })
        .unwrap();
        let mut out = process.take_stdout().unwrap();
        let mut all = Vec::new();
        let mut buffer = [0; 100];
        loop {
            match out.read(&mut buffer).unwrap() {
                Read::Bytes(n) => all.extend_from_slice(&buffer[..n]),
                Read::NotYet => {
                    ports::wait(&[Source::Readable(&out)], None).unwrap();
                }
                Read::End => break,
            }
        }
        assert_eq!(
            all,
            if terminal {
                &b"hello\r\n"[..]
            } else {
                b"hello\n"
            }
        );
        while process.exited().is_none() {
            ports::wait(&[Source::Exit(&process)], None).unwrap();
        }
        assert_eq!(process.exited(), Some(Exit::Code(7)));
        let ended = process.end(Instant::now() + Duration::from_secs(5));
        assert!(
            ended.killed.is_empty() && ended.survived.is_empty(),
            "{ended:?}"
        );
    }
}
