//! Entries as bytes. A file begins with [`HEAD`]; then come frames, each a length, a checksum and
//! an entry. What a crash left of the last frame is recognised by either.

use std::io::{self, Read};

use super::entry::Entry;

/// How a journal begins; people see it too.
pub(super) const HEAD: &[u8] = b"coracle journal 1\n";

/// Bytes of length and checksum: two numbers of 32 bits, the lowest byte first.
const PREFIX: usize = 8;

/// Longest entry, in bytes. Ours are far below: there are at most five texts in one.
const LONGEST: usize = 16 * 1024;

/// An entry as bytes.
///
/// # Errors
/// Only a defect: the entry is too long or cannot be encoded.
pub(super) fn encode(entry: &Entry) -> io::Result<Vec<u8>> {
    let body = postcard::to_allocvec(entry).map_err(io::Error::other)?;
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    if body.is_empty() || body.len() > LONGEST {
        return Err(io::Error::other("an entry of the journal is too long"));
    }
    let length = length.to_le_bytes();
    let mut frame = Vec::with_capacity(PREFIX + body.len());
    frame.extend_from_slice(&length);
    frame.extend_from_slice(&checksum(length, &body).to_le_bytes());
    frame.extend_from_slice(&body);
    Ok(frame)
}

/// The length is part of it: a wrong one must not look like a shorter entry.
fn checksum(length: [u8; 4], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(body);
    hasher.finalize()
}

/// How a file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// As a journal does.
    Journal,
    /// It is empty, or a crash left only a part of [`HEAD`].
    Nothing,
    /// It is something else.
    Foreign,
}

/// Reads entries one after the other.
#[derive(Debug)]
pub(super) struct Reader<R> {
    input: R,
    body: Vec<u8>,
    /// Bytes up to the end of the last whole frame.
    good: u64,
    over: bool,
}

/// One frame.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    /// An entry.
    Entry(Entry),
    /// Whole, but of a kind that this version does not know.
    Unknown,
}

impl<R: Read> Reader<R> {
    /// Reads the beginning.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn new(mut input: R) -> io::Result<(Beginning, Reader<R>)> {
        let mut head = [0; HEAD.len()];
        let count = fill(&mut input, &mut head)?;
        let beginning = match head.get(..count) {
            Some(whole) if whole == HEAD => Beginning::Journal,
            Some(part) if count < HEAD.len() && HEAD.starts_with(part) => Beginning::Nothing,
            Some(_) | None => Beginning::Foreign,
        };
        let reader = Reader {
            input,
            body: Vec::new(),
            good: count as u64,
            over: beginning != Beginning::Journal,
        };
        Ok((beginning, reader))
    }

    /// The next frame; none at the end, or where what follows is no whole frame.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame>> {
        if self.over {
            return Ok(None);
        }
        self.over = true;
        let mut prefix = [0; PREFIX];
        if fill(&mut self.input, &mut prefix)? < PREFIX {
            return Ok(None);
        }
        let [a, b, c, d, sum @ ..] = prefix;
        let length = [a, b, c, d];
        let size = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if size == 0 || size > LONGEST {
            return Ok(None);
        }
        self.body.resize(size, 0);
        if fill(&mut self.input, &mut self.body)? < size {
            return Ok(None);
        }
        if checksum(length, &self.body) != u32::from_le_bytes(sum) {
            return Ok(None);
        }
        self.over = false;
        self.good += (PREFIX + size) as u64;
        // What a later version has added at the end is ignored.
        Ok(Some(match postcard::take_from_bytes(&self.body) {
            Ok((entry, _)) => Frame::Entry(entry),
            Err(_) => Frame::Unknown,
        }))
    }

    /// Bytes up to the end of the last whole frame.
    pub(super) fn good(&self) -> u64 {
        self.good
    }
}

/// Reads until the buffer is full or the input ends; how many bytes there were.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
