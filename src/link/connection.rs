//! An open connection to a master, whatever carries it.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use async_net::TcpStream;
use smol::io::{AsyncRead, AsyncWrite};

use super::dial;
use super::endpoint::Endpoint;
use super::error::LinkError;
use super::tls::TlsStream;

/// An open connection. Its halves can be waited for at the same time, in one task.
#[derive(Debug)]
pub struct Connection {
    /// Bytes from the master.
    pub reader: Reader,
    /// Bytes to the master.
    pub writer: Writer,
    socket: TcpStream,
    description: String,
}

/// The receiving half.
#[derive(Debug)]
pub struct Reader(Stream);

/// The sending half.
#[derive(Debug)]
pub struct Writer(Stream);

/// What both halves share.
#[derive(Debug, Clone)]
enum Stream {
    Plain(TcpStream),
    Secure(TlsStream),
}

impl Connection {
    /// Connects to a master.
    ///
    /// # Errors
    /// The stage that failed, and why; see [`LinkError`].
    pub async fn dial(endpoint: &Endpoint) -> Result<Connection, LinkError> {
        dial::dial(endpoint).await
    }

    pub(super) fn plain(stream: TcpStream, peer: SocketAddr, endpoint: &Endpoint) -> Connection {
        let description = describe(peer, endpoint);
        Connection {
            reader: Reader(Stream::Plain(stream.clone())),
            writer: Writer(Stream::Plain(stream.clone())),
            socket: stream,
            description,
        }
    }

    pub(super) fn secure(stream: TlsStream, peer: SocketAddr, endpoint: &Endpoint) -> Connection {
        let agreed = stream.agreed();
        Connection {
            socket: stream.socket(),
            reader: Reader(Stream::Secure(stream.clone())),
            writer: Writer(Stream::Secure(stream)),
            description: format!("{} ({agreed})", describe(peer, endpoint)),
        }
    }

    /// The other end, and what is between us, for the log.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The socket, for settings that not every system has.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Tells the other end that no more will come; it then sees a clean close.
    pub fn finish(&self) {
        if let Stream::Secure(stream) = &self.writer.0 {
            stream.say_goodbye();
        }
        // An error means that the connection is already gone, which is what we want.
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
    }
}

fn describe(peer: SocketAddr, endpoint: &Endpoint) -> String {
    match &endpoint.proxy {
        None => peer.to_string(),
        Some(proxy) => format!("{} through {proxy}", endpoint.master),
    }
}

impl Reader {
    /// Reads what has come, at least one byte; 0 when the other end has closed.
    ///
    /// # Errors
    /// The connection is lost. With TLS also: the other end closed without saying so.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|context| match &mut self.0 {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Secure(stream) => stream.poll_read(context, buffer),
        })
        .await
    }

    /// Waits until the other end has closed, taking nothing of what has come. Bytes that have come
    /// hide a close behind them.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn ended(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Stream::Plain(stream) => match stream.peek(&mut [0]).await? {
                0 => Ok(()),
                _ => std::future::pending().await,
            },
            Stream::Secure(stream) => poll_fn(|context| stream.poll_ended(context)).await,
        }
    }
}

impl Writer {
    /// Writes as much as fits now, and returns how much. Whoever stops waiting for this must begin
    /// again with the same bytes: with TLS, some may be on their way.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|context| match &mut self.0 {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Secure(stream) => stream.poll_write(context, bytes),
        })
        .await
    }
}
