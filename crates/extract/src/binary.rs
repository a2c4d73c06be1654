//! Whether bytes are anything but text, by well-known beginnings and by control
//! characters. It knows no encoding: UTF-16 must be ruled out before asking.

/// Looked at from the start of a file.
const HEAD_BYTES: usize = 64 << 10;

/// Looked at in the middle and at the end of a longer file: an installer may
/// begin as a script and go on as an archive.
const PROBE_BYTES: usize = 16 << 10;

/// Noise has 10 control characters in 100 bytes, text has almost none.
const BYTES_PER_CONTROL: usize = 32;

/// Beginnings of formats that could pass for text, or that say so at once.
const MAGIC: &[(usize, &[u8])] = &[
    (0, b"%PDF-"),
    (0, b"\x89PNG\r\n\x1a\n"),
    (0, b"\xff\xd8\xff"),
    (0, b"GIF87a"),
    (0, b"GIF89a"),
    (0, b"RIFF"),
    (0, b"II*\0"),
    (0, b"MM\0*"),
    (0, b"PK\x03\x04"),
    (0, b"PK\x05\x06"),
    (0, b"\x1f\x8b"),
    (0, b"BZh"),
    (0, b"\xfd7zXZ\0"),
    (0, b"7z\xbc\xaf\x27\x1c"),
    (0, b"Rar!\x1a\x07"),
    (0, b"\x28\xb5\x2f\xfd"),
    (0, b"\x04\x22\x4d\x18"),
    (257, b"ustar"),
    (0, b"\x7fELF"),
    (0, b"MZ\x90\0"),
    (0, b"\xca\xfe\xba\xbe"),
    (0, b"\xcf\xfa\xed\xfe"),
    (0, b"\0asm"),
    (0, b"!<arch>\n"),
    (0, b"SQLite format 3\0"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    (0, b"PAR1"),
    (0, b"\x89HDF\r\n\x1a\n"),
    (0, b"\x93NUMPY"),
    (0, b"ID3\x03"),
    (0, b"ID3\x04"),
    (0, b"OggS\0"),
    (0, b"fLaC"),
    (4, b"ftyp"),
    (0, b"\x1aE\xdf\xa3"),
    (0, b"wOFF"),
    (0, b"wOF2"),
    (0, b"OTTO\0"),
    (0, b"\0\x01\0\0\0"),
];

/// Whether a format that holds no plain text is known by its first bytes.
pub(crate) fn has_magic(bytes: &[u8]) -> bool {
    MAGIC.iter().any(|(at, magic)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)))
}

/// Whether a NUL or too many control characters stand where it was looked.
pub(crate) fn looks_binary(bytes: &[u8]) -> bool {
    samples(bytes).any(|sample| {
        let controls = sample.iter().filter(|byte| is_control(**byte)).count();
        controls * BYTES_PER_CONTROL > sample.len() || sample.contains(&0)
    })
}

/// The parts of a file that stand for all of it.
fn samples(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (head, rest) = bytes.split_at(bytes.len().min(HEAD_BYTES));
    let middle = &rest[rest.len() / 2..];
    let tail = &rest[rest.len().saturating_sub(PROBE_BYTES)..];
    [head, &middle[..middle.len().min(PROBE_BYTES)], tail].into_iter()
}

/// Tab, line feed, form feed and carriage return are text; so are the backspace
/// and the escape that coloured and struck-over terminal output holds.
const fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=7 | 11 | 14..=26 | 28..=31 | 127)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_formats_are_seen() {
        for bytes in [
            &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..],
            b"\xff\xd8\xff\xe0\0\x10JFIF",
            b"GIF89a",
            b"%PDF-1.7\n",
            b"PK\x03\x04\x14\0",
            b"\x7fELF\x02\x01",
            b"\x1f\x8b\x08\0",
            b"SQLite format 3\0",
            b"\0\0\0\x20ftypisom",
        ] {
            assert!(has_magic(bytes), "{bytes:?}");
        }
        assert!(!has_magic(b"PDF is a format"));
        assert!(!has_magic(b""));
    }

    #[test]
    fn control_characters_tell() {
        assert!(looks_binary(b"text\0text"));
        assert!(looks_binary(b"\x01\x02abc"));
        assert!(!looks_binary(b"a\tb\r\nc\x0c"));
        assert!(!looks_binary(b"\x1b[31mred\x1b[0m"));
        assert!(!looks_binary("Zürich".as_bytes()));
        assert!(!looks_binary(b""));
    }

    #[test]
    fn an_archive_behind_a_script_is_seen() {
        let mut bytes = b"echo unpacking\n".repeat(10_000);
        assert!(!looks_binary(&bytes));
        bytes.extend([0; 10]);
        assert!(looks_binary(&bytes));
    }
}
