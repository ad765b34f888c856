//! What the master asks, and how it is answered (PROTOCOL 5.3).

use super::receive::Request;
use super::{Attachment, Begun, Moves, MsgpackSession, Served};
use crate::calls::{
    Answer, BuilderName, Command, CommandId, Fact, Failure, FailureKind, MasterCall, ReplyTo,
    Seconds, WorkerSettings,
};
use crate::session::Event;
use crate::session::arguments::{self, Dialect};
use crate::wire::jelly::Value;
use crate::wire::msgpack::Writer;

/// What is done with a request.
enum Reaction {
    /// The worker answers it.
    Pass(Box<dyn FnOnce(ReplyTo) -> MasterCall>),
    /// The worker begins a step with it.
    Begin {
        builder: Option<BuilderName>,
        id: CommandId,
        name: String,
        command: Box<Command>,
    },
    /// There is nothing to do.
    Done,
}

impl MsgpackSession {
    pub(super) fn request(&mut self, mut request: Request) {
        let number = request.number;
        match reaction(&mut request) {
            Ok(Reaction::Pass(call)) => {
                let call = call(self.serve(Served { number, step: None }));
                self.note(&call);
                self.events.push_back(Event::Call(call));
            }
            Ok(Reaction::Begin {
                builder,
                id,
                name,
                command,
            }) => self.begin(number, builder, id, name, command),
            Ok(Reaction::Done) => self.respond(number, |out| out.nil()),
            Err(failure) => {
                self.respond_failure(number, &failure);
                self.refused(format!("{:.64}: {}", request.op, failure.message));
            }
        }
    }

    fn serve(&mut self, served: Served) -> ReplyTo {
        let reply = self.next_reply;
        self.next_reply = reply.wrapping_add(1);
        self.served.insert(reply, served);
        ReplyTo(reply)
    }

    /// What a call says about the attachment (PROTOCOL 5.5).
    fn note(&mut self, call: &MasterCall) {
        match call {
            MasterCall::SetWorkerSettings { settings, .. } => {
                self.buffer_size = settings.buffer_size;
                if self.attachment == Attachment::Begun {
                    self.attachment = Attachment::Arranging;
                }
            }
            // Once for each builder, when its directory is there.
            MasterCall::Print { message, .. } if message == "attached" => self.maybe_attached(),
            MasterCall::Print { .. }
            | MasterCall::GetWorkerInfo { .. }
            | MasterCall::GetCommands { .. }
            | MasterCall::GetVersion { .. }
            | MasterCall::SetBuilderList { .. }
            | MasterCall::StartBuild { .. }
            | MasterCall::StartCommand { .. }
            | MasterCall::InterruptCommand { .. }
            | MasterCall::Shutdown { .. } => {}
        }
    }

    fn begin(
        &mut self,
        number: i64,
        builder: Option<BuilderName>,
        id: CommandId,
        name: String,
        command: Box<Command>,
    ) {
        let step = self.next_step;
        self.next_step.0 = step.0.wrapping_add(1);
        let internal = builder.is_none();
        if !internal {
            // A master that builds has attached us, however it did so.
            self.attached();
        }
        let begun = Begun {
            id: id.0.clone(),
            moves: match *command {
                Command::UploadFile(_) => Moves::FileUp,
                Command::UploadDirectory(_) => Moves::DirectoryUp,
                Command::DownloadFile(_) => Moves::FileDown,
                Command::Shell(_)
                | Command::MakeDirectories(_)
                | Command::RemoveDirectories(_)
                | Command::CopyDirectory(_)
                | Command::Stat(_)
                | Command::Glob(_)
                | Command::ListDirectory(_)
                | Command::RemoveFile(_) => Moves::Nothing,
            },
            internal,
        };
        self.steps.insert(step, begun);
        let reply = self.serve(Served {
            number,
            step: Some(step),
        });
        self.events.push_back(Event::Call(MasterCall::StartCommand {
            reply,
            step,
            builder,
            id,
            name,
            command,
        }));
    }

    /// Answers a request. An answer to a request that was answered already is left out.
    pub fn answer(&mut self, reply: ReplyTo, answer: Answer) {
        let Some(served) = self.served.remove(&reply.0) else {
            return;
        };
        let number = served.number;
        match answer {
            Answer::Nothing => self.respond(number, |out| out.nil()),
            Answer::Text(text) => self.respond(number, |out| out.text(&text)),
            Answer::Facts(facts) => self.respond(number, |out| write_facts(out, &facts)),
            // No master asks for them here.
            Answer::Builders(names) => self.respond(number, |out| {
                out.list_of(names.len());
                for name in &names {
                    out.text(&name.0);
                }
            }),
            Answer::Failure(failure) => {
                // A command that did not begin has no end.
                if let Some(step) = served.step {
                    self.steps.remove(&step);
                }
                self.respond_failure(number, &failure);
            }
        }
    }

    fn respond(&mut self, number: i64, result: impl FnOnce(&mut Writer<'_>)) {
        self.send_message(|out| {
            out.map_of(3);
            response(out, number);
            result(out);
        });
    }

    fn respond_failure(&mut self, number: i64, failure: &Failure) {
        self.send_message(|out| {
            out.map_of(4);
            response(out, number);
            out.text(&failure.message);
            out.text("is_exception");
            out.boolean(true);
        });
    }
}

/// What every response begins with; the result is next.
fn response(out: &mut Writer<'_>, number: i64) {
    out.text("op");
    out.text("response");
    out.text("seq_number");
    out.int(number);
    out.text("result");
}

fn reaction(request: &mut Request) -> Result<Reaction, Failure> {
    let pass = |call: Box<dyn FnOnce(ReplyTo) -> MasterCall>| Ok(Reaction::Pass(call));
    match request.op.as_str() {
        "print" => {
            // Whatever it says: it is a ping, and must be answered.
            let message = request.take("message").map_or_else(String::new, shown);
            pass(Box::new(|reply| MasterCall::Print { reply, message }))
        }
        "keepalive" => Ok(Reaction::Done),
        "get_worker_info" => pass(Box::new(|reply| MasterCall::GetWorkerInfo { reply })),
        "set_worker_settings" => {
            let settings = settings(request.take("args"))?;
            pass(Box::new(|reply| MasterCall::SetWorkerSettings {
                reply,
                settings,
            }))
        }
        "start_command" => start_command(request),
        "interrupt_command" => {
            let id = CommandId(needed_text(request, "command_id")?);
            // An interrupt without a reason still has to be obeyed.
            let reason = request.take("why").map_or_else(String::new, shown);
            pass(Box::new(|reply| MasterCall::InterruptCommand {
                reply,
                builder: None,
                id,
                reason,
            }))
        }
        "shutdown" => pass(Box::new(|reply| MasterCall::Shutdown { reply })),
        other => Err(Failure {
            kind: FailureKind::UnknownMethod,
            message: format!("Command {other:.200} does not exist."),
        }),
    }
}

fn start_command(request: &mut Request) -> Result<Reaction, Failure> {
    let id = CommandId(needed_text(request, "command_id")?);
    let name = needed_text(request, "command_name")?;
    let args = request.take("args").ok_or_else(|| missing("args"))?;
    let builder = match request.take("builder_name") {
        None | Some(Value::None) => None,
        Some(value) => {
            let name = value
                .into_text()
                .map_err(|value| unfit("builder_name", "a text", &value))?;
            Some(BuilderName(name))
        }
    };
    let parsed = arguments::parse(Dialect::Msgpack, &name, &id, args)?;
    Ok(Reaction::Begin {
        builder,
        id,
        name,
        command: Box::new(parsed.command),
    })
}

/// All four must be there (PROTOCOL 5.3).
fn settings(args: Option<Value>) -> Result<WorkerSettings, Failure> {
    let pairs = match args {
        Some(Value::Dict(pairs)) => pairs,
        Some(other) => return Err(unfit("args", "a map", &other)),
        None => return Err(missing("args")),
    };
    let field = |name: &str| {
        let found = pairs
            .iter()
            .rev()
            .find(|(key, _)| matches!(key, Value::Text(key) if key == name));
        found.map(|(_, value)| value).ok_or_else(|| missing(name))
    };
    let size = |name: &str| match field(name)? {
        Value::Int(number) if *number > 0 => Ok(usize::try_from(*number).unwrap_or(usize::MAX)),
        // The cast saturates; nobody means a number out of its range.
        Value::Float(number) if *number >= 1.0 => Ok(*number as usize),
        other => Err(unfit(name, "a number above 0", other)),
    };
    Ok(WorkerSettings {
        buffer_size: size("buffer_size")?,
        buffer_timeout: match field("buffer_timeout")? {
            Value::Int(seconds) if *seconds >= 0 => Seconds::Int(*seconds),
            Value::Float(seconds) if *seconds >= 0.0 => Seconds::Float(*seconds),
            other => return Err(unfit("buffer_timeout", "a number of seconds", other)),
        },
        newline_re: match field("newline_re")? {
            Value::Text(text) => text.clone(),
            other => return Err(unfit("newline_re", "a text", other)),
        },
        max_line_length: size("max_line_length")?,
    })
}

fn needed_text(request: &mut Request, name: &str) -> Result<String, Failure> {
    let value = request.take(name).ok_or_else(|| missing(name))?;
    value
        .into_text()
        .map_err(|value| unfit(name, "a text", &value))
}

fn missing(name: &str) -> Failure {
    Failure {
        kind: FailureKind::MissingArgument,
        message: format!("the message lacks '{name}'"),
    }
}

fn unfit(name: &str, expected: &str, got: &Value) -> Failure {
    Failure {
        kind: FailureKind::BadArgument,
        message: format!("'{name}' must be {expected}, not {got}"),
    }
}

/// A text for the log, whatever was sent.
fn shown(value: Value) -> String {
    value.into_text().unwrap_or_else(|other| other.to_string())
}

fn write_facts(out: &mut Writer<'_>, facts: &[(String, Fact)]) {
    out.map_of(facts.len());
    for (name, fact) in facts {
        out.text(name);
        match fact {
            Fact::Text(text) => out.text(text),
            Fact::Int(number) => out.int(*number),
            Fact::Bool(value) => out.boolean(*value),
            Fact::Map(pairs) => {
                out.map_of(pairs.len());
                for (key, text) in pairs {
                    out.text(key);
                    out.text(text);
                }
            }
        }
    }
}
