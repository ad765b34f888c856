//! Writes a directory as a tar archive, compressed or not, straight into a writer.

use std::fs::File;
use std::io::{self, Read, Write};

use bzip2::write::BzEncoder;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::tree::{Kind, Member};
use crate::calls::Compression;
use crate::steps::place::open_to_read;

/// An archive in the making. Each member is complete when its call returns.
///
/// Errors of the calls are those of the writer below; what is wrong with a member is in the
/// [`Written`] they return, and leaves the archive readable.
pub(super) struct Archive<W: Write> {
    builder: Builder<Packed<W>>,
}

/// How writing a member went.
#[derive(Debug)]
pub(super) enum Written {
    /// As it was.
    Whole,
    /// The file grew meanwhile; what it had at first is in the archive.
    Grew,
    /// The file had fewer bytes than it said, or could not be read to its end; zeros are in place of
    /// the rest.
    Shrank,
    /// Reading failed; zeros are in place of the rest.
    Failed(io::Error),
    /// It could not be opened and is not in the archive.
    Missing(io::Error),
    /// A member of a kind that is not put into archives.
    Skipped,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(writer: W, compression: Compression) -> Archive<W> {
        let packed = match compression {
            Compression::None => Packed::Plain(writer),
            Compression::Gzip => {
                Packed::Gzip(GzEncoder::new(writer, flate2::Compression::default()))
            }
            Compression::Bzip2 => Packed::Bzip2(Box::new(BzEncoder::new(
                writer,
                bzip2::Compression::default(),
            ))),
        };
        Archive {
            builder: Builder::new(packed),
        }
    }

    /// Adds a directory, a file or a link.
    pub(super) fn add(&mut self, member: &Member) -> io::Result<Written> {
        match member.kind {
            Kind::Directory => {
                self.put(member, EntryType::Directory, b"", 0, &mut io::empty())?;
                Ok(Written::Whole)
            }
            Kind::File => match open_to_read(&member.path) {
                Ok(file) => self.add_file(member, file),
                Err(error) => Ok(Written::Missing(error)),
            },
            Kind::Link => match std::fs::read_link(&member.path) {
                Ok(target) => {
                    let target = ports::name_bytes(target.as_os_str());
                    self.put(member, EntryType::Symlink, &target, 0, &mut io::empty())?;
                    Ok(Written::Whole)
                }
                Err(error) => Ok(Written::Missing(error)),
            },
            Kind::Special => Ok(Written::Skipped),
        }
    }

    fn add_file(&mut self, member: &Member, file: File) -> io::Result<Written> {
        let size = member.stat.size;
        let mut exactly = Exactly {
            file,
            left: size,
            padding: false,
            error: None,
        };
        self.put(member, EntryType::Regular, b"", size, &mut exactly)?;
        Ok(exactly.verdict())
    }

    fn put(
        &mut self,
        member: &Member,
        kind: EntryType,
        target: &[u8],
        size: u64,
        data: &mut dyn Read,
    ) -> io::Result<()> {
        let name = member_name(member);
        if target.len() > NAME_FIELD {
            self.put_long(EntryType::GNULongLink, target)?;
        }
        if name.len() > NAME_FIELD {
            self.put_long(EntryType::GNULongName, &name)?;
        }
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(member.stat.mode & 0o7777);
        header.set_uid(member.stat.uid.into());
        header.set_gid(member.stat.gid.into());
        header.set_mtime(u64::try_from(member.stat.modified.0).unwrap_or(0));
        header.set_size(size);
        if let Some(fields) = header.as_gnu_mut() {
            fill(&mut fields.name, &name);
            fill(&mut fields.linkname, target);
        }
        header.set_cksum();
        self.builder.append(&header, data)
    }

    /// Says the name, or the target, of the member that follows, when its field is too short.
    fn put_long(&mut self, kind: EntryType, text: &[u8]) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(text.len() as u64 + 1);
        if let Some(fields) = header.as_gnu_mut() {
            fill(&mut fields.name, b"././@LongLink");
        }
        header.set_cksum();
        self.builder.append(&header, text.chain(&b"\0"[..]))
    }

    /// The writer, for a look at it between two members.
    pub(super) fn writer(&mut self) -> &mut W {
        self.builder.get_mut().writer()
    }

    /// Ends the archive and gives the writer back.
    pub(super) fn finish(self) -> io::Result<W> {
        self.builder.into_inner()?.finish()
    }
}

/// Bytes in the fields for name and link target of a tar header.
const NAME_FIELD: usize = 100;

/// The root has the name `.`: an empty one, as the Python worker has it, is what tar readers like
/// least, and for Python's `tarfile` both are the directory that is extracted into. A root that is a
/// file keeps the empty name, with which it arrives under the name that the master chose.
fn member_name(member: &Member) -> Vec<u8> {
    let mut name = member.name.clone();
    if name.is_empty() && member.kind == Kind::Directory {
        name.push(b'.');
    }
    if member.kind == Kind::Directory {
        name.push(b'/');
    }
    name
}

fn fill(field: &mut [u8], text: &[u8]) {
    for (place, byte) in field.iter_mut().zip(text) {
        *place = *byte;
    }
}

/// Reads exactly as many bytes as the header of a file says.
struct Exactly {
    file: File,
    left: u64,
    padding: bool,
    error: Option<io::Error>,
}

impl Exactly {
    fn verdict(mut self) -> Written {
        if let Some(error) = self.error {
            return Written::Failed(error);
        }
        if self.padding {
            return Written::Shrank;
        }
        match self.file.read(&mut [0; 1]) {
            Ok(1..) => Written::Grew,
            // Whatever it is, all that was announced has been read.
            Ok(0) | Err(_) => Written::Whole,
        }
    }
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let buffer = &mut buffer[..wanted];
        if buffer.is_empty() {
            return Ok(0);
        }
        let mut count = 0;
        if !self.padding {
            match self.file.read(buffer) {
                Ok(read) => count = read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => self.error = Some(error),
            }
        }
        if count == 0 {
            self.padding = true;
            buffer.fill(0);
            count = buffer.len();
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// The writer behind its compressor.
enum Packed<W: Write> {
    Plain(W),
    Gzip(GzEncoder<W>),
    /// Boxed, for it is some hundred bytes.
    Bzip2(Box<BzEncoder<W>>),
}

impl<W: Write> Packed<W> {
    fn writer(&mut self) -> &mut W {
        match self {
            Packed::Plain(writer) => writer,
            Packed::Gzip(encoder) => encoder.get_mut(),
            Packed::Bzip2(encoder) => encoder.get_mut(),
        }
    }

    fn finish(self) -> io::Result<W> {
        match self {
            Packed::Plain(writer) => Ok(writer),
            Packed::Gzip(encoder) => encoder.finish(),
            Packed::Bzip2(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Packed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A compressor may swallow gigabytes of zeros before it writes a byte. The empty write
        // lets the writer say in time that nobody wants the archive any more.
        let _ = self.writer().write(&[])?;
        match self {
            Packed::Plain(writer) => writer.write(bytes),
            Packed::Gzip(encoder) => encoder.write(bytes),
            Packed::Bzip2(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Packed::Plain(writer) => writer.flush(),
            Packed::Gzip(encoder) => encoder.flush(),
            Packed::Bzip2(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{self, Read};

    use super::*;
    use crate::steps::transfers::tree::Tree;

    /// The archive of a directory with the file `f` of these bytes, after `change` has been at what
    /// is known of the file; how it went, and the files in the archive.
    fn archived(
        name: &str,
        content: &[u8],
        change: impl Fn(&mut Member),
    ) -> (Vec<Written>, Vec<(String, Vec<u8>)>) {
        let root = std::env::temp_dir().join(format!("coracle-{name}-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("f"), content).unwrap();
        fs::write(root.join("g"), "after").unwrap();
        let mut archive = Archive::new(Vec::new(), Compression::None);
        let mut results = Vec::new();
        for member in Tree::new(&root) {
            let mut member = member.unwrap();
            if member.name == b"f" {
                change(&mut member);
            }
            results.push(archive.add(&member).unwrap());
        }
        let bytes = archive.finish().unwrap();
        fs::remove_dir_all(&root).unwrap();
        (results, files(&bytes))
    }

    fn files(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.path().unwrap().display().to_string(), content)
        });
        entries.collect()
    }

    #[test]
    fn a_file_that_shrinks_is_filled_with_zeros() {
        let (results, files) = archived("shrinks", b"short", |member| member.stat.size = 600);
        assert!(matches!(results[1], Written::Shrank), "{results:?}");
        let mut expected = b"short".to_vec();
        expected.resize(600, 0);
        assert_eq!(files[1], ("f".to_owned(), expected));
        assert_eq!(files[2], ("g".to_owned(), b"after".to_vec()));
    }

    #[test]
    fn a_file_that_grows_is_sent_as_long_as_it_was() {
        let (results, files) = archived("grows", b"0123456789", |member| member.stat.size = 4);
        assert!(matches!(results[1], Written::Grew), "{results:?}");
        assert_eq!(files[1], ("f".to_owned(), b"0123".to_vec()));
        assert_eq!(files[2], ("g".to_owned(), b"after".to_vec()));
    }

    #[test]
    fn a_file_that_vanishes_or_cannot_be_read_leaves_the_rest_readable() {
        let (results, files) = archived("vanishes", b"", |member| member.path.push("x"));
        assert!(matches!(results[1], Written::Missing(_)), "{results:?}");
        assert_eq!(files[1], ("g".to_owned(), b"after".to_vec()));

        // A directory can be opened but not read.
        let unreadable = |member: &mut Member| {
            member.path.pop();
            member.stat.size = 10;
        };
        let (results, files) = archived("unreadable", b"", unreadable);
        assert!(matches!(results[1], Written::Failed(_)), "{results:?}");
        assert_eq!(files[1], ("f".to_owned(), vec![0; 10]));
        assert_eq!(files[2], ("g".to_owned(), b"after".to_vec()));
    }

    #[test]
    fn a_writer_that_wants_no_more_is_heard_before_anything_comes_out_of_the_compressor() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::Other.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for compression in [Compression::None, Compression::Gzip, Compression::Bzip2] {
            let mut archive = Archive::new(Closed, compression);
            let member = Tree::new(&std::env::temp_dir()).next().unwrap().unwrap();
            assert!(archive.add(&member).is_err(), "{compression:?}");
        }
    }
}
