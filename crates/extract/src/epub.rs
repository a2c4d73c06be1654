//! Books (EPUB): the chapters of the package's spine, in their order, each read as
//! HTML.

use std::collections::HashMap;

use rummage_corpus::Document;

use crate::{
    NoText, encoding, html,
    package::{Budget, Package, resolve},
    page::{Break, Page},
    xml::{self, Node},
};

const FORMAT: &str = "EPUB book";

pub(crate) fn read(bytes: &[u8], budget: &Budget) -> Result<Document, NoText> {
    let mut package = Package::open(FORMAT, bytes, budget)?;
    let contents = contents(&mut package)?;
    let encrypted = package.read_if_there("META-INF/encryption.xml")?.unwrap_or_default();
    let locked = locked(&encrypted)?;
    if contents.chapters.iter().any(|chapter| locked.contains(chapter)) {
        return Err(NoText::Protected);
    }
    let mut page = Page::default();
    page.push_title(&contents.title);
    page.close_title();
    for chapter in contents.chapters {
        // What a careless packer left out does not make the rest unreadable.
        let Some(bytes) = package.read_if_there(&chapter)? else { continue };
        page.break_at_least(Break::Paragraph);
        if let Some(text) = encoding::decode(&bytes) {
            page = html::read_into(page, &text, true);
        }
    }
    Ok(page.finish())
}

struct Contents {
    title: String,
    /// Names of the chapters' files, in reading order.
    chapters: Vec<String>,
}

fn contents(package: &mut Package<'_>) -> Result<Contents, NoText> {
    let mut root = None;
    xml::walk(FORMAT, &package.read("META-INF/container.xml")?, |node| {
        if let Node::Open(element) = node
            && element.name() == "rootfile"
            && root.is_none()
        {
            root = element.attribute("full-path");
        }
    })?;
    let root = root.unwrap_or_default();
    let bytes = package.read(&root)?;
    let mut files = HashMap::new();
    let mut spine = Vec::new();
    xml::walk(FORMAT, &bytes, |node| {
        let Node::Open(element) = node else { return };
        let attribute = |name| element.attribute(name).unwrap_or_default();
        match element.name() {
            "item" if attribute("media-type").contains("html") => {
                files.insert(attribute("id"), resolve(&root, &unquote(&attribute("href"))));
            }
            "itemref" => spine.push(attribute("idref")),
            _ => {}
        }
    })?;
    Ok(Contents {
        title: xml::first_text(FORMAT, &bytes, "title").unwrap_or_default(),
        chapters: spine.iter().filter_map(|id| files.remove(id)).collect(),
    })
}

/// The files that are named as encrypted.
fn locked(encryption: &[u8]) -> Result<Vec<String>, NoText> {
    let mut names = Vec::new();
    if encryption.is_empty() {
        return Ok(names);
    }
    xml::walk(FORMAT, encryption, |node| {
        if let Node::Open(element) = node
            && element.name() == "CipherReference"
        {
            names.extend(element.attribute("URI").map(|name| resolve("", &unquote(&name))));
        }
    })?;
    Ok(names)
}

/// Names in a book are written as in a link: `%20` for a space.
fn unquote(link: &str) -> String {
    let mut bytes = Vec::with_capacity(link.len());
    let mut rest = link.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::testing::zip;

    fn book(encryption: &str) -> Vec<u8> {
        zip([
            ("mimetype", "application/epub+zip"),
            (
                "META-INF/container.xml",
                "<container><rootfiles><rootfile full-path='in/book.opf'/></rootfiles></container>",
            ),
            ("META-INF/encryption.xml", encryption),
            (
                "in/book.opf",
                "<package><metadata><dc:title>The roof</dc:title></metadata><manifest>\
                 <item id='a' href='text/a%20one.xhtml' media-type='application/xhtml+xml'/>\
                 <item id='b' href='b.xhtml' media-type='application/xhtml+xml'/>\
                 <item id='c' href='c.css' media-type='text/css'/></manifest>\
                 <spine><itemref idref='b'/><itemref idref='gone'/><itemref idref='a'/></spine></package>",
            ),
            (
                "in/text/a one.xhtml",
                "<html><head><title/></head><body><h2>Tiles</h2><p>red</p></body></html>",
            ),
            ("in/b.xhtml", "<html><title>no</title><body><h1>Begin</h1>words</body></html>"),
        ])
    }

    #[test]
    fn chapters_come_in_the_order_of_the_spine() {
        let document = read(&book("<encryption/>"), &Budget::new()).unwrap();
        assert_eq!(document.title.as_deref(), Some("The roof"));
        assert_eq!(document.text, "Begin\n\nwords\n\nTiles\n\nred");
        let headings: Vec<_> = document.headings.iter().map(|heading| &*heading.text).collect();
        assert_eq!(headings, ["Begin", "Tiles"]);
    }

    #[test]
    fn a_book_whose_chapters_are_encrypted_is_protected() {
        let encryption =
            |name| format!("<encryption><c:CipherReference URI='{name}'/></encryption>");
        let protected = read(&book(&encryption("in/text/a%20one.xhtml")), &Budget::new());
        assert_eq!(protected, Err(NoText::Protected));
        // Fonts are scrambled in many a free book.
        assert!(read(&book(&encryption("in/font.otf")), &Budget::new()).is_ok());
    }
}
