//! What a worker calls at the master: updates, transfers, its own wishes (PROTOCOL 4.7).

use super::{CommandNumber, Object, ServeError, ServeEvent, Served, Serving, updates};
use crate::calls::{ReplyTo, Transfer};
use crate::wire::banana::STRING_LIMIT;
use crate::wire::jelly::Value;

/// A call of the worker.
pub(super) struct Call {
    pub request: i64,
    pub wanted: bool,
    pub method: String,
    pub arguments: Vec<Value>,
    /// The worker's objects in the arguments.
    pub references: Vec<i64>,
}

impl Serving {
    pub(super) fn object_called(&mut self, object: Object, call: Call) -> Result<(), ServeError> {
        match object {
            Object::Challenger => return self.respond(call),
            Object::Avatar => self.avatar_called(&call),
            Object::Command(command) => self.command_called(command, call),
            Object::Peer(command) => self.peer_called(command, call),
        }
        Ok(())
    }

    pub(super) fn avatar_called(&mut self, call: &Call) {
        let event = match call.method.as_str() {
            "keepalive" => ServeEvent::Keepalive,
            "shutdown" => ServeEvent::ShutdownWanted,
            method => return self.unknown_method(call.request, call.wanted, method),
        };
        self.events.push_back(event);
        self.answer(call.request, call.wanted, |out| out.none());
    }

    pub(super) fn command_called(&mut self, command: CommandNumber, call: Call) {
        let Call {
            request,
            wanted,
            method,
            arguments,
            references,
        } = call;
        self.release(&references);
        match method.as_str() {
            "update" => match updates::read(arguments) {
                Ok(updates) => {
                    if self.running.contains(&command) {
                        let event = ServeEvent::Updates { command, updates };
                        self.events.push_back(event);
                    } else {
                        self.complain(format!(
                            "it sent updates of command {command} after its end"
                        ));
                    }
                    self.answer(request, wanted, |out| out.int(0));
                }
                Err(what) => {
                    self.refuse(request, wanted, "builtins.ValueError", &what);
                    self.complain(format!("it sent {what}"));
                }
            },
            "complete" => {
                let failure = match arguments.into_iter().next() {
                    None | Some(Value::None) => None,
                    Some(Value::Failure(failure)) => Some(failure.to_string()),
                    Some(other) => {
                        Some(other.into_text().unwrap_or_else(|other| other.to_string()))
                    }
                };
                self.ended(command, failure);
                self.answer(request, wanted, |out| out.none());
            }
            method => self.unknown_method(request, wanted, method),
        }
    }

    pub(super) fn peer_called(&mut self, command: CommandNumber, call: Call) {
        let Call {
            request,
            wanted,
            method,
            arguments,
            references,
        } = call;
        self.release(&references);
        let mut arguments = arguments.into_iter();
        let transfer = match (method.as_str(), arguments.next()) {
            ("write", Some(Value::Bytes(bytes))) => Transfer::Write(bytes),
            // What is written as text is written in UTF-8.
            ("write", Some(Value::Text(text))) => Transfer::Write(text.into_bytes()),
            ("read", Some(Value::Int(length))) => {
                let length = usize::try_from(length).unwrap_or_default();
                Transfer::Read(length.min(STRING_LIMIT))
            }
            ("close", None) => Transfer::Close,
            ("unpack", None) => Transfer::Unpack,
            ("utime", Some(Value::Tuple(times) | Value::List(times))) => match times.as_slice() {
                [accessed, modified] => Transfer::SetTimes(seconds(accessed), seconds(modified)),
                _ => return self.unfit_call(request, wanted, &method),
            },
            ("write" | "read" | "close" | "unpack" | "utime", _) => {
                return self.unfit_call(request, wanted, &method);
            }
            (_, _) => return self.unknown_method(request, wanted, &method),
        };
        let read = matches!(transfer, Transfer::Read(_));
        self.served.insert(request, Served { wanted, read });
        let reply = ReplyTo(request);
        self.events.push_back(ServeEvent::Transfer {
            command,
            reply,
            transfer,
        });
    }

    pub(super) fn unfit_call(&mut self, request: i64, wanted: bool, method: &str) {
        let text = format!("remote_{method}() was called with the wrong arguments");
        self.refuse(request, wanted, "builtins.TypeError", &text);
        self.complain(format!("it called {method} with the wrong arguments"));
    }

    pub(super) fn unknown_method(&mut self, request: i64, wanted: bool, method: &str) {
        let text = format!("No such method: remote_{method:.64}");
        self.refuse(
            request,
            wanted,
            "twisted.spread.flavors.NoSuchMethod",
            &text,
        );
        self.complain(format!(
            "it called the method {method:.64}, which is not there"
        ));
    }
}

fn seconds(value: &Value) -> f64 {
    match value {
        Value::Float(seconds) => *seconds,
        Value::Int(seconds) => *seconds as f64,
        // A file that could not be opened has no times (PROTOCOL 6.10).
        _ => 0.0,
    }
}
