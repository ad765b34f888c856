//! Whether a master lets us in: as far as its answer to our password, and no further.

use std::io;
use std::time::{Duration, Instant};

use smol::Timer;
use smol::future::or;

use super::check::Check;
use crate::basedir::{MasterAddress, Protocol, Secret, Settings};
use crate::calls::StepId;
use crate::link::{Connection, LinkError};
use crate::session::ProtocolError;
use crate::session::pb::{Event, Login, PbSession};

/// How long a master may take from the connection to its answer.
const LIMIT: Duration = Duration::from_secs(30);

/// Where to log in, and as whom.
#[derive(Debug, Clone)]
pub struct Account {
    /// The master.
    pub master: MasterAddress,
    /// Our name.
    pub name: String,
    /// What proves it.
    pub password: Secret,
}

impl Account {
    /// That of a base directory.
    ///
    /// # Errors
    /// The way to the master is one that cannot be tried here.
    pub fn of(settings: &Settings) -> Result<Account, String> {
        match settings.protocol {
            Protocol::Pb => {}
            Protocol::MsgpackV7 => {
                return Err(
                    "the login with MessagePack cannot be tried; start the worker".to_owned(),
                );
            }
        }
        if settings.proxy.is_some() {
            return Err("the login through a proxy cannot be tried; start the worker".to_owned());
        }
        Ok(Account {
            master: settings.master.clone(),
            name: settings.name.clone(),
            password: settings.password.clone(),
        })
    }
}

/// How far it went.
#[derive(Debug)]
enum Outcome {
    LoggedIn { after: Duration },
    Unauthorized,
    Duplicate,
    OtherRefusal(String),
    Link(LinkError),
    Lost(String),
    NotAMaster(String),
    Silent,
}

/// Logs in and hangs up.
pub fn try_login(account: &Account) -> Check {
    let (host, port) = match &account.master {
        MasterAddress::Tcp {
            host,
            port,
            tls: false,
        } => (host.as_str(), *port),
        MasterAddress::Tcp { tls: true, .. } | MasterAddress::Endpoint(_) => {
            return Check::warning(
                "login",
                format!("{} is not plain TCP", account.master),
                "this version tries plain TCP only",
                "start the worker, and see what it says",
            );
        }
    };
    let outcome = smol::block_on(converse(host, port, account));
    told(outcome, account)
}

async fn converse(host: &str, port: u16, account: &Account) -> Outcome {
    let begun = Instant::now();
    let connection = match Connection::dial(host, port).await {
        Ok(connection) => connection,
        Err(error) => return Outcome::Link(error),
    };
    let limit = async {
        Timer::after(LIMIT).await;
        Outcome::Silent
    };
    or(log_in(connection, account, begun), limit).await
}

async fn log_in(mut connection: Connection, account: &Account, begun: Instant) -> Outcome {
    let login = Login {
        name: account.name.clone(),
        password: account.password.expose().to_owned(),
    };
    let mut session = PbSession::new(login, StepId(1));
    let mut buffer = [0; 4096];
    loop {
        let count = match connection.reader.read(&mut buffer).await {
            Ok(0) => return Outcome::Lost("the master hung up".to_owned()),
            Ok(count) => count,
            Err(error) => return Outcome::Lost(lost(&error)),
        };
        let received = session.receive(&buffer[..count]);
        while let Some(event) = session.next_event() {
            if let Some(outcome) = outcome(event, begun) {
                connection.finish();
                return outcome;
            }
        }
        if let Err(error) = received {
            return protocol_trouble(&error);
        }
        while !session.outgoing().is_empty() {
            match connection.writer.write(session.outgoing()).await {
                Ok(sent) => drop(session.outgoing().drain(..sent)),
                Err(error) => return Outcome::Lost(lost(&error)),
            }
        }
    }
}

fn lost(error: &io::Error) -> String {
    super::program::words_of(error)
}

/// Whether this event is the end of the login.
fn outcome(event: Event, begun: Instant) -> Option<Outcome> {
    match event {
        Event::LoggedIn => Some(Outcome::LoggedIn {
            after: begun.elapsed(),
        }),
        Event::LoginRefused {
            unauthorized: true, ..
        } => Some(Outcome::Unauthorized),
        Event::LoginRefused { message, .. } if message.contains("duplicate") => {
            Some(Outcome::Duplicate)
        }
        Event::LoginRefused { message, .. } => Some(Outcome::OtherRefusal(message)),
        // A master may call us as soon as it has let us in; nobody is at home.
        Event::Call(_)
        | Event::Refused { .. }
        | Event::Acknowledged { .. }
        | Event::Replied { .. }
        | Event::Completed { .. }
        | Event::RemoteFailure { .. }
        | Event::KeepaliveAnswered
        | Event::ShutdownAsked { .. } => None,
    }
}

fn protocol_trouble(error: &ProtocolError) -> Outcome {
    match error {
        ProtocolError::Bytes { .. }
        | ProtocolError::Value { .. }
        | ProtocolError::Unexpected { .. }
        | ProtocolError::NoDialect { .. }
        | ProtocolError::Version { .. }
        | ProtocolError::UnknownRequest { .. }
        | ProtocolError::RepeatedRequest { .. }
        | ProtocolError::Unsendable { .. } => Outcome::NotAMaster(error.to_string()),
    }
}

fn told(outcome: Outcome, account: &Account) -> Check {
    let (name, master) = (&account.name, &account.master);
    let why = "without a login there are no builds";
    let missing = |saw: String, remedy: &str| Check::missing("login", saw, why, remedy);
    match outcome {
        Outcome::LoggedIn { after } => {
            let taken = after.as_millis();
            Check::ok("login", format!("{master} let {name} in after {taken} ms"))
        }
        Outcome::Unauthorized => missing(
            format!("{master} answers, but name or password is wrong (name {name})"),
            "compare both with what the owner of the master sent you",
        ),
        Outcome::Duplicate => Check::warning(
            "login",
            format!("name and password are right, but a worker {name} is connected already"),
            "a master takes each name once",
            "fine if that is the worker in this directory; otherwise find the other one",
        ),
        Outcome::OtherRefusal(message) => missing(
            format!("{master} refused the login: {message}"),
            "show this to the owner of the master",
        ),
        Outcome::Link(error) => link_trouble(&error, &missing),
        Outcome::Lost(why) => missing(
            format!("connected to {master}, and lost it before the answer: {why}"),
            "does that port want TLS, or is a proxy between?",
        ),
        Outcome::NotAMaster(error) => missing(
            format!("{master} answers, but not as a master: {error}"),
            "compare host and port with what the owner of the master sent you",
        ),
        Outcome::Silent => missing(
            format!(
                "connected to {master}, which says nothing within {} s",
                LIMIT.as_secs()
            ),
            "does that port want TLS? A master speaks first",
        ),
    }
}

fn link_trouble(error: &LinkError, missing: &dyn Fn(String, &str) -> Check) -> Check {
    match error {
        LinkError::UnknownHost { .. } => missing(
            format!("name look-up: {error}"),
            "check the host's spelling, and /etc/resolv.conf",
        ),
        LinkError::Connect { error: cause, .. } => match cause.kind() {
            io::ErrorKind::ConnectionRefused => missing(
                format!("refused: {error}"),
                "is the port right, and is the master running?",
            ),
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => missing(
                format!("no route: {error}"),
                "is this machine's network up?",
            ),
            _ => missing(
                error.to_string(),
                "try again, then ask whoever runs the network",
            ),
        },
        LinkError::Timeout { .. } => missing(
            format!("no answer: {error}"),
            "ask whoever runs the firewall to let this machine out",
        ),
    }
}
