//! Where to cut a file into blocks so that each can be read as text alone.

/// How many bytes at the end of a block belong to a character that goes on behind it: 0 to 3.
///
/// A master that is asked for the content of a file as text decodes each block on its own
/// (PROTOCOL 6.10). Bytes that do not begin a character are left where they are.
pub(super) fn begun_character(block: &[u8]) -> usize {
    let tail = &block[block.len().saturating_sub(3)..];
    for (index, &byte) in tail.iter().enumerate().rev() {
        let have = tail.len() - index;
        match byte {
            // A continuation: its beginning is further in front.
            0x80..=0xbf => {}
            0xc2..=0xdf => return if have < 2 { have } else { 0 },
            0xe0..=0xef => return if have < 3 { have } else { 0 },
            0xf0..=0xf4 => return have,
            _ => return 0,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_cut_anywhere_is_found() {
        for text in ["aé", "a€", "a😀"] {
            let bytes = text.as_bytes();
            for length in 1..=bytes.len() {
                let begun = if length == bytes.len() { 0 } else { length - 1 };
                assert_eq!(begun_character(&bytes[..length]), begun, "{text} {length}");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_left_alone() {
        for bytes in [
            &b""[..],
            b"a",
            b"\xff",
            b"\xc0",
            b"\x80\x80\x80",
            b"\xf5\x80",
            b"\xc3\xa9",
        ] {
            assert_eq!(begun_character(bytes), 0, "{bytes:?}");
        }
    }
}
