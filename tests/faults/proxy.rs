//! Stands between worker and master, and does damage.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It is cut when so many bytes have passed, both directions together.
    CutAfter(usize),
    /// Bytes pass one at a time.
    Drip,
    /// So many bytes a second pass in each direction.
    Slow(u32),
}

/// Bytes that pass at once on a slow link.
const SLOW_PIECE: usize = 50;

/// A proxy for connections to one port.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    master: u16,
    fault: Mutex<Fault>,
    /// While set, nothing passes and nothing is closed.
    hole: AtomicBool,
    /// Bytes that have passed on all connections.
    passed: AtomicUsize,
}

impl Proxy {
    pub fn new(master: u16, fault: Fault) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            master,
            fault: Mutex::new(fault),
            hole: AtomicBool::new(false),
            passed: AtomicUsize::new(0),
        });
        let own = Arc::clone(&shared);
        // Ends with the test program.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                own.carry(stream);
            }
        });
        Proxy { port, shared }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What happens to connections from now on.
    pub fn set(&self, fault: Fault) {
        *self.shared.fault.lock().unwrap() = fault;
    }

    /// Swallows everything on connections that are open now and later, or stops doing so.
    pub fn set_hole(&self, hole: bool) {
        self.shared.hole.store(hole, Ordering::SeqCst);
    }

    pub fn passed(&self) -> usize {
        self.shared.passed.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn carry(self: &Arc<Self>, worker: TcpStream) {
        let fault = *self.fault.lock().unwrap();
        let Ok(master) = TcpStream::connect(("127.0.0.1", self.master)) else {
            return;
        };
        let carried = Arc::new(Mutex::new(0));
        for (from, to) in [
            (worker.try_clone().unwrap(), master.try_clone().unwrap()),
            (master, worker),
        ] {
            let (own, carried) = (Arc::clone(self), Arc::clone(&carried));
            std::thread::spawn(move || own.pump(from, to, fault, &carried));
        }
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, fault: Fault, carried: &Mutex<usize>) {
        let _ = to.set_nodelay(true);
        let mut buffer = [0; 8192];
        loop {
            let count = match from.read(&mut buffer) {
                Ok(count @ 1..) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Ok(_) | Err(_) => break,
            };
            while self.hole.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            let mut bytes = &buffer[..count];
            let mut carried = carried.lock().unwrap();
            let cut = match fault {
                Fault::CutAfter(limit) => limit.saturating_sub(*carried) <= bytes.len(),
                Fault::None | Fault::Drip | Fault::Slow(_) => false,
            };
            if let (true, Fault::CutAfter(limit)) = (cut, fault) {
                bytes = &bytes[..limit.saturating_sub(*carried)];
            }
            *carried += bytes.len();
            self.passed.fetch_add(bytes.len(), Ordering::SeqCst);
            drop(carried);
            let (piece, pause) = match fault {
                Fault::Drip => (1, Duration::ZERO),
                Fault::Slow(rate) => (
                    SLOW_PIECE,
                    Duration::from_secs(1) * SLOW_PIECE as u32 / rate,
                ),
                Fault::None | Fault::CutAfter(_) => (bytes.len().max(1), Duration::ZERO),
            };
            let sent = bytes.chunks(piece).try_for_each(|piece| {
                // The time is the fault, nothing is waited for.
                std::thread::sleep(pause);
                to.write_all(piece)
            });
            if cut || sent.is_err() {
                let _ = from.shutdown(Shutdown::Both);
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    }
}
