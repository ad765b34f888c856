//! Dialect, version, login, and what a master asks of a worker that it lets in (PROTOCOL 1.4, 3.6, 4.10).

use super::calls::Call;
use super::{Asked, Object, Phase, ServeError, ServeEvent, Serving};
use crate::calls::Fact;
use crate::session::pb::password_proof;
use crate::wire::banana::{Item, encode};
use crate::wire::jelly::Value;

/// The version of Perspective Broker (PROTOCOL 3.1).
const VERSION: i64 = 6;

impl Serving {
    pub(super) fn dialect(&mut self, item: Item) -> Result<(), ServeError> {
        if item != Item::Bytes(b"pb".to_vec()) {
            return Err(self.unexpected("the dialect 'pb'", item.to_string()));
        }
        self.decoder.allow_words();
        self.phase = Phase::Version;
        let written = encode(&mut self.out, |out| {
            out.list(2);
            out.bytes(b"version");
            out.int(VERSION);
        });
        debug_assert!(written.is_ok(), "two short elements exceed no limit");
        Ok(())
    }

    pub(super) fn version(&mut self, item: Item) -> Result<(), ServeError> {
        let version = [Item::Bytes(b"version".to_vec()), Item::Int(VERSION)];
        if matches!(&item, Item::List(items) if *items == version) {
            self.phase = Phase::Login;
            return Ok(());
        }
        Err(self.unexpected("version 6 of Perspective Broker", item.to_string()))
    }

    pub(super) fn login(&mut self, call: Call) -> Result<(), ServeError> {
        let Call {
            request,
            wanted,
            method,
            arguments,
            ..
        } = call;
        if method != "login" || self.phase != Phase::Login {
            self.unknown_method(request, wanted, &method);
            return Ok(());
        }
        let name = match <[Value; 1]>::try_from(arguments) {
            Ok([name]) => name.into_text().unwrap_or_else(|other| other.to_string()),
            Err(_) => return Err(self.malformed("a login", Vec::new())),
        };
        // As a real master does it: an unknown name is challenged too (PROTOCOL 3.6).
        self.phase = Phase::Challenged;
        if name != self.account.name {
            self.account.password.clear();
            self.account.name = name;
        }
        let challenger = self.lend(Object::Challenger);
        let challenge = self.account.challenge.clone();
        self.answer(request, wanted, |out| {
            out.tuple_of(2);
            out.bytes(&challenge);
            out.remote(challenger);
        });
        Ok(())
    }

    /// The worker proves that it knows the password.
    pub(super) fn respond(&mut self, call: Call) -> Result<(), ServeError> {
        let Call {
            request,
            wanted,
            method,
            arguments,
            references,
        } = call;
        if method != "respond" || self.phase != Phase::Challenged {
            self.unknown_method(request, wanted, &method);
            return Ok(());
        }
        let [Value::Bytes(response), Value::Remote(bot)] = arguments.as_slice() else {
            return Err(self.malformed("a response", Vec::new()));
        };
        let account = &self.account;
        let known = !account.password.is_empty();
        if !known || *response != password_proof(&account.password, &account.challenge) {
            let name = account.name.clone();
            self.phase = Phase::Refused;
            self.refuse(request, wanted, "twisted.cred.error.UnauthorizedLogin", "");
            self.release(&references);
            self.events.push_back(ServeEvent::LoginRefused { name });
            return Ok(());
        }
        self.bot = *bot;
        self.phase = Phase::Attaching {
            respond: request,
            greetings: 0,
        };
        self.print("attached", Asked::Greeting);
        Ok(())
    }

    pub(super) fn told_facts(&mut self, value: Value) {
        let pairs = match value {
            Value::Dict(pairs) => pairs,
            other => {
                self.complain(format!("it described itself with {other}"));
                Vec::new()
            }
        };
        self.facts = pairs
            .into_iter()
            .filter_map(|(key, value)| Some((key.into_text().ok()?, fact(value)?)))
            .collect();
        let wanted: Vec<Value> = self
            .account
            .builders
            .iter()
            .map(|(name, directory)| {
                Value::Tuple(vec![
                    Value::Text(name.clone()),
                    Value::Text(directory.clone()),
                ])
            })
            .collect();
        let wanted = Value::List(wanted);
        let sent = self.call(self.bot, "setBuilderList", Asked::Builders, |out| {
            out.tuple_of(1);
            out.value(&wanted);
        });
        if let Err(error) = sent {
            self.call_failed(Asked::Builders, format!("the builders are {error}"));
        }
    }

    pub(super) fn got_builders(&mut self, value: Value) -> Result<(), ServeError> {
        let Value::Dict(pairs) = value else {
            return Err(self.unexpected("builders", value.to_string()));
        };
        for (name, reference) in pairs {
            match (name.into_text(), reference) {
                (Ok(name), Value::Remote(luid)) => {
                    self.builders.insert(name, luid);
                }
                (_, other) => return Err(self.unexpected("a builder", other.to_string())),
            }
        }
        let missing = self
            .account
            .builders
            .iter()
            .find(|(name, _)| !self.builders.contains_key(name));
        if let Some((name, _)) = missing {
            let why = format!("the worker does not have the builder '{name}'");
            self.call_failed(Asked::Builders, why);
            return Ok(());
        }
        // Once for each, on the same object (PROTOCOL 4.2).
        let greetings = self.builders.len();
        if let Phase::Attaching { respond, .. } = self.phase {
            self.phase = Phase::Attaching { respond, greetings };
        }
        for _ in 0..greetings {
            self.print("attached", Asked::BuilderGreeting);
        }
        if greetings == 0 {
            self.greeted();
        }
        Ok(())
    }

    /// One more builder has answered; after the last one the login is answered.
    pub(super) fn greeted(&mut self) {
        let Phase::Attaching { respond, greetings } = self.phase else {
            return;
        };
        if greetings > 1 {
            let greetings = greetings - 1;
            self.phase = Phase::Attaching { respond, greetings };
            return;
        }
        self.phase = Phase::In;
        let avatar = self.lend(Object::Avatar);
        self.answer(respond, true, |out| out.remote(avatar));
        let facts = std::mem::take(&mut self.facts);
        self.events.push_back(ServeEvent::Attached { facts });
    }
}

fn fact(value: Value) -> Option<Fact> {
    Some(match value {
        Value::Int(number) => Fact::Int(number),
        Value::Bool(yes) => Fact::Bool(yes),
        Value::Dict(pairs) => Fact::Map(
            pairs
                .into_iter()
                .filter_map(|(key, value)| Some((key.into_text().ok()?, value.into_text().ok()?)))
                .collect(),
        ),
        other => Fact::Text(other.into_text().ok()?),
    })
}
