//! What each command does.

mod companions;
mod eval;
mod files;
mod index;
mod profile;
mod search;
mod status;
mod tune;

use std::{io::Write, path::PathBuf};

use rummage_engine::{DataFolder, Engine, FileFilter, Following, Options};

use crate::{Arguments, Command, Failure, arguments::Common};

pub async fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let common = &arguments.common;
    match &arguments.command {
        Command::Index { paths } => index::index(common, paths, out).await,
        Command::Search(search) => search::search(common, search, out).await,
        Command::Similar { file, limit } => search::similar(common, file, *limit, out).await,
        Command::Eval { dir } => eval::eval(common, dir, out).await,
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
    open(common, Some(Following::Once)).await
}

/// Opens the data folder to read it, beside any other process.
async fn open_to_read(common: &Common) -> anyhow::Result<Engine> {
    open(common, None).await
}

async fn open(common: &Common, indexing: Option<Following>) -> anyhow::Result<Engine> {
    Ok(Engine::open(Options::new(data_folder(common)?, indexing)).await?)
}

fn data_folder(common: &Common) -> Result<PathBuf, Failure> {
    let set = common.data.clone().filter(|data| !data.as_os_str().is_empty());
    set.or_else(DataFolder::of_platform).ok_or_else(|| {
        Failure::Usage("this user has no home folder: name a data folder with --data".to_owned())
    })
}
