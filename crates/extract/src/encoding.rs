//! Bytes to text, whatever their encoding. It knows nothing of what the text
//! means, save the names of encodings that markup and source files declare.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::binary;

/// UTF-16 without a mark is looked for in this many bytes.
const SAMPLE_BYTES: usize = 64 << 10;

/// A declared encoding stands among a file's first bytes (HTML asks for 1,024).
const DECLARATION_BYTES: usize = 1024;

/// The detector is fed from the first byte that is not ASCII on; more tells it
/// nothing new.
const DETECTION_BYTES: usize = 256 << 10;

/// At least this many sound sequences for each broken one, and a text is UTF-8
/// with damage rather than in some older encoding.
const SOUND_PER_BROKEN: usize = 4;

/// The text, or `None` where the bytes are none. Bytes that make no character
/// become U+FFFD; a byte order mark is left out.
pub(crate) fn decode(bytes: &[u8]) -> Option<String> {
    if let Some(text) = decode_marked(bytes) {
        return Some(text);
    }
    if binary::has_magic(bytes) {
        return None;
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        return Some(decode_as(encoding, bytes));
    }
    if binary::looks_binary(bytes) {
        return None;
    }
    Some(match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) if is_mostly_utf8(bytes) => decode_as(UTF_8, bytes),
        Err(_) => decode_as(declared(bytes).unwrap_or_else(|| guess(bytes)), bytes),
    })
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8]) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// By byte order mark. UTF-32 comes first, since its mark begins with that of UTF-16.
fn decode_marked(bytes: &[u8]) -> Option<String> {
    if let Some(body) = bytes.strip_prefix(b"\xff\xfe\0\0") {
        return Some(decode_utf32(body, u32::from_le_bytes));
    }
    if let Some(body) = bytes.strip_prefix(b"\0\0\xfe\xff") {
        return Some(decode_utf32(body, u32::from_be_bytes));
    }
    let (encoding, mark_bytes) = Encoding::for_bom(bytes)?;
    Some(decode_as(encoding, &bytes[mark_bytes..]))
}

fn decode_utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> String {
    let (units, cut) = bytes.as_chunks::<4>();
    let last = (!cut.is_empty()).then_some(char::REPLACEMENT_CHARACTER);
    units
        .iter()
        .map(|bytes| char::from_u32(unit(*bytes)).unwrap_or(char::REPLACEMENT_CHARACTER))
        .chain(last)
        .collect()
}

/// The byte order of UTF-16 that no mark announces. Spaces, digits and line ends
/// have a zero byte, always on the same side, in nearly every language's text.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let (units, _) = sample.as_chunks::<2>();
    let zeros = |side: usize| units.iter().filter(|unit| unit[side] == 0).count();
    let encoding = match (zeros(0), zeros(1)) {
        (0, low) if low * 16 >= units.len() && low > 0 => UTF_16LE,
        (high, 0) if high * 16 >= units.len() && high > 0 => UTF_16BE,
        _ => return None,
    };
    // The sample may end between the halves of a pair, but nowhere else in one.
    let text = decode_as(encoding, units.as_flattened());
    let sound = text.chars().rev().skip(1).all(is_written);
    (sound && bytes.len().is_multiple_of(2)).then_some(encoding)
}

/// Neither a control character nor a place that stands for none.
fn is_written(char: char) -> bool {
    char != char::REPLACEMENT_CHARACTER
        && (!char.is_control() || matches!(char, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}'))
}

fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut sound, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        // Each character of several bytes has exactly one leading byte.
        sound += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    sound >= broken * SOUND_PER_BROKEN
}

/// What the text says of itself: `charset=…` in HTML, `encoding="…"` in XML,
/// `coding: …` in source files. Unicode is not believed, since it was tried.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(DECLARATION_BYTES)].to_ascii_lowercase();
    ["charset", "coding"].iter().find_map(|word| {
        let at = head.windows(word.len()).position(|window| window == word.as_bytes())?;
        let rest = head[at + word.len()..].trim_ascii_start();
        let rest = rest.strip_prefix(b"=").or_else(|| rest.strip_prefix(b":"))?.trim_ascii_start();
        let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
        let end = rest
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric() && !b"-_:.".contains(byte))
            .unwrap_or(rest.len());
        Encoding::for_label(&rest[..end])
            .filter(|encoding| ![UTF_8, UTF_16BE, UTF_16LE].contains(encoding))
    })
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let start = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
    let part = &bytes[start..bytes.len().min(start + DETECTION_BYTES)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(part, true);
    detector.guess(None, Utf8Detection::Deny)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: Option<&str>) {
        assert_eq!(decode(bytes).as_deref(), expected, "{bytes:?}");
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    fn utf32(text: &str, bytes: fn(u32) -> [u8; 4]) -> Vec<u8> {
        text.chars().flat_map(|char| bytes(char.into())).collect()
    }

    #[test]
    fn utf8_stays_as_it_is() {
        check(b"", Some(""));
        check(b"a\r\nb\rc\n", Some("a\r\nb\rc\n"));
        check("Zürich, 東京 😀".as_bytes(), Some("Zürich, 東京 😀"));
        check("\u{feff}marked".as_bytes(), Some("marked"));
    }

    #[test]
    fn wide_encodings_are_read_with_a_mark() {
        let text = "Zürich, 東京 😀";
        let marked = format!("\u{feff}{text}");
        check(&utf16(&marked, u16::to_le_bytes), Some(text));
        check(&utf16(&marked, u16::to_be_bytes), Some(text));
        check(&utf32(&marked, u32::to_le_bytes), Some(text));
        check(&utf32(&marked, u32::to_be_bytes), Some(text));
        check(b"\xff\xfe\0\0a\0\0\0b", Some("a\u{fffd}"));
        check(b"\0\0\xfe\xff\0\x11\0\0", Some("\u{fffd}"));
    }

    #[test]
    fn utf16_is_known_without_a_mark() {
        for text in ["plain words\r\n", "Привет, мир 1", "été à Zürich"] {
            check(&utf16(text, u16::to_le_bytes), Some(text));
            check(&utf16(text, u16::to_be_bytes), Some(text));
        }
        check(&[1, 0, 2, 0, 3, 0, 4, 0], None);
    }

    #[test]
    fn a_damaged_utf8_text_keeps_all_that_is_sound() {
        check(b"\xc3\xa9t\xc3\xa9 \xc3\xa0 Z\xc3\xbcrich \xff!", Some("été à Zürich \u{fffd}!"));
    }

    #[test]
    fn older_encodings_are_guessed() {
        check(b"Le caf\xe9 est ferm\xe9 \xe0 midi", Some("Le café est fermé à midi"));
        check(
            b"\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0?",
            Some("Привет, как дела?"),
        );
        let japanese = "これは日本語の文章です。";
        check(&encoding_rs::SHIFT_JIS.encode(japanese).0, Some(japanese));
        check(&encoding_rs::EUC_JP.encode(japanese).0, Some(japanese));
        let chinese = "这是一个中文句子，用来测试。";
        check(&encoding_rs::GBK.encode(chinese).0, Some(chinese));
    }

    #[test]
    fn a_declared_encoding_is_believed() {
        check(
            b"<meta charset=\"iso-8859-2\"><p>\xbe\xf3\xb3w",
            Some("<meta charset=\"iso-8859-2\"><p>žółw"),
        );
        check(
            b"# -*- coding: koi8-r -*-\n# \xd4\xc5\xd3\xd4",
            Some("# -*- coding: koi8-r -*-\n# тест"),
        );
        check(b"<meta charset=utf-8>caf\xe9 ferm\xe9", Some("<meta charset=utf-8>café fermé"));
    }

    #[test]
    fn bytes_without_text_give_none() {
        check(b"\x7fELF\x02\x01\x01", None);
        check(b"text\0and more", None);
        check(&(1..=255).collect::<Vec<u8>>(), None);
    }
}
