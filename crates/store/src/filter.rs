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
    /// below any folder of that name, and any file of that name, whatever its case.
    pub under: Vec<String>,
    /// As `under`: what is in any of these does not count.
    pub not_under: Vec<String>,
    /// Folders that what is indexed lies in: their names and those further up do not count
    /// for relative places. Else a home folder's name would mean everything.
    pub above: Vec<String>,
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
            above: self.above.iter().map(|above| above.trim_end_matches(is_separator)).collect(),
        }
    }
}

pub(crate) struct Asked<'a> {
    filter: &'a Filter,
    places: Vec<Where<'a>>,
    not_places: Vec<Where<'a>>,
    /// Without separators at their ends.
    above: Vec<&'a str>,
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
            && (self.places.is_empty() || self.are_in(&self.places, path))
            && !self.are_in(&self.not_places, path)
    }

    fn are_in(&self, places: &[Where<'_>], path: &str) -> bool {
        places.iter().any(|place| match place {
            Where::Absolute(folder) => below(path, folder).is_some(),
            Where::Anywhere(name) => is_among(self.names_of(path), name),
        })
    }

    /// Where the names begin that count for relative places.
    fn names_of<'p>(&self, path: &'p str) -> &'p str {
        let names = self.above.iter().filter_map(|above| below(path, above));
        names.max_by_key(|names| names.len()).unwrap_or(path)
    }
}

/// What follows a folder, which has no separator at its end, in the path of something in it:
/// nothing, or a separator first.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(folder)?;
    (rest.is_empty() || rest.starts_with(MAIN_SEPARATOR)).then_some(rest)
}

fn is_separator(c: char) -> bool {
    c == '/' || c == MAIN_SEPARATOR
}

impl<'a> Where<'a> {
    fn of(place: &'a str) -> Self {
        if std::path::Path::new(place).is_absolute() {
            return Where::Absolute(place.trim_end_matches(is_separator));
        }
        let name = place.trim_matches(is_separator).to_lowercase();
        let name = name.replace('/', MAIN_SEPARATOR_STR);
        Where::Anywhere(format!("{MAIN_SEPARATOR}{name}{MAIN_SEPARATOR}"))
    }
}

/// Whether names are among those of a path, which begins with a separator where it has one;
/// `wanted` is in lower case, between separators. The last name may be the end of the path.
fn is_among(path: &str, wanted: &str) -> bool {
    if !path.is_ascii() {
        return format!("{}{MAIN_SEPARATOR}", path.to_lowercase()).contains(wanted);
    }
    let (path, wanted) = (path.as_bytes(), wanted.as_bytes());
    let last = &wanted[..wanted.len() - 1];
    let is_last =
        path.len().checked_sub(last.len()).is_some_and(|at| path[at..].eq_ignore_ascii_case(last));
    is_last || path.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted))
}

pub(crate) fn of_files(files: &[FileId]) -> Expr {
    col("file").in_list(files.iter().map(|file| lit(file.0)).collect(), false)
}
