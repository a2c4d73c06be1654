//! Which files' passages a query may find, and conditions on the tables' columns.
//!
//! Conditions are built as expressions, never as SQL text.

use std::path::{MAIN_SEPARATOR, MAIN_SEPARATOR_STR};

use lancedb::datafusion::{
    logical_expr::{Expr, lit},
    prelude::col,
};
use rummage_corpus::FileId;

/// What a file must be for its passages to count. Empty, it lets everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In any of these; empty means everywhere. An absolute path means that file, or
    /// everything below that folder. A relative one (`notes`, `work/2025`) means everything
    /// below any folder of that name, whatever its case.
    pub under: Vec<String>,
    /// As `under`: what is in any of these does not count.
    pub not_under: Vec<String>,
    /// Extensions in lower case, without the dot; empty means all.
    pub types: Vec<String>,
    /// Extensions that do not count.
    pub not_types: Vec<String>,
    /// Last changed at this moment or later, in seconds since 1970.
    pub after: Option<i64>,
    /// Last changed before this moment, in seconds since 1970.
    pub before: Option<i64>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// Ready to be asked of many files.
    pub(crate) fn asked(&self) -> Asked<'_> {
        Asked {
            filter: self,
            places: self.under.iter().map(|place| Where::of(place)).collect(),
            not_places: self.not_under.iter().map(|place| Where::of(place)).collect(),
        }
    }
}

pub(crate) struct Asked<'a> {
    filter: &'a Filter,
    places: Vec<Where<'a>>,
    not_places: Vec<Where<'a>>,
}

enum Where<'a> {
    /// Without a separator at its end.
    Absolute(&'a str),
    /// In lower case, between separators.
    Anywhere(String),
}

impl Asked<'_> {
    pub fn lets_through(&self, path: &str, ext: &str, modified: i64) -> bool {
        let Filter { types, not_types, after, before, .. } = self.filter;
        after.is_none_or(|after| modified >= after)
            && before.is_none_or(|before| modified < before)
            && (types.is_empty() || types.iter().any(|wanted| wanted == ext))
            && !not_types.iter().any(|unwanted| unwanted == ext)
            && (self.places.is_empty() || self.places.iter().any(|place| place.holds(path)))
            && !self.not_places.iter().any(|place| place.holds(path))
    }
}

impl<'a> Where<'a> {
    fn of(place: &'a str) -> Self {
        let is_separator = |c| c == '/' || c == MAIN_SEPARATOR;
        if std::path::Path::new(place).is_absolute() {
            return Where::Absolute(place.trim_end_matches(is_separator));
        }
        let name = place.trim_matches(is_separator).to_lowercase();
        let name = name.replace('/', MAIN_SEPARATOR_STR);
        Where::Anywhere(format!("{MAIN_SEPARATOR}{name}{MAIN_SEPARATOR}"))
    }

    fn holds(&self, path: &str) -> bool {
        match self {
            Where::Absolute(folder) => {
                let rest = path.strip_prefix(folder);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(MAIN_SEPARATOR))
            }
            Where::Anywhere(name) => holds_in_lower_case(path, name),
        }
    }
}

/// Whether the text in lower case holds `wanted`, which is in lower case.
fn holds_in_lower_case(text: &str, wanted: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(wanted);
    }
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    text.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted))
}

pub(crate) fn of_files(files: &[FileId]) -> Expr {
    col("file").in_list(files.iter().map(|file| lit(file.0)).collect(), false)
}
