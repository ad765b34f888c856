//! The built program in a base directory of the test's own.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use coracle::journal::{Event, history};

use crate::master::{LIMIT, Master};
use crate::support::scratch::Scratch;

/// A base directory, and where its master will listen.
pub struct Base {
    scratch: Scratch,
    pub listener: TcpListener,
}

/// A worker that runs in the foreground. It is killed when the test is over.
pub struct Worker {
    child: Child,
    log: PathBuf,
}

impl Base {
    pub fn new(name: &str) -> Base {
        let scratch = Scratch::new(name);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let tac = format!(
            "from buildbot_worker.bot import Worker\n\
             application = service.Application('buildbot-worker')\n\
             s = Worker('127.0.0.1', {}, 'box', 'sekrit', '{}', 600)\n",
            listener.local_addr().unwrap().port(),
            scratch.path().display()
        );
        fs::write(scratch.path().join("buildbot.tac"), tac).unwrap();
        Base { scratch, listener }
    }

    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    pub fn start(&self) -> Worker {
        self.start_with(&[], &[])
    }

    /// Starts a worker through another program, with more in its environment.
    pub fn start_with(&self, wrapper: &[&str], environment: &[(&str, &str)]) -> Worker {
        // What a killed worker has left in the queue is not for the next one's master.
        self.listener.set_nonblocking(true).unwrap();
        while self.listener.accept().is_ok() {}
        let log = self.path().join("output");
        let output = File::create(&log).unwrap();
        let mut words = wrapper.iter().copied();
        let coracle = env!("CARGO_BIN_EXE_coracle");
        let mut command = match words.next() {
            Some(program) => {
                let mut command = Command::new(program);
                command.args(words).arg(coracle);
                command
            }
            None => Command::new(coracle),
        };
        command
            .args(["start", "--nodaemon"])
            .arg(self.path())
            .env_remove("NOTIFY_SOCKET")
            .envs(environment.iter().copied())
            .stderr(output.try_clone().unwrap())
            .stdout(output);
        Worker {
            child: command.spawn().unwrap(),
            log,
        }
    }

    /// Starts a worker and attaches it.
    pub fn attach(&self) -> (Worker, Master) {
        let worker = self.start();
        (worker, Master::attach(&self.listener))
    }

    /// All that is in the journal.
    pub fn events(&self) -> Vec<Event> {
        let entries = history(self.path()).unwrap();
        entries.map(|entry| entry.unwrap().event).collect()
    }

    /// Waits until a file of the builder has a line; returns it as a number.
    pub fn wait_for_number(&self, master: &mut Master, name: &str) -> u32 {
        let path = self.path().join("dir/build").join(name);
        let deadline = Instant::now() + LIMIT;
        loop {
            let text = fs::read_to_string(&path).unwrap_or_default();
            if text.ends_with('\n') {
                return text.trim().parse().unwrap();
            }
            assert!(Instant::now() < deadline, "no {}", path.display());
            master.turn();
        }
    }
}

impl Worker {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Ends it by signal 9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().unwrap()
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn signal(pid: u32, name: &str) {
    let signal = ports::Signal::named(name).unwrap();
    ports::signal_process(pid, signal).unwrap();
}

/// Waits until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The children of a process, on systems that tell.
pub fn children(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return found;
    };
    for thread in threads.filter_map(Result::ok) {
        let list = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        found.extend(
            list.split_whitespace()
                .map(|pid| pid.parse::<u32>().unwrap()),
        );
    }
    found
}

/// Whether every thread of a process is stopped, on systems that tell.
pub fn is_stopped(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return true;
    };
    threads.filter_map(Result::ok).all(|thread| {
        fs::read_to_string(thread.path().join("stat"))
            .is_ok_and(|text| text.rsplit(')').next().unwrap().trim().starts_with('T'))
    })
}

/// Whether a process runs; one that only waits to be reaped does not.
pub fn runs(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(text) => !text.rsplit(')').next().unwrap().trim().starts_with('Z'),
        Err(_) => ports::boot_id().is_none() && ports::process_exists(pid),
    }
}
