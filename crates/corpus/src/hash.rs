//! Content hashes: how a file or a passage is known again.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The first 128 bits of a BLAKE3 hash. Two different contents among 13 million
/// share one with a probability below 10⁻²⁴.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContentHash([u8; 16]);

impl ContentHash {
    /// The hash of one run of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::cut(blake3::hash(bytes))
    }

    /// The hash of several parts, kept apart: `["ab", "c"]` and `["a", "bc"]` differ.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self::cut(hasher.finalize())
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    fn cut(hash: blake3::Hash) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        Self(bytes)
    }
}

/// 32 lower-case hexadecimal digits.
impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

/// The text is not 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseHashError;

impl fmt::Display for ParseHashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a content hash is 32 hexadecimal digits")
    }
}

impl std::error::Error for ParseHashError {}

impl FromStr for ContentHash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        let text: &[u8; 32] = text.as_bytes().try_into().map_err(|_| ParseHashError)?;
        let mut bytes = [0; 16];
        // One by one for a million rows when an index is opened: worth a table.
        let mut all = 0;
        for (byte, digits) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let [high, low] = [VALUES[digits[0] as usize], VALUES[digits[1] as usize]];
            all |= high | low;
            *byte = high << 4 | low;
        }
        if all == NO_DIGIT { Err(ParseHashError) } else { Ok(Self(bytes)) }
    }
}

/// Has bits that no digit's value has.
const NO_DIGIT: u8 = 0xff;

/// What each byte is worth as a hexadecimal digit.
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit] as usize] = digit as u8;
        values[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_from_its_text() {
        let hash = ContentHash::of(b"rummage");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string().to_uppercase().parse(), Ok(hash));
        let broken = hash.to_string().replace(['a', '1'], "g");
        for text in ["xyz", &broken, &"é".repeat(16)] {
            assert_eq!(text.parse::<ContentHash>(), Err(ParseHashError), "{text}");
        }
    }

    #[test]
    fn parts_are_kept_apart() {
        let joined = |parts: [&[u8]; 2]| ContentHash::of_parts(parts);
        assert_ne!(joined([b"ab", b"c"]), joined([b"a", b"bc"]));
    }
}
