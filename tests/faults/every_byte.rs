//! A connection that is lost after any number of bytes, in either direction: in memory, on a clock of
//! its own, so that all numbers can be tried. The steps are real.

use std::fs;
use std::time::{Duration, Instant};

use coracle::basedir;
use coracle::calls::StepId;
use coracle::session::keepalive::Keepalive;
use coracle::session::pb::{Login, PbSession};
use coracle::wire::jelly::Value;
use coracle::worker::LoopEvent;
use coracle::worker::builders::Builders;
use coracle::worker::conversation::{Conversation, End, Workplace};
use coracle::worker::running::RunningSteps;
use smol::channel::Receiver;

use crate::master::{BOT, BUILDER};
use crate::support::fake_master::{FakeMaster, Message, Object, dict, text};
use crate::support::scratch::Scratch;

/// The longest time without a word from the master before the worker dials again: that for the login.
const LONGEST: Duration = Duration::from_secs(120);

const CONTENT: &[u8] = b"twenty-five bytes of file";

/// The numbers of the master's objects.
const AVATAR: i64 = 2;
const SHELL: i64 = 70;
const DOWNLOAD: i64 = 80;
const READER: i64 = 81;

/// A worker without a connection.
struct Worker {
    workplace: Workplace,
    inbox: Receiver<LoopEvent>,
    scratch: Scratch,
    next_step: StepId,
}

/// How far a conversation may go, in bytes to the worker and from it.
#[derive(Debug, Clone, Copy)]
struct Limits {
    to_worker: usize,
    to_master: usize,
}

const UNLIMITED: Limits = Limits {
    to_worker: usize::MAX,
    to_master: usize::MAX,
};

/// How far it went.
#[derive(Debug)]
struct Course {
    to_worker: usize,
    to_master: usize,
    finished: bool,
}

impl Worker {
    fn new(name: &str) -> Worker {
        let scratch = Scratch::new(name);
        let tac = format!(
            "basedir = '{}'\n\
             application = service.Application('buildbot-worker')\n\
             s = Worker('localhost', 9989, 'box', 'sekrit', basedir, 60)\n",
            scratch.path().display()
        );
        fs::write(scratch.path().join("buildbot.tac"), tac).unwrap();
        let mut settings = basedir::read(scratch.path()).unwrap();
        // As few bytes as possible.
        settings.environment = vec![("PATH".into(), "/bin:/usr/bin".into())];
        let (events, inbox) = smol::channel::unbounded();
        let workplace = Workplace {
            environment: settings.environment.clone(),
            builders: Builders::new(settings.basedir.clone(), false),
            steps: RunningSteps::new(events),
            settings,
        };
        Worker {
            workplace,
            inbox,
            scratch,
            next_step: StepId(1),
        }
    }

    /// One connection, which carries so many bytes and then nothing more. The worker must notice, and
    /// end what runs.
    fn converse(&mut self, limits: Limits) -> Course {
        let start = Instant::now();
        let login = Login {
            name: "box".to_owned(),
            password: "sekrit".to_owned(),
        };
        let minute = Some(Duration::from_secs(60));
        let liveness = Keepalive::new(minute, Duration::from_secs(30), start);
        let session = PbSession::new(login, self.next_step);
        let mut worker = Conversation::new(&mut self.workplace, session, liveness, start);
        let mut script = Script::new();
        let mut course = Course {
            to_worker: 0,
            to_master: 0,
            finished: false,
        };
        while carry(&mut worker, &mut script, &mut course, limits, start) {
            if script.finished {
                course.finished = true;
                break;
            }
            match next_event(&self.inbox) {
                LoopEvent::Step(step, event) => worker.step_says(step, event, start),
                other => panic!("{other:?}"),
            }
        }
        if !course.finished {
            silence(&mut worker, start, limits);
        }
        self.next_step = worker.next_step();
        drop(worker);
        self.end_steps();
        course
    }

    fn end_steps(&mut self) {
        self.workplace.steps.abandon_all();
        while !self.workplace.steps.is_empty() {
            match next_event(&self.inbox) {
                LoopEvent::Step(step, event) => {
                    let told = self.workplace.steps.note(step, event, Instant::now());
                    assert_eq!(told, None);
                }
                other => panic!("{other:?}"),
            }
        }
        // What a step had said before it ended is nobody's any more.
        while self.inbox.try_recv().is_ok() {}
    }

    /// The downloaded file is complete or not there, and nothing else is left.
    fn look_at_the_file(&self, limits: Limits) {
        let directory = self.scratch.path().join("dir/build");
        let Ok(entries) = fs::read_dir(&directory) else {
            return;
        };
        for entry in entries.map(Result::unwrap) {
            assert_eq!(entry.file_name(), "file", "{limits:?}");
            assert_eq!(fs::read(entry.path()).unwrap(), CONTENT, "{limits:?}");
            fs::remove_file(entry.path()).unwrap();
        }
    }
}

fn next_event(inbox: &Receiver<LoopEvent>) -> LoopEvent {
    let event = smol::future::or(async { inbox.recv().await.ok() }, async {
        smol::Timer::after(Duration::from_secs(30)).await;
        None
    });
    smol::block_on(event).unwrap_or_else(|| panic!("no step speaks"))
}

/// Carries bytes both ways until both are silent; false if a limit is reached.
fn carry(
    worker: &mut Conversation<'_>,
    script: &mut Script,
    course: &mut Course,
    limits: Limits,
    now: Instant,
) -> bool {
    loop {
        let bytes = std::mem::take(&mut script.master.bytes);
        let allowed = bytes.len().min(limits.to_worker - course.to_worker);
        if allowed > 0 {
            worker.received(&bytes[..allowed], now).unwrap();
        }
        course.to_worker += allowed;
        let answers = std::mem::take(worker.outgoing());
        let passed = answers.len().min(limits.to_master - course.to_master);
        course.to_master += passed;
        script.hear(&answers[..passed]);
        if allowed < bytes.len() || passed < answers.len() {
            return false;
        }
        if bytes.is_empty() && answers.is_empty() {
            return true;
        }
    }
}

/// From now on the master says nothing, and nobody closes the connection.
fn silence(worker: &mut Conversation<'_>, start: Instant, limits: Limits) {
    let mut now = start;
    for _ in 0..5 {
        let deadline = worker.deadline();
        now = deadline.unwrap_or_else(|| panic!("it would wait for ever: {limits:?}"));
        match worker.tick(now) {
            Ok(()) => {}
            Err(End::Lost(_)) => {
                assert!(now - start <= LONGEST, "{limits:?}");
                return;
            }
            Err(other) => panic!("{other:?} after {limits:?}"),
        }
    }
    panic!("it still waits after {:?}: {limits:?}", now - start)
}

/// A master that attaches the worker, runs a command and has it fetch a file.
struct Script {
    master: FakeMaster,
    builders: i64,
    /// How much of the file has been read.
    read: usize,
    finished: bool,
}

impl Script {
    fn new() -> Script {
        let mut master = FakeMaster::new();
        master.greet();
        Script {
            master,
            builders: -1,
            read: 0,
            finished: false,
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        for message in self.master.read(bytes) {
            match message {
                Message::Call {
                    request,
                    object,
                    method,
                    arguments,
                } => self.called(request, &object, &method, &arguments),
                Message::Answer { request, .. } if request == self.builders => {
                    let arguments = [
                        ("workdir", text("build")),
                        ("command", text("echo hello")),
                        ("logEnviron", Value::Bool(false)),
                    ];
                    self.start(SHELL, "shell", dict(&arguments));
                }
                Message::Error { value, .. } => panic!("{value:?}"),
                Message::Answer { .. }
                | Message::Dialect(_)
                | Message::Version(_)
                | Message::Decref(_) => {}
            }
        }
    }

    fn called(&mut self, request: i64, object: &Object, method: &str, arguments: &[Value]) {
        let answer = match method {
            "login" => {
                let challenge = Value::Bytes(b"0123456789abcdef".to_vec());
                Value::Tuple(vec![challenge, Value::Remote(1)])
            }
            "respond" => {
                self.master.call(BOT, "print", &[text("attached")]);
                self.master.call(BOT, "getWorkerInfo", &[]);
                let pair = Value::Tuple(vec![text("b"), text("dir")]);
                let list = [Value::List(vec![pair])];
                self.builders = self.master.call(BOT, "setBuilderList", &list);
                Value::Remote(AVATAR)
            }
            "read" => {
                let [Value::Int(length)] = arguments else {
                    panic!("{arguments:?}")
                };
                let end = CONTENT
                    .len()
                    .min(self.read + usize::try_from(*length).unwrap());
                let block = CONTENT[self.read..end].to_vec();
                self.read = end;
                Value::Bytes(block)
            }
            "update" => Value::Int(0),
            "complete" | "close" => Value::None,
            other => panic!("the worker calls {other}"),
        };
        self.master.answer(request, &answer);
        match (method, object) {
            ("complete", Object::Luid(SHELL)) => self.start_download(),
            ("complete", Object::Luid(DOWNLOAD)) => self.finished = true,
            _ => {}
        }
    }

    fn start_download(&mut self) {
        let arguments = [
            ("workdir", text("build")),
            ("workerdest", text("file")),
            ("reader", Value::Remote(READER)),
            ("blocksize", Value::Int(10)),
            ("maxsize", Value::None),
            ("mode", Value::None),
        ];
        self.start(DOWNLOAD, "downloadFile", dict(&arguments));
    }

    fn start(&mut self, command: i64, name: &str, arguments: Value) {
        let id = text(&command.to_string());
        let call = [Value::Remote(command), id, text(name), arguments];
        self.master.call(BUILDER, "startCommand", &call);
    }
}

/// Tries every number of bytes up to the end of a conversation, in several threads.
fn every_number(name: &str, length: impl Fn(&Course) -> usize, limit: fn(usize) -> Limits) {
    const THREADS: usize = 4;
    let mut worker = Worker::new(&format!("{name}-whole"));
    let whole = worker.converse(UNLIMITED);
    assert!(whole.finished);
    // The times in a step's header do not always have the same number of digits.
    let end = length(&whole) - 20;
    let tries = |first: usize| {
        let mut worker = Worker::new(&format!("{name}-{first}"));
        for count in (first..end).step_by(THREADS) {
            let limits = limit(count);
            let course = worker.converse(limits);
            assert!(!course.finished, "{count} of {end}");
            worker.look_at_the_file(limits);
        }
        // And it is as good as new.
        assert!(worker.converse(UNLIMITED).finished);
    };
    std::thread::scope(|scope| {
        for first in 0..THREADS {
            scope.spawn(move || tries(first));
        }
    });
}

#[test]
fn a_master_that_is_cut_off_after_any_byte_is_noticed_and_followed_by_another() {
    every_number(
        "cut-in",
        |course| course.to_worker,
        |count| Limits {
            to_worker: count,
            ..UNLIMITED
        },
    );
}

#[test]
fn a_worker_that_is_cut_off_after_any_byte_notices_and_begins_anew() {
    every_number(
        "cut-out",
        |course| course.to_master,
        |count| Limits {
            to_master: count,
            ..UNLIMITED
        },
    );
}
