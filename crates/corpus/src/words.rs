//! How text becomes words, for whoever indexes, asks or shows them: what the index
//! holds, what a query looks for and what a result marks are one analysis.
//!
//! One analysis for all languages, without asking which one a text is in:
//!
//! - Letters are folded: lower case, no accents, one form of what Unicode writes in
//!   several.
//! - Words are stemmed by their script. Latin script goes through the German and
//!   then the English stemmer. Measured on nDCG@10 against each language's own:
//!   German .942 (.942), English .968 (.967), French .755 (.763).
//! - Scripts without spaces between words (Chinese, Japanese, Thai …) and Korean,
//!   whose particles stick to the word, are cut into overlapping pairs. That needs
//!   no dictionary and finds 上海 in 上海市.
//! - `parseConfig` is `parseconfig`, `parse` and `config`; `snake_case` is two words.
//! - Numbers are one word however they are written: 3,200.00 and 3.200,00 are 3200.
//!
//! Changing what comes out of here makes every index stale: see [`ANALYSIS`].

use std::{borrow::Cow, cell::Cell, collections::HashMap};

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

use crate::Span;

/// Names this analysis. What was indexed under another name must be indexed anew.
pub const ANALYSIS: &str = "terms_2";

/// A word as the index knows it, and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Folded and stemmed; letters and digits only.
    pub stem: String,
    /// Bytes of the text. Of parts and wholes, and of pairs, spans overlap.
    pub span: Span,
}

/// The words of a text, in its order, a whole before its parts. A piece of a text
/// that begins and ends between words has a piece of its words.
pub fn words(text: &str) -> Vec<Word> {
    collected(text, true)
}

/// Calls `take` with the stem and the place of each of [`words`], which it need not keep.
pub fn each_word(text: &str, mut take: impl FnMut(&str, Span)) {
    analyse(text, true, &mut take);
}

/// The words to look for when any may match: as [`words`], but of a run of several
/// characters written without spaces only the pairs, since single ones say little.
pub fn query_words(text: &str) -> Vec<Word> {
    collected(text, false)
}

fn collected(text: &str, singles: bool) -> Vec<Word> {
    let mut words = Vec::new();
    analyse(text, singles, &mut |stem, span| words.push(Word { stem: stem.to_owned(), span }));
    words
}

/// The words as one text: each stem after a space.
pub fn joined(words: &[Word]) -> String {
    let mut joined = String::with_capacity(words.iter().map(|word| word.stem.len() + 1).sum());
    for word in words {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(&word.stem);
    }
    joined
}

/// Whether a character belongs to a script that is written without spaces between
/// words, or, as Korean, with more than a word between them.
pub fn is_written_without_spaces(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1100..=0x11FF | 0x1780..=0x17FF
        | 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF
        | 0xFF66..=0xFF9F | 0x20000..=0x3FFFF)
}

/// Longer words are cut: nobody types them, and some files hold megabytes of them.
const WORD_BYTES: usize = 64;

type Take<'a> = &'a mut dyn FnMut(&str, Span);

fn analyse(text: &str, singles: bool, take: Take<'_>) {
    let mut rest = text.char_indices().peekable();
    while let Some((start, first)) = rest.next() {
        if !first.is_alphanumeric() {
            continue;
        }
        let spaceless = is_written_without_spaces(first);
        let mut end = start + first.len_utf8();
        while let Some((at, c)) = rest.next_if(|(_, c)| {
            (c.is_alphanumeric() && is_written_without_spaces(*c) == spaceless) || is_mark(*c)
        }) {
            end = at + c.len_utf8();
        }
        let run = Span::new(start, end);
        if spaceless {
            pairs(text, run, singles, take);
        } else if let Some(number) = Number::at(text, run) {
            while rest.next_if(|(at, _)| *at < number.end).is_some() {}
            number.tell(text, !singles, take);
        } else {
            whole_and_parts(text, run, take);
        }
    }
}

fn is_mark(c: char) -> bool {
    !c.is_ascii() && is_combining_mark(c)
}

fn pairs(text: &str, run: Span, singles: bool, take: Take<'_>) {
    let slice = &text[run.start..run.end];
    let characters: Vec<_> = slice
        .grapheme_indices(true)
        .map(|(at, character)| {
            let start = run.start + at;
            (Span::new(start, start + character.len()), folded(character))
        })
        .filter(|(_, character)| !character.is_empty())
        .collect();
    let singles = singles || characters.len() == 1;
    for (i, (span, character)) in characters.iter().enumerate() {
        if singles {
            take(character, *span);
        }
        if let Some((next, following)) = characters.get(i + 1) {
            take(&format!("{character}{following}"), Span::new(span.start, next.end));
        }
    }
}

fn whole_and_parts(text: &str, run: Span, take: Take<'_>) {
    push(text, run, take);
    let slice = &text[run.start..run.end];
    if slice.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return;
    }
    let mut start = run.start;
    for end in seams(slice).map(|seam| run.start + seam) {
        push(text, Span::new(start, end), take);
        start = end;
    }
    if start > run.start {
        push(text, Span::new(start, run.end), take);
    }
}

fn push(text: &str, span: Span, take: Take<'_>) {
    // Taken out meanwhile: whoever is told of a word may analyse a text.
    thread_local!(static STEMS: Cell<Option<Box<Stems>>> = const { Cell::new(None) });
    let folded = folded(&text[span.start..span.end]);
    let word = &folded[..folded.floor_char_boundary(WORD_BYTES)];
    let mut stems = STEMS.take().unwrap_or_else(|| Box::new(Stems::new()));
    let stem = stems.of(word);
    if !stem.is_empty() {
        take(stem, span);
    }
    STEMS.set(Some(stems));
}

/// Digits in groups, with marks between them: an amount, a decimal, a date, a version, or the
/// cells of a table. So the groups are words, too.
struct Number<'a> {
    groups: Vec<(&'a str, Span)>,
    /// The mark before each group but the first.
    marks: Vec<char>,
    end: usize,
}

/// The most groups of a number, and of one that is no amount.
const GROUPS: usize = 8;
const GROUPS_OF_CODE: usize = 4;

/// Stands for the mark within a number, since words hold letters and digits alone.
const POINT: &str = "d";

impl<'a> Number<'a> {
    /// Of a run, and those that follow it after one mark each. `None` where the run is no
    /// group, or the only one.
    fn at(text: &'a str, run: Span) -> Option<Self> {
        let group = |start: usize| {
            let rest = &text[start..];
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let ends = rest[digits..].chars().next().is_none_or(|c| !c.is_alphanumeric());
            (digits > 0 && ends).then(|| (&rest[..digits], Span::new(start, start + digits)))
        };
        let mut groups = vec![group(run.start).filter(|(_, span)| *span == run)?];
        let (mut marks, mut end) = (Vec::new(), run.end);
        while groups.len() < GROUPS
            && let Some(mark @ ('.' | ',' | '\'' | '’')) = text[end..].chars().next()
            && let Some(next) = group(end + mark.len_utf8())
        {
            marks.push(mark);
            end = next.1.end;
            groups.push(next);
        }
        (!marks.is_empty()).then_some(Self { groups, marks, end })
    }

    /// A whole before its parts. Who asks for an amount asks for no part of it.
    fn tell(&self, text: &str, is_asked: bool, take: Take<'_>) {
        let whole = Span::new(self.groups[0].1.start, self.end);
        let mut tell = |word: &str, span| take(&word[..word.len().min(WORD_BYTES)], span);
        let joined = |groups: &[(&str, Span)], by: &str| {
            groups.iter().map(|(digits, _)| *digits).collect::<Vec<_>>().join(by)
        };
        let is_integer = are_thousands(&self.groups, &self.marks);
        if is_integer {
            tell(&joined(&self.groups, ""), whole);
        }
        let decimals = self.decimals();
        if let Some((before, decimals)) = decimals {
            let integer = joined(before, "");
            let exact = match decimals.trim_end_matches('0') {
                "" => integer.clone(),
                decimals => format!("{integer}{POINT}{decimals}"),
            };
            tell(&exact, whole);
            if !is_asked && exact != integer && before.len() > 1 {
                tell(&integer, Span::new(whole.start, before[before.len() - 1].1.end));
            }
        }
        let is_amount = is_integer || decimals.is_some();
        if !is_amount && self.groups.len() <= GROUPS_OF_CODE {
            tell(&joined(&self.groups, POINT), whole);
        }
        if !is_asked || !is_amount {
            self.groups.iter().for_each(|(_, span)| push(text, *span, take));
        }
    }

    /// What is before the decimals, and these; 1.234 has some, unless it is an integer. A mark
    /// that is there twice stands before none.
    fn decimals(&self) -> Option<(&[(&'a str, Span)], &'a str)> {
        let ((mark, marks), (last, before)) = (self.marks.split_last()?, self.groups.split_last()?);
        let has = matches!(mark, '.' | ',') && !marks.contains(mark);
        (has && are_thousands(before, marks)).then_some((before, last.0))
    }
}

/// Whether these are an integer: one group, or others of three digits behind the same mark.
fn are_thousands(groups: &[(&str, Span)], marks: &[char]) -> bool {
    let [(first, _), rest @ ..] = groups else { return false };
    marks.windows(2).all(|pair| pair[0] == pair[1])
        && rest.iter().all(|(digits, _)| digits.len() == 3)
        && (rest.is_empty() || (first.len() <= 3 && !first.starts_with('0')))
}

/// Where `camelCase`, `HTTPServer` and `utf8` are put together.
fn seams(run: &str) -> impl Iterator<Item = usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Upper,
        Digit,
        Other,
    }
    let kind = |c: char| match c {
        c if c.is_uppercase() => Kind::Upper,
        c if c.is_numeric() => Kind::Digit,
        _ => Kind::Other,
    };
    let letters: Vec<_> = run
        .char_indices()
        .filter(|(_, c)| !is_combining_mark(*c))
        .map(|(at, c)| (at, kind(c)))
        .collect();
    (1..letters.len()).filter_map(move |i| {
        let (at, this) = letters[i];
        let before = letters[i - 1].1;
        let next = letters.get(i + 1).map(|(_, kind)| *kind);
        let is_seam = match (before, this) {
            // The last capital of several begins the word that follows.
            (Kind::Upper, Kind::Upper) => next == Some(Kind::Other),
            (Kind::Upper, Kind::Other) => false,
            (before, this) => before != this,
        };
        is_seam.then_some(at)
    })
}

/// Lower case, without accents, in one form.
fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        let is_folded = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        return if is_folded { text.into() } else { text.to_ascii_lowercase().into() };
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().flat_map(char::to_lowercase) {
        match c {
            c if is_accent(c) => {}
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'þ' => folded.push_str("th"),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            'ة' => folded.push('ه'),
            'ى' => folded.push('ي'),
            c if c.is_alphanumeric() || is_combining_mark(c) => folded.push(c),
            _ => {}
        }
    }
    // Korean syllables and kana with their marks belong together.
    folded.nfc().collect::<String>().into()
}

/// Marks that one may leave out: accents of Latin, Greek and Cyrillic letters, the
/// vowels of Hebrew and Arabic, the tatweel. Those of Indic scripts may not be.
fn is_accent(c: char) -> bool {
    matches!(u32::from(c),
        0x0300..=0x036F | 0x0591..=0x05BD | 0x05BF..=0x05C7 | 0x0640 | 0x064B..=0x065F | 0x0670)
}

/// The stemmers, and what they made of the words seen last: a few words make up
/// most of every text.
struct Stems {
    english: Stemmer,
    german: Stemmer,
    russian: Stemmer,
    greek: Stemmer,
    arabic: Stemmer,
    tamil: Stemmer,
    known: HashMap<String, String, foldhash::fast::RandomState>,
}

/// Words kept with their stems, a thread.
const KNOWN: usize = 20_000;

impl Stems {
    fn new() -> Self {
        Self {
            english: Stemmer::create(Algorithm::English),
            german: Stemmer::create(Algorithm::German),
            russian: Stemmer::create(Algorithm::Russian),
            greek: Stemmer::create(Algorithm::Greek),
            arabic: Stemmer::create(Algorithm::Arabic),
            tamil: Stemmer::create(Algorithm::Tamil),
            known: HashMap::default(),
        }
    }

    fn of(&mut self, word: &str) -> &str {
        if !self.known.contains_key(word) {
            let stem = self.compute(word);
            if self.known.len() >= KNOWN {
                self.known.clear();
            }
            self.known.insert(word.to_owned(), stem);
        }
        &self.known[word]
    }

    fn compute(&self, word: &str) -> String {
        let Some(letter) = word.chars().find(|c| c.is_alphabetic()) else { return word.to_owned() };
        let by = |stemmer: &Stemmer| stemmer.stem(word).into_owned();
        let stem = match u32::from(letter) {
            0x0000..=0x024F | 0x1E00..=0x1EFF => {
                self.english.stem(&self.german.stem(word)).into_owned()
            }
            0x0370..=0x03FF => by(&self.greek),
            0x0400..=0x052F => by(&self.russian),
            0x0600..=0x06FF => by(&self.arabic),
            0x0B80..=0x0BFF => by(&self.tamil),
            _ => word.to_owned(),
        };
        // A stemmer may have its own forms of letters, and may leave nothing.
        if stem.is_empty() { word.to_owned() } else { stem }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stems(words: Vec<Word>) -> Vec<String> {
        words.into_iter().map(|word| word.stem).collect()
    }

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(stems(words(text)), expected, "{text:?}");
    }

    /// Both say the same to the index.
    fn same(one: &str, other: &str) {
        assert_eq!(stems(words(one)), stems(words(other)), "{one:?} {other:?}");
    }

    #[test]
    fn forms_of_a_word_are_one() {
        same("Running RUNS", "run runs");
        same("Zürich résumé STRASSE", "zurich Resume Straße");
        same("Häuser", "Haus");
        same("Versicherungen", "Versicherung");
        same("книги", "книга");
        same("ﬁle ２０２５", "file 2025");
        same("كِتَاب", "كتاب");
        same("Ὀδυσσεύς", "οδυσσευσ");
    }

    #[test]
    fn nothing_that_is_typed_is_lost() {
        check("The Who", &["the", "who"]);
        check("  …!? ", &[]);
        check("don't", &["don", "t"]);
        check("l'école", &["l", "ecol"]);
    }

    #[test]
    fn names_in_programs_are_found_whole_and_by_their_parts() {
        check("parse_config(file.rs)", &["par", "config", "fil", "rs"]);
        check("parseConfig", &["parseconf", "par", "config"]);
        check("HTTPServer2", &["httpserver2", "http", "serv", "2"]);
        check("utf8", &["utf8", "utf", "8"]);
        check("NASA", &["nasa"]);
        check("Paris", &["pari"]);
    }

    #[test]
    fn numbers_are_one_word_however_they_are_written() {
        for amount in ["3200", "3,200", "3.200,00", "3,200.00", "3200.0", "3'200.00", "3’200"] {
            assert_eq!(stems(query_words(amount))[0], "3200", "{amount}");
            assert_eq!(stems(words(amount))[0], "3200", "{amount}");
        }
        check("3,200.00 $3200", &["3200", "3", "200", "00", "3200"]);
        check("1,940.50", &["1940d5", "1940", "1", "940", "50"]);
        check("1940,5", &["1940d5", "1940", "5"]);
        check("0.735", &["0d735", "0", "735"]);
        check("1.234", &["1234", "1d234", "1", "234"]);
        check("1,234,567.25", &["1234567d25", "1234567", "1", "234", "567", "25"]);
        check("1.234.567", &["1234567", "1", "234", "567"]);
        check("12.03.2025", &["12d03d2025", "12", "03", "2025"]);
        check("192.168.1.10", &["192d168d1d10", "192", "168", "1", "10"]);
        check("1,2,3,4,5", &["1", "2", "3", "4", "5"]);
        check("in 2024, 5.", &["in", "2024", "5"]);
        check("v1.2 12.5kg", &["v1", "v", "1", "2", "12", "5kg", "5", "kg"]);
        check("x,7.5x", &["x", "7", "5x", "5", "x"]);
        assert_eq!(stems(query_words("1,940.50 is 12.5 %")), ["1940d5", "is", "12d5"]);
        assert_eq!(stems(query_words("12.03.2025")), ["12d03d2025", "12", "03", "2025"]);
    }

    #[test]
    fn scripts_without_spaces_become_pairs() {
        check("上海市", &["上", "上海", "海", "海市", "市"]);
        check("ガギ", &["ガ", "ガギ", "ギ"]);
        same("ｶﾞｷﾞ", "ガギ");
        check("GPU上", &["gpu", "上"]);
        check("한국", &["한", "한국", "국"]);
        assert_eq!(stems(query_words("上海市 我")), ["上海", "海市", "我"]);
        assert_eq!(words("กำ").len(), 1);
    }

    #[test]
    fn endless_words_are_cut() {
        assert_eq!(words(&"é".repeat(5000))[0].stem.len(), WORD_BYTES);
    }

    #[test]
    fn words_are_joined_by_spaces() {
        assert_eq!(joined(&words("one, two")), "one two");
        assert_eq!(joined(&[]), "");
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![".{0,80}", "[a-cA-C1é上海市ก็ำ가ｶﾞ _.]{0,40}", "[0-9.,' a]{0,20}"]
    }

    proptest! {
        #[test]
        fn words_lie_in_their_text_and_hold_no_space(text in text()) {
            let mut start = 0;
            for Word { stem, span } in words(&text) {
                prop_assert!(span.start >= start && span.end > span.start);
                prop_assert!(text.get(span.start..span.end).is_some());
                prop_assert!(!stem.is_empty() && !stem.contains(char::is_whitespace));
                start = span.start;
            }
        }

        #[test]
        fn a_piece_between_words_has_a_piece_of_the_words(before in text(), piece in text(), after in text()) {
            let text = format!("{before} {piece} {after}");
            let expected: Vec<_> =
                [&before, &piece, &after].into_iter().flat_map(|text| stems(words(text))).collect();
            prop_assert_eq!(stems(words(&text)), expected);
        }

        #[test]
        fn what_is_asked_for_is_among_what_is_indexed(text in text()) {
            let indexed = stems(words(&text));
            for stem in stems(query_words(&text)) {
                prop_assert!(indexed.contains(&stem), "{stem}");
            }
        }
    }
}
