//! The master's end of a conversation, made by hand.

use coracle::calls::{Answer, BuilderName, MasterCall, ReplyTo, StepId};
use coracle::session::ProtocolError;
use coracle::session::pb::{Event, Login, PbSession};
use coracle::wire::banana::{Decoder, Item, Writer, encode};
use coracle::wire::jelly::{Value, unjelly};

/// A master and the worker's session, joined in memory.
pub struct Master {
    pub session: PbSession,
    decoder: Decoder,
    /// What the worker has said, as lists, and was not taken yet.
    pub heard: Vec<Vec<Item>>,
    /// How often each reference was lent, and how often it was given back.
    pub lent: usize,
    pub released: Vec<i64>,
    next_request: i64,
    pub next_luid: i64,
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn raw(text: &str) -> Value {
    Value::Bytes(text.as_bytes().to_vec())
}

pub fn dict<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Dict(
        pairs
            .into_iter()
            .map(|(key, value)| (text(key), value))
            .collect(),
    )
}

impl Master {
    /// Both ends after the dialect and the versions; the worker has sent its login.
    pub fn connected() -> Master {
        let login = Login {
            name: "w".to_owned(),
            password: "sekrit".to_owned(),
        };
        let mut master = Master {
            session: PbSession::new(login, StepId(1)),
            decoder: Decoder::new(),
            heard: Vec::new(),
            lent: 0,
            released: Vec::new(),
            next_request: 1,
            next_luid: 1,
        };
        master.say(|out| {
            out.list(2);
            out.plain_bytes(b"pb");
            out.plain_bytes(b"none");
        });
        master.decoder.allow_words();
        master.say(|out| {
            out.list(2);
            out.bytes(b"version");
            out.int(6);
        });
        master.listen();
        assert_eq!(master.heard.len(), 2);
        master.heard.clear();
        master
    }

    /// Both ends after the login and the attachment of these builders.
    pub fn attached(builders: &[&str]) -> Master {
        let mut master = Master::connected();
        master.lent += 1;
        master.next_luid = 2;
        let challenge = Value::Tuple(vec![Value::Bytes(vec![7; 16]), Value::Remote(1)]);
        master.answer(1, &challenge);
        master.heard.clear();
        let wanted = Value::List(
            builders
                .iter()
                .map(|name| Value::Tuple(vec![text(name), text(name)]))
                .collect(),
        );
        let request = master.call(1, "setBuilderList", &[wanted]);
        assert!(matches!(
            master.event(),
            Event::Call(MasterCall::SetBuilderList { .. })
        ));
        let names = builders
            .iter()
            .map(|name| BuilderName((*name).to_owned()))
            .collect();
        master
            .session
            .answer(ReplyTo(request), Answer::Builders(names));
        let avatar = master.lend();
        master.answer(2, &avatar);
        assert_eq!(master.event(), Event::LoggedIn);
        master.listen();
        master.heard.clear();
        master
    }

    /// A new reference to an object of the master.
    pub fn lend(&mut self) -> Value {
        let luid = self.next_luid;
        self.next_luid += 1;
        self.lent += 1;
        Value::Remote(luid)
    }

    pub fn try_say(&mut self, write: impl FnOnce(&mut Writer<'_>)) -> Result<(), ProtocolError> {
        let mut bytes = Vec::new();
        encode(&mut bytes, write).unwrap();
        self.session.receive(&bytes)
    }

    pub fn say(&mut self, write: impl FnOnce(&mut Writer<'_>)) {
        self.try_say(write).unwrap();
    }

    /// Calls with positional arguments; returns the request's number.
    pub fn call(&mut self, luid: i64, method: &str, args: &[Value]) -> i64 {
        self.call_with(
            luid,
            raw(method),
            1,
            &Value::Tuple(args.to_vec()),
            &dict([]),
        )
    }

    /// Calls with anything.
    pub fn call_with(
        &mut self,
        luid: i64,
        method: Value,
        wanted: i64,
        args: &Value,
        kwargs: &Value,
    ) -> i64 {
        let request = self.next_request;
        self.next_request += 1;
        self.say(|out| {
            out.list(7);
            out.bytes(b"message");
            out.int(request);
            out.int(luid);
            out.value(&method);
            out.int(wanted);
            out.value(args);
            out.value(kwargs);
        });
        request
    }

    pub fn answer(&mut self, request: i64, value: &Value) {
        self.say(|out| {
            out.list(3);
            out.bytes(b"answer");
            out.int(request);
            out.value(value);
        });
    }

    pub fn error(&mut self, request: i64, value: &Value) {
        self.say(|out| {
            out.list(3);
            out.bytes(b"error");
            out.int(request);
            out.value(value);
        });
    }

    pub fn decref(&mut self, luid: i64) {
        self.say(|out| {
            out.list(2);
            out.bytes(b"decref");
            out.int(luid);
        });
    }

    /// Takes what the worker has said.
    pub fn listen(&mut self) {
        let bytes = std::mem::take(self.session.outgoing());
        let mut input = bytes.as_slice();
        while let Some(item) = self.decoder.next(&mut input).unwrap() {
            match item {
                Item::List(items) => {
                    if items[0] == Item::Bytes(b"decref".to_vec()) {
                        match &items[1] {
                            Item::Int(luid) => self.released.push(*luid),
                            other => panic!("released {other}"),
                        }
                    } else {
                        self.heard.push(items);
                    }
                }
                Item::Bytes(dialect) => assert_eq!(dialect, b"pb"),
                other => panic!("the worker said {other}"),
            }
        }
    }

    /// The next thing that the worker has said.
    pub fn next(&mut self) -> Vec<Item> {
        self.listen();
        assert!(!self.heard.is_empty(), "the worker is silent");
        self.heard.remove(0)
    }

    /// The next thing, which is an answer to this request: its value.
    pub fn answered(&mut self, request: i64) -> Value {
        let items = self.next();
        assert_eq!(
            items[..2],
            [Item::Bytes(b"answer".to_vec()), Item::Int(request)]
        );
        unjelly(items[2].clone(), &mut Vec::new()).unwrap()
    }

    /// The next thing, which is a failure of this request: class and text.
    pub fn refused(&mut self, request: i64) -> (String, String) {
        let items = self.next();
        assert_eq!(
            items[..2],
            [Item::Bytes(b"error".to_vec()), Item::Int(request)]
        );
        match unjelly(items[2].clone(), &mut Vec::new()).unwrap() {
            Value::Failure(failure) => {
                assert_eq!(failure.parents[0], failure.class);
                let bases = [
                    "builtins.Exception",
                    "builtins.BaseException",
                    "builtins.object",
                ];
                assert!(
                    failure
                        .parents
                        .iter()
                        .map(String::as_str)
                        .rev()
                        .take(3)
                        .eq(bases.into_iter().rev())
                );
                (failure.class, failure.text)
            }
            other => panic!("no failure: {other}"),
        }
    }

    /// The next thing, which is a call: request, object, method, arguments.
    pub fn called(&mut self) -> (i64, i64, String, Vec<Value>) {
        let items = self.next();
        let [
            _,
            Item::Int(request),
            Item::Int(luid),
            Item::Bytes(method),
            Item::Int(1),
            args,
            _,
        ] = &items[..]
        else {
            panic!("no call: {items:?}");
        };
        let Value::Tuple(args) = unjelly(args.clone(), &mut Vec::new()).unwrap() else {
            panic!("no tuple");
        };
        let method = String::from_utf8(method.clone()).unwrap();
        (*request, *luid, method, args)
    }

    pub fn event(&mut self) -> Event {
        self.session.next_event().expect("an event")
    }

    pub fn quiet(&mut self) {
        assert_eq!(self.session.next_event(), None);
        self.listen();
        assert_eq!(self.heard, Vec::<Vec<Item>>::new());
    }

    /// Starts a command on the first builder; returns the request, the step, and the number of the
    /// command object.
    pub fn start(&mut self, name: &str, args: Value) -> (i64, StepId, i64) {
        let command = self.lend();
        let Value::Remote(luid) = command else {
            panic!("no reference");
        };
        let request = self.call(2, "startCommand", &[command, text("1"), text(name), args]);
        match self.event() {
            Event::Call(MasterCall::StartCommand { step, .. }) => (request, step, luid),
            other => panic!("no command: {other:?}"),
        }
    }
}
