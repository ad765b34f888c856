//! Bytes in and out of TLS. rustls turns them into records and back; here they meet the socket.
//!
//! Both halves of a connection are waited for in one task, so each may do the other's work: whoever
//! reads also sends what TLS itself has to say.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use async_net::TcpStream;
use rustls::{AlertDescription, CertificateError, ClientConnection, Error};
use smol::io::{AsyncRead, AsyncWrite};

use super::identity::Identity;
use crate::link::error::words;
use crate::link::tls_error::TlsError;

/// Most plain bytes on their way at once: one record.
const RECORD: usize = 16 * 1024;

/// One end of a TLS connection. Clones are the same end.
#[derive(Debug, Clone)]
pub struct TlsStream(Rc<RefCell<State>>);

#[derive(Debug)]
struct State {
    socket: TcpStream,
    tls: ClientConnection,
    identity: std::sync::Arc<Identity>,
    /// Plain bytes that TLS has taken and that the writer has not been told about, since some of them
    /// have not left yet.
    accepted: usize,
    /// Whether the master has sent anything since TLS was agreed on.
    heard: bool,
    /// Why nothing more can come.
    fault: Option<TlsError>,
}

impl TlsStream {
    pub fn new(
        socket: TcpStream,
        tls: ClientConnection,
        identity: std::sync::Arc<Identity>,
    ) -> TlsStream {
        TlsStream(Rc::new(RefCell::new(State {
            socket,
            tls,
            identity,
            accepted: 0,
            heard: false,
            fault: None,
        })))
    }

    /// What was agreed on, for the log.
    pub fn agreed(&self) -> String {
        let state = self.0.borrow();
        match state.tls.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
            _ => "TLS 1.3".to_owned(),
        }
    }

    /// The socket below.
    pub fn socket(&self) -> TcpStream {
        self.0.borrow().socket.clone()
    }

    /// Goes through the handshake.
    pub fn poll_agree(&self, context: &mut Context<'_>) -> Poll<Result<(), TlsError>> {
        let state = &mut *self.0.borrow_mut();
        loop {
            let flushed = state.poll_flush(context);
            if !state.tls.is_handshaking() {
                return flushed.map_err(|error| TlsError::Lost(words(&error)));
            }
            // What cannot be written may have been answered already: that says why.
            if ready!(state.poll_fill(context)) == 0 {
                return Poll::Ready(Err(state.fault.take().unwrap_or(TlsError::Closed)));
            }
        }
    }

    /// As [`AsyncRead::poll_read`].
    pub fn poll_read(&self, context: &mut Context<'_>, to: &mut [u8]) -> Poll<io::Result<usize>> {
        let state = &mut *self.0.borrow_mut();
        loop {
            match state.tls.reader().read(to) {
                Ok(count) => return Poll::Ready(Ok(count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Poll::Ready(Err(state.end())),
            }
            ready!(state.poll_more(context))?;
        }
    }

    /// Ready when the other end has closed and nothing is left to read.
    pub fn poll_ended(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = &mut *self.0.borrow_mut();
        loop {
            match state.tls.reader().into_first_chunk() {
                Ok([]) => return Poll::Ready(Ok(())),
                // Nobody has to wake us: until this is read there is nothing to see.
                Ok(_) => return Poll::Pending,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Poll::Ready(Err(state.end())),
            }
            ready!(state.poll_more(context))?;
        }
    }

    /// Ready when some of the bytes have been handed to the system, how many. Until then the next call
    /// must come with the same bytes.
    pub fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let state = &mut *self.0.borrow_mut();
        if state.accepted == 0 {
            let record = &bytes[..bytes.len().min(RECORD)];
            state.accepted = state.tls.writer().write(record)?;
        }
        ready!(state.poll_flush(context)).map_err(|error| state.lost(error))?;
        Poll::Ready(Ok(std::mem::take(&mut state.accepted)))
    }

    /// Sends the end mark, as far as there is room for it.
    pub fn say_goodbye(&self) {
        let state = &mut *self.0.borrow_mut();
        state.tls.send_close_notify();
        // Whoever does not listen does not need it.
        let _ = state.poll_flush(&mut Context::from_waker(Waker::noop()));
    }
}

impl State {
    /// Hands all records to the system.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.tls.wants_write() {
            let mut socket = Socket(&mut self.socket, context);
            match self.tls.write_tls(&mut socket) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes what has come from the system; 0 when nothing more can come, for the reason in `fault` if
    /// there is one.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<usize> {
        if self.fault.is_some() {
            return Poll::Ready(0);
        }
        let mut socket = Socket(&mut self.socket, context);
        let count = match self.tls.read_tls(&mut socket) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(error) => {
                self.fault = Some(TlsError::Lost(words(&error)));
                return Poll::Ready(0);
            }
        };
        if let Err(error) = self.tls.process_new_packets() {
            self.fault = Some(self.fault_of(error));
            // The master is told why, if it listens.
            let _ = self.poll_flush(context);
            return Poll::Ready(0);
        }
        Poll::Ready(count)
    }

    /// Takes what has come, once TLS is agreed on, and answers where TLS itself has to. Ready with an
    /// error when nothing more can come.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The writer meets the error, if there is one.
        let _ = self.poll_flush(context);
        ready!(self.poll_fill(context));
        let _ = self.poll_flush(context);
        if matches!(self.tls.reader().into_first_chunk(), Ok([_, ..])) {
            self.heard = true;
        } else if self.fault.is_some() {
            return Poll::Ready(Err(self.end()));
        }
        Poll::Ready(Ok(()))
    }

    /// Why nothing more comes.
    fn end(&mut self) -> io::Error {
        match self.fault.take() {
            Some(TlsError::Lost(words)) => self.lost(io::Error::other(words)),
            Some(error) => io::Error::other(error),
            None if self.is_unwelcome() => io::Error::other(TlsError::WantsCertificate),
            None => io::Error::other(TlsError::CutOff),
        }
    }

    /// A master that wants a certificate says so behind the end of our handshake (RFC 8446, section
    /// 4.4.2.4), and what we have sent meanwhile can make the system throw its words away.
    fn lost(&self, error: io::Error) -> io::Error {
        if self.is_unwelcome() {
            io::Error::other(TlsError::WantsCertificate)
        } else {
            error
        }
    }

    fn is_unwelcome(&self) -> bool {
        !self.heard && self.identity.is_missed()
    }

    fn fault_of(&self, error: Error) -> TlsError {
        match error {
            Error::InvalidCertificate(CertificateError::Other(why)) => verdict(&why),
            Error::InvalidMessage(_) if self.tls.negotiated_cipher_suite().is_none() => {
                TlsError::PlainText
            }
            Error::AlertReceived(alert) => self.refused(alert),
            Error::FailedToGetCurrentTime => TlsError::NoClock,
            other => TlsError::Fault(other.to_string()),
        }
    }

    fn refused(&self, alert: AlertDescription) -> TlsError {
        let word = format!("{alert:?}");
        match alert {
            AlertDescription::CertificateRequired => TlsError::WantsCertificate,
            // TLS 1.2 has no word of its own for it.
            AlertDescription::HandshakeFailure | AlertDescription::BadCertificate
                if self.is_unwelcome() =>
            {
                TlsError::WantsCertificate
            }
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
                if self.identity.was_shown() =>
            {
                TlsError::RefusesCertificate(word)
            }
            _ => TlsError::Refused(word),
        }
    }
}

/// What our own check said.
fn verdict(why: &rustls::OtherError) -> TlsError {
    match why.0.downcast_ref::<TlsError>() {
        Some(error) => error.clone(),
        None => TlsError::BadCertificate(why.to_string()),
    }
}

/// The socket as rustls wants it: "not yet" is an error.
struct Socket<'s, 'c, 'w>(&'s mut TcpStream, &'c mut Context<'w>);

impl Read for Socket<'_, '_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        now(Pin::new(&mut *self.0).poll_read(self.1, buffer))
    }
}

impl Write for Socket<'_, '_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        now(Pin::new(&mut *self.0).poll_write(self.1, bytes))
    }

    fn write_vectored(&mut self, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        now(Pin::new(&mut *self.0).poll_write_vectored(self.1, parts))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn now(polled: Poll<io::Result<usize>>) -> io::Result<usize> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
