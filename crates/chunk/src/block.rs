//! How far a long text is tokenised and split at a time.

/// A block holds a dozen passages of common text, which has 4 to 5 bytes a token.
/// More would be slow: for each passage the splitter may look at the whole rest of
/// its block.
const BYTES_PER_TOKEN: usize = 64;

/// For models that read very long texts.
const MAX_BYTES: usize = 1 << 20;

/// Where the block that begins at `start` ends, for passages of `capacity` tokens:
/// behind a line, else before white space, else between two characters.
pub(crate) fn end(text: &str, start: usize, capacity: usize) -> usize {
    let bytes = capacity.saturating_mul(BYTES_PER_TOKEN).min(MAX_BYTES);
    if text.len() - start <= bytes {
        return text.len();
    }
    let latest = text.floor_char_boundary(start + bytes);
    // Not in the first half, so that every block is worth its while.
    let earliest = text.ceil_char_boundary(start + bytes / 2);
    let window = &text[earliest..latest];
    let line_end = window.rfind('\n').map(|at| earliest + at + 1);
    line_end.or_else(|| window.rfind(char::is_whitespace).map(|at| earliest + at)).unwrap_or(latest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of 640 bytes at most.
    #[track_caller]
    fn check(text: &str, start: usize, expected: usize) {
        assert_eq!(end(text, start, 10), expected);
    }

    #[test]
    fn a_block_ends_at_the_best_place() {
        let words = "word ".repeat(1000);
        check("short", 0, 5);
        check(&words, 0, 639);
        check(&words, 4500, 5000);
        check(&format!("{}\n{words}", &words[..400]), 0, 401);
        check(&format!("{}\n{words}", &words[..300]), 0, 635);
        check(&"é".repeat(1000), 2, 642);
        check(&"漢".repeat(1000), 0, 639);
    }

    #[test]
    fn a_block_is_never_empty_nor_without_bound() {
        check("  ", 1, 2);
        assert_eq!(end(&" ".repeat(100), 0, 1), 63);
        assert_eq!(end(&"x".repeat(MAX_BYTES + 1), 0, usize::MAX), MAX_BYTES);
    }
}
