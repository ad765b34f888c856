//! A real Buildbot master behind TLS, directly and through a proxy. Needs the environment that
//! `tests/master/setup.sh` makes; with `CORACLE_TOOLS=1` it is made, otherwise its absence is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::certificates::{Authority, Pair};
use crate::program::Base;
use crate::real_tools::{Tool, free_port, is_there, tinyproxy};
use crate::support::scratch::Scratch;

/// How long the slowest of this may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

/// The environment with Buildbot, if there is one.
fn environment() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("CORACLE_TOOLS").is_some() {
        let setup = Command::new(root.join("tests/master/setup.sh"))
            .output()
            .unwrap();
        assert!(setup.status.success(), "{setup:?}");
        return Some(PathBuf::from(
            String::from_utf8(setup.stdout).unwrap().trim_end(),
        ));
    }
    let place = std::env::var_os("CORACLE_MASTER_VENV")
        .map_or_else(|| root.join("target/master-venv"), PathBuf::from);
    if !place.join("requirements.stamp").is_file() {
        eprintln!(
            "skipped: no Buildbot in {}; run tests/master/setup.sh",
            place.display()
        );
        return None;
    }
    Some(place)
}

/// Builds once a minute: makes a file of a megabyte, and gives it to the master.
const CONFIGURATION: &str = r#"
from buildbot.plugins import schedulers, steps, util, worker

build = util.BuildFactory([
    steps.ShellCommand(command="seq 1 200000 | tee numbers"),
    steps.FileUpload(workersrc="numbers", masterdest="@HERE@/numbers"),
])
BuildmasterConfig = {
    "buildbotNetUsageData": None,
    "protocols": {"pb": {"port": "ssl:@PORT@:interface=127.0.0.1:privateKey=@HERE@/key:certKey=@HERE@/crt"}},
    "db": {"db_url": "sqlite:///state.sqlite"},
    "workers": [worker.Worker("box", "sekrit")],
    "builders": [util.BuilderConfig(name="b", workernames=["box"], factory=build)],
    "schedulers": [schedulers.Periodic(name="p", builderNames=["b"], periodicBuildTimer=60)],
}
"#;

struct Master {
    child: Child,
    scratch: Scratch,
    port: u16,
}

impl Drop for Master {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the master's log:\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Master {
    fn start(environment: &Path, pair: &Pair) -> Master {
        let scratch = Scratch::new("links-master");
        let here = scratch.path();
        let buildbot = environment.join("bin/buildbot");
        let made = Command::new(&buildbot)
            .args(["create-master", "--no-logrotate"])
            .arg(here)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let port = free_port();
        let configuration = CONFIGURATION
            .replace("@PORT@", &port.to_string())
            .replace("@HERE@", here.to_str().unwrap());
        fs::write(here.join("master.cfg"), configuration).unwrap();
        fs::write(here.join("crt"), &pair.certificate).unwrap();
        fs::write(here.join("key"), &pair.key).unwrap();
        let output = fs::File::create(here.join("output")).unwrap();
        let child = Command::new(&buildbot)
            .args(["start", "--nodaemon"])
            .arg(here)
            .stdin(Stdio::null())
            .stderr(output.try_clone().unwrap())
            .stdout(output)
            .spawn()
            .unwrap();
        let mut master = Master {
            child,
            scratch,
            port,
        };
        let until = Instant::now() + LIMIT;
        while !master.log().contains("BuildMaster is running") {
            assert!(master.child.try_wait().unwrap().is_none(), "it has ended");
            assert!(Instant::now() < until, "it does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        master
    }

    fn log(&self) -> String {
        let output = fs::read_to_string(self.scratch.path().join("output")).unwrap_or_default();
        let log = fs::read_to_string(self.scratch.path().join("twistd.log")).unwrap_or_default();
        output + &log
    }
}

/// Attaches a worker.
fn assert_attaches(base: &Base) {
    let output = base.run("start", &[]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}\n{}", base.log());
    assert!(
        said.contains("worker \"box\" attached to the master at localhost:"),
        "{said}"
    );
}

#[test]
fn a_real_master_with_tls_builds_with_us_directly_and_through_a_proxy() {
    let Some(environment) = environment() else {
        return;
    };
    let authority = Authority::new("Test CA");
    let master = Master::start(&environment, &authority.issue(&["localhost"]));
    let address = format!("localhost:{}", master.port);
    let trust = format!("\ntls_ca_file = '{}'\n", authority.file().display());

    let base = Base::new(&["--use-tls"], &address, &trust);
    assert_attaches(&base);
    let numbers = master.scratch.path().join("numbers");
    let expected: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    let until = Instant::now() + LIMIT;
    while fs::read_to_string(&numbers).unwrap_or_default() != expected {
        assert!(Instant::now() < until, "no build: {}", base.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(base.run("stop", &[]).status.success());

    // Twisted's directory of PEM files.
    let string = format!(
        "tls:host=localhost:port={}:trustRoots={}",
        master.port,
        authority.directory().display()
    );
    let base = Base::new(&["--connection-string", &string], "unused", "");
    assert_attaches(&base);
    assert!(base.run("stop", &[]).status.success());

    // Not the name in its certificate.
    let base = Base::new(
        &["--use-tls"],
        &format!("127.0.0.1:{}", master.port),
        &trust,
    );
    let said = base.verdict(&[]);
    assert!(
        said.contains("is not for 127.0.0.1 but for localhost"),
        "{said}"
    );

    if is_there("tinyproxy") {
        let scratch = Scratch::new("tinyproxy");
        let (_tool, port): (Tool, u16) = tinyproxy(scratch.path(), "BasicAuth box hunter2\n");
        let proxy = format!("http://box:hunter2@127.0.0.1:{port}");
        let options = ["--use-tls", "--proxy-connection-string", &proxy];
        let base = Base::new(&options, &address, &trust);
        assert_attaches(&base);
        let expected =
            format!("Connecting to {address} with TLS through the proxy 127.0.0.1:{port}");
        assert!(base.log().contains(&expected), "{}", base.log());
        assert!(base.run("stop", &[]).status.success());
        assert!(!base.log().contains("hunter2"), "{}", base.log());
    }
}
