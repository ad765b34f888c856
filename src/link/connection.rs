//! A TCP connection to a master: name look-up at each dial, all addresses tried, no silent death.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use async_net::TcpStream;
use smol::Timer;
use smol::io::{AsyncReadExt, AsyncWriteExt};

use super::LinkError;

/// Head start of one address over the next (RFC 8305, section 5: "Connection Attempt Delay").
const HEAD_START: Duration = Duration::from_millis(250);

/// How long all addresses together may take to let us in.
const DIAL_LIMIT: Duration = Duration::from_secs(30);

/// Silence after which the system itself begins to probe the other end.
const PROBE_AFTER: Duration = Duration::from_secs(60);

/// An open connection. Its halves can be waited for at the same time.
#[derive(Debug)]
pub struct Connection {
    /// Bytes from the master.
    pub reader: Reader,
    /// Bytes to the master.
    pub writer: Writer,
    peer: SocketAddr,
}

/// The receiving half.
#[derive(Debug)]
pub struct Reader(TcpStream);

/// The sending half.
#[derive(Debug)]
pub struct Writer(TcpStream);

impl Connection {
    /// Looks the host up and connects to the first of its addresses that lets us in.
    ///
    /// # Errors
    /// The name has no address; every address refused (the last one's error); or the limit of 30 s.
    pub async fn dial(host: &str, port: u16) -> Result<Connection, LinkError> {
        let limit = async {
            Timer::after(DIAL_LIMIT).await;
            Err(LinkError::Timeout {
                master: authority(host, port),
                seconds: DIAL_LIMIT.as_secs(),
            })
        };
        smol::future::or(connect_any(host, port), limit).await
    }

    /// The other end.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The socket, for settings that not every system has.
    pub fn socket(&self) -> &TcpStream {
        &self.writer.0
    }

    /// Tells the other end that no more will come; it then sees a clean close.
    pub fn finish(&self) {
        // An error means that the connection is already gone, which is what we want.
        let _ = self.writer.0.shutdown(std::net::Shutdown::Write);
    }
}

impl Reader {
    /// Reads what has come, at least one byte; 0 when the other end has closed.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).await
    }

    /// Waits until the other end has closed, taking nothing of what has come. Bytes that have come
    /// hide a close behind them.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn ended(&mut self) -> io::Result<()> {
        match self.0.peek(&mut [0]).await? {
            0 => Ok(()),
            _ => std::future::pending().await,
        }
    }
}

impl Writer {
    /// Writes as much as fits now.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).await
    }
}

/// `host:port`, with brackets around an IPv6 address.
fn authority(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

async fn connect_any(host: &str, port: u16) -> Result<Connection, LinkError> {
    let unknown = |error| LinkError::UnknownHost {
        host: host.to_owned(),
        error,
    };
    let addresses = async_net::resolve((host, port)).await.map_err(unknown)?;
    if addresses.is_empty() {
        return Err(unknown(io::Error::other("the answer is empty")));
    }
    let stream = first_success(&addresses)
        .await
        .map_err(|error| LinkError::Connect {
            master: authority(host, port),
            error,
        })?;
    let peer = stream.peer_addr().map_err(|error| LinkError::Connect {
        master: authority(host, port),
        error,
    })?;
    tune(&stream);
    Ok(Connection {
        reader: Reader(stream.clone()),
        writer: Writer(stream),
        peer,
    })
}

type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>;

/// Starts the attempts one after the other with a head start each, and takes the first success.
async fn first_success(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut attempts: Vec<Attempt> = addresses
        .iter()
        .enumerate()
        .map(|(position, &address)| {
            let rank = u32::try_from(position).unwrap_or(u32::MAX);
            Box::pin(async move {
                Timer::after(HEAD_START.saturating_mul(rank)).await;
                TcpStream::connect(address).await
            }) as Attempt
        })
        .collect();
    let mut last_error = None;
    poll_fn(|context| {
        let mut position = 0;
        while position < attempts.len() {
            match attempts[position].as_mut().poll(context) {
                Poll::Pending => position += 1,
                Poll::Ready(Ok(stream)) => return Poll::Ready(Ok(stream)),
                Poll::Ready(Err(error)) => {
                    last_error = Some(error);
                    drop(attempts.remove(position));
                }
            }
        }
        match last_error.take() {
            Some(error) if attempts.is_empty() => Poll::Ready(Err(error)),
            kept => {
                last_error = kept;
                Poll::Pending
            }
        }
    })
    .await
}

/// Small messages go out at once, and the system probes a silent peer. A system that lacks one of
/// these still works: the session's own keepalive notices a dead link.
fn tune(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        log::debug!("TCP_NODELAY is not to be had: {error}");
    }
    let socket = socket2::SockRef::from(stream);
    if let Err(error) = socket.set_keepalive(true) {
        log::debug!("SO_KEEPALIVE is not to be had: {error}");
    }
    let probes = socket2::TcpKeepalive::new().with_time(PROBE_AFTER);
    if let Err(error) = socket.set_tcp_keepalive(&probes) {
        log::debug!("the time of TCP keepalives cannot be set: {error}");
    }
}
