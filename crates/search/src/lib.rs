//! From a query to an answer: the query language, the fusion of the store's two
//! legs, grouping by file, snippets and the reason for each result.
//!
//! It computes no vector and reads no file: the query's vector comes from the
//! caller, the passages from the store.

mod answer;
mod date;
mod fit;
mod fusion;
mod query;
mod search;
mod snippet;
mod terms;

pub use answer::{FileHit, KeywordReason, MeaningReason, PassageHit, Why};
pub use fit::fit;
pub use fusion::{Arithmetic, LegScore, Named};
pub use query::{Mode, Query, QueryError};
pub use search::{Legs, Meaning, Ranking, Texts, ask};
pub use snippet::{Snippet, sentences};
pub use terms::Told;
