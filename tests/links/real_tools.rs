//! Proxies from the distribution, and OpenSSL as the other end of TLS. Where one is missing the test
//! says so; `ci/tools.sh` installs them, and with `CORACLE_TOOLS=1` a missing one is a failure.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use coracle::link::Endpoint;
use coracle::link::endpoint::{self, Way};

use crate::certificates::Authority;
use crate::listener::{Listener, assert_echo, dial, echo, refusal};
use crate::support::scratch::Scratch;

/// A program that runs for one test.
pub struct Tool(Child);

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn is_there(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|place| place.join(name).is_file());
    let must = std::env::var_os("CORACLE_TOOLS").is_some();
    assert!(found || !must, "{name} is not installed; see ci/tools.sh");
    if !found {
        eprintln!("skipped: {name} is not installed; see ci/tools.sh");
    }
    found
}

/// A port that nobody uses just now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts a program that listens on a free port. Somebody else may have taken that in between: then
/// it ends, and is tried on another one.
fn start(mut command: impl FnMut(u16) -> Command) -> (Tool, u16) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let port = free_port();
        let mut command = command(port);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut tool = Tool(command.spawn().unwrap());
        while tool.0.try_wait().unwrap().is_none() {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (tool, port);
            }
            assert!(Instant::now() < until, "it does not listen: {command:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(Instant::now() < until, "it ends: {command:?}");
    }
}

pub fn tinyproxy(scratch: &Path, more: &str) -> (Tool, u16) {
    let file = scratch.join("tinyproxy.conf");
    start(|port| {
        let text = format!(
            "Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 10\nAllow 127.0.0.1\n\
             LogFile \"{}\"\nPidFile \"{}\"\n{more}",
            scratch.join("log").display(),
            scratch.join("pid").display()
        );
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new("tinyproxy");
        command.arg("-d").arg("-c").arg(&file);
        command
    })
}

fn through(proxy: &str, to: &Endpoint) -> Endpoint {
    let (proxy, way) = endpoint::proxy(proxy).unwrap();
    to.clone().through(proxy, way)
}

#[test]
fn tinyproxy_brings_us_to_a_master_in_the_clear_and_with_tls() {
    if !is_there("tinyproxy") {
        return;
    }
    let scratch = Scratch::new("tinyproxy");
    let (_tool, port) = tinyproxy(scratch.path(), "");
    let proxy = format!("tcp:host=127.0.0.1:port={port}");
    let listener = Listener::serve(echo);
    assert_echo(&mut dial(&through(&proxy, &listener.plain())).unwrap());
    let authority = Authority::new("Test CA");
    let pair = authority.issue(&["localhost"]);
    let listener = Listener::secure(pair.server(), echo);
    let to = listener.with_tls(|tls| tls.trust = Some(authority.file()));
    assert_echo(&mut dial(&through(&proxy, &to)).unwrap());
    let nobody = Endpoint::tcp("127.0.0.1", free_port());
    let said = refusal(&through(&proxy, &nobody));
    assert!(
        said.contains(": it says \"HTTP/1.") && said.contains(" 50"),
        "{said}"
    );
}

#[test]
fn tinyproxy_wants_the_right_name_and_password() {
    if !is_there("tinyproxy") {
        return;
    }
    let scratch = Scratch::new("tinyproxy");
    let (_tool, port) = tinyproxy(scratch.path(), "BasicAuth box hunter2\n");
    let listener = Listener::serve(echo);
    let to = listener.plain();
    let said = refusal(&through(&format!("tcp:127.0.0.1:{port}"), &to));
    assert!(
        said.contains("it wants a user name and a password (\"HTTP/1."),
        "{said}"
    );
    let said = refusal(&through(
        &format!("http://box:hunter3@127.0.0.1:{port}"),
        &to,
    ));
    // This version of it calls that "unauthorized".
    let words = ["does not accept the user name", " 401 "];
    assert!(
        words.iter().any(|word| said.contains(word)) && !said.contains("hunter"),
        "{said}"
    );
    let proxy = format!(r"tcp:host=box\:hunter2@127.0.0.1:port={port}");
    assert_echo(&mut dial(&through(&proxy, &to)).unwrap());
}

#[test]
fn microsocks_brings_us_to_a_master_and_looks_its_name_up() {
    if !is_there("microsocks") {
        return;
    }
    let (_tool, port) = start(|port| {
        let mut command = Command::new("microsocks");
        command.args(["-i", "127.0.0.1", "-p", &port.to_string()]);
        command
    });
    let proxy = format!("socks5:127.0.0.1:{port}");
    let authority = Authority::new("Test CA");
    let pair = authority.issue(&["localhost"]);
    let listener = Listener::secure(pair.server(), echo);
    let mut to = listener.with_tls(|tls| tls.trust = Some(authority.file()));
    to.master.host = "localhost".to_owned();
    assert_echo(&mut dial(&through(&proxy, &to)).unwrap());
    let nobody = Endpoint::tcp("127.0.0.1", free_port());
    let said = refusal(&through(&proxy, &nobody));
    assert!(said.contains("it says \"connection refused\""), "{said}");
    let unknown = Endpoint::tcp("master.invalid", 9989);
    let said = refusal(&through(&proxy, &unknown));
    assert!(said.contains(": it says \""), "{said}");
}

#[test]
fn microsocks_wants_the_right_name_and_password() {
    if !is_there("microsocks") {
        return;
    }
    let (_tool, port) = start(|port| {
        let mut command = Command::new("microsocks");
        command.args(["-i", "127.0.0.1", "-p", &port.to_string()]);
        command.args(["-u", "box", "-P", "hunter2"]);
        command
    });
    let listener = Listener::serve(echo);
    let to = listener.plain();
    let said = refusal(&through(&format!("socks5:127.0.0.1:{port}"), &to));
    assert!(
        said.contains("it wants a user name and a password"),
        "{said}"
    );
    let said = refusal(&through(
        &format!("socks5://box:hunter3@127.0.0.1:{port}"),
        &to,
    ));
    assert!(
        said.contains("it does not accept the user name and the password"),
        "{said}"
    );
    let proxy = format!("socks5:127.0.0.1:{port}:username=box:password=hunter2");
    assert_echo(&mut dial(&through(&proxy, &to)).unwrap());
}

/// `openssl s_server` with these options, until it listens.
fn openssl(authority: &Authority, options: &[&str]) -> (Tool, u16) {
    let pair = authority.issue(&["localhost"]);
    let certificate = authority.write("server.crt", &pair.certificate);
    let key = authority.write("server.key", &pair.key);
    let mut command = Command::new("openssl");
    command
        .args(["s_server", "-accept", "127.0.0.1:0", "-rev", "-CAfile"])
        .arg(authority.file())
        .arg("-cert")
        .arg(certificate)
        .arg("-key")
        .arg(key)
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut tool = Tool(command.spawn().unwrap());
    let output = BufReader::new(tool.0.stdout.take().unwrap());
    // "ACCEPT 127.0.0.1:12345"
    let mut lines = output.lines().map(Result::unwrap);
    let line = lines.find(|line| line.starts_with("ACCEPT")).unwrap();
    let port = line.rsplit(':').next().unwrap().trim().parse().unwrap();
    // It must not be held up by a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (tool, port)
}

fn to_openssl(authority: &Authority, port: u16) -> Endpoint {
    let mut endpoint = Endpoint::tcp("127.0.0.1", port).with_tls();
    let tls = endpoint.tls.as_mut().unwrap();
    tls.name = "localhost".to_owned();
    tls.trust = Some(authority.file());
    endpoint.way = Way::default();
    endpoint
}

/// Says a line, and hears it backwards.
fn assert_reversed(endpoint: &Endpoint) {
    let mut connection = dial(endpoint).unwrap();
    smol::block_on(async {
        crate::listener::write_all(&mut connection, b"abc\n").await;
        assert_eq!(
            crate::listener::read_exact(&mut connection, 4).await,
            b"cba\n"
        );
    });
}

#[test]
fn openssl_speaks_both_versions_with_us() {
    if !is_there("openssl") {
        return;
    }
    let authority = Authority::new("Test CA");
    for version in ["-tls1_2", "-tls1_3"] {
        let (_tool, port) = openssl(&authority, &[version]);
        assert_reversed(&to_openssl(&authority, port));
    }
    let (_tool, port) = openssl(&authority, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    let said = refusal(&to_openssl(&authority, port));
    assert!(said.contains("it refuses (ProtocolVersion)"), "{said}");
}

#[test]
fn openssl_gets_our_certificate_or_is_understood_when_it_wants_one() {
    if !is_there("openssl") {
        return;
    }
    let authority = Authority::new("Test CA");
    let own = authority.issue(&["box"]);
    let own = authority.write("own.pem", &format!("{}{}", own.certificate, own.key));
    for version in ["-tls1_2", "-tls1_3"] {
        let options = [version, "-Verify", "1", "-verify_return_error"];
        let (_tool, port) = openssl(&authority, &options);
        let without = to_openssl(&authority, port);
        let said = match dial(&without) {
            Err(error) => error.to_string(),
            Ok(mut connection) => {
                let read = smol::block_on(connection.reader.read(&mut [0; 10]));
                read.unwrap_err().to_string()
            }
        };
        assert!(said.contains("it wants a certificate from us"), "{said}");
        let mut with = without;
        with.tls.as_mut().unwrap().certificate = Some(own.clone());
        assert_reversed(&with);
    }
}
