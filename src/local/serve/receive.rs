//! What a worker sends: its login, its answers, and its calls (PROTOCOL 3.1).

use super::calls::Call;
use super::{Asked, CommandNumber, Object, Phase, ServeError, ServeEvent, Serving};
use crate::wire::banana::Item;
use crate::wire::jelly::{JellyError, Value, unjelly};

impl Serving {
    pub(super) fn expression(&mut self, item: Item) -> Result<(), ServeError> {
        match self.phase {
            Phase::Dialect => self.dialect(item),
            Phase::Version => self.version(item),
            Phase::Login
            | Phase::Challenged
            | Phase::Attaching { .. }
            | Phase::In
            | Phase::Refused => match item {
                Item::List(items) => self.message(items),
                other => Err(self.unexpected("a message", other.to_string())),
            },
        }
    }

    fn message(&mut self, items: Vec<Item>) -> Result<(), ServeError> {
        let word = match items.first() {
            Some(Item::Bytes(word)) => word.clone(),
            Some(_) | None => {
                return Err(self.unexpected("a message", Item::List(items).to_string()));
            }
        };
        match (word.as_slice(), <[Item; 7]>::try_from(items)) {
            (b"message", Ok([_, request, object, method, wanted, arguments, keywords])) => {
                self.called(request, object, method, wanted, arguments, keywords)
            }
            (b"answer" | b"error", Err(items)) => {
                let [_, Item::Int(request), value] = <[Item; 3]>::try_from(items)
                    .map_err(|items| self.malformed("an answer", items))?
                else {
                    return Err(self.malformed("an answer", Vec::new()));
                };
                self.answered(request, value, word == b"error")
            }
            (b"decref", Err(items)) => match items.as_slice() {
                [_, Item::Int(luid)] => {
                    self.released(*luid);
                    Ok(())
                }
                _ => Err(self.malformed("a decref", items)),
            },
            (_, Ok(items)) => Err(self.malformed("a message", Vec::from(items))),
            (_, Err(items)) => Err(self.malformed("a message", items)),
        }
    }

    /// The worker holds an object no more.
    fn released(&mut self, luid: i64) {
        match self.objects.remove(&luid) {
            None => self.complain(format!("it gave back object {luid}, which it did not hold")),
            // Python's worker does so after the end; before it, nobody could tell us of the end.
            Some(Object::Command(command)) => {
                let why = "the worker let go of the command before its end";
                self.ended(command, Some(why.to_owned()));
            }
            Some(Object::Challenger | Object::Avatar | Object::Peer(_)) => {}
        }
    }

    /// A command is over; what comes for it later is not for anybody.
    pub(super) fn ended(&mut self, command: CommandNumber, failure: Option<String>) {
        if self.running.remove(&command) {
            let event = ServeEvent::Completed { command, failure };
            self.events.push_back(event);
        }
    }

    fn called(
        &mut self,
        request: Item,
        object: Item,
        method: Item,
        wanted: Item,
        arguments: Item,
        keywords: Item,
    ) -> Result<(), ServeError> {
        let (Item::Int(request), Item::Bytes(method), Item::Int(wanted)) =
            (request, method, wanted)
        else {
            return Err(self.malformed("a call", Vec::new()));
        };
        if self.served.contains_key(&request) {
            return Err(ServeError::RepeatedRequest(request));
        }
        let mut references = Vec::new();
        let mut arguments = match self.value(unjelly(arguments, &mut references))? {
            Value::Tuple(arguments) | Value::List(arguments) => arguments,
            other => return Err(self.unexpected("arguments", other.to_string())),
        };
        // Twisted would name them; no worker sends any, so the order says enough.
        if let Value::Dict(pairs) = self.value(unjelly(keywords, &mut references))? {
            arguments.extend(pairs.into_iter().map(|(_, value)| value));
        }
        let call = Call {
            request,
            wanted: wanted != 0,
            method: String::from_utf8_lossy(&method).into_owned(),
            arguments,
            references,
        };
        match object {
            Item::Bytes(name) if name == b"root" => self.login(call),
            Item::Int(luid) => match self.objects.get(&luid).copied() {
                Some(object) => self.object_called(object, call),
                None => {
                    self.refuse(
                        call.request,
                        call.wanted,
                        "twisted.spread.pb.Error",
                        "Invalid Object ID",
                    );
                    self.complain(format!("it called object {luid}, which it does not hold"));
                    self.release(&call.references);
                    Ok(())
                }
            },
            other => Err(self.unexpected("an object", other.to_string())),
        }
    }

    fn answered(&mut self, request: i64, item: Item, failed: bool) -> Result<(), ServeError> {
        let asked = self
            .asked
            .remove(&request)
            .ok_or(ServeError::UnknownRequest(request))?;
        let mut references = Vec::new();
        let value = self.value(unjelly(item, &mut references))?;
        if failed {
            let why = match value {
                Value::Failure(failure) => failure.to_string(),
                other => other.into_text().unwrap_or_else(|other| other.to_string()),
            };
            self.release(&references);
            self.call_failed(asked, why);
            return Ok(());
        }
        match asked {
            Asked::Greeting => self.simple_call(self.bot, "getWorkerInfo", Asked::Facts),
            Asked::Facts => self.told_facts(value),
            Asked::Builders => return self.got_builders(value),
            Asked::BuilderGreeting => self.greeted(),
            Asked::Start(_) | Asked::Courtesy(_) => {}
            Asked::Interrupt(command) => {
                self.events
                    .push_back(ServeEvent::InterruptTaken { command });
            }
            Asked::Shutdown => self.events.push_back(ServeEvent::ShutdownTaken),
        }
        self.release(&references);
        Ok(())
    }

    pub(super) fn call_failed(&mut self, asked: Asked, why: String) {
        match asked {
            Asked::Greeting | Asked::Facts | Asked::Builders | Asked::BuilderGreeting => {
                if let Phase::Attaching { respond, .. } = self.phase {
                    self.refuse(respond, true, "builtins.RuntimeError", &why);
                }
                self.phase = Phase::Refused;
                self.events.push_back(ServeEvent::NotAttached { why });
            }
            Asked::Start(command) => {
                if self.running.remove(&command) {
                    let failure = why;
                    self.events
                        .push_back(ServeEvent::NotStarted { command, failure });
                }
            }
            Asked::Interrupt(command) => {
                self.complain(format!(
                    "it refused the interrupt of command {command}: {why}"
                ));
            }
            Asked::Shutdown => self.complain(format!("it refused to stop: {why}")),
            Asked::Courtesy(what) => self.complain(format!("it refused {what}: {why}")),
        }
    }

    pub(super) fn value(&self, value: Result<Value, JellyError>) -> Result<Value, ServeError> {
        value.map_err(|error| ServeError::Value {
            phase: self.phase.name(),
            error,
        })
    }

    pub(super) fn unexpected(&self, expected: &'static str, got: String) -> ServeError {
        ServeError::Unexpected {
            phase: self.phase.name(),
            expected,
            got,
        }
    }

    pub(super) fn malformed(&self, what: &'static str, items: Vec<Item>) -> ServeError {
        self.unexpected(what, Item::List(items).to_string())
    }
}
