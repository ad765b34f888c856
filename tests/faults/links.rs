//! Links that are slow, masters that move, and one that lets the worker in and forgets it.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::master::{BUILDER, Master};
use crate::proxy::{Fault, Proxy};
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
