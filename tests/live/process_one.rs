//! The worker as process 1 of a container.

use std::process::Command;

use crate::master::Master;
use crate::worker::{Base, children, runs, signal, until};

const NAMESPACE: [&str; 4] = ["unshare", "--pid", "--fork", "--mount-proc"];

#[test]
fn process_one_runs_steps_reaps_orphans_and_ends_when_asked() {
    let permitted = Command::new(NAMESPACE[0])
        .args(&NAMESPACE[1..])
        .arg("true")
        .output();
    if !permitted.is_ok_and(|output| output.status.success()) {
        println!("not tested: no process may be number 1 here (needs unshare and permission)");
        return;
    }
    let base = Base::new("live-one");
    let mut unshare = base.start_with(&NAMESPACE, &[]);
    let mut master = Master::attach(&base.listener);
    let [worker] = children(unshare.pid())[..] else {
        panic!("{:?}", children(unshare.pid()))
    };
    // Somebody enters the container and leaves an orphan there.
    let entered = Command::new("nsenter")
        .args(["--pid", "--target", &worker.to_string(), "sh", "-c"])
        .arg("(sleep 0.05; exit 3) >/dev/null 2>&1 & exit 0")
        .status();
    let entered = entered.is_ok_and(|status| status.success());
    for number in 0..5 {
        master.start(number, "echo $PPID; exit 7");
        master.wait_for_end();
    }
    if entered {
        until("no orphan is left", || children(worker).is_empty());
    }
    master.start(9, "echo $$ > pid; exec sleep 600");
    base.wait_for_number(&mut master, "pid");
    signal(worker, "TERM");
    let status = unshare.wait();
    assert_eq!(status.code(), Some(128 + 15), "{}", unshare.log());
    assert!(!runs(worker));
    assert!(
        unshare.log().contains("Received SIGTERM"),
        "{}",
        unshare.log()
    );
}
