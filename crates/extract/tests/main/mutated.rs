//! Sound files spoiled by chance: extraction answers, whatever they are, and what
//! it answers holds together.

use proptest::prelude::*;
use rummage_corpus::{Document, SourcePath};
use rummage_extract::{NoText, extract};

use crate::seeds::{self, Chance, Seed};

fn seed() -> impl Strategy<Value = Seed> {
    (0..seeds::all().len()).prop_map(|nth| seeds::all().swap_remove(nth)).no_shrink()
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What every document keeps to.
fn holds_together(document: &Document) -> bool {
    let text = &document.text;
    let is_place = |at: usize| at <= text.len() && text.is_char_boundary(at);
    let headings = &document.headings;
    !text.trim().is_empty()
        && headings.is_sorted_by_key(|heading| heading.at)
        && headings.iter().all(|heading| {
            is_place(heading.at) && (1..=6).contains(&heading.level) && !heading.text.is_empty()
        })
        && document.pages.is_sorted()
        && document.pages.iter().all(|at| is_place(*at))
        && document.parts.is_sorted_by_key(|part| part.at)
        && document.parts.iter().all(|part| is_place(part.at) && part.at > 0)
}

#[test]
fn every_seed_is_sound() {
    for seed in seeds::all() {
        let document = extract(&SourcePath::new(seed.name()), &seed.bytes());
        let document = document.unwrap_or_else(|reason| panic!("{}: {reason}", seed.name()));
        assert!(holds_together(&document), "{}: {document:?}", seed.name());
    }
}

#[test]
fn a_file_cut_anywhere_gives_an_answer() {
    for seed in seeds::all() {
        let bytes = seed.bytes();
        for length in (0..bytes.len()).step_by(7) {
            if let Ok(document) = extract(&SourcePath::new(seed.name()), &bytes[..length]) {
                assert!(holds_together(&document), "{} at {length}", seed.name());
            }
        }
    }
}

proptest! {
    #[test]
    fn a_spoiled_file_gives_an_answer(seed in seed(), chance in any::<u64>()) {
        let bytes = seed.spoiled(&mut Chance(chance));
        match extract(&SourcePath::new(seed.name()), &bytes) {
            Ok(document) => prop_assert!(holds_together(&document), "{:?}", document),
            Err(NoText::Damaged { reason, .. }) => prop_assert!(!reason.is_empty()),
            Err(_) => {}
        }
    }
}
