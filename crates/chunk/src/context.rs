//! What a passage is about, from the title and headings above it.

use rummage_corpus::{Document, Heading};

use crate::{Tokenizer, count::TokenStarts};

const SEPARATOR: &str = " › ";

/// Walks a document's headings along with its passages.
pub(crate) struct Contexts<'a> {
    title: Option<&'a str>,
    /// Not yet reached.
    ahead: &'a [Heading],
    /// Those in force, outermost first; levels rise strictly.
    sections: Vec<&'a Heading>,
    tokenizer: &'a Tokenizer,
    /// The most tokens of a context, its line end included.
    tokens: usize,
    /// The parts of the last context and what became of them: neighbours share it.
    last: (Vec<&'a str>, String),
}

impl<'a> Contexts<'a> {
    pub fn new(document: &'a Document, tokenizer: &'a Tokenizer, tokens: usize) -> Self {
        Self {
            title: document.title.as_deref(),
            ahead: &document.headings,
            sections: Vec::new(),
            tokenizer,
            tokens,
            last: Default::default(),
        }
    }

    /// The context of the passage whose first word is at `start`. A heading that
    /// begins the passage is not repeated. Invariant: `start` never falls.
    pub fn of(&mut self, start: usize) -> String {
        while let Some((heading, ahead)) = self.ahead.split_first()
            && heading.at <= start
        {
            self.sections
                .truncate(self.sections.partition_point(|section| section.level < heading.level));
            self.sections.push(heading);
            self.ahead = ahead;
        }
        let title =
            self.title.filter(|title| self.sections.iter().all(|section| section.text != *title));
        let above = self.sections.iter().filter(|section| section.at < start);
        let parts: Vec<_> =
            title.into_iter().chain(above.map(|section| section.text.as_str())).collect();
        if parts != self.last.0 {
            let context = self.fit(&parts);
            self.last = (parts, context);
        }
        self.last.1.clone()
    }

    /// As many of the innermost parts as there is room for; of a single one too
    /// long, its beginning.
    fn fit(&self, parts: &[&str]) -> String {
        let fits = |context: &String| self.tokenizer.count(&format!("{context}\n")) <= self.tokens;
        (0..parts.len())
            .map(|outermost| parts[outermost..].join(SEPARATOR))
            .find(fits)
            .or_else(|| parts.last().map(|part| self.beginning(part)))
            .unwrap_or_default()
    }

    /// Whole words, as many as there is room for.
    fn beginning(&self, text: &str) -> String {
        let starts = TokenStarts::new(text, self.tokenizer);
        // One token is kept for the line end.
        let room = starts.first(self.tokens.saturating_sub(1));
        let end = room.rfind(char::is_whitespace).unwrap_or(0);
        room[..end].trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use rummage_corpus::Structure;

    use super::*;
    use crate::tokenizer::testing::tokenizer;

    fn document(title: Option<&str>, headings: &[(u8, &str, usize)]) -> Document {
        Document {
            title: title.map(str::to_owned),
            headings: headings
                .iter()
                .map(|(level, text, at)| Heading { level: *level, text: (*text).into(), at: *at })
                .collect(),
            ..Document::plain("", Structure::Prose)
        }
    }

    #[track_caller]
    fn check(document: &Document, tokens: usize, expected: &[(usize, &str)]) {
        let tokenizer = tokenizer();
        let mut contexts = Contexts::new(document, &tokenizer, tokens);
        for (start, context) in expected {
            assert_eq!(contexts.of(*start), *context, "at {start}");
        }
    }

    #[test]
    fn sections_close_when_one_of_their_level_opens() {
        let document = document(
            Some("guide"),
            &[(1, "one", 0), (2, "two", 10), (3, "three", 20), (2, "four", 30), (1, "two", 40)],
        );
        check(
            &document,
            50,
            &[
                (0, "guide"),
                (5, "guide › one"),
                (15, "guide › one › two"),
                (20, "guide › one › two"),
                (25, "guide › one › two › three"),
                (30, "guide › one"),
                (31, "guide › one › four"),
                (40, "guide"),
                (45, "guide › two"),
            ],
        );
    }

    #[test]
    fn a_title_that_is_a_heading_is_named_once() {
        let document = document(Some("one"), &[(1, "one", 5)]);
        check(&document, 50, &[(0, "one"), (5, ""), (9, "one")]);
    }

    #[test]
    fn the_innermost_parts_are_kept_when_room_is_short() {
        let headings = [(1, "one two three", 0), (2, "four one two", 1), (3, "two", 2)];
        let document = document(None, &headings);
        check(&document, 6, &[(5, "four one two › two")]);
        check(&document, 3, &[(5, "two")]);
        check(&document, 0, &[(5, "")]);
        check(&document, 2, &[(1, "one"), (2, "four")]);
    }
}
