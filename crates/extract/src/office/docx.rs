//! Word documents (DOCX and its templates and macro kinds).

use rummage_corpus::Document;

use super::runs::{self, HeadingStyles};
use crate::{
    NoText,
    package::{Budget, Package},
    page::{Break, Page},
    xml::{self, Node},
};

const FORMAT: &str = "Word document";

/// Read after the document itself, as far as they are there.
const NOTES: &[&str] = &["word/footnotes.xml", "word/endnotes.xml", "word/comments.xml"];

pub(crate) fn read(bytes: &[u8], budget: &Budget) -> Result<Document, NoText> {
    let mut package = Package::open(FORMAT, bytes, budget)?;
    let styles = package.read_if_there("word/styles.xml")?;
    let styles = styles.map_or_else(HeadingStyles::default, |bytes| heading_styles(&bytes));
    let mut page = Page::default();
    if let Some(title) = super::title(FORMAT, &mut package) {
        page.push_title(&title);
    }
    runs::read(FORMAT, &package.read("word/document.xml")?, &styles, &mut page)?;
    for name in
        headers_and_footers(&package).iter().map(String::as_str).chain(NOTES.iter().copied())
    {
        page.break_at_least(Break::Paragraph);
        if let Some(bytes) = package.read_if_there(name)? {
            runs::read(FORMAT, &bytes, &styles, &mut page)?;
        }
    }
    Ok(page.finish())
}

fn headers_and_footers(package: &Package<'_>) -> Vec<String> {
    let is_one = |name: &String| {
        (name.starts_with("word/header") || name.starts_with("word/footer"))
            && name.ends_with(".xml")
    };
    package.names().into_iter().filter(is_one).collect()
}

/// Styles that are named as headings, or say at which level of the outline they are.
fn heading_styles(bytes: &[u8]) -> HeadingStyles {
    let mut styles = HeadingStyles::default();
    let mut style = String::new();
    let walked = xml::walk(FORMAT, bytes, |node| {
        let Node::Open(element) = node else { return };
        let value = || element.attribute("val").unwrap_or_default();
        match element.name() {
            "style" => style = element.attribute("styleId").unwrap_or_default(),
            "name" => {
                let name = value().to_lowercase();
                let level = match name.strip_prefix("heading ") {
                    Some(level) => level.parse().ok().filter(|level| (1..=9).contains(level)),
                    None => (name == "title").then_some(1),
                };
                if let Some(level) = level {
                    styles.insert(style.clone(), u8::min(level, 6));
                }
            }
            "outlineLvl" => {
                if let Ok(level @ 0..=8) = value().parse::<u8>() {
                    styles.insert(style.clone(), (level + 1).min(6));
                }
            }
            _ => {}
        }
    });
    // A document without sound styles has no headings, but its text.
    walked.map_or_else(|_| HeadingStyles::default(), |()| styles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::testing::zip;

    #[test]
    fn text_headings_and_notes_are_found() {
        let styles = "<w:styles><w:style w:styleId='berschrift2'><w:name w:val='heading 2'/></w:style>\
            <w:style w:styleId='Own'><w:name w:val='Own'/><w:pPr><w:outlineLvl w:val='0'/></w:pPr></w:style></w:styles>";
        let body = "<w:document><w:body>\
            <w:p><w:pPr><w:pStyle w:val='Own'/></w:pPr><w:r><w:t>One</w:t></w:r></w:p>\
            <w:p><w:r><w:t>text</w:t></w:r></w:p>\
            <w:p><w:pPr><w:pStyle w:val='berschrift2'/></w:pPr><w:r><w:t>Two</w:t></w:r></w:p>\
            </w:body></w:document>";
        let notes = "<w:footnotes><w:p><w:t>note</w:t></w:p></w:footnotes>";
        let bytes = zip([
            ("docProps/core.xml", "<c><dc:title>The guide</dc:title></c>"),
            ("word/styles.xml", styles),
            ("word/document.xml", body),
            ("word/footnotes.xml", notes),
            ("word/header1.xml", "<w:hdr><w:p><w:t>head</w:t></w:p></w:hdr>"),
        ]);
        let document = read(&bytes, &Budget::new()).unwrap();
        assert_eq!(document.title.as_deref(), Some("The guide"));
        assert_eq!(document.text, "One\n\ntext\n\nTwo\n\nhead\n\nnote");
        let headings: Vec<_> =
            document.headings.iter().map(|heading| (heading.level, &*heading.text)).collect();
        assert_eq!(headings, [(1, "One"), (2, "Two")]);
    }

    #[test]
    fn a_package_without_a_document_is_damaged() {
        let bytes = zip([("word/styles.xml", "<a/>")]);
        assert!(matches!(read(&bytes, &Budget::new()), Err(NoText::Damaged { .. })));
    }
}
