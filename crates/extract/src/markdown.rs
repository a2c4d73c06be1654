//! The title and the headings of a Markdown text. The text itself stays as it is.

use pulldown_cmark::{Event, MetadataBlockKind, Options, Parser, Tag, TagEnd};
use rummage_corpus::{Document, Heading, Structure};

use crate::single_spaced;

pub(crate) fn read(text: String) -> Document {
    let Outline { title, headings } = outline(&text);
    Document { title, headings, ..Document::plain(text, Structure::Markdown) }
}

/// What a Markdown text says of its own build.
#[derive(Debug, Default)]
struct Outline {
    /// From the front matter, else the first heading of level 1.
    title: Option<String>,
    headings: Vec<Heading>,
}

fn outline(text: &str) -> Outline {
    let mut outline = Outline::default();
    // The heading, or the front matter, whose text is being gathered.
    let mut gathered: Option<String> = None;
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. } | Tag::MetadataBlock(_)) => {
                gathered = Some(String::new());
            }
            Event::Text(part) | Event::Code(part) | Event::InlineMath(part) => {
                if let Some(gathered) = &mut gathered {
                    gathered.push_str(&part);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(gathered) = &mut gathered {
                    gathered.push(' ');
                }
            }
            Event::End(TagEnd::Heading(level)) => {
                let text = single_spaced(&gathered.take().unwrap_or_default());
                if !text.is_empty() {
                    outline.headings.push(Heading { level: level as u8, text, at: range.start });
                }
            }
            Event::End(TagEnd::MetadataBlock(kind)) => {
                outline.title =
                    gathered.take().and_then(|matter| front_matter_title(&matter, kind));
            }
            _ => {}
        }
    }
    if outline.title.is_none() {
        let first = outline.headings.iter().find(|heading| heading.level == 1);
        outline.title = first.map(|heading| heading.text.clone());
    }
    outline
}

fn options() -> Options {
    Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_MATH
}

/// The plain value of the top-level key `title`; nothing else of YAML or TOML is read.
fn front_matter_title(matter: &str, kind: MetadataBlockKind) -> Option<String> {
    let sign = match kind {
        MetadataBlockKind::YamlStyle => ':',
        MetadataBlockKind::PlusesStyle => '=',
    };
    let value = matter.lines().find_map(|line| {
        let (key, value) = line.split_once(sign)?;
        (key.trim_end() == "title").then(|| value.trim())
    })?;
    let unquoted = ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote).and_then(|value| value.strip_suffix(*quote)));
    Some(single_spaced(unquoted.unwrap_or(value))).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, title: Option<&str>, headings: &[(u8, &str, usize)]) {
        let outline = outline(text);
        assert_eq!(outline.title.as_deref(), title, "{text}");
        let found: Vec<_> =
            outline.headings.iter().map(|h| (h.level, h.text.as_str(), h.at)).collect();
        assert_eq!(found, headings, "{text}");
    }

    #[test]
    fn headings_of_both_styles_are_found() {
        check(
            "# One\n\ntext\n\n## Two ##\n\nThree\n=====\n",
            Some("One"),
            &[(1, "One", 0), (2, "Two", 13), (1, "Three", 24)],
        );
        check(
            "intro\n\n### `code` and *more* &amp; [link](x)",
            None,
            &[(3, "code and more & link", 7)],
        );
    }

    #[test]
    fn what_stands_in_code_or_is_empty_is_no_heading() {
        check("```\n# no\n```\n\n    # no\n\n#\n\n#no\n", None, &[]);
    }

    #[test]
    fn the_front_matter_names_the_document() {
        check(
            "---\ntags: a\ntitle: \"The guide\"\n---\n# One\n",
            Some("The guide"),
            &[(1, "One", 35)],
        );
        check("+++\ntitle = 'The guide'\n+++\ntext", Some("The guide"), &[]);
        check("---\nsub:\n  title: no\n---\n# One\n", Some("One"), &[(1, "One", 25)]);
    }

    #[test]
    fn deep_nesting_is_no_danger() {
        check(&"> ".repeat(20_000), None, &[]);
        check(&"[".repeat(100_000), None, &[]);
        check(&"*a ".repeat(50_000), None, &[]);
    }
}
