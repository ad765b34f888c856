//! What the master calls at a worker (PROTOCOL 4.2, 4.6).

use super::{Asked, CommandNumber, Object, ServeError, Serving};
use crate::wire::banana::{BananaError, Writer, encode};
use crate::wire::jelly::Value;

/// The object of ours that a transfer is made with (PROTOCOL 6.10, 6.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Takes what a worker uploads.
    Writer,
    /// Gives what a worker downloads.
    Reader,
}

impl Peer {
    /// The name of the argument.
    fn argument(self) -> &'static str {
        match self {
            Peer::Writer => "writer",
            Peer::Reader => "reader",
        }
    }
}

impl Serving {
    /// Tells the worker that a build begins.
    ///
    /// # Errors
    /// There is no such builder, or the worker is not attached.
    pub fn start_build(&mut self, builder: &str) -> Result<(), ServeError> {
        let object = self.builder(builder, "startBuild")?;
        self.simple_call(object, "startBuild", Asked::Courtesy("startBuild"));
        Ok(())
    }

    /// Starts a command; `arguments` are those of PROTOCOL section 6, without the peer.
    ///
    /// # Errors
    /// There is no such builder, the worker is not attached, or the arguments exceed a limit.
    pub fn start_command(
        &mut self,
        builder: &str,
        name: &str,
        arguments: Vec<(String, Value)>,
        peer: Option<Peer>,
    ) -> Result<CommandNumber, ServeError> {
        let object = self.builder(builder, name)?;
        let command = CommandNumber(self.next_command);
        self.next_command += 1;
        let reference = self.lend(Object::Command(command));
        let mut pairs: Vec<(Value, Value)> = arguments
            .into_iter()
            .map(|(key, value)| (Value::Text(key), value))
            .collect();
        let lent = peer.map(|peer| (peer, self.lend(Object::Peer(command))));
        if let Some((peer, luid)) = lent {
            let key = Value::Text(peer.argument().to_owned());
            pairs.push((key, Value::Remote(luid)));
        }
        let sent = self.call(object, "startCommand", Asked::Start(command), |out| {
            out.tuple_of(4);
            out.remote(reference);
            out.text(&command.to_string());
            out.text(name);
            out.value(&Value::Dict(pairs));
        });
        if let Err(error) = sent {
            self.objects.remove(&reference);
            if let Some((_, luid)) = lent {
                self.objects.remove(&luid);
            }
            let name = name.to_owned();
            let why = format!("its arguments are {error}");
            return Err(ServeError::CannotStart { name, why });
        }
        self.running.insert(command);
        Ok(command)
    }

    /// Wants a command to be stopped (PROTOCOL 4.8).
    ///
    /// # Errors
    /// There is no such builder, or the reason exceeds the limit of a string.
    pub fn interrupt(
        &mut self,
        builder: &str,
        command: CommandNumber,
        why: &str,
    ) -> Result<(), ServeError> {
        let object = self.builder(builder, "interruptCommand")?;
        self.call(
            object,
            "interruptCommand",
            Asked::Interrupt(command),
            |out| {
                out.tuple_of(2);
                out.text(&command.to_string());
                out.text(why);
            },
        )
        .map_err(|error| ServeError::CannotStart {
            name: "interruptCommand".to_owned(),
            why: error.to_string(),
        })
    }

    /// Asks whether the worker is alive.
    pub fn ping(&mut self) {
        self.print("ping", Asked::Courtesy("ping"));
    }

    /// Tells the worker to stop.
    pub fn shut_down(&mut self) {
        self.simple_call(self.bot, "shutdown", Asked::Shutdown);
    }

    /// Says something for the worker's log; the parameter has a name on the wire (PROTOCOL 4.2).
    pub(super) fn print(&mut self, message: &str, asked: Asked) {
        let request = self.next_request;
        let written = encode(&mut self.out, |out| {
            head(out, request, self.bot, "print");
            out.tuple_of(0);
            out.dictionary_of(1);
            out.key("message");
            out.text(message);
        });
        debug_assert!(written.is_ok(), "our messages are short");
        self.next_request += 1;
        self.asked.insert(request, asked);
    }

    /// Calls a method without arguments.
    pub(super) fn simple_call(&mut self, object: i64, method: &str, asked: Asked) {
        let sent = self.call(object, method, asked, |out| out.tuple_of(0));
        debug_assert!(sent.is_ok(), "a call without arguments exceeds no limit");
    }

    /// Calls a method. `arguments` writes a tuple.
    pub(super) fn call(
        &mut self,
        object: i64,
        method: &str,
        asked: Asked,
        arguments: impl FnOnce(&mut Writer<'_>),
    ) -> Result<(), BananaError> {
        let request = self.next_request;
        encode(&mut self.out, |out| {
            head(out, request, object, method);
            arguments(out);
            out.dictionary_of(0);
        })?;
        self.next_request += 1;
        self.asked.insert(request, asked);
        Ok(())
    }

    fn builder(&self, builder: &str, name: &str) -> Result<i64, ServeError> {
        let cannot = |why: String| ServeError::CannotStart {
            name: name.to_owned(),
            why,
        };
        if !self.is_attached() {
            return Err(cannot("the worker is not attached".to_owned()));
        }
        let object = self.builders.get(builder).copied();
        object.ok_or_else(|| cannot(format!("the worker has no builder '{builder}'")))
    }
}

fn head(out: &mut Writer<'_>, request: i64, object: i64, method: &str) {
    out.list(7);
    out.bytes(b"message");
    out.int(request);
    out.int(object);
    out.bytes(method.as_bytes());
    out.int(1);
}
