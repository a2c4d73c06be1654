//! Several documents as one: a message and what is attached to it, the messages of
//! a mailbox, the files of an archive.

use rummage_corpus::{Document, Heading, Part, Structure};

/// The deepest heading that is told from others.
const MAX_LEVEL: u8 = 6;

pub(crate) struct Joined(Document);

impl Default for Joined {
    fn default() -> Self {
        Self(Document::plain("", Structure::Prose))
    }
}

impl Joined {
    /// Adds a document under its name, which is a heading and a line of the text.
    /// Its pages are forgotten: they would not be those of the whole.
    pub fn push(&mut self, level: u8, name: &str, document: Document) {
        let name = crate::single_spaced(name);
        if name.is_empty() {
            return self.append(document);
        }
        let at = self.begin(document.structure);
        self.0.text.push_str(&name);
        self.0.text.push_str("\n\n");
        self.0.headings.push(Heading { level, text: name, at });
        self.extend(level, document);
    }

    /// Adds a document that has its name in itself; one without text is no part.
    pub fn append(&mut self, document: Document) {
        if document.text.trim_end().is_empty() {
            return;
        }
        self.begin(document.structure);
        self.extend(0, document);
    }

    pub fn finish(mut self) -> Document {
        let Document { text, parts, headings, .. } = &mut self.0;
        text.truncate(text.trim_end().len());
        parts.retain(|part| part.at < text.len());
        headings.retain(|heading| heading.at < text.len());
        self.0
    }

    fn begin(&mut self, structure: Structure) -> usize {
        let text = &mut self.0.text;
        text.truncate(text.trim_end().len());
        if text.is_empty() {
            self.0.structure = structure;
        } else {
            text.push_str("\n\n");
            self.0.parts.push(Part { at: text.len(), structure });
        }
        text.len()
    }

    fn extend(&mut self, mut level: u8, document: Document) {
        let base = self.0.text.len();
        let named = |title: &String| document.headings.iter().any(|heading| heading.text == *title);
        if let Some(title) = document.title.filter(|title| !named(title)) {
            level += 1;
            self.0.headings.push(Heading { level, text: title, at: base });
        }
        self.0.headings.extend(document.headings.into_iter().map(|heading| Heading {
            level: (heading.level + level).min(MAX_LEVEL),
            at: base + heading.at,
            ..heading
        }));
        let parts = document.parts.into_iter();
        self.0.parts.extend(parts.map(|part| Part { at: base + part.at, ..part }));
        self.0.text.push_str(&document.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_text_is_no_part() {
        let mut joined = Joined::default();
        joined.append(Document::plain("one", Structure::Prose));
        joined.append(Document::plain(" \n", Structure::Prose));
        joined.push(1, "", Document::plain("", Structure::Prose));
        let document = joined.finish();
        assert_eq!((document.text.as_str(), document.parts.len()), ("one", 0));
    }

    #[test]
    fn each_document_is_a_part_under_its_name() {
        let mut joined = Joined::default();
        joined.push(1, "a.md", Document::plain("one\n", Structure::Markdown));
        let inner = Document {
            title: Some("Inner".into()),
            headings: vec![Heading { level: 1, text: "Deep".into(), at: 2 }],
            ..Document::plain("x Deep", Structure::Prose)
        };
        joined.push(1, " b \n.txt", inner);
        let document = joined.finish();
        assert_eq!(document.text, "a.md\n\none\n\nb .txt\n\nx Deep");
        assert_eq!(document.structure, Structure::Markdown);
        assert_eq!(document.parts, [Part { at: 11, structure: Structure::Prose }]);
        let headings: Vec<_> =
            document.headings.iter().map(|found| (found.level, &*found.text, found.at)).collect();
        assert_eq!(
            headings,
            [(1, "a.md", 0), (1, "b .txt", 11), (2, "Inner", 19), (3, "Deep", 21)]
        );
    }
}
