//! What a package installs beside the program: manual pages and completions, made
//! from the grammar itself, so that they never say anything else.

use std::{fs, path::Path};

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::Arguments;

/// Writes `man/` with a page for each command, and `completions/` with a file for
/// each shell under the name it looks for.
pub fn write(dir: &Path) -> anyhow::Result<()> {
    let (pages, completions) = (dir.join("man"), dir.join("completions"));
    for dir in [&pages, &completions] {
        fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    }
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut Arguments::command(), "rummage", &completions)
            .with_context(|| format!("{} cannot be written", completions.display()))?;
    }
    clap_mangen::generate_to(Arguments::command(), &pages)
        .with_context(|| format!("{} cannot be written", pages.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The command itself, and all below it that are shown.
    fn commands(command: &clap::Command) -> usize {
        let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
        1 + shown.map(commands).sum::<usize>()
    }

    /// Every command that `rummage --help` names has a page, and each shell knows it.
    #[test]
    fn every_command_has_its_page_and_its_completions() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path()).unwrap();
        let grammar = Arguments::command();
        let shown = grammar.get_subcommands().filter(|command| !command.is_hide_set());
        let names: Vec<&str> = shown.map(|command| command.get_name()).collect();
        assert!(names.contains(&"search"), "{names:?}");
        for name in &names {
            let page = dir.path().join(format!("man/rummage-{name}.1"));
            assert!(fs::read_to_string(page).unwrap().contains(".SH SYNOPSIS"), "{name}");
        }
        let pages = fs::read_dir(dir.path().join("man")).unwrap().count();
        assert_eq!(pages, commands(&grammar), "one for each command and one for all");
        for shell in ["rummage.bash", "_rummage", "rummage.fish"] {
            let text = fs::read_to_string(dir.path().join("completions").join(shell)).unwrap();
            assert!(names.iter().all(|name| text.contains(name)), "{shell}");
        }
    }
}
