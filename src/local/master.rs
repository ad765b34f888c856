//! The loopback listener: carries bytes between one worker and [`Serving`], and tells a [`Director`] what
//! happens.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use smol::Timer;
use smol::channel::Receiver;
use smol::future::or;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::TcpStream;

use super::serve::{Account, ServeEvent, Serving};

/// How long a worker may take to attach.
const ATTACH_LIMIT: Duration = Duration::from_secs(60);

/// How long a worker may take to leave, its steps being over.
const LEAVE_LIMIT: Duration = Duration::from_secs(20);

/// While so much is waiting to be sent, nothing is read.
const BACKLOG: usize = 8 * 1024 * 1024;

const READ_SIZE: usize = 64 * 1024;

/// Plays the master: gets what happens, and calls back.
pub trait Director {
    /// Something has happened.
    fn happened(&mut self, serving: &mut Serving, event: ServeEvent, now: Instant);

    /// When [`Director::time`] wants to be called at the latest.
    fn deadline(&self) -> Option<Instant>;

    /// Time has passed.
    fn time(&mut self, serving: &mut Serving, now: Instant);

    /// Nothing is left to be done; the worker may go.
    fn is_over(&self) -> bool;

    /// There will be nothing more, and why: unless it is over, the work is not done.
    fn lost(&mut self, why: &str, now: Instant);
}

/// Why there can be no master here.
#[derive(Debug)]
pub struct ListenError(io::Error);

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot listen and be reached on 127.0.0.1: {}; is the loopback interface up (`ifconfig lo0` or `ip link`)?",
            self.0
        )
    }
}

impl std::error::Error for ListenError {}

/// A port that waits for a worker.
#[derive(Debug)]
pub struct Master {
    listener: TcpListener,
    port: u16,
}

impl Master {
    /// Takes a free port of the loopback interface, or the one given.
    ///
    /// # Errors
    /// The system's.
    pub fn listen(port: u16) -> Result<Master, ListenError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(ListenError)?;
        let address = listener.local_addr().map_err(ListenError)?;
        // Without a loopback interface a port can be taken, but nobody reaches it.
        let probe = std::net::TcpStream::connect_timeout(&address, ATTACH_LIMIT);
        drop(probe.map_err(ListenError)?);
        let port = address.port();
        Ok(Master { listener, port })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves one worker until the director has nothing more to do or the worker has gone. Ends early
    /// when something comes out of `cancel`, or its other end is dropped. Blocks.
    pub fn direct(self, account: &Account, director: &mut impl Director, cancel: &Receiver<()>) {
        smol::block_on(async {
            let cancelled = async {
                let _ = cancel.recv().await;
                Err("the worker has ended".to_owned())
            };
            let served = or(self.serve(account, director), cancelled).await;
            if let Err(why) = served {
                director.lost(&why, Instant::now());
            }
        });
    }

    async fn serve(self, account: &Account, director: &mut impl Director) -> Result<(), String> {
        let listener = smol::net::TcpListener::try_from(self.listener)
            .map_err(|error| ListenError(error).to_string())?;
        let limit = Instant::now() + ATTACH_LIMIT;
        loop {
            let accepted = or(async { Some(listener.accept().await) }, async {
                Timer::at(limit).await;
                None
            });
            let stream = match accepted.await {
                Some(Ok((stream, _))) => stream,
                Some(Err(error)) => return Err(format!("cannot accept a connection: {error}")),
                None => return Err("no worker has attached within 60 s".to_owned()),
            };
            let account = Account {
                challenge: challenge(),
                ..account.clone()
            };
            let mut serving = Serving::new(account);
            let ended = converse(stream, &mut serving, director).await;
            match ended {
                Ok(()) => return Ok(()),
                // Anybody on this machine may knock; only the worker knows the password.
                Err(_) if !serving.was_attached() => {}
                Err(why) => return Err(why),
            }
        }
    }
}

/// A number that nobody can guess: the keys of the standard library's hash tables come from the system's
/// source of randomness.
pub fn challenge() -> Vec<u8> {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let half = || RandomState::new().build_hasher().finish().to_be_bytes();
    [half(), half()].concat()
}

/// What wakes the loop.
enum Happening {
    Read(io::Result<usize>),
    Written(io::Result<usize>),
    Time,
}

async fn converse(
    stream: TcpStream,
    serving: &mut Serving,
    director: &mut impl Director,
) -> Result<(), String> {
    // Delayed segments would only make the progress late.
    let _ = stream.set_nodelay(true);
    let (mut reader, mut writer) = (stream.clone(), stream);
    let mut buffer = vec![0; READ_SIZE];
    let mut outgoing: Vec<u8> = Vec::new();
    let mut leaving: Option<Instant> = None;
    loop {
        let now = Instant::now();
        while let Some(event) = serving.next_event() {
            director.happened(serving, event, now);
        }
        if director.is_over() && serving.is_attached() && leaving.is_none() {
            serving.shut_down();
            leaving = Some(now + LEAVE_LIMIT);
        }
        if leaving.is_some_and(|limit| now >= limit) {
            return Ok(());
        }
        outgoing.append(serving.outgoing());
        let deadline = match leaving {
            Some(limit) => Some(limit),
            None => director.deadline(),
        };
        let happening = next(&mut reader, &mut writer, &mut buffer, &outgoing, deadline).await;
        match happening {
            Happening::Read(Ok(0) | Err(_)) if leaving.is_some() => return Ok(()),
            Happening::Read(Ok(0)) => return Err("the worker has closed the connection".to_owned()),
            Happening::Read(Ok(length)) => serving
                .receive(&buffer[..length])
                .map_err(|error| error.to_string())?,
            Happening::Written(Ok(length)) => {
                outgoing.drain(..length);
            }
            Happening::Read(Err(error)) | Happening::Written(Err(error)) => {
                return Err(format!("the connection is lost: {error}"));
            }
            Happening::Time => director.time(serving, Instant::now()),
        }
    }
}

async fn next(
    reader: &mut TcpStream,
    writer: &mut TcpStream,
    buffer: &mut [u8],
    outgoing: &[u8],
    deadline: Option<Instant>,
) -> Happening {
    let read = async {
        if outgoing.len() > BACKLOG {
            std::future::pending::<()>().await;
        }
        Happening::Read(reader.read(buffer).await)
    };
    let write = async {
        if outgoing.is_empty() {
            std::future::pending::<()>().await;
        }
        Happening::Written(writer.write(outgoing).await)
    };
    let time = async {
        match deadline {
            Some(deadline) => Timer::at(deadline).await,
            None => std::future::pending().await,
        };
        Happening::Time
    };
    or(time, or(write, read)).await
}
