//! Links that are slow, masters that move, and one that lets the worker in and forgets it.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use coracle::wire::jelly::Value;

use crate::master::{BUILDER, Master};
use crate::proxy::{Fault, Proxy};
use crate::support::fake_master::{dict, text};
use crate::worker::{Base, Worker, becomes, program};

#[test]
fn a_link_of_a_thousand_bytes_a_second_carries_a_step_without_being_lost() {
    let master = Master::new();
    let proxy = Proxy::new(master.port(), Fault::Slow(1000));
    let worker = Base::new("slow", proxy.port(), &["--keepalive=20"]).start();
    let mut session = master.attach();
    let output = session.run(BUILDER, 7, "seq 1 2000").unwrap();
    assert!(output.contains("\n1999\n2000\n"), "{output}");
    assert!(output.contains("[rc 0]"), "{output}");
    let attached = worker
        .log()
        .matches("message from master: attached")
        .count();
    assert_eq!(attached, 1, "{}", worker.log());
}

#[test]
fn a_master_that_moved_to_another_address_of_its_name_is_found_there() {
    use std::net::ToSocketAddrs;
    let known = ("localhost", 1).to_socket_addrs().unwrap();
    if known.filter(std::net::SocketAddr::is_ipv6).count() == 0 {
        println!("not tested: localhost has no IPv6 address here");
        return;
    }
    let (Ok(old), Ok(new)) = (
        TcpListener::bind("127.0.0.1:0"),
        TcpListener::bind("[::1]:0"),
    ) else {
        println!("not tested: this system has no IPv6");
        return;
    };
    drop(new);
    let port = old.local_addr().unwrap().port();
    let old = Master::from(old);
    let worker = Base::at("moved-family", &format!("localhost:{port}"), &[]).start();
    drop(old.attach());
    drop(old);
    let Ok(new) = TcpListener::bind(("::1", port)) else {
        println!("not tested: another program has the port");
        return;
    };
    Master::from(new).attach().run(BUILDER, 8, "true").unwrap();
    drop(worker);
}

/// The name is looked up at each dial. A file of names of the worker's own needs a mount namespace.
#[test]
fn a_master_whose_name_means_another_address_now_is_found_there() {
    const NAMESPACE: [&str; 2] = ["unshare", "-rm"];
    let names = |address: &str| format!("{address} moved.test\n127.0.0.1 localhost\n");
    let old = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = old.local_addr().unwrap().port();
    let Ok(new) = TcpListener::bind(("127.0.0.2", port)) else {
        println!("not tested: this system has one loopback address, or the port is in use");
        return;
    };
    let base = Base::at("moved", &format!("moved.test:{port}"), &[]);
    let hosts = base.join("hosts");
    fs::write(&hosts, names("127.0.0.1")).unwrap();
    let script = "mount --bind \"$1\" /etc/hosts && exec \"$2\" start --nodaemon \"$3\"";
    let mut command = Command::new(NAMESPACE[0]);
    command.args(&NAMESPACE[1..]).args(["sh", "-c"]);
    let possible = command
        .args(["mount --bind /etc/hosts /etc/hosts"])
        .output();
    if !possible.is_ok_and(|output| output.status.success()) {
        println!("not tested: no mount namespace may be made here (needs unshare and permission)");
        return;
    }
    let child = Command::new(NAMESPACE[0])
        .args(&NAMESPACE[1..])
        .args(["sh", "-c", script, "sh"])
        .arg(&hosts)
        .arg(program())
        .arg(base.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut worker = Worker { child, base };
    let old = Master::from(old);
    drop(old.attach());
    fs::write(&hosts, names("127.0.0.2")).unwrap();
    // The old place still listens; nobody is to come back there.
    Master::from(new).attach().run(BUILDER, 8, "true").unwrap();
    let last = worker.log();
    assert!(
        last.contains("connected to the master at 127.0.0.2:"),
        "{last}"
    );
    assert!(worker.is_alive());
}

#[test]
fn a_master_that_lets_the_worker_in_and_forgets_it_is_dialled_again() {
    let master = Master::new();
    let mut worker = Base::new("forgotten", master.port(), &["--keepalive=7"]).start();
    let mut session = master.accept();
    let login = session.greet().unwrap();
    let respond = session.challenge(login).unwrap();
    session.let_in(respond).unwrap();
    let began = Instant::now();
    // It answers keepalives all the while, as such a master does.
    assert!(session.wait_for_end(Duration::from_secs(90)).is_some());
    assert!(
        began.elapsed() > Duration::from_secs(50),
        "{}",
        worker.log()
    );
    let why = "the master has not attached us within 60 s";
    assert!(becomes(Duration::from_secs(5), || worker
        .log()
        .contains(why)));
    master.attach().run(BUILDER, 8, "true").unwrap();
    assert!(worker.is_alive());
}

/// What says to the test below that it runs where the network is slow.
const SLOW_HERE: &str = "CORACLE_TEST_ON_A_SLOW_WIRE";

/// Here nobody in between takes the bytes early: a block of a file is long on its way, and a keepalive
/// waits behind it for longer than the worker waits for its answer.
#[test]
fn a_wire_of_two_thousand_bytes_a_second_is_not_taken_for_a_dead_one() {
    // The way back is as fast as ever.
    const SETUP: &str = "ip link set lo mtu 1000 up && \
         tc qdisc add dev lo root handle 1: htb default 1 && \
         tc class add dev lo parent 1: classid 1:1 htb rate 1gbit quantum 2000 && \
         tc class add dev lo parent 1: classid 1:3 htb rate 16kbit burst 2000 quantum 2000 && \
         exec \"$@\"";
    if std::env::var_os(SLOW_HERE).is_none() {
        let slow = |program: &std::ffi::OsStr, words: &[&str]| {
            let mut command = Command::new("unshare");
            command.args(["-rn", "sh", "-c", SETUP, "sh"]).arg(program);
            command.args(words).env(SLOW_HERE, "1").output()
        };
        if !slow("true".as_ref(), &[]).is_ok_and(|output| output.status.success()) {
            println!(
                "not tested: no slow network can be made here (needs unshare, tc and permission)"
            );
            return;
        }
        let name = "links::a_wire_of_two_thousand_bytes_a_second_is_not_taken_for_a_dead_one";
        let this = std::env::current_exe().unwrap();
        let output = slow(this.as_os_str(), &["--exact", name]).unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}"
        );
        return;
    }
    let master = Master::new();
    let port = master.port().to_string();
    let to_master = Command::new("tc")
        .args("filter add dev lo parent 1: protocol ip u32 match ip dport".split(' '))
        .args([&port, "0xffff", "flowid", "1:3"])
        .status();
    assert!(to_master.unwrap().success());
    let worker = Base::new("slow-wire", master.port(), &["--keepalive=2"]).start();
    let mut session = master.attach();
    fs::create_dir_all(worker.base.join("dir/build")).unwrap();
    fs::write(worker.base.join("dir/build/file"), [b'x'; 26_000]).unwrap();
    // In one piece, so that nothing is acknowledged before all of it is there.
    let arguments = [
        ("workdir", text("build")),
        ("workersrc", text("file")),
        ("writer", Value::Remote(8)),
        ("blocksize", Value::Int(256 * 1024)),
        ("maxsize", Value::None),
        ("keepstamp", Value::Bool(false)),
    ];
    let began = Instant::now();
    session
        .start_command(BUILDER, 7, "uploadFile", dict(&arguments))
        .unwrap();
    for call in ["write", "close"] {
        let Ok((request, _)) = session.wait_for_call(call) else {
            panic!("given up after {:?}: {}", began.elapsed(), worker.log());
        };
        session.master.answer(request, &Value::None);
        session.flush().unwrap();
    }
    session.wait_for_complete(7).unwrap();
    assert!(
        began.elapsed() > Duration::from_secs(8),
        "it is not slow here"
    );
}
