//! The query language: words, `"exact words"`, `-word`, `in:`, `-in:`, `type:`, `-type:`,
//! `after:` and `before:`.

use rummage_corpus::query_words;
use rummage_store::{Filter, Words};
use serde::{Deserialize, Serialize};

use crate::{
    date,
    terms::{Terms, Told},
};

/// Which legs are asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    #[default]
    Hybrid,
    Keyword,
    Meaning,
}

/// A query, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub words: Words,
    pub filter: Filter,
    pub mode: Mode,
    /// Files to return; past a thousand there may be fewer than would answer.
    pub limit: usize,
}

/// Files in an answer unless the caller says otherwise.
const LIMIT: usize = 10;

/// What is wrong with a query, in words for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error("{operator}: wants a value right after the colon, as in {example}")]
    NoValue { operator: &'static str, example: &'static str },
    #[error("{operator}: may be there only once")]
    Twice { operator: &'static str },
    #[error("{operator}: says nothing: use {instead}:")]
    NoExclusion { operator: &'static str, instead: &'static str },
    #[error("{operator}: wants a date such as 2025, 2025-06 or 2025-06-30, not “{value}”")]
    BadDate { operator: &'static str, value: String },
}

impl Query {
    /// Reads what was typed. A quote that is not closed reaches to the end, so that
    /// a query can be read while it is being typed.
    pub fn parse(text: &str) -> Result<Query, QueryError> {
        let mut query = Query {
            words: Words::default(),
            filter: Filter::default(),
            mode: Mode::default(),
            limit: LIMIT,
        };
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (part, after) = Part::first(rest);
            query.take(part)?;
            rest = after.trim_start();
        }
        Ok(query)
    }

    /// What the model should read: the words that are looked for, without operators
    /// and exclusions. Empty when the query has none.
    pub fn text_for_model(&self) -> String {
        let mut parts = vec![self.words.any.as_str()];
        parts.extend(self.words.phrases.iter().map(String::as_str));
        parts.retain(|part| !part.is_empty());
        parts.join(" ")
    }

    /// The words that say something, each once: what a file's name is compared with.
    pub fn told(&self) -> Vec<Told> {
        Terms::of(&self.words).told()
    }

    /// Whether there are words that must stand in a passage just as they stand here.
    pub fn demands_phrase(&self) -> bool {
        self.words.phrases.iter().any(|phrase| !query_words(phrase).is_empty())
    }

    fn take(&mut self, part: Part) -> Result<(), QueryError> {
        let value = part.value;
        match part.kind {
            Kind::Word => {
                let any = &mut self.words.any;
                if !any.is_empty() {
                    any.push(' ');
                }
                any.push_str(value);
            }
            Kind::Phrase => self.words.phrases.extend(some(value)),
            Kind::Excluded => self.words.excluded.extend(some(value)),
            Kind::In => {
                let value = some(value).ok_or(missing("in", "in:notes"))?;
                self.filter.under.push(value);
            }
            Kind::NotIn => {
                let value = some(value).ok_or(missing("-in", "-in:archive"))?;
                self.filter.not_under.push(value);
            }
            Kind::Type => self.filter.types.extend(types("type", "type:pdf", value)?),
            Kind::NotType => self.filter.not_types.extend(types("-type", "-type:log", value)?),
            Kind::After => set("after", &mut self.filter.after, moment("after", value)?)?,
            Kind::Before => set("before", &mut self.filter.before, moment("before", value)?)?,
            Kind::NotAfter => {
                return Err(QueryError::NoExclusion { operator: "-after", instead: "before" });
            }
            Kind::NotBefore => {
                return Err(QueryError::NoExclusion { operator: "-before", instead: "after" });
            }
        }
        Ok(())
    }
}

fn some(value: &str) -> Option<String> {
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

fn missing(operator: &'static str, example: &'static str) -> QueryError {
    QueryError::NoValue { operator, example }
}

fn types(
    operator: &'static str,
    example: &'static str,
    value: &str,
) -> Result<Vec<String>, QueryError> {
    let types =
        value.split(',').map(|ext| ext.trim().trim_start_matches("*").trim_start_matches('.'));
    let types: Vec<_> = types.filter(|ext| !ext.is_empty()).map(str::to_lowercase).collect();
    if types.is_empty() { Err(missing(operator, example)) } else { Ok(types) }
}

fn set<T>(operator: &'static str, place: &mut Option<T>, value: T) -> Result<(), QueryError> {
    match place.replace(value) {
        Some(_) => Err(QueryError::Twice { operator }),
        None => Ok(()),
    }
}

fn moment(operator: &'static str, value: &str) -> Result<i64, QueryError> {
    let value = some(value).ok_or(missing(operator, "after:2025-06"))?;
    date::first_second(&value).ok_or(QueryError::BadDate { operator, value })
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Word,
    Phrase,
    Excluded,
    In,
    NotIn,
    Type,
    NotType,
    After,
    NotAfter,
    Before,
    NotBefore,
}

const OPERATORS: [(&str, Kind); 8] = [
    ("in:", Kind::In),
    ("-in:", Kind::NotIn),
    ("type:", Kind::Type),
    ("-type:", Kind::NotType),
    ("after:", Kind::After),
    ("-after:", Kind::NotAfter),
    ("before:", Kind::Before),
    ("-before:", Kind::NotBefore),
];

struct Part<'a> {
    kind: Kind,
    value: &'a str,
}

impl<'a> Part<'a> {
    /// The first part of a text that begins with no space, and what follows it.
    fn first(text: &'a str) -> (Part<'a>, &'a str) {
        for (name, kind) in OPERATORS {
            let named =
                text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
            if named {
                let (value, rest) = value(&text[name.len()..]);
                return (Part { kind, value }, rest);
            }
        }
        let (kind, from) = match text.as_bytes() {
            [b'-', ..] => (Kind::Excluded, 1),
            [b'"', ..] => (Kind::Phrase, 0),
            _ => (Kind::Word, 0),
        };
        let (value, rest) = value(&text[from..]);
        (Part { kind, value }, rest)
    }
}

/// A value up to the next space, or in quotes.
fn value(text: &str) -> (&str, &str) {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.split_once('"').unwrap_or((quoted, ""));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let read = Query::parse(text).map(|query| {
            let Words { any, phrases, excluded, .. } = query.words;
            let Filter { under, not_under, types, not_types, after, before, .. } = query.filter;
            let mut parts = vec![any];
            parts.extend(phrases.iter().map(|phrase| format!("must[{phrase}]")));
            parts.extend(excluded.iter().map(|words| format!("not[{words}]")));
            parts.extend(under.iter().map(|place| format!("in[{place}]")));
            parts.extend(not_under.iter().map(|place| format!("not in[{place}]")));
            parts.extend(types.iter().map(|ext| format!("type[{ext}]")));
            parts.extend(not_types.iter().map(|ext| format!("not type[{ext}]")));
            parts.extend(after.map(|second| format!("after[{second}]")));
            parts.extend(before.map(|second| format!("before[{second}]")));
            parts.retain(|part| !part.is_empty());
            parts.join(" ")
        });
        assert_eq!(read.unwrap_or_else(|error| error.to_string()), expected, "{text:?}");
    }

    #[test]
    fn queries_are_read() {
        check("", "");
        check("  tax   return ", "tax return");
        check("well-known -draft", "well-known not[draft]");
        check(r#"tax "return 2024" -"first draft" -"#, "tax must[return 2024] not[first draft]");
        check(r#"an "open quote"#, "an must[open quote]");
        // Typographic quotes stand around names in whole sentences, which demand nothing.
        check("„first draft“ “second”", "„first draft“ “second”");
        check("type:*.md", "type[md]");
        check(r#"in:notes IN in:/work"#, "IN in[notes] in[/work]");
        check(
            r#"in:"/my files/it's" type:.PDF,md Type:txt"#,
            "in[/my files/it's] type[pdf] type[md] type[txt]",
        );
        check(
            r#"-type:.LOG,tmp -in:archive -in:"old files" -"in:x""#,
            "not[in:x] not in[archive] not in[old files] not type[log] not type[tmp]",
        );
        check("after:1970-01-02 before:1971", "after[86400] before[31536000]");
        check("see http://a.b/c?d and begin:here", "see http://a.b/c?d and begin:here");
        check("Größe ≥ 3 -ß", "Größe ≥ 3 not[ß]");
    }

    #[test]
    fn mistakes_are_told_in_words() {
        check("type: pdf", "type: wants a value right after the colon, as in type:pdf");
        check("after:2025 after:2026", "after: may be there only once");
        check("a -type:", "-type: wants a value right after the colon, as in -type:log");
        check("a -after:2025", "-after: says nothing: use before:");
        check("after:soon", "after: wants a date such as 2025, 2025-06 or 2025-06-30, not “soon”");
    }

    #[test]
    fn the_model_reads_the_words_alone() {
        let query = Query::parse(r#"cheap -old "hotel room" in:travel type:md"#).unwrap();
        assert_eq!(query.text_for_model(), "cheap hotel room");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"([a-z]|[ "\-:,.é世]|in:|type:|after:|before:){0,40}"#) {
            let _ = Query::parse(&text);
        }

        #[test]
        fn plain_words_all_reach_the_model(words in prop::collection::vec("[a-hj-s]{1,8}", 1..6)) {
            let text = words.join("  ");
            prop_assert_eq!(Query::parse(&text).unwrap().text_for_model(), words.join(" "));
        }
    }
}
