//! The query's words, and where a passage holds them.

use rummage_corpus::{Span, Word, each_word, query_words, words};
use rummage_store::Words;

/// A word that the query looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    /// In lower case; `None` for what a word may be meant for.
    typed: Option<String>,
    stem: String,
}

/// A word of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// In lower case; empty for what a word may be meant for.
    pub typed: String,
    /// As `corpus::words` makes it.
    pub stem: String,
}

/// The words of a query that are worth showing: all but the commonest, unless
/// there are only those.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Terms(Vec<Term>);

/// A term's place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    /// Which term.
    pub term: usize,
    pub span: Span,
}

impl Match {
    /// In the text that begins at this byte; `None` for what lies before.
    pub fn after(self, start: usize) -> Option<Match> {
        let Span { start: from, end: to } = self.span;
        (from >= start).then(|| Match { span: Span::new(from - start, to - start), ..self })
    }
}

/// English words that say nothing about a passage. The index keeps them, for
/// phrases and for questions that have no others.
const STOP_WORDS: [&str; 57] = [
    "a", "about", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "did",
    "do", "does", "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it",
    "its", "my", "no", "not", "of", "on", "or", "that", "the", "their", "there", "these", "this",
    "those", "to", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will",
    "with", "would", "you", "your",
];

/// The words that say something; all of them where none does. In a small folder
/// even a word like "does" is rare, and would outweigh what the question means.
pub(crate) fn telling(text: &str) -> String {
    let is_telling = |word: &&str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        !STOP_WORDS.contains(&bare.as_str())
    };
    let told: Vec<&str> = text.split_whitespace().filter(is_telling).collect();
    if told.is_empty() { text.to_owned() } else { told.join(" ") }
}

impl Terms {
    pub fn of(wanted: &Words) -> Terms {
        let mut terms: Vec<Term> = Vec::new();
        for text in std::iter::once(&wanted.any).chain(&wanted.phrases) {
            for Word { stem, span } in query_words(text) {
                if terms.iter().all(|term| term.stem != stem) {
                    let typed = Some(text[span.start..span.end].to_lowercase());
                    terms.push(Term { typed, stem });
                }
            }
        }
        for stem in &wanted.instead {
            if terms.iter().all(|term| term.stem != *stem) {
                terms.push(Term { typed: None, stem: stem.clone() });
            }
        }
        let telling =
            |term: &Term| term.typed.as_deref().is_none_or(|typed| !STOP_WORDS.contains(&typed));
        if terms.iter().any(telling) {
            terms.retain(telling);
        }
        Terms(terms)
    }

    pub fn told(self) -> Vec<Told> {
        let told = |Term { typed, stem }: Term| Told { typed: typed.unwrap_or_default(), stem };
        self.0.into_iter().map(told).collect()
    }

    /// Every place where a text holds a term, in order. A whole and its parts, and
    /// pairs of characters, overlap.
    pub fn find(&self, text: &str) -> Vec<Match> {
        let mut found = Vec::new();
        each_word(text, |stem, span| {
            let term = self.0.iter().position(|term| term.stem == stem);
            found.extend(term.map(|term| Match { term, span }));
        });
        found
    }

    /// The terms that were found in a text, in the query's order: as the query has them,
    /// else as the text has them first.
    pub fn shown(&self, found: &[Match], text: &str) -> Vec<String> {
        let shown = self.0.iter().enumerate().filter_map(|(i, term)| {
            let Span { start, end } = found.iter().find(|found| found.term == i)?.span;
            Some(term.typed.clone().unwrap_or_else(|| text[start..end].to_lowercase()))
        });
        shown.collect()
    }
}

/// Whether a passage meets what the query demands and forbids, as the keyword leg
/// would see it. The meaning leg cannot ask for it and is checked afterwards.
pub(crate) struct Demands {
    phrases: Vec<Vec<String>>,
    excluded: Vec<Vec<String>>,
}

impl Demands {
    /// `None` when there are none.
    pub fn of(wanted: &Words) -> Option<Demands> {
        let stems_of_each = |texts: &[String]| -> Vec<Vec<String>> {
            texts.iter().map(|text| stems(text)).filter(|stems| !stems.is_empty()).collect()
        };
        let demands = Demands {
            phrases: stems_of_each(&wanted.phrases),
            excluded: stems_of_each(&wanted.excluded),
        };
        (!demands.phrases.is_empty() || !demands.excluded.is_empty()).then_some(demands)
    }

    pub fn met_by(&self, text: &str) -> bool {
        let text = stems(text);
        let holds = |words: &Vec<String>| text.windows(words.len()).any(|run| run == words);
        self.phrases.iter().all(holds) && !self.excluded.iter().any(holds)
    }
}

fn stems(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.stem).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asking(any: &str) -> Words {
        Words { any: any.into(), ..Words::default() }
    }

    fn check(query: &str, text: &str, expected: &[&str]) {
        let found = Terms::of(&asking(query)).find(text);
        let found: Vec<_> = found.iter().map(|m| &text[m.span.start..m.span.end]).collect();
        assert_eq!(found, expected, "{query:?} in {text:?}");
    }

    #[test]
    fn words_that_say_nothing_are_left_out_unless_there_are_no_others() {
        assert_eq!(telling("What does my cat do?"), "cat");
        assert_eq!(telling("The who"), "The who");
        assert_eq!(telling("上海 is where"), "上海");
    }

    #[test]
    fn words_are_found_in_any_form() {
        check("running shoe", "Shoes to run in; runs far.", &["Shoes", "run", "runs"]);
        check("zurich", "In Zürich und ZURICH", &["Zürich", "ZURICH"]);
        check("config", "parse_config()", &["config"]);
    }

    #[test]
    fn common_words_are_marked_only_when_there_is_nothing_else() {
        check("who is the king", "The king is who he is", &["king"]);
        check("the who", "Who saw The Who?", &["Who", "The", "Who"]);
    }

    #[test]
    fn words_that_run_together_are_found_inside_others() {
        check("上海", "我住在上海市。", &["上海"]);
    }

    #[test]
    fn terms_are_told_as_typed() {
        let terms = Terms::of(&asking("Running the Shoes"));
        assert_eq!(terms.shown(&terms.find("she runs"), "she runs"), ["running"]);
        let terms = Terms::of(&Words { instead: vec!["oliv".into()], ..asking("olvie") });
        assert_eq!(terms.shown(&terms.find("Two Olives"), "Two Olives"), ["olives"]);
    }

    #[test]
    fn demands_are_met_word_for_word() {
        let demands = Demands::of(&Words {
            any: String::new(),
            phrases: vec!["exact words".into()],
            excluded: vec!["draft".into()],
            instead: Vec::new(),
        });
        let demands = demands.unwrap();
        assert!(demands.met_by("the exact word here"));
        assert!(!demands.met_by("words exact"));
        assert!(!demands.met_by("exact words of a draft"));
        assert!(Demands::of(&asking("plain")).is_none());
    }

    proptest! {
        #[test]
        fn matches_are_in_order_and_on_character_bounds(
            query in "[a-c上海éк ]{0,12}",
            text in "[a-c上海市éк .]{0,60}",
        ) {
            let mut start = 0;
            for Match { span, .. } in Terms::of(&asking(&query)).find(&text) {
                prop_assert!(span.start >= start && !span.is_empty());
                prop_assert!(text.get(span.start..span.end).is_some());
                start = span.start;
            }
        }
    }
}
