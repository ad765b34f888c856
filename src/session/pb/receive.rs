//! What the master's expressions mean (PROTOCOL 1.4, 3.1).

use super::failure::UNAUTHORIZED;
use super::objects::Object;
use super::proof::password_proof;
use super::{Asked, Event, PbSession, Phase, Target};
use crate::calls::TransferReply;
use crate::session::ProtocolError;
use crate::wire::banana::{BananaError, Item, encode};
use crate::wire::jelly::{JellyError, Value, unjelly};

/// The version of Perspective Broker, ours and every master's.
const VERSION: i64 = 6;

type Items = std::vec::IntoIter<Item>;

impl PbSession {
    pub(super) fn expression(&mut self, expression: Item) -> Result<(), ProtocolError> {
        match self.phase {
            Phase::Offer => self.offer(expression),
            Phase::Version => match expression {
                Item::List(items) if head(&items) == Some(b"version".as_slice()) => {
                    self.version(items)?;
                    self.phase = Phase::Open;
                    Ok(())
                }
                other => Err(self.unexpected("its version", other.to_string())),
            },
            Phase::Open | Phase::In { .. } => self.broker(expression),
        }
    }

    /// Chooses the dialect, and logs in at once (PROTOCOL 1.4).
    fn offer(&mut self, expression: Item) -> Result<(), ProtocolError> {
        let Item::List(items) = expression else {
            return Err(self.unexpected("a list of dialects", expression.to_string()));
        };
        if !items.contains(&Item::Bytes(b"pb".to_vec())) {
            let offered = items.iter().map(dialect_name).collect();
            return Err(ProtocolError::NoDialect { offered });
        }
        let sent = encode(&mut self.out, |out| {
            out.plain_bytes(b"pb");
            out.list(2);
            out.bytes(b"version");
            out.int(VERSION);
        });
        sent.map_err(|error| unsendable("version", error))?;
        self.decoder.allow_words();
        self.phase = Phase::Version;
        let name = self.login.name.clone();
        self.call(Target::Root, "login", Asked::Login, |out| {
            out.tuple_of(1);
            // Raw, not as a text (PROTOCOL 2.3).
            out.bytes(name.as_bytes());
        })
        .map_err(|error| unsendable("worker's name", error))
    }

    fn version(&self, items: Vec<Item>) -> Result<(), ProtocolError> {
        match items.get(1) {
            Some(Item::Int(VERSION)) => Ok(()),
            Some(Item::Int(got)) => Err(ProtocolError::Version { got: *got }),
            _ => Err(self.unexpected("a version", Item::List(items).to_string())),
        }
    }

    fn broker(&mut self, expression: Item) -> Result<(), ProtocolError> {
        let Item::List(items) = expression else {
            return Err(self.unexpected("a message", expression.to_string()));
        };
        match head(&items) {
            Some(b"message") => self.message(items),
            Some(b"answer") => {
                let (request, item) = self.reply_fields(items)?;
                self.answered(request, item)
            }
            Some(b"error") => {
                let (request, item) = self.reply_fields(items)?;
                self.failed(request, item)
            }
            Some(b"decref") => self.decref(items),
            Some(b"version") => self.version(items),
            // A master of Python 2 says so; the others lose the connection over it.
            Some(b"didNotUnderstand") => {
                self.events.push_back(Event::RemoteFailure {
                    what: "a message of ours".to_owned(),
                    message: "the master did not understand it".to_owned(),
                });
                Ok(())
            }
            // Cacheable objects are no business of a worker, and anything else is unknown.
            Some(_) | None => {
                let got = Item::List(items).to_string();
                Err(self.unexpected("a call, an answer or a release", got))
            }
        }
    }

    fn decref(&mut self, items: Vec<Item>) -> Result<(), ProtocolError> {
        let [_, Item::Int(luid)] = items.as_slice() else {
            return Err(self.unexpected("an object's number", Item::List(items).to_string()));
        };
        if !self.objects.take_back(*luid) {
            self.events.push_back(Event::Refused {
                what: format!("release of object {luid}: the master does not hold it"),
            });
        }
        Ok(())
    }

    fn reply_fields(&self, items: Vec<Item>) -> Result<(i64, Item), ProtocolError> {
        let mut fields: Items = items.into_iter();
        fields.next();
        match (fields.next(), fields.next(), fields.next()) {
            (Some(Item::Int(request)), Some(item), None) => Ok((request, item)),
            (_, _, _) => Err(self.unexpected(
                "the number of a call and a value",
                "an answer without them".to_owned(),
            )),
        }
    }

    fn asked(&mut self, request: i64) -> Result<Asked, ProtocolError> {
        self.asked
            .remove(&request)
            .ok_or(ProtocolError::UnknownRequest { request })
    }

    /// A call of ours was answered.
    fn answered(&mut self, request: i64, item: Item) -> Result<(), ProtocolError> {
        let asked = self.asked(request)?;
        let mut remotes = Vec::new();
        let value = unjelly(item, &mut remotes);
        match asked {
            Asked::Login => {
                let value = self.needed(value)?;
                self.respond(value)?;
            }
            Asked::Respond => {
                // What comes is kept, for keepalives and the like.
                return match self.needed(value)? {
                    Value::Remote(avatar) => {
                        self.phase = Phase::In { avatar };
                        self.events.push_back(Event::LoggedIn);
                        Ok(())
                    }
                    other => Err(self.unexpected("the master's object", other.to_string())),
                };
            }
            Asked::Update { step, cost } => {
                self.events.push_back(Event::Acknowledged { step, cost });
            }
            Asked::Complete { step } => self.events.push_back(Event::Completed { step }),
            Asked::Keepalive => self.events.push_back(Event::KeepaliveAnswered),
            Asked::Shutdown => self
                .events
                .push_back(Event::ShutdownAsked { answer: Ok(()) }),
            Asked::Transfer { step, tag, read } => {
                let reply = if read {
                    bytes_read(value)
                } else {
                    Ok(Vec::new())
                };
                self.events.push_back(Event::Replied { step, tag, reply });
            }
        }
        self.release(&remotes);
        Ok(())
    }

    fn needed(&self, value: Result<Value, JellyError>) -> Result<Value, ProtocolError> {
        value.map_err(|error| ProtocolError::Value {
            phase: self.phase.name(),
            error,
        })
    }

    /// Proves that we know the password (PROTOCOL 3.6).
    fn respond(&mut self, value: Value) -> Result<(), ProtocolError> {
        let parts = match value {
            Value::Tuple(parts) | Value::List(parts) => parts,
            other => return Err(self.unexpected("a challenge", other.to_string())),
        };
        let [Value::Bytes(challenge), Value::Remote(challenger)] = parts.as_slice() else {
            let got = Value::Tuple(parts).to_string();
            return Err(self.unexpected("a challenge and a challenger", got));
        };
        let response = password_proof(&self.login.password, challenge);
        // The first object of all: never too many.
        let bot = self.objects.lend(Object::Bot).unwrap_or_default();
        self.call(
            Target::Luid(*challenger),
            "respond",
            Asked::Respond,
            |out| {
                out.tuple_of(2);
                out.bytes(&response);
                out.remote(bot);
            },
        )
        .map_err(|error| unsendable("response", error))
    }

    /// A call of ours failed.
    fn failed(&mut self, request: i64, item: Item) -> Result<(), ProtocolError> {
        let asked = self.asked(request)?;
        let mut remotes = Vec::new();
        let (unauthorized, message) = match unjelly(item, &mut remotes) {
            Ok(Value::Failure(failure)) => (failure.is_a(UNAUTHORIZED), failure.to_string()),
            Ok(value) => {
                let message = value.into_text().unwrap_or_else(|other| other.to_string());
                (false, message)
            }
            Err(error) => (false, format!("an error that cannot be read: {error}")),
        };
        self.release(&remotes);
        match asked {
            Asked::Login | Asked::Respond => self.events.push_back(Event::LoginRefused {
                unauthorized,
                message,
            }),
            Asked::Update { step, cost } => {
                self.remote_failure(format!("updates of step {}", step.0), message);
                self.events.push_back(Event::Acknowledged { step, cost });
            }
            Asked::Complete { step } => {
                self.remote_failure(format!("the end of step {}", step.0), message);
                self.events.push_back(Event::Completed { step });
            }
            Asked::Transfer { step, tag, .. } => self.events.push_back(Event::Replied {
                step,
                tag,
                reply: Err(message),
            }),
            Asked::Keepalive => self.remote_failure("a keepalive".to_owned(), message),
            Asked::Shutdown => self.events.push_back(Event::ShutdownAsked {
                answer: Err(message),
            }),
        }
        Ok(())
    }

    fn remote_failure(&mut self, what: String, message: String) {
        self.events
            .push_back(Event::RemoteFailure { what, message });
    }

    pub(super) fn unexpected(&self, expected: &'static str, got: String) -> ProtocolError {
        ProtocolError::Unexpected {
            phase: self.phase.name(),
            expected,
            got,
        }
    }
}

/// What a reader has read. Anything but bytes must not pass for the end of the file.
fn bytes_read(value: Result<Value, JellyError>) -> TransferReply {
    match value {
        Ok(Value::Bytes(bytes)) => Ok(bytes),
        Ok(Value::Text(text)) => Ok(text.into_bytes()),
        Ok(other) => Err(format!("the master's file reader replied with {other}")),
        Err(error) => Err(format!("the master's file reader replied with {error}")),
    }
}

/// The word at the head of a message.
fn head(items: &[Item]) -> Option<&[u8]> {
    match items.first() {
        Some(Item::Bytes(word)) => Some(word),
        Some(Item::Int(_) | Item::Float(_) | Item::List(_)) | None => None,
    }
}

/// A dialect for an error.
fn dialect_name(item: &Item) -> String {
    match item {
        Item::Bytes(name) => name[..name.len().min(32)].escape_ascii().to_string(),
        Item::Int(_) | Item::Float(_) | Item::List(_) => item.to_string(),
    }
}

fn unsendable(what: &'static str, error: BananaError) -> ProtocolError {
    ProtocolError::Unsendable { what, error }
}
