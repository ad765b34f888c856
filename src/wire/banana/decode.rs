//! Reads expressions from bytes as they come.

use super::{
    BananaError, DEPTH_LIMIT, EXPRESSION_BYTES, EXPRESSION_ITEMS, Item, LIST_LIMIT, PREFIX_LIMIT,
    STRING_LIMIT, Word, kind,
};

/// Reads one stream of expressions. Time and memory are linear in what came, however it was cut;
/// the limits of this module's parent hold for each expression.
#[derive(Debug)]
pub struct Decoder {
    /// Whether words of the vocabulary are legal yet (PROTOCOL 1.4).
    vocabulary: bool,
    state: State,
    /// The lists that have begun, the innermost last.
    open: Vec<Open>,
    /// String bytes announced and elements begun in the expression in progress.
    bytes: usize,
    items: usize,
}

/// What the next byte is.
#[derive(Debug)]
enum State {
    /// A byte of the prefix, or the type.
    Prefix(Prefix),
    /// A byte of a string.
    String { bytes: Vec<u8>, missing: usize },
    /// A byte of a float.
    Float { bytes: [u8; 8], filled: usize },
    /// Nothing: the stream is broken and stays so.
    Broken(BananaError),
}

/// The number in front of a type byte, least significant seven bits first.
#[derive(Debug, Clone, Copy, Default)]
struct Prefix {
    value: u64,
    length: usize,
    /// Whether it has bits that do not fit.
    overflow: bool,
}

/// A list that has begun.
#[derive(Debug)]
struct Open {
    items: Vec<Item>,
    missing: usize,
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder {
            vocabulary: false,
            state: State::Prefix(Prefix::default()),
            open: Vec::new(),
            bytes: 0,
            items: 0,
        }
    }
}

impl Decoder {
    /// A decoder at the beginning of a stream, before a dialect was selected.
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// From the next expression on, words of the vocabulary are legal.
    pub fn allow_words(&mut self) {
        self.vocabulary = true;
    }

    /// Takes bytes from the front of `input` up to the end of an expression, and returns that. When
    /// there is none, all of `input` has been taken.
    ///
    /// # Errors
    /// The bytes are not Banana or exceed a limit. The stream cannot be continued: every later call
    /// returns the same error.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Item>, BananaError> {
        match self.advance(input) {
            Ok(item) => Ok(item),
            Err(error) => {
                self.open = Vec::new();
                self.state = State::Broken(error);
                Err(error)
            }
        }
    }

    /// The bytes of memory that the expression in progress takes, without what the allocator adds.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        fn content(item: &Item) -> usize {
            match item {
                Item::Int(_) | Item::Float(_) => 0,
                Item::Bytes(bytes) => bytes.capacity(),
                Item::List(items) => list(items),
            }
        }
        fn list(items: &Vec<Item>) -> usize {
            let own = items.capacity() * std::mem::size_of::<Item>();
            own + items.iter().map(content).sum::<usize>()
        }
        let string = match &self.state {
            State::String { bytes, .. } => bytes.capacity(),
            State::Prefix(_) | State::Float { .. } | State::Broken(_) => 0,
        };
        string
            + self
                .open
                .iter()
                .map(|open| list(&open.items))
                .sum::<usize>()
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<Item>, BananaError> {
        loop {
            let item = match &mut self.state {
                State::Broken(error) => return Err(*error),
                State::Prefix(prefix) => {
                    let Some((&byte, rest)) = input.split_first() else {
                        return Ok(None);
                    };
                    *input = rest;
                    if byte < 0x80 {
                        prefix.push(byte)?;
                        continue;
                    }
                    let prefix = std::mem::take(prefix);
                    match self.element(byte, prefix)? {
                        Some(item) => item,
                        None => continue,
                    }
                }
                State::String { .. } | State::Float { .. } => match self.payload(input) {
                    Some(item) => item,
                    None => return Ok(None),
                },
            };
            if let Some(expression) = self.close(item) {
                return Ok(Some(expression));
            }
        }
    }

    /// Goes on with a string or a float; returns it when it is complete.
    fn payload(&mut self, input: &mut &[u8]) -> Option<Item> {
        let item = match &mut self.state {
            State::String { bytes, missing } => {
                let (taken, rest) = input.split_at(input.len().min(*missing));
                bytes.extend_from_slice(taken);
                *input = rest;
                *missing -= taken.len();
                if *missing > 0 {
                    return None;
                }
                Item::Bytes(std::mem::take(bytes))
            }
            State::Float { bytes, filled } => {
                let (taken, rest) = input.split_at(input.len().min(bytes.len() - *filled));
                bytes[*filled..*filled + taken.len()].copy_from_slice(taken);
                *input = rest;
                *filled += taken.len();
                if *filled < bytes.len() {
                    return None;
                }
                Item::Float(f64::from_be_bytes(*bytes))
            }
            State::Prefix(_) | State::Broken(_) => return None,
        };
        self.state = State::Prefix(Prefix::default());
        Some(item)
    }

    /// Begins an element; returns it if it is complete with its type byte.
    fn element(&mut self, byte: u8, prefix: Prefix) -> Result<Option<Item>, BananaError> {
        self.items += 1;
        if self.items > EXPRESSION_ITEMS {
            return Err(BananaError::TooManyItems);
        }
        match byte {
            kind::INT | kind::LONGINT => prefix.positive().map(Some),
            kind::NEG | kind::LONGNEG => prefix.negative().map(Some),
            kind::VOCAB => self.word(prefix).map(Some),
            kind::STRING => self.begin_string(prefix),
            kind::LIST => self.begin_list(prefix),
            kind::FLOAT => {
                self.state = State::Float {
                    bytes: [0; 8],
                    filled: 0,
                };
                Ok(None)
            }
            other => Err(BananaError::UnknownType(other)),
        }
    }

    fn word(&mut self, prefix: Prefix) -> Result<Item, BananaError> {
        if !self.vocabulary {
            return Err(BananaError::EarlyWord);
        }
        let index = prefix.saturated();
        let word = Word::at(index).ok_or(BananaError::UnknownWord(index))?;
        self.count_bytes(word.spelling().len())?;
        Ok(Item::Bytes(word.spelling().to_vec()))
    }

    fn begin_string(&mut self, prefix: Prefix) -> Result<Option<Item>, BananaError> {
        let length = prefix
            .at_most(STRING_LIMIT)
            .ok_or(BananaError::StringTooLong(prefix.saturated()))?;
        self.count_bytes(length)?;
        if length == 0 {
            return Ok(Some(Item::Bytes(Vec::new())));
        }
        // In one piece, so that a large answer is copied once; there is one such string at a time.
        self.state = State::String {
            bytes: Vec::with_capacity(length),
            missing: length,
        };
        Ok(None)
    }

    fn begin_list(&mut self, prefix: Prefix) -> Result<Option<Item>, BananaError> {
        let length = prefix
            .at_most(LIST_LIMIT)
            .ok_or(BananaError::ListTooLong(prefix.saturated()))?;
        if self.open.len() >= DEPTH_LIMIT {
            return Err(BananaError::TooDeep);
        }
        if length == 0 {
            return Ok(Some(Item::List(Vec::new())));
        }
        self.open.push(Open {
            // A list that is only announced must not cost anything.
            items: Vec::with_capacity(length.min(8)),
            missing: length,
        });
        Ok(None)
    }

    fn count_bytes(&mut self, length: usize) -> Result<(), BananaError> {
        self.bytes += length;
        if self.bytes > EXPRESSION_BYTES {
            return Err(BananaError::TooManyBytes);
        }
        Ok(())
    }

    /// Puts a complete element into the list it belongs to, and that list, if it is complete now,
    /// into the next one. Returns the expression when it is complete.
    fn close(&mut self, mut item: Item) -> Option<Item> {
        while let Some(mut list) = self.open.pop() {
            list.items.push(item);
            list.missing -= 1;
            if list.missing > 0 {
                self.open.push(list);
                return None;
            }
            item = Item::List(list.items);
        }
        self.bytes = 0;
        self.items = 0;
        Some(item)
    }
}

impl Prefix {
    fn push(&mut self, byte: u8) -> Result<(), BananaError> {
        if self.length == PREFIX_LIMIT {
            return Err(BananaError::PrefixTooLong);
        }
        let group = u64::from(byte);
        let shift = 7 * self.length;
        self.length += 1;
        if group == 0 {
            return Ok(());
        }
        // The tenth group begins at bit 63: only its lowest bit fits.
        match u32::try_from(shift) {
            Ok(shift) if shift < 64 && (group << shift) >> shift == group => {
                self.value |= group << shift;
            }
            _ => self.overflow = true,
        }
        Ok(())
    }

    /// The value, or the largest number if it does not fit.
    fn saturated(self) -> u64 {
        if self.overflow { u64::MAX } else { self.value }
    }

    fn at_most(self, limit: usize) -> Option<usize> {
        usize::try_from(self.saturated())
            .ok()
            .filter(|length| *length <= limit)
    }

    fn positive(self) -> Result<Item, BananaError> {
        i64::try_from(self.saturated())
            .map(Item::Int)
            .map_err(|_| BananaError::IntegerTooLarge)
    }

    fn negative(self) -> Result<Item, BananaError> {
        // The smallest number has no positive counterpart.
        0i64.checked_sub_unsigned(self.saturated())
            .map(Item::Int)
            .ok_or(BananaError::IntegerTooLarge)
    }
}
