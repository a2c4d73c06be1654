//! The catalog over whole stories: files come, change, settle and leave.

use rummage_catalog::{
    AddRoot, Catalog, Circumstances, Counts, Fate, FileFilter, FileRow, FileState, Gone, Grade,
    Held, MarkCounts, Observation, QueryWord, RootId, SeenFiles, Stamp, Task, Verdict, WordedFile,
};
use rummage_corpus::{ContentHash, FileId, SourcePath, Word, words};

struct Story {
    catalog: Catalog,
    root: RootId,
    _dir: tempfile::TempDir,
}

fn story() -> Story {
    let dir = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(&dir.path().join("catalog.sqlite")).unwrap();
    let AddRoot::Added(root) = catalog.add_root(&SourcePath::new("/docs"), |_, _| true).unwrap()
    else {
        panic!("a first root is added")
    };
    Story { catalog, root, _dir: dir }
}

/// Nobody asked for the scan, and what was known is still there.
const USUAL: Circumstances<'_> = Circumstances { eager: false, is_gone: &|_| false };
const ASKED: Circumstances<'_> = Circumstances { eager: true, ..USUAL };
const MOVED: Circumstances<'_> = Circumstances { is_gone: &|_| true, ..USUAL };

const NOW: i64 = 1_700_000_000;

const LASTING: Fate = Fate::Failed { transient_at: None };
const TRANSIENT: Fate = Fate::Failed { transient_at: Some(NOW) };

fn file(path: &str, modified_ns: i64) -> Observation {
    let stamp = Stamp { bytes: 10, modified_ns, inode: 1, device: 1 };
    Observation::File { path: SourcePath::new(path), stamp }
}

impl Story {
    fn see(&self, observations: &[Observation]) -> SeenFiles {
        self.see_as(USUAL, observations)
    }

    fn see_as(&self, circumstances: Circumstances<'_>, observations: &[Observation]) -> SeenFiles {
        let mut seen = SeenFiles::default();
        self.catalog.observe(self.root, observations, circumstances, &mut seen).unwrap().unwrap();
        seen
    }

    fn row(&self, path: &str) -> FileRow {
        self.catalog.file_at(&SourcePath::new(path)).unwrap().expect("it is in the ledger")
    }

    fn rows(&self, state: FileState) -> Vec<FileRow> {
        let filter = FileFilter { state: Some(state), ..FileFilter::default() };
        self.catalog.files(&filter, FileId(0), 10).unwrap().rows
    }

    fn mark(&self, question: &str, path: &str, grade: Grade) -> bool {
        self.catalog.mark(question, &SourcePath::new(path), grade, NOW).unwrap()
    }

    /// Question, path and grade of each mark.
    fn marks(&self) -> Vec<(String, String, Grade)> {
        let marks = self.catalog.marks().unwrap().into_iter();
        marks.map(|mark| (mark.question, mark.path.display().to_string(), mark.grade)).collect()
    }

    /// Gives all pending files up.
    fn give_up(&self, fate: Fate) {
        for task in self.catalog.pending(FileId(0), 100).unwrap() {
            self.settle(&task, fate);
        }
    }

    fn settle(&self, task: &Task, fate: Fate) {
        let (file, version, reason) = (task.file, task.version, "no".to_owned());
        self.catalog.settle_verdicts(&[Verdict { file, version, fate, reason }], 1).unwrap();
    }

    fn delete(&self, path: &str) -> u64 {
        let root = self.catalog.roots().unwrap()[0].id;
        self.catalog.retire_paths(root, &[SourcePath::new(path)]).unwrap()
    }

    /// Takes every pending file through to `indexed`.
    fn index_all(&self) {
        for task in self.catalog.pending(FileId(0), 100).unwrap() {
            let hash = ContentHash::of(b"same");
            self.catalog.expect_passages(&[(task.file, task.version)]).unwrap();
            self.catalog.settle_worded(&[worded(&task, hash, 2)]).unwrap();
        }
        for task in self.catalog.worded(FileId(0), 100).unwrap() {
            self.catalog.expect_vectors(&[(task.file, task.version)]).unwrap();
            self.catalog.settle_indexed(&[(task.file, task.version)]).unwrap();
        }
    }

    fn counts(&self) -> Counts {
        self.catalog.counts().unwrap()
    }
}

fn worded(task: &Task, hash: ContentHash, passages: u64) -> WordedFile {
    let (file, version) = (task.file, task.version);
    WordedFile { file, version, hash: Some(hash), passages, note: None }
}

/// Of which any may be meant for another.
fn query_words(text: &str) -> Vec<QueryWord> {
    let asked = |word: Word| QueryWord {
        typed: text[word.span.start..word.span.end].to_lowercase(),
        stem: word.stem,
        may_be_part: true,
        may_be_slip: true,
    };
    words(text).into_iter().map(asked).collect()
}

#[test]
fn a_note_stands_in_the_ledger_until_the_file_is_read_again() {
    let story = story();
    story.catalog.require("cut", 1, None).unwrap();
    story.see(&[file("/docs/a", 1), file("/docs/b", 1)]);
    let tasks = story.catalog.pending(FileId(0), 10).unwrap();
    let versions: Vec<_> = tasks.iter().map(|task| (task.file, task.version)).collect();
    let settled: Vec<_> = tasks
        .iter()
        .map(|task| WordedFile {
            note: (task.path == SourcePath::new("/docs/a")).then(|| "half".to_owned()),
            ..worded(task, ContentHash::of(b"text"), 1)
        })
        .collect();
    story.catalog.settle_worded(&settled).unwrap();
    story.catalog.settle_indexed(&versions).unwrap();
    let [a, b] = ["/docs/a", "/docs/b"].map(|path| story.row(path));
    assert_eq!((a.state, a.reason.as_deref()), (FileState::Indexed, Some("half")));
    assert_eq!((b.state, b.reason), (FileState::Indexed, None));
    story.catalog.require("cut", 1, Some("eng")).unwrap();
    let again = story.catalog.pending(FileId(0), 10).unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!((&again[0].path, again[0].hash), (&tasks[0].path, None));
}

#[test]
fn a_file_goes_from_pending_to_indexed() {
    let story = story();
    story.see(&[file("/docs/a", 1), file("/docs/b", 1)]);
    assert_eq!(story.counts(), Counts { pending: 2, ..Counts::default() });
    story.index_all();
    let expected = Counts { indexed: 2, passages: 4, embedded: 4, ..Counts::default() };
    assert_eq!(story.counts(), expected);
    assert_eq!(story.catalog.counts_of(story.root).unwrap(), expected);
}

#[test]
fn an_unchanged_file_is_not_queued_and_a_changed_one_is() {
    let story = story();
    story.see(&[file("/docs/a", 1), file("/docs/b", 1)]);
    story.index_all();
    story.see(&[file("/docs/a", 1), file("/docs/b", 2)]);
    let pending = story.catalog.pending(FileId(0), 10).unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].path, SourcePath::new("/docs/b"));
    assert!(pending[0].stale, "its old rows are in the store");
    // Touched only: the contents are the same, so nothing is done again.
    story.catalog.settle_unchanged(&[(pending[0].file, pending[0].version)]).unwrap();
    assert_eq!(story.counts().indexed, 2);
}

#[test]
fn a_file_that_changed_meanwhile_stays_in_the_queue() {
    let story = story();
    story.see(&[file("/docs/a", 1)]);
    let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    story.see(&[file("/docs/a", 2)]);
    story.catalog.settle_worded(&[worded(&task, ContentHash::of(b"old"), 1)]).unwrap();
    assert_eq!(story.counts().pending, 1);
    assert!(story.catalog.expect_passages(&[(task.file, task.version)]).unwrap().is_empty());
    story.settle(&task, LASTING);
    assert_eq!(story.counts().pending, 1);
    let again = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    assert_eq!(again.hash, None, "the store may hold the old text");
}

#[test]
fn files_that_a_scan_did_not_meet_leave_in_two_steps() {
    let story = story();
    story.see(&[file("/docs/a", 1), file("/docs/b", 1)]);
    story.index_all();
    let seen = story.see(&[file("/docs/a", 1)]);
    assert_eq!(
        story.catalog.retire_unseen(story.root, &SourcePath::new("/docs"), &seen).unwrap(),
        1
    );
    assert_eq!(story.counts().known(), 1);
    let gone = story.catalog.gone(Gone::Leaving, 10).unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!(story.catalog.file(gone[0]).unwrap(), None, "no ghost in results");
    story.catalog.settle_gone(Gone::Leaving, &gone).unwrap();
    assert_eq!(story.catalog.gone(Gone::Left, 10).unwrap(), gone);
    story.catalog.settle_gone(Gone::Left, &gone).unwrap();
    assert!(story.catalog.gone(Gone::Left, 10).unwrap().is_empty());
}

#[test]
fn a_sample_is_from_all_over_whatever_left_before() {
    let story = story();
    let names: Vec<_> = (0..60).map(|number| format!("/docs/{number:02}")).collect();
    story.see(&names.iter().map(|name| file(name, 1)).collect::<Vec<_>>());
    assert_eq!(story.catalog.sample(10).unwrap(), [], "nothing is found yet");
    story.index_all();
    for name in &names[..40] {
        story.delete(name);
    }
    let gone = story.catalog.gone(Gone::Leaving, 100).unwrap();
    story.catalog.settle_gone(Gone::Leaving, &gone).unwrap();
    let number = |name: &String| {
        story.catalog.file_at(&SourcePath::new(name.as_str())).unwrap().unwrap().file
    };
    let there: Vec<_> = names[40..].iter().map(number).collect();
    assert_eq!(story.catalog.sample(100).unwrap(), there);
    let few = story.catalog.sample(5).unwrap();
    assert_eq!(few, there.iter().copied().step_by(4).collect::<Vec<_>>());
}

#[test]
fn a_file_that_comes_back_keeps_its_number() {
    let story = story();
    story.see(&[file("/docs/a", 1)]);
    let before = story.catalog.file_at(&SourcePath::new("/docs/a")).unwrap().unwrap().file;
    story.delete("/docs/a");
    story.see(&[file("/docs/a", 1)]);
    let after = story.catalog.file_at(&SourcePath::new("/docs/a")).unwrap().unwrap();
    assert_eq!((after.file, after.state), (before, FileState::Queued));
}

#[test]
fn deleting_a_folder_spares_names_that_only_begin_alike() {
    let story = story();
    story.see(&[
        file("/docs/a/x", 1),
        file("/docs/a/y", 1),
        file("/docs/a.txt", 1),
        file("/docs/ab", 1),
    ]);
    assert_eq!(story.delete("/docs/a"), 2);
    assert_eq!(story.counts().known(), 2);
}

#[test]
fn what_another_root_has_there_stays_when_its_folder_leaves() {
    let story = story();
    let inner = SourcePath::new("/docs/drafts/a");
    let AddRoot::Added(root) = story.catalog.add_root(&inner, |_, _| false).unwrap() else {
        panic!("a root of its own is added")
    };
    let files = [file("/docs/drafts/a", 1)];
    let mut seen = SeenFiles::default();
    story.catalog.observe(root, &files, USUAL, &mut seen).unwrap().unwrap();
    assert_eq!(story.delete("/docs/drafts"), 0);
    assert_eq!(story.counts().pending, 1);
}

#[test]
fn what_lies_in_an_unreadable_folder_is_kept() {
    let story = story();
    story.see(&[file("/docs/in/x", 1)]);
    story.index_all();
    let locked = Observation::Unreadable {
        path: SourcePath::new("/docs/in"),
        reason: "permission denied".into(),
    };
    let seen = story.see(&[locked]);
    assert_eq!(
        story.catalog.retire_unseen(story.root, &SourcePath::new("/docs"), &seen).unwrap(),
        0
    );
    let failed = story.rows(FileState::Failed);
    assert_eq!(failed[0].reason.as_deref(), Some("permission denied"));
    assert_eq!(story.counts().indexed, 1);
    // Readable again, the folder leaves the ledger.
    let seen = story.see(&[file("/docs/in/x", 1)]);
    story.catalog.retire_unseen(story.root, &SourcePath::new("/docs"), &seen).unwrap();
    assert_eq!(
        story.counts(),
        Counts { indexed: 1, passages: 2, embedded: 2, ..Counts::default() }
    );
}

#[test]
fn roots_within_roots_are_one() {
    let story = story();
    assert!(matches!(
        story.catalog.add_root(&SourcePath::new("/docs/inner"), |_, _| true).unwrap(),
        AddRoot::Within(root) if root.id == story.root
    ));
    story.see(&[file("/docs/a", 1)]);
    story.index_all();
    let AddRoot::Added(outer) = story.catalog.add_root(&SourcePath::new("/"), |_, _| true).unwrap()
    else {
        panic!("an outer root is added")
    };
    assert_eq!(story.catalog.roots().unwrap().len(), 1);
    assert_eq!(story.catalog.counts_of(outer).unwrap().indexed, 1, "nothing is done again");
}

#[test]
fn the_files_of_a_paused_root_wait_where_they_are() {
    let story = story();
    let other = SourcePath::new("/other");
    let AddRoot::Added(root) = story.catalog.add_root(&other, |_, _| true).unwrap() else {
        panic!("it lies elsewhere")
    };
    story.see(&[file("/docs/read", 1)]);
    let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    story.catalog.settle_worded(&[worded(&task, ContentHash::of(b"text"), 3)]).unwrap();
    let docs = SourcePath::new("/docs");
    assert!(story.catalog.set_paused(&docs, true).unwrap());
    // What changes there is noted.
    story.see(&[file("/docs/new", 1)]);
    let seen = &mut SeenFiles::default();
    story.catalog.observe(root, &[file("/other/new", 1)], USUAL, seen).unwrap().unwrap();

    let waiting = || {
        let pending = story.catalog.pending(FileId(0), 10).unwrap();
        let worded = story.catalog.worded(FileId(0), 10).unwrap();
        let paths = pending.iter().map(|task| &task.path);
        let paths = paths.chain(worded.iter().map(|task| &task.path));
        paths.map(|path| path.display().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(waiting(), ["/other/new"]);
    let counts = story.counts();
    assert_eq!(counts.held, Held { pending: 1, worded: 1, passages: 3 });
    assert_eq!((counts.queued(), counts.to_do()), (3, 1));
    assert_eq!(story.catalog.counts_of(root).unwrap().held, Held::default());
    let reason = story.row("/docs/new").reason.unwrap();
    assert!(reason.contains("paused"), "{reason}");
    assert!(!story.row("/other/new").reason.unwrap().contains("paused"));

    assert!(story.catalog.set_paused(&docs, false).unwrap());
    assert_eq!(waiting(), ["/docs/new", "/other/new", "/docs/read"]);
    assert_eq!(story.counts().held, Held::default());
    assert!(!story.catalog.set_paused(&SourcePath::new("/nowhere"), true).unwrap());
}

#[test]
fn a_paused_root_that_becomes_part_of_another_goes_on_with_it() {
    let story = story();
    story.see(&[file("/docs/a", 1)]);
    story.catalog.set_paused(&SourcePath::new("/docs"), true).unwrap();
    assert_eq!(story.counts().to_do(), 0);
    story.catalog.add_root(&SourcePath::new("/"), |_, _| true).unwrap();
    assert_eq!(story.counts().to_do(), 1);
}

#[test]
fn a_removed_root_takes_its_files_along() {
    let story = story();
    story.see(&[file("/docs/a", 1)]);
    assert!(story.catalog.remove_root(&SourcePath::new("/docs")).unwrap());
    assert_eq!(story.counts(), Counts::default());
    assert_eq!(story.catalog.gone(Gone::Leaving, 10).unwrap().len(), 1);
    // A scan under way when the root was removed takes nothing down.
    let mut seen = SeenFiles::default();
    let late = story.catalog.observe(story.root, &[file("/docs/b", 1)], USUAL, &mut seen).unwrap();
    assert_eq!(late, None);
}

#[test]
fn another_model_queues_what_it_lacks_and_another_cutting_all() {
    let story = story();
    story.catalog.require("cut", 1, None).unwrap();
    assert_eq!(story.catalog.model().unwrap(), None);
    story.catalog.use_model("model", &[]).unwrap();
    story.see(&[file("/docs/a", 1), file("/docs/b", 1)]);
    story.index_all();
    let lacking = [story.row("/docs/a").file];
    story.catalog.require("cut", 1, None).unwrap();
    story.catalog.use_model("model", &lacking).unwrap();
    assert_eq!(story.counts().indexed, 2, "it is the one in use");
    story.catalog.use_model("other model", &lacking).unwrap();
    assert_eq!((story.counts().worded, story.counts().indexed), (1, 1));
    assert_eq!(story.catalog.model().unwrap().as_deref(), Some("other model"));
    story.catalog.require("other cut", 1, None).unwrap();
    assert_eq!(story.counts().pending, 2);
    // What is being cut the old way meanwhile does not count.
    let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    story.catalog.require("third cut", 1, None).unwrap();
    story.catalog.settle_worded(&[worded(&task, ContentHash::of(b"text"), 1)]).unwrap();
    assert_eq!(story.counts().pending, 2);
}

#[test]
fn a_transient_failure_is_tried_again_after_an_hour_and_then_every_day() {
    let story = story();
    story.see(&[file("/docs/a", 1)]);
    for (tries, wait) in [(1, 3600), (2, 86_400), (3, 86_400)] {
        story.give_up(TRANSIENT);
        let row = story.row("/docs/a");
        assert_eq!((row.state, row.tries, row.again), (FileState::Failed, tries, Some(NOW + wait)));
        assert_eq!(story.catalog.next_try().unwrap(), row.again);
        assert_eq!(story.catalog.retry_due(NOW + wait - 1).unwrap(), 0);
        assert_eq!(story.catalog.retry_due(NOW + wait).unwrap(), 1);
        assert_eq!((story.counts().pending, story.catalog.next_try().unwrap()), (1, None));
    }
    story.index_all();
    assert_eq!(story.row("/docs/a").tries, 0, "what succeeds has no failures behind it");
}

#[test]
fn a_scan_tries_failures_again_only_where_a_person_asked_for_it() {
    let story = story();
    story.see(&[file("/docs/lasting", 1)]);
    story.give_up(LASTING);
    story.see(&[file("/docs/transient", 1)]);
    story.give_up(TRANSIENT);
    let files = [file("/docs/lasting", 1), file("/docs/transient", 1)];
    story.see(&files);
    assert_eq!(story.counts().failed, 2);
    story.see_as(ASKED, &files);
    assert_eq!((story.counts().pending, story.counts().failed), (1, 1));
}

#[test]
fn a_changed_file_is_tried_at_once_and_its_failures_are_forgotten() {
    let story = story();
    story.see(&[file("/docs/a", 1)]);
    story.give_up(TRANSIENT);
    story.see(&[file("/docs/a", 2)]);
    assert_eq!(story.counts().pending, 1);
    assert_eq!(story.row("/docs/a").tries, 0);
}

#[test]
fn a_person_may_try_the_failures_below_a_folder_again() {
    let story = story();
    story.see(&[file("/docs/a/x", 1), file("/docs/b", 1)]);
    story.give_up(LASTING);
    assert_eq!(story.catalog.retry(&SourcePath::new("/docs/a")).unwrap(), 1);
    assert_eq!(story.row("/docs/a/x").state, FileState::Queued);
    assert_eq!(story.row("/docs/b").state, FileState::Failed);
}

#[test]
fn a_newer_extractor_queues_what_its_predecessor_gave_up() {
    let story = story();
    story.catalog.require("cut", 1, None).unwrap();
    story.see(&[file("/docs/a", 1)]);
    story.give_up(LASTING);
    story.see(&[file("/docs/b", 1)]);
    story.give_up(Fate::Skipped);
    story.catalog.require("cut", 1, None).unwrap();
    assert_eq!(story.counts().pending, 0);
    story.catalog.require("cut", 2, None).unwrap();
    assert_eq!(story.counts().pending, 2);
}

#[test]
fn other_ocr_queues_what_it_may_read_otherwise() {
    let story = story();
    story.catalog.require("cut", 1, None).unwrap();
    story.see(&[file("/docs/text", 1)]);
    story.index_all();
    story.see(&[file("/docs/scan", 1)]);
    story.give_up(Fate::Skipped);
    story.see(&[file("/docs/failed", 1)]);
    story.give_up(LASTING);
    story.catalog.require("cut", 1, None).unwrap();
    assert_eq!(story.counts().pending, 0);
    story.catalog.require("cut", 1, Some("eng")).unwrap();
    assert_eq!((story.counts().pending, story.counts().indexed), (2, 1));
    story.give_up(Fate::Skipped);
    story.catalog.require("cut", 1, Some("deu")).unwrap();
    assert_eq!(story.counts().pending, 2);
}

#[test]
fn what_was_read_by_the_old_rules_does_not_count() {
    let changes: [fn(&Catalog); 2] = [
        |catalog| assert_eq!(catalog.retry_skipped().unwrap(), 0),
        |catalog| catalog.require("cut", 1, Some("eng")).unwrap(),
    ];
    for change in changes {
        let story = story();
        story.catalog.require("cut", 1, None).unwrap();
        story.see(&[file("/docs/a", 1)]);
        let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
        change(&story.catalog);
        story.settle(&task, Fate::Skipped);
        assert_eq!((story.counts().pending, story.counts().skipped), (1, 0));
    }
}

#[test]
fn what_rules_leave_out_stands_in_the_ledger_as_long_as_it_is_there() {
    let story = story();
    let left_out = |rule: &str| Observation::LeftOut {
        path: SourcePath::new("/docs/node_modules"),
        is_folder: true,
        rule: rule.into(),
    };
    for rule in ["one rule", "another"] {
        story.see(&[file("/docs/a", 1), left_out(rule)]);
        let skipped = story.rows(FileState::Skipped);
        let [row] = &skipped[..] else { panic!("{skipped:?}") };
        assert_eq!((row.reason.as_deref(), row.is_folder), (Some(rule), true));
        let counts = story.counts();
        assert_eq!((counts.left_out, counts.known(), counts.skipped), (1, 1, 0));
    }
    let inside = SourcePath::new("/docs/node_modules/deep/x.js");
    let row = story.catalog.left_out_at(&inside).unwrap().unwrap();
    assert_eq!(row.reason.as_deref(), Some("another"));
    assert_eq!(story.catalog.file_at(&inside).unwrap(), None);
    let seen = story.see(&[file("/docs/a", 1)]);
    story.catalog.retire_unseen(story.root, &SourcePath::new("/docs"), &seen).unwrap();
    assert_eq!(story.counts().left_out, 0);
}

#[test]
fn a_moved_file_keeps_what_was_done_for_it() {
    let story = story();
    story.see(&[file("/docs/a/x", 1)]);
    story.index_all();
    let before = story.row("/docs/a/x").file;
    let seen = story.see_as(MOVED, &[file("/docs/b/x", 1)]);
    assert_eq!(
        story.catalog.retire_unseen(story.root, &SourcePath::new("/docs"), &seen).unwrap(),
        0
    );
    let row = story.row("/docs/b/x");
    assert_eq!((row.file, row.state), (before, FileState::Indexed));
    let misplaced = story.catalog.misplaced(10).unwrap();
    assert_eq!(misplaced[0].path, SourcePath::new("/docs/b/x"));
    story.catalog.settle_placed(&misplaced).unwrap();
    assert!(story.catalog.misplaced(10).unwrap().is_empty());
}

#[test]
fn a_result_is_marked_as_the_best_that_was_said_of_it() {
    let story = story();
    story.see(&[file("/docs/a", 1), file("/docs/b", 1)]);
    let mark = |question: &str, path: &str, grade| (question.to_owned(), path.to_owned(), grade);
    assert!(story.mark("tea", "/docs/a", Grade::Opened));
    assert!(story.mark("tea", "/docs/b", Grade::Good));
    assert!(story.mark("tea", "/docs/b", Grade::Opened), "opening it takes nothing back");
    assert!(story.mark("tea type:pdf", "/docs/a", Grade::Opened), "another question");
    assert!(!story.mark("tea", "/docs/c", Grade::Good), "nobody follows it");
    let expected = [
        mark("tea", "/docs/b", Grade::Good),
        mark("tea", "/docs/a", Grade::Opened),
        mark("tea type:pdf", "/docs/a", Grade::Opened),
    ];
    assert_eq!(story.marks(), expected);
    assert_eq!(story.catalog.count_marks().unwrap(), MarkCounts { opened: 2, good: 1 });
    assert_eq!(story.catalog.good_results("tea").unwrap(), [SourcePath::new("/docs/b")]);
    assert!(story.catalog.unmark("tea", &SourcePath::new("/docs/b")).unwrap());
    assert!(!story.catalog.unmark("tea", &SourcePath::new("/docs/b")).unwrap());
    assert_eq!(story.marks(), expected[1..]);
    assert_eq!(story.catalog.clear_marks().unwrap(), 2);
    assert_eq!(story.marks(), []);
}

#[test]
fn marks_move_with_their_file_and_go_with_it() {
    let story = story();
    story.see(&[file("/docs/a/x", 1)]);
    story.index_all();
    story.mark("tea", "/docs/a/x", Grade::Good);
    story.see_as(MOVED, &[file("/docs/b/x", 1)]);
    assert_eq!(story.marks()[0].1, "/docs/b/x");
    // Under another name it is read anew, and what was said of it stays all the same.
    story.see_as(MOVED, &[file("/docs/b/y", 1)]);
    assert_eq!(story.marks()[0].1, "/docs/b/y");
    story.delete("/docs/b/x");
    story.see_as(MOVED, &[file("/docs/b/x", 1)]);
    story.delete("/docs/b/y");
    assert_eq!(story.marks()[0].1, "/docs/b/x");
    // An editor may take a file away for a moment.
    story.delete("/docs/b/x");
    assert_eq!(story.marks(), [], "what is not there is no answer");
    story.see(&[file("/docs/b/x", 2)]);
    assert_eq!(story.marks().len(), 1);
    story.delete("/docs/b/x");
    let gone = story.catalog.gone(Gone::Leaving, 10).unwrap();
    story.catalog.settle_gone(Gone::Leaving, &gone).unwrap();
    story.catalog.settle_gone(Gone::Left, &gone).unwrap();
    assert_eq!(story.catalog.count_marks().unwrap(), MarkCounts::default());
    // A folder that is forgotten takes its marks along at once.
    story.see(&[file("/docs/c", 1)]);
    story.mark("tea", "/docs/c", Grade::Opened);
    story.catalog.remove_root(&SourcePath::new("/docs")).unwrap();
    assert_eq!(story.catalog.count_marks().unwrap(), MarkCounts::default());
}

#[test]
fn cleared_marks_are_not_left_on_the_disk() {
    let story = story();
    story.see(&[file("/docs/a", 1)]);
    story.mark("who sold the barometer", "/docs/a", Grade::Good);
    for number in 0..500 {
        story.mark(&format!("barometer {number} taken back"), "/docs/a", Grade::Opened);
    }
    for number in 0..500 {
        let question = format!("barometer {number} taken back");
        assert!(story.catalog.unmark(&question, &SourcePath::new("/docs/a")).unwrap());
    }
    story.catalog.clear_marks().unwrap();
    for name in ["catalog.sqlite", "catalog.sqlite-wal"] {
        let left = std::fs::read(story._dir.path().join(name)).unwrap_or_default();
        assert!(!left.windows(9).any(|bytes| bytes == b"barometer"), "{name}");
    }
}

#[test]
fn a_second_name_a_new_name_and_other_contents_are_files_of_their_own() {
    for (circumstances, other) in [
        (USUAL, file("/docs/b/x", 1)),
        (MOVED, file("/docs/a/y", 1)),
        (MOVED, file("/docs/b/x", 2)),
    ] {
        let story = story();
        story.see(&[file("/docs/a/x", 1)]);
        story.index_all();
        story.see_as(circumstances, &[other]);
        assert_eq!((story.counts().indexed, story.counts().pending), (1, 1));
    }
}

#[test]
fn a_file_in_the_queue_that_moves_is_read_where_it_is() {
    let story = story();
    story.see(&[file("/docs/a/x", 1)]);
    let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    story.see_as(MOVED, &[file("/docs/b/x", 1)]);
    assert_eq!(story.catalog.settle_missing(&[(task.file, task.version)]).unwrap(), 0);
    let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    assert_eq!(task.path, SourcePath::new("/docs/b/x"));
}

#[test]
fn a_touched_file_gets_its_new_date_in_the_store() {
    let story = story();
    story.see(&[file("/docs/a", 1)]);
    story.index_all();
    story.see(&[file("/docs/a", 2)]);
    let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    assert!(story.catalog.misplaced(10).unwrap().is_empty(), "its contents are not known yet");
    story.catalog.settle_unchanged(&[(task.file, task.version)]).unwrap();
    let misplaced = story.catalog.misplaced(10).unwrap();
    assert_eq!((misplaced[0].modified_ns, misplaced[0].has_vectors), (2, true));
    story.see(&[file("/docs/a", 3)]);
    story.catalog.settle_placed(&misplaced).unwrap();
    let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    story.catalog.settle_unchanged(&[(task.file, task.version)]).unwrap();
    assert_eq!(story.catalog.misplaced(10).unwrap()[0].modified_ns, 3);
}

#[test]
fn an_included_file_is_read_whatever_its_size() {
    let story = story();
    story.see(&[file("/docs/a", 1)]);
    let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    assert!(!task.included);
    story.settle(&task, Fate::Skipped);
    assert!(story.catalog.include(&SourcePath::new("/docs/a")).unwrap());
    assert!(story.catalog.pending(FileId(0), 10).unwrap()[0].included);
    assert!(!story.catalog.include(&SourcePath::new("/docs/unheard-of")).unwrap());
}

#[test]
fn once_its_rows_may_have_gone_the_old_contents_count_as_unknown() {
    let story = story();
    story.see(&[file("/docs/a", 1)]);
    story.index_all();
    // Changed, and the app dies after the old rows were removed.
    story.see(&[file("/docs/a", 2)]);
    let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    assert_eq!(story.catalog.expect_passages(&[(task.file, task.version)]).unwrap().len(), 1);
    // Changed back, the contents are those of before, and yet they must be cut again.
    story.see(&[file("/docs/a", 3)]);
    let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    assert_eq!((task.hash, task.stale), (None, true));
}

#[test]
fn a_file_that_comes_back_while_it_leaves_counts_as_unknown() {
    let story = story();
    for leave in [true, false] {
        story.see(&[file("/docs/a", 1)]);
        story.index_all();
        if leave {
            story.delete("/docs/a");
        } else {
            story.catalog.remove_root(&SourcePath::new("/docs")).unwrap();
            story.catalog.add_root(&SourcePath::new("/docs"), |_, _| true).unwrap();
        }
        let root = story.catalog.roots().unwrap()[0].id;
        let mut seen = SeenFiles::default();
        story.catalog.observe(root, &[file("/docs/a", 1)], USUAL, &mut seen).unwrap();
        assert_eq!(story.catalog.pending(FileId(0), 10).unwrap()[0].hash, None);
    }
}

#[test]
fn what_left_while_it_was_read_is_not_written() {
    let story = story();
    story.see(&[file("/docs/a", 1)]);
    let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    story.delete("/docs/a");
    let current = story.catalog.expect_passages(&[(task.file, task.version)]).unwrap();
    assert!(current.is_empty());
}

#[test]
fn a_file_found_missing_stays_if_it_came_back_meanwhile() {
    let story = story();
    story.see(&[file("/docs/a", 1)]);
    let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    story.see(&[file("/docs/a", 2)]);
    assert_eq!(story.catalog.settle_missing(&[(task.file, task.version)]).unwrap(), 0);
    assert_eq!(story.counts().pending, 1);
    let task = story.catalog.pending(FileId(0), 10).unwrap().remove(0);
    assert_eq!(story.catalog.settle_missing(&[(task.file, task.version)]).unwrap(), 1);
    assert_eq!(story.counts().known(), 0);
}

#[test]
fn what_cannot_be_looked_at_for_a_while_keeps_its_vectors() {
    let story = story();
    story.see(&[file("/docs/a", 1)]);
    story.index_all();
    let path = SourcePath::new("/docs/a");
    story.see(&[Observation::Unreadable { path, reason: "no".into() }]);
    assert!(story.catalog.gone(Gone::Left, 10).unwrap().is_empty());
}

#[test]
fn a_folder_that_rules_leave_out_of_a_root_is_a_root_of_its_own() {
    let story = story();
    let hidden = SourcePath::new("/docs/.hidden");
    assert!(matches!(story.catalog.add_root(&hidden, |_, _| false).unwrap(), AddRoot::Added(_)));
    assert_eq!(story.catalog.roots().unwrap().len(), 2);
}

#[test]
fn a_catalog_of_the_first_format_is_taken_over() {
    let story = story();
    story.see(&[file("/docs/a", 1), file("/docs/b", 1)]);
    story.index_all();
    let path = story._dir.path().join("first.sqlite");
    let first = rusqlite::Connection::open(&path).unwrap();
    // As the first version made it.
    first.execute_batch(include_str!("format-1.sql")).unwrap();
    first
        .execute_batch(
            "INSERT INTO roots (path) VALUES (CAST('/docs' AS BLOB));
             INSERT INTO files (root, path, bytes, modified, inode, device, stage, transient)
             VALUES (1, CAST('/docs/indexed' AS BLOB), 1, 1, 1, 1, 2, 0),
                    (1, CAST('/docs/failed' AS BLOB), 1, 1, 2, 1, 4, 1),
                    (1, CAST('/docs/skipped' AS BLOB), 1, 1, 3, 1, 3, 0);
             PRAGMA user_version = 1;",
        )
        .unwrap();
    drop(first);
    let catalog = Catalog::open(&path).unwrap();
    let counts = catalog.counts().unwrap();
    assert_eq!((counts.indexed, counts.failed, counts.skipped), (1, 1, 1));
    assert_eq!(catalog.retry_due(NOW).unwrap(), 1, "what was transient is due");
    catalog.require("cut", 2, None).unwrap();
    assert_eq!(catalog.counts().unwrap().pending, 3, "another extractor and another cutting");
}

#[test]
fn a_cleared_catalog_is_as_on_the_first_day_and_gives_no_number_twice() {
    let story = story();
    let path = story._dir.path().join("catalog.sqlite");
    story.catalog.require("cut", 1, None).unwrap();
    story.see(&[file("/docs/umbrella.txt", 1), file("/docs/b", 1)]);
    story.index_all();
    story.catalog.learn(["lantern".to_owned()].into_iter()).unwrap();
    assert!(story.mark("who sold the barometer", "/docs/b", Grade::Good));
    let last = story.rows(FileState::Indexed).last().unwrap().file;
    assert!(!story.catalog.is_empty().unwrap());

    story.catalog.clear().unwrap();
    assert!(story.catalog.is_empty().unwrap());
    assert_eq!(story.counts(), Counts::default());
    assert_eq!(story.catalog.roots().unwrap(), []);
    assert_eq!(story.catalog.named(&query_words("umbrella")).unwrap(), []);
    assert_eq!(story.catalog.count_marks().unwrap(), MarkCounts::default());
    let left = std::fs::read(&path).unwrap();
    for word in ["umbrella", "lantern", "barometer"] {
        let kept = left.windows(word.len()).any(|bytes| bytes == word.as_bytes());
        assert!(!kept, "{word} is still on the disk");
    }

    // All of it works again, in this process and in the next one.
    let AddRoot::Added(root) =
        story.catalog.add_root(&SourcePath::new("/docs"), |_, _| true).unwrap()
    else {
        panic!("nothing is followed")
    };
    let story = Story { root, ..story };
    story.see(&[file("/docs/umbrella.txt", 1)]);
    story.index_all();
    let row = story.row("/docs/umbrella.txt");
    assert!(row.file > last, "{:?} was {last:?}'s or before", row.file);
    assert_eq!(story.catalog.named(&query_words("umbrella")).unwrap().len(), 1);
    assert_eq!(Catalog::open(&path).unwrap().counts().unwrap().indexed, 1);
}

#[test]
fn a_damaged_catalog_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.sqlite");
    std::fs::write(&path, vec![7; 8192]).unwrap();
    let Err(error) = Catalog::open(&path) else { panic!("garbage was opened") };
    assert!(matches!(error, rummage_catalog::CatalogError::Damaged { .. }), "{error}");
}

#[test]
fn a_reader_sees_what_the_writer_wrote() {
    let story = story();
    let path = story._dir.path().join("catalog.sqlite");
    let reader = Catalog::open_reader(&path).unwrap().expect("there is a catalog");
    story.see(&[file("/docs/a", 1)]);
    assert_eq!(reader.counts().unwrap().pending, 1);
    assert!(
        reader.add_root(&SourcePath::new("/else"), |_, _| true).is_err(),
        "a reader does not write"
    );
}

#[test]
fn files_are_known_by_their_names() {
    let story = story();
    story.see(&[
        file("/docs/tax/Budget_2024.xlsx", 1),
        file("/docs/tax/letter.md", 1),
        file("/docs/notes/parseConfig.ts", 1),
    ]);
    let named = |asked: &str| {
        let named = story.catalog.named(&query_words(asked)).unwrap();
        let path = |file| story.catalog.file(file).unwrap().unwrap().path.name().into_owned();
        named
            .into_iter()
            .map(|n| (path(n.file), n.share + f64::from(u8::from(n.whole))))
            .collect::<Vec<_>>()
    };
    let check = |asked: &str, expected: &[(&str, f64)]| {
        let expected: Vec<_> = expected.iter().map(|(name, s)| ((*name).to_owned(), *s)).collect();
        assert_eq!(named(asked), expected, "{asked:?}");
    };
    // And one more for a whole name, with its extension or without.
    check("budget 2024", &[("Budget_2024.xlsx", 2.0)]);
    check("budget 2024 xlsx", &[("Budget_2024.xlsx", 2.0)]);
    check("letter", &[("letter.md", 2.0)]);
    check("tax letter", &[("letter.md", 1.0), ("Budget_2024.xlsx", 0.5)]);
    check("the budget", &[("Budget_2024.xlsx", 0.5)]);
    check("budgt", &[("Budget_2024.xlsx", 0.8)]);
    check("budg", &[("Budget_2024.xlsx", 0.8)]);
    check("parseconfig.ts", &[("parseConfig.ts", 2.0)]);
    check("parseConfig.ts", &[("parseConfig.ts", 2.0)]);
    check("elsewhere", &[]);
    story.see_as(MOVED, &[file("/docs/other/Budget_2024.xlsx", 1)]);
    check("other budget", &[("Budget_2024.xlsx", 1.0)]);
}

#[test]
fn unknown_words_are_taken_for_known_ones() {
    let story = story();
    let learn = |text: &str| {
        story.catalog.learn(words(text).into_iter().map(|word| word.stem)).unwrap();
    };
    learn("lighthouse lightning harbour Donaudampfschiff harbour");
    learn("lighthouse again");
    let check_as = |word: &str, may_be_part, may_be_slip, expected: &[&str]| {
        let asked = QueryWord { may_be_part, may_be_slip, ..query_words(word).remove(0) };
        let expected: Vec<_> = expected.iter().map(|w| words(w).remove(0).stem).collect();
        assert_eq!(story.catalog.instead_of(&asked).unwrap().words, expected, "{word}");
    };
    let check = |word: &str, expected: &[&str]| check_as(word, true, true, expected);
    assert!(story.catalog.is_known(&words("lighthouse")[0].stem).unwrap());
    assert!(!story.catalog.is_known("light").unwrap());
    check("light", &["lighthouse", "lightning"]);
    check("lighthosue", &["lighthouse"]);
    check("harbor", &["harbour"]);
    check("Dampfschiff", &["Donaudampfschiff"]);
    check_as("light", true, false, &["lighthouse", "lightning"]);
    check_as("Dampfschiff", true, false, &["Donaudampfschiff"]);
    check_as("harbor", true, false, &[]);
    check_as("light", false, false, &[]);
    check_as("Dampfschiff", false, false, &[]);
    check("zz", &[]);
    check("submarine", &[]);
    learn("sophisticated exceptions disability Hollenstein exhibiting");
    // Stems of what is not all typed, or has its slip near the end, are others.
    for typed in ["sophistica", "sophisticat", "sophisticate"] {
        check(typed, &["sophisticated"]);
    }
    check("exceptio", &["exceptions"]);
    check("disabilit", &["disability"]);
    check("Hollenstien", &["Hollenstein"]);
    check("exhibitin", &["exhibiting"]);
    check("carpet", &[]);
    // A slip is one in the whole word, not in what its stem is.
    learn("radians managers");
    check("radiators", &[]);
    check("radianss", &["radians"]);
    check("mangers", &["managers"]);
    learn("stop");
    check("stoped", &["stop"]);
}
