//! A program that was built without TLS.

use std::process::Command;

use crate::support::scratch::Scratch;

#[test]
fn a_program_without_tls_says_so_when_asked_for_it() {
    for options in [
        vec!["--use-tls"],
        vec!["--connection-string", "tls:127.0.0.1:1"],
    ] {
        let scratch = Scratch::new("links-without");
        let coracle = || Command::new(env!("CARGO_BIN_EXE_coracle"));
        let mut create = coracle();
        create.args(["create-worker", "-q"]).args(options);
        create
            .arg(scratch.path())
            .args(["127.0.0.1:1", "box", "sekrit"]);
        assert!(create.status().unwrap().success());
        let output = coracle().arg("start").arg(scratch.path()).output().unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.starts_with("this program was built without TLS"),
            "{said}"
        );
    }
}
