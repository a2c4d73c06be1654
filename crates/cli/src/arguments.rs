//! The command line's grammar.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rummage_engine::{FileState, Mode};

/// Finds your own files by meaning, on your own machine.
#[derive(Debug, Parser)]
#[command(name = "rummage", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub struct Common {
    /// Keep the index in this folder (else the platform's data folder)
    #[arg(long, global = true, value_name = "DIR", env = "RUMMAGE_DATA")]
    pub data: Option<PathBuf>,
    /// Results as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress, no remarks: results and errors only
    #[arg(long, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow folders or files, and index until nothing is left to do
    Index {
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Compute every vector anew, and keep none beside the index
        #[arg(long)]
        no_cache: bool,
    },
    /// Find the best passages, grouped by file
    Search(SearchArguments),
    /// Find files that mean the same as one of those that are followed
    Similar {
        file: PathBuf,
        /// Files to return
        #[arg(short = 'k', value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// Measure search on a collection: corpus.jsonl, queries.jsonl and qrels.tsv
    Eval {
        dir: PathBuf,
        /// Of these models, one after the other (else of the default one)
        #[arg(long = "model", value_name = "MODEL", value_delimiter = ',')]
        models: Vec<String>,
        /// Compute every vector anew
        #[arg(long)]
        no_cache: bool,
    },
    /// Which models there are and which is used; get, add and remove models
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Vectors that were computed once and are used again
    #[command(subcommand)]
    Cache(CacheCommand),
    /// What is followed, how much of it can be searched, and what goes on
    Status,
    /// Every followed file and what became of it, or why these paths are not found
    Files {
        paths: Vec<PathBuf>,
        /// Only files in this state
        #[arg(long, conflicts_with = "paths")]
        state: Option<State>,
        /// Only files whose path or reason holds these words, in any case
        #[arg(long = "match", value_name = "WORDS", conflicts_with = "paths")]
        matching: Option<String>,
    },
    /// Read failed files again, all or those at and below these paths
    Retry { paths: Vec<PathBuf> },
    /// Stop following folders or files; their passages go
    Forget {
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Write what a package installs beside the program: manual pages and completions
    #[command(hide = true)]
    Companions { dir: PathBuf },
}

#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Every model that is installed or known
    List,
    /// Answer questions with this model, once all that is indexed has its vectors
    Use { model: String },
    /// Add a model from a folder: ours, or as a model hub lays it out
    Import {
        dir: PathBuf,
        /// Its name here (else its folder's)
        #[arg(long, value_name = "MODEL")]
        id: Option<String>,
    },
    /// Download a known model from its hub, checked by hash
    Fetch { model: String },
    /// Delete a model that was imported or fetched
    Remove { model: String },
}

#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// How many vectors are kept, and how often they were of use
    Stats,
    /// Forget them, all or those of one model
    Clear {
        #[arg(long, value_name = "MODEL")]
        model: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct SearchArguments {
    /// Words, "exact words", -word, in:PATH, type:EXT, after:DATE, before:DATE
    // A query may begin with an exclusion.
    #[arg(required_unless_present = "batch", conflicts_with = "batch", allow_hyphen_values = true)]
    pub query: Option<String>,
    /// Take one query a line from this file (- is stdin), answer one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub batch: Option<PathBuf>,
    /// Files to return
    #[arg(short = 'k', value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: u16,
    #[arg(long, value_enum, default_value_t = SearchMode::Hybrid)]
    pub mode: SearchMode,
    /// Why each result is there: its words, its similarity and the arithmetic of both
    #[arg(long)]
    pub explain: bool,
    /// Only files below this path, or in a folder of this name
    #[arg(long = "in", value_name = "PATH")]
    pub under: Option<String>,
    /// Only files with this extension; may be given several times
    #[arg(long = "type", value_name = "EXT")]
    pub types: Vec<String>,
    /// Only files changed on this date or later: 2025, 2025-06, 2025-06-30
    #[arg(long, value_name = "DATE")]
    pub after: Option<String>,
    /// Only files changed before this date
    #[arg(long, value_name = "DATE")]
    pub before: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SearchMode {
    /// Words and meaning together
    Hybrid,
    Keyword,
    Meaning,
}

impl From<SearchMode> for Mode {
    fn from(mode: SearchMode) -> Self {
        match mode {
            SearchMode::Hybrid => Mode::Hybrid,
            SearchMode::Keyword => Mode::Keyword,
            SearchMode::Meaning => Mode::Meaning,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum State {
    Indexed,
    Queued,
    Skipped,
    Failed,
}

impl From<State> for FileState {
    fn from(state: State) -> Self {
        match state {
            State::Indexed => FileState::Indexed,
            State::Queued => FileState::Queued,
            State::Skipped => FileState::Skipped,
            State::Failed => FileState::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_query_may_begin_with_an_exclusion() {
        let arguments = Arguments::try_parse_from(["rummage", "search", "-draft report"]).unwrap();
        let Command::Search(search) = arguments.command else { panic!("not a search") };
        assert_eq!(search.query.as_deref(), Some("-draft report"));
    }

    #[test]
    fn a_query_and_a_batch_exclude_each_other() {
        assert!(Arguments::try_parse_from(["rummage", "search"]).is_err());
        assert!(Arguments::try_parse_from(["rummage", "search", "a", "--batch", "-"]).is_err());
    }
}
