//! Proxies that are not what they should be, and what is said of them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use coracle::link::Endpoint;
use coracle::link::endpoint::{Authority, Credentials, Proxy, ProxyKind, Way};

use crate::certificates;
use crate::listener::{Listener, assert_echo, dial, drain, echo, read_exact, refusal};

const HTTP_GOOD: &[u8] = b"HTTP/1.0 200 Connection established\r\nProxy-agent: test\r\n\r\n";
const SOCKS_GOOD: &[u8] = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x12\x34";

/// `m.example.org:9989` through somebody.
fn through<T>(kind: ProxyKind, listener: &Listener<T>, credentials: bool) -> Endpoint
where
    T: Send + 'static,
{
    let proxy = Proxy {
        kind,
        at: Authority::new("127.0.0.1", listener.port()),
        credentials: credentials.then(|| Credentials {
            user: "box".to_owned(),
            password: "hunter2".to_owned(),
        }),
    };
    Endpoint::tcp("m.example.org", 9989).through(proxy, Way::default())
}

/// Reads until an empty line.
fn request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        text.push(char::from(byte[0]));
    }
    text
}

fn take(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// What is said of an HTTP proxy that answers this and closes.
fn http_answer(answer: &'static [u8], credentials: bool) -> String {
    let listener = Listener::serve(move |mut stream| {
        let asked = request(&mut stream);
        let _ = stream.write_all(answer);
        asked
    });
    let said = refusal(&through(ProxyKind::Http, &listener, credentials));
    let asked = listener.result();
    assert!(
        asked.starts_with("CONNECT m.example.org:9989 HTTP/1.1\r\nHost: m.example.org:9989\r\n")
    );
    assert_eq!(
        asked.contains("Proxy-Authorization: Basic Ym94Omh1bnRlcjI=\r\n"),
        credentials
    );
    assert!(
        !said.contains("hunter2") && !said.contains("Ym94Omh1bnRlcjI"),
        "{said}"
    );
    let (start, said) = said
        .split_once(" does not bring us to m.example.org:9989: ")
        .unwrap();
    assert!(start.starts_with("the proxy 127.0.0.1:"), "{start}");
    said.to_owned()
}

#[test]
fn the_master_s_first_bytes_may_come_with_the_proxy_s_answer_or_all_one_by_one() {
    for chunk in [1, 7, 1000] {
        let listener = Listener::serve(move |mut stream| {
            request(&mut stream);
            let bytes = [HTTP_GOOD, b"hello from the master"].concat();
            for part in bytes.chunks(chunk) {
                stream.write_all(part).unwrap();
                if chunk == 1 {
                    std::thread::yield_now();
                }
            }
            echo(stream);
        });
        let mut connection = dial(&through(ProxyKind::Http, &listener, false)).unwrap();
        let expected = format!("m.example.org:9989 through the proxy {}", listener.address);
        assert_eq!(connection.description(), expected);
        let heard = smol::block_on(read_exact(&mut connection, 21));
        assert_eq!(heard, b"hello from the master");
        assert_echo(&mut connection);
    }
}

#[test]
fn an_answer_other_than_success_is_told_in_the_proxy_s_words() {
    let said = |answer: &'static [u8]| http_answer(answer, true);
    assert_eq!(
        said(b"HTTP/1.1 403 Filtered\r\n\r\n<html>no</html>"),
        "it says \"HTTP/1.1 403 Filtered\""
    );
    assert_eq!(
        said(b"HTTP/1.1 500 Broken\n\n"),
        "it says \"HTTP/1.1 500 Broken\""
    );
    assert_eq!(
        said(b"HTTP/1.1 502 Bad Gate"),
        "it closed the connection without an answer"
    );
    assert_eq!(
        said(b"HTTP/1.1 502 Bad Gateway\r\nX"),
        "it says \"HTTP/1.1 502 Bad Gateway\""
    );
    assert_eq!(
        said(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
        "it does not accept the user name and the password (\"HTTP/1.1 407 Proxy Authentication Required\")"
    );
    let without = http_answer(b"HTTP/1.1 407 Who\r\n\r\n", false);
    assert!(without.starts_with("it wants a user name and a password (\"HTTP/1.1 407 Who\")"));
}

#[test]
fn what_is_no_http_proxy_is_told_as_such() {
    for garbage in [
        &b"\x02\x80\x02\x82pb\x04\x82none"[..],
        b"SSH-2.0-OpenSSH\r\n",
        b"\0\0\0\0",
    ] {
        let said = http_answer(garbage, false);
        assert_eq!(
            said,
            "what it answers is not HTTP; are its kind and port right?"
        );
    }
    assert_eq!(
        http_answer(b"", false),
        "it closed the connection without an answer"
    );
}

#[test]
fn a_proxy_that_never_ends_its_answer_is_left() {
    let listener = Listener::serve(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(&[b'x'; 1000]).is_ok() {}
    });
    let said = refusal(&through(ProxyKind::Http, &listener, false));
    assert!(said.contains("its answer has no end after"), "{said}");

    for kind in [ProxyKind::Http, ProxyKind::Socks5] {
        let listener = Listener::serve(drain);
        let mut endpoint = through(kind, &listener, false);
        endpoint.way.timeout = Duration::from_secs(1);
        let said = refusal(&endpoint);
        assert!(said.ends_with("it did not answer within 1 s"), "{said}");
    }
}

#[test]
fn tls_runs_inside_either_proxy_and_its_faults_are_the_master_s() {
    let authority = certificates::Authority::new("Test CA");
    let pair = authority.issue(&["m.example.org"]);
    let wrong = authority.issue(&["other.example.org"]);
    for kind in [ProxyKind::Http, ProxyKind::Socks5] {
        let serve = |pair: &certificates::Pair| {
            let config = pair.server();
            Listener::serve(move |mut stream| {
                match kind {
                    ProxyKind::Http => {
                        request(&mut stream);
                        stream.write_all(HTTP_GOOD).unwrap();
                    }
                    ProxyKind::Socks5 => {
                        take(&mut stream, 3);
                        stream.write_all(&[5, 0]).unwrap();
                        take(&mut stream, 4 + 14 + 2);
                        stream.write_all(SOCKS_GOOD).unwrap();
                    }
                }
                let server = rustls::ServerConnection::new(config).unwrap();
                drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(
                    || {
                        echo(rustls::StreamOwned::new(server, stream));
                    },
                )));
            })
        };
        let way = |listener: &Listener<()>| {
            let mut endpoint = through(kind, listener, false).with_tls();
            endpoint.tls.as_mut().unwrap().trust = Some(authority.file());
            endpoint
        };
        let listener = serve(&pair);
        assert_echo(&mut dial(&way(&listener)).unwrap());
        let said = refusal(&way(&serve(&wrong)));
        let expected = "no TLS with the master m.example.org:9989: the master's certificate is not \
                        for m.example.org but for other.example.org";
        assert_eq!(said, expected);
    }
}

/// What is said of a SOCKS proxy that answers the greeting, then what comes next, like this.
fn socks_answer(answers: &'static [&'static [u8]], credentials: bool) -> String {
    let listener = Listener::serve(move |mut stream| {
        for answer in answers {
            let _ = stream.read(&mut [0; 512]).unwrap();
            for byte in answer.chunks(1) {
                let _ = stream.write_all(byte);
            }
        }
        let _ = stream.shutdown(std::net::Shutdown::Write);
        drain(stream)
    });
    let said = refusal(&through(ProxyKind::Socks5, &listener, credentials));
    listener.result();
    assert!(!said.contains("hunter2"), "{said}");
    let (start, said) = said
        .split_once(" does not bring us to m.example.org:9989: ")
        .unwrap();
    assert!(start.starts_with("the SOCKS5 proxy 127.0.0.1:"), "{start}");
    said.to_owned()
}

#[test]
fn every_refusal_of_a_socks_proxy_has_words() {
    let said = |answers: &'static [&'static [u8]]| socks_answer(answers, true);
    assert_eq!(
        said(&[b"\x05\x00", b"\x05\x02\x00\x01"]),
        "it says \"not allowed by its rules\""
    );
    assert!(said(&[b"\x05\x00", b"\x05\x04\x00\x01"]).starts_with("it says \"host unreachable\""));
    assert!(said(&[b"\x05\x00", b"\x05\x05\x00\x01"]).contains("is the master running"));
    assert!(said(&[b"\x05\x00", b"\x05\x63\x00\x01"]).contains("error 99"));
    assert_eq!(
        said(&[b"\x05\x02", b"\x01\x01"]),
        "it does not accept the user name and the password"
    );
    assert_eq!(
        said(&[b"\x05\xff"]),
        "it accepts neither name and password nor none"
    );
    let without = socks_answer(&[b"\x05\xff"], false);
    assert!(
        without.starts_with("it wants a user name and a password;"),
        "{without}"
    );
}

#[test]
fn what_is_no_socks5_proxy_is_told_as_such() {
    let nonsense = "what it answers is not SOCKS5; are its kind and port right?";
    let answers: [&'static [&'static [u8]]; 5] = [
        &[b"HTTP/1.1 400"],
        &[b"\x04\x00"],
        &[b"\x05\x03"],
        &[b"\x05\x00", b"\x04\x00\x00\x01"],
        &[b"\x05\x00", b"\x05\x00\x00\x09"],
    ];
    for answers in answers {
        assert_eq!(socks_answer(answers, true), nonsense, "{answers:?}");
    }
    // A method that was not offered.
    assert_eq!(socks_answer(&[b"\x05\x02"], false), nonsense);
    let closed = "it closed the connection without an answer";
    let answers: [&'static [&'static [u8]]; 4] = [
        &[],
        &[b"\x05"],
        &[b"\x05\x00", b"\x05\x00"],
        &[b"\x05\x00", b"\x05\x00\x00\x01\x7f"],
    ];
    for answers in answers {
        assert_eq!(socks_answer(answers, true), closed, "{answers:?}");
    }
}

#[test]
fn a_socks_proxy_may_answer_with_an_address_of_any_kind_and_the_master_s_bytes_behind_it() {
    let replies: [&'static [u8]; 3] = [
        SOCKS_GOOD,
        b"\x05\x00\x00\x03\x04name\x12\x34",
        b"\x05\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x12\x34",
    ];
    for reply in replies {
        let listener = Listener::serve(move |mut stream| {
            assert_eq!(take(&mut stream, 4), b"\x05\x02\x00\x02");
            stream.write_all(b"\x05\x02").unwrap();
            assert_eq!(take(&mut stream, 13), b"\x01\x03box\x07hunter2");
            stream.write_all(b"\x01\x00").unwrap();
            assert_eq!(
                take(&mut stream, 20),
                b"\x05\x01\x00\x03\x0dm.example.org\x27\x05"
            );
            stream.write_all(&[reply, b"hello"].concat()).unwrap();
            echo(stream);
        });
        let mut connection = dial(&through(ProxyKind::Socks5, &listener, true)).unwrap();
        assert_eq!(smol::block_on(read_exact(&mut connection, 5)), b"hello");
        assert_echo(&mut connection);
    }
}

#[test]
fn a_proxy_that_is_not_there_is_not_taken_for_the_master() {
    let listener = Listener::serve(drop);
    let endpoint = through(ProxyKind::Http, &listener, false);
    dial(&Endpoint::tcp("127.0.0.1", listener.port())).unwrap();
    listener.result();
    let said = refusal(&endpoint);
    assert!(
        said.starts_with("cannot connect to the proxy 127.0.0.1:"),
        "{said}"
    );
    assert!(
        said.ends_with("is the proxy running, and is the port right?"),
        "{said}"
    );
    let mut unknown = endpoint;
    unknown.proxy.as_mut().unwrap().at.host = "proxy.invalid".to_owned();
    let said = refusal(&unknown);
    assert!(
        said.starts_with("the name of the proxy's host proxy.invalid has no address"),
        "{said}"
    );
}

#[test]
fn a_connection_comes_from_the_address_that_it_is_told() {
    let listener = Listener::serve(|stream| stream.peer_addr().unwrap());
    let mut endpoint = listener.plain();
    endpoint.way.bind = Some("127.0.0.77".parse().unwrap());
    dial(&endpoint).unwrap();
    assert_eq!(listener.result().ip().to_string(), "127.0.0.77");
    endpoint.way.bind = Some("192.0.2.1".parse().unwrap());
    let said = refusal(&endpoint);
    assert!(said.contains("bindAddress 192.0.2.1: "), "{said}");
    endpoint.way.bind = Some("::1".parse().unwrap());
    let said = refusal(&endpoint);
    assert!(
        said.contains("no address that can be reached from bindAddress ::1"),
        "{said}"
    );
}
