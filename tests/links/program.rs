//! The built program: what `start` prints and the log says of a master that cannot be trusted, or of
//! settings that cannot be followed.

use std::fs;
use std::io::Write;
use std::process::{Command, Output};

use crate::certificates::{Authority, Pair};
use crate::listener::drain;
use crate::support::scratch::Scratch;

/// What the environment of the tests may say, and must not.
const OUTSIDE: &[&str] = &[
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// A base directory whose file ends with these lines.
pub struct Base(Scratch);

impl Base {
    pub fn new(options: &[&str], address: &str, lines: &str) -> Base {
        let scratch = Scratch::new("links-program");
        let status = Command::new(env!("CARGO_BIN_EXE_coracle"))
            .args(["create-worker", "-q"])
            .args(options)
            .arg(scratch.path())
            .args([address, "box", "sekrit"])
            .status()
            .unwrap();
        assert!(status.success());
        let base = Base(scratch);
        let path = base.0.path().join("buildbot.tac");
        let mut file = fs::File::options().append(true).open(path).unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        base
    }

    pub fn run(&self, command: &str, environment: &[(&str, &str)]) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_coracle"));
        program.arg(command).arg(self.0.path());
        for name in OUTSIDE {
            program.env_remove(name);
        }
        program.envs(environment.iter().copied()).output().unwrap()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.0.path().join("twistd.log")).unwrap_or_default()
    }

    fn has_logged(&self, text: &str) {
        let until = std::time::Instant::now() + crate::listener::LIMIT;
        while !self.log().contains(text) {
            assert!(std::time::Instant::now() < until, "{}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Starts a daemon that cannot attach, stops it, and returns what `start` said.
    pub fn verdict(&self, environment: &[(&str, &str)]) -> String {
        let output = self.run("start", environment);
        assert!(!output.status.success());
        self.run("stop", &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    }
}

/// A master with this certificate, for as many connections as come.
fn master(pair: &Pair) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = pair.server();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let server = rustls::ServerConnection::new(std::sync::Arc::clone(&config)).unwrap();
            drain(rustls::StreamOwned::new(server, stream.unwrap()));
        }
    });
    port
}

#[test]
fn start_and_the_log_say_what_is_wrong_with_a_certificate() {
    let authority = Authority::new("Test CA");
    let expired = master(&authority.issue_for_years(&["localhost"], 2001, 2002));
    let lines = format!("\ntls_ca_file = '{}'\n", authority.file().display());
    let base = Base::new(&["--use-tls"], &format!("localhost:{expired}"), &lines);
    let said = base.verdict(&[]);
    let expected = format!(
        "no TLS with the master localhost:{expired}: the master's certificate has expired: it was \
         valid until 2002-01-01 00:00 UTC"
    );
    assert!(said.contains(&expected), "{said}");
    assert!(said.contains(" and keeps trying, process "), "{said}");
    assert!(base.log().contains(&expected), "{}", base.log());
    assert!(
        base.log()
            .contains(&format!("Connecting to localhost:{expired} with TLS"))
    );
}

#[test]
fn the_variables_of_openssl_name_whom_to_trust_and_a_pin_needs_nobody() {
    let authority = Authority::new("Test CA");
    let port = master(&authority.issue(&["localhost"]));
    let string = format!("tls:localhost:{port}:timeout=20");
    let base = Base::new(&["--connection-string", &string], "unused", "");
    let said = base.verdict(&[("SSL_CERT_FILE", "/nonexistent")]);
    assert!(
        said.contains("SSL_CERT_FILE and SSL_CERT_DIR name nothing"),
        "{said}"
    );
    let file = authority.file();
    // A certificate that is taken: now it is the session that gets no answer.
    let base = Base::new(&["--connection-string", &string], "unused", "");
    let mut child = Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(["start", "--nodaemon"])
        .arg(base.0.path())
        .env_remove("SSL_CERT_DIR")
        .env("SSL_CERT_FILE", &file)
        .spawn()
        .unwrap();
    base.has_logged("(TLS 1.3)");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        base.log().contains("connected to the master at "),
        "{}",
        base.log()
    );

    let lines = "\ntls_pin_sha256 = ['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=']\n";
    let base = Base::new(&["--connection-string", &string], "unused", lines);
    let said = base.verdict(&[]);
    assert!(
        said.contains("its key is not the one in tls_pin_sha256; the key seen is "),
        "{said}"
    );
}

#[test]
fn settings_that_cannot_be_followed_end_the_start_with_one_line() {
    for (options, lines, expected) in [
        (
            vec!["--connection-string", "unix:/run/master"],
            "",
            "connection_string is wrong at character 1: unknown type unix:; coracle knows tcp:, tls:",
        ),
        (
            vec!["--connection-string", "tcp:h:port=0"],
            "",
            "connection_string is wrong at character 12: port must be a number from 1 to 65535",
        ),
        (
            vec!["--proxy-connection-string", "tls:p:1"],
            "",
            "proxy_connection_string is wrong at character 1: a proxy is reached without TLS",
        ),
        (
            vec!["--use-tls"],
            "\ntls_pin_sha256 = 'sekrit'\n",
            "tls_pin_sha256 must be the SHA-256 of the master's public key",
        ),
        (
            vec!["--connection-string", "tls:h:1:trustRoots=/x"],
            "\ntls_ca_file = '/y'\n",
            "tls_ca_file and trustRoots in connection_string both name whom to trust",
        ),
        (
            vec!["--use-tls"],
            "\ntls_ca_file = 5\n",
            "tls_ca_file must be the path of a file or directory",
        ),
        (
            vec![],
            "\nproxy_from_environ = 'yes'\n",
            "proxy_from_environ must be True or False",
        ),
    ] {
        let base = Base::new(&options, "master.invalid", lines);
        let said = base.verdict(&[]);
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("keeps trying"), "{said}");
    }
}

#[test]
fn the_environment_names_a_proxy_only_where_the_settings_allow_it() {
    let environment = [("ALL_PROXY", "socks5://u:hunter2@127.0.0.1:1")];
    let base = Base::new(&[], "127.0.0.1:2", "\nproxy_from_environ = True\n");
    let said = base.verdict(&environment);
    assert!(
        said.contains("cannot connect to the proxy 127.0.0.1:1: "),
        "{said}"
    );
    let expected = "Connecting to 127.0.0.1:2 through the SOCKS5 proxy 127.0.0.1:1";
    assert!(base.log().contains(expected), "{}", base.log());
    assert!(!base.log().contains("hunter2"), "{}", base.log());
    let exempt = [environment[0], ("no_proxy", "127.0.0.1")];
    let said = base.verdict(&exempt);
    assert!(
        said.contains("cannot connect to the master 127.0.0.1:2: "),
        "{said}"
    );
    let base = Base::new(&[], "127.0.0.1:2", "");
    let said = base.verdict(&environment);
    assert!(
        said.contains("cannot connect to the master 127.0.0.1:2: "),
        "{said}"
    );
}

#[test]
fn a_password_in_a_connection_string_is_never_shown() {
    let string = r"socks5:127.0.0.1:1:to=127.0.0.1\:2:username=u:password=hunter2";
    let base = Base::new(&["--connection-string", string], "unused", "");
    let said = base.verdict(&[]);
    assert!(
        said.contains("cannot connect to the proxy 127.0.0.1:1"),
        "{said}"
    );
    assert!(
        !said.contains("hunter2") && !base.log().contains("hunter2"),
        "{}",
        base.log()
    );
}
