//! Letters with places to words, lines and paragraphs. It knows nothing of PDF.
//!
//! Letters are taken in the order in which the file draws them, which for all
//! common programs is the order of reading, columns included. Each is compared
//! with the one before, along the line of writing and across it.

use hayro_interpret::kurbo::{Point, Vec2};
use rummage_corpus::Document;

use crate::page::{Break, Page};

/// A letter, or several drawn as one, on the page.
pub(super) struct Glyph<'a> {
    pub text: &'a str,
    /// Where it begins and ends on the line.
    pub start: Point,
    pub end: Point,
    /// As large as the font: higher than most letters.
    pub height: f64,
}

/// Parts of the height of letters. A gap within a word is narrower than this, one
/// between words is a quarter on the average and a sixth in tight lines.
const WORD_GAP: f64 = 0.12;

/// A wider gap lies between two columns of a table.
const CELL_GAP: f64 = 1.8;

/// Letters that go further back than this begin something new: accents and kerned
/// pairs go back a little.
const BACKWARDS: f64 = 0.5;

/// Indices and exponents stand off the line by less than this.
const OFF_LINE: f64 = 0.6;

/// Lines further apart than this are of two paragraphs.
const LINE_GAP: f64 = 1.75;

/// The end of the text so far.
struct Last {
    text: String,
    start: Point,
    end: Point,
    /// The direction of writing.
    along: Vec2,
    height: f64,
    /// Whether it is a hyphen behind a letter.
    is_hyphen: bool,
    was_letter: bool,
}

pub(super) struct Layout {
    page: Page,
    last: Option<Last>,
    leftward: Leftward,
}

impl Layout {
    pub fn new(page: Page) -> Self {
        Self { page, last: None, leftward: Leftward::default() }
    }

    pub fn begin_page(&mut self) {
        self.leftward.write(&mut self.page);
        self.page.begin_page();
        self.last = None;
    }

    /// Text that has its lines already.
    pub fn push_lines(&mut self, text: &str) {
        self.leftward.write(&mut self.page);
        self.page.push_lines(text);
        self.last = None;
    }

    pub fn len(&self) -> usize {
        self.page.len()
    }

    pub fn finish(mut self) -> Document {
        self.leftward.write(&mut self.page);
        self.page.finish()
    }

    pub fn push(&mut self, glyph: &Glyph<'_>) {
        if !glyph.height.is_finite() || glyph.height <= 0.0 {
            return;
        }
        // An accent may take no room of its own.
        let along = (glyph.end - glyph.start).normalize();
        let along = match &self.last {
            _ if along.is_finite() => along,
            Some(last) => last.along,
            None => Vec2::new(1.0, 0.0),
        };
        let gap = self.last.as_ref().map_or(Break::None, |last| gap(last, glyph, along));
        if gap == Break::None && self.last.as_ref().is_some_and(|last| is_repeated(last, glyph)) {
            return;
        }
        // Drawn from right to left, letters are in their order already.
        let in_order = self.last.as_ref().is_some_and(|last| goes_left(last, glyph, along));
        if in_order {
            self.leftward.write(&mut self.page);
        } else if self.leftward.take(gap, glyph.text, &mut self.page) {
            return self.follow(glyph, along, gap);
        }
        if gap >= Break::Line
            && self.last.as_ref().is_some_and(|last| last.is_hyphen)
            && glyph.text.starts_with(char::is_lowercase)
        {
            self.page.drop_hyphen();
        } else {
            self.page.break_at_least(gap);
        }
        if glyph.text.chars().all(char::is_whitespace) {
            self.page.break_at_least(Break::Space);
        } else {
            self.page.push(&spelled(glyph.text));
        }
        self.follow(glyph, along, gap);
    }

    fn follow(&mut self, glyph: &Glyph<'_>, along: Vec2, gap: Break) {
        // An accent goes back to its letter; the next letter stands behind that.
        let end = match &self.last {
            Some(last) if gap == Break::None && (glyph.end - last.end).dot(along) < 0.0 => last.end,
            _ => glyph.end,
        };
        let was_letter = self.last.as_ref().is_some_and(|last| last.was_letter);
        self.last = Some(Last {
            text: glyph.text.to_owned(),
            start: glyph.start,
            end,
            along,
            height: glyph.height,
            is_hyphen: was_letter && matches!(glyph.text, "-" | "\u{2010}"),
            was_letter: glyph.text.ends_with(char::is_alphabetic),
        });
    }
}

/// Words of scripts that run to the left. Most programs draw their letters from
/// left to right all the same, so they are gathered and written in reverse.
#[derive(Default)]
struct Leftward {
    /// Each letter with what lies before it.
    letters: Vec<(Break, String)>,
}

impl Leftward {
    /// Takes a letter if it is one of such a word, or white space among such words;
    /// what was gathered is written once another comes.
    fn take(&mut self, gap: Break, text: &str, page: &mut Page) -> bool {
        let is_blank = text.chars().all(char::is_whitespace);
        let goes_on = gap < Break::Line && !self.letters.is_empty() && is_blank;
        if !goes_on && !text.starts_with(runs_leftward) {
            self.write(page);
            return false;
        }
        if gap >= Break::Line {
            self.write(page);
        }
        self.letters.push((gap, text.to_owned()));
        true
    }

    fn write(&mut self, page: &mut Page) {
        let mut letters = std::mem::take(&mut self.letters).into_iter();
        let Some((before, first)) = letters.next() else { return };
        page.break_at_least(before);
        let mut reversed = vec![first];
        for (gap, text) in letters {
            if gap > Break::None {
                reversed.push(" ".to_owned());
            }
            reversed.push(text);
        }
        let ends_blank = reversed.last().is_some_and(|text| text.trim().is_empty());
        reversed.iter().rev().for_each(|text| page.push(text));
        if ends_blank {
            page.break_at_least(Break::Space);
        }
    }
}

/// Letters and signs of Hebrew, Arabic, Syriac, Thaana and their neighbours; their
/// digits run to the right.
fn runs_leftward(char: char) -> bool {
    matches!(char, '\u{590}'..='\u{65f}' | '\u{66a}'..='\u{6ef}' | '\u{6fa}'..='\u{8ff}'
        | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
}

/// What lies between the text so far and the next letter.
fn gap(last: &Last, glyph: &Glyph<'_>, along: Vec2) -> Break {
    // Text in another direction: a label of an axis, a stamp.
    if along.dot(last.along) < 0.9 {
        return Break::Paragraph;
    }
    let height = last.height.max(glyph.height);
    let mut forward = (glyph.start - last.end).dot(along) / height;
    let across = (glyph.start - last.end).dot(Vec2::new(-along.y, along.x)) / height;
    if across.abs() > OFF_LINE {
        // Down by a line is the next one; further down or up is something else.
        return if (-LINE_GAP..0.0).contains(&across) { Break::Line } else { Break::Paragraph };
    }
    if goes_left(last, glyph, along) {
        forward = (last.start - glyph.end).dot(along) / height;
    }
    match forward {
        gap if gap < -BACKWARDS => Break::Line,
        gap if gap > CELL_GAP => Break::Cell,
        gap if gap > WORD_GAP => Break::Space,
        _ => Break::None,
    }
}

/// Whether a letter of a script that runs to the left stands where the next one does.
fn goes_left(last: &Last, glyph: &Glyph<'_>, along: Vec2) -> bool {
    let height = last.height.max(glyph.height);
    let gap = (last.start - glyph.end).dot(along) / height;
    glyph.text.starts_with(runs_leftward)
        && (glyph.start - last.end).dot(along) < -BACKWARDS * height
        && (-BACKWARDS..CELL_GAP).contains(&gap)
}

/// Bold letters are sometimes drawn twice, a hair apart.
fn is_repeated(last: &Last, glyph: &Glyph<'_>) -> bool {
    last.text == glyph.text && (glyph.start - last.start).hypot() < 0.05 * glyph.height
}

/// Letters that are drawn as one, as the letters they stand for.
fn spelled(text: &str) -> std::borrow::Cow<'_, str> {
    let ligature = |char| match char {
        'ﬀ' => Some("ff"),
        'ﬁ' => Some("fi"),
        'ﬂ' => Some("fl"),
        'ﬃ' => Some("ffi"),
        'ﬄ' => Some("ffl"),
        'ﬅ' | 'ﬆ' => Some("st"),
        '\0'..='\u{8}' | '\u{e}'..='\u{1f}' => Some(""),
        _ => None,
    };
    if !text.chars().any(|char| ligature(char).is_some()) {
        return text.into();
    }
    let mut spelled = String::new();
    for char in text.chars() {
        match ligature(char) {
            Some(letters) => spelled.push_str(letters),
            None => spelled.push(char),
        }
    }
    spelled.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters half as wide as high, each piece of text from its place on.
    #[track_caller]
    fn check(pieces: &[(&str, f64, f64)], expected: &str) {
        let mut layout = Layout::new(Page::default());
        layout.begin_page();
        for (text, x, y) in pieces {
            for (nth, char) in text.chars().enumerate() {
                let start = Point::new(x + 5.0 * nth as f64, *y);
                let end = start + Vec2::new(5.0, 0.0);
                let text = char.to_string();
                layout.push(&Glyph { text: &text, start, end, height: 10.0 });
            }
        }
        assert_eq!(layout.finish().text, expected, "{pieces:?}");
    }

    #[test]
    fn gaps_tell_words_and_cells() {
        check(&[("one", 0.0, 0.0), ("two", 17.5, 0.0)], "one two");
        check(&[("one", 0.0, 0.0), ("two", 15.5, 0.0)], "onetwo");
        check(&[("one two", 0.0, 0.0)], "one two");
        check(&[("one", 0.0, 0.0), ("two", 60.0, 0.0)], "one\ttwo");
        check(&[("x", 0.0, 0.0), ("2", 5.0, 4.0), ("y", 10.0, 0.0)], "x2y");
    }

    #[test]
    fn lines_and_paragraphs_are_told_apart() {
        check(&[("one", 0.0, 0.0), ("two", 0.0, -12.0)], "one\ntwo");
        check(&[("one", 0.0, 0.0), ("two", 0.0, -30.0)], "one\n\ntwo");
        // The next column begins further up.
        check(&[("one", 0.0, 0.0), ("two", 90.0, 80.0)], "one\n\ntwo");
    }

    #[test]
    fn parted_words_are_joined() {
        check(&[("ex-", 0.0, 0.0), ("ample", 0.0, -12.0)], "example");
        check(&[("Anglo-", 0.0, 0.0), ("Saxon", 0.0, -12.0)], "Anglo-\nSaxon");
        check(&[("1 -", 0.0, 0.0), ("x", 0.0, -12.0)], "1 -\nx");
    }

    #[test]
    fn letters_drawn_twice_are_read_once() {
        check(&[("o", 0.0, 0.0), ("o", 0.2, 0.0), ("n", 5.0, 0.0)], "on");
        check(&[("ﬁnd", 0.0, 0.0)], "find");
    }

    #[test]
    fn words_that_run_to_the_left_are_read_in_their_order() {
        let word: String = "שלום".chars().rev().collect();
        let words: String = "שלום לך".chars().rev().collect();
        check(&[(&word, 0.0, 0.0)], "שלום");
        check(&[(&words, 0.0, 0.0), ("one", 60.0, 0.0)], "שלום לך\tone");
        check(&[("one", 0.0, 0.0), (&word, 17.5, 0.0), ("two", 0.0, -12.0)], "one שלום\ntwo");
        // Drawn from the right.
        check(&[("ש", 30.0, 0.0), ("ל", 25.0, 0.0), ("ו", 20.0, 0.0), ("ם", 15.0, 0.0)], "שלום");
    }

    #[test]
    fn accents_part_no_word() {
        let mut layout = Layout::new(Page::default());
        layout.begin_page();
        for (text, x, width) in [("e", 0.0, 5.0), ("\u{301}", 2.0, 0.0), ("t", 5.0, 5.0)] {
            let (start, end) = (Point::new(x, 0.0), Point::new(x + width, 0.0));
            layout.push(&Glyph { text, start, end, height: 10.0 });
        }
        assert_eq!(layout.finish().text, "e\u{301}t");
    }

    #[test]
    fn text_may_run_in_any_direction() {
        let mut layout = Layout::new(Page::default());
        layout.begin_page();
        for (nth, text) in ["u", "p", " ", "a"].into_iter().enumerate() {
            let start = Point::new(0.0, 5.0 * nth as f64);
            let end = start + Vec2::new(0.0, 5.0);
            layout.push(&Glyph { text, start, end, height: 10.0 });
        }
        let end = Point::new(5.0, 0.0);
        layout.push(&Glyph { text: "b", start: Point::ZERO, end, height: 10.0 });
        assert_eq!(layout.finish().text, "up a\n\nb");
    }
}
