//! Messages from bytes, cut in any way.

use websocket_sans_io::{FrameInfo, Opcode, WebsocketFrameDecoder, WebsocketFrameEvent};

use super::{CONTROL_LIMIT, MESSAGE_LIMIT, Message, WebSocketError};

/// Memory that a long message has taken is given back above this many bytes.
const KEEP: usize = 64 * 1024;

/// Takes bytes and gives messages. Keeps the message in progress, at most [`MESSAGE_LIMIT`] bytes, and
/// what was fed last.
#[derive(Debug, Default)]
pub struct Receiver {
    decoder: WebsocketFrameDecoder,
    /// What was fed, and how much of it is done with.
    fed: Vec<u8>,
    done: usize,
    /// The payload of the control frame in progress.
    control: Vec<u8>,
    /// The message in progress.
    message: Option<Growing>,
    /// Every error is the last thing that happens.
    broken: Option<WebSocketError>,
}

/// A message whose end has not come.
#[derive(Debug)]
enum Growing {
    Binary(Vec<u8>),
    /// Bytes so far.
    Text(usize),
}

impl Growing {
    fn len(&self) -> usize {
        match self {
            Growing::Binary(bytes) => bytes.len(),
            Growing::Text(length) => *length,
        }
    }
}

impl Receiver {
    /// Nothing has come yet.
    pub fn new() -> Receiver {
        Receiver::default()
    }

    /// Takes bytes. Ask [`Receiver::next_message`] until there is nothing more before feeding again.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.done == self.fed.len() {
            self.fed.clear();
            self.fed.shrink_to(KEEP);
            self.done = 0;
        }
        self.fed.extend_from_slice(bytes);
    }

    /// The next message that is complete.
    ///
    /// # Errors
    /// The server broke the rules; nothing more can be read.
    pub fn next_message(&mut self) -> Result<Option<Message>, WebSocketError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let next = self.decode();
        self.broken = next.as_ref().err().copied();
        next
    }

    fn decode(&mut self) -> Result<Option<Message>, WebSocketError> {
        loop {
            let from = self.done;
            let result = match self.decoder.add_data(&mut self.fed[from..]) {
                Ok(result) => result,
                Err(never) => match never {},
            };
            self.done += result.consumed_bytes;
            match result.event {
                None if result.consumed_bytes == 0 => return Ok(None),
                None => {}
                Some(WebsocketFrameEvent::Start { frame_info, .. }) => self.start(&frame_info)?,
                Some(WebsocketFrameEvent::PayloadChunk { original_opcode }) => {
                    self.payload(from, original_opcode.is_control());
                }
                Some(WebsocketFrameEvent::End { frame_info, .. }) => {
                    if let Some(message) = self.end(&frame_info) {
                        return Ok(Some(message));
                    }
                }
            }
        }
    }

    /// Whether a frame with this header may come now.
    fn start(&mut self, frame: &FrameInfo) -> Result<(), WebSocketError> {
        // Before anything of it is looked at (RFC 6455 section 5.1).
        if frame.mask.is_some() {
            return Err(WebSocketError::Masked);
        }
        if frame.reserved != 0 {
            return Err(WebSocketError::Unknown);
        }
        let length = usize::try_from(frame.payload_length).unwrap_or(usize::MAX);
        match (frame.opcode, &self.message) {
            (Opcode::Binary, None) => self.message = Some(Growing::Binary(Vec::new())),
            (Opcode::Text, None) => self.message = Some(Growing::Text(0)),
            (Opcode::Continuation, Some(_)) => {}
            (Opcode::Binary | Opcode::Text, Some(_)) | (Opcode::Continuation, None) => {
                return Err(WebSocketError::OutOfOrder);
            }
            (Opcode::ConnectionClose | Opcode::Ping | Opcode::Pong, _) => {
                self.control.clear();
                return if frame.fin && length <= CONTROL_LIMIT {
                    Ok(())
                } else {
                    Err(WebSocketError::BadControl)
                };
            }
            (_, _) => return Err(WebSocketError::Unknown),
        }
        let before = self.message.as_ref().map_or(0, Growing::len);
        if length > MESSAGE_LIMIT - before {
            return Err(WebSocketError::TooLong);
        }
        Ok(())
    }

    /// The bytes from `from` on belong to the frame in progress.
    fn payload(&mut self, from: usize, control: bool) {
        let bytes = &self.fed[from..self.done];
        match &mut self.message {
            _ if control => self.control.extend_from_slice(bytes),
            Some(Growing::Binary(message)) => message.extend_from_slice(bytes),
            Some(Growing::Text(length)) => *length += bytes.len(),
            None => {}
        }
    }

    /// What is complete with the end of this frame.
    fn end(&mut self, frame: &FrameInfo) -> Option<Message> {
        match frame.opcode {
            Opcode::Ping => Some(Message::Ping(std::mem::take(&mut self.control))),
            Opcode::Pong => Some(Message::Pong(std::mem::take(&mut self.control))),
            Opcode::ConnectionClose => {
                let payload = std::mem::take(&mut self.control);
                Some(close(&payload))
            }
            _ if frame.fin => self.message.take().map(|message| match message {
                Growing::Binary(bytes) => Message::Binary(bytes),
                Growing::Text(length) => Message::Text(length),
            }),
            _ => None,
        }
    }
}

/// RFC 6455 section 5.5.1. Whatever the payload is, the connection is over.
fn close(payload: &[u8]) -> Message {
    match payload {
        [high, low, reason @ ..] => Message::Close {
            code: Some(u16::from_be_bytes([*high, *low])),
            reason: String::from_utf8_lossy(reason).into_owned(),
        },
        [] | [_] => Message::Close {
            code: None,
            reason: String::new(),
        },
    }
}
