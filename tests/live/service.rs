//! What a service manager hears.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use crate::master::{LIMIT, Master};
use crate::worker::{Base, until};

/// A service manager's end.
struct Manager {
    socket: UnixDatagram,
    heard: Vec<String>,
}

impl Manager {
    fn new(base: &Base) -> Manager {
        let socket = UnixDatagram::bind(base.path().join("notify")).unwrap();
        let pause = Duration::from_millis(10);
        socket.set_read_timeout(Some(pause)).unwrap();
        Manager {
            socket,
            heard: Vec::new(),
        }
    }

    fn listen(&mut self) {
        let mut buffer = [0; 4096];
        match self.socket.recv(&mut buffer) {
            Ok(count) => {
                let text = String::from_utf8(buffer[..count].to_vec()).unwrap();
                self.heard.push(text);
            }
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                "{error}"
            ),
        }
    }

    /// Waits for a message that begins so.
    fn wait_for(&mut self, beginning: &str) -> String {
        let deadline = Instant::now() + LIMIT;
        loop {
            let mut found = self.heard.iter();
            if let Some(message) = found.find(|message| message.starts_with(beginning)) {
                return message.clone();
            }
            assert!(Instant::now() < deadline, "only {:?}", self.heard);
            self.listen();
        }
    }

    /// Hears whatever comes in this time, and what has come before.
    fn hear_for(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            self.listen();
        }
    }

    fn count(&self, wanted: &str) -> usize {
        let same = self.heard.iter().filter(|message| *message == wanted);
        same.count()
    }
}

#[test]
fn manager_hears_when_the_worker_is_attached_and_when_it_stops() {
    let base = Base::new("live-notify");
    let mut manager = Manager::new(&base);
    let socket = base.path().join("notify");
    let environment = [("NOTIFY_SOCKET", socket.to_str().unwrap())];
    let worker = base.start_with(&[], &environment);
    manager.wait_for("EXTEND_TIMEOUT_USEC=");
    manager.wait_for("STATUS=connecting to the master at 127.0.0.1:");
    assert!(!manager.heard.iter().any(|text| text.contains("READY")));
    let mut master = Master::attach(&base.listener);
    manager.wait_for("READY=1\nSTATUS=attached to the master at 127.0.0.1:");
    // The socket is not for the steps.
    master.start(0, "echo socket=$NOTIFY_SOCKET.");
    let printed = master.wait_for_end();
    assert!(printed.contains("socket=.\n"), "{printed}");
    drop(master);
    manager.wait_for("STATUS=not attached: ");
    let _master = Master::attach(&base.listener);
    // Ready only once.
    manager.wait_for("STATUS=attached");
    worker.stop();
    manager.wait_for("STOPPING=1");
    assert_eq!(manager.count("WATCHDOG=1"), 0);
}

#[test]
fn master_that_is_away_does_not_hold_up_the_start_of_the_machine() {
    let base = Base::new("live-notify-away");
    // Nobody listens there any more.
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nowhere.local_addr().unwrap().port().to_string();
    drop(nowhere);
    let tac = base.path().join("buildbot.tac");
    let text = std::fs::read_to_string(&tac).unwrap();
    let ours = base.listener.local_addr().unwrap().port().to_string();
    std::fs::write(&tac, text.replace(&ours, &port)).unwrap();
    let mut manager = Manager::new(&base);
    let socket = base.path().join("notify");
    let environment = [("NOTIFY_SOCKET", socket.to_str().unwrap())];
    let worker = base.start_with(&[], &environment);
    let message = manager.wait_for("READY=1\nSTATUS=not attached: ");
    assert!(message.contains(&port), "{message}");
    worker.stop();
    manager.wait_for("STOPPING=1");
}

#[test]
fn idle_worker_gives_signs_of_life_and_a_stopped_one_does_not() {
    let base = Base::new("live-watchdog");
    let mut manager = Manager::new(&base);
    let socket = base.path().join("notify");
    let environment = [
        ("NOTIFY_SOCKET", socket.to_str().unwrap()),
        ("WATCHDOG_USEC", "200000"),
    ];
    let worker = base.start_with(&[], &environment);
    let _master = Master::attach(&base.listener);
    manager.wait_for("READY=1");
    let before = manager.count("WATCHDOG=1");
    manager.hear_for(Duration::from_secs(2));
    let signs = manager.count("WATCHDOG=1") - before;
    // Ten are due in the time that the manager allows, twenty come.
    assert!((10..=25).contains(&signs), "{signs}");
    worker.signal("STOP");
    manager.hear_for(Duration::from_millis(300));
    let before = manager.count("WATCHDOG=1");
    manager.hear_for(Duration::from_secs(1));
    assert_eq!(manager.count("WATCHDOG=1"), before);
    worker.signal("CONT");
    until("it goes on", || {
        manager.listen();
        manager.count("WATCHDOG=1") > before
    });
    worker.stop();
}
