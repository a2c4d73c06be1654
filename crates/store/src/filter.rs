//! Which passages a query may find, as a condition on the tables' columns.
//!
//! Conditions are built as expressions, never as SQL text, so nothing in a path
//! can be mistaken for syntax.

use std::path::MAIN_SEPARATOR;

use lancedb::datafusion::{
    functions::string::expr_fn::{contains, lower},
    logical_expr::{Expr, lit},
    prelude::col,
};
use rummage_corpus::{FileId, PassageId};

use crate::Origin;

/// What a file must be for its passages to count. Empty, it lets everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// An absolute path means that file, or everything below that folder. A
    /// relative one (`notes`, `work/2025`) means everything below any folder of
    /// that name, whatever its case.
    pub under: Option<String>,
    /// Extensions in lower case, without the dot; empty means all.
    pub types: Vec<String>,
    /// Last changed at this moment or later, in seconds since 1970.
    pub after: Option<i64>,
    /// Last changed before this moment, in seconds since 1970.
    pub before: Option<i64>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// Whether a file's passages may be found: what the tables would say of its rows.
    pub fn lets_in(&self, origin: &Origin) -> bool {
        let is_separator = |c| c == '/' || c == MAIN_SEPARATOR;
        let under = self.under.as_deref().is_none_or(|place| {
            if std::path::Path::new(place).is_absolute() {
                let folder = place.trim_end_matches(is_separator);
                let below = origin.path.strip_prefix(folder);
                below.is_some_and(|below| below.is_empty() || below.starts_with(MAIN_SEPARATOR))
            } else {
                origin.path.to_lowercase().contains(&inside_of(place))
            }
        });
        under
            && (self.types.is_empty() || self.types.contains(&origin.ext))
            && self.after.is_none_or(|after| origin.modified >= after)
            && self.before.is_none_or(|before| origin.modified < before)
    }

    pub(crate) fn condition(&self) -> Option<Expr> {
        let types = (!self.types.is_empty()).then(|| {
            col("ext").in_list(self.types.iter().map(|ext| lit(ext.as_str())).collect(), false)
        });
        [
            self.under.as_deref().map(under),
            types,
            self.after.map(|after| col("modified").gt_eq(lit(after))),
            self.before.map(|before| col("modified").lt(lit(before))),
        ]
        .into_iter()
        .flatten()
        .reduce(Expr::and)
    }
}

fn under(place: &str) -> Expr {
    let is_separator = |c| c == '/' || c == MAIN_SEPARATOR;
    if std::path::Path::new(place).is_absolute() {
        let folder = place.trim_end_matches(is_separator);
        // The names below a folder are those between it with a separator and it
        // with the character that follows the separator: a range, which an
        // ordered index can answer.
        let first = format!("{folder}{MAIN_SEPARATOR}");
        let end = format!("{folder}{}", char::from(MAIN_SEPARATOR as u8 + 1));
        let inside = col("path").gt_eq(lit(first)).and(col("path").lt(lit(end)));
        return col("path").eq(lit(folder)).or(inside);
    }
    contains(lower(col("path")), lit(inside_of(place)))
}

/// What the lower-case path of everything below a folder of this name holds.
fn inside_of(place: &str) -> String {
    let name = place.trim_matches(|c| c == '/' || c == MAIN_SEPARATOR).to_lowercase();
    let name = name.replace('/', std::path::MAIN_SEPARATOR_STR);
    format!("{MAIN_SEPARATOR}{name}{MAIN_SEPARATOR}")
}

pub(crate) fn of_files(files: &[FileId]) -> Expr {
    col("file").in_list(files.iter().map(|file| lit(file.0)).collect(), false)
}

pub(crate) fn of_passages(ids: &[PassageId]) -> Expr {
    col("id").in_list(ids.iter().map(|id| lit(id.to_i64())).collect(), false)
}
