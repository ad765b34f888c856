//! Our own certificate: a master that wants one, and files that are of no use.

use std::io::{Read, Write};

use rustls::version::{TLS12, TLS13};

use crate::certificates::Authority;
use crate::listener::{Listener, Secure, assert_echo, dial, echo, refusal};

fn greet(mut stream: Secure) {
    let _ = stream.write_all(b"hello");
}

#[test]
fn a_master_that_wants_a_certificate_gets_ours() {
    let authority = Authority::new("Test CA");
    let (pair, own) = (authority.issue(&["localhost"]), authority.issue(&["box"]));
    let certificate = authority.write("own.crt", &own.certificate);
    let key = authority.write("own.key", &own.key);
    let both = authority.write("both.crt", &format!("{}{}", own.key, own.certificate));
    for version in [&TLS12, &TLS13] {
        for (certificate, key) in [(&certificate, Some(&key)), (&both, None)] {
            let config = pair.server_with(Some(&authority), &[version]);
            let listener = Listener::secure(config, echo);
            let endpoint = listener.with_tls(|tls| {
                tls.trust = Some(authority.file());
                tls.certificate = Some(certificate.clone());
                tls.private_key = key.cloned();
            });
            assert_echo(&mut dial(&endpoint).unwrap());
        }
    }
}

/// What comes of connecting and reading once: TLS 1.3 tells of our certificate only then.
fn connect_and_read(endpoint: &coracle::link::Endpoint) -> String {
    let mut connection = match dial(endpoint) {
        Ok(connection) => connection,
        Err(error) => return error.to_string(),
    };
    let read = smol::block_on(connection.reader.read(&mut [0; 10]));
    read.unwrap_err().to_string()
}

#[test]
fn a_master_that_wants_a_certificate_is_understood_when_we_have_none() {
    let authority = Authority::new("Test CA");
    let pair = authority.issue(&["localhost"]);
    for version in [&TLS12, &TLS13] {
        let config = pair.server_with(Some(&authority), &[version]);
        let listener = Listener::secure(config, greet);
        let endpoint = listener.with_tls(|tls| tls.trust = Some(authority.file()));
        let said = connect_and_read(&endpoint);
        assert!(said.contains("it wants a certificate from us"), "{said}");
    }
}

#[test]
fn a_certificate_that_the_master_does_not_like_is_told_as_such() {
    let (authority, other) = (Authority::new("Test CA"), Authority::new("Other CA"));
    let (pair, own) = (authority.issue(&["localhost"]), other.issue(&["box"]));
    let own = other.write("own.crt", &format!("{}{}", own.key, own.certificate));
    for version in [&TLS12, &TLS13] {
        let config = pair.server_with(Some(&authority), &[version]);
        let listener = Listener::secure(config, |mut stream: Secure| {
            let _ = stream.read(&mut [0; 10]);
        });
        let endpoint = listener.with_tls(|tls| {
            tls.trust = Some(authority.file());
            tls.certificate = Some(own.clone());
        });
        let said = connect_and_read(&endpoint);
        assert!(
            said.contains("it does not accept our certificate (UnknownCA)"),
            "{said}"
        );
    }
}

#[test]
fn files_of_our_own_that_are_of_no_use_are_named_before_anybody_is_called() {
    let authority = Authority::new("Test CA");
    let (own, other) = (authority.issue(&["box"]), authority.issue(&["box"]));
    let certificate = authority.write("own.crt", &own.certificate);
    let other_key = authority.write("other.key", &other.key);
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let encrypted = authority.write("encrypted.key", encrypted);
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let old = authority.write("old.key", old);
    let nothing = authority.write("nothing", "nothing");
    let missing = authority.directory().join("missing");
    let long = authority.write("long", "");
    let file = std::fs::File::options().write(true).open(&long).unwrap();
    file.set_len(9 * 1024 * 1024).unwrap();
    // Nobody listens there.
    let endpoint = coracle::link::Endpoint::tcp("127.0.0.1", 1).with_tls();
    let said = |change: &dyn Fn(&mut coracle::link::endpoint::Tls)| {
        let mut endpoint = endpoint.clone();
        change(endpoint.tls.as_mut().unwrap());
        refusal(&endpoint)
    };
    for (key, expected) in [
        (&other_key, "the private key is not that of"),
        (&encrypted, "it is encrypted; write it without a passphrase"),
        (&old, "it is encrypted; write it without a passphrase"),
        (&nothing, "there is no private key in it"),
        (&missing, "missing: No such file or directory"),
        (&certificate, "there is no private key in it"),
        (&long, "it is too long"),
    ] {
        let said = said(&|tls| {
            tls.certificate = Some(certificate.clone());
            tls.private_key = Some(key.clone());
        });
        assert!(said.contains(expected), "{said}");
    }
    for (file, expected) in [
        (&nothing, "there is no certificate in it"),
        (&missing, "missing: No such file or directory"),
        (&other_key, "there is no certificate in it"),
    ] {
        let certificate = said(&|tls| tls.certificate = Some(file.clone()));
        assert!(certificate.contains(expected), "{certificate}");
        let trust = said(&|tls| tls.trust = Some(file.clone()));
        assert!(trust.contains(expected), "{trust}");
    }
    let name = said(&|tls| tls.name = "b\u{fc}ro.example.org".to_owned());
    assert!(name.contains("xn--"), "{name}");
}
