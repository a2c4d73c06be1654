//! HTML to the text a reader would see, with its title and headings.
//!
//! Only html5ever's tokenizer is used. A tree would be recursion and, for some
//! pages, quadratic work; the text needs neither, since each tag by itself says
//! whether a line or a paragraph ends there.

use std::cell::RefCell;

use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, states::RawKind,
    },
};
use rummage_corpus::Document;

use crate::page::{Break, Page};

/// The document in `text`. In `xml` every element may close itself (`<script/>`),
/// as it may below an XML declaration.
pub(crate) fn read(text: &str, xml: bool) -> Document {
    read_into(Page::default(), text, xml).finish()
}

/// The same, as the next part of a page.
pub(crate) fn read_into(page: Page, text: &str, xml: bool) -> Page {
    let xml = xml || text.trim_start().starts_with("<?xml");
    let sink = Sink(RefCell::new(Reader { page, xml, ..Reader::default() }));
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(text));
    let tokenizer = Tokenizer::new(sink, Default::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut page = tokenizer.sink.0.into_inner().page;
    page.close_all();
    page
}

/// The tokenizer lends its sink shared only.
struct Sink(RefCell<Reader>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reader = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return reader.start(&tag),
            Token::TagToken(tag) => reader.end(&tag.name),
            Token::CharacterTokens(text) => reader.text(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    /// CDATA sections are text in SVG and MathML only.
    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        let reader = self.0.borrow();
        reader.foreign > 0 || reader.xml
    }
}

/// What a tag means for the text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Break(Break),
    Heading(u8),
    Title,
    /// Its contents are no markup and not seen.
    Unseen(RawKind),
    /// Its contents are no markup but seen.
    Typed,
    Template,
    Preformatted,
    /// SVG and MathML, with rules of their own.
    Foreign,
    Image,
    Inline,
}

#[derive(Default)]
struct Reader {
    page: Page,
    xml: bool,
    /// Inside the title, or inside something unseen: what the text there is for.
    raw: Option<Role>,
    /// How deep in templates; nothing there is seen.
    templates: usize,
    foreign: usize,
}

impl Reader {
    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let closed = tag.self_closing && (self.xml || self.foreign > 0);
        match role(&tag.name) {
            Role::Break(kind) => self.page.break_at_least(kind),
            Role::Heading(level) if self.templates == 0 => self.page.open_heading(level),
            Role::Preformatted => self.page.open_preformatted(),
            Role::Image => self.image(tag),
            Role::Template if !closed => self.templates += 1,
            Role::Foreign if !closed => self.foreign += 1,
            // An SVG names its shapes with titles too.
            Role::Title if !closed && self.foreign == 0 => {
                self.raw = Some(Role::Title);
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            Role::Unseen(kind) if !closed => {
                self.raw = Some(Role::Unseen(kind));
                return TokenSinkResult::RawData(kind);
            }
            Role::Typed if !closed => {
                self.page.break_at_least(Break::Line);
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn end(&mut self, name: &str) {
        if self.raw.take() == Some(Role::Title) {
            self.page.close_title();
        }
        match role(name) {
            Role::Break(kind) => self.page.break_at_least(kind),
            Role::Typed => self.page.break_at_least(Break::Line),
            Role::Heading(_) => self.page.close_heading(),
            Role::Preformatted => self.page.close_preformatted(),
            Role::Template => self.templates = self.templates.saturating_sub(1),
            Role::Foreign => self.foreign = self.foreign.saturating_sub(1),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        match self.raw {
            _ if self.templates > 0 => {}
            Some(Role::Title) => self.page.push_title(text),
            Some(_) => {}
            None => self.page.push(text),
        }
    }

    /// What the picture shows, in words.
    fn image(&mut self, tag: &Tag) {
        let alt = tag.attrs.iter().find(|attribute| &*attribute.name.local == "alt");
        if let Some(alt) = alt.filter(|_| self.templates == 0) {
            self.page.break_at_least(Break::Space);
            self.page.push(&alt.value);
            self.page.break_at_least(Break::Space);
        }
    }
}

fn role(name: &str) -> Role {
    match name {
        "h1" => Role::Heading(1),
        "h2" => Role::Heading(2),
        "h3" => Role::Heading(3),
        "h4" => Role::Heading(4),
        "h5" => Role::Heading(5),
        "h6" => Role::Heading(6),
        "br" | "dd" | "dt" | "li" | "optgroup" | "option" | "tr" => Role::Break(Break::Line),
        "td" | "th" => Role::Break(Break::Cell),
        "address" | "article" | "aside" | "blockquote" | "body" | "caption" | "center"
        | "details" | "dialog" | "dir" | "div" | "dl" | "fieldset" | "figcaption" | "figure"
        | "footer" | "form" | "head" | "header" | "hgroup" | "hr" | "html" | "legend" | "main"
        | "menu" | "nav" | "ol" | "p" | "search" | "section" | "select" | "summary" | "table"
        | "tbody" | "tfoot" | "thead" | "ul" => Role::Break(Break::Paragraph),
        "listing" | "pre" => Role::Preformatted,
        "title" => Role::Title,
        "script" => Role::Unseen(RawKind::ScriptData),
        "iframe" | "noembed" | "noframes" | "noscript" | "style" => Role::Unseen(RawKind::Rawtext),
        "textarea" => Role::Typed,
        "template" => Role::Template,
        "math" | "svg" => Role::Foreign,
        "img" => Role::Image,
        _ => Role::Inline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        assert_eq!(read(html, false).text, expected, "{html}");
    }

    #[test]
    fn blocks_make_paragraphs() {
        check(
            "<p>One <b>b</b>old\n  word.<p>Two<div>Three</div>four",
            "One bold word.\n\nTwo\n\nThree\n\nfour",
        );
        check("one<br>two<br/>three<hr>four", "one\ntwo\nthree\n\nfour");
        check("<ul><li>a<li>b<ul><li>c</ul></ul>d", "a\nb\n\nc\n\nd");
        check("<table><tr><th>a<th>b<tr><td>1</td><td></td><td>2</table>", "a\tb\n1\t2");
        check("  a  <i> b</i> <i>c</i>d ", "a b cd");
    }

    #[test]
    fn entities_are_read() {
        check(
            "Z&uuml;rich &amp; a&nbsp;&#x6771; &lt;b&gt; &AMP &unknown;",
            "Zürich & a 東 <b> & &unknown;",
        );
        check("Wort&shy;trennung", "Worttrennung");
    }

    #[test]
    fn what_a_reader_does_not_see_is_left_out() {
        check(
            "<head><style>p{}</style><script>if (a<b) '</p>'</script></head>\
             <p>seen<!-- no --><noscript>no</noscript><template><p>no</template><iframe>no</iframe>",
            "seen",
        );
        check("a<script/>no</script>b", "a b".replace(' ', "").as_str());
        assert_eq!(read("<?xml version='1.0'?><html><script/>a", false).text, "a");
        assert_eq!(read("<html><script src='x'/><title/>a", true).text, "a");
    }

    #[test]
    fn pictures_speak_by_their_alternative_text() {
        check("see<img src=x alt='a  red fox'>here<img alt=''><img>", "see a red fox here");
    }

    #[test]
    fn preformatted_text_keeps_its_lines() {
        check(
            "a<pre>\nfn main() {\n    run()\n\n}\n</pre>b",
            "a\n\nfn main() {\n    run()\n\n}\n\nb",
        );
        check("<pre>  x</pre>", "  x");
        check("<textarea>a <b> c</textarea>d", "a <b> c\nd");
    }

    #[test]
    fn the_title_and_the_headings_are_found() {
        let document = read(
            "<title> The\n &lt;guide&gt; </title><svg><title>no</title><text>x</text></svg>\
             <h1>One <i>é</i></h1>text<h2>Two<br>lines</h2><h3></h3><title>no</title>",
            false,
        );
        assert_eq!(document.title.as_deref(), Some("The <guide>"));
        assert_eq!(document.text, "nox\n\nOne é\n\ntext\n\nTwo\nlines");
        let found: Vec<_> = document
            .headings
            .iter()
            .map(|h| (h.level, h.text.as_str(), &document.text[h.at..h.at + 3]))
            .collect();
        assert_eq!(found, [(1, "One é", "One"), (2, "Two lines", "Two")]);
        assert_eq!(read("<h2>a</h2><h1>b</h1>", false).title.as_deref(), Some("b"));
        assert_eq!(read("text", false).title, None);
    }

    #[test]
    fn a_heading_that_is_never_closed_does_not_become_the_page() {
        let document = read(&format!("<h1>{}", "word ".repeat(1000)), false);
        assert_eq!((document.headings, document.title), (Vec::new(), None));
    }

    #[test]
    fn deep_nesting_is_no_danger() {
        for piece in
            ["<div>", "<b>", "<table><tr><td>", "<svg>", "<template>", "<h1>", "<pre>", "</p>"]
        {
            let html = format!("{}x", piece.repeat(100_000));
            assert!(read(&html, false).text.len() <= 1, "{piece}");
        }
    }

    #[test]
    fn a_tag_of_many_attributes_is_no_danger() {
        let attributes: String = (0..10_000).map(|nth| format!("a{nth}=b ")).collect();
        check(&format!("<p {attributes}>seen"), "seen");
    }
}
