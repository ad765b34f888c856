//! Somebody who listens: each connection is served by the test's own function on a thread.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use coracle::link::endpoint::{Endpoint, Tls};
use coracle::link::{Connection, LinkError};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Longer than anything here takes, even on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The master's end of TLS.
pub type Secure = StreamOwned<ServerConnection, TcpStream>;

/// Takes one connection.
pub struct Listener<T> {
    pub address: SocketAddr,
    served: JoinHandle<T>,
}

impl<T: Send + 'static> Listener<T> {
    pub fn serve(serve: impl FnOnce(TcpStream) -> T + Send + 'static) -> Listener<T> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            stream.set_write_timeout(Some(LIMIT)).unwrap();
            serve(stream)
        });
        Listener { address, served }
    }

    /// With TLS. The function gets the stream before the handshake.
    pub fn secure(
        config: Arc<ServerConfig>,
        serve: impl FnOnce(Secure) -> T + Send + 'static,
    ) -> Listener<T> {
        Listener::serve(move |stream| {
            let connection = ServerConnection::new(config).unwrap();
            serve(StreamOwned::new(connection, stream))
        })
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What its function returned.
    pub fn result(self) -> T {
        self.served.join().unwrap()
    }

    /// The way here, in the clear.
    pub fn plain(&self) -> Endpoint {
        Endpoint::tcp("127.0.0.1", self.port())
    }

    /// The way here with TLS for the name `localhost`.
    pub fn with_tls(&self, change: impl FnOnce(&mut Tls)) -> Endpoint {
        let mut endpoint = self.plain().with_tls();
        let tls = endpoint.tls.as_mut().unwrap();
        tls.name = "localhost".to_owned();
        change(tls);
        endpoint
    }
}

/// Sends back what comes, until the end.
pub fn echo(mut stream: impl Read + Write) {
    let mut buffer = [0; 65536];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        stream.write_all(&buffer[..count]).unwrap();
        stream.flush().unwrap();
    }
}

/// Reads until the other end closes; whether that was in order.
pub fn drain(mut stream: impl Read) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    let end = stream.read_to_end(&mut all);
    (all, end.is_ok())
}

pub fn dial(endpoint: &Endpoint) -> Result<Connection, LinkError> {
    smol::block_on(Connection::dial(endpoint))
}

/// Why there is no connection.
pub fn refusal(endpoint: &Endpoint) -> String {
    match dial(endpoint) {
        Ok(connection) => panic!("connected: {}", connection.description()),
        Err(error) => error.to_string(),
    }
}

pub async fn write_all(connection: &mut Connection, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let count = connection.writer.write(bytes).await.unwrap();
        bytes = &bytes[count..];
    }
}

/// Exactly so many bytes.
pub async fn read_exact(connection: &mut Connection, count: usize) -> Vec<u8> {
    let mut all = vec![0; count];
    let mut read = 0;
    while read < count {
        let more = connection.reader.read(&mut all[read..]).await.unwrap();
        assert_ne!(more, 0, "the end after {read} of {count} bytes");
        read += more;
    }
    all
}

/// Says something, and hears it again.
pub fn assert_echo(connection: &mut Connection) {
    smol::block_on(async {
        write_all(connection, b"is there anybody?").await;
        assert_eq!(read_exact(connection, 17).await, b"is there anybody?");
    });
}
