//! Programs of workers whose coding is not UTF-8.

use coracle::calls::Shell;
use coracle::steps::TextEncoding;

use crate::driver::{Scene, sh};

fn scene(encoding: &str) -> Scene {
    let mut scene = Scene::new();
    scene.context.encoding = TextEncoding::named(encoding).unwrap();
    scene
}

#[test]
fn output_words_and_input_are_in_the_coding_of_the_worker() {
    let scene = scene("latin-1");
    let shell = Shell {
        initial_stdin: Some("é\n".to_owned()),
        ..sh("cat; printf 'é\\n'; printf 'é' | od -An -tx1; printf '\\351\\205\\n' >&2")
    };
    let report = scene.run(shell);
    assert_eq!(report.stdout(), "é\né\n e9\n");
    assert_eq!(report.stderr(), "é\u{85}\n");
    let header = report.header();
    assert!(header.contains(" writing 2 bytes to stdin\n"), "{header}");
    assert!(header.contains("printf \\'\\xe9\\' |") || header.contains("printf '\\xe9' |"));
    assert_eq!(report.code(), 0);
}

#[test]
fn a_word_that_cannot_be_encoded_is_named() {
    for (encoding, script) in [("ascii", "echo é"), ("latin-1", "echo €")] {
        let report = scene(encoding).run(sh(script));
        assert_eq!(report.code(), 1);
        let text = report.stderr();
        assert!(text.contains("unicode_encoding has no character"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }
}

#[cfg(feature = "encodings")]
#[test]
fn a_log_file_is_in_the_coding_of_the_worker_too() {
    use coracle::calls::LogFile;
    let scene = scene("euc-jp");
    let log = LogFile {
        name: "log".to_owned(),
        filename: "some.log".to_owned(),
        follow: None,
    };
    let shell = Shell {
        logfiles: vec![log],
        ..sh("printf '\\306\\374\\n' > some.log")
    };
    assert_eq!(scene.run(shell).log("log"), "日\n");
}
