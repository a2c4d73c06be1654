//! What each command does.

mod cache;
mod companions;
mod compare;
mod eval;
mod files;
mod index;
mod marks;
mod models;
mod profile;
mod search;
mod status;
mod tune;

use std::{io::Write, path::PathBuf};

use rummage_engine::{DataFolder, Engine, EngineError, FileFilter, Following, Options};

use crate::{
    Arguments, Command, Failure,
    arguments::{CacheCommand, Common, MarksCommand, ModelsCommand},
};

/// Tells of all errors but the last, which becomes the command's own.
fn tell_all_but_last(mut errors: Vec<EngineError>) -> Option<EngineError> {
    let last = errors.pop();
    for error in &errors {
        eprintln!("rummage: {error}");
    }
    last
}

pub async fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let common = &arguments.common;
    match &arguments.command {
        Command::Index { paths, no_cache } => index::index(common, paths, !no_cache, out).await,
        Command::Search(search) => search::search(common, search, out).await,
        Command::Similar { file, limit } => search::similar(common, file, *limit, out).await,
        Command::Eval { dir: Some(dir), models, no_cache } => {
            eval::eval(common, dir, models, !no_cache, out).await
        }
        Command::Eval { dir: None, models, .. } => compare::compare(common, models, out).await,
        Command::Marks(command) => match command {
            MarksCommand::List => marks::list(common, out).await,
            MarksCommand::Add { query, file } => marks::add(common, query, file, out).await,
            MarksCommand::Remove { query, file } => marks::remove(common, query, file, out).await,
            MarksCommand::Clear => marks::clear(common, out).await,
        },
        Command::Models(command) => match command {
            ModelsCommand::List => models::list(common, out),
            ModelsCommand::Use { model } => models::choose(common, model, out).await,
            ModelsCommand::Import { dir, id } => {
                models::import(common, dir, id.as_deref(), out).await
            }
            ModelsCommand::Fetch { model } => models::fetch(common, model, out).await,
            ModelsCommand::Remove { model } => models::remove(common, model, out),
        },
        Command::Cache(command) => match command {
            CacheCommand::Stats => cache::stats(common, out),
            CacheCommand::Clear { model } => cache::clear(common, model.as_deref(), out),
        },
        Command::Tune => tune::tune(common, out).await,
        Command::Profile { command } => profile::profile(common, command, out).await,
        Command::Status => status::status(common, out).await,
        Command::Files { paths, state, matching } if paths.is_empty() => {
            let words = matching.clone().unwrap_or_default();
            let filter = FileFilter { state: state.map(Into::into), root: None, words };
            files::files(common, &filter, out).await
        }
        Command::Files { paths, .. } => files::account(common, paths, out).await,
        Command::Retry { paths } => index::retry(common, paths, out).await,
        Command::Forget { paths } => index::forget(common, paths, out).await,
        Command::Pause { paths } => index::pause(common, paths, out).await,
        Command::Resume { paths } => index::resume(common, paths, out).await,
        Command::Companions { dir } => companions::write(dir),
    }
}

/// Opens the data folder to index it.
async fn open_to_index(common: &Common) -> anyhow::Result<Engine> {
    open(common, Some(Following::Once), true).await
}

/// Opens the data folder to read it, beside any other process.
async fn open_to_read(common: &Common) -> anyhow::Result<Engine> {
    open(common, None, true).await
}

async fn open(common: &Common, indexing: Option<Following>, cache: bool) -> anyhow::Result<Engine> {
    let options = Options { cache, ..Options::new(data_folder(common)?, indexing) };
    Ok(Engine::open(options).await?)
}

fn data_folder(common: &Common) -> Result<PathBuf, Failure> {
    let set = common.data.clone().filter(|data| !data.as_os_str().is_empty());
    set.or_else(DataFolder::of_platform).ok_or_else(|| {
        Failure::Usage("this user has no home folder: name a data folder with --data".to_owned())
    })
}
