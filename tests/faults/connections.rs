//! What becomes of the worker when the network or the master fails: it always comes back.

use std::io::Write;
use std::time::Duration;

use coracle::wire::jelly::Value;

use crate::master::{BOT, BUILDER, Master, Session};
use crate::proxy::{Fault, Proxy};
use crate::support::fake_master::text;
use crate::worker::{Base, Worker, becomes, processes_with};

/// A whole conversation of a worker and this master: login, attachment, one step.
fn conversation(session: &mut Session) -> Result<(), crate::master::Gone> {
    session.try_attach()?;
    session.run(BUILDER, 7, "echo hello").map(drop)
}

#[test]
fn a_connection_cut_at_any_byte_is_made_anew() {
    let master = Master::new();
    let proxy = Proxy::new(master.port(), Fault::None);
    let worker = Worker::start("cut-probe", proxy.port());
    conversation(&mut master.accept()).unwrap();
    let length = proxy.passed();
    drop(worker);
    let cut_at = |limit: usize| {
        std::thread::spawn(move || {
            let master = Master::new();
            let proxy = Proxy::new(master.port(), Fault::CutAfter(limit));
            let mut worker = Worker::start("cut", proxy.port());
            let mut session = master.accept();
            proxy.set(Fault::None);
            // Where exactly it breaks is up to the number.
            let _ = conversation(&mut session);
            drop(session);
            let mut again = master.attach();
            let output = again.run(BUILDER, 8, "echo alive").unwrap();
            assert!(output.contains("alive\n"), "cut after {limit}: {output}");
            assert!(worker.is_alive());
        })
    };
    let limits = (0..=length).step_by(length.div_ceil(24));
    let threads: Vec<_> = limits.map(cut_at).collect();
    assert!(threads.len() > 20);
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_link_that_carries_one_byte_at_a_time_is_as_good_as_any() {
    let master = Master::new();
    let proxy = Proxy::new(master.port(), Fault::Drip);
    let _worker = Worker::start("drip", proxy.port());
    // Another program on this machine may knock at this port; it is sent away.
    let mut session = master.attach();
    let output = session.run(BUILDER, 7, "seq 1 500").unwrap();
    assert!(output.contains("\n499\n500\n"), "{output}");
    assert!(output.contains("[rc 0]"), "{output}");
}

#[test]
fn a_link_that_swallows_everything_is_noticed() {
    let master = Master::new();
    let proxy = Proxy::new(master.port(), Fault::None);
    let mut worker = Base::new("hole", proxy.port(), &["--keepalive=1"]).start();
    // Another program on this machine may knock at this port; it is sent away.
    let mut session = master.attach();
    session.wait_for_call("keepalive").unwrap();
    let marker = marker();
    session
        .start(BUILDER, 7, &format!("sleep {marker}"))
        .unwrap();
    assert!(becomes(Duration::from_secs(2), || processes_with(&marker) > 0));
    proxy.set_hole(true);
    assert!(becomes(Duration::from_secs(9), || processes_with(&marker) == 0));
    proxy.set_hole(false);
    let mut again = master.attach();
    again.run(BUILDER, 8, "true").unwrap();
    assert!(worker.is_alive());
}

#[test]
fn garbage_from_the_master_ends_the_connection_and_nothing_else() {
    let garbage: [&[u8]; 8] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
        &[0xff; 1000],
        &[0x80; 1000],
        &[0; 100],
        b"\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x80",
        b"\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x82",
        &[b'\x01', 0x80].repeat(4000).leak()[..],
    ];
    let threads = garbage.map(|bytes| {
        std::thread::spawn(move || {
            let master = Master::new();
            let mut worker = Worker::start("garbage", master.port());
            // Before the login, and in the middle of the conversation.
            let mut session = master.accept();
            session.stream.write_all(bytes).unwrap();
            session.close();
            let mut session = master.attach();
            session.stream.write_all(bytes).unwrap();
            assert!(
                session.wait_for_end(Duration::from_secs(1)).is_some() || {
                    // Not yet a whole expression: nothing wrong so far.
                    session.close();
                    true
                }
            );
            master.attach().run(BUILDER, 8, "true").unwrap();
            assert!(worker.is_alive());
        })
    });
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

#[test]
fn answers_and_calls_that_make_no_sense_do_not_hurt() {
    let master = Master::new();
    let mut worker = Worker::start("nonsense", master.port());
    let mut session = master.attach();
    for object in [BOT, BUILDER, 0, -1, 99, i64::MAX] {
        for method in ["", "startCommand", "nothing", "setBuilderList", "print"] {
            session.master.call(object, method, &[]);
            session.master.call(object, method, &[Value::None]);
            session
                .master
                .call(object, method, &[Value::List(vec![Value::Int(1); 1000])]);
        }
    }
    session.flush().unwrap();
    session.run(BUILDER, 7, "true").unwrap();
    // An answer to a call that was never made is the end of the conversation, not of the worker.
    session.master.answer(123_456, &Value::None);
    session.flush().unwrap();
    assert!(session.wait_for_end(Duration::from_secs(5)).is_some());
    master.attach().run(BUILDER, 8, "true").unwrap();
    assert!(worker.is_alive());
}

#[test]
fn a_worker_that_is_refused_tries_again_until_it_is_let_in() {
    const UNAUTHORIZED: &str = "twisted.cred.error.UnauthorizedLogin";
    let master = Master::new();
    let mut worker = Worker::start("refused", master.port());
    let mut session = master.accept();
    let login = session.greet().unwrap();
    session.master.error(login, UNAUTHORIZED, "");
    session.flush().unwrap();
    assert!(session.wait_for_end(Duration::from_secs(5)).is_some());
    let mut session = master.accept();
    let login = session.greet().unwrap();
    let respond = session.challenge(login).unwrap();
    let duplicate = "rejecting duplicate worker with same name";
    session
        .master
        .error(respond, "builtins.RuntimeError", duplicate);
    session.flush().unwrap();
    assert!(session.wait_for_end(Duration::from_secs(5)).is_some());
    master.attach().run(BUILDER, 8, "true").unwrap();
    assert!(worker.is_alive());
}

#[test]
fn a_master_that_is_not_there_yet_is_found_when_it_comes() {
    // An address where no other test's master may take the port meanwhile.
    let free = std::net::TcpListener::bind("127.0.0.77:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let mut worker = Base::at("absent", &address.to_string(), &[]).start();
    assert!(becomes(Duration::from_secs(5), || {
        worker.log().contains("Scheduling retry 1")
    }));
    let listener = std::net::TcpListener::bind(address).unwrap();
    listener.set_nonblocking(true).unwrap();
    let found = becomes(Duration::from_secs(8), || listener.accept().is_ok());
    assert!(found && worker.is_alive());
}

#[test]
fn a_lost_connection_kills_the_step_with_all_that_it_started() {
    let master = Master::new();
    let mut worker = Worker::start("lost", master.port());
    let mut session = master.attach();
    let marker = marker();
    session
        .start(BUILDER, 7, &crate::endings::escape_artists(&marker))
        .unwrap();
    session.wait_for_output("ready").unwrap();
    assert!(processes_with(&marker) >= 3);
    session.close();
    let gone = becomes(Duration::from_secs(2), || processes_with(&marker) == 0);
    assert!(gone, "{} are left", processes_with(&marker));
    master.attach().run(BUILDER, 8, "true").unwrap();
    assert!(worker.is_alive());
}

#[test]
fn a_builder_that_goes_away_takes_its_step_along() {
    let master = Master::new();
    let _worker = Worker::start("builder-gone", master.port());
    let mut session = master.attach();
    let marker = marker();
    session
        .start(BUILDER, 7, &format!("sleep {marker}"))
        .unwrap();
    assert!(becomes(Duration::from_secs(2), || processes_with(&marker) > 0));
    let request = session.set_builders(&[("other", "other")]);
    session.flush().unwrap();
    session.wait_for_answer(request).unwrap();
    assert!(becomes(Duration::from_secs(2), || processes_with(&marker) == 0));
    let request = session.master.call(BOT, "print", &[text("still there?")]);
    session.flush().unwrap();
    session.wait_for_answer(request).unwrap();
}

/// An argument of `sleep` that no other test uses.
pub fn marker() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("1{:07}.{count:04}", std::process::id())
}
