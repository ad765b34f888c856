//! A login that is tried and given up at once: tells whether a master lets us in, on the same way and
//! in the same words as the worker itself.

use std::time::{Duration, Instant};

use smol::Timer;
use smol::future::or;

use super::{address, hello};
use crate::basedir::Settings;
use crate::calls::StepId;
use crate::link::{Connection, Endpoint, LinkError};
use crate::session::{Event, Session};

/// How long a master may take from the connection to its answer.
pub const LIMIT: Duration = Duration::from_secs(30);

/// How far a login went.
#[derive(Debug)]
pub enum LoginTry {
    /// The master let us in, so long after we began.
    LetIn(Duration),
    /// Name or password is wrong.
    Unauthorized,
    /// Name and password are right, and a worker of that name is connected.
    Duplicate,
    /// The master said this instead of letting us in.
    Refused(String),
    /// The settings name no way to a master; what is wrong with them.
    NoWay(String),
    /// The master cannot be reached.
    Unreachable(LinkError),
    /// The connection ended before the answer, for this reason.
    Lost(String),
    /// What answers is no master; what is wrong with it.
    NotAMaster(String),
    /// No answer within [`LIMIT`].
    Silent,
}

/// Logs in as the settings say, and hangs up.
pub fn try_login(settings: &Settings) -> LoginTry {
    match address::address(settings) {
        Ok(endpoint) => smol::block_on(converse(settings, &endpoint)),
        Err(error) => LoginTry::NoWay(error.to_string()),
    }
}

async fn converse(settings: &Settings, endpoint: &Endpoint) -> LoginTry {
    let begun = Instant::now();
    let connection = match Connection::dial(endpoint).await {
        Ok(connection) => connection,
        Err(error) => return LoginTry::Unreachable(error),
    };
    let session = hello::session(settings, endpoint, StepId(1));
    let limit = async {
        Timer::after(LIMIT).await;
        LoginTry::Silent
    };
    or(log_in(connection, session, begun), limit).await
}

async fn log_in(mut connection: Connection, mut session: Session, begun: Instant) -> LoginTry {
    let mut buffer = [0; 4096];
    loop {
        // A session may be the one that speaks first (PROTOCOL 5.1).
        while !session.outgoing().is_empty() {
            match connection.writer.write(session.outgoing()).await {
                Ok(sent) => drop(session.outgoing().drain(..sent)),
                Err(error) => return LoginTry::Lost(error.to_string()),
            }
        }
        let count = match connection.reader.read(&mut buffer).await {
            Ok(0) => return LoginTry::Lost("the master hung up".to_owned()),
            Ok(count) => count,
            Err(error) => return LoginTry::Lost(error.to_string()),
        };
        let received = session.receive(&buffer[..count]);
        while let Some(event) = session.next_event() {
            if let Some(end) = end_of_login(event, begun) {
                connection.finish();
                return end;
            }
        }
        if let Err(error) = received {
            return LoginTry::NotAMaster(error.to_string());
        }
    }
}

fn end_of_login(event: Event, begun: Instant) -> Option<LoginTry> {
    match event {
        Event::LoggedIn => Some(LoginTry::LetIn(begun.elapsed())),
        Event::LoginRefused {
            unauthorized: true, ..
        } => Some(LoginTry::Unauthorized),
        Event::LoginRefused { message, .. } if message.contains("duplicate") => {
            Some(LoginTry::Duplicate)
        }
        Event::LoginRefused { message, .. } => Some(LoginTry::Refused(message)),
        // A master may call us as soon as it has let us in; nobody is at home.
        Event::Call(_)
        | Event::Attached
        | Event::Refused { .. }
        | Event::Acknowledged { .. }
        | Event::Replied { .. }
        | Event::Completed { .. }
        | Event::RemoteFailure { .. }
        | Event::KeepaliveAnswered
        | Event::ShutdownAsked { .. } => None,
    }
}
