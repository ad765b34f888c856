//! What the master's bytes mean (PROTOCOL 5.1, 5.2).

use super::{ATTACHED, Asked, Attachment, KEEPALIVE, MsgpackSession, Phase};
use crate::calls::{NOTHING_READ, TransferReply};
use crate::session::{Event, ProtocolError};
use crate::wire::jelly::Value;
use crate::wire::msgpack::decode;
use crate::wire::websocket::handshake::Refusal;
use crate::wire::websocket::{Frame, Message, Receiver};

/// A message of the master, its keys sorted out.
pub(super) struct Request {
    /// What is asked.
    pub(super) op: String,
    /// The master's number for it.
    pub(super) number: i64,
    /// The other keys.
    pub(super) fields: Vec<(String, Value)>,
}

impl Request {
    /// Takes a field.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let index = self.fields.iter().rposition(|(other, _)| other == name)?;
        Some(self.fields.swap_remove(index).1)
    }
}

impl MsgpackSession {
    pub(super) fn received(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        match &mut self.phase {
            Phase::Handshake { .. } => self.shake_hands(bytes),
            Phase::Open(receiver) => {
                receiver.feed(bytes);
                self.listen()
            }
            Phase::Over => Ok(()),
        }
    }

    fn shake_hands(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        let Phase::Handshake { request, answer } = &mut self.phase else {
            return Ok(());
        };
        answer.extend_from_slice(bytes);
        match request.answer(answer) {
            Ok(None) => Ok(()),
            Ok(Some(length)) => {
                let mut receiver = Receiver::new();
                receiver.feed(&answer[length..]);
                self.phase = Phase::Open(Box::new(receiver));
                self.events.push_back(Event::LoggedIn);
                self.listen()
            }
            Err(Refusal::Status {
                code,
                reason,
                location,
            }) => {
                self.phase = Phase::Over;
                let unauthorized = code == 401;
                let refusal = Refusal::Status {
                    code,
                    reason,
                    location,
                };
                let hint = match code {
                    401 => "",
                    200..=399 | 404 => {
                        "; is this the master's port for msgpack_experimental_v7, and is `path` right?"
                    }
                    _ => "",
                };
                self.events.push_back(Event::LoginRefused {
                    unauthorized,
                    message: format!("{refusal}{hint}"),
                });
                Ok(())
            }
            Err(refusal) => Err(ProtocolError::Handshake(refusal)),
        }
    }

    /// Takes all messages that are complete.
    fn listen(&mut self) -> Result<(), ProtocolError> {
        while let Phase::Open(receiver) = &mut self.phase {
            match receiver.next_message() {
                Ok(Some(message)) => self.message(message)?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(ProtocolError::WebSocket(error)),
            }
        }
        Ok(())
    }

    fn message(&mut self, message: Message) -> Result<(), ProtocolError> {
        match message {
            Message::Binary(bytes) => {
                let value = decode(&bytes).map_err(ProtocolError::Msgpack)?;
                self.value(value);
            }
            Message::Text(length) => self.refused(format!(
                "a text message of {length} bytes: the master's messages are binary"
            )),
            Message::Ping(payload) => self.send(Frame::Pong(&payload)),
            Message::Pong(payload) if payload == KEEPALIVE => {
                self.events.push_back(Event::KeepaliveAnswered);
            }
            Message::Pong(payload) if payload == ATTACHED => self.maybe_attached(),
            // Nobody has asked.
            Message::Pong(_) => {}
            Message::Close { code, reason } => {
                self.say_goodbye();
                return Err(ProtocolError::Closed { code, reason });
            }
        }
        Ok(())
    }

    fn value(&mut self, value: Value) {
        let Some(request) = sorted(value) else {
            return self.refused("a message that is no map with op and seq_number".to_owned());
        };
        if request.op == "response" {
            self.response(request);
        } else {
            self.request(request);
        }
    }

    fn response(&mut self, mut response: Request) {
        let Some(asked) = self.asked.remove(&response.number) else {
            return self.refused(format!(
                "a response to request {}, which is not waiting for one",
                response.number
            ));
        };
        let result = response.take("result").unwrap_or(Value::None);
        // That it is there is what counts (PROTOCOL 5.2).
        if response.take("is_exception").is_some() {
            let message = result.into_text().unwrap_or_else(|other| other.to_string());
            return self.failed(asked, message);
        }
        match asked {
            Asked::Update { step, cost } => {
                self.events.push_back(Event::Acknowledged { step, cost });
            }
            Asked::Complete { step, internal } => {
                self.events.push_back(Event::Completed { step });
                self.arranged(internal);
            }
            Asked::Transfer { step, tag, read } => {
                let reply = if read {
                    bytes_read(result)
                } else {
                    Ok(Vec::new())
                };
                self.events.push_back(Event::Replied { step, tag, reply });
            }
        }
    }

    fn failed(&mut self, asked: Asked, message: String) {
        match asked {
            Asked::Update { step, cost } => {
                self.remote_failure(format!("updates of step {}", step.0), message);
                self.events.push_back(Event::Acknowledged { step, cost });
            }
            Asked::Complete { step, internal } => {
                self.remote_failure(format!("the end of step {}", step.0), message);
                self.events.push_back(Event::Completed { step });
                self.arranged(internal);
            }
            Asked::Transfer { step, tag, .. } => self.events.push_back(Event::Replied {
                step,
                tag,
                reply: Err(message),
            }),
        }
    }

    /// The master knows that a command is over. It does not say when it has attached us, and if it has
    /// no builders for us, this is the last that we hear. So we ask whether it has more for us to do:
    /// its answer to a ping comes behind everything that it has begun meanwhile.
    fn arranged(&mut self, internal: bool) {
        if internal && self.attachment == Attachment::Arranging {
            self.ping(ATTACHED);
        }
    }

    /// The master is done if no command of its own is under way.
    pub(super) fn maybe_attached(&mut self) {
        let busy = self.steps.values().any(|begun| begun.internal);
        if self.attachment == Attachment::Arranging && !busy {
            self.attached();
        }
    }

    pub(super) fn attached(&mut self) {
        if self.attachment != Attachment::Done {
            self.attachment = Attachment::Done;
            self.events.push_back(Event::Attached);
        }
    }

    pub(super) fn refused(&mut self, what: String) {
        self.events.push_back(Event::Refused { what });
    }

    fn remote_failure(&mut self, what: String, message: String) {
        self.events
            .push_back(Event::RemoteFailure { what, message });
    }
}

/// A map with an `op` and a `seq_number`.
fn sorted(value: Value) -> Option<Request> {
    let Value::Dict(pairs) = value else {
        return None;
    };
    let mut request = Request {
        op: String::new(),
        number: 0,
        fields: Vec::with_capacity(pairs.len()),
    };
    for (key, value) in pairs {
        // Keys that are no texts mean nothing.
        if let Ok(key) = key.into_text() {
            request.fields.push((key, value));
        }
    }
    request.op = request.take("op")?.into_text().ok()?;
    request.number = match request.take("seq_number")? {
        Value::Int(number) => number,
        _ => return None,
    };
    Some(request)
}

/// What a reader has read. Nothing at all must not pass for the end of the file.
fn bytes_read(value: Value) -> TransferReply {
    match value {
        Value::Bytes(bytes) => Ok(bytes),
        Value::Text(text) => Ok(text.into_bytes()),
        Value::None => Err(NOTHING_READ.to_owned()),
        other => Err(format!("the master's file reader replied with {other}")),
    }
}
