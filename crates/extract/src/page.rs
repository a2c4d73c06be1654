//! The text of a document as it grows: white space, line and paragraph ends,
//! headings, pages. It knows no tags and no format.

use rummage_corpus::{Document, Heading, Structure};

use crate::single_spaced;

/// A longer heading was never closed and holds the page instead.
const MAX_HEADING_BYTES: usize = 1000;

/// What stands between two words. The greatest of several wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Break {
    #[default]
    None,
    Space,
    Cell,
    Line,
    Paragraph,
}

impl Break {
    const fn text(self) -> &'static str {
        match self {
            Break::None => "",
            Break::Space => " ",
            Break::Cell => "\t",
            Break::Line => "\n",
            Break::Paragraph => "\n\n",
        }
    }
}

struct OpenHeading {
    level: u8,
    /// Where its first word begins, once there is one.
    at: Option<usize>,
}

#[derive(Default)]
pub(crate) struct Page {
    text: String,
    /// Written before the next word, if one comes.
    pending: Break,
    /// How deep in preformatted elements.
    preformatted: usize,
    /// The line end right behind `<pre>` is not part of it.
    skip_line_end: bool,
    title: String,
    title_closed: bool,
    open_heading: Option<OpenHeading>,
    headings: Vec<Heading>,
    pages: Vec<usize>,
    /// Begun since the last word.
    pages_begun: usize,
}

impl Page {
    pub fn break_at_least(&mut self, kind: Break) {
        self.pending = self.pending.max(kind);
        self.skip_line_end = false;
    }

    pub fn push(&mut self, text: &str) {
        for char in text.chars() {
            match char {
                // A soft hyphen is unseen and would keep the word from being found.
                '\u{ad}' => {}
                _ if self.preformatted > 0 => self.push_preformatted(char),
                _ if char.is_whitespace() => self.pending = self.pending.max(Break::Space),
                _ => self.push_visible(char),
            }
        }
    }

    fn push_preformatted(&mut self, char: char) {
        let skipped = std::mem::take(&mut self.skip_line_end) && char == '\n';
        if !char.is_whitespace() {
            self.push_visible(char);
        } else if !skipped {
            self.write_pending();
            self.write_pages();
            self.text.push(char);
        }
    }

    fn push_visible(&mut self, char: char) {
        self.write_pending();
        self.write_pages();
        if let Some(heading) = &mut self.open_heading {
            heading.at.get_or_insert(self.text.len());
        }
        self.text.push(char);
    }

    fn write_pending(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if pending == Break::None {
            return;
        }
        // Preformatted text may have ended in white space of its own.
        self.text.truncate(self.text.trim_end().len());
        if !self.text.is_empty() {
            self.text.push_str(pending.text());
        }
    }

    /// A page begins with its first word; one without words begins with the next.
    fn write_pages(&mut self) {
        let begun = std::mem::take(&mut self.pages_begun);
        self.pages.extend(std::iter::repeat_n(self.text.len(), begun));
    }

    pub fn begin_page(&mut self) {
        self.break_at_least(Break::Paragraph);
        self.pages_begun += 1;
    }

    /// Joins the halves of a word that was parted at a line's end.
    pub fn drop_hyphen(&mut self) {
        if self.pending == Break::None && self.text.ends_with(['-', '\u{2010}']) {
            self.text.pop();
        }
    }

    /// Text in lines, with empty ones between paragraphs.
    pub fn push_lines(&mut self, text: &str) {
        let mut is_parted = false;
        for line in text.lines().map(str::trim) {
            if is_parted && line.starts_with(char::is_lowercase) {
                self.drop_hyphen();
            } else {
                self.break_at_least(if line.is_empty() { Break::Paragraph } else { Break::Line });
            }
            self.push(line);
            let word = line.strip_suffix(['-', '\u{2010}']);
            is_parted = word.is_some_and(|word| word.ends_with(char::is_alphabetic));
        }
    }

    /// How many bytes of text there are so far.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    pub fn open_preformatted(&mut self) {
        self.break_at_least(Break::Paragraph);
        self.preformatted += 1;
        self.skip_line_end = true;
    }

    pub fn close_preformatted(&mut self) {
        self.break_at_least(Break::Paragraph);
        self.preformatted = self.preformatted.saturating_sub(1);
    }

    pub fn open_heading(&mut self, level: u8) {
        self.close_heading();
        self.open_heading = Some(OpenHeading { level, at: None });
    }

    pub fn close_heading(&mut self) {
        self.break_at_least(Break::Paragraph);
        let Some(OpenHeading { level, at: Some(at) }) = self.open_heading.take() else {
            return;
        };
        if self.text.len() - at <= MAX_HEADING_BYTES {
            let text = single_spaced(&self.text[at..]);
            self.headings.push(Heading { level, text, at });
        }
    }

    /// A heading of one piece, on a line of its own.
    pub fn push_heading(&mut self, level: u8, text: &str) {
        self.open_heading(level);
        self.push(text);
        self.close_heading();
    }

    /// Closes what was left open, before another text follows on the same page.
    pub fn close_all(&mut self) {
        self.close_heading();
        self.preformatted = 0;
    }

    /// Only the first title counts.
    pub fn push_title(&mut self, text: &str) {
        if !self.title_closed {
            self.title.push_str(text);
        }
    }

    pub fn close_title(&mut self) {
        self.title_closed = true;
    }

    pub fn finish(mut self) -> Document {
        self.close_heading();
        self.text.truncate(self.text.trim_end().len());
        self.write_pages();
        let title =
            Some(single_spaced(&self.title)).filter(|title| !title.is_empty()).or_else(|| {
                let first = self.headings.iter().find(|heading| heading.level == 1);
                first.map(|heading| heading.text.clone())
            });
        Document {
            title,
            structure: Structure::Prose,
            text: self.text,
            headings: self.headings,
            pages: self.pages,
            parts: Vec::new(),
            caveats: Vec::new(),
        }
    }
}
