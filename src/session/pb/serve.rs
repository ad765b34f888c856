//! What the master calls, and how it is answered (PROTOCOL 4.2, 4.5, 4.6).

use std::collections::BTreeSet;

use super::failure::exception;
use super::objects::{OBJECT_LIMIT, Object};
use super::parameters::Parameters;
use super::{Event, Lent, PbSession, Served};
use crate::calls::{
    Answer, BuilderName, CommandId, Fact, Failure, FailureKind, MasterCall, ReplyTo, StepId,
};
use crate::session::ProtocolError;
use crate::session::arguments::{self, Dialect};
use crate::wire::banana::{Item, STRING_LIMIT, Writer, encode};
use crate::wire::jelly::{Value, unjelly};

/// A call as it came.
struct Message {
    request: i64,
    object: Item,
    method: String,
    wanted: bool,
    args: Item,
    kwargs: Item,
}

/// What is done with a call.
enum Reaction {
    /// The worker answers it.
    Pass(MasterCall),
    /// The worker begins a step with it; what was lent is kept until the step is over.
    Begin(MasterCall, Lent),
    /// There is nothing to do.
    Done,
}

impl PbSession {
    pub(super) fn message(&mut self, items: Vec<Item>) -> Result<(), ProtocolError> {
        let Some(message) = Message::new(items) else {
            return Err(self.unexpected("a call", "a malformed call".to_owned()));
        };
        let (request, wanted) = (message.request, message.wanted);
        if self.served.contains_key(&request) {
            return Err(ProtocolError::RepeatedRequest { request });
        }
        let mut remotes = Vec::new();
        let method = message.method.clone();
        match self.reaction(message, &mut remotes) {
            Ok(Reaction::Pass(call)) => {
                self.served.insert(request, Served { wanted, step: None });
                self.events.push_back(Event::Call(call));
                self.release(&remotes);
            }
            Ok(Reaction::Begin(call, mut lent)) => {
                let step = self.next_step;
                self.next_step = StepId(step.0.wrapping_add(1));
                lent.references = remotes;
                self.steps.insert(step, lent);
                let step = Some(step);
                self.served.insert(request, Served { wanted, step });
                self.events.push_back(Event::Call(call));
            }
            Ok(Reaction::Done) => {
                if wanted {
                    self.write_answer(request, |out| out.none());
                }
                self.release(&remotes);
            }
            Err(failure) => {
                if wanted {
                    self.write_failure(request, &failure);
                }
                self.release(&remotes);
                self.refused(&method, &failure);
            }
        }
        Ok(())
    }

    /// For the log.
    fn refused(&mut self, method: &str, failure: &Failure) {
        self.events.push_back(Event::Refused {
            what: format!("{method:.64}: {}", failure.message),
        });
    }

    fn reaction(&mut self, message: Message, remotes: &mut Vec<i64>) -> Result<Reaction, Failure> {
        // Both are read before anything is refused, so that no reference is overlooked.
        let args = unjelly(message.args, remotes);
        let kwargs = unjelly(message.kwargs, remotes);
        let object = match &message.object {
            Item::Int(luid) => self.objects.get(*luid).cloned(),
            Item::Float(_) | Item::Bytes(_) | Item::List(_) => None,
        };
        let object = object.ok_or_else(|| Failure {
            kind: FailureKind::UnknownObject,
            message: "Invalid Object ID".to_owned(),
        })?;
        let unread = |error| Failure {
            kind: FailureKind::BadArgument,
            message: format!("remote_{}: the arguments hold {error}", message.method),
        };
        let parameters = Parameters::new(
            &message.method,
            args.map_err(unread)?,
            kwargs.map_err(unread)?,
        )?;
        let reply = ReplyTo(message.request);
        match object {
            Object::Bot => bot_call(reply, &message.method, parameters),
            Object::Builder(builder) => {
                self.builder_call(reply, builder, &message.method, parameters)
            }
        }
    }

    fn builder_call(
        &self,
        reply: ReplyTo,
        builder: BuilderName,
        method: &str,
        mut parameters: Parameters,
    ) -> Result<Reaction, Failure> {
        match method {
            "startBuild" => Ok(Reaction::Pass(MasterCall::StartBuild { reply, builder })),
            "startCommand" => self.start_command(reply, builder, parameters),
            "interruptCommand" => Ok(Reaction::Pass(MasterCall::InterruptCommand {
                reply,
                builder: Some(builder),
                id: CommandId(parameters.next_text(&["command_id", "stepId"])?),
                // An interrupt without a reason still has to be obeyed.
                reason: parameters
                    .next(&["why"])
                    .map_or_else(|_| String::new(), shown),
            })),
            "print" => print(reply, parameters),
            // Masters before 0.9 introduce themselves so; we have no use for their object.
            "setMaster" => Ok(Reaction::Done),
            _ => Err(unknown_method(method)),
        }
    }

    fn start_command(
        &self,
        reply: ReplyTo,
        builder: BuilderName,
        mut parameters: Parameters,
    ) -> Result<Reaction, Failure> {
        const REFERENCE: [&str; 2] = ["command_ref", "stepref"];
        let reference = parameters.next(&REFERENCE)?;
        let id = CommandId(parameters.next_text(&["command_id", "stepId"])?);
        let name = parameters.next_text(&["command"])?;
        let args = parameters.next(&["args"])?;
        let Value::Remote(command) = reference else {
            return Err(parameters.unfit(&REFERENCE, "a reference", &reference));
        };
        let parsed = arguments::parse(Dialect::Pb, &name, &id, args)?;
        let lent = Lent {
            command,
            peer: parsed.peer,
            references: Vec::new(),
        };
        let call = MasterCall::StartCommand {
            reply,
            step: self.next_step,
            builder: Some(builder),
            id,
            name,
            command: Box::new(parsed.command),
        };
        Ok(Reaction::Begin(call, lent))
    }

    /// Answers a call. An answer to a call that was answered already is left out.
    pub fn answer(&mut self, reply: ReplyTo, answer: Answer) {
        let Some(served) = self.served.remove(&reply.0) else {
            return;
        };
        // A command that did not begin has no end: this is the last that the master hears of it.
        let begun = match answer {
            Answer::Failure(_) => served.step.and_then(|step| self.steps.remove(&step)),
            Answer::Nothing | Answer::Text(_) | Answer::Facts(_) | Answer::Builders(_) => None,
        };
        if served.wanted {
            match answer {
                Answer::Nothing => self.write_answer(reply.0, |out| out.none()),
                Answer::Text(text) => self.write_answer(reply.0, |out| out.text(&text)),
                Answer::Facts(facts) => self.write_facts(reply.0, facts),
                Answer::Builders(names) => self.write_builders(reply.0, names),
                Answer::Failure(failure) => self.write_failure(reply.0, &failure),
            }
        }
        if let Some(lent) = begun {
            self.release(&lent.references);
        }
    }

    fn write_facts(&mut self, request: i64, mut facts: Vec<(String, Fact)>) {
        // A file in info/ or a variable may be of any size. It must not keep us from attaching.
        let mut left_out = Vec::new();
        facts.retain_mut(|(name, fact)| {
            let fits = match fact {
                Fact::Text(text) => text.len() <= STRING_LIMIT,
                Fact::Int(_) | Fact::Bool(_) => true,
                Fact::Map(pairs) => {
                    pairs.retain(|(key, text)| {
                        let fits = key.len().max(text.len()) <= STRING_LIMIT;
                        if !fits {
                            left_out.push(format!("{name} {key:.64}"));
                        }
                        fits
                    });
                    true
                }
            } && name.len() <= STRING_LIMIT;
            if !fits {
                left_out.push(format!("{name:.64}"));
            }
            fits
        });
        for name in left_out {
            self.events.push_back(Event::Refused {
                what: format!("'{name}' is too large for the master and was left out"),
            });
        }
        self.write_answer(request, |out| {
            out.dictionary_of(facts.len());
            for (name, fact) in &facts {
                out.key(name);
                write_fact(out, fact);
            }
        });
    }

    fn write_builders(&mut self, request: i64, names: Vec<BuilderName>) {
        let mut lent: Vec<(BuilderName, i64)> = Vec::with_capacity(names.len());
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name.clone()) {
                continue;
            }
            match self.objects.lend(Object::Builder(name.clone())) {
                Some(luid) => lent.push((name, luid)),
                None => return self.refuse_builders(request, lent),
            }
        }
        self.write_answer(request, |out| {
            out.dictionary_of(lent.len());
            for (name, luid) in &lent {
                out.key(&name.0);
                out.remote(*luid);
            }
        });
    }

    /// There are too many: none of them is sent.
    fn refuse_builders(&mut self, request: i64, lent: Vec<(BuilderName, i64)>) {
        for (_, luid) in lent {
            self.objects.take_back(luid);
        }
        let failure = Failure {
            kind: FailureKind::Other,
            message: format!("the master holds more than {OBJECT_LIMIT} builders"),
        };
        self.write_failure(request, &failure);
        self.refused("setBuilderList", &failure);
    }

    /// Answers with a value, or if that cannot be sent, with the reason.
    fn write_answer(&mut self, request: i64, value: impl FnOnce(&mut Writer<'_>)) {
        let written = encode(&mut self.out, |out| {
            out.list(3);
            out.bytes(b"answer");
            out.int(request);
            value(out);
        });
        if let Err(error) = written {
            let failure = Failure {
                kind: FailureKind::Other,
                message: format!("the answer cannot be sent: {error}"),
            };
            self.write_failure(request, &failure);
            self.events.push_back(Event::Refused {
                what: failure.message,
            });
        }
    }

    fn write_failure(&mut self, request: i64, failure: &Failure) {
        self.failures += 1;
        let count = self.failures;
        let written = encode(&mut self.out, |out| {
            out.list(3);
            out.bytes(b"error");
            out.int(request);
            out.failure_with_count(&exception(failure), count);
        });
        debug_assert!(written.is_ok(), "an exception's texts are shortened");
    }
}

impl Message {
    fn new(items: Vec<Item>) -> Option<Message> {
        let [_, request, object, method, wanted, args, kwargs] =
            <[Item; 7]>::try_from(items).ok()?;
        let (Item::Int(request), Item::Int(wanted)) = (request, wanted) else {
            return None;
        };
        Some(Message {
            request,
            object,
            method: method_name(method)?,
            wanted: wanted != 0,
            args,
            kwargs,
        })
    }
}

/// A method's name is a raw string. Some dialects of Python 2 may send it as a text.
fn method_name(item: Item) -> Option<String> {
    unjelly(item, &mut Vec::new()).ok()?.into_text().ok()
}

fn bot_call(reply: ReplyTo, method: &str, mut parameters: Parameters) -> Result<Reaction, Failure> {
    match method {
        "print" => print(reply, parameters),
        "getWorkerInfo" => Ok(Reaction::Pass(MasterCall::GetWorkerInfo { reply })),
        "getCommands" => Ok(Reaction::Pass(MasterCall::GetCommands { reply })),
        "getVersion" => Ok(Reaction::Pass(MasterCall::GetVersion { reply })),
        "setBuilderList" => Ok(Reaction::Pass(MasterCall::SetBuilderList {
            reply,
            builders: builders(&mut parameters)?,
        })),
        "shutdown" => Ok(Reaction::Pass(MasterCall::Shutdown { reply })),
        _ => Err(unknown_method(method)),
    }
}

/// Whatever the message is: the call is a ping, and a worker that does not answer it is thrown out.
fn print(reply: ReplyTo, mut parameters: Parameters) -> Result<Reaction, Failure> {
    let message = parameters.next(&["message"])?;
    Ok(Reaction::Pass(MasterCall::Print {
        reply,
        message: shown(message),
    }))
}

/// A text for the log, whatever was sent.
fn shown(value: Value) -> String {
    value.into_text().unwrap_or_else(|other| other.to_string())
}

/// Names and directories (PROTOCOL 4.5).
fn builders(parameters: &mut Parameters) -> Result<Vec<(BuilderName, String)>, Failure> {
    const WANTED: [&str; 1] = ["wanted"];
    const EXPECTED: &str = "a list of names and directories";
    let (pairs, parameters) = match parameters.next(&WANTED)? {
        Value::List(pairs) | Value::Tuple(pairs) => (pairs, parameters),
        other => return Err(parameters.unfit(&WANTED, EXPECTED, &other)),
    };
    let mut builders = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let (Value::Tuple(parts) | Value::List(parts)) = pair else {
            return Err(parameters.unfit(&WANTED, EXPECTED, &pair));
        };
        let unfit = |value: &Value| parameters.unfit(&WANTED, EXPECTED, value);
        let [name, directory] =
            <[Value; 2]>::try_from(parts).map_err(|parts| unfit(&Value::Tuple(parts)))?;
        let name = name.into_text().map_err(|value| unfit(&value))?;
        let directory = directory.into_text().map_err(|value| unfit(&value))?;
        builders.push((BuilderName(name), directory));
    }
    Ok(builders)
}

fn unknown_method(method: &str) -> Failure {
    Failure {
        kind: FailureKind::UnknownMethod,
        message: format!("No such method: remote_{method:.64}"),
    }
}

fn write_fact(out: &mut Writer<'_>, fact: &Fact) {
    match fact {
        Fact::Text(text) => out.text(text),
        Fact::Int(number) => out.int(*number),
        Fact::Bool(value) => out.boolean(*value),
        Fact::Map(pairs) => {
            out.dictionary_of(pairs.len());
            for (key, text) in pairs {
                out.key(key);
                out.text(text);
            }
        }
    }
}
