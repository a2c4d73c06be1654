//! Random work on files, as people and their programs do it, against a model of what
//! there is: after each settling the ledger and the index must agree with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    time::{Duration, SystemTime},
};

use rummage_corpus::FileId;
use rummage_engine::{Engine, FileState, Following, FoundFile, Mode, Query};
use rummage_testkit::{Dice, Tree};

use crate::{Home, PATIENCE, settled};

const FOLDERS: [&str; 5] = ["", "a", "a/c", "b", "b/d"];
const FILES: usize = 6;

/// What the tree holds: by path, the number that its text bears.
struct Model {
    tree: Tree,
    dice: Dice,
    files: BTreeMap<String, usize>,
    texts: usize,
}

impl Model {
    fn new(seed: u64) -> Self {
        let files = BTreeMap::new();
        Self { tree: Tree::new(), dice: Dice::new(seed), files, texts: 0 }
    }

    /// Does one thing that people do; most need a file or a folder to do it to.
    fn act(&mut self) {
        let name = self.name();
        let file = self.any_file();
        match (self.dice.below(9), file) {
            (0 | 1, _) => self.write(&name),
            (2, Some(file)) => self.write(&file),
            (3, Some(file)) => self.save_as_editors_do(&file),
            (4, Some(file)) => {
                self.tree.remove(&file);
                self.files.remove(&file);
            }
            (5, Some(file)) => self.rename(&file, &name),
            (6, Some(file)) => {
                let text = fs::read(self.tree.path(&file)).unwrap();
                self.tree.write(&name, text);
                self.files.insert(name, self.files[&file]);
            }
            (7, Some(file)) => self.touch(&file),
            (8, _) => self.move_folder(),
            _ => {}
        }
    }

    fn name(&mut self) -> String {
        let (folder, file) = (*self.dice.pick(&FOLDERS), self.dice.below(FILES));
        let name = format!("file-{file}.txt");
        if folder.is_empty() { name } else { format!("{folder}/{name}") }
    }

    fn any_file(&mut self) -> Option<String> {
        let at = self.dice.below(self.files.len().max(1));
        self.files.keys().nth(at).cloned()
    }

    fn text(&mut self) -> String {
        self.texts += 1;
        format!("volume{} of the common shelf", self.texts)
    }

    fn write(&mut self, name: &str) {
        let text = self.text();
        self.tree.write(name, text);
        self.files.insert(name.to_owned(), self.texts);
    }

    /// Beside the file, then over it, with a backup that goes.
    fn save_as_editors_do(&mut self, name: &str) {
        let text = self.text();
        let (fresh, backup) = (format!("{name}.tmp"), format!("{name}~"));
        self.tree.write(&fresh, text);
        self.tree.rename(name, &backup);
        self.tree.rename(&fresh, name);
        self.tree.remove(&backup);
        self.files.insert(name.to_owned(), self.texts);
    }

    fn rename(&mut self, from: &str, to: &str) {
        self.tree.rename(from, to);
        if let Some(text) = self.files.remove(from) {
            self.files.insert(to.to_owned(), text);
        }
    }

    fn touch(&mut self, name: &str) {
        let seconds = 1_000_000_000 + self.dice.below(500_000_000) as u64;
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let file = File::options().append(true).open(self.tree.path(name)).unwrap();
        file.set_modified(date).unwrap();
    }

    /// Between its name and one beside it.
    fn move_folder(&mut self) {
        let folder = FOLDERS[1 + self.dice.below(FOLDERS.len() - 1)];
        let (from, to) = match self.tree.path(folder).exists() {
            true => (folder.to_owned(), format!("{folder}-moved")),
            false => (format!("{folder}-moved"), folder.to_owned()),
        };
        if !self.tree.path(&from).exists() || self.tree.path(&to).exists() {
            return;
        }
        self.tree.rename(&from, &to);
        let (below, now_below) = (format!("{from}/"), format!("{to}/"));
        let moved: Vec<_> =
            self.files.keys().filter(|name| name.starts_with(&below)).cloned().collect();
        for name in moved {
            let text = self.files.remove(&name).unwrap();
            self.files.insert(name.replacen(&below, &now_below, 1), text);
        }
    }

    /// In what the engine differs from the model.
    async fn differences(&self, engine: &Engine) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, found: BTreeSet<String>, expected: BTreeSet<String>| {
            if found != expected {
                differences.push(format!("{what}: {found:?} instead of {expected:?}"));
            }
        };
        let rows = engine.files(None, FileId(0), 1000).unwrap();
        let ledger = rows.iter().filter(|row| row.state == FileState::Indexed);
        let all: BTreeSet<_> = self.files.keys().cloned().collect();
        compare("the ledger", ledger.map(|row| self.below(row.path.as_path())).collect(), all);
        let texts: BTreeSet<_> = self.files.values().copied().collect();
        for text in (1..=self.texts).filter(|text| texts.contains(text) || text % 4 == 0) {
            let with_it = self.files.iter().filter(|(_, other)| **other == text);
            let expected = with_it.map(|(name, _)| name.clone()).collect();
            compare(
                &format!("volume{text}"),
                self.find(engine, &format!("\"volume{text}\"")).await,
                expected,
            );
        }
        for folder in &FOLDERS[1..] {
            let below = format!("{folder}/");
            let expected = self.files.keys().filter(|name| name.starts_with(&below)).cloned();
            let mut query = Query::parse("common").unwrap();
            query.filter.under = vec![self.tree.path(folder).display().to_string()];
            let found = self.answer(engine, query).await;
            compare(&format!("below {folder}"), found, expected.collect());
        }
        for name in self.files.keys() {
            let date = fs::metadata(self.tree.path(name)).unwrap().modified().unwrap();
            let since = date.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            let mut query = Query::parse("common").unwrap();
            query.filter.after = Some(since.as_secs() as i64);
            query.filter.before = Some(since.as_secs() as i64 + 1);
            let found = self.answer(engine, query).await;
            compare(
                &format!("{name} by its date"),
                &found & &BTreeSet::from([name.clone()]),
                BTreeSet::from([name.clone()]),
            );
        }
        differences
    }

    async fn find(&self, engine: &Engine, query: &str) -> BTreeSet<String> {
        self.answer(engine, Query::parse(query).unwrap()).await
    }

    async fn answer(&self, engine: &Engine, mut query: Query) -> BTreeSet<String> {
        (query.mode, query.limit) = (Mode::Keyword, 1000);
        let answer = engine.search(&query).await.unwrap();
        let paths = answer.files.iter().flat_map(FoundFile::paths);
        paths.map(|path| self.below(path.as_path())).collect()
    }

    fn below(&self, path: &std::path::Path) -> String {
        path.strip_prefix(self.tree.root()).unwrap().display().to_string()
    }
}

const ROUNDS: usize = 15;

async fn drive(following: Following, seed: u64) {
    let (home, mut model) = (Home::new(), Model::new(seed));
    let engine = home.open(following).await;
    engine.follow(&[model.tree.root().to_owned()]).await.unwrap();
    for round in 0..ROUNDS {
        for _ in 0..=model.dice.below(12) {
            model.act();
        }
        let agreeing = async {
            loop {
                if following == Following::Once {
                    engine.scan_all().await.unwrap();
                    settled(&engine).await;
                }
                let differences = model.differences(&engine).await;
                // Changes that nobody told yet may still come while folders are watched.
                if differences.is_empty() || following == Following::Once {
                    return differences;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let differences = match tokio::time::timeout(PATIENCE / 4, agreeing).await {
            Ok(differences) => differences,
            Err(_) => model.differences(&engine).await,
        };
        assert!(differences.is_empty(), "seed {seed}, round {round}: {differences:#?}");
    }
    settled(&engine).await;
    let embedded = engine.totals().embedded as usize;
    assert!(embedded <= model.texts, "{embedded} embeddings of {} texts", model.texts);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_and_index_agree_with_the_tree_after_each_scan() {
    drive(Following::Once, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_and_index_agree_with_the_tree_while_it_is_watched() {
    drive(Following::Live, 3).await;
}
