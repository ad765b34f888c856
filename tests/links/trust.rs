//! Which certificates are taken, and what is said of the others.

use std::io::{Read, Write};
use std::path::PathBuf;

use coracle::link::endpoint::{Pin, SystemRoots};
use rustls::version::{TLS12, TLS13};

use crate::certificates::{Authority, Pair, self_signed};
use crate::listener::{Listener, assert_echo, dial, drain, echo, refusal};

/// A server with this certificate, and why it is not taken.
fn verdict(pair: &Pair, authority: &Authority) -> String {
    let listener = Listener::secure(pair.server(), drain);
    let said = refusal(&listener.with_tls(|tls| tls.trust = Some(authority.file())));
    listener.result();
    let start = "no TLS with the master 127.0.0.1:";
    assert!(said.starts_with(start), "{said}");
    assert!(said.len() < 380 && !said.contains('\n'), "{said}");
    said.split_once(": ").unwrap().1.to_owned()
}

#[test]
fn a_good_certificate_is_taken_in_both_versions_of_tls() {
    let authority = Authority::new("Test CA");
    let pair = authority.issue(&["localhost"]);
    for (version, name) in [(&TLS12, "(TLS 1.2)"), (&TLS13, "(TLS 1.3)")] {
        let config = pair.server_with(None, &[version]);
        let listener = Listener::secure(config, echo);
        let endpoint = listener.with_tls(|tls| tls.trust = Some(authority.file()));
        let mut connection = dial(&endpoint).unwrap();
        assert!(
            connection.description().ends_with(name),
            "{}",
            connection.description()
        );
        assert_echo(&mut connection);
    }
}

#[test]
fn issuers_may_lie_in_a_directory_in_files_ending_in_pem() {
    let authority = Authority::new("Test CA");
    let pair = authority.issue(&["localhost"]);
    authority.write("README", "nothing");
    authority.write("broken.pem", "nothing");
    let directory = Some(authority.directory().to_owned());
    let none = Listener::secure(pair.server(), echo);
    let said = refusal(&none.with_tls(|tls| tls.trust.clone_from(&directory)));
    assert!(
        said.contains("there is no certificate in files ending in .pem there"),
        "{said}"
    );
    authority.write("it.PEM", &authority.pem());
    let listener = Listener::secure(pair.server(), echo);
    assert_echo(&mut dial(&listener.with_tls(|tls| tls.trust = directory)).unwrap());
}

#[test]
fn an_expired_certificate_is_told_with_its_last_day() {
    let authority = Authority::new("Test CA");
    let said = verdict(
        &authority.issue_for_years(&["localhost"], 2001, 2002),
        &authority,
    );
    let start =
        "the master's certificate has expired: it was valid until 2002-01-01 00:00 UTC, and";
    assert!(said.starts_with(start), "{said}");
}

#[test]
fn a_certificate_from_the_future_is_told_with_its_first_day() {
    let authority = Authority::new("Test CA");
    let said = verdict(
        &authority.issue_for_years(&["localhost"], 2090, 2091),
        &authority,
    );
    let start = "the master's certificate is not valid yet: it is from 2090-01-01 00:00 UTC, and";
    assert!(said.starts_with(start), "{said}");
}

#[test]
fn a_certificate_for_others_is_told_with_their_names() {
    let authority = Authority::new("Test CA");
    let pair = authority.issue(&["a.example.org", "*.example.net", "10.0.0.1"]);
    assert_eq!(
        verdict(&pair, &authority),
        "the master's certificate is not for localhost but for a.example.org, *.example.net, 10.0.0.1"
    );
    let nameless = verdict(&authority.issue(&[]), &authority);
    assert!(
        nameless.ends_with("but for nobody (it has no subjectAltName)"),
        "{nameless}"
    );
}

#[test]
fn an_unknown_issuer_is_told_with_its_name_and_the_key_seen() {
    let (ours, theirs) = (Authority::new("Our CA"), Authority::new("Their CA"));
    let pair = theirs.issue(&["localhost"]);
    let said = verdict(&pair, &ours);
    let start = format!(
        "the master's certificate is signed by \"Their CA\", which is not among the one in {}; set \
         tls_ca_file, or if its key is the right one, tls_pin_sha256 = '",
        ours.file().display()
    );
    assert!(said.starts_with(&start), "{said}");
    let alone = self_signed(&["localhost"], false, 2020, 2100);
    assert!(verdict(&alone, &ours).starts_with("the master's certificate is signed by itself, "));
    let issuer = self_signed(&["localhost"], true, 2020, 2100);
    assert!(verdict(&issuer, &ours).starts_with("the master's certificate is signed by itself, "));
}

#[test]
fn a_master_may_have_the_very_certificate_that_is_trusted_if_name_and_dates_are_right() {
    let authority = Authority::new("unused");
    for is_issuer in [false, true] {
        let try_it = |names: &[&str], to: i32| {
            let pair = self_signed(names, is_issuer, 2020, to);
            let file = authority.write("own.pem", &pair.certificate);
            let listener = Listener::secure(pair.server(), echo);
            let endpoint = listener.with_tls(|tls| tls.trust = Some(file));
            dial(&endpoint).map_err(|error| error.to_string())
        };
        assert_echo(&mut try_it(&["localhost"], 2100).unwrap());
        let wrong_name = try_it(&["other.org"], 2100).unwrap_err();
        assert!(
            wrong_name.contains("is not for localhost but for other.org"),
            "{wrong_name}"
        );
        let expired = try_it(&["localhost"], 2021).unwrap_err();
        assert!(expired.contains("has expired"), "{expired}");
    }
}

#[test]
fn an_address_is_a_name_too() {
    let authority = Authority::new("Test CA");
    let pair = authority.issue(&["127.0.0.1"]);
    let listener = Listener::secure(pair.server(), echo);
    let endpoint = listener.with_tls(|tls| {
        tls.name = "127.0.0.1".to_owned();
        tls.trust = Some(authority.file());
    });
    assert_echo(&mut dial(&endpoint).unwrap());
}

/// The pin in a verdict, as the administrator would copy it.
fn quoted(text: &str) -> Pin {
    let pin = text.split('\'').rev().nth(1).unwrap();
    Pin::parse(pin).unwrap()
}

#[test]
fn a_pin_is_enough_and_stands_above_names_and_dates() {
    let authority = Authority::new("Test CA");
    let pair = self_signed(&["other.org"], true, 2001, 2002);
    let good = self_signed(&["localhost"], false, 2020, 2100);
    let pin = quoted(&verdict(&good, &authority));
    let listener = Listener::secure(good.server(), echo);
    assert_echo(&mut dial(&listener.with_tls(|tls| tls.pins.push(pin))).unwrap());

    let listener = Listener::secure(pair.server(), drain);
    let said = refusal(&listener.with_tls(|tls| tls.pins.push(pin)));
    let seen = said.split("the key seen is ").nth(1).unwrap();
    let seen = Pin::parse(seen.split(": ").next().unwrap()).unwrap();
    assert_ne!(seen, pin);
    let listener = Listener::secure(pair.server(), echo);
    assert_echo(&mut dial(&listener.with_tls(|tls| tls.pins = vec![pin, seen])).unwrap());
}

#[test]
fn a_pin_beside_named_issuers_adds_to_them() {
    let (ours, theirs) = (Authority::new("Our CA"), Authority::new("Their CA"));
    let pair = theirs.issue(&["localhost"]);
    let pin = quoted(&verdict(&pair, &ours));
    let listener = Listener::secure(pair.server(), drain);
    let said = refusal(&listener.with_tls(|tls| {
        tls.pins.push(pin);
        tls.trust = Some(ours.file());
    }));
    assert!(said.contains("signed by \"Their CA\""), "{said}");
    let listener = Listener::secure(pair.server(), echo);
    let endpoint = listener.with_tls(|tls| {
        tls.pins.push(pin);
        tls.trust = Some(theirs.file());
    });
    assert_echo(&mut dial(&endpoint).unwrap());
}

#[test]
fn the_system_s_issuers_are_a_file_a_directory_or_built_in() {
    let authority = Authority::new("Test CA");
    let pair = authority.issue(&["localhost"]);
    let missing = PathBuf::from("/nonexistent/certs");
    let empty = authority.write("empty.crt", "# nothing\n");
    let file = SystemRoots {
        files: vec![missing.clone(), empty.clone(), authority.file()],
        directories: vec![missing.clone()],
        named: false,
    };
    let directory = SystemRoots {
        files: vec![missing.clone()],
        directories: vec![missing.clone(), authority.directory().to_owned()],
        named: false,
    };
    for system in [file, directory] {
        let listener = Listener::secure(pair.server(), echo);
        assert_echo(&mut dial(&listener.with_tls(|tls| tls.system = system)).unwrap());
    }
    let listener = Listener::secure(pair.server(), drain);
    let said = refusal(&listener.with_tls(|tls| tls.system.files = vec![missing.clone()]));
    assert!(said.contains("built in, as this system has none"), "{said}");
    let listener = Listener::secure(pair.server(), drain);
    let said = refusal(&listener.with_tls(|tls| {
        tls.system = SystemRoots {
            files: vec![missing],
            directories: Vec::new(),
            named: true,
        }
    }));
    assert!(said.contains("SSL_CERT_FILE"), "{said}");
}

#[test]
fn a_master_without_tls_is_recognised_also_one_byte_at_a_time() {
    for greeting in [
        "\x02\u{80}pb none",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "SSH-2.0-x\r\n",
    ] {
        let listener = Listener::serve(move |mut stream| {
            for byte in greeting.as_bytes().chunks(1) {
                let _ = stream.write_all(byte);
            }
            drain(stream)
        });
        let said = refusal(&listener.with_tls(|_| {}));
        assert!(
            said.ends_with("does not speak TLS; is this the port for plain text?"),
            "{said}"
        );
    }
}

#[test]
fn a_master_that_closes_or_keeps_silent_is_told_apart() {
    let listener = Listener::serve(drop);
    let said = refusal(&listener.with_tls(|_| {}));
    // The system may tell of the close before or after it has taken our first words.
    let closed = said.contains("closed the connection before TLS was agreed on");
    assert!(closed || said.contains("lost the connection"), "{said}");

    let listener = Listener::serve(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
    });
    let said = refusal(&listener.with_tls(|_| {}));
    assert!(
        said.contains("it closed the connection before TLS was agreed on"),
        "{said}"
    );

    let listener = Listener::serve(drain);
    let mut endpoint = listener.with_tls(|_| {});
    endpoint.way.timeout = std::time::Duration::from_secs(1);
    let said = refusal(&endpoint);
    assert!(
        said.contains("it did not agree on TLS within 1 s"),
        "{said}"
    );
}

/// Each record of the master's side is damaged in turn: an error each time, and never a hang.
#[test]
fn garbage_in_the_middle_of_the_handshake_is_an_error() {
    let authority = Authority::new("Test CA");
    let pair = authority.issue(&["localhost"]);
    for place in [0, 1, 5, 50, 130, 200, 400, 600] {
        let config = pair.server();
        let listener = Listener::serve(move |mut stream| {
            let mut server = rustls::ServerConnection::new(config).unwrap();
            while server.wants_read() && !server.wants_write() {
                server.read_tls(&mut stream).unwrap();
                server.process_new_packets().unwrap();
            }
            let mut bytes = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut bytes).unwrap();
            }
            let place = place.min(bytes.len() - 1);
            bytes[place] ^= 0x55;
            let _ = stream.write_all(&bytes);
            drain(stream)
        });
        let mut endpoint = listener.with_tls(|tls| tls.trust = Some(authority.file()));
        // A damaged length makes it wait for bytes that never come.
        endpoint.way.timeout = std::time::Duration::from_secs(2);
        let said = refusal(&endpoint);
        assert!(
            said.starts_with("no TLS with the master"),
            "{place}: {said}"
        );
        listener.result();
    }
}
