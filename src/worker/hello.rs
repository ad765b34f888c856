//! How a conversation with a master begins, as the settings say.

use crate::basedir::{Protocol, Settings};
use crate::calls::StepId;
use crate::link::Endpoint;
use crate::session::Session;
use crate::session::msgpack::{Greeting, MsgpackSession};
use crate::session::pb::{Login, PbSession};

/// The path of the URL, unless the settings say otherwise (PROTOCOL 5.1).
const PATH: &str = "/";

/// A session for a connection that has just been made along this way.
pub fn session(settings: &Settings, endpoint: &Endpoint, first_step: StepId) -> Session {
    let name = settings.name.clone();
    let password = settings.password.expose().to_owned();
    match settings.protocol {
        Protocol::Pb => PbSession::new(Login { name, password }, first_step).into(),
        Protocol::MsgpackV7 => {
            let greeting = Greeting {
                host: endpoint.master.to_string(),
                path: settings.path.clone().unwrap_or_else(|| PATH.to_owned()),
                agent: concat!("coracle/", env!("CARGO_PKG_VERSION")).to_owned(),
                name,
                password,
            };
            // Masks keep a proxy from taking bytes that others chose for a request (RFC 6455
            // section 10.3). They protect nothing of ours, so a fast generator that the system has
            // seeded is enough.
            let random = Box::new(|| fastrand::u32(..));
            MsgpackSession::new(greeting, random, first_step).into()
        }
    }
}
