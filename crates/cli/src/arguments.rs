//! The command line's grammar.

use std::{ffi::OsString, path::PathBuf};

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
        /// Compute the vectors of all that is new anew, and keep none beside the index
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
    /// Compare models: how good their answers are, how fast they are and what they take
    ///
    /// Without a collection they are compared on your own files: results that you opened or
    /// marked good, in the window or by `rummage marks`, say how good answers are. Models that
    /// are named get the vectors first that they lack, which are kept.
    ///
    /// A collection is a folder of three files, as the BEIR collections are: corpus.jsonl has
    /// a line {"_id": …, "title": …, "text": …} a document, queries.jsonl a line {"_id": …,
    /// "text": …} a question, and qrels.tsv a question's id, a document's and how well that
    /// answers it, from 0.
    Eval {
        /// A collection with judgements: corpus.jsonl, queries.jsonl and qrels.tsv
        dir: Option<PathBuf>,
        /// Of these models, one after the other (else of all that are installed; with a
        /// collection, of the default one)
        #[arg(long = "model", value_name = "MODEL", value_delimiter = ',')]
        models: Vec<String>,
        /// Compute every vector of the collection anew
        #[arg(long, requires = "dir")]
        no_cache: bool,
    },
    /// Results that were opened or marked good, by which models are compared
    #[command(subcommand)]
    Marks(MarksCommand),
    /// Which models there are and which is used; get, add and remove models
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Vectors that were computed once and are used again
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Measure within a minute how this computer embeds fastest, and work by it from then on
    Tune,
    /// Where the time goes, stage by stage, and whether it became more
    Profile {
        #[command(subcommand)]
        command: ProfileCommand,
    },
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
    /// Let what is new in these folders wait; what is indexed is still found
    Pause {
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Go on with paused folders, and index until nothing is left to do
    Resume {
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Write what a package installs beside the program: manual pages and completions
    #[command(hide = true)]
    Companions { dir: PathBuf },
}

#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Loading the model, from starting a worker to the first vector
    Load {
        /// Let the system forget the files before each run, as far as it does
        #[arg(long)]
        cold: bool,
        #[command(flatten)]
        options: ProfileOptions,
    },
    /// Indexing these folders or files, into an index that is thrown away
    Index {
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        options: ProfileOptions,
    },
}

#[derive(Debug, Args)]
pub struct ProfileOptions {
    /// How often it is measured (10 for load, 3 for index)
    #[arg(long, value_name = "N", value_parser = runs)]
    pub runs: Option<usize>,
    /// Keep the report in this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Fail, with exit code 1, where something is slower than in this kept report
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// How many times slower is let pass
    #[arg(long, value_name = "R", default_value_t = 1.2, value_parser = threshold)]
    pub threshold: f64,
    /// Draw the report into this file, as SVG
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
}

fn runs(text: &str) -> Result<usize, String> {
    let runs = text.parse().ok().filter(|runs| (1..=1000).contains(runs));
    runs.ok_or_else(|| "a whole number from 1 to 1000 is wanted".to_owned())
}

fn threshold(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio: &f64| ratio.is_finite() && *ratio > 1.0);
    ratio.ok_or_else(|| "a number above 1 is wanted".to_owned())
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
pub enum MarksCommand {
    /// Every mark, question by question
    List,
    /// Mark a file as a good result of a question
    Add {
        // It may begin with an exclusion.
        #[arg(allow_hyphen_values = true)]
        query: String,
        file: PathBuf,
    },
    /// Forget what was noted of a file as a result of a question
    Remove {
        #[arg(allow_hyphen_values = true)]
        query: String,
        file: PathBuf,
    },
    /// Forget all marks
    Clear,
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
    /// Words, "exact words", -word, in:PATH, -in:PATH, type:EXT, -type:EXT, after:DATE, before:DATE
    #[arg(required_unless_present = "batch", conflicts_with = "batch")]
    pub query: Option<String>,
    // Where the query was not quoted. An option is one, also behind it.
    #[arg(hide = true)]
    pub more: Vec<String>,
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
    /// Only files below this path, or in a folder of this name; may be given several times
    #[arg(long = "in", value_name = "PATH")]
    pub under: Vec<String>,
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

impl SearchArguments {
    /// The query, whether it was quoted or not.
    pub fn text(&self) -> Option<String> {
        let query = self.query.as_ref()?;
        if self.more.is_empty() {
            return Some(query.clone());
        }
        let words: Vec<_> = [query].into_iter().chain(&self.more).map(|it| requoted(it)).collect();
        Some(words.join(" "))
    }
}

/// Exclusions of a search that is not quoted look like options: they go behind all of these.
pub fn exclusions_last(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.into_iter().collect();
    let mut command = 1;
    while let Some(option) = arguments.get(command).filter(|it| starts_with(it, "-")) {
        command += if option == "--data" { 2 } else { 1 };
    }
    if arguments.get(command).is_none_or(|command| command != "search") {
        return arguments;
    }
    let mut given = arguments.split_off(command + 1).into_iter();
    let mut exclusions = Vec::new();
    while let Some(argument) = given.next() {
        if argument == "--" {
            exclusions.extend(given.by_ref());
        } else if is_exclusion(&argument) {
            exclusions.push(argument);
        } else {
            let has_value = VALUED.iter().any(|option| argument == *option);
            arguments.push(argument);
            arguments.extend(has_value.then(|| given.next()).flatten());
        }
    }
    if !exclusions.is_empty() {
        arguments.push("--".into());
        arguments.extend(exclusions);
    }
    arguments
}

/// Options of a search that a value follows.
const VALUED: [&str; 8] =
    ["-k", "--batch", "--mode", "--in", "--type", "--after", "--before", "--data"];

fn is_exclusion(argument: &OsString) -> bool {
    let is_option = |text: &str| {
        let number = text.strip_prefix("-k");
        let is_number =
            |text: &str| text.trim_start_matches('=').bytes().all(|b| b.is_ascii_digit());
        ["-", "-h", "-V"].contains(&text) || number.is_some_and(is_number)
    };
    let is_short = starts_with(argument, "-") && !starts_with(argument, "--");
    is_short && !argument.to_str().is_some_and(is_option)
}

fn starts_with(argument: &OsString, start: &str) -> bool {
    argument.as_encoded_bytes().starts_with(start.as_bytes())
}

/// The quotes that a shell took off an operator's value.
fn requoted(argument: &str) -> String {
    let name = argument.split_once(':').map(|(name, _)| name.trim_start_matches('-'));
    let is_operator =
        name.is_some_and(|name| ["in", "type"].iter().any(|it| it.eq_ignore_ascii_case(name)));
    let value = match argument.find(':') {
        Some(colon) if is_operator => colon + 1,
        _ => usize::from(argument.starts_with('-')),
    };
    let (start, value) = argument.split_at(value);
    if start.is_empty() || !value.contains(char::is_whitespace) || value.contains('"') {
        return argument.to_owned();
    }
    format!("{start}\"{value}\"")
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

    fn search(given: &[&str]) -> (SearchArguments, Common) {
        let given = ["rummage", "--data", "search", "search"].iter().chain(given);
        let given = exclusions_last(given.map(OsString::from));
        let arguments = Arguments::try_parse_from(given).unwrap();
        let Command::Search(search) = arguments.command else { panic!("not a search") };
        (search, arguments.common)
    }

    #[test]
    fn a_query_needs_no_quotes() {
        let given = "-draft report of 2025 -k 3 -house in:work -kiwi --json -in:old";
        let (read, common) = search(&given.split(' ').collect::<Vec<_>>());
        assert_eq!(read.text().unwrap(), "report of 2025 in:work -draft -house -kiwi -in:old");
        assert!(read.limit == 3 && common.json);

        let given = ["-old news", "flat roof", "in:My Notes", "-in:/a b", "type:md", "9:30 am"];
        let (read, _) = search(&[&["--in", "x", "--in", "y"][..], &given].concat());
        let text = r#"flat roof in:"My Notes" type:md 9:30 am -"old news" -in:"/a b""#;
        assert_eq!(read.text().as_deref(), Some(text));
        assert_eq!(read.under, ["x", "y"]);

        assert_eq!(search(&["a", "-k5"]).0.limit, 5);
        assert_eq!(search(&["a", "--json", "--", "-k"]).0.text().unwrap(), "a -k");
        assert_eq!(search(&["--batch", "-"]).0.batch, Some("-".into()));
        assert_eq!(search(&["-draft report"]).0.text().unwrap(), "-draft report");
        let other = ["rummage", "files", "-x", "search", "-y"].map(OsString::from);
        assert_eq!(exclusions_last(other.clone()), other);
    }

    #[test]
    fn a_query_and_a_batch_exclude_each_other() {
        assert!(Arguments::try_parse_from(["rummage", "search"]).is_err());
        assert!(Arguments::try_parse_from(["rummage", "search", "a", "--batch", "-"]).is_err());
    }
}
